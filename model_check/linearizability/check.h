/* check.h: is a whole history linearizable, and if not, which few operations show it?
 *
 *     lin_check_new; lin_check_run; what it found; lin_check_free
 *
 * One check belongs to one thread, and may have others work for it while it runs; lin_check_stop may be
 * called from any.
 */
#ifndef LIN_CHECK_H
#define LIN_CHECK_H

#include "page_report.h"
#include "parts.h"
#include "verdict.h"

typedef struct lin_check lin_check;

/* NULL: *message says why. The history must outlive the check. Up to `workers` threads share the keys, each
 * of which may have as many configurations; what comes out is the same for any number of them, but for
 * figures after a verdict other than LIN_OK: some may have judged more than the first key in the way. */
lin_check *lin_check_new(const rec_history *history, uint64_t configurations, uint64_t milliseconds,
                         uint32_t workers, const char **message);
void lin_check_free(lin_check *check);
void lin_check_stop(lin_check *check);

/* Takes steps first … last-1 of lin_check_steps, each of which judges a key or a bucket of them
 * (buckets.h), until the first key that is not OK. Gives an enum lin_verdict. */
int lin_check_run(lin_check *check, uint64_t first, uint64_t last);

uint64_t lin_check_steps(const lin_check *check);
uint64_t lin_check_keys(const lin_check *check);    /* judged; where there are buckets, so far */
uint64_t lin_check_records(const lin_check *check); /* of all lanes */
void lin_check_figures(const lin_check *check, lin_figures *figures);
uint64_t lin_check_bytes(const lin_check *check); /* of memory, beside the history itself */

/* What is asked of many keys at one instant (page_reads.h), after LIN_OK for all steps. Gives an enum lin_verdict,
 * and stays until lin_check_free. */
int lin_check_pages(lin_check *check, lin_page_figures *figures);

/* After LIN_VIOLATION by lin_check_pages: links in a cycle, each `to` the next one's `from`; perhaps a second cycle
 * behind a LIN_INSTEAD. And what their steps are. */
const lin_link *lin_check_cycle(const lin_check *check, uint64_t *count);
lin_place lin_check_place(const lin_check *check, uint32_t step);

/* What is in the way, after a verdict other than LIN_OK. */
uint64_t lin_check_bad_key(const lin_check *check);
uint64_t lin_check_bad_key_parts(const lin_check *check);
uint64_t lin_check_bad_response(const lin_check *check); /* at which no order is left */

/* After LIN_VIOLATION: the shortest stretch of time of the bad key that no order explains, whatever
 * state of those that the past allows it begins in. Gives the number of parts in it, and fills up to
 * `capacity` of them; *since_start says that it begins in the initial state because nothing shorter
 * fails. `states` receives those that it may begin in, up to *state_count; *state_count becomes
 * their number. */
uint64_t lin_check_window(lin_check *check, lin_part *window, uint64_t capacity, lin_state *states,
                          uint64_t *state_count, bool *since_start);

/* The parts that the keys' histories have together: for lin_check_order. 0 when out of memory. */
uint64_t lin_check_parts(lin_check *check);

/* After LIN_OK: an order of all parts, as indices into lin_check_part. Each part gets the earliest
 * instant that the order of its key allows; by these instants all keys' orders merge into one
 * (linearizability is local). `order` has lin_check_parts entries; at its end stands UINT64_MAX
 * for each part that never responded and took no effect. Gives an enum lin_verdict. */
int lin_check_order(lin_check *check, uint64_t *order);
const lin_part *lin_check_part(const lin_check *check, uint64_t index);
uint64_t lin_check_part_key(const lin_check *check, uint64_t index);

#endif
