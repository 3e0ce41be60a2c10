// adapter_std_map.cpp: std::map under a std::shared_mutex, from nothing but the standard library.

#include "locked_map.h"

#include <map>

extern "C" {
extern const bench_adapter bench_adapter_std_map;
const bench_adapter bench_adapter_std_map =
    LockedMap<std::map<std::uint64_t, std::uint64_t>>::adapter(
        "std_map", "std::map under a std::shared_mutex");
}
