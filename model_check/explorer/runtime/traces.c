/* traces.c: how many different executions were explored, as a check of the reduction.
 *
 * Two executions are the same Mazurkiewicz trace if they have the same steps with the same dependences
 * between them. The hash of an execution is a sum over its steps, so their order does not matter; a step
 * goes in with what it did and with its clock of the steps that it depends on, in rc11 also with its place
 * in modification order. With traces=1 complete executions are counted by their hashes. The count needs
 * memory for each different execution: only this option does.
 */
#include "runtime.h"

enum { BITS = 25 }; /* 2^24 different executions at most */

static uint64_t *table;
static uint64_t distinct;

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 31;
}

static uint64_t hash_of(const bwx_step *step) {
    uint64_t hash =
        (uint64_t)step->thread << 32 | (uint64_t)step->kind << 16 | (uint16_t)step->index;
    hash = mix(hash, step->address);
    hash = mix(hash, step->value);
    hash = mix(hash, step->seen);
    hash = mix(hash, step->flags & ~(unsigned)(BWX_STALE | BWX_INSERTED)); /* by order of steps */
    for (unsigned i = 0; i < bwx.thread_count; i++)
        hash = mix(hash, (uint16_t)step->trace.at[i]);
    if (!bwx.sc && step->kind <= BWX_CAS)
        hash = mix(hash, (uint64_t)bwx_messages[step->message].position);
    return hash;
}

void bwx_traces_count(void) {
    if (table == NULL)
        table = bwx_reserve(sizeof *table << BITS);
    uint64_t hash = 1;
    for (uint32_t i = 0; i < bwx.step_count; i++)
        hash += hash_of(&bwx_steps[i]) | 1;
    hash |= hash == 0;
    for (uint64_t at = mix(1, hash);; at++) {
        uint64_t *entry = &table[at & ((UINT64_C(1) << BITS) - 1)];
        if (*entry == hash)
            return;
        if (*entry != 0)
            continue;
        if (distinct >> (BITS - 1) != 0)
            bwx_fatal("more than %d different executions: too many to be counted", 1 << (BITS - 1));
        *entry = hash;
        distinct++;
        return;
    }
}

uint64_t bwx_traces_distinct(void) {
    return distinct;
}
