/* figure.h: figures, which one thread counts up and anybody may read for show (stats.c).
 *
 * relaxed everywhere: no reader concludes anything about other memory from a figure.
 */
#ifndef BWTREE_FIGURE_H
#define BWTREE_FIGURE_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t bw_figure(const _Atomic uint64_t *figure) {
    return atomic_load_explicit((_Atomic uint64_t *)figure, memory_order_relaxed);
}

static inline void bw_figure_set(_Atomic uint64_t *figure, uint64_t n) {
    atomic_store_explicit(figure, n, memory_order_relaxed);
}

/* By the only thread that writes it. Modulo 2^64, so that adding -n takes n away. */
static inline void bw_figure_add(_Atomic uint64_t *figure, uint64_t n) {
    bw_figure_set(figure, bw_figure(figure) + n);
}

static inline void bw_count_up(_Atomic uint64_t *figure) {
    bw_figure_add(figure, 1);
}

#endif
