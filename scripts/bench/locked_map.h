// locked_map.h: an adapter for a map in the manner of std::map under a std::shared_mutex: the ordered
// map that a C++ program shares between threads when it takes one that is not made for threads.
//
// Reads take the mutex shared, writes take it alone; a scan, a sum and a batch take it once. A session
// needs nothing of its own, so the index serves as its session.
#ifndef BENCH_LOCKED_MAP_H
#define BENCH_LOCKED_MAP_H

#include "adapter.h"

#include <iterator>
#include <mutex>
#include <new>
#include <shared_mutex>

template <typename Map> struct LockedMap {
    Map map;
    std::shared_mutex mutex;

    using Read = std::shared_lock<std::shared_mutex>;
    using Write = std::unique_lock<std::shared_mutex>;

    static LockedMap &of(void *opaque) {
        return *static_cast<LockedMap *>(opaque);
    }

    static void *open() {
        return new (std::nothrow) LockedMap;
    }

    static void close(void *index) {
        delete static_cast<LockedMap *>(index);
    }

    static void *session_open(void *index) {
        return index;
    }

    static void session_close(void *) {
    }

    static int get(void *session, std::uint64_t key, std::uint64_t *value) {
        LockedMap &index = of(session);
        Read lock(index.mutex);
        const auto found = index.map.find(key);
        if (found == index.map.end())
            return 0;
        *value = found->second;
        return 1;
    }

    static int put(void *session, std::uint64_t key, std::uint64_t value) {
        LockedMap &index = of(session);
        try {
            Write lock(index.mutex);
            return index.map.insert_or_assign(key, value).second ? 1 : 0;
        } catch (const std::bad_alloc &) {
            return -1;
        }
    }

    static int insert(void *session, std::uint64_t key, std::uint64_t value) {
        LockedMap &index = of(session);
        try {
            Write lock(index.mutex);
            return index.map.try_emplace(key, value).second ? 1 : 0;
        } catch (const std::bad_alloc &) {
            return -1;
        }
    }

    static int update(void *session, std::uint64_t key, std::uint64_t value) {
        LockedMap &index = of(session);
        Write lock(index.mutex);
        const auto found = index.map.find(key);
        if (found == index.map.end())
            return 0;
        found->second = value;
        return 1;
    }

    static int remove(void *session, std::uint64_t key) {
        LockedMap &index = of(session);
        Write lock(index.mutex);
        return index.map.erase(key) != 0 ? 1 : 0;
    }

    static std::int64_t scan(void *session, std::uint64_t low, std::size_t n,
                             std::uint64_t *values) {
        LockedMap &index = of(session);
        Read lock(index.mutex);
        std::size_t count = 0;
        for (auto at = index.map.lower_bound(low); count < n && at != index.map.end(); ++at)
            values[count++] = at->second;
        return static_cast<std::int64_t>(count);
    }

    static std::int64_t get_many(void *session, const std::uint64_t *keys, std::size_t n,
                                 std::uint64_t *values) {
        LockedMap &index = of(session);
        Read lock(index.mutex);
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

    static std::int64_t put_many(void *session, const std::uint64_t *keys,
                                 const std::uint64_t *values, std::size_t n) {
        LockedMap &index = of(session);
        std::int64_t absent = 0;
        try {
            Write lock(index.mutex);
            // The hint is behind the last key that went in: the right place if the keys are neighbours.
            auto at = index.map.lower_bound(keys[0]);
            for (std::size_t i = 0; i < n; i++) {
                const auto before = index.map.size();
                at = std::next(index.map.insert_or_assign(at, keys[i], values[i]));
                absent += index.map.size() != before;
            }
            return absent;
        } catch (const std::bad_alloc &) {
            return -1;
        }
    }

    static std::int64_t sum(void *session, std::uint64_t low, std::uint64_t high,
                            std::uint64_t *total) {
        LockedMap &index = of(session);
        Read lock(index.mutex);
        std::int64_t count = 0;
        *total = 0;
        auto at = index.map.lower_bound(low);
        for (; at != index.map.end() && at->first <= high; ++at) {
            *total += at->second;
            count++;
        }
        return count;
    }

    static constexpr bench_adapter adapter(const char *name, const char *description) {
        return {BENCH_ADAPTER_ABI, name,    description, UINT64_MAX, open,   close,  session_open,
                session_close,     get,     put,         insert,     update, remove, scan,
                get_many,          nullptr, 0,           put_many,   sum,    nullptr};
    }
};

#endif
