/* page_reads.h: was each page that a cursor read, read at one instant? The level above per key.
 *
 * Linearizability of the whole map, but for the calls that promise less. Its steps are
 *
 *     each call on one key, and each key's part of a batch;
 *     each page read of a scan or walk: the range of keys that this page answered for, at one instant, the page
 *     reads of one call in the order of the walk;
 *     each navigation and each pop, with all keys that it passed over;
 *     each key that a deletion took.
 *
 * A history is right at this level if the steps can be put in one order that keeps to their times, in which each
 * sees what the map holds. docs/linearizability.md has the conditions that are checked, and why they are enough.
 *
 * It takes a history in which each key for itself is right. Keys that no page read, navigation or pop saw are left
 * out: linearizability is local. So are keys one of whose values was written twice.
 *
 *   the steps of a history        page_steps.h
 *   one key: what must be before  key_steps.h
 *   can there be instants?        instants.h
 */
#ifndef LIN_PAGE_READS_H
#define LIN_PAGE_READS_H

#include "instants.h"
#include "parts.h"

typedef struct lin_page_reads lin_page_reads;

/* NULL: out of memory. */
lin_page_reads *lin_page_reads_new(void);
void lin_page_reads_free(lin_page_reads *reads);

/* Gives an enum lin_verdict. Both must stay until lin_page_reads_free. Once. */
int lin_page_reads_judge(lin_page_reads *reads, const rec_history *history,
                         const lin_partition *partition, const _Atomic bool *stop);
void lin_page_reads_figures(const lin_page_reads *reads, lin_page_figures *figures);

/* After LIN_VIOLATION: lin_instants_cycle, and what its steps are. */
const lin_link *lin_page_reads_cycle(const lin_page_reads *reads, uint64_t *count);
lin_place lin_page_reads_place(const lin_page_reads *reads, uint32_t step);

#endif
