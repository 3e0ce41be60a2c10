#!/usr/bin/env bash
# Makes .venv: the pinned packages of requirements.lock, and this project, built and installed so
# that Python sources are used in place. What is up to date already is left alone. Run by make; the
# environment variable PYTHON names the Python to use when .venv does not exist yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONHOME PYTHONPATH

fail() {
    printf 'bwtree: %s\n' "$@" >&2
    exit 2
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

# The Python asked for, or the first on the PATH that is new enough.
find_python() {
    local candidate
    if [[ -n ${PYTHON:-} ]]; then
        command -v "$PYTHON" >/dev/null || fail "PYTHON=$PYTHON was not found: name a Python of 3.10 or later."
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is $("$PYTHON" -V 2>&1 || true), and Python 3.10 or later is needed: name another."
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.{14,13,12,11,10} python; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.10 or later was not found on the PATH: install it, or name it: make PYTHON=/path/to/python3."
}

if [[ -x .venv/bin/python ]] && is_new_enough .venv/bin/python; then
    if [[ -n ${PYTHON:-} ]]; then
        wanted=$("$(find_python)" -V)
        [[ $(.venv/bin/python -V) == "$wanted" ]] ||
            fail ".venv was made with $(.venv/bin/python -V), not $wanted: run 'make distclean' first."
    fi
    python=.venv/bin/python
else
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module: install it (Debian and Ubuntu: apt install python3-venv)."
fi

include=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
[[ -f $include/Python.h ]] ||
    fail "Python.h is missing (looked in $include): install the headers (Debian and Ubuntu: apt install python3-dev)."
compiler=${CC:-cc}
# CC may hold options after the compiler's name.
command -v "${compiler%% *}" >/dev/null ||
    fail "no C compiler: '$compiler' was not found. Install gcc or clang (Debian and Ubuntu: apt install gcc), or set CC."

[[ $python == .venv/bin/python ]] || {
    echo "bwtree: making .venv with $("$python" -V)"
    rm -rf .venv
    "$python" -m venv .venv
}

pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)
lock=$(sha256sum requirements.lock)
if [[ $(cat .venv/locked 2>/dev/null || true) != "$lock" ]]; then
    echo "bwtree: installing the pinned packages"
    "${pip[@]}" install --no-compile --require-hashes --no-deps -r requirements.lock ||
        fail "the pinned packages could not be installed (see above): is a package registry within reach?"
    echo "$lock" >.venv/locked
fi

echo "bwtree: building"
"${pip[@]}" install --no-build-isolation --no-deps --editable . || fail "the build failed (see above)."
touch .venv/stamp
