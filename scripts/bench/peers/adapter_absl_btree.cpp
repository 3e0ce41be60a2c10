// adapter_absl_btree.cpp: Abseil's btree_map, a B-tree in the place of std::map, under a
// std::shared_mutex. Package: libabsl-dev.

#include "locked_map.h"

#include <absl/container/btree_map.h>

extern "C" const bench_adapter *bench_adapter_get(void) {
    static const bench_adapter adapter =
        LockedMap<absl::btree_map<std::uint64_t, std::uint64_t>>::adapter(
            "absl_btree", "absl::btree_map under a std::shared_mutex");
    return &adapter;
}
