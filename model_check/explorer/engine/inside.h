/* inside.h: steps of the library that no call of bwtree.h takes alone, as operations of a program.
 *
 * A program about one structure (the epoch, the depot of free pages, the list of free page ids) is small
 * enough to be explored to the end only if it need not reach that structure through whole calls of the
 * map. Each step is one that calls take while they are pinned, and is done so here:
 *
 *     advance                seals the thread's bag, tries to advance the epoch, frees what may be freed:
 *                            one of the three rounds of bw_collect
 *     reclaim                the last of these alone, as where another thread has advanced
 *     shrink                 bw_collect's last part
 *     hand_over              the worker's, when it is idle: free pages and records go to the depot
 *     take_pages i n u       n pages of u units each, as numbers i … i + n - 1 (needs pooling=1)
 *     give_pages i n         frees them
 *     take_pid i, give_pid i a page id as number i
 *     pop_pid                the first page id of the list of free ones, as the number that it is
 *     push_pid i             puts number i in front of the list
 *     use_pid i              number i names a page
 *     acquire                loads the root's mapping entry
 *     unlink                 swaps a copy of the root page in
 *     retire                 retires what this thread has unlinked
 *     seal, try_advance, free_one   bw_epoch_seal, bw_epoch_try_advance, one of bw_epoch_free_eligible
 *     pids_left n            must say yes: the program leaves at least n page ids free at any time
 *
 * `seal` and `free_one` do not pin: a registered thread may do both without. `free_one` tells the event NOTHING
 * if it frees none. `pop_pid` is a thread's taking when it has none to spare: where the list is empty it takes one
 * that was never taken before. `push_pid` is what a thread does at its end with one that it has to spare.
 *
 * Pages and page ids change hands by number, without any order between the threads.
 */
#ifndef ENGINE_INSIDE_H
#define ENGINE_INSIDE_H

#include "program.h"

/* BW_OK, BW_ENOMEM, BW_EPIDS, or what a call says that cannot begin. */
bw_status inside_do(bw_tree *tree, const operation *op);

/* Gives back the page ids that are still taken, so that bw_self_check finds all of them. */
void inside_end(bw_tree *tree);

#endif
