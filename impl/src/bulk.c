/* bulk.c: many ascending keys into one leaf at a stroke, for put_many.
 *
 * Keys of a batch that ascend and belong to the same leaf need not go through its log one by one: the leaf is
 * frozen, and instead of its consolidation a page (or two, by a split) is installed that holds the run as
 * well, by the same CAS. Freezing has fixed what the leaf holds, so the CAS, where it succeeds, is the
 * moment at which all puts of the run take place; helpers that were consolidating the leaf lose it and
 * look again. Where a helper wins, the run is put key by key after all: freezing again could undo, and be
 * undone by, a single put for ever (trim.c, spec/MCDeltaLog_fail_drop_again.cfg).
 *
 *   spec/DeltaLog.tla, spec/StructureModification.tla     here
 *   PutRun: FreezeLeaf                                    bw_put_run
 *   InstallRun, InstallRunLost                            install
 */
#include "tree.h"

#include <string.h>

/* How many of the keys ascend from the first on and belong to the leaf. */
static size_t run_length(const bw_page *leaf, const uint64_t *keys, size_t n) {
    size_t run = 1;
    while (run < n && keys[run] > keys[run - 1] && !bw_page_ends_before(leaf, keys[run]))
        run++;
    return run;
}

/* Entries of the leaf and of the run, merged. */
typedef struct bw_merged {
    uint64_t keys[2 * BW_MAX_CAPACITY];
    uint64_t values[2 * BW_MAX_CAPACITY];
    unsigned count;
    unsigned fresh; /* keys of the run that the leaf lacked */
    bool at_end;    /* all keys of the run lie behind those of the leaf */
} bw_merged;

/* Merges as much of the run into the leaf's n entries as two pages hold; returns how many keys of it. */
static unsigned merge(const uint64_t *leaf_keys, const uint64_t *leaf_values, unsigned n,
                      const uint64_t *keys, const uint64_t *values, size_t run, unsigned room,
                      bw_merged *out) {
    unsigned i = 0;
    unsigned taken = (unsigned)(run < room - n ? run : room - n);
    out->count = 0;
    out->fresh = 0;
    out->at_end = n == 0 || leaf_keys[n - 1] < keys[0];
    if (out->at_end) {
        memcpy(out->keys, leaf_keys, n * sizeof *leaf_keys);
        memcpy(out->values, leaf_values, n * sizeof *leaf_values);
        memcpy(out->keys + n, keys, taken * sizeof *keys);
        memcpy(out->values + n, values, taken * sizeof *values);
        out->count = n + taken;
        out->fresh = taken;
        return taken;
    }
    for (unsigned j = 0; j < taken; j++) {
        for (; i < n && leaf_keys[i] < keys[j]; i++, out->count++) {
            out->keys[out->count] = leaf_keys[i];
            out->values[out->count] = leaf_values[i];
        }
        const bool replaces = i < n && leaf_keys[i] == keys[j];
        i += replaces;
        out->fresh += !replaces;
        out->keys[out->count] = keys[j];
        out->values[out->count] = values[j];
        out->count++;
    }
    memcpy(out->keys + out->count, leaf_keys + i, (n - i) * sizeof *leaf_keys);
    memcpy(out->values + out->count, leaf_values + i, (n - i) * sizeof *leaf_values);
    out->count += n - i;
    return taken;
}

/* Puts the merged entries in the leaf's place. */
static bw_status install(bw_thread *self, bw_pid pid, bw_page *leaf, const bw_merged *merged,
                         bw_duties *duties, bool *won) {
    const unsigned capacity = self->tree->options.leaf_capacity;
    *won = false;
    if (merged->count > capacity)
        /* Behind the end, further keys go to the right page only. */
        return bw_split(self, pid, leaf, merged->keys, merged->values, merged->count,
                        merged->at_end ? capacity : merged->count / 2, duties, won);
    bw_page *fresh = bw_page_build(self, 0, merged->keys, merged->values, merged->count, leaf->low,
                                   leaf->high, leaf->right, leaf->units);
    if (fresh == NULL)
        return BW_ENOMEM;
    *won = bw_map_install(self->tree, pid, leaf, fresh);
    if (*won) {
        BW_EVENT(INSTALL_RUN, leaf, pid, fresh);
        bw_count_up(&self->figures.consolidations);
        bw_epoch_retire(self, leaf);
    } else {
        BW_EVENT(RUN_LOST, leaf, pid, 0);
        bw_count_up(&self->figures.consolidations_lost);
        bw_page_release(self, fresh);
    }
    return BW_OK;
}

size_t bw_put_run(bw_thread *self, const uint64_t *keys, const uint64_t *values, size_t n,
                  size_t *run, size_t *fresh) {
    bw_tree *tree = self->tree;
    const unsigned capacity = tree->options.leaf_capacity;
    const uint64_t first = keys[0];
    bw_duties duties;
    duties.count = 0;
    bw_place place;
    bw_scan scan;
    (void)tree->search->seek(tree, first, false, &place, &scan);
    bw_page *leaf = place.page;
    *run = run_length(leaf, keys, n < 2 * (size_t)capacity ? n : 2 * (size_t)capacity);
    if (*run < BW_LEAST_RUN || scan.removed)
        return 0;
    /* From a copy, so that the keys that are merged ascend and belong to the leaf, whoever writes to the
     * caller's array meanwhile. */
    uint64_t mine[2 * BW_MAX_CAPACITY];
    memcpy(mine, keys, *run * sizeof *mine);
    *run = mine[0] == first ? run_length(leaf, mine, *run) : 0;
    if (*run < BW_LEAST_RUN)
        return 0;
    /* A leaf that would have to be split, with no page id left, must not be frozen: it would take no
     * more writes, not even removes. */
    if (leaf->count + bw_log_length(leaf) > capacity && !bw_pids_left(self, 2))
        return 0;
    bw_log_freeze(leaf);
    const unsigned slots = bw_log_length(leaf);
    const bw_kind last = bw_word_kind(bw_slot(leaf, slots - 1));
    if (last == BW_KIND_REMOVE || last == BW_KIND_MERGE)
        return 0;
    uint64_t leaf_keys[BW_MAX_ENTRIES];
    uint64_t leaf_values[BW_MAX_ENTRIES];
    const unsigned count = bw_page_entries(leaf, tree->search, slots, leaf_keys, leaf_values);
    bw_merged merged;
    const unsigned taken =
        merge(leaf_keys, leaf_values, count, mine, values, *run, 2 * capacity, &merged);
    bool won;
    /* A failure is met again, and told, by the put of the first key. */
    (void)install(self, place.pid, leaf, &merged, &duties, &won);
    if (won) {
        bw_count_size(self, merged.fresh);
        *fresh += merged.fresh;
    }
    if (place.crossed) {
        bw_count_up(&self->figures.helps);
        bw_duties_add(&duties, place.missing);
    }
    bw_do_duties(self, &duties);
    return won ? taken : 0;
}
