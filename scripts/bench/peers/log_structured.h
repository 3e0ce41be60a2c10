// log_structured.h: an adapter for RocksDB and LevelDB, whose interfaces are nearly the same.
//
// Their writes do not look at what was there (see `blind` in adapter.h), which is what makes them fast;
// so this adapter does not either.
#ifndef BENCH_LOG_STRUCTURED_H
#define BENCH_LOG_STRUCTURED_H

#include "adapter.h"
#include "scratch.h"

#include <cstring>
#include <memory>
#include <new>
#include <string>

// Database, Slice, ReadOptions, WriteOptions, Batch and Iterator are the library's types; open() gives a
// database in a folder or nullptr, and read() a value.
template <typename Library> struct LogStructured {
    using Slice = typename Library::Slice;

    std::string folder;
    std::unique_ptr<typename Library::Database> database;
    typename Library::ReadOptions reading;
    typename Library::WriteOptions writing = Library::write_options();

    static LogStructured &of(void *opaque) {
        return *static_cast<LogStructured *>(opaque);
    }

    static Slice bytes_of(const std::uint64_t &word) {
        return {reinterpret_cast<const char *>(&word), sizeof word};
    }

    static std::uint64_t word_of(const Slice &bytes) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data(), sizeof word);
        return word;
    }

    static void *open() {
        auto *index = new (std::nothrow) LogStructured;
        if (index == nullptr)
            return nullptr;
        index->folder = scratch_make(Library::NAME);
        if (!index->folder.empty())
            index->database.reset(Library::open(index->folder));
        if (index->database != nullptr)
            return index;
        close(index);
        return nullptr;
    }

    static void close(void *opaque) {
        auto *index = static_cast<LogStructured *>(opaque);
        index->database.reset();
        scratch_remove(index->folder);
        delete index;
    }

    static void *session_open(void *index) {
        return index;
    }

    static void session_close(void *) {
    }

    static int get(void *session, std::uint64_t key, std::uint64_t *value) {
        LogStructured &index = of(session);
        key = swapped(key);
        return Library::read(*index.database, index.reading, bytes_of(key), value);
    }

    static int put(void *session, std::uint64_t key, std::uint64_t value) {
        LogStructured &index = of(session);
        key = swapped(key);
        return index.database->Put(index.writing, bytes_of(key), bytes_of(value)).ok() ? 1 : -1;
    }

    static int remove(void *session, std::uint64_t key) {
        LogStructured &index = of(session);
        key = swapped(key);
        return index.database->Delete(index.writing, bytes_of(key)).ok() ? 1 : -1;
    }

    static std::int64_t put_many(void *session, const std::uint64_t *keys,
                                 const std::uint64_t *values, std::size_t n) {
        LogStructured &index = of(session);
        typename Library::Batch batch;
        for (std::size_t i = 0; i < n; i++) {
            const std::uint64_t key = swapped(keys[i]);
            batch.Put(bytes_of(key), bytes_of(values[i]));
        }
        return index.database->Write(index.writing, &batch).ok() ? static_cast<std::int64_t>(n)
                                                                 : -1;
    }

    static std::int64_t scan(void *session, std::uint64_t low, std::size_t n,
                             std::uint64_t *values) {
        LogStructured &index = of(session);
        low = swapped(low);
        std::unique_ptr<typename Library::Iterator> at(index.database->NewIterator(index.reading));
        std::size_t count = 0;
        for (at->Seek(bytes_of(low)); count < n && at->Valid(); at->Next())
            values[count++] = word_of(at->value());
        return at->status().ok() ? static_cast<std::int64_t>(count) : -1;
    }

    static std::int64_t sum(void *session, std::uint64_t low, std::uint64_t high,
                            std::uint64_t *total) {
        LogStructured &index = of(session);
        low = swapped(low);
        std::unique_ptr<typename Library::Iterator> at(index.database->NewIterator(index.reading));
        std::int64_t count = 0;
        *total = 0;
        for (at->Seek(bytes_of(low)); at->Valid() && swapped(word_of(at->key())) <= high;
             at->Next()) {
            *total += word_of(at->value());
            count++;
        }
        return at->status().ok() ? count : -1;
    }

    static std::uint64_t bytes(void *index) {
        return Library::bytes(*of(index).database);
    }

    static std::uint64_t written(void *index) {
        return Library::written(*of(index).database);
    }

    static constexpr bench_adapter adapter() {
        return {BENCH_ADAPTER_ABI,
                Library::NAME,
                Library::DESCRIPTION,
                UINT64_MAX,
                open,
                close,
                session_open,
                session_close,
                get,
                put,
                put,
                put,
                remove,
                scan,
                nullptr,
                bytes,
                1,
                put_many,
                sum,
                Library::COUNTS ? written : nullptr};
    }
};

#endif
