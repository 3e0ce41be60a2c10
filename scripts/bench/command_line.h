/* command_line.h: what the two programs that measure indexes are asked for, and the indexes by name.
 */
#ifndef BENCH_COMMAND_LINE_H
#define BENCH_COMMAND_LINE_H

#include "adapter.h"
#include "bench_run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_WORKLOADS = 64, MOST_ADAPTERS = 24 };

/* The program begins with command_line_defaults, then parses. */
typedef struct arguments {
    const char *program; /* its source, whose head describes the options */
    size_t most;         /* how many adapters may be given, up to MOST_ADAPTERS */
    const char *workloads;
    uint64_t keys, operations, seed, threads;
    uint64_t slices; /* 0: the program knows no slices */
    bool check, clocked;

    /* What the parser makes of it. */
    const bench_adapter *adapters[MOST_ADAPTERS]; /* no two of one name */
    size_t count;
    uint64_t loaded; /* keys, cut to what threads and slices can share out evenly */
    bool selected[MOST_WORKLOADS];
} arguments;

/* The defaults of both programs, for one that takes up to `most` adapters. */
arguments command_line_defaults(const char *program, size_t most);

/* false: something is wrong with an option; a sentence on stderr has said what. */
bool command_line_parse(int argc, char **argv, arguments *a);

/* Prints the adapters built in and the workloads. */
void command_line_list(void);

#endif
