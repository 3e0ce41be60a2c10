// adapter_lmdb.cpp: LMDB, a copy-on-write B+-tree in a mapped file, on a tmpfs and without sync.
// Package: liblmdb-dev.
//
// One transaction for each operation, as for every other index: a read is a renewed read-only transaction
// of the session, a write takes LMDB's one writer lock and commits; put_many is one transaction.
// `written` counts what the process gives to write calls, which without MDB_WRITEMAP is the pages that
// each commit has dirtied and its meta page.

#include "adapter.h"
#include "scratch.h"

#include <cstdio>
#include <cstring>
#include <new>

#include <lmdb.h>

namespace {

struct Index {
    std::string folder;
    MDB_env *env = nullptr;
    MDB_dbi table = 0;
};

struct Session {
    Index *index = nullptr;
    MDB_txn *reader = nullptr;
    MDB_cursor *cursor = nullptr;
};

// In a file of a tmpfs that grows as it is written; the map itself costs only addresses.
constexpr std::size_t MAP_SIZE = std::size_t{1} << 37;
constexpr unsigned READERS = 256;

Session &session_of(void *opaque) {
    return *static_cast<Session *>(opaque);
}

MDB_val bytes_of(std::uint64_t *word) {
    return {sizeof *word, word};
}

std::uint64_t word_of(const MDB_val &bytes) {
    std::uint64_t word;
    std::memcpy(&word, bytes.mv_data, sizeof word);
    return word;
}

bool prepare(Index *index) {
    if (mdb_env_create(&index->env) != 0 || mdb_env_set_mapsize(index->env, MAP_SIZE) != 0 ||
        mdb_env_set_maxreaders(index->env, READERS) != 0)
        return false;
    const unsigned flags = MDB_NOSYNC | MDB_NOMETASYNC | MDB_NOTLS | MDB_NORDAHEAD;
    if (mdb_env_open(index->env, index->folder.c_str(), flags, 0600) != 0)
        return false;
    MDB_txn *txn = nullptr;
    if (mdb_txn_begin(index->env, nullptr, 0, &txn) != 0)
        return false;
    if (mdb_dbi_open(txn, nullptr, MDB_CREATE, &index->table) != 0) {
        mdb_txn_abort(txn);
        return false;
    }
    return mdb_txn_commit(txn) == 0;
}

void lmdb_close(void *opaque) {
    auto *index = static_cast<Index *>(opaque);
    if (index->env != nullptr)
        mdb_env_close(index->env);
    scratch_remove(index->folder);
    delete index;
}

void *lmdb_open() {
    auto *index = new (std::nothrow) Index;
    if (index == nullptr)
        return nullptr;
    index->folder = scratch_make("lmdb");
    if (!index->folder.empty() && prepare(index))
        return index;
    lmdb_close(index);
    return nullptr;
}

void session_close(void *opaque) {
    auto *session = static_cast<Session *>(opaque);
    if (session->cursor != nullptr)
        mdb_cursor_close(session->cursor);
    if (session->reader != nullptr)
        mdb_txn_abort(session->reader);
    delete session;
}

void *session_open(void *opaque) {
    auto *session = new (std::nothrow) Session;
    if (session == nullptr)
        return nullptr;
    session->index = static_cast<Index *>(opaque);
    if (mdb_txn_begin(session->index->env, nullptr, MDB_RDONLY, &session->reader) == 0 &&
        mdb_cursor_open(session->reader, session->index->table, &session->cursor) == 0) {
        mdb_txn_reset(session->reader);
        return session;
    }
    session_close(session);
    return nullptr;
}

int lmdb_get(void *opaque, std::uint64_t key, std::uint64_t *value) {
    Session &session = session_of(opaque);
    if (mdb_txn_renew(session.reader) != 0)
        return -1;
    key = swapped(key);
    MDB_val name = bytes_of(&key), found;
    const int status = mdb_get(session.reader, session.index->table, &name, &found);
    if (status == 0)
        *value = word_of(found);
    mdb_txn_reset(session.reader);
    return status == 0 ? 1 : status == MDB_NOTFOUND ? 0 : -1;
}

// What `change` does within a transaction of its own: it gives 1 or 0, or -1, which takes it back.
template <typename Change> std::int64_t in_transaction(Index &index, const Change &change) {
    MDB_txn *txn = nullptr;
    if (mdb_txn_begin(index.env, nullptr, 0, &txn) != 0)
        return -1;
    const std::int64_t answer = change(txn);
    if (answer <= 0) {
        mdb_txn_abort(txn);
        return answer;
    }
    return mdb_txn_commit(txn) == 0 ? answer : -1;
}

bool has(MDB_txn *txn, const Index &index, MDB_val *name) {
    MDB_val found;
    return mdb_get(txn, index.table, name, &found) == 0;
}

int lmdb_insert(void *opaque, std::uint64_t key, std::uint64_t value) {
    Index &index = *session_of(opaque).index;
    key = swapped(key);
    return static_cast<int>(in_transaction(index, [&](MDB_txn *txn) {
        MDB_val name = bytes_of(&key), data = bytes_of(&value);
        const int status = mdb_put(txn, index.table, &name, &data, MDB_NOOVERWRITE);
        return status == 0 ? 1 : status == MDB_KEYEXIST ? 0 : -1;
    }));
}

int lmdb_put(void *opaque, std::uint64_t key, std::uint64_t value) {
    Index &index = *session_of(opaque).index;
    key = swapped(key);
    bool present = false;
    const std::int64_t done = in_transaction(index, [&](MDB_txn *txn) {
        MDB_val name = bytes_of(&key), data = bytes_of(&value);
        present = has(txn, index, &name);
        return mdb_put(txn, index.table, &name, &data, 0) == 0 ? 1 : -1;
    });
    return done < 0 ? -1 : present ? 0 : 1;
}

int lmdb_update(void *opaque, std::uint64_t key, std::uint64_t value) {
    Index &index = *session_of(opaque).index;
    key = swapped(key);
    return static_cast<int>(in_transaction(index, [&](MDB_txn *txn) {
        MDB_val name = bytes_of(&key), data = bytes_of(&value);
        if (!has(txn, index, &name))
            return 0;
        return mdb_put(txn, index.table, &name, &data, 0) == 0 ? 1 : -1;
    }));
}

int lmdb_remove(void *opaque, std::uint64_t key) {
    Index &index = *session_of(opaque).index;
    key = swapped(key);
    return static_cast<int>(in_transaction(index, [&](MDB_txn *txn) {
        MDB_val name = bytes_of(&key);
        const int status = mdb_del(txn, index.table, &name, nullptr);
        return status == 0 ? 1 : status == MDB_NOTFOUND ? 0 : -1;
    }));
}

std::int64_t lmdb_put_many(void *opaque, const std::uint64_t *keys, const std::uint64_t *values,
                           std::size_t n) {
    Index &index = *session_of(opaque).index;
    std::int64_t absent = 0;
    const std::int64_t done = in_transaction(index, [&](MDB_txn *txn) {
        for (std::size_t i = 0; i < n; i++) {
            std::uint64_t key = swapped(keys[i]), value = values[i];
            MDB_val name = bytes_of(&key), data = bytes_of(&value);
            int status = mdb_put(txn, index.table, &name, &data, MDB_NOOVERWRITE);
            absent += status == 0;
            data = bytes_of(&value); // NOOVERWRITE has left what was there in it
            if (status == MDB_KEYEXIST)
                status = mdb_put(txn, index.table, &name, &data, 0);
            if (status != 0)
                return -1;
        }
        return 1;
    });
    return done < 0 ? -1 : absent;
}

// Walks from `low` on, in one read transaction, while `take` wants more.
template <typename Take> bool walk(Session &session, std::uint64_t low, const Take &take) {
    if (mdb_txn_renew(session.reader) != 0)
        return false;
    int status = mdb_cursor_renew(session.reader, session.cursor);
    low = swapped(low);
    MDB_val name = bytes_of(&low), found;
    if (status == 0)
        status = mdb_cursor_get(session.cursor, &name, &found, MDB_SET_RANGE);
    while (status == 0 && take(name, found))
        status = mdb_cursor_get(session.cursor, &name, &found, MDB_NEXT);
    mdb_txn_reset(session.reader);
    return status == 0 || status == MDB_NOTFOUND;
}

std::int64_t lmdb_scan(void *opaque, std::uint64_t low, std::size_t n, std::uint64_t *values) {
    std::size_t count = 0;
    const bool good = walk(session_of(opaque), low, [&](const MDB_val &, const MDB_val &found) {
        values[count++] = word_of(found);
        return count < n;
    });
    return good ? static_cast<std::int64_t>(count) : -1;
}

std::int64_t lmdb_sum(void *opaque, std::uint64_t low, std::uint64_t high, std::uint64_t *sum) {
    std::int64_t count = 0;
    *sum = 0;
    const bool good = walk(session_of(opaque), low, [&](const MDB_val &name, const MDB_val &found) {
        if (swapped(word_of(name)) > high)
            return false;
        *sum += word_of(found);
        count++;
        return true;
    });
    return good ? count : -1;
}

std::uint64_t lmdb_bytes(void *opaque) {
    MDB_envinfo info;
    MDB_stat stat;
    const auto *index = static_cast<Index *>(opaque);
    if (mdb_env_info(index->env, &info) != 0 || mdb_env_stat(index->env, &stat) != 0)
        return 0;
    return (info.me_last_pgno + 1) * static_cast<std::uint64_t>(stat.ms_psize);
}

std::uint64_t lmdb_written(void *) {
    unsigned long long bytes = 0;
    char line[128];
    std::FILE *file = std::fopen("/proc/self/io", "r");
    while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr)
        if (std::sscanf(line, "wchar: %llu", &bytes) == 1)
            break;
    if (file != nullptr)
        std::fclose(file);
    return bytes;
}

} // namespace

extern "C" const bench_adapter *bench_adapter_get(void) {
    static const bench_adapter adapter = {
        BENCH_ADAPTER_ABI,
        "lmdb",
        "LMDB on a tmpfs, without sync, a transaction an operation",
        UINT64_MAX,
        lmdb_open,
        lmdb_close,
        session_open,
        session_close,
        lmdb_get,
        lmdb_put,
        lmdb_insert,
        lmdb_update,
        lmdb_remove,
        lmdb_scan,
        nullptr,
        lmdb_bytes,
        0,
        lmdb_put_many,
        lmdb_sum,
        lmdb_written,
    };
    return &adapter;
}
