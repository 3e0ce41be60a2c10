/* epoch.h: retired pages and the epoch; epoch.c has the rules, tree.h pins. */
#ifndef BWTREE_EPOCH_H
#define BWTREE_EPOCH_H

#include "page.h"

struct bw_thread;

/* A thread's retired pages: an open bag, and a queue of sealed ones, oldest first. The pages are
 * linked through their own headers, so that retiring never allocates and cannot fail. */
typedef struct bw_limbo {
    bw_page *open; /* the bag being filled */
    unsigned open_count;
    bw_page *sealed_first;                       /* first page of the oldest sealed bag */
    bw_page *sealed_last;                        /* first page of the youngest */
    uint64_t known_epoch;                        /* the last epoch this thread sealed in or made */
    _Atomic uint64_t retired, freed;             /* pages */
    _Atomic uint64_t retired_bytes, freed_bytes; /* with their records */
} bw_limbo;

/* Hands over a page that the caller's own CAS has made unreachable. Caller is pinned. */
void bw_epoch_retire(struct bw_thread *self, bw_page *page);

/* Seals the open bag: from here on its tag is known. */
void bw_epoch_seal(struct bw_thread *self);

/* G := G + 1 if every pinned thread has announced G. Caller is pinned: its pin's fence is the advance's. */
bool bw_epoch_try_advance(struct bw_thread *self);

/* Frees at most `limit` pages whose grace period is over, and their page ids; returns how many. */
uint64_t bw_epoch_free_eligible(struct bw_thread *self, uint64_t limit);

/* Gives all bags to whoever comes next (the thread ends), or takes over such bags. */
void bw_epoch_hand_over(struct bw_thread *self);
void bw_epoch_adopt(struct bw_thread *self);

/* Frees everything in limbo, without a grace period: the tree is closed, nobody is pinned. */
void bw_epoch_free_all(struct bw_thread *self);

/* Nanoseconds for which the pin that now blocks the epoch has been seen to last. */
uint64_t bw_epoch_oldest_pin_ns(bw_tree *tree);

#endif
