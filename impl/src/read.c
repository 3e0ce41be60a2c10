/* read.c: get and get_many. They neither write to the tree nor allocate.
 *
 *   spec/DeltaLog.tla, spec/BwTree.tla     here
 *   LoadMapping, ReadRecord, AnswerAtNull, AnswerAtFrozen; LoadEntry, ScanSlot
 *                                          bw_get (search.inc: descend and lookup)
 */
#include "tree.h"

bw_status bw_get(bw_tree *tree, uint64_t key, uint64_t *value) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (__builtin_expect(status != BW_OK, 0))
        return status;
    uint64_t found;
    bool hit = tree->search->get(tree, key, &found);
    bw_leave(self);
    if (!hit)
        return BW_NOT_FOUND;
    if (value != NULL)
        *value = found;
    return BW_OK;
}

bw_status bw_get_many(bw_tree *tree, const uint64_t *keys, size_t n, uint64_t *values,
                      bool *present, size_t *hits) {
    enum { KEYS_PER_PIN = 1024 }; /* keeps pins short: reclamation goes on beside a long batch */
    size_t found = 0;
    if (hits != NULL)
        *hits = 0;
    if (n > 0 && (keys == NULL || values == NULL))
        return BW_EINVAL;
    for (size_t pinned = 0; pinned < n || n == 0; pinned += KEYS_PER_PIN) {
        bw_thread *self;
        bw_status status = bw_enter(tree, &self);
        if (status != BW_OK)
            return status;
        size_t end = n - pinned < KEYS_PER_PIN ? n : pinned + KEYS_PER_PIN;
        for (size_t i = pinned; i < end; i += BW_GET_GROUP) {
            size_t group = end - i < BW_GET_GROUP ? end - i : BW_GET_GROUP;
            found += tree->search->get_group(tree, keys + i, group, values + i,
                                             present == NULL ? NULL : present + i);
        }
        bw_leave(self);
        if (n == 0)
            break;
    }
    if (hits != NULL)
        *hits = found;
    return BW_OK;
}
