"""The extension that recorder/build_ffi.py generates; what cffi gives has no types."""

from typing import Any

ffi: Any
lib: Any
