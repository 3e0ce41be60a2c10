/* check.c: bw_self_check: is the structure what it should be?
 *
 * Level by level from the root, along the right links. What is checked of one page concerns its
 * immutable base, the part of its log that is there, and fences of neighbours and children, which
 * never change for a page id: so all of it holds in every state, beside any other operation.
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
    if (report->message != NULL && report->capacity > 0)
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
        if (i % BW_BLOCK == 0 && page->samples[i / BW_BLOCK] != key)
            return corrupt(report, "page %" PRIu32 ": sample %u is not the first key of its block",
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
        if (word == BW_FREEZE_WORD)
            continue;
        if (kind != BW_KIND_PUT && kind != BW_KIND_DELETE)
            return corrupt(report, "page %" PRIu32 ": slot %u holds a record of unknown kind %d",
                           pid, i, (int)kind);
        uint64_t key = bw_word_record(word)->key;
        if (!in_fences(page, key) || bw_word_tag(word) != bw_tag(key))
            return corrupt(report,
                           "page %" PRIu32 ": the record in slot %u, key %" PRIu64
                           ", has a wrong tag or lies outside the fences",
                           pid, i, key);
    }
    return BW_OK;
}

static bw_status check_children(const bw_tree *tree, bw_pid pid, const bw_page *page,
                                const uint64_t *keys, const uint64_t *children, unsigned n,
                                const bw_report *report) {
    for (unsigned i = 0; i < n; i++) {
        const bw_page *child = bw_map_load(tree, (bw_pid)children[i]);
        if (child == NULL || child->level + 1U != page->level || child->low != keys[i])
            return corrupt(report,
                           "inner page %" PRIu32 ": the entry %" PRIu64 " names page %" PRIu64
                           ", which is not its child",
                           pid, keys[i], children[i]);
    }
    return BW_OK;
}

/* One level, left to right. Adds its pages and, for leaves, its live keys. */
static bw_status check_level(bw_tree *tree, unsigned level, uint64_t *pages, uint64_t *live,
                             const bw_report *report) {
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    bw_place place;
    tree->search->descend(tree, 0, level, &place);
    bw_pid pid = place.pid;
    uint64_t low = 0;
    while (pid != BW_NO_PID) {
        /* The descent's own page first: the root may have been split since, and is then a level up. */
        const bw_page *page = pid == place.pid ? place.page : bw_map_load(tree, pid);
        if (page == NULL)
            return corrupt(report, "level %u: the right link to page %" PRIu32 " leads nowhere",
                           level, pid);
        if (page->level != level || page->low != low)
            return corrupt(report,
                           "page %" PRIu32 " has level %u and begins at %" PRIu64
                           "; its left sibling says %u and %" PRIu64,
                           pid, page->level, page->low, level, low);
        if (!bw_page_is_rightmost(page) && page->high <= page->low)
            return corrupt(report,
                           "page %" PRIu32 ": its fences [%" PRIu64 ", %" PRIu64 ") hold nothing",
                           pid, page->low, page->high);
        unsigned slots = bw_log_length(page);
        unsigned n = bw_page_entries(page, tree->search, slots, keys, values);
        bw_status status = check_base(tree, pid, page, report);
        if (status == BW_OK)
            status = check_log(pid, page, slots, report);
        if (status == BW_OK && level > 0)
            status = check_children(tree, pid, page, keys, values, n, report);
        if (status != BW_OK)
            return status;
        ++*pages;
        *live += level == 0 ? n : 0;
        low = page->high;
        pid = page->right;
    }
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
    uint64_t pages = 0;
    uint64_t live = 0;
    for (unsigned level = bw_map_load(tree, BW_ROOT)->level + 1U; level-- > 0 && status == BW_OK;)
        status = check_level(tree, level, &pages, &live, &report);
    bw_leave(self);
    if (status != BW_OK || !quiescent)
        return status;
    bw_stats stats;
    status = bw_get_stats(tree, &stats);
    if (status == BW_OK && stats.size != live)
        return corrupt(&report, "size is %" PRIu64 ", but the leaves hold %" PRIu64 " keys",
                       stats.size, live);
    if (status == BW_OK && stats.pages != pages)
        return corrupt(&report,
                       "the mapping table holds %" PRIu64 " pages, but %" PRIu64 " are reachable",
                       stats.pages, pages);
    return status;
}
