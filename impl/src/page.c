/* page.c: what a log says about a key, and what a page holds in all: base merged with log. */
#include "page.h"

#include "search.h"

#include <string.h>

unsigned bw_log_length(const bw_page *page) {
    unsigned i = 0;
    while (i < page->log_slots && bw_slot(page, i) != 0)
        i++;
    return i;
}

bool bw_page_is_removed(const bw_page *page) {
    unsigned length = bw_log_length(page);
    return length > 0 && bw_slot(page, length - 1) == BW_REMOVE_WORD;
}

uint64_t bw_log_latest(const bw_page *page, unsigned slots, uint64_t key) {
    uint64_t tag = bw_tag(key);
    for (unsigned i = slots; i-- > 0;) {
        uint64_t word = bw_slot(page, i);
        if (bw_word_tag(word) == tag && !bw_word_freezes(word) && bw_word_record(word)->key == key)
            return word;
    }
    return 0;
}

/* ---- merging ---- */

/* The log's last word about each of its keys, in the order of keys. */
typedef struct bw_sorted_log {
    unsigned count;
    uint64_t keys[BW_MAX_LOG];
    uint64_t words[BW_MAX_LOG];
} bw_sorted_log;

static void sort_log(const bw_page *page, unsigned slots, uint64_t low, uint64_t high,
                     bw_sorted_log *log) {
    unsigned n = 0;
    for (unsigned i = 0; i < slots; i++) {
        uint64_t word = bw_slot(page, i);
        if (bw_word_freezes(word))
            continue;
        uint64_t key = bw_word_record(word)->key;
        if (key < low || key > high)
            continue;
        unsigned at = n;
        while (at > 0 && log->keys[at - 1] > key)
            at--;
        if (at > 0 && log->keys[at - 1] == key) {
            log->words[at - 1] = word;
            continue;
        }
        for (unsigned k = n++; k > at; k--) {
            log->keys[k] = log->keys[k - 1];
            log->words[k] = log->words[k - 1];
        }
        log->keys[at] = key;
        log->words[at] = word;
    }
    log->count = n;
}

unsigned bw_page_range(const bw_page *page, const bw_search *search, unsigned slots, uint64_t low,
                       uint64_t high, size_t limit, uint64_t *keys, uint64_t *values) {
    bw_sorted_log log;
    sort_log(page, slots, low, high, &log);
    const unsigned room = limit < BW_MAX_ENTRIES ? (unsigned)limit : BW_MAX_ENTRIES;
    unsigned n = 0;
    unsigned j = 0;
    unsigned from = low <= page->low ? 0 : (unsigned)(search->floor(page, low - 1) + 1);
    const unsigned to =
        high == UINT64_MAX ? page->count : (unsigned)(search->floor(page, high) + 1);
    while (from < to && n < room) {
        const bw_block *block = &bw_page_blocks(page)[from / BW_BLOCK];
        unsigned i = from % BW_BLOCK;
        const unsigned last = BW_BLOCK - i < to - from ? BW_BLOCK : i + (to - from);
        from += last - i;
        while (i < last && n < room) {
            const unsigned end = last - i < room - n ? last : i + (room - n);
            if (j == log.count || log.keys[j] > block->keys[(end - 1) % BW_BLOCK]) {
                if (end - i == BW_BLOCK) { /* copies of constant size are a few vector moves */
                    memcpy(keys + n, block->keys, sizeof block->keys);
                    memcpy(values + n, block->values, sizeof block->values);
                    n += BW_BLOCK;
                    break;
                }
                for (; i < end; i++, n++) {
                    keys[n] = block->keys[i];
                    values[n] = block->values[i];
                }
                continue;
            }
            /* Entry by entry, which beats a search for the place of the record: the runs between two
             * records are short, and the branch goes the other way but once a run. */
            const uint64_t key = log.keys[j];
            for (; block->keys[i] < key; i++, n++) {
                keys[n] = block->keys[i];
                values[n] = block->values[i];
            }
            i += block->keys[i] == key;
            keys[n] = key;
            values[n] = bw_word_value(log.words[j]);
            n += bw_word_is_live(log.words[j++]);
        }
    }
    for (; j < log.count && n < room; j++) {
        keys[n] = log.keys[j];
        values[n] = bw_word_value(log.words[j]);
        n += bw_word_is_live(log.words[j]);
    }
    return n;
}

bool bw_page_find(const bw_page *page, const bw_search *search, unsigned slots, uint64_t key,
                  uint64_t *value) {
    uint64_t latest = bw_log_latest(page, slots, key);
    if (latest != 0) {
        if (!bw_word_is_live(latest))
            return false;
        *value = bw_word_record(latest)->value;
        return true;
    }
    int at = search->floor(page, key);
    if (at < 0 || bw_page_key(page, (unsigned)at) != key)
        return false;
    *value = bw_page_value(page, (unsigned)at);
    return true;
}

/* ---- nearest entries ---- */

/* Both walk the base away from `key` until an entry that the log has not deleted, and compare it with
 * the nearest live record of the log on that side. Which record of a key is its last one is asked
 * only for records that are nearer than the nearest found. */

bool bw_page_ceiling(const bw_page *page, const bw_search *search, unsigned slots, uint64_t key,
                     uint64_t *found_key, uint64_t *found_value) {
    bool found = false;
    for (unsigned j = 0; j < slots; j++) {
        uint64_t word = bw_slot(page, j);
        const bw_record *record = bw_word_record(word);
        if (record == NULL || record->key < key || (found && record->key > *found_key))
            continue;
        uint64_t latest = bw_log_latest(page, slots, record->key);
        if (!bw_word_is_live(latest))
            continue;
        found = true;
        *found_key = record->key;
        *found_value = bw_word_record(latest)->value;
    }
    int at = search->floor(page, key);
    unsigned i =
        at >= 0 && bw_page_key(page, (unsigned)at) == key ? (unsigned)at : (unsigned)(at + 1);
    for (; i < page->count; i++) {
        uint64_t base_key = bw_page_key(page, i);
        if (found && base_key >= *found_key)
            break;
        if (bw_log_latest(page, slots, base_key) != 0)
            continue; /* deleted, or put again and then already found above */
        found = true;
        *found_key = base_key;
        *found_value = bw_page_value(page, i);
        break;
    }
    return found;
}

bool bw_page_floor(const bw_page *page, const bw_search *search, unsigned slots, uint64_t key,
                   uint64_t *found_key, uint64_t *found_value) {
    bool found = false;
    for (unsigned j = 0; j < slots; j++) {
        uint64_t word = bw_slot(page, j);
        const bw_record *record = bw_word_record(word);
        if (record == NULL || record->key > key || (found && record->key < *found_key))
            continue;
        uint64_t latest = bw_log_latest(page, slots, record->key);
        if (!bw_word_is_live(latest))
            continue;
        found = true;
        *found_key = record->key;
        *found_value = bw_word_record(latest)->value;
    }
    for (int i = search->floor(page, key); i >= 0; i--) {
        uint64_t base_key = bw_page_key(page, (unsigned)i);
        if (found && base_key <= *found_key)
            break;
        if (bw_log_latest(page, slots, base_key) != 0)
            continue;
        found = true;
        *found_key = base_key;
        *found_value = bw_page_value(page, (unsigned)i);
        break;
    }
    return found;
}
