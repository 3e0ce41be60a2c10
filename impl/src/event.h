/* event.h: what the engine does, step by step, told to whoever compares it with the specs.
 *
 * BW_EVENT(NAME, what, a, b) stands behind each access to shared memory that is an action of a spec in spec/.
 * It compiles to nothing, unless the build defines BW_EVENTS: then it calls bw_event, which the program
 * that links the engine must define (model_check/conformance/ has two: one for the explorer, one for real
 * threads). spec/README.md says, action by action, which event belongs to it; a test compares the two lists.
 *
 * The event comes after the access and before the thread's next one, so under the explorer it is part of the
 * same step. `what` is a page or a registration, `a` and `b` are numbers:
 *
 *     name           what          a            b
 *     READ_EPOCH     registration  epoch
 *     ANNOUNCE       registration  epoch
 *     UNPIN          registration
 *     LOAD_MAPPING   page          page id
 *     READ           page          slot         word
 *     LOOK           page          slots read
 *     PASS           page          page id
 *     READ_RANGE     page          first key    last key
 *     APPEND         page          slot         word
 *     APPEND_LOST    page          slot         word
 *     PUBLISH        page          page id
 *     INSTALL        page          page id      fresh page
 *     INSTALL_LOST   page          page id
 *     SPLIT          page          page id      left half, or new root
 *     SPLIT_LOST     page          page id
 *     INSTALL_RUN    page          page id      fresh page
 *     RUN_LOST       page          page id
 *     DROP           page          page id      empty page
 *     DROP_LOST      page          page id
 *     UNITE          page          page id      first page of the union
 *     UNITE_LOST     page          page id
 *     COLLAPSE       root          page id      fresh root
 *     COLLAPSE_LOST  root          page id
 *     BURY           page          page id      tombstone
 *     BURY_LOST      page          page id
 *     RETIRE         page
 *     TAG            bag           epoch
 *     FREE           page          its tag      epoch
 *     RECYCLE_PID    page          page id
 *     POP_SEES       tree          first free   head
 *     READ_LINK      tree          page id      the next
 *     POP_PID        tree          page id      the next
 *     PUSH_SEES      tree          page id      head
 *     WRITE_LINK     tree          page id      the next
 *     PUSH_PID       tree          page id      the next
 *     ADVANCE_START  registration  epoch
 *     SCAN           scanned one   epoch        what it announces
 *     SCAN_BLOCKED   scanned one   epoch        what it announces
 *     COMMIT         registration  epoch before
 *     COMMIT_LOST    registration  epoch found
 *     CLOSE          tree
 *
 * READ is a slot of a scan that is not NULL, or any slot where a FREEZE is to go. LOOK is a scan's end: the slot
 * behind those read was NULL, or the log has no more. PASS: likewise, in an inner page on the way down to a child.
 * READ_RANGE: a cursor has copied what the page holds, as its last scan found it, of all keys from the first to the
 * last; it is of use to the recorder of histories (model_check/recorder/told_cursor.c). POP_SEES, PUSH_SEES: the
 * head of the list of free page ids, as its load or an exchange that was lost has found it. CLOSE: nothing else is
 * at work any more, and what follows is no part of a spec.
 */
#ifndef BWTREE_EVENT_H
#define BWTREE_EVENT_H

#include <stdint.h>

enum bw_event_kind {
    BW_EVENT_READ_EPOCH,
    BW_EVENT_ANNOUNCE,
    BW_EVENT_UNPIN,
    BW_EVENT_LOAD_MAPPING,
    BW_EVENT_READ,
    BW_EVENT_LOOK,
    BW_EVENT_PASS,
    BW_EVENT_READ_RANGE,
    BW_EVENT_APPEND,
    BW_EVENT_APPEND_LOST,
    BW_EVENT_PUBLISH,
    BW_EVENT_INSTALL,
    BW_EVENT_INSTALL_LOST,
    BW_EVENT_SPLIT,
    BW_EVENT_SPLIT_LOST,
    BW_EVENT_INSTALL_RUN,
    BW_EVENT_RUN_LOST,
    BW_EVENT_DROP,
    BW_EVENT_DROP_LOST,
    BW_EVENT_UNITE,
    BW_EVENT_UNITE_LOST,
    BW_EVENT_COLLAPSE,
    BW_EVENT_COLLAPSE_LOST,
    BW_EVENT_BURY,
    BW_EVENT_BURY_LOST,
    BW_EVENT_RETIRE,
    BW_EVENT_TAG,
    BW_EVENT_FREE,
    BW_EVENT_RECYCLE_PID,
    BW_EVENT_POP_SEES,
    BW_EVENT_READ_LINK,
    BW_EVENT_POP_PID,
    BW_EVENT_PUSH_SEES,
    BW_EVENT_WRITE_LINK,
    BW_EVENT_PUSH_PID,
    BW_EVENT_ADVANCE_START,
    BW_EVENT_SCAN,
    BW_EVENT_SCAN_BLOCKED,
    BW_EVENT_COMMIT,
    BW_EVENT_COMMIT_LOST,
    BW_EVENT_CLOSE,
};

#if defined(BW_EVENTS)
void bw_event(enum bw_event_kind kind, const void *what, uint64_t a, uint64_t b);
#define BW_EVENT(name, what, a, b) \
    bw_event(BW_EVENT_##name, (const void *)(what), (uint64_t)(a), (uint64_t)(b))
#else
#define BW_EVENT(...) ((void)0)
#endif

#endif
