/* event_words.h: what is told of an event of the engine (impl/src/event.h).
 *
 *     READ, APPEND, APPEND_LOST    page, slot, kind of the word, level, slots of the log, key, value
 *     LOOK                         page, slots read, frozen?, level, slots of the log
 *     all others                   what, a, b
 *
 * The harness has events of its own: CALL and ANSWER, the first and the last of a call; NOTHING, where an
 * operation was to free a page and has freed none; STATE, with what memory holds (events.c).
 *
 * What its pointers lead to is read at the moment of the event: the teller is pinned, or has just put it there.
 */
#ifndef ENGINE_EVENT_WORDS_H
#define ENGINE_EVENT_WORDS_H

#include "program.h"
#include "tree.h"

/* From 64 on they are not counted where an execution is led by events. */
enum { EVENT_WORDS = 7, EVENT_CALL = 60, EVENT_ANSWER, EVENT_NOTHING, EVENT_STATE = 64 };

/* Writes the event's words; gives how many. */
UNSEEN static inline unsigned event_words(enum bw_event_kind kind, const void *what, uint64_t a,
                                          uint64_t b, uint64_t words[EVENT_WORDS]) {
    const bw_page *page = what;
    words[0] = (uintptr_t)what;
    words[1] = a;
    words[2] = b;
    if (kind == BW_EVENT_READ || kind == BW_EVENT_APPEND || kind == BW_EVENT_APPEND_LOST) {
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
    return 3;
}

#endif
