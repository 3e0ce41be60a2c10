// adapter_tbb_map.cpp: oneTBB's concurrent_map, a skip list. Package: libtbb-dev.
//
// Threads may insert, look up and walk at the same time, and values are atomic words so that they can be
// changed in place. It has no erase that may run beside other calls, so none is offered.

#include "adapter.h"

#include <atomic>
#include <new>

#include <tbb/concurrent_map.h>

namespace {

using Map = tbb::concurrent_map<std::uint64_t, std::atomic<std::uint64_t>>;

Map &map_of(void *opaque) {
    return *static_cast<Map *>(opaque);
}

// What one thread stored, another that finds it may read together with what came before it.
std::uint64_t load(const Map::value_type &entry) {
    return entry.second.load(std::memory_order_acquire);
}

void store(Map::value_type &entry, std::uint64_t value) {
    entry.second.store(value, std::memory_order_release);
}

void *map_open() {
    return new (std::nothrow) Map;
}

void map_close(void *index) {
    delete static_cast<Map *>(index);
}

void *session_open(void *index) {
    return index;
}

void session_close(void *) {
}

int map_get(void *session, std::uint64_t key, std::uint64_t *value) {
    Map &map = map_of(session);
    const auto found = map.find(key);
    if (found == map.end())
        return 0;
    *value = load(*found);
    return 1;
}

int map_insert(void *session, std::uint64_t key, std::uint64_t value) {
    try {
        return map_of(session).emplace(key, value).second ? 1 : 0;
    } catch (const std::bad_alloc &) {
        return -1;
    }
}

int map_put(void *session, std::uint64_t key, std::uint64_t value) {
    try {
        const auto [at, absent] = map_of(session).emplace(key, value);
        if (!absent)
            store(*at, value);
        return absent ? 1 : 0;
    } catch (const std::bad_alloc &) {
        return -1;
    }
}

int map_update(void *session, std::uint64_t key, std::uint64_t value) {
    Map &map = map_of(session);
    const auto found = map.find(key);
    if (found == map.end())
        return 0;
    store(*found, value);
    return 1;
}

std::int64_t map_scan(void *session, std::uint64_t low, std::size_t n, std::uint64_t *values) {
    Map &map = map_of(session);
    std::size_t count = 0;
    for (auto at = map.lower_bound(low); count < n && at != map.end(); ++at)
        values[count++] = load(*at);
    return static_cast<std::int64_t>(count);
}

std::int64_t map_sum(void *session, std::uint64_t low, std::uint64_t high, std::uint64_t *sum) {
    Map &map = map_of(session);
    std::int64_t count = 0;
    *sum = 0;
    for (auto at = map.lower_bound(low); at != map.end() && at->first <= high; ++at) {
        *sum += load(*at);
        count++;
    }
    return count;
}

} // namespace

extern "C" const bench_adapter *bench_adapter_get(void) {
    static const bench_adapter adapter = {
        BENCH_ADAPTER_ABI,
        "tbb_map",
        "tbb::concurrent_map",
        UINT64_MAX,
        map_open,
        map_close,
        session_open,
        session_close,
        map_get,
        map_put,
        map_insert,
        map_update,
        nullptr,
        map_scan,
        nullptr,
        nullptr,
        0,
        nullptr,
        map_sum,
        nullptr,
    };
    return &adapter;
}
