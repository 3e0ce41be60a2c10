/* test_limits.c: options outside their limits are refused in a sentence, and a tree that has used all
 * its page ids still reads, still refuses cleanly, and stays sound. */
#include "support.h"

#include <stddef.h>

static char text[512];

/* Sets a field to a value; the check must refuse it with a sentence that names both. */
static void check_refused(bw_options options, const char *field, const char *value) {
    bw_tree *tree = (bw_tree *)text;
    check_trying("%s = %s", field, value);
    CHECK_STATUS(bw_options_check(&options, text, sizeof text), BW_EINVAL);
    if (strstr(text, field) == NULL || strstr(text, value) == NULL || strstr(text, "must") == NULL)
        check_fail(__FILE__, __LINE__, "the sentence names field, value and what is allowed", "%s",
                   text);
    CHECK_STATUS(bw_options_check(&options, NULL, 0), BW_EINVAL);
    CHECK_STATUS(bw_open(&options, &tree), BW_EINVAL);
    CHECK(tree == NULL);
}

typedef struct limit {
    const char *name;
    size_t offset;
    uint64_t least, greatest;
} limit;

#define LIMIT(field, least, greatest) {#field, offsetof(bw_options, field), least, greatest}

static const limit limits[] = {
    LIMIT(leaf_capacity, 2, 256),    LIMIT(inner_capacity, 3, 256),
    LIMIT(leaf_log, 1, 64),          LIMIT(inner_log, 1, 64),
    LIMIT(retire_batch, 1, 4096),    LIMIT(free_limit, 1, 1 << 20),
    LIMIT(retry_limit, 0, 1 << 20),  LIMIT(backoff_min, 1, 1 << 20),
    LIMIT(backoff_max, 1, 1 << 20),  LIMIT(worker_interval_us, 100, 10000000),
    LIMIT(worker_log_length, 1, 64),
};

/* Options with one field set, and those that must fit it. */
static bw_options with_field(const limit *which, uint64_t value) {
    bw_options options;
    bw_options_init(&options);
    options.max_pids = 16;
    options.backoff_min = 1;
    if (which->offset == offsetof(bw_options, leaf_capacity))
        options.leaf_log = 1;
    if (which->offset == offsetof(bw_options, inner_capacity))
        options.inner_log = 1;
    if (which->offset == offsetof(bw_options, backoff_min))
        options.backoff_max = 1 << 20;
    uint32_t narrow = (uint32_t)value;
    memcpy((char *)&options + which->offset, &narrow, sizeof narrow);
    return options;
}

static void every_option_has_its_limits(void) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const uint64_t good[] = {limits[i].least, limits[i].greatest};
        const uint64_t bad[] = {limits[i].least - 1, limits[i].greatest + 1, UINT32_MAX};
        for (unsigned j = 0; j < 2; j++) {
            bw_options options = with_field(&limits[i], good[j]);
            check_trying("%s = %" PRIu64, limits[i].name, good[j]);
            CHECK_OK(bw_options_check(&options, text, sizeof text));
            CHECK_EQ(text[0], '\0');
            bw_tree *tree = tree_open(&options);
            for (uint64_t key = 0; key < 20; key++)
                CHECK_OK(bw_put(tree, key, key, NULL));
            tree_free(tree);
        }
        for (unsigned j = 0; j < 3; j++) {
            char value[32];
            if (limits[i].least == 0 && j == 0)
                continue;
            (void)snprintf(value, sizeof value, "%" PRIu64, bad[j]);
            check_refused(with_field(&limits[i], bad[j]), limits[i].name, value);
        }
    }
}

static void options_must_fit_each_other(void) {
    bw_options options;
    bw_options_init(&options);
    options.leaf_capacity = 7;
    options.leaf_log = 7;
    CHECK_OK(bw_options_check(&options, NULL, 0));
    options.leaf_log = 8;
    check_refused(options, "leaf_log", "8");

    bw_options_init(&options);
    options.inner_capacity = 7;
    options.inner_log = 6;
    CHECK_OK(bw_options_check(&options, NULL, 0));
    options.inner_log = 7;
    check_refused(options, "inner_log", "7");

    bw_options_init(&options);
    options.backoff_min = options.backoff_max = 99;
    CHECK_OK(bw_options_check(&options, NULL, 0));
    options.backoff_min = 100;
    check_refused(options, "backoff_max", "99");

    bw_options_init(&options);
    options.allocator.alloc = meter_alloc;
    CHECK_STATUS(bw_options_check(&options, text, sizeof text), BW_EINVAL);
    CHECK(strstr(text, "allocator") != NULL);
    options.allocator.alloc = NULL;
    options.allocator.release = meter_release;
    CHECK_STATUS(bw_options_check(&options, text, sizeof text), BW_EINVAL);
    CHECK(strstr(text, "allocator") != NULL);
}

static void max_pids_has_its_limits(void) {
    static const struct {
        uint64_t value;
        const char *shown;
    } bad[] = {
        {0, "0"}, {3, "3"}, {UINT32_MAX, "4294967295"}, {UINT64_MAX, "18446744073709551615"}};
    bw_options options;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bw_options_init(&options);
        options.max_pids = bad[i].value;
        check_refused(options, "max_pids", bad[i].shown);
    }
    options.max_pids = UINT32_MAX - 1;
    CHECK_OK(bw_options_check(&options, NULL, 0));
}

static void another_size_is_another_version(void) {
    bw_options options;
    bw_options_init(&options);
    CHECK_EQ(options.size, sizeof options);
    options.size--;
    check_refused(options, "size", "must");
    options.size = 0;
    check_refused(options, "size", "0");
    CHECK_STATUS(bw_options_check(NULL, text, sizeof text), BW_EINVAL);
    CHECK(strstr(text, "NULL") != NULL);
    CHECK_STATUS(bw_options_check(NULL, NULL, 0), BW_EINVAL);
}

static void a_sentence_is_cut_to_its_room(void) {
    bw_options options;
    bw_options_init(&options);
    options.leaf_log = 0;
    char narrow[8] = "1234567";
    CHECK_STATUS(bw_options_check(&options, narrow, 4), BW_EINVAL);
    CHECK_EQ(strlen(narrow), 3);
    CHECK_EQ(narrow[4], '5');
    CHECK_STATUS(bw_options_check(&options, narrow, 0), BW_EINVAL);
    CHECK_EQ(narrow[4], '5');
}

/* ---- the level of SIMD ---- */

static bw_simd level_of_auto(void) {
    bw_options options = options_tiny();
    bw_tree *tree = tree_open(&options);
    bw_simd level = tree_stats(tree).simd;
    tree_free(tree);
    return level;
}

static void the_environment_chooses_the_level_of_auto(void) {
    static const struct {
        const char *word;
        bw_simd level;
    } words[] = {{"scalar", BW_SIMD_SCALAR}, {"avx2", BW_SIMD_AVX2}, {"avx512", BW_SIMD_AVX512}};
    CHECK_EQ(unsetenv("BWTREE_SIMD"), 0);
    bw_simd best = level_of_auto();
    CHECK(best != BW_SIMD_AUTO);
    for (unsigned i = 0; i < 3; i++) {
        bw_options options = options_tiny();
        CHECK_EQ(setenv("BWTREE_SIMD", words[i].word, 1), 0);
        if (words[i].level <= best) {
            CHECK_EQ(level_of_auto(), words[i].level);
        } else {
            CHECK_STATUS(bw_options_check(&options, text, sizeof text), BW_EUNSUPPORTED);
            CHECK(strstr(text, "processor") != NULL);
        }
        options.simd = BW_SIMD_SCALAR; /* what the option names comes first */
        bw_tree *tree = tree_open(&options);
        CHECK_EQ(tree_stats(tree).simd, BW_SIMD_SCALAR);
        tree_free(tree);
    }
    static const char *const none[] = {"", "auto"};
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(setenv("BWTREE_SIMD", none[i], 1), 0);
        CHECK_EQ(level_of_auto(), best);
    }
    CHECK_EQ(setenv("BWTREE_SIMD", "sse9", 1), 0);
    bw_options options = options_tiny();
    bw_tree *tree;
    CHECK_STATUS(bw_options_check(&options, text, sizeof text), BW_EINVAL);
    CHECK(strstr(text, "BWTREE_SIMD") != NULL && strstr(text, "avx512") != NULL);
    CHECK_STATUS(bw_open(NULL, &tree), BW_EINVAL);
    CHECK(tree == NULL);
    CHECK_EQ(unsetenv("BWTREE_SIMD"), 0);
    options.simd = (bw_simd)4;
    check_refused(options, "simd", "4");
}

/* ---- page ids ---- */

static void writes_fail_cleanly_without_page_ids(void) {
    for (uint64_t max_pids = 4; max_pids < 60; max_pids += 5) {
        for (uint32_t log = 1; log <= 2; log++) {
            bw_options options = options_of(2, log, 3, log);
            options.max_pids = max_pids;
            bw_tree *tree = tree_open(&options);
            model m = {0};
            check_random random = check_random_of(max_pids);
            unsigned refused = 0;
            while (refused < 50) {
                uint64_t seen = SENTINEL;
                uint64_t key = check_below(&random, 1000);
                uint64_t current = SENTINEL;
                bool present = model_get(&m, key, &current);
                check_trying("%" PRIu64 " page ids, key %" PRIu64, max_pids, key);
                bw_status status = bw_insert(tree, key, key, &seen);
                if (present) {
                    CHECK_STATUS(status, BW_EXISTS); /* changes nothing, so it needs nothing */
                    CHECK_STATUS(bw_compare_exchange(tree, key, key + 1, 0, NULL), BW_MISMATCH);
                } else if (status != BW_EPIDS) {
                    CHECK_OK(status);
                    model_put(&m, key, key);
                } else {
                    refused++;
                    CHECK_STATUS(bw_remove(tree, key, NULL), BW_NOT_FOUND);
                    CHECK_STATUS(bw_put(tree, key, key, NULL), BW_EPIDS);
                }
                CHECK_EQ(seen, current);
            }
            CHECK_LE(tree_stats(tree).pids_used, max_pids);
            CHECK_LE(max_pids, tree_stats(tree).pids_used + 1);
            model_check(&m, tree);
            bw_status status = bw_consolidate(tree);
            CHECK(status == BW_OK || status == BW_EPIDS);
            CHECK_OK(bw_collect(tree, NULL));
            model_check(&m, tree);
            model_free(&m);
            tree_free(tree);
        }
    }
}

/* bw_consolidate must not freeze what it then cannot split: such a page would take no more writes. */
static void consolidating_without_page_ids_loses_no_room(void) {
    bw_options options = options_of(4, 4, 4, 3);
    options.max_pids = 4;
    bw_tree *tree = tree_open(&options);
    uint64_t key = 0;
    while (tree_stats(tree).pids_used < 4)
        CHECK_OK(bw_put(tree, key++, 0, NULL));
    uint64_t room = 0; /* how many more puts at the right end succeed */
    bw_tree *twin = tree_open(&options);
    for (uint64_t i = 0; i < key; i++)
        CHECK_OK(bw_put(twin, i, 0, NULL));
    while (bw_put(twin, key + room, 0, NULL) == BW_OK)
        room++;
    CHECK_LE(1, room);
    for (uint64_t i = 0; i < room; i++) {
        CHECK_OK(bw_put(tree, key + i, 0, NULL));
        bw_status status = bw_consolidate(tree);
        CHECK(status == BW_OK || status == BW_EPIDS);
        tree_check(tree, true);
    }
    tree_free(twin);
    tree_free(tree);
}

static void the_defaults_are_those_of_the_header(void) {
    bw_options options;
    bw_options_init(&options);
    CHECK_OK(bw_options_check(&options, text, sizeof text));
    CHECK_EQ(options.leaf_capacity, 256);
    CHECK_EQ(options.inner_capacity, 256);
    CHECK_EQ(options.leaf_log, 16);
    CHECK_EQ(options.inner_log, 2);
    CHECK_EQ(options.merge_threshold, 25);
    CHECK_EQ(options.max_pids, UINT64_C(1) << 26);
    CHECK_EQ(options.retire_batch, 8);
    CHECK_EQ(options.free_limit, 128);
    CHECK_EQ(options.retry_limit, 0);
    CHECK_EQ(options.backoff_min, 64);
    CHECK_EQ(options.backoff_max, 256);
    CHECK_EQ(options.simd, BW_SIMD_AUTO);
    CHECK(options.pooling);
    CHECK(!options.worker);
    CHECK_EQ(options.worker_interval_us, 10000);
    CHECK_EQ(options.worker_log_length, 4);
    CHECK(options.allocator.alloc == NULL && options.allocator.release == NULL);
    bw_options_init(NULL);
}

static void words_for_every_status(void) {
    static const bw_status all[] = {
        BW_OK,      BW_NOT_FOUND, BW_EXISTS, BW_MISMATCH,     BW_ENOMEM,   BW_EINVAL,  BW_EPIDS,
        BW_EFORKED, BW_ECLOSED,   BW_EBUSY,  BW_EUNSUPPORTED, BW_ECORRUPT, BW_ETHREAD, BW_EAGAIN};
    enum { ALL = sizeof all / sizeof *all };
    for (unsigned i = 0; i < ALL; i++) {
        CHECK_LT(3, strlen(bw_strerror(all[i])));
        CHECK(strcmp(bw_strerror(all[i]), bw_strerror((bw_status)-1000)) != 0);
        for (unsigned j = 0; j < i; j++)
            CHECK(strcmp(bw_strerror(all[i]), bw_strerror(all[j])) != 0);
    }
    CHECK(bw_strerror((bw_status)99) != NULL);
    (void)snprintf(text, sizeof text, "%d.%d.%d", BW_VERSION_MAJOR, BW_VERSION_MINOR,
                   BW_VERSION_PATCH);
    CHECK_EQ(strcmp(bw_version(), text), 0);
}

CHECK_MAIN({"every_option_has_its_limits", every_option_has_its_limits},
           {"options_must_fit_each_other", options_must_fit_each_other},
           {"max_pids_has_its_limits", max_pids_has_its_limits},
           {"another_size_is_another_version", another_size_is_another_version},
           {"a_sentence_is_cut_to_its_room", a_sentence_is_cut_to_its_room},
           {"the_environment_chooses_the_level_of_auto", the_environment_chooses_the_level_of_auto},
           {"writes_fail_cleanly_without_page_ids", writes_fail_cleanly_without_page_ids},
           {"consolidating_without_page_ids_loses_no_room",
            consolidating_without_page_ids_loses_no_room},
           {"the_defaults_are_those_of_the_header", the_defaults_are_those_of_the_header},
           {"words_for_every_status", words_for_every_status})
