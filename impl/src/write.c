/* write.c: put, insert, update, remove, compare_exchange, put_many: the append.
 *
 * A write looks its key up in the leaf's base and in the log up to the first free slot, decides what
 * it has to do, and CASes its record into that very slot. Winning the slot proves that nothing has
 * happened to the page since the look: the page was current (I1) and the log no longer. Losing it
 * means that another record stands there: the loser looks at the new slots only, and decides anew,
 * for an insert may have become an insert of a key that exists. On a frozen page it helps to
 * consolidate and starts again from the root.
 *
 *   spec/DeltaLog.tla, spec/BwTree.tla     here
 *   LoadMapping, LoadEntry                 descend
 *   ReadRecord, FindRoom, ScanSlot         bw_log_scan, decide
 *   AppendRecord, AppendLost, AppendSlot   bw_log_append
 *   spec/StructureShortcuts.tla
 *   LoadLast, CheckRecycled; Scan, Leave   is_last_leaf; remember_leaf
 */
#include "tree.h"

typedef enum bw_write_kind { PUT, INSERT, UPDATE, REMOVE, EXCHANGE } bw_write_kind;

/* What a write has to do, given what it sees. */
typedef struct bw_decision {
    bw_status status;
    bool append;
} bw_decision;

static inline bw_decision decide(bw_write_kind kind, bool present, uint64_t current,
                                 uint64_t expected) {
    switch (kind) {
    case PUT: return (bw_decision){present ? BW_EXISTS : BW_OK, true};
    case INSERT: return (bw_decision){present ? BW_EXISTS : BW_OK, !present};
    case UPDATE:
    case REMOVE: return (bw_decision){present ? BW_OK : BW_NOT_FOUND, present};
    default:
        if (!present)
            return (bw_decision){BW_NOT_FOUND, false};
        return (bw_decision){current == expected ? BW_OK : BW_MISMATCH, current == expected};
    }
}

static inline void spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

void bw_backoff(bw_thread *self, unsigned lost) {
    const bw_options *options = &self->tree->options;
    if (lost <= options->retry_limit) {
        spin_hint();
        return;
    }
    unsigned doublings = lost - options->retry_limit - 1;
    uint64_t spins = options->backoff_min;
    spins = doublings < 20 ? spins << doublings : options->backoff_max;
    if (spins > options->backoff_max)
        spins = options->backoff_max;
    /* xorshift32 (Marsaglia, 2003): between half and all of it, so that losers part. */
    uint32_t x = self->jitter;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    self->jitter = x;
    spins = spins / 2 + x % (spins / 2 + 1);
    for (uint64_t i = 0; i < spins; i++)
        spin_hint();
}

/* ---- the leaf of the last write ----
 *
 * Where writes come in order of their keys, the next one most often belongs to the same leaf: a thread
 * remembers its page id, and after some writes in a row to that leaf it looks there first, instead of going
 * down from the root. The page id was alive under an earlier pin. If tree->recycled has not changed,
 * it has not been taken for another page since: the mapping table, loaded under this pin, then holds what
 * a descent could have led to (or the tombstone, which no key is within). Now and then a write goes down all the
 * same, for the duties that are found on the way. */
enum {
    WRITES_IN_A_ROW = 4,
    WRITES_BY_THE_WAY = 36, /* so many in a row, and the next one goes down */
};

static inline bool is_last_leaf(bw_thread *self, uint64_t key, bw_place *place) {
    const bw_tree *tree = self->tree;
    if (__builtin_expect(self->last_run < WRITES_IN_A_ROW, 1))
        return false;
    if (self->last_run == WRITES_BY_THE_WAY) {
        self->last_run = WRITES_IN_A_ROW - 1;
        return false;
    }
    const uint64_t word = bw_map_load_word(tree, self->last_pid);
    BW_EVENT(LOAD_MAPPING, bw_map_word_page(word), self->last_pid, 0);
    /* relaxed: ordered after the load of the word, which acquires: see epoch.c. */
    if (atomic_load_explicit(&tree->recycled, memory_order_relaxed) != self->last_recycled ||
        (word & 1) != 0)
        return false;
    *place = (bw_place){.page = bw_map_word_page(word), .pid = self->last_pid};
    self->last_run++;
    return place->page->level == 0 && key >= place->page->low &&
           !bw_page_ends_before(place->page, key);
}

static inline void remember_leaf(bw_thread *self, bw_pid pid) {
    self->last_run =
        pid != self->last_pid ? 0 : self->last_run + (self->last_run < WRITES_IN_A_ROW);
    self->last_pid = pid;
    /* relaxed: the page id is alive under this pin, so any number up to now will do. */
    self->last_recycled = atomic_load_explicit(&self->tree->recycled, memory_order_relaxed);
}

/* Always inline: each call gets a copy of its own, without the branches of the other kinds. */
__attribute__((always_inline)) static inline bw_status
write_pinned(bw_thread *self, bw_write_kind kind, uint64_t key, uint64_t expected, uint64_t value,
             uint64_t *seen) {
    bw_tree *tree = self->tree;
    const bw_search *search = tree->search;
    /* Only if it is asked for: it is often one more cache miss. */
    const bool reads_value = kind == EXCHANGE || seen != NULL;
    /* Made before it is known to be wanted: after the search, its instructions would wait for the leaf,
     * too. Failing matters only if it is wanted. */
    bw_record *record = bw_pool_pop_record(&self->pool);
    if (record == NULL)
        record = bw_record_alloc(self);
    unsigned lost = 0;
    bw_decision decision;
    bool present;
    uint64_t current = 0;
    bw_duties duties;
    duties.count = 0;
    bw_place place;
    for (bool again = false;; again = true) {
        bw_scan scan;
        const uint64_t *in_base;
        if (!again && is_last_leaf(self, key, &place)) {
            in_base = search->look(place.page, key, &scan);
        } else {
            in_base = search->seek(tree, key, reads_value, &place, &scan);
            remember_leaf(self, place.pid);
        }
        bw_page *leaf = place.page;
        for (;;) {
            if (scan.latest != 0) {
                present = bw_word_kind(scan.latest) == BW_KIND_PUT;
                current = bw_word_record(scan.latest)->value;
            } else {
                present = in_base != NULL;
                if (present && reads_value)
                    current = *in_base;
            }
            decision = decide(kind, present, current, expected);
            if (!decision.append || scan.frozen)
                break;
            if (record == NULL) {
                decision.status = BW_ENOMEM;
                break;
            }
            *record = (bw_record){.key = key, .value = value};
            uint64_t word =
                bw_word(bw_tag(key), record, kind == REMOVE ? BW_KIND_DELETE : BW_KIND_PUT);
            if (bw_log_append(leaf, scan.next, word)) {
                BW_EVENT(APPEND, leaf, scan.next, word);
                record = NULL;
                bw_count_up(&self->figures.appends);
                if (kind == REMOVE)
                    bw_count_size(self, -1);
                else if (!present)
                    bw_count_size(self, 1);
                /* Whoever freezes the page has it in the cache. May fail: others will help. */
                if (scan.next + 1 == leaf->log_slots)
                    (void)bw_consolidate_page(self, place.pid, leaf, &duties);
                goto done;
            }
            BW_EVENT(APPEND_LOST, leaf, scan.next, word);
            bw_count_up(&self->figures.appends_lost);
            bw_backoff(self, ++lost);
            bw_log_scan(leaf, key, &scan);
        }
        /* What a removed page says may be out of date, also that there is nothing to do. */
        if (!scan.removed && (!decision.append || decision.status == BW_ENOMEM))
            break;
        bw_status status = bw_consolidate_page(self, place.pid, leaf, &duties);
        if (status != BW_OK) {
            decision.status = status;
            break;
        }
    }
done:
    if (record != NULL)
        bw_record_release(self, record);
    if (place.crossed) {
        bw_count_up(&self->figures.helps);
        bw_duties_add(&duties, place.missing);
    }
    if (duties.count > 0)
        bw_do_duties(self, &duties);
    if (decision.status >= 0 && present && seen != NULL)
        *seen = current;
    return decision.status;
}

__attribute__((always_inline)) static inline bw_status write_key(bw_tree *tree, bw_write_kind kind,
                                                                 uint64_t key, uint64_t expected,
                                                                 uint64_t value, uint64_t *seen) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (__builtin_expect(status != BW_OK, 0))
        return status;
    status = write_pinned(self, kind, key, expected, value, seen);
    bw_leave(self);
    return status;
}

bw_status bw_put(bw_tree *tree, uint64_t key, uint64_t value, uint64_t *seen) {
    return write_key(tree, PUT, key, 0, value, seen);
}

bw_status bw_insert(bw_tree *tree, uint64_t key, uint64_t value, uint64_t *seen) {
    return write_key(tree, INSERT, key, 0, value, seen);
}

bw_status bw_update(bw_tree *tree, uint64_t key, uint64_t value, uint64_t *seen) {
    return write_key(tree, UPDATE, key, 0, value, seen);
}

bw_status bw_remove(bw_tree *tree, uint64_t key, uint64_t *seen) {
    return write_key(tree, REMOVE, key, 0, 0, seen);
}

bw_status bw_compare_exchange(bw_tree *tree, uint64_t key, uint64_t expected, uint64_t desired,
                              uint64_t *seen) {
    return write_key(tree, EXCHANGE, key, expected, desired, seen);
}

bw_status bw_remove_pinned(bw_thread *self, uint64_t key, uint64_t *seen) {
    return write_pinned(self, REMOVE, key, 0, 0, seen);
}

/* Do the next keys ascend, as a run must? Most often one look says no. */
static inline bool ascends(const uint64_t *keys, size_t n) {
    if (n < BW_LEAST_RUN)
        return false;
    for (size_t i = 1; i < BW_LEAST_RUN; i++)
        if (keys[i] <= keys[i - 1])
            return false;
    return true;
}

bw_status bw_put_many(bw_tree *tree, const uint64_t *keys, const uint64_t *values, size_t n,
                      size_t *done, size_t *inserted) {
    enum {
        KEYS_PER_PIN = 256, /* as in bw_get_many */
        SPARSE = 64,        /* keys before the next look for a run, after one that was too short */
    };
    size_t fresh = 0;
    size_t i = 0;
    size_t singles = 0; /* keys before this one are put one by one */
    bw_status status = BW_OK;
    if (n > 0 && (keys == NULL || values == NULL))
        status = BW_EINVAL;
    do {
        bw_thread *self;
        if (status == BW_OK)
            status = bw_enter(tree, &self);
        if (status != BW_OK)
            break;
        for (size_t end = n - i < KEYS_PER_PIN ? n : i + KEYS_PER_PIN; i < end;) {
            if (i >= singles && ascends(keys + i, n - i)) {
                size_t run;
                size_t put = bw_put_run(self, keys + i, values + i, n - i, &run, &fresh);
                i += put;
                if (put > 0)
                    continue;
                singles = i + (run < BW_LEAST_RUN ? SPARSE : run);
            }
            status = write_pinned(self, PUT, keys[i], 0, values[i], NULL);
            if (status < 0)
                break;
            fresh += status == BW_OK;
            status = BW_OK;
            i++;
        }
        bw_leave(self);
    } while (status == BW_OK && i < n);
    if (done != NULL)
        *done = i;
    if (inserted != NULL)
        *inserted = fresh;
    return status;
}
