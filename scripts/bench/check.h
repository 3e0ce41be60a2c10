/* check.h: does an adapter do what it says? Asked before anything is timed. */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H

#include "adapter.h"

#include <stdbool.h>
#include <stddef.h>

/* How a program ends that did not end well: an index gave a wrong answer; it could not run. */
enum { WRONG = 1, CANNOT = 2 };

/* Runs a seeded mix of all operations on a fresh index and compares every answer with a model.
 * false: `message` receives a sentence with the operation that went wrong. */
bool check_adapter(const bench_adapter *adapter, uint64_t seed, char *message, size_t capacity);

/* Does so in a child process, so that what the check leaves behind in the heap and in the adapter is
 * not there when the adapter is measured. 0, WRONG or CANNOT, with a sentence on stderr. */
int check_apart(const bench_adapter *adapter, uint64_t seed);

#endif
