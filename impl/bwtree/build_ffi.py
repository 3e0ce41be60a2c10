"""Writes the C source of ``bwtree._native``: the cffi binding of the whole of bwtree.h.

Run by CMake: ``python build_ffi.py OUT.c``. What cffi declares is bwtree.h itself, stripped of
what its parser does not read (:func:`cdef_of`), and a few wrappers for the calls that give back a
value as well as a status. They return both in one struct, by value: an out-parameter that is kept
from call to call could be overwritten by a signal handler or a finalizer that uses a tree between
the call and the reading of it, and one that is allocated for every call costs twice as much.
``bwpy_get`` goes further: most gets find their key, so it returns the bare value, and the rare
value that equals BWPY_NO_VALUE only sends the caller to ``bwpy_find``, which tells for sure.

A walk (_walk.py) is a cursor with room for a batch of entries, in one allocation. It is opened with
its first batch in one call, since a call from Python costs more than a batch of a few entries.

Calls on one key, navigation and steps of a walk keep the GIL (:func:`keep_gil`). They are lock-free
and take less time than it takes to hand the GIL over: two threads that did so at every call would
get half as far as one. (A thread's first call may wait for a mutex of the library; whoever holds
that never waits for the GIL.) What may take long releases it: batches, pops, ranges, upkeep,
closing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cffi import FFI

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = Path(__file__).resolve().parent.parent / "include" / "bwtree.h"

WRAPPER_TYPES = """
typedef struct bwpy_seen { uint64_t value; int status; } bwpy_seen;
typedef struct bwpy_entry { uint64_t key; uint64_t value; int status; } bwpy_entry;
typedef struct bwpy_walk {
    bw_cursor *cursor;
    size_t count; /* of entries in the batch */
    uint64_t keys[256]; /* a leaf's default capacity */
    uint64_t values[256];
} bwpy_walk;
"""

# The walk's calls: a prototype and a body each.
_WALK = {
    "int bwpy_walk_next(bwpy_walk *walk, uint64_t limit, bool reverse, size_t n)": """
    walk->count = 0; /* it stays so where the call cannot begin */
    return (reverse ? bw_cursor_prev_many : bw_cursor_next_many)(walk->cursor, limit, walk->keys,
                                                                walk->values, n, &walk->count);""",
    "int bwpy_walk_open(bwpy_walk *walk, bw_tree *tree, uint64_t from, uint64_t limit,"
    " bool reverse, size_t n)": """
    int status = bw_cursor_open(tree, &walk->cursor);
    if (status == BW_OK && !reverse)
        status = bw_cursor_seek(walk->cursor, from);
    else if (status == BW_OK)
        status = from == UINT64_MAX ? bw_cursor_seek_end(walk->cursor)
                                    : bw_cursor_seek(walk->cursor, from + 1);
    return status == BW_OK ? bwpy_walk_next(walk, limit, reverse, n) : status;""",
    "void bwpy_walk_close(bwpy_walk *walk)": """
    bw_cursor_free(walk->cursor);
    walk->cursor = NULL;""",
}

_ONE_KEY = {
    "bwpy_find": ("bw_get", ""),
    "bwpy_put": ("bw_put", "uint64_t value"),
    "bwpy_insert": ("bw_insert", "uint64_t value"),
    "bwpy_update": ("bw_update", "uint64_t value"),
    "bwpy_remove": ("bw_remove", ""),
    "bwpy_compare_exchange": ("bw_compare_exchange", "uint64_t expected, uint64_t desired"),
}
_AT_A_KEY = ("floor", "ceiling", "lower", "higher")
_AT_AN_END = ("first", "last", "pop_first", "pop_last")

#: The calls that keep the GIL.
_SHORT = (
    *("bwpy_get", "bw_get", "bw_put", "bw_remove", *_ONE_KEY),
    *(f"bwpy_{name}" for name in (*_AT_A_KEY, "first", "last")),
    *("bwpy_walk_open", "bwpy_walk_next", "bwpy_walk_close"),
    *("bw_cursor_seek", "bw_cursor_seek_end", "bw_cursor_next", "bw_cursor_prev"),
)


def cdef_of(header: str) -> str:
    """Strip bwtree.h (or a header in its style) to the declarations that cffi parses."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", " ", text)
    text = re.sub(
        r'#ifdef __cplusplus\nextern "C" \{\n#endif|#ifdef __cplusplus\n\}\n#endif', "", text
    )
    constants = re.findall(r"^#define (\w+) \d+$", text, flags=re.MULTILINE)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    text = text.replace("BW_API ", "")
    return "".join(f"#define {name} ...\n" for name in constants) + text


def _wrappers() -> tuple[str, str]:
    """Give the declarations and the definitions of the wrappers."""
    prototypes: list[str] = [
        "uint64_t bwpy_get(bw_tree *tree, uint64_t key)",
        "bool bwpy_any_negative(const int64_t *values, size_t count)",
    ]
    bodies: list[str] = [
        """
    uint64_t value;
    return bw_get(tree, key, &value) == BW_OK ? value : BWPY_NO_VALUE;""",
        """
    int64_t signs = 0;
    for (size_t i = 0; i < count; i++)
        signs |= values[i];
    return signs < 0;""",
    ]
    for name, (function, parameters) in _ONE_KEY.items():
        declared = f", {parameters}" if parameters else ""
        passed = "".join(f", {p.split()[-1]}" for p in parameters.split(",") if p)
        prototypes.append(f"bwpy_seen {name}(bw_tree *tree, uint64_t key{declared})")
        bodies.append(f"""
    bwpy_seen result = {{0, 0}};
    result.status = {function}(tree, key{passed}, &result.value);
    return result;""")
    for name in _AT_A_KEY + _AT_AN_END:
        keyed = name in _AT_A_KEY
        prototypes.append(f"bwpy_entry bwpy_{name}(bw_tree *tree{', uint64_t key' * keyed})")
        bodies.append(f"""
    bwpy_entry result = {{0, 0, 0}};
    result.status = bw_{name}(tree{", key" * keyed}, &result.key, &result.value);
    return result;""")
    prototypes += _WALK
    bodies += _WALK.values()
    declarations = "".join(f"{prototype};\n" for prototype in prototypes)
    definitions = "".join(
        f"static {prototype}\n{{{body}\n}}\n"
        for prototype, body in zip(prototypes, bodies, strict=True)
    )
    return declarations, definitions


def builder() -> FFI:
    """Give the FFI whose C source is to be written."""
    declarations, definitions = _wrappers()
    ffi = FFI()
    ffi.cdef(cdef_of(HEADER.read_text(encoding="utf-8")))
    ffi.cdef(f"#define BWPY_NO_VALUE ...\n{cdef_of(WRAPPER_TYPES)}{declarations}")
    ffi.set_source(
        "bwtree._native",
        "#include <bwtree.h>\n"
        # Any value would do: it is one that programs hardly store.
        "#define BWPY_NO_VALUE UINT64_C(0x9d1f8c5be2a6473b)\n" + WRAPPER_TYPES + definitions,
        py_limited_api=True,
    )
    return ffi


def keep_gil(source: str, names: Iterable[str]) -> str:
    """Take what releases the GIL around the calls of ``names`` out of the text that cffi has made.

    cffi has no option for it. What is left out with it saves errno, which these calls do not set.
    Raises ValueError if the text is not what cffi makes.
    """
    for name in names:
        around = re.compile(
            r"  Py_BEGIN_ALLOW_THREADS\n  _cffi_restore_errno\(\);\n"
            rf"(  {{ (?:result = )?{name}\([^\n]*\); }}\n)"
            r"  _cffi_save_errno\(\);\n  Py_END_ALLOW_THREADS\n"
        )
        source, found = around.subn(r"\1", source)
        if found != 1:
            raise ValueError(f"{name}: called at {found} places of what cffi has made, not at one")
    return source


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python build_ffi.py OUT.c")
    out = Path(sys.argv[1])
    builder().emit_c_code(str(out))
    out.write_text(keep_gil(out.read_text(encoding="utf-8"), _SHORT), encoding="utf-8")
