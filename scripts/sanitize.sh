#!/usr/bin/env bash
# Builds and runs the C tests under AddressSanitizer with UBSan, and under ThreadSanitizer, with
# gcc and clang. Arguments: presets to run (default: all four). A compiler that is not installed is
# named and left out; with none of them the exit code is 2. Needs .venv, for CMake.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
presets=("$@")
((${#presets[@]})) || presets=(asan-gcc tsan-gcc asan-clang tsan-clang)
ran=0
failed=()

# ThreadSanitizer's fixed memory map does not go with a kernel that randomizes addresses widely.
same_addresses=()
if setarch -R true 2>/dev/null; then
    same_addresses=(setarch -R)
fi
export UBSAN_OPTIONS=print_stacktrace=1 PATH="$PWD/.venv/bin:$PATH"

for preset in "${presets[@]}"; do
    compiler=${preset##*-}
    if ! command -v "$compiler" >/dev/null; then
        echo "$preset: not run, $compiler is not installed"
        continue
    fi
    ran=$((ran + 1))
    begin=$SECONDS
    log=build/$preset.log
    mkdir -p build
    if cmake --preset "$preset" >"$log" 2>&1 && cmake --build --preset "$preset" >>"$log" 2>&1 &&
        "${same_addresses[@]}" ctest --preset "$preset" >>"$log" 2>&1; then
        echo "$preset: ok, $(grep -oE '[0-9]+ tests? failed out of [0-9]+|tests passed.*' "$log" | tail -1) ($((SECONDS - begin)) s)"
    else
        failed+=("$preset")
        tail -n 60 "$log"
        echo "$preset: FAILED ($((SECONDS - begin)) s; all of it in $log)"
    fi
done

if ((ran == 0)); then
    echo "sanitize: neither gcc nor clang is installed: install one of them"
    exit 2
fi
if ((${#failed[@]})); then
    echo "sanitize: FAILED: ${failed[*]}"
    exit 1
fi
echo "sanitize: clean under $ran of ${#presets[@]} configurations"
