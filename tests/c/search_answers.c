/* search_answers.c: what the library's searches answer, for whoever compares them with something else.
 *
 * Reads lines "n probe key … key" (n ascending keys, all numbers unsigned), builds a leaf of these keys
 * and prints a line for each search that this processor has:
 *     level floor found tag
 * where level is 1 (scalar), 2 (AVX2) or 3 (AVX-512), found says whether a lookup finds the probe, and
 * tag is the probe's tag as it comes out of a slot's word. An empty line follows.
 */
#include "support.h"

#include "tree.h"

static void answer(bw_thread *self, uint64_t probe, const uint64_t *keys, unsigned n) {
    bw_page *page = bw_page_build(self, 0, keys, keys, n, 0, 0, BW_NO_PID, 0);
    CHECK(page != NULL);
    bw_record *record = bw_record_alloc(self);
    CHECK(record != NULL);
    uint64_t word = bw_word(bw_tag(probe), record, BW_KIND_PUT);
    CHECK(bw_word_record(word) == record);
    CHECK_EQ(bw_word_kind(word), BW_KIND_PUT);
    for (int level = BW_SIMD_SCALAR; level <= BW_SIMD_AVX512; level++) {
        bw_status status;
        const char *message;
        const bw_search *search = bw_search_select((bw_simd)level, &status, &message);
        if (search == NULL)
            continue;
        uint64_t value;
        bool found = search->lookup(page, probe, &value);
        printf("%d %d %d %" PRIu64 "\n", level, search->floor(page, probe), found,
               bw_word_tag(word));
    }
    printf("\n");
    bw_page_release(self, page);
}

int main(void) {
    bw_options options = options_of(BW_MAX_CAPACITY, 4, BW_MAX_CAPACITY, 8);
    bw_tree *tree = tree_open(&options);
    bw_thread *self;
    CHECK_OK(bw_enter(tree, &self));
    unsigned n;
    uint64_t probe;
    while (scanf("%u %" SCNu64, &n, &probe) == 2) {
        uint64_t keys[BW_MAX_CAPACITY];
        CHECK(n <= BW_MAX_CAPACITY);
        for (unsigned i = 0; i < n; i++)
            CHECK_EQ(scanf("%" SCNu64, &keys[i]), 1);
        answer(self, probe, keys, n);
    }
    bw_leave(self);
    tree_free(tree);
    return 0;
}
