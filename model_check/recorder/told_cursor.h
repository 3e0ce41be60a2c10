/* told_cursor.h: which range of keys each page answered for that a cursor has read.
 *
 * The recorder walks with the engine's cursor.c, compiled once more such that it tells what it reads
 * (BW_EVENT in impl/src/event.h); all else of the engine is the library as it is shipped.
 */
#ifndef REC_TOLD_CURSOR_H
#define REC_TOLD_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

enum { REC_MAX_READS = 1024 };

typedef struct rec_reads {
    uint32_t count;
    bool more;                                          /* than there is room for */
    uint64_t first[REC_MAX_READS], last[REC_MAX_READS]; /* keys: first[i] <= last[i] */
} rec_reads;

/* From now on page reads of this thread's cursors are noted in `reads`, which is emptied; NULL: in none. */
void rec_reads_into(rec_reads *reads);

#endif
