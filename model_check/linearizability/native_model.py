"""Models that users write in C: compiled, opened, and asked step by step (lin_user_model.h)."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_check.explorer.build import COMPILER
from model_check.linearizability.models import IMPOSSIBLE, Model
from model_check.recorder.native import ffi, lib
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Hashable

    from model_check.linearizability.operations import Operation

INCLUDE = Path(__file__).parent / "include"
_SECONDS = 60
_LEAST, _MOST = -(2**63), 2**63 - 1


class NativeModel(Model):
    """An object whose states are bytes and whose steps are a C function."""

    def __init__(self, path: Path, member: str) -> None:
        """Compile ``path`` if it is C source, and open its model ``member``. Raises CannotRun."""
        if not path.is_file():
            raise CannotRun(f"cannot read the model in {path}: there is no such file")
        with tempfile.TemporaryDirectory(prefix="bwcheck-model-") as folder:
            made = _compiled(path, Path(folder)) if path.suffix == ".c" else path.resolve()
            why = ffi.new("char **")
            self._library = lib.lin_user_open(str(made).encode(), member.encode(), why)
        if self._library == ffi.NULL:
            reason = ffi.string(why[0]).decode("utf-8", "replace")
            raise CannotRun(f"{path}: cannot use the model {member}: {reason}")
        self._library = ffi.gc(self._library, lib.lin_user_close)
        self._bytes = int(lib.lin_user_state_bytes(self._library))
        state = ffi.new("char[]", self._bytes)
        lib.lin_user_initial(self._library, state)
        self.name = member  # type: ignore[misc]  # a class's is one for all its objects
        self.initial = bytes(ffi.buffer(state, self._bytes))
        reads = ffi.string(lib.lin_user_reads(self._library)).decode("utf-8", "replace")
        self.reads = frozenset(reads.split())  # type: ignore[misc]

    def step(self, state: bytes, call: Operation) -> Any:
        """Give the state behind ``call``, or IMPOSSIBLE."""
        texts: list[Any] = []  # keeps what the call points to
        given = call.argument if isinstance(call.argument, tuple) else (call.argument,)
        values = [] if call.argument is None else [_value(each, call, texts) for each in given]
        arguments = ffi.new("lin_user_value[]", values or 1)
        name = ffi.new("char[]", call.name.encode("utf-8", "surrogatepass"))
        result = ffi.NULL
        if call.known:
            result = ffi.new("lin_user_value *", _value(call.result, call, texts))
        native = ffi.new("lin_user_call *", (name, len(values), arguments, result))
        after = ffi.new("char[]", self._bytes)
        ffi.memmove(after, state, self._bytes)
        if not lib.lin_user_step(self._library, after, native):
            return IMPOSSIBLE
        return bytes(ffi.buffer(after, self._bytes))


def _value(value: Hashable, call: Operation, texts: list[Any]) -> tuple[int, int, Any]:
    if value is None:
        return (lib.LIN_USER_NOTHING, 0, ffi.NULL)
    if isinstance(value, int) and _LEAST <= value <= _MOST:
        return (lib.LIN_USER_NUMBER, int(value), ffi.NULL)
    if isinstance(value, str) and "\0" not in value:
        texts.append(ffi.new("char[]", value.encode("utf-8", "surrogatepass")))
        return (lib.LIN_USER_TEXT, 0, texts[-1])
    where = f"line {call.line}: " if call.line else ""
    raise CannotRun(
        f"{where}{call.name}: a model in C takes whole numbers of 64 bits with a sign, texts "
        f"without a zero character and nothing, got {value!r}; write the model in Python"
    )


def _compiled(source: Path, folder: Path) -> Path:
    made = folder / "model.so"
    command = [
        *(COMPILER, "-std=c11", "-O2", "-shared", "-fPIC", f"-I{INCLUDE}"),
        *(str(source), "-o", str(made)),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"{source} cannot be compiled with {COMPILER}: {error}") from error
    if done.returncode != 0:
        raise CannotRun(f"{source} does not compile with {COMPILER}:\n{done.stderr.strip()}")
    return made
