/* event_words.h: what is told of an event of the engine (impl/src/event.h).
 *
 *     APPEND, APPEND_LOST    page, slot, kind of the word, level, slots of the log, key, value
 *     LOOK                   page, slots read, frozen?, level, slots of the log
 *     PUBLISH                page, page id, 0, and what the page is
 *     INSTALL … COLLAPSE     page, page id, fresh page, and what the fresh page is
 *     all others             what, a, b
 *
 * What a page is: level, low, high, right, entries, and of the first ones key and value each.
 *
 * What its pointers lead to is read at the moment of the event: the teller is pinned, or has just put it there.
 */
#ifndef ENGINE_EVENT_WORDS_H
#define ENGINE_EVENT_WORDS_H

#include "program.h"
#include "tree.h"

enum {
    TOLD_ENTRIES = 12,
    EVENT_WORDS = 8 + 2 * TOLD_ENTRIES,
    EVENT_STATE = 64,
    EVENT_CALL = 65,
    EVENT_ANSWER = 66
};

/* Is there a page that has just come to be? */
UNSEEN static inline const bw_page *event_fresh_page(enum bw_event_kind kind, const void *what,
                                                     uint64_t b) {
    switch (kind) {
    case BW_EVENT_PUBLISH: return what;
    case BW_EVENT_INSTALL:
    case BW_EVENT_SPLIT:
    case BW_EVENT_INSTALL_RUN:
    case BW_EVENT_DROP:
    case BW_EVENT_UNITE:
    case BW_EVENT_COLLAPSE: return (const bw_page *)(uintptr_t)b;
    default: return NULL;
    }
}

/* Writes the event's words; gives how many. */
UNSEEN static inline unsigned event_words(enum bw_event_kind kind, const void *what, uint64_t a,
                                          uint64_t b, uint64_t words[EVENT_WORDS]) {
    const bw_page *page = what;
    words[0] = (uintptr_t)what;
    words[1] = a;
    words[2] = b;
    if (kind == BW_EVENT_APPEND || kind == BW_EVENT_APPEND_LOST) {
        const bw_record *record = bw_word_record(b);
        words[2] = bw_word_kind(b);
        words[3] = page->level;
        words[4] = page->log_slots;
        words[5] = record == NULL ? 0 : record->key;
        words[6] = record == NULL ? 0 : record->value;
        return 7;
    }
    if (kind == BW_EVENT_LOOK) {
        /* The slot is written once. */
        uint64_t last = a == 0 ? 0 : ((const volatile uint64_t *)page->log)[a - 1];
        words[2] = a == page->log_slots || bw_word_freezes(last);
        words[3] = page->level;
        words[4] = page->log_slots;
        return 5;
    }
    unsigned n = 3;
    const bw_page *fresh = event_fresh_page(kind, what, b);
    if (fresh != NULL) {
        words[n++] = fresh->level;
        words[n++] = fresh->low;
        words[n++] = fresh->high;
        words[n++] = fresh->right;
        words[n++] = fresh->count;
        for (unsigned i = 0; i < fresh->count && i < TOLD_ENTRIES; i++) {
            words[n++] = bw_page_key(fresh, i);
            words[n++] = bw_page_value(fresh, i);
        }
    }
    return n;
}

#endif
