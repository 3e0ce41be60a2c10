#!/usr/bin/env bash
# Lints everything and says at the end what failed. Run by make lint, with the folders of Python
# sources and the C files as two arguments; needs .venv.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
read -ra python_dirs <<<"$1"
read -ra c_files <<<"$2"
failed=()

step() {
    local name=$1
    shift
    if output=$("$@" 2>&1); then
        echo "$name: ok"
    else
        echo "$name: FAILED"
        echo "$output"
        failed+=("$name")
    fi
}

# Names the files only: `make format` knows the rest.
formatted() {
    local problems
    problems=$(.venv/bin/clang-format --dry-run -Werror "${c_files[@]}" 2>&1) && return
    grep -oE '^[^ :]+:[0-9]+:[0-9]+: error' <<<"$problems" | cut -d: -f1 | sort | uniq -c |
        sed 's/$/ (places to format)/'
    echo "run: make format"
    return 1
}

tidy() {
    local sources=()
    local file
    for file in "${c_files[@]}"; do
        # Only what the build compiles has its flags in the compilation database; the explorer's
        # runtime, and who takes the engine's events, are compiled where they are used.
        [[ $file == model_check/explorer/* || $file == model_check/conformance/* ]] && continue
        [[ $file == impl/src/*.c || $file == model_check/*.c ]] && sources+=("$file")
    done
    .venv/bin/cmake --preset release -DBWTREE_PYTHON=ON -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
        -B build/lint || return 1
    printf '%s\0' "${sources[@]}" |
        xargs -0 -n 4 -P "$(nproc)" .venv/bin/clang-tidy -p build/lint --quiet
}

step "ruff check" .venv/bin/python -m ruff check --output-format concise "${python_dirs[@]}"
step "ruff format" .venv/bin/python -m ruff format --check "${python_dirs[@]}"
step "mypy" .venv/bin/python -m mypy "${python_dirs[@]}"
step "clang-format" formatted
step "clang-tidy" tidy

if ((${#failed[@]})); then
    echo "lint: ${#failed[@]} of 5 failed: ${failed[*]}"
    exit 1
fi
echo "lint: all 5 passed"
