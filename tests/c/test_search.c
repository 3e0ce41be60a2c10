/* test_search.c: scalar, AVX2 and AVX-512 find the same, on pages of every fill and with any key. */
#include "support.h"

#include "tree.h"

enum { LEVELS = 3, KINDS = 6 };

/* The searches that this processor has. */
static unsigned searches(const bw_search *found[LEVELS]) {
    unsigned n = 0;
    for (int level = BW_SIMD_SCALAR; level <= BW_SIMD_AVX512; level++) {
        bw_status status;
        const char *message;
        const bw_search *search = bw_search_select((bw_simd)level, &status, &message);
        if (search != NULL) {
            CHECK_EQ(search->level, level);
            found[n++] = search;
        } else {
            CHECK_STATUS(status, BW_EUNSUPPORTED);
        }
    }
    return n;
}

/* n ascending keys of one of six kinds; signed comparisons would go wrong with the second, and in the last all
 * blocks have the same sample. */
static void make_keys(unsigned kind, unsigned n, uint64_t *keys) {
    check_random random = check_random_of(kind * 1000 + n);
    uint64_t step = UINT64_MAX / (BW_MAX_CAPACITY + 1);
    for (unsigned i = 0; i < n; i++) {
        uint64_t middle = UINT64_C(1) << 63;
        uint64_t at[KINDS] = {i, middle - n / 2 + i, UINT64_MAX - (n - 1) + i, i * step + step / 3,
                              i * step + check_below(&random, step),
                              i + BW_BLOCK < n ? i : UINT64_MAX - n + i};
        keys[i] = at[kind];
    }
}

static int floor_by_counting(const uint64_t *keys, unsigned n, uint64_t key) {
    int at = -1;
    for (unsigned i = 0; i < n && keys[i] <= key; i++)
        at = (int)i;
    return at;
}

typedef struct bench {
    bw_tree *tree;
    bw_thread *self;
    const bw_search *levels[LEVELS];
    unsigned level_count;
} bench;

static bench bench_open(uint32_t leaf_log) {
    bench b;
    bw_options options = options_of(256, leaf_log, 256, 8);
    b.tree = tree_open(&options);
    b.level_count = searches(b.levels);
    CHECK_OK(bw_enter(b.tree, &b.self));
    return b;
}

static void bench_free(const bench *b) {
    bw_leave(b->self);
    tree_free(b->tree);
}

static void check_floor(const bench *b, const bw_page *page, const uint64_t *keys, unsigned n,
                        uint64_t probe) {
    int want = floor_by_counting(keys, n, probe);
    for (unsigned s = 0; s < b->level_count; s++) {
        const bw_search *search = b->levels[s];
        check_trying("SIMD level %d, %u entries, probe %" PRIu64, (int)search->level, n, probe);
        CHECK_EQ((int64_t)search->floor(page, probe), (int64_t)want);
        uint64_t value = SENTINEL;
        bool present = want >= 0 && keys[want] == probe;
        CHECK_EQ(search->lookup(page, probe, &value), present);
        CHECK_EQ(value, present ? ~probe : SENTINEL);
    }
}

static void floor_and_lookup_are_alike_for_every_fill(void) {
    bench b = bench_open(4);
    check_random random = check_random_of(1);
    uint64_t keys[BW_MAX_CAPACITY];
    uint64_t values[BW_MAX_CAPACITY];
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (unsigned n = 0; n <= BW_MAX_CAPACITY; n++) {
            make_keys(kind, n, keys);
            for (unsigned i = 0; i < n; i++)
                values[i] = ~keys[i];
            bw_page *page = bw_page_build(b.self, 0, keys, values, n, 0, 0, BW_NO_PID, 0);
            CHECK(page != NULL);
            for (unsigned i = 0; i < n; i++) {
                check_floor(&b, page, keys, n, keys[i]);
                check_floor(&b, page, keys, n, keys[i] - 1);
                check_floor(&b, page, keys, n, keys[i] + 1);
            }
            static const uint64_t edges[] = {
                0, 1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
            for (unsigned i = 0; i < sizeof edges / sizeof *edges; i++)
                check_floor(&b, page, keys, n, edges[i]);
            for (unsigned i = 0; i < 8; i++)
                check_floor(&b, page, keys, n, check_next(&random));
            bw_page_release(b.self, page);
        }
    }
    bench_free(&b);
}

/* ---- a page with a log: merged, nearest, range ---- */

static void append(const bench *b, bw_page *page, unsigned slot, uint64_t key, uint64_t value,
                   bw_kind kind) {
    bw_record *record = bw_record_alloc(b->self);
    CHECK(record != NULL);
    *record = (bw_record){.key = key, .value = value};
    CHECK(bw_log_append(page, slot, bw_word(bw_tag(key), record, kind)));
}

static void check_lookup(const bench *b, const bw_page *page, const model *m, uint64_t key) {
    uint64_t want = SENTINEL;
    bool present = model_get(m, key, &want);
    for (unsigned s = 0; s < b->level_count; s++) {
        uint64_t value = SENTINEL;
        CHECK_EQ(b->levels[s]->lookup(page, key, &value), present);
        CHECK_EQ(value, want);
    }
}

static void check_nearest(const bw_search *search, const bw_page *page, unsigned slots,
                          const model *m, uint64_t key) {
    uint64_t found_key = SENTINEL;
    uint64_t found_value = SENTINEL;
    size_t at = model_at(m, key);
    CHECK_EQ(bw_page_ceiling(page, search, slots, key, &found_key, &found_value), at < m->count);
    if (at < m->count) {
        CHECK_EQ(found_key, m->keys[at]);
        CHECK_EQ(found_value, m->values[at]);
    }
    size_t below = at < m->count && m->keys[at] == key ? at + 1 : at;
    CHECK_EQ(bw_page_floor(page, search, slots, key, &found_key, &found_value), below > 0);
    if (below > 0) {
        CHECK_EQ(found_key, m->keys[below - 1]);
        CHECK_EQ(found_value, m->values[below - 1]);
    }
}

static void check_range(const bw_search *search, const bw_page *page, unsigned slots,
                        const model *m, uint64_t low, uint64_t high, size_t limit) {
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_range(page, search, slots, low, high, limit, keys, values);
    size_t at = model_at(m, low);
    size_t end = high == UINT64_MAX ? m->count : model_at(m, high + 1);
    size_t want = low > high ? 0 : end - at;
    CHECK_EQ(n, want < limit ? want : limit);
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(keys[i], m->keys[at + i]);
        CHECK_EQ(values[i], m->values[at + i]);
    }
}

static void a_page_is_its_base_merged_with_its_log(void) {
    enum { LOG = 24, ROUNDS = 250 };
    bench b = bench_open(LOG);
    check_random random = check_random_of(2);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t keys[BW_MAX_CAPACITY];
        uint64_t values[BW_MAX_CAPACITY];
        unsigned n = (unsigned)check_below(&random, round % 2 == 0 ? 8 : BW_MAX_CAPACITY + 1);
        uint64_t start = round % 3 == 0   ? 0
                         : round % 3 == 1 ? UINT64_MAX - 2 * n - 3
                                          : (UINT64_C(1) << 63) - n;
        model m = {0};
        for (unsigned i = 0; i < n; i++) {
            keys[i] = start + 2 * i + check_below(&random, 2);
            values[i] = check_next(&random);
            model_put(&m, keys[i], values[i]);
        }
        bw_page *page = bw_page_build(b.self, 0, keys, values, n, 0, 0, BW_NO_PID, 0);
        CHECK(page != NULL);
        unsigned slots = (unsigned)check_below(&random, LOG + 1);
        for (unsigned i = 0; i < slots; i++) {
            uint64_t key = start + check_below(&random, 2 * n + 4);
            uint64_t value = check_next(&random);
            if (i == slots / 2 && round % 4 == 0) {
                bw_log_freeze(page); /* nothing comes after a FREEZE, as in a tree */
                slots = i + 1;
            } else if (check_below(&random, 2) == 0) {
                append(&b, page, i, key, value, BW_KIND_PUT);
                model_put(&m, key, value);
            } else {
                append(&b, page, i, key, 0, BW_KIND_DELETE);
                model_remove(&m, key);
            }
        }
        CHECK_EQ(bw_log_length(page), slots);
        for (uint64_t i = 0; i < 2 * n + 6; i++) {
            uint64_t key = start - 1 + i;
            check_trying("round %u, %u entries, %u slots, key %" PRIu64, round, n, slots, key);
            check_lookup(&b, page, &m, key);
            for (unsigned s = 0; s < b.level_count; s++)
                check_nearest(b.levels[s], page, slots, &m, key);
        }
        for (unsigned i = 0; i < 40; i++) {
            uint64_t low = i == 0 ? 0 : start + check_below(&random, 2 * n + 4);
            uint64_t high = i % 8 == 0 ? UINT64_MAX : low + check_below(&random, 2 * n + 4) - 1;
            size_t limit = i % 4 == 0 ? SIZE_MAX : check_below(&random, n + LOG + 1);
            check_trying("round %u, range %" PRIu64 " to %" PRIu64 ", limit %zu", round, low, high,
                         limit);
            check_range(b.levels[i % b.level_count], page, slots, &m, low, high, limit);
        }
        bw_page_release_deep(b.self, page);
        model_free(&m);
    }
    bench_free(&b);
}

/* Keys with the tag 0 look like FREEZE's; keys with the tag of another must not be taken for it. */
static void keys_of_equal_tags_are_told_apart(void) {
    bench b = bench_open(8);
    uint64_t same[3] = {0};
    for (uint64_t key = 1, n = 1; n < 3; key++) {
        if (bw_tag(key) == 0)
            same[n++] = key;
    }
    CHECK_EQ(bw_tag(same[2]), bw_tag(0));
    bw_page *page = bw_page_build(b.self, 0, NULL, NULL, 0, 0, 0, BW_NO_PID, 0);
    model m = {0};
    append(&b, page, 0, same[0], 10, BW_KIND_PUT);
    append(&b, page, 1, same[1], 11, BW_KIND_PUT);
    model_put(&m, same[0], 10);
    model_put(&m, same[1], 11);
    bw_log_freeze(page);
    for (unsigned i = 0; i < 3; i++) {
        check_lookup(&b, page, &m, same[i]);
        bw_scan scan = {0};
        bw_log_scan(page, same[i], &scan);
        CHECK_EQ(scan.latest != 0, i < 2);
        CHECK(scan.frozen);
        CHECK_EQ(bw_log_latest(page, 3, same[i]) != 0, i < 2);
    }
    bw_page_release_deep(b.self, page);
    model_free(&m);
    bench_free(&b);
}

static void freezing_takes_one_slot_once(void) {
    bench b = bench_open(3);
    bw_page *page = bw_page_build(b.self, 0, NULL, NULL, 0, 0, 0, BW_NO_PID, 0);
    append(&b, page, 0, 1, 1, BW_KIND_PUT);
    bw_log_freeze(page);
    bw_log_freeze(page);
    CHECK_EQ(bw_log_length(page), 2);
    CHECK_EQ(bw_slot(page, 1), BW_FREEZE_WORD);
    bw_page_release_deep(b.self, page);
    bench_free(&b);
}

/* ---- whole trees ---- */

static void whole_trees_are_alike_at_every_level(void) {
    const bw_search *levels[LEVELS];
    unsigned n = searches(levels);
    uint64_t found[LEVELS][64];
    for (unsigned s = 0; s < n; s++) {
        bw_options options = options_of(200, 16, 256, 8); /* inner pages of two sample groups */
        options.simd = levels[s]->level;
        bw_tree *tree = tree_open(&options);
        CHECK_EQ(tree_stats(tree).simd, levels[s]->level);
        check_random random = check_random_of(3);
        for (unsigned i = 0; i < 30000; i++) {
            uint64_t key = check_next(&random);
            CHECK_OK(bw_put(tree, key, ~key, NULL));
        }
        for (unsigned i = 0; i < 64; i++) {
            found[s][i] = SENTINEL;
            CHECK_OK(bw_floor(tree, check_next(&random), &found[s][i], NULL));
            CHECK_EQ(found[s][i], found[0][i]);
        }
        tree_free(tree);
    }
}

CHECK_MAIN({"floor_and_lookup_are_alike_for_every_fill", floor_and_lookup_are_alike_for_every_fill},
           {"a_page_is_its_base_merged_with_its_log", a_page_is_its_base_merged_with_its_log},
           {"keys_of_equal_tags_are_told_apart", keys_of_equal_tags_are_told_apart},
           {"freezing_takes_one_slot_once", freezing_takes_one_slot_once},
           {"whole_trees_are_alike_at_every_level", whole_trees_are_alike_at_every_level})
