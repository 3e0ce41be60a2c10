"""The cffi binding of bwtree.h: generated when the package is built (build_ffi.py)."""

from typing import Any

ffi: Any
lib: Any
