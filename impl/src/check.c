/* check.c: bw_self_check: is the structure what it should be?
 *
 * Level by level from the root, left to right. What is checked of one page concerns its immutable base,
 * the part of its log that is there, and the low fences of its neighbour and children, which never
 * change while a page id is not free: so all of it holds in every state, beside any other operation. Only
 * a tombstone may be met instead of a neighbour, or of a child if the parent has changed since.
 */
#include "tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct bw_report {
    char *message;
    size_t capacity;
} bw_report;

__attribute__((format(printf, 2, 3))) static bw_status corrupt(const bw_report *report,
                                                               const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (report->message != NULL)
        (void)vsnprintf(report->message, report->capacity, format, arguments);
    va_end(arguments);
    return BW_ECORRUPT;
}

static bool in_fences(const bw_page *page, uint64_t key) {
    return key >= page->low && !bw_page_ends_before(page, key);
}

static bw_status check_base(const bw_tree *tree, bw_pid pid, const bw_page *page,
                            const bw_report *report) {
    const bw_options *options = &tree->options;
    uint32_t capacity = page->level == 0 ? options->leaf_capacity : options->inner_capacity;
    if (page->count > capacity)
        return corrupt(report,
                       "page %" PRIu32 " holds %" PRIu32 " entries, its capacity is %" PRIu32, pid,
                       page->count, capacity);
    for (unsigned i = 0; i < page->count; i++) {
        uint64_t key = bw_page_key(page, i);
        if (!in_fences(page, key))
            return corrupt(report,
                           "page %" PRIu32 ": key %" PRIu64 " lies outside its fences [%" PRIu64
                           ", %" PRIu64 ")",
                           pid, key, page->low, page->high);
        if (i > 0 && bw_page_key(page, i - 1) >= key)
            return corrupt(report,
                           "page %" PRIu32 ": key %" PRIu64
                           " at %u is not greater than the one before it",
                           pid, key, i);
        if (i % BW_BLOCK == 0 && page->samples[i / BW_BLOCK] != bw_page_sample(page, key))
            return corrupt(report,
                           "page %" PRIu32 ": sample %u is not that of the first key of its block",
                           pid, i / BW_BLOCK);
    }
    if (page->level > 0 && (page->count == 0 || bw_page_key(page, 0) != page->low))
        return corrupt(report,
                       "inner page %" PRIu32 ": its first entry is not its low fence %" PRIu64, pid,
                       page->low);
    return BW_OK;
}

static bw_status check_log(bw_pid pid, const bw_page *page, unsigned slots,
                           const bw_report *report) {
    for (unsigned i = 0; i < slots; i++) {
        uint64_t word = bw_slot(page, i);
        bw_kind kind = bw_word_kind(word);
        if (i + 1 < slots && bw_word_freezes(word))
            return corrupt(report,
                           "page %" PRIu32 ": a record follows the one in slot %u, of kind %d", pid,
                           i, (int)kind);
        if (word == BW_FREEZE_WORD || (word == BW_REMOVE_WORD && pid != BW_ROOT))
            continue;
        uint64_t key = bw_word_record(word) == NULL ? 0 : bw_word_record(word)->key;
        bool known = kind == BW_KIND_PUT || kind == BW_KIND_DELETE ||
                     (kind == BW_KIND_MARK && page->level > 0) || kind == BW_KIND_MERGE;
        if (!known || bw_word_record(word) == NULL)
            return corrupt(report, "page %" PRIu32 ": slot %u holds a record of unknown kind %d",
                           pid, i, (int)kind);
        bool fits = kind == BW_KIND_MERGE ? key == page->high : in_fences(page, key);
        if (!fits || bw_word_tag(word) != bw_tag(key))
            return corrupt(report,
                           "page %" PRIu32 ": the record in slot %u, key %" PRIu64
                           ", has a wrong tag or lies outside the fences",
                           pid, i, key);
    }
    return BW_OK;
}

/* What a check has counted. */
typedef struct bw_census {
    bool quiescent;
    uint64_t pages; /* reachable */
    uint64_t live;  /* entries of leaves */
} bw_census;

/* Has the page changed since it was found, so that what it said of its children may be out of date? */
static bool has_changed(const bw_tree *tree, const bw_found *found) {
    if (found->witness != NULL)
        return bw_map_load(tree, found->witness_pid) != found->witness;
    return bw_map_load(tree, found->pid) != found->page ||
           bw_log_length(found->page) != found->slots;
}

/* A merge that was given up half way: the page has gone into its left sibling but still has its entry in
 * the parent. */
static bool is_merged(bw_tree *tree, const bw_page *page, bw_pid pid) {
    bw_found left;
    bw_find(tree, page->low - 1, page->level, &left);
    return left.page->right != pid;
}

static bw_status check_children(bw_tree *tree, const bw_found *found, const uint64_t *keys,
                                const uint64_t *children, unsigned n, bw_census *census,
                                const bw_report *report) {
    unsigned marks = 0;
    for (unsigned i = 0; i < n; i++) {
        bool marked = (children[i] & BW_MARKED) != 0;
        bw_pid pid = (bw_pid)children[i];
        const bw_page *child = bw_map_load(tree, pid);
        bool buried = bw_page_is_tombstone(child);
        if (buried && !census->quiescent && has_changed(tree, found))
            continue;
        if (child == NULL || buried || ((uintptr_t)child & 1) != 0 ||
            child->level + 1U != found->page->level || child->low != keys[i])
            return corrupt(report,
                           "inner page %" PRIu32 ": the entry %" PRIu64 " names page %" PRIu32
                           ", which is not its child",
                           found->pid, keys[i], pid);
        bool removed = bw_page_is_removed(child);
        if (removed && !marked && child->low != 0 &&
            (census->quiescent || !has_changed(tree, found)))
            return corrupt(report,
                           "inner page %" PRIu32 ": the entry %" PRIu64 " names page %" PRIu32
                           ", which is removed though the entry is not marked",
                           found->pid, keys[i], pid);
        if (removed && census->quiescent && child->low != 0)
            census->pages += is_merged(tree, child, pid);
        marks += marked;
        if (marks > 1 || (marked && (i == 0 || found->witness != NULL)))
            return corrupt(report,
                           "inner page %" PRIu32 ": the entry %" PRIu64
                           " is marked, but it is the first one, or the second mark, or the page "
                           "is removed",
                           found->pid, keys[i]);
    }
    return BW_OK;
}

/* What the page's right link says. */
static bw_status check_right(const bw_tree *tree, const bw_found *found, const bw_census *census,
                             const bw_report *report) {
    const bw_page *page = found->page;
    if (bw_page_is_rightmost(page))
        return BW_OK;
    if (page->high <= page->low)
        return corrupt(report,
                       "page %" PRIu32 ": its fences [%" PRIu64 ", %" PRIu64 ") hold nothing",
                       found->pid, page->low, page->high);
    const bw_page *right = bw_map_load(tree, page->right);
    if (right == NULL || ((uintptr_t)right & 1) != 0 ||
        (bw_page_is_tombstone(right) && census->quiescent))
        return corrupt(report, "page %" PRIu32 ": the right link to page %" PRIu32 " leads nowhere",
                       found->pid, page->right);
    if (!bw_page_is_tombstone(right) && (right->level != page->level || right->low != page->high))
        return corrupt(report,
                       "page %" PRIu32 " has level %u and begins at %" PRIu64
                       "; its left sibling says %u and %" PRIu64,
                       page->right, right->level, right->low, page->level, page->high);
    return BW_OK;
}

/* One level, left to right. Counts its pages and, for leaves, its live keys. */
static bw_status check_level(bw_tree *tree, unsigned level, bw_census *census,
                             const bw_report *report) {
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    uint64_t low = 0;
    for (bool more = true; more;) {
        bw_found found;
        bw_find(tree, low, level, &found);
        const bw_page *page = found.page;
        if (page->level != level && !census->quiescent)
            return BW_OK; /* the tree has become lower */
        /* Beside other operations it may have gone into the page just checked. */
        if (page->level != level || page->low > low || (census->quiescent && page->low != low))
            return corrupt(report,
                           "page %" PRIu32 " has level %u and begins at %" PRIu64
                           "; on level %u a page that begins at %" PRIu64 " was looked for",
                           found.pid, page->level, page->low, level, low);
        bw_status status = check_right(tree, &found, census, report);
        if (status == BW_OK)
            status = check_base(tree, found.pid, page, report);
        if (status == BW_OK)
            status = check_log(found.pid, page, found.slots, report);
        if (status != BW_OK)
            return status;
        const unsigned n = bw_page_entries(page, tree->search, found.slots, keys, values);
        if (level > 0)
            status = check_children(tree, &found, keys, values, n, census, report);
        if (status != BW_OK)
            return status;
        census->pages++;
        census->live += level == 0 ? n : 0;
        low = page->high;
        more = !bw_page_is_rightmost(page);
    }
    return BW_OK;
}

/* Every page id ever taken names a page, is in limbo, or is free and then known to be: to one thread or
 * to the list, once. */
static bw_status check_pids(const bw_tree *tree, uint64_t pages, const bw_report *report) {
    uint64_t used = atomic_load_explicit((_Atomic uint64_t *)&tree->next_pid, memory_order_relaxed);
    uint64_t in_table = 0;
    uint64_t buried = 0;
    uint64_t free = 0;
    for (uint64_t pid = 0; pid < used; pid++) {
        const bw_page *page = bw_map_load(tree, (bw_pid)pid);
        in_table += bw_map_is_page(page);
        buried += bw_page_is_tombstone(page);
        free += ((uintptr_t)page & 1) != 0;
    }
    if (in_table != pages)
        return corrupt(report,
                       "the mapping table holds %" PRIu64 " pages, but %" PRIu64 " are reachable",
                       in_table, pages);
    uint64_t known = 0;
    for (bw_pid pid = bw_pids_first_free(tree); pid != BW_NO_PID && known <= free; known++) {
        if (pid >= used || ((uintptr_t)bw_map_load(tree, pid) & 1) == 0)
            return corrupt(report, "page id %" PRIu32 " is in the list of free ones but in use",
                           pid);
        pid = bw_pids_next_free(tree, pid);
    }
    /* acquire: pairs with the release in registration. Nothing else runs, the caller says, but the tree's own
     * worker may have registered a moment ago. */
    const bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next)
        known += thread->spare_pid_count;
    if (known != free || in_table + buried + free != used)
        return corrupt(report,
                       "of %" PRIu64 " page ids %" PRIu64 " name pages, %" PRIu64
                       " are in limbo and %" PRIu64 " are free, of which %" PRIu64 " can be found",
                       used, in_table, buried, free, known);
    return BW_OK;
}

bw_status bw_self_check(bw_tree *tree, bool quiescent, char *message, size_t capacity) {
    const bw_report report = {message, capacity};
    bw_thread *self;
    if (message != NULL && capacity > 0)
        *message = '\0';
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_census census = {.quiescent = quiescent};
    for (unsigned level = bw_map_load(tree, BW_ROOT)->level + 1U; level-- > 0 && status == BW_OK;)
        status = check_level(tree, level, &census, &report);
    if (status == BW_OK && quiescent)
        status = check_pids(tree, census.pages, &report);
    bw_leave(self);
    uint64_t size = census.live;
    if (status == BW_OK && quiescent)
        status = bw_size(tree, &size);
    if (status == BW_OK && size != census.live)
        return corrupt(&report, "size is %" PRIu64 ", but the leaves hold %" PRIu64 " keys", size,
                       census.live);
    return status;
}
