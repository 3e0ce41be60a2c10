/* told_cursor.c: the engine's cursor.c, telling its page reads. See told_cursor.h.
 *
 * It is linked in the place of the library's own: the code is the same, with one statement more behind each
 * page read. What else the macro tells is of no use here, and compiles to nothing.
 */
#define BW_EVENTS
#include "cursor.c" // NOLINT(bugprone-suspicious-include)

#include "told_cursor.h"

static _Thread_local rec_reads *into;

void rec_reads_into(rec_reads *reads) {
    into = reads;
    if (reads != NULL) {
        reads->count = 0;
        reads->more = false;
    }
}

void bw_event(enum bw_event_kind kind, const void *what, uint64_t a, uint64_t b) {
    (void)what;
    if (kind != BW_EVENT_READ_RANGE || into == NULL)
        return;
    if (into->count == REC_MAX_READS) {
        into->more = true;
        return;
    }
    into->first[into->count] = a;
    into->last[into->count++] = b;
}
