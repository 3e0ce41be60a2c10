/* search.h: the paths that every operation takes, once for each instruction set.
 *
 * A bw_search is the set of functions that search pages: down the tree, in a leaf's base and log,
 * and in batches. search.inc holds their one source; search_scalar.c, search_avx2.c and
 * search_avx512.c compile it with their own step "how many of these 8 (16) keys are <= k", and a
 * tree picks one of them when it is opened (search.c). All three give the same answers.
 */
#ifndef BWTREE_SEARCH_H
#define BWTREE_SEARCH_H

#include "page.h"

/* What is to be done about the page `pid`, which begins at `separator`, and its parent of level `level`:
 *   POST    the parent lacks the separator: found when a right link was crossed, or made by a split
 *   MERGE   the page holds too little: merge it into its left sibling if they fit
 *   FINISH  the page's merge has begun: a REMOVE was met on the way
 * It names a page id, so it must not outlive the pin under which it was learnt. */
typedef enum bw_duty_kind { BW_DUTY_POST, BW_DUTY_MERGE, BW_DUTY_FINISH } bw_duty_kind;

typedef struct bw_duty {
    uint64_t separator;
    bw_pid pid;
    uint16_t level;
    uint16_t kind; /* bw_duty_kind */
} bw_duty;

/* Where a descent ended. */
typedef struct bw_place {
    bw_page *page;
    bw_pid pid;
    bool crossed;    /* a right link was crossed on the way, or a page that is being merged … */
    bw_duty missing; /* … and this duty would have saved it (the last one) */
} bw_place;

typedef struct bw_search {
    bw_simd level;

    /* Index of the last entry of the base with a key <= key, -1 if there is none. */
    int (*floor)(const bw_page *page, uint64_t key);

    /* Goes from the root to the page of `level` whose range holds the key; to the root if the tree is
     * lower (it may have shrunk). The page may have been removed: its log then ends with REMOVE, and
     * bw_find says what that means. Caller is pinned. */
    void (*descend)(bw_tree *tree, uint64_t key, unsigned level, bw_place *place);

    /* The same down to the leaf, and the first pass over its log. Returns where the base has the key's
     * value, NULL if it has none or the log has a word about the key. `value`: it is going to be read,
     * and is to be on its way already. */
    const uint64_t *(*seek)(bw_tree *tree, uint64_t key, bool value, bw_place *place,
                            bw_scan *scan);

    /* The same in a leaf that is known to be the key's, and to be in the cache. */
    const uint64_t *(*look)(const bw_page *leaf, uint64_t key, bw_scan *scan);

    /* The key's value in a leaf, from log and base: the end of get, for tests of single pages. */
    bool (*lookup)(const bw_page *leaf, uint64_t key, uint64_t *value);

    /* The key's value: down to its leaf, then lookup. Caller is pinned. */
    bool (*get)(bw_tree *tree, uint64_t key, uint64_t *value);

    /* bw_get_many for keys[0 … n-1]; returns the hits. Caller is pinned. */
    size_t (*get_group)(bw_tree *tree, const uint64_t *keys, size_t n, uint64_t *values,
                        bool *present);
} bw_search;

enum {
    BW_GET_GROUP = 16
}; /* lookups whose memory accesses overlap; n of get_group is at most this */

extern const bw_search bw_search_scalar;
extern const bw_search bw_search_avx2;
extern const bw_search bw_search_avx512;

/* The search for an option; AUTO becomes the level of BWTREE_SIMD or the best of this processor.
 * NULL if this processor or build lacks it, or if BWTREE_SIMD is not a level; then *message says
 * so (static storage). */
const bw_search *bw_search_select(bw_simd level, bw_status *status, const char **message);

#endif
