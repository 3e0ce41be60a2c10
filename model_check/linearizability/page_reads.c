/* page_reads.c: the steps of a history, key after key; then their instants. See page_reads.h. */
#include "page_reads.h"
#include "key_steps.h"

#include <stdlib.h>

enum { CONFLICTS = 1 << 17 }; /* before the verdict is unknown */

struct lin_page_reads {
    lin_page_steps steps;
    lin_instants *instants;
    bool judged;
};

lin_page_reads *lin_page_reads_new(void) {
    lin_page_reads *reads = calloc(1, sizeof *reads);
    if (reads != NULL)
        reads->instants = lin_instants_new();
    if (reads == NULL || reads->instants == NULL) {
        lin_page_reads_free(reads);
        return NULL;
    }
    return reads;
}

void lin_page_reads_free(lin_page_reads *reads) {
    if (reads == NULL)
        return;
    if (reads->judged)
        lin_page_steps_free(&reads->steps);
    lin_instants_free(reads->instants);
    free(reads);
}

int lin_page_reads_judge(lin_page_reads *reads, const rec_history *h, const lin_partition *p,
                         const _Atomic bool *stop) {
    lin_page_steps *steps = &reads->steps;
    reads->judged = true;
    if (!lin_page_steps_make(steps, h, reads->instants))
        return LIN_UNKNOWN_MEMORY;
    if (steps->figures.open || steps->figures.page_reads + steps->figures.whole == 0)
        return LIN_OK;
    lin_key_steps *key_steps = lin_key_steps_new(steps);
    bool enough = key_steps != NULL;
    for (uint64_t k = 0; enough && k < p->key_count; k++) {
        if (atomic_load_explicit(stop, memory_order_relaxed))
            break;
        enough = lin_key_steps_add(key_steps, p->keys[k], p->parts + p->first[k],
                                   p->first[k + 1] - p->first[k], p->initial[k]);
    }
    lin_key_steps_free(key_steps);
    if (!enough)
        return LIN_UNKNOWN_MEMORY;
    return lin_instants_solve(reads->instants, CONFLICTS, stop);
}

void lin_page_reads_figures(const lin_page_reads *reads, lin_page_figures *figures) {
    *figures = reads->steps.figures;
    figures->edges = lin_instants_edges(reads->instants);
    figures->choices = lin_instants_choices(reads->instants);
    figures->bytes = lin_instants_bytes(reads->instants) +
                     reads->steps.other_room * sizeof *reads->steps.others +
                     reads->steps.walk_room * sizeof *reads->steps.walks +
                     reads->steps.record_count * sizeof *reads->steps.many;
}

const lin_link *lin_page_reads_cycle(const lin_page_reads *reads, uint64_t *count) {
    return lin_instants_cycle(reads->instants, count);
}

lin_place lin_page_reads_place(const lin_page_reads *reads, uint32_t step) {
    const lin_page_steps *steps = &reads->steps;
    if (step >= steps->record_count)
        return steps->others[step - steps->record_count];
    uint32_t lane = 0;
    while (lane + 1 < steps->history->lane_count && steps->base[lane + 1] <= step)
        lane++;
    return (lin_place){lane, (uint32_t)(step - steps->base[lane]), LIN_NO_STEP, 1};
}
