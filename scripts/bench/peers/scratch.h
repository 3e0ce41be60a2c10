// scratch.h: a folder in memory for an index that keeps files, removed when it is closed.
#ifndef BENCH_SCRATCH_H
#define BENCH_SCRATCH_H

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

// Keys in files are bytes: big-endian, so that their order is that of the numbers.
inline std::uint64_t swapped(std::uint64_t key) {
    return __builtin_bswap64(key);
}

// An empty folder on a tmpfs, or, where there is none, in the temporary folder; "" if that fails.
inline std::string scratch_make(const char *name) {
    std::error_code error;
    std::string base = std::filesystem::is_directory("/dev/shm", error) ? "/dev/shm" : "/tmp";
    std::string folder = base + "/bwtree-bench-" + name + "-XXXXXX";
    return mkdtemp(folder.data()) != nullptr ? folder : "";
}

inline void scratch_remove(const std::string &folder) {
    std::error_code error;
    if (!folder.empty())
        std::filesystem::remove_all(folder, error);
}

#endif
