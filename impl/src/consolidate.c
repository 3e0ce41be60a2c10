/* consolidate.c: a fresh page from a frozen one.
 *
 * Whoever meets a frozen page helps: it merges base and log, builds the page that holds the same
 * entries with an empty log, and installs it by a CAS of the mapping entry. A frozen page never
 * changes (I2), so all helpers compute the same; the CAS lets one of them win, who retires the old
 * page. If the entries do not fit one page they become two (split.c): the same CAS does both. A page
 * that a MERGE or REMOVE has frozen gets what that asks for (merge.c).
 *
 *   spec/DeltaLog.tla, spec/BwTree.tla     here
 *   Freeze                                 bw_log_freeze
 *   Build, Install, InstallLost; SwapEntry bw_consolidate_page
 */
#include "hint.h"
#include "tree.h"

#include <string.h>

/* Looks where the children are now. */
static void fill_hints(const bw_tree *tree, bw_page *page, const uint64_t *values, unsigned n) {
    bw_hint *hints = bw_page_hints(tree, page);
    for (unsigned i = 0; i < n; i++)
        bw_hint_store(&hints[i], bw_hint_of(tree, bw_map_peek(tree, (bw_pid)values[i])));
}

/* A page of n entries with an empty log, that lacks samples, hints and blocks; NULL: no memory. */
static bw_page *begin(bw_thread *self, unsigned level, unsigned n, uint64_t low, uint64_t high,
                      bw_pid right, unsigned replaced) {
    const bw_options *options = &self->tree->options;
    unsigned log_slots = level == 0 ? options->leaf_log : options->inner_log;
    unsigned blocks = (n + BW_BLOCK - 1) / BW_BLOCK;
    size_t blocks_at = level == 0 ? self->tree->leaf_blocks_at : self->tree->inner_blocks_at;
    size_t bytes = blocks_at + blocks * sizeof(bw_block);
    unsigned units = (unsigned)((bytes + BW_PAGE_UNIT - 1) / BW_PAGE_UNIT);
    bw_page *page = bw_page_alloc(self, &units, replaced);
    if (page == NULL)
        return NULL;
    bw_figure_add(&self->figures.page_bytes, bytes);
    page->count = n;
    page->level = (uint8_t)level;
    page->log_slots = (uint8_t)log_slots;
    page->blocks = (uint8_t)blocks;
    page->units = (uint8_t)units;
    page->right = right;
    page->blocks_at = (uint32_t)blocks_at;
    page->low = low;
    page->high = high;
    page->limbo_next = NULL;
    page->limbo_next_bag = NULL;
    page->limbo_tag = 0;
    page->limbo_pid = BW_NO_PID;
    page->sample_shift = 0;
    for (unsigned i = 0; i < log_slots; i++)
        /* relaxed: the page is published by the mapping table's release. */
        atomic_store_explicit(&page->log[i], 0, memory_order_relaxed);
    return page;
}

/* Once the blocks are there. `like`: a page that begins with the same blocks, whose samples may serve; or NULL. */
static void fill_samples(bw_page *page, const bw_page *like) {
    const bw_block *blocks = bw_page_blocks(page);
    const unsigned n = page->blocks;
    const uint32_t shift = n == 0 ? 0 : bw_page_sample_shift(blocks[n - 1].keys[0] - page->low);
    unsigned b = 0;
    page->sample_shift = shift;
    if (like != NULL && like->sample_shift == shift) {
        memcpy(page->samples, like->samples, sizeof page->samples);
        b = like->blocks;
    } else {
        for (unsigned i = n; i < BW_SAMPLES; i++)
            page->samples[i] = BW_NO_SAMPLE;
    }
    for (; b < n; b++)
        page->samples[b] = bw_page_sample(page, blocks[b].keys[0]);
}

bw_page *bw_page_build(bw_thread *self, unsigned level, const uint64_t *keys,
                       const uint64_t *values, unsigned n, uint64_t low, uint64_t high,
                       bw_pid right, unsigned replaced) {
    bw_page *page = begin(self, level, n, low, high, right, replaced);
    if (page == NULL)
        return NULL;
    if (level > 0)
        fill_hints(self->tree, page, values, n);
    const unsigned blocks = page->blocks;
    bw_block *block = (bw_block *)bw_page_blocks(page);
    for (unsigned b = 0; b < blocks; b++, block++, keys += BW_BLOCK, values += BW_BLOCK) {
        const unsigned run = n - b * BW_BLOCK;
        if (run >= BW_BLOCK) { /* copies of constant size are a few vector moves */
            memcpy(block->keys, keys, sizeof block->keys);
            memcpy(block->values, values, sizeof block->values);
        } else {
            memset(block->keys, 0xff, sizeof block->keys);
            memset(block->values, 0, sizeof block->values);
            memcpy(block->keys, keys, run * sizeof *keys);
            memcpy(block->values, values, run * sizeof *values);
        }
    }
    fill_samples(page, NULL);
    return page;
}

void bw_log_freeze(bw_page *page) {
    for (unsigned i = 0; i < page->log_slots; i++) {
        uint64_t word = bw_slot(page, i);
        BW_EVENT(READ, page, i, word);
        if (word == 0) {
            if (bw_log_append(page, i, BW_FREEZE_WORD)) {
                BW_EVENT(APPEND, page, i, BW_FREEZE_WORD);
                return;
            }
            BW_EVENT(APPEND_LOST, page, i, BW_FREEZE_WORD);
            word = bw_slot(page, i);
            BW_EVENT(READ, page, i, word);
        }
        if (bw_word_freezes(word))
            return;
    }
}

/* ---- leaves that keep their keys ----
 *
 * Where all records of a leaf's log put keys that the base has, or ascending ones behind its end, nothing
 * moves: the fresh page is a copy with some values changed and some entries more. */

typedef struct bw_edits {
    unsigned count; /* of changed values: the entry and the value of each, in order */
    unsigned entries[BW_MAX_LOG];
    uint64_t values[BW_MAX_LOG];
    unsigned appended; /* entries behind the end */
    uint64_t append_keys[BW_MAX_LOG];
    uint64_t append_values[BW_MAX_LOG];
} bw_edits;

/* false: something would move. */
static bool gather_edits(const bw_page *leaf, const bw_search *search, unsigned slots,
                         bw_edits *edits) {
    edits->count = 0;
    edits->appended = 0;
    if (leaf->level > 0 || leaf->count == 0)
        return false;
    uint64_t last = bw_page_key(leaf, leaf->count - 1U);
    for (unsigned i = 0; i < slots; i++) {
        const uint64_t word = bw_slot(leaf, i);
        if (bw_word_freezes(word))
            continue;
        if (bw_word_kind(word) != BW_KIND_PUT)
            return false;
        const bw_record *record = bw_word_record(word);
        if (record->key > last) {
            last = edits->append_keys[edits->appended] = record->key;
            edits->append_values[edits->appended++] = record->value;
            continue;
        }
        /* A hot key comes many times in a row. */
        const unsigned before = edits->count == 0 ? 0 : edits->entries[edits->count - 1];
        const int at = bw_page_key(leaf, before) == record->key ? (int)before
                                                                : search->floor(leaf, record->key);
        if (at < 0 || bw_page_key(leaf, (unsigned)at) != record->key)
            return false;
        edits->entries[edits->count] = (unsigned)at;
        edits->values[edits->count++] = record->value;
    }
    return true;
}

static bw_page *build_edited(bw_thread *self, const bw_page *leaf, const bw_edits *edits) {
    const unsigned n = leaf->count + edits->appended;
    bw_page *page = begin(self, 0, n, leaf->low, leaf->high, leaf->right, leaf->units);
    if (page == NULL)
        return NULL;
    bw_block *blocks = (bw_block *)bw_page_blocks(page);
    memcpy(blocks, bw_page_blocks(leaf), leaf->blocks * sizeof *blocks);
    for (unsigned i = 0; i < edits->count; i++)
        blocks[edits->entries[i] / BW_BLOCK].values[edits->entries[i] % BW_BLOCK] =
            edits->values[i];
    for (unsigned i = 0; i < edits->appended; i++) {
        const unsigned entry = leaf->count + i;
        bw_block *block = &blocks[entry / BW_BLOCK];
        if (entry % BW_BLOCK == 0) { /* a new block */
            memset(block->keys, 0xff, sizeof block->keys);
            memset(block->values, 0, sizeof block->values);
        }
        block->keys[entry % BW_BLOCK] = edits->append_keys[i];
        block->values[entry % BW_BLOCK] = edits->append_values[i];
    }
    fill_samples(page, leaf);
    return page;
}

/* ---- consolidation ---- */

enum { LEAST_ASCENDING = 8 }; /* records: fewer ascend by chance */

/* Whether the log's records were appended in the order of their keys, and the last one's key. */
static bool log_ascends(const bw_page *page, uint64_t *last) {
    unsigned records = 0;
    for (unsigned i = 0; i < page->log_slots; i++) {
        const bw_record *record = bw_word_record(bw_slot(page, i));
        if (record == NULL)
            continue;
        if (records++ > 0 && record->key <= *last)
            return false;
        *last = record->key;
    }
    return records >= LEAST_ASCENDING;
}

/* How many of n entries the left page keeps. Where all records lie behind the base, inserts ascend, and the left
 * page will not grow further: it is filled. Where nearly all do, several threads insert ascending keys, a little
 * out of order: it is left 90 % full. For descending inserts, the same of the right page. Where the records
 * ascend amid the base, a thread fills what one that is ahead of it has left out: up to the last of them all is
 * there, behind it one more is to come for each entry, and the left page keeps as many as will then have filled it. */
static unsigned left_share(const bw_page *page, const uint64_t *keys, unsigned n,
                           unsigned capacity) {
    unsigned records = 0;
    unsigned behind = 0;
    unsigned before = 0;
    for (unsigned i = 0; page->count > 0 && i < page->log_slots; i++) {
        const bw_record *record = bw_word_record(bw_slot(page, i));
        if (record == NULL)
            continue;
        records++;
        behind += record->key > bw_page_key(page, page->count - 1);
        before += record->key < bw_page_key(page, 0);
    }
    const unsigned most = behind > before ? behind : before;
    uint64_t last = 0;
    if (most > 0 && 4 * most >= 3 * records) {
        unsigned large = most == records ? capacity : n * 9 / 10;
        large = large < capacity ? large : capacity;
        return behind > before ? large : n - large;
    }
    if (!log_ascends(page, &last))
        return n / 2;
    unsigned done = 0;
    while (done < n && keys[done] <= last)
        done++;
    return done < capacity ? (capacity + done) / 2 : capacity;
}

/* The same, but never cutting at a marked entry: it would become the leftmost of its page. An inner
 * page has at most one, and room to cut beside it (options.c). */
static unsigned left_of_cut(const bw_page *page, const uint64_t *keys, const uint64_t *values,
                            unsigned n, unsigned capacity) {
    unsigned left = left_share(page, keys, n, capacity);
    if (page->level == 0 || (values[left] & BW_MARKED) == 0)
        return left;
    return left < capacity && left + 1 < n ? left + 1 : left - 1;
}

/* A frozen root whose only child is removed is about to give way to it: a fresh one would only have
 * to be frozen again. */
static bool must_collapse(const bw_tree *tree, bw_pid child_pid, bw_page **child) {
    *child = bw_map_load(tree, child_pid);
    return !bw_page_is_tombstone(*child) && bw_page_is_removed(*child);
}

/* Puts the fresh page of n entries in the old one's place. */
static bw_status install(bw_thread *self, bw_pid pid, bw_page *page, bw_page *fresh, unsigned n,
                         bw_duties *duties) {
    if (fresh == NULL)
        return BW_ENOMEM;
    if (bw_map_install(self->tree, pid, page, fresh)) {
        BW_EVENT(INSTALL, page, pid, fresh);
        bw_count_up(&self->figures.consolidations);
        if (n < page->count || n == 0) /* one that grows is not worth the question */
            bw_merge_if_small(self, pid, page, n, duties);
        bw_epoch_retire(self, page);
    } else {
        BW_EVENT(INSTALL_LOST, page, pid, 0);
        bw_count_up(&self->figures.consolidations_lost);
        bw_page_release(self, fresh);
    }
    return BW_OK;
}

bw_status bw_consolidate_page(bw_thread *self, bw_pid pid, bw_page *page, bw_duties *duties) {
    bw_tree *tree = self->tree;
    unsigned length = bw_log_length(page);
    bw_kind last = length > 0 ? bw_word_kind(bw_slot(page, length - 1)) : BW_KIND_NONE;
    if (last == BW_KIND_REMOVE)
        return bw_merge_finish(self,
                               (bw_duty){.separator = page->low,
                                         .pid = pid,
                                         .level = (uint16_t)(page->level + 1U),
                                         .kind = BW_DUTY_FINISH},
                               false, duties);
    if (last == BW_KIND_MERGE)
        return bw_merge_install(self, pid, page, duties);
    unsigned capacity =
        page->level == 0 ? tree->options.leaf_capacity : tree->options.inner_capacity;
    const unsigned records = length; /* all of them: the log is frozen */
    bw_edits edits;
    if (gather_edits(page, tree->search, records, &edits) &&
        page->count + edits.appended <= capacity)
        return install(self, pid, page, build_edited(self, page, &edits),
                       page->count + edits.appended, duties);
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(page, tree->search, records, keys, values);
    bool won;
    if (n > capacity)
        return bw_split(self, pid, page, keys, values, n,
                        left_of_cut(page, keys, values, n, capacity), duties, &won);
    bw_page *child;
    if (pid == BW_ROOT && page->level > 0 && n == 1 &&
        must_collapse(tree, (bw_pid)values[0], &child))
        return bw_collapse_finish(self, (bw_pid)values[0], child);
    return install(self, pid, page,
                   bw_page_build(self, page->level, keys, values, n, page->low, page->high,
                                 page->right, page->units),
                   n, duties);
}
