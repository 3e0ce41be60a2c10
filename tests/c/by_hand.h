/* by_hand.h: single steps of the protocol, done by a test: what a thread leaves that is slow or stops
 * just there. Callers are pinned. */
#ifndef BWTREE_TESTS_BY_HAND_H
#define BWTREE_TESTS_BY_HAND_H

#include "support.h"

#include "tree.h"

/* Puts a record into a page as a thread would that came there by an older way; false if it is full. */
static inline bool by_hand_append(bw_thread *self, bw_page *page, bw_kind kind, uint64_t key,
                                  uint64_t value) {
    unsigned slots = bw_log_length(page);
    if (slots + 1 >= page->log_slots || (slots > 0 && bw_word_freezes(bw_slot(page, slots - 1))))
        return false;
    bw_record *record = bw_record_alloc(self);
    CHECK(record != NULL);
    *record = (bw_record){.key = key, .value = value};
    CHECK(bw_log_append(page, slots, bw_word(bw_tag(key), record, kind)));
    return true;
}

/* The page with these entries, published under a fresh page id. */
static inline bw_pid by_hand_publish(bw_thread *self, const bw_page *like, const uint64_t *keys,
                                     const uint64_t *values, unsigned n, uint64_t low) {
    bw_pid pid;
    CHECK(bw_pids_take(self, 1, &pid));
    bw_page *page =
        bw_page_build(self, like->level, keys, values, n, low, like->high, like->right, 0);
    CHECK(page != NULL);
    bw_map_store(self->tree, pid, page);
    return pid;
}

/* Replaces a page, which is frozen first, by one with these entries that ends at `high`. */
static inline void by_hand_replace(bw_thread *self, bw_pid pid, bw_page *page, const uint64_t *keys,
                                   const uint64_t *values, unsigned n, uint64_t high,
                                   bw_pid right) {
    bw_page *fresh = bw_page_build(self, page->level, keys, values, n, page->low, high, right, 0);
    CHECK(fresh != NULL);
    bw_log_freeze(page);
    CHECK(bw_map_install(self->tree, pid, page, fresh));
    bw_epoch_retire(self, page);
}

#endif
