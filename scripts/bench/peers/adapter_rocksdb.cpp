// adapter_rocksdb.cpp: RocksDB without its write-ahead log. Package: librocksdb-dev.
//
// As `rocksdb` everything stays in the memtable, a skip list: nothing is ever flushed. Compiled with
// FLUSHING it is `rocksdb_flushed`, for write amplification: bytes that went into the memtable, and that
// flushes and compactions wrote to files. Its buffers are small, so that a million keys go through as
// many levels as far more would with the library's own.

#include "log_structured.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_batch.h>

namespace {

struct RocksDb {
    using Database = rocksdb::DB;
    using Slice = rocksdb::Slice;
    using ReadOptions = rocksdb::ReadOptions;
    using WriteOptions = rocksdb::WriteOptions;
    using Batch = rocksdb::WriteBatch;
    using Iterator = rocksdb::Iterator;

#ifdef FLUSHING
    static constexpr const char *NAME = "rocksdb_flushed";
    static constexpr const char *DESCRIPTION = "RocksDB on a tmpfs, without write-ahead log";
    static constexpr bool COUNTS = true;
#else
    static constexpr const char *NAME = "rocksdb";
    static constexpr const char *DESCRIPTION = "RocksDB's memtable, without write-ahead log";
    static constexpr bool COUNTS = false;
#endif

    static WriteOptions write_options() {
        WriteOptions options;
        options.disableWAL = true;
        return options;
    }

    static Database *open(const std::string &folder) {
        rocksdb::Options options;
        options.create_if_missing = true;
        options.compression = rocksdb::kNoCompression;
#ifdef FLUSHING
        options.statistics = rocksdb::CreateDBStatistics();
        options.write_buffer_size = std::size_t{1} << 20;
        options.target_file_size_base = std::size_t{1} << 20;
        options.max_bytes_for_level_base = std::size_t{4} << 20;
#else
        options.write_buffer_size = std::size_t{1} << 40;
        options.arena_block_size = std::size_t{2} << 20;
        options.disable_auto_compactions = true;
#endif
        Database *database = nullptr;
        return Database::Open(options, folder, &database).ok() ? database : nullptr;
    }

    static int read(Database &database, const ReadOptions &options, const Slice &key,
                    std::uint64_t *value) {
        rocksdb::PinnableSlice found;
        const rocksdb::Status status =
            database.Get(options, database.DefaultColumnFamily(), key, &found);
        if (status.ok())
            std::memcpy(value, found.data(), sizeof *value);
        return status.ok() ? 1 : status.IsNotFound() ? 0 : -1;
    }

    static std::uint64_t bytes(Database &database) {
        std::uint64_t tables = 0, files = 0;
        database.GetIntProperty(Database::Properties::kCurSizeAllMemTables, &tables);
        database.GetIntProperty(Database::Properties::kTotalSstFilesSize, &files);
        return tables + files;
    }

    static std::uint64_t written(Database &database) {
        const auto counted = database.GetOptions().statistics;
        return counted->getTickerCount(rocksdb::BYTES_WRITTEN) +
               counted->getTickerCount(rocksdb::FLUSH_WRITE_BYTES) +
               counted->getTickerCount(rocksdb::COMPACT_WRITE_BYTES);
    }
};

} // namespace

extern "C" const bench_adapter *bench_adapter_get(void) {
    static const bench_adapter adapter = LogStructured<RocksDb>::adapter();
    return &adapter;
}
