// adapter_std_map.cpp: std::map under a std::shared_mutex, the ordered map that a C++ program
// shares between threads when it takes nothing but the standard library.
//
// Reads take the mutex shared, writes take it alone; a scan and a batch take it once. A session needs
// nothing of its own, so the index serves as its session.

#include "adapter.h"

#include <map>
#include <mutex>
#include <new>
#include <shared_mutex>

namespace {

struct Index {
    std::map<std::uint64_t, std::uint64_t> map;
    std::shared_mutex mutex;
};

Index &index_of(void *opaque) {
    return *static_cast<Index *>(opaque);
}

void *map_open() {
    return new (std::nothrow) Index;
}

void map_close(void *index) {
    delete static_cast<Index *>(index);
}

void *session_open(void *index) {
    return index;
}

void session_close(void *) {
}

int map_get(void *session, std::uint64_t key, std::uint64_t *value) {
    Index &index = index_of(session);
    std::shared_lock<std::shared_mutex> lock(index.mutex);
    const auto found = index.map.find(key);
    if (found == index.map.end())
        return 0;
    *value = found->second;
    return 1;
}

int map_put(void *session, std::uint64_t key, std::uint64_t value) {
    Index &index = index_of(session);
    try {
        std::unique_lock<std::shared_mutex> lock(index.mutex);
        return index.map.insert_or_assign(key, value).second ? 1 : 0;
    } catch (const std::bad_alloc &) {
        return -1;
    }
}

int map_insert(void *session, std::uint64_t key, std::uint64_t value) {
    Index &index = index_of(session);
    try {
        std::unique_lock<std::shared_mutex> lock(index.mutex);
        return index.map.try_emplace(key, value).second ? 1 : 0;
    } catch (const std::bad_alloc &) {
        return -1;
    }
}

int map_update(void *session, std::uint64_t key, std::uint64_t value) {
    Index &index = index_of(session);
    std::unique_lock<std::shared_mutex> lock(index.mutex);
    const auto found = index.map.find(key);
    if (found == index.map.end())
        return 0;
    found->second = value;
    return 1;
}

int map_remove(void *session, std::uint64_t key) {
    Index &index = index_of(session);
    std::unique_lock<std::shared_mutex> lock(index.mutex);
    return index.map.erase(key) != 0 ? 1 : 0;
}

std::int64_t map_scan(void *session, std::uint64_t low, std::size_t n, std::uint64_t *values) {
    Index &index = index_of(session);
    std::shared_lock<std::shared_mutex> lock(index.mutex);
    std::size_t count = 0;
    for (auto at = index.map.lower_bound(low); count < n && at != index.map.end(); ++at)
        values[count++] = at->second;
    return static_cast<std::int64_t>(count);
}

std::int64_t map_get_many(void *session, const std::uint64_t *keys, std::size_t n,
                          std::uint64_t *values) {
    Index &index = index_of(session);
    std::shared_lock<std::shared_mutex> lock(index.mutex);
    std::int64_t hits = 0;
    for (std::size_t i = 0; i < n; i++) {
        const auto found = index.map.find(keys[i]);
        if (found != index.map.end()) {
            values[i] = found->second;
            hits++;
        }
    }
    return hits;
}

} // namespace

extern "C" {
extern const bench_adapter bench_adapter_std_map;
const bench_adapter bench_adapter_std_map = {
    BENCH_ADAPTER_ABI, "std_map",     "std::map under a std::shared_mutex",
    UINT64_MAX,        map_open,      map_close,
    session_open,      session_close, map_get,
    map_put,           map_insert,    map_update,
    map_remove,        map_scan,      map_get_many,
    nullptr,
};
}
