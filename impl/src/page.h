/* page.h: what a page is, and the words of its log.
 *
 * A page is an immutable sorted base of (key, value) entries plus a write-once log of records:
 *
 *     header   64 bytes: counts, level, right sibling, fence keys [low, high)
 *     samples  where the first key of each block lies above `low`, in 4 bytes: 16 of them, padded with a number
 *              above all, are one cache line
 *     log      log_slots words: slot i goes from 0 to a record word once and never changes again
 *     hints    inner pages only: where the child of each entry probably is, 4 bytes each (hint.h)
 *     blocks   16 keys followed by their 16 values; the last block is padded with 2^64-1
 *
 * A leaf (level 0) maps keys to the user's values, an inner page maps separators to page ids; the
 * first entry of an inner page has the key `low`. The rightmost page of a level has right = BW_NO_PID
 * and no upper fence (`high` is then meaningless), so that the key 2^64-1 can be stored.
 *
 * A page is frozen when its log is full or ends with FREEZE, REMOVE or MERGE: nothing can be appended
 * any more. Two invariants carry every proof (spec/DeltaLog.tla):
 *   I1  a page that is not frozen is what the mapping table holds for its page id;
 *   I2  a slot is written once, so a frozen page never changes and all helpers compute the same.
 */
#ifndef BWTREE_PAGE_H
#define BWTREE_PAGE_H

#include "bwtree.h"
#include "event.h"

#include <assert.h>
#include <stdatomic.h>

typedef uint32_t bw_pid;

enum {
    BW_BLOCK = 16,         /* entries of a block */
    BW_SAMPLES = 16,       /* samples of a page, padded if it has fewer blocks */
    BW_MAX_CAPACITY = 256, /* entries of a base */
    BW_MAX_LOG = 64,       /* slots of a log */
    BW_MAX_ENTRIES = BW_MAX_CAPACITY + BW_MAX_LOG,
    BW_CACHE_LINE = 64,
    BW_PAGE_UNIT = 64, /* pages are sized in these */
    BW_PAGE_CLASSES = 96,
    BW_MAX_LEVEL = 64, /* also the most duties of one call */
    BW_SAMPLE_BITS = 30,
};

/* Above the sample of every key. */
#define BW_NO_SAMPLE INT32_MAX

#define BW_ROOT   ((bw_pid)0)
#define BW_NO_PID UINT32_MAX

typedef struct bw_block {
    uint64_t keys[BW_BLOCK];
    uint64_t values[BW_BLOCK];
} bw_block;

typedef struct bw_page {
    uint32_t count;     /* entries of the base */
    uint8_t level;      /* 0: leaf */
    uint8_t log_slots;  /* slots of the log */
    uint8_t blocks;     /* blocks of the base, 0 … 16 */
    uint8_t units;      /* size of the page in BW_PAGE_UNITs: its size class */
    bw_pid right;       /* right sibling */
    uint32_t blocks_at; /* offset of the blocks from the page's start, in bytes */
    uint64_t low;
    uint64_t high;

    /* Written by the thread that retires the page, never read by readers of the page (epoch.c). */
    struct bw_page *limbo_next;     /* next page of the same bag */
    struct bw_page *limbo_next_bag; /* in a bag's first page: the next bag */
    uint64_t limbo_tag;             /* in a bag's first page: the epoch it was sealed in */
    bw_pid limbo_pid;               /* free again together with the page; BW_NO_PID: none */
    uint32_t sample_shift;          /* fixed, as the fields above: see bw_page_sample */

    int32_t samples[BW_SAMPLES];
    _Atomic uint64_t log[];
} bw_page;

static_assert(offsetof(bw_page, samples) == BW_CACHE_LINE, "the header is one cache line");
static_assert(sizeof(void *) == 8, "record words hold 64-bit pointers");

/* A record: one change to one key. `stamp` is kept for snapshots. */
typedef struct bw_record {
    uint64_t key;
    uint64_t value;
    uint64_t stamp;
    uint64_t spare;
} bw_record;

/* The word in a slot: tag (16 bits of the key's hash) | pointer to the record (44) | kind (4). The
 * tag lets a lookup follow only the pointers that are likely to be its key's. */
typedef enum bw_kind {
    BW_KIND_NONE = 0,
    BW_KIND_PUT = 1,
    BW_KIND_DELETE = 2,
    BW_KIND_MARK = 3,   /* inner pages: the child of this separator is being merged */
    BW_KIND_FREEZE = 4, /* this and what follows freeze the page */
    BW_KIND_REMOVE = 5, /* the page goes into its left sibling (or, alone on its level, the root) */
    BW_KIND_MERGE =
        6, /* the right sibling, whose separator and page id the record names, comes in */
} bw_kind;

/* These two have no record. */
#define BW_FREEZE_WORD ((uint64_t)BW_KIND_FREEZE)
#define BW_REMOVE_WORD ((uint64_t)BW_KIND_REMOVE)

/* In the value of an inner page's entry, above the page id: a MARK that a consolidation has carried
 * over. The value that a DELETE has there has the page id in its upper half and BW_NO_PID in its
 * lower one, so that a search that ends with it finds no child. */
#define BW_MARKED (UINT64_C(1) << 32)

static inline uint64_t bw_tag(uint64_t key) {
    return key * UINT64_C(0x9E3779B97F4A7C15) >> 48;
}

static inline uint64_t bw_word(uint64_t tag, const bw_record *record, bw_kind kind) {
    return tag << 48 | (uint64_t)(uintptr_t)record | (uint64_t)kind;
}

static inline uint64_t bw_word_tag(uint64_t word) {
    return word >> 48;
}

static inline bw_kind bw_word_kind(uint64_t word) {
    return (bw_kind)(word & 15);
}

/* The record of a word, NULL for FREEZE and REMOVE. */
static inline bw_record *bw_word_record(uint64_t word) {
    return (bw_record *)(uintptr_t)(word & UINT64_C(0x0000FFFFFFFFFFF0));
}

static inline bool bw_word_freezes(uint64_t word) {
    return bw_word_kind(word) >= BW_KIND_FREEZE;
}

/* Does the last word about a key say that the key is there? */
static inline bool bw_word_is_live(uint64_t word) {
    return bw_word_kind(word) == BW_KIND_PUT || bw_word_kind(word) == BW_KIND_MARK;
}

/* What it says the key's value is, if it is live. */
static inline uint64_t bw_word_value(uint64_t word) {
    return bw_word_record(word)->value | (bw_word_kind(word) == BW_KIND_MARK ? BW_MARKED : 0);
}

/* acquire: pairs with the release of the CAS in bw_log_append, so that the record is readable. */
static inline uint64_t bw_slot(const bw_page *page, unsigned i) {
    return atomic_load_explicit((_Atomic uint64_t *)&page->log[i], memory_order_acquire);
}

static inline const bw_block *bw_page_blocks(const bw_page *page) {
    return (const bw_block *)((const char *)page + page->blocks_at);
}

static inline uint64_t bw_page_key(const bw_page *page, unsigned i) {
    return bw_page_blocks(page)[i / BW_BLOCK].keys[i % BW_BLOCK];
}

static inline uint64_t bw_page_value(const bw_page *page, unsigned i) {
    return bw_page_blocks(page)[i / BW_BLOCK].values[i % BW_BLOCK];
}

/* The sample of a key that is not below the page's low fence: its distance from there, without the bits that are too
 * many for the first key of the last block (keys behind that have one sample in common). Keys in order have samples
 * in order, but two keys may have the same: a search looks at the block's first key, too. */
static inline int32_t bw_page_sample(const bw_page *page, uint64_t key) {
    const uint64_t distance = (key - page->low) >> page->sample_shift;
    return distance < BW_NO_SAMPLE ? (int32_t)distance : BW_NO_SAMPLE - 1;
}

/* So many bits are dropped if the last block begins so far from the low fence. */
static inline uint32_t bw_page_sample_shift(uint64_t distance) {
    const uint64_t above = distance >> BW_SAMPLE_BITS;
    return above == 0 ? 0 : 64U - (uint32_t)__builtin_clzll(above);
}

static inline bool bw_page_is_rightmost(const bw_page *page) {
    return page->right == BW_NO_PID;
}

/* Is the key to the right of this page? Then the page has been split since a parent named it. */
static inline bool bw_page_ends_before(const bw_page *page, uint64_t key) {
    return key >= page->high && page->right != BW_NO_PID;
}

/* Where the hints of an inner page with this many log slots begin, in bytes: at a cache line. */
static inline size_t bw_page_hints_offset(unsigned log_slots) {
    size_t end = sizeof(bw_page) + log_slots * sizeof(uint64_t);
    return (end + BW_CACHE_LINE - 1) / BW_CACHE_LINE * BW_CACHE_LINE;
}

/* Where the blocks begin, in a page with this many log slots and room for so many hints (none in a
 * leaf): at a cache line, too. */
static inline size_t bw_page_blocks_offset(unsigned log_slots, unsigned hints) {
    size_t end = bw_page_hints_offset(log_slots) + hints * sizeof(uint32_t);
    return (end + BW_CACHE_LINE - 1) / BW_CACHE_LINE * BW_CACHE_LINE;
}

/* ---- what a log says (page.c) ---- */

/* What passes over a log have found out about a key. */
typedef struct bw_scan {
    unsigned next;   /* the first slot not looked at; the first free one after a full pass */
    bool frozen;     /* FREEZE, REMOVE or MERGE was seen, or every slot is taken */
    bool removed;    /* REMOVE was seen: what the page holds may be out of date */
    uint64_t latest; /* the last word about the key, 0 if none */
} bw_scan;

/* The last word about `key` in the first `slots` slots, 0 if none. */
uint64_t bw_log_latest(const bw_page *page, unsigned slots, uint64_t key);

/* Goes on from scan->next to the first free slot. Of the words with the key's tag, only the last one's record is
 * looked at, most often: a hot key has many in one log, and others have written them. */
static inline void bw_log_scan(const bw_page *page, uint64_t key, bw_scan *scan) {
    uint64_t tag = bw_tag(key);
    uint64_t latest = 0;
    unsigned i = scan->next;
    for (; i < page->log_slots; i++) {
        uint64_t word = bw_slot(page, i);
        if (word == 0)
            break;
        BW_EVENT(READ, page, i, word);
        if (bw_word_freezes(word)) {
            scan->frozen = true;
            scan->removed = word == BW_REMOVE_WORD;
        } else if (__builtin_expect(bw_word_tag(word) == tag, 0)) {
            latest = word;
        }
    }
    if (latest != 0)
        scan->latest = __builtin_expect(bw_word_record(latest)->key == key, 1)
                           ? latest
                           : bw_log_latest(page, i, key);
    scan->next = i;
    if (i == page->log_slots)
        scan->frozen = true;
    BW_EVENT(LOOK, page, i, 0);
}

/* How many slots are taken now. */
unsigned bw_log_length(const bw_page *page);

/* Does the log end with REMOVE? Then what the page holds is to be trusted only while its left sibling
 * still names it (detour.c). */
bool bw_page_is_removed(const bw_page *page);

/* ---- what a page holds (page.c) ---- */

struct bw_search;

/* Merges the base with the first `slots` slots of the log: the live entries with keys in [low, high],
 * both inclusive, in order, the first `limit` of them. keys and values have room for `limit`, or for
 * BW_MAX_ENTRIES if that is less. Returns how many. */
unsigned bw_page_range(const bw_page *page, const struct bw_search *search, unsigned slots,
                       uint64_t low, uint64_t high, size_t limit, uint64_t *keys, uint64_t *values);

/* All of them; keys and values have room for BW_MAX_ENTRIES. */
static inline unsigned bw_page_entries(const bw_page *page, const struct bw_search *search,
                                       unsigned slots, uint64_t *keys, uint64_t *values) {
    return bw_page_range(page, search, slots, 0, UINT64_MAX, BW_MAX_ENTRIES, keys, values);
}

/* The key's value, seen in the first `slots` slots. */
bool bw_page_find(const bw_page *page, const struct bw_search *search, unsigned slots, uint64_t key,
                  uint64_t *value);

/* The live entry with the least key >= key (ceiling) or the greatest <= key (floor), seen in the
 * first `slots` slots. */
bool bw_page_ceiling(const bw_page *page, const struct bw_search *search, unsigned slots,
                     uint64_t key, uint64_t *found_key, uint64_t *found_value);
bool bw_page_floor(const bw_page *page, const struct bw_search *search, unsigned slots,
                   uint64_t key, uint64_t *found_key, uint64_t *found_value);

#endif
