/* actor.h: a thread of the harness: what it does, and what it has taken from the allocator. */
#ifndef ENGINE_ACTOR_H
#define ENGINE_ACTOR_H

#include "model.h"

#include <pthread.h>

/* Written by its own thread only: the harness adds nothing to what the threads of a tree share. */
typedef struct actor {
    bw_tree *tree;
    const section *operations;
    bool marks;  /* calls go into the history; otherwise they are compared with the model at once */
    bool closed; /* this thread has closed the tree */
    bool freed;  /* … and freed it */
    bwx_call call;  /* that is going on */
    uint32_t calls; /* marked so far */
    uint32_t turn;  /* calls with parts so far */
    uint32_t parts; /* of the present one … */
    uint32_t sum;   /* … and those among them that count */

    bw_cursor *cursor;

    uint64_t fail_at;  /* allocations until one fails; 0: none does */
    uint32_t failures; /* that may yet fail, whichever they are */
    uint64_t allocated, allocated_bytes, released, released_bytes;

    pthread_t thread;
} actor;

/* Allocator hooks: what each thread takes and gives back, and the failures that the program wants. */
void actor_allocator(bw_options *options);
/* The calling thread is this actor. */
void actor_become(actor *self);
/* What threads without an actor (the worker) have taken is counted here. */
extern actor actor_of_others;

/* One operation with its marks. */
void actor_do(actor *self, const operation *op);

/* What the tree holds, read by a cursor: into contents_present, contents_values. */
void actor_read_contents(actor *self);

#endif
