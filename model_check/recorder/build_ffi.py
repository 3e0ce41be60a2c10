"""Writes the C source of ``model_check._recorder``: the recorder and the linearizability checker.

Run by CMake: ``python build_ffi.py OUT.c``. What cffi declares is the headers themselves, stripped
of what its parser does not read, so the Python side cannot drift away from the C side.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
BWTREE = HERE.parent.parent / "impl" / "include" / "bwtree.h"
HEADERS = (
    BWTREE,
    HERE / "history.h",
    HERE / "workload.h",
    HERE / "run.h",
    HERE.parent / "linearizability" / "parts.h",
    HERE.parent / "linearizability" / "verdict.h",
    HERE.parent / "linearizability" / "page_report.h",
    HERE.parent / "linearizability" / "check.h",
    HERE.parent / "linearizability" / "object.h",
    HERE.parent / "linearizability" / "differential.h",
    HERE.parent / "linearizability" / "include" / "lin_user_model.h",
    HERE.parent / "linearizability" / "user_model.h",
)
_JUDGE = HERE.parent / "linearizability" / "judge.h"

_EXTRAS = """
extern "Python" int lin_python_step(void *context, uint64_t from, uint64_t call, uint64_t *to);
int rec_clock_select(void);
double rec_clock_frequency(void);
int lin_judge_once(const lin_part *parts, uint64_t count, const lin_state *initial,
                   uint64_t initial_count, uint64_t limit, int only, uint64_t *failed, uint32_t
                   *order);
"""

_SOURCE = """
#include "clock.h"
#include "run.h"
#include "check.h"
#include "object.h"
#include "differential.h"
#include "user_model.h"

/* Judges one key's parts with a judge of their own: what differential tests call. */
static int lin_judge_once(const lin_part *parts, uint64_t count, const lin_state *initial,
                          uint64_t initial_count, uint64_t limit, int only, uint64_t *failed,
                          uint32_t *order)
{
    lin_limits limits = {limit, 0, NULL};
    lin_judge *judge = lin_judge_new(&limits, NULL);
    if (judge == NULL) return LIN_UNKNOWN_MEMORY;
    lin_judge_use(judge, only);
    int verdict = lin_judge_parts(judge, parts, count, initial, initial_count, failed, order);
    lin_judge_free(judge);
    return verdict;
}
"""


def cdef_of(header: str) -> str:
    """Strip a header to the declarations that cffi parses."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = re.sub(
        r'#ifdef __cplusplus\nextern "C" \{\n#endif|#ifdef __cplusplus\n\}\n#endif', "", text
    )
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^static inline .*?^\}$", "", text, flags=re.MULTILINE | re.DOTALL)
    return text.replace("BW_API ", "")


def builder() -> FFI:
    """Give the FFI whose C source is to be written."""
    ffi = FFI()
    for header in HEADERS:
        ffi.cdef(cdef_of(header.read_text(encoding="utf-8")))
    ffi.cdef(_EXTRAS)
    ffi.set_source("model_check._recorder", _SOURCE, py_limited_api=True)
    return ffi


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python build_ffi.py OUT.c")
    builder().emit_c_code(sys.argv[1])
