"""What objects do: the map, the register, and others; and how to write your own.

Your own object is a class with a first state and a step::

    class Semaphore(Model):
        initial = 2                                  # any hashable value
        reads = frozenset({"value"})                 # these never change the state

        def step(self, state, call):
            if call.name == "acquire":
                return state - 1 if state > 0 else IMPOSSIBLE
            if call.name == "release":
                return state + 1
            return state if call.result == state else IMPOSSIBLE

``step`` gives the state behind a call that had this result, or IMPOSSIBLE. For a call that never
returned (``not call.known``) it gives the state behind the call if it took effect; it must not look
at the result. Each call is judged on the object that its ``key`` names, all objects apart (a
history is linearizable if each of its objects is); a model of objects that depend on each other
overrides
``object_of``.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from model_check.recorder.native import lib
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from model_check.linearizability.operations import Operation


class _Impossible:
    def __repr__(self) -> str:
        return "IMPOSSIBLE"


#: The result of a step that the call's result excludes.
IMPOSSIBLE: Final = _Impossible()


class Model:
    """An object by its states and steps; subclass it."""

    name: ClassVar[str] = ""
    initial: Any = None
    #: Names of calls that never change the state: they are settled as early as possible.
    reads: ClassVar[frozenset[str]] = frozenset()

    def object_of(self, call: Operation) -> Hashable:
        """Name the object that the call is on."""
        return call.key

    def step(self, state: Any, call: Operation) -> Any:
        """Give the state behind ``call``, or IMPOSSIBLE."""
        raise NotImplementedError


class Step(NamedTuple):
    """A step of a cell, parts.h: possible in states of ``need``, with ``effect``."""

    need: str
    want: Hashable = None
    effect: str = "keeps"
    give: Hashable = None


class CellModel(Model):
    """An object whose states are: absent (None), or a value. The engine knows it by heart."""

    def cell(self, call: Operation) -> Step:
        """Say what the call demands of the cell and leaves in it."""
        raise NotImplementedError


class SequenceModel(Model):
    """A queue, a stack or a counter: the engine has them built in."""

    kind: ClassVar[int]

    def method(self, call: Operation) -> tuple[int, Hashable]:
        """Give the method (lin_object_method) and its value."""
        raise NotImplementedError


def _where(call: Operation) -> str:
    return f"line {call.line}: " if call.line else ""


def _unknown(model: Model, call: Operation, known: str) -> CannotRun:
    return CannotRun(
        f"{_where(call)}the model {model.name} has no {call.name!r}; its operations are {known}"
    )


def _saw(value: Hashable, effect: str = "keeps", give: Hashable = None) -> Step:
    """Give the step of a call that saw ``value``; None: nothing was there."""
    return Step("absent" if value is None else "value", value, effect, give)


def _pair(model: Model, call: Operation) -> tuple[Hashable, Hashable]:
    if isinstance(call.argument, tuple) and len(call.argument) == 2:
        return call.argument[0], call.argument[1]
    raise CannotRun(
        f"{_where(call)}the argument of {call.name} in the model {model.name} is a pair: "
        f"what is expected and what is written; got {call.argument!r}"
    )


class Map(CellModel):
    """An ordered map, key by key. What gives back what it saw is checked fastest.

    get -> value or nothing; put(v); exchange(v) -> the value before, or nothing; insert(v) -> true
    or false; insert_or_get(v) -> nothing if it inserted, else the value there; update(v) -> the
    value replaced, or nothing; overwrite(v), where something was there; remove -> true or false;
    take -> the value removed, or nothing; cas([old new]) -> true or false; compare_exchange([old
    new]) -> the value it saw, or nothing.
    """

    name = "map"
    _KNOWN = (
        "get (or read), put (or write), exchange, overwrite, insert, insert_or_get, update, "
        "remove, take, cas, compare_exchange"
    )

    def cell(self, call: Operation) -> Step:
        """Say what the call demands and leaves."""
        name, result = call.name, call.result
        if name in {"get", "read"}:
            return _saw(result) if call.known else Step("any")
        if name in {"put", "write"}:
            return Step("any", None, "sets", call.argument)
        if name == "exchange":
            if call.known:
                return _saw(result, "sets", call.argument)
            return Step("any", None, "sets", call.argument)
        if name in {"insert", "remove"} and call.known and not isinstance(result, bool):
            raise CannotRun(
                f"{_where(call)}the result of {name} in the model {self.name} is true or false, "
                f"got {result!r}; what it saw is told by insert_or_get and take"
            )
        if name == "insert":
            did = result is True or not call.known
            return Step("absent", None, "sets", call.argument) if did else Step("some")
        if name == "remove":
            did = result is True or not call.known
            return Step("some", None, "deletes") if did else Step("absent")
        if name == "take":
            if not call.known:
                return Step("some", None, "deletes")
            return _saw(result, "keeps" if result is None else "deletes")
        if name == "overwrite":
            return Step("some", None, "sets", call.argument)
        if name == "insert_or_get":
            found = call.known and result is not None
            return _saw(result) if found else Step("absent", None, "sets", call.argument)
        if name == "update":
            if not call.known:
                return Step("some", None, "sets", call.argument)
            return _saw(result) if result is None else _saw(result, "sets", call.argument)
        if name == "compare_exchange":
            old, new = _pair(self, call)
            if call.known and result != old:
                return _saw(result)
            return _saw(old, "sets", new)
        if name == "cas":
            old, new = _pair(self, call)
            if result is not False or not call.known:
                return _saw(old, "sets", new)
            return Step("some") if old is None else Step("other", old)
        raise _unknown(self, call, self._KNOWN)


class Register(Map):
    """A register: read, write, exchange, cas; it holds ``initial``, nothing if that is None."""

    name = "register"
    _KNOWN = "read (or get), write (or put), exchange, cas, compare_exchange"

    def __init__(self, initial: Hashable = None) -> None:
        """Give the value that it holds at first."""
        self.initial = initial

    def cell(self, call: Operation) -> Step:
        """Say what the call demands and leaves."""
        if call.name not in {
            "read", "get", "write", "put", "exchange", "cas", "compare_exchange",
        }:  # fmt: skip
            raise _unknown(self, call, self._KNOWN)
        return super().cell(call)


class CasRegister(Register):
    """A register with compare-and-set, under the name that Jepsen gives it."""

    name = "cas-register"


class Set(CellModel):
    """A set, element by element: add(x), remove(x), contains(x) -> true or false.

    add and remove may tell whether they changed the set (true or false), or nothing.
    """

    name = "set"

    def object_of(self, call: Operation) -> Hashable:
        """Name the element, of the set that the key names."""
        return (call.key, call.argument)

    def cell(self, call: Operation) -> Step:
        """Say what the call demands and leaves."""
        told = call.result if call.known else None
        if call.name == "contains":
            return Step({True: "some", False: "absent"}.get(told is True, "any"))
        if call.name == "add":
            if told is None:
                return Step("any", None, "sets", True)  # noqa: FBT003 - the value of every element
            return Step("absent", None, "sets", True) if told else Step("some")  # noqa: FBT003
        if call.name == "remove":
            if told is None:
                return Step("any", None, "deletes")
            return Step("some", None, "deletes") if told else Step("absent")
        raise _unknown(self, call, "add, remove, contains")


class Mutex(CellModel):
    """A lock: acquire and release, and only its holder releases it."""

    name = "mutex"

    def cell(self, call: Operation) -> Step:
        """Say what the call demands and leaves."""
        if call.name == "acquire":
            return Step("absent", None, "sets", call.process)
        if call.name == "release":
            return Step("value", call.process, "deletes")
        raise _unknown(self, call, "acquire, release")


class Counter(SequenceModel):
    """A counter from 0: add(n), read -> its value."""

    name = "counter"
    kind = lib.LIN_COUNTER
    reads = frozenset({"read", "get"})

    def method(self, call: Operation) -> tuple[int, Hashable]:
        """Give the method and the number."""
        if call.name in self.reads:
            return lib.LIN_TAKES, _integer(self, call, call.result if call.known else 0)
        if call.name in {"add", "inc", "increment"}:
            return lib.LIN_PUTS, _integer(self, call, 1 if call.argument is None else call.argument)
        raise _unknown(self, call, "add, read")


def _integer(model: Model, call: Operation, value: Hashable) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value % 2**64
    raise CannotRun(f"{_where(call)}a {model.name} holds integers below 2^63, got {value!r}")


class Queue(SequenceModel):
    """A first-in-first-out queue: enqueue(v), dequeue -> value, or nothing if it was empty."""

    name = "queue"
    kind = lib.LIN_QUEUE
    _PUTS: ClassVar[frozenset[str]] = frozenset({"enqueue", "push"})
    _TAKES: ClassVar[frozenset[str]] = frozenset({"dequeue", "pop"})

    def method(self, call: Operation) -> tuple[int, Hashable]:
        """Give the method and the value."""
        if call.name in self._PUTS:
            return lib.LIN_PUTS, call.argument
        if call.name in self._TAKES:
            if not call.known:
                return lib.LIN_TAKES_SOME, None
            found = call.result is not None
            return (lib.LIN_TAKES if found else lib.LIN_FINDS_NONE), call.result
        raise _unknown(self, call, ", ".join(sorted(self._PUTS | self._TAKES)))


class Stack(Queue):
    """A last-in-first-out stack: push(v), pop -> value, or nothing if it was empty."""

    name = "stack"
    kind = lib.LIN_STACK
    _PUTS = frozenset({"push"})
    _TAKES = frozenset({"pop"})


#: Models by the name that the command line takes.
MODELS: Mapping[str, type[Model]] = {
    model.name: model for model in (Map, Register, CasRegister, Set, Counter, Queue, Stack, Mutex)
}


def find_model(name: str) -> Model:
    """Make a model by its name, or by FILE.py:CLASS, FILE.c:NAME or FILE.so:NAME.

    In C it is a lin_user_model of include/lin_user_model.h. CannotRun when there is none.
    """
    if name in MODELS:
        return MODELS[name]()
    path, colon, member = name.rpartition(":")
    if colon and path.endswith((".c", ".so")):
        # Not above: it is made of the classes of this module.
        from model_check.linearizability.native_model import NativeModel  # noqa: PLC0415

        return NativeModel(Path(path), member)
    if not colon or not path.endswith(".py"):
        raise CannotRun(
            f"no model {name!r}; there are {', '.join(MODELS)}, or yours: "
            "FILE.py:CLASS, FILE.c:NAME"
        )
    spec = importlib.util.spec_from_file_location("users_model", path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise CannotRun(f"cannot read the model in {path}: there is no such file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CannotRun(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, member, None)
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise CannotRun(f"{path} has no class {member} that is a Model")
    if found.step is Model.step and not issubclass(found, (CellModel, SequenceModel)):
        raise CannotRun(f"{path}: class {member} has no method step(state, call)")
    return found()
