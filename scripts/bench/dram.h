/* dram.h: what one memory access costs on this machine, as a yardstick for all other times. */
#ifndef BENCH_DRAM_H
#define BENCH_DRAM_H

#include <stdbool.h>

/* Nanoseconds for one dependent access to a random line of memory that no cache holds, with small
 * pages and with huge ones. false: no memory for it. */
bool dram_measure(double *small_pages, double *huge_pages);

#endif
