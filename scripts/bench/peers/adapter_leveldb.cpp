// adapter_leveldb.cpp: LevelDB on a tmpfs, without sync. Package: libleveldb-dev.
//
// It cannot do without its log, so every write also goes to a file of the tmpfs. Sizes are the library's
// own but for the block cache, which holds everything that is read.

#include "log_structured.h"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/options.h>
#include <leveldb/write_batch.h>

namespace {

struct LevelDb {
    using Database = leveldb::DB;
    using Slice = leveldb::Slice;
    using ReadOptions = leveldb::ReadOptions;
    using WriteOptions = leveldb::WriteOptions;
    using Batch = leveldb::WriteBatch;
    using Iterator = leveldb::Iterator;

    static constexpr const char *NAME = "leveldb";
    static constexpr const char *DESCRIPTION = "LevelDB on a tmpfs, without sync";
    static constexpr bool COUNTS = false;

    static WriteOptions write_options() {
        return {};
    }

    static Database *open(const std::string &folder) {
        // One for all, never freed: the library wants it to outlive each database.
        static leveldb::Cache *const cache = leveldb::NewLRUCache(std::size_t{4} << 30);
        leveldb::Options options;
        options.create_if_missing = true;
        options.compression = leveldb::kNoCompression;
        options.block_cache = cache;
        Database *database = nullptr;
        return Database::Open(options, folder, &database).ok() ? database : nullptr;
    }

    static int read(Database &database, const ReadOptions &options, const Slice &key,
                    std::uint64_t *value) {
        thread_local std::string found;
        const leveldb::Status status = database.Get(options, key, &found);
        if (status.ok())
            std::memcpy(value, found.data(), sizeof *value);
        return status.ok() ? 1 : status.IsNotFound() ? 0 : -1;
    }

    static std::uint64_t bytes(Database &database) {
        std::string used;
        database.GetProperty("leveldb.approximate-memory-usage", &used);
        return used.empty() ? 0 : std::stoull(used);
    }

    static std::uint64_t written(Database &) {
        return 0;
    }
};

} // namespace

extern "C" const bench_adapter *bench_adapter_get(void) {
    static const bench_adapter adapter = LogStructured<LevelDb>::adapter();
    return &adapter;
}
