/* options.c: defaults, and what is wrong with options, in sentences. */
#include "search.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void bw_options_init(bw_options *options) {
    if (options == NULL)
        return;
    *options = (bw_options){
        .size = sizeof *options,
        .leaf_capacity = 256,
        .inner_capacity = 256,
        .leaf_log = 16,
        .inner_log = 2, /* every search reads the records of inner logs; posts are rare */
        .merge_threshold = 25,
        .max_pids = UINT64_C(1) << 26,
        .retire_batch = 8,
        .free_limit = 128,
        .retry_limit = 0,
        .backoff_min =
            64, /* where two threads fight for a log, one goes on alone for some writes */
        .backoff_max = 256,
        .simd = BW_SIMD_AUTO,
        .pooling = true,
        .worker = false,
        .worker_interval_us = 10000,
        .worker_log_length = 4,
    };
}

typedef struct bw_message {
    char *text;
    size_t capacity;
} bw_message;

__attribute__((format(printf, 2, 3))) static bw_status invalid(bw_message message,
                                                               const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (message.text != NULL)
        (void)vsnprintf(message.text, message.capacity, format, arguments);
    va_end(arguments);
    return BW_EINVAL;
}

static bw_status check_range(bw_message message, const char *name, uint64_t value, uint64_t least,
                             uint64_t greatest) {
    if (value >= least && value <= greatest)
        return BW_OK;
    return invalid(message, "%s must be from %" PRIu64 " to %" PRIu64 ", got %" PRIu64, name, least,
                   greatest, value);
}

bw_status bw_options_check(const bw_options *options, char *message, size_t capacity) {
    const bw_message out = {message, capacity};
    if (message != NULL && capacity > 0)
        *message = '\0';
    if (options == NULL)
        return invalid(out, "options must not be NULL: call bw_options_init first");
    if (options->size != sizeof *options)
        return invalid(out,
                       "size must be %zu, got %" PRIu32 ": call bw_options_init first, and use the "
                       "header that belongs to the library",
                       sizeof *options, options->size);
    const struct {
        const char *name;
        uint64_t value, least, greatest;
    } ranges[] = {
        {"leaf_capacity", options->leaf_capacity, 2, BW_MAX_CAPACITY},
        {"inner_capacity", options->inner_capacity, 3, BW_MAX_CAPACITY},
        {"leaf_log", options->leaf_log, 1, BW_MAX_LOG},
        {"inner_log", options->inner_log, 1, BW_MAX_LOG},
        {"merge_threshold", options->merge_threshold, 0, 50},
        {"max_pids", options->max_pids, 4, UINT32_MAX - 1},
        {"retire_batch", options->retire_batch, 1, 4096},
        {"free_limit", options->free_limit, 1, 1 << 20},
        {"retry_limit", options->retry_limit, 0, 1 << 20},
        {"backoff_min", options->backoff_min, 1, 1 << 20},
        {"backoff_max", options->backoff_max, 1, 1 << 20},
        {"worker_interval_us", options->worker_interval_us, 100, 10000000},
        {"worker_log_length", options->worker_log_length, 1, BW_MAX_LOG},
        {"simd", (uint64_t)options->simd, BW_SIMD_AUTO, BW_SIMD_AVX512},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        bw_status status =
            check_range(out, ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].greatest);
        if (status != BW_OK)
            return status;
    }
    /* A frozen page holds up to capacity + log entries, and must fit two pages, which in an inner page
     * may be cut at all entries but a marked one: so there it must be one less. */
    if (options->leaf_log > options->leaf_capacity)
        return invalid(out, "leaf_log must be at most leaf_capacity (%" PRIu32 "), got %" PRIu32,
                       options->leaf_capacity, options->leaf_log);
    if (options->inner_log >= options->inner_capacity)
        return invalid(out,
                       "inner_log must be less than inner_capacity (%" PRIu32 "), got %" PRIu32,
                       options->inner_capacity, options->inner_log);
    if (options->backoff_max < options->backoff_min)
        return invalid(out, "backoff_max must be at least backoff_min (%" PRIu32 "), got %" PRIu32,
                       options->backoff_min, options->backoff_max);
    if ((options->allocator.alloc == NULL) != (options->allocator.release == NULL))
        return invalid(out, "allocator needs both hooks or neither: alloc is %s, release is %s",
                       options->allocator.alloc == NULL ? "NULL" : "set",
                       options->allocator.release == NULL ? "NULL" : "set");
    bw_status status;
    const char *why;
    if (bw_search_select(options->simd, &status, &why) == NULL) {
        const char *wish = getenv("BWTREE_SIMD");
        if (options->simd == BW_SIMD_AUTO && wish != NULL)
            (void)invalid(out, "%s, got BWTREE_SIMD=%s", why, wish);
        else
            (void)invalid(out, "%s", why);
        return status;
    }
    return BW_OK;
}

const char *bw_strerror(bw_status status) {
    switch (status) {
    case BW_OK: return "done";
    case BW_NOT_FOUND: return "the key is absent";
    case BW_EXISTS: return "the key was present";
    case BW_MISMATCH: return "the key has another value than expected";
    case BW_ENOMEM: return "out of memory: nothing was changed; free some and try again";
    case BW_EINVAL: return "an argument or option is not valid: see bw_options_check for options";
    case BW_EPIDS:
        return "page ids are exhausted: remove keys elsewhere, or open a tree with a higher "
               "max_pids";
    case BW_EFORKED:
        return "the tree belongs to the parent process: open one of your own after fork";
    case BW_ECLOSED: return "the tree has been closed";
    case BW_EBUSY:
        return "calls are in flight, the thread is pinned or cursors are open: end them and try "
               "again";
    case BW_EUNSUPPORTED: return "this processor or build lacks the SIMD level that was asked for";
    case BW_ECORRUPT:
        return "the structure is broken: this is a defect of the library or of memory";
    case BW_ETHREAD: return "the system could not start a thread";
    case BW_EAGAIN: return "gave up after a million restarts under concurrent changes: try again";
    }
    return "not a bw_status";
}

#define STRING(x)                    #x
#define VERSION(major, minor, patch) STRING(major) "." STRING(minor) "." STRING(patch)

const char *bw_version(void) {
    return VERSION(BW_VERSION_MAJOR, BW_VERSION_MINOR, BW_VERSION_PATCH);
}
