/* crew.c: see crew.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* processor sets */
#endif
#include "crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct member {
    crew *owner;
    unsigned number;
    pthread_t thread;
    double start, end, processor;
} member;

struct crew {
    unsigned threads;
    pthread_barrier_t gate; /* the members and the caller: before a job, and after it */
    crew_job *job;          /* NULL: go home. Written before the gate, read behind it. */
    void *context;
    member members[CREW_MAX];
};

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *member_main(void *opaque) {
    member *self = opaque;
    crew *c = self->owner;
    for (;;) {
        pthread_barrier_wait(&c->gate);
        if (c->job == NULL)
            return NULL;
        double processor = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        self->start = seconds_of(CLOCK_MONOTONIC);
        c->job(self->number, c->context);
        self->end = seconds_of(CLOCK_MONOTONIC);
        self->processor = seconds_of(CLOCK_THREAD_CPUTIME_ID) - processor;
        pthread_barrier_wait(&c->gate);
    }
}

/* The processor for the given thread, among those that this process may use; -1 if unknown. */
static int processor_for(unsigned thread) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        return -1;
    unsigned skip = thread % (unsigned)CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && skip-- == 0)
            return cpu;
    return -1;
}

static int start_member(member *self) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    int cpu = processor_for(self->number);
    if (cpu >= 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        error = pthread_attr_setaffinity_np(&attributes, sizeof one, &one);
    }
    if (error == 0)
        error = pthread_create(&self->thread, &attributes, member_main, self);
    pthread_attr_destroy(&attributes);
    return error;
}

crew *crew_start(unsigned threads) {
    crew *c = calloc(1, sizeof *c);
    if (c == NULL || pthread_barrier_init(&c->gate, NULL, threads + 1) != 0) {
        fprintf(stderr, "out of memory for %u threads\n", threads);
        free(c);
        return NULL;
    }
    c->threads = threads;
    for (unsigned i = 0; i < threads; i++) {
        c->members[i] = (member){.owner = c, .number = i};
        int error = start_member(&c->members[i]);
        if (error != 0) {
            /* The threads already started wait at the gate for ever: the caller ends the process. */
            fprintf(stderr, "cannot start thread %u of %u: %s\n", i + 1, threads, strerror(error));
            return NULL;
        }
    }
    return c;
}

double crew_run(crew *c, crew_job *job, void *context) {
    c->job = job;
    c->context = context;
    pthread_barrier_wait(&c->gate);
    pthread_barrier_wait(&c->gate);
    double start = c->members[0].start, end = c->members[0].end;
    for (unsigned i = 1; i < c->threads; i++) {
        if (c->members[i].start < start)
            start = c->members[i].start;
        if (c->members[i].end > end)
            end = c->members[i].end;
    }
    return end - start;
}

double crew_processor_seconds(const crew *c) {
    double sum = 0;
    for (unsigned i = 0; i < c->threads; i++)
        sum += c->members[i].processor;
    return sum;
}

void crew_stop(crew *c) {
    c->job = NULL;
    pthread_barrier_wait(&c->gate);
    for (unsigned i = 0; i < c->threads; i++)
        pthread_join(c->members[i].thread, NULL);
    pthread_barrier_destroy(&c->gate);
    free(c);
}
