/* check.h: does an adapter do what it says? Asked before anything is timed. */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H

#include "adapter.h"

#include <stdbool.h>
#include <stddef.h>

/* Runs a seeded mix of all operations on a fresh index and compares every answer with a model.
 * false: `message` receives a sentence with the operation that went wrong. */
bool check_adapter(const bench_adapter *adapter, uint64_t seed, char *message, size_t capacity);

#endif
