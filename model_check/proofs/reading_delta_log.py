"""The states of spec/DeltaLog.tla as states of the system in `delta_log`.

What the system leaves open is given here: maps are tuples of pairs, and `apply`, `effective`,
`saw` and `record` are what spec/MapOperations.tla says. Whatever follows from a page's base and
log is computed from them, so the comparison also shows that the actions keep it right.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import product
from typing import Any

from model_check.proofs.agreement import Reading
from model_check.proofs.evaluate import Computed, Structure, arguments
from model_check.proofs.graph import Record, at

_Map = tuple[tuple[Any, Any], ...]

_ABSENT = "Absent"
_KINDS = {"NULL": ("NULL",), "FREEZE": ("FREEZE",)}


def _record(value: Mapping[str, Any]) -> tuple[Any, ...]:
    """Read a record: NULL, FREEZE, or what it does to which key."""
    special = _KINDS.get(value["kind"])
    return special or (value["kind"], value["key"], value["val"])


def _apply(m: _Map, record: tuple[Any, ...]) -> _Map:
    if len(record) == 1:
        return m
    return tuple(sorted({**dict(m), record[1]: record[2]}.items()))


def _map(function: Any, keys: tuple[int, ...]) -> _Map:
    return tuple((k, at(function, k)) for k in keys)


def _held_by(m: _Map) -> list[int]:
    return [k for k, v in m if v != _ABSENT]


def _effective(op: Mapping[str, Any], m: _Map) -> bool:
    kind = op["kind"]
    if kind in ("pop_first", "pop_last", "clear"):
        return bool(_held_by(m))
    if kind == "put":
        return True
    present = dict(m).get(op["key"], _ABSENT)
    if kind == "insert":
        return bool(present == _ABSENT)
    if kind in ("update", "remove"):
        return bool(present != _ABSENT)
    return kind == "compare_exchange" and bool(present == op["expected"])


def _popped(op: Mapping[str, Any], m: _Map) -> int:
    return (min if op["kind"] == "pop_first" else max)(_held_by(m))


def _saw(op: Mapping[str, Any], m: _Map) -> Any:
    kind, held = op["kind"], _held_by(m)
    if kind == "ceiling":
        at_or_above = [k for k in held if k >= op["key"]]
        return (min(at_or_above), dict(m)[min(at_or_above)]) if at_or_above else _ABSENT
    if kind in ("pop_first", "pop_last"):
        return (_popped(op, m), dict(m)[_popped(op, m)]) if held else (_ABSENT, _ABSENT)
    if kind == "clear":
        return (len(held),)
    return dict(m).get(op["key"], _ABSENT)


def _decided(op: Mapping[str, Any], m: _Map) -> tuple[Any, ...]:
    """Give the record that an operation writes; NULL where it writes none."""
    kind = op["kind"]
    if not _effective(op, m) or kind == "clear":
        return _KINDS["NULL"]
    if kind == "remove":
        return ("DELETE", op["key"], _ABSENT)
    if kind in ("pop_first", "pop_last"):
        return ("DELETE", _popped(op, m), _ABSENT)
    return ("PUT", op["key"], op["val"])


def operation(kind: str, expected: str = _ABSENT, val: str = _ABSENT) -> Record:
    """Give an operation, on the one key if it names one."""
    key = 0 if kind in ("pop_first", "pop_last", "clear") else 1
    return Record(kind=kind, key=key, expected=expected, val=val)


def delta_log(menu: Mapping[str, tuple[Record, ...]], workers: tuple[str, ...]) -> Reading:
    """Read DeltaLog with one key, one value, two slots; ``menu`` is what each thread calls."""
    threads, keys, values, slots = tuple(menu), (1,), ("v1",), 2
    pages = tuple(range(1, len(threads) + 2))
    order = tuple(range(1, slots + 1))
    maps = tuple(((keys[0], value),) for value in (*values, _ABSENT))
    every_op = tuple({op for some in menu.values() for op in some})
    answers = tuple({_saw(op, m) for op in every_op for m in maps} | {(0,)})
    records = tuple({_decided(op, m) for op in every_op for m in maps} | {*_KINDS.values()})
    domains = {
        "Thread": threads,
        "Page": pages,
        "Slot": order,
        "Record": records,
        "Map": maps,
        "Op": every_op,
        "Answer": answers,
    }
    empty = tuple((k, _ABSENT) for k in keys)
    rigid: Structure = {
        "before": Computed(lambda i, j: i < j),
        "first": 1,
        "last": slots,
        "NULL": _KINDS["NULL"],
        "FREEZE": _KINDS["FREEZE"],
        "EMPTY": empty,
        "nothing": (0,),
        "apply": Computed(_apply),
        "effective": Computed(_effective),
        "saw": Computed(_saw),
        "record": Computed(_decided),
        "reads": Computed(lambda op: op["kind"] in ("get", "ceiling")),
        "clears": Computed(lambda op: op["kind"] == "clear"),
        "menu": Computed(lambda t, op: op in menu[t]),
        "worker": {t: t in workers for t in threads},
    }

    def structure(state: Mapping[str, Any]) -> Structure:
        log, base, prefix, content, frozen = {}, {}, {}, {}, {}
        for p in pages:
            page = at(state["heap"], p)
            so_far = base[p] = _map(page["base"], keys)
            for i in order:
                log[arguments(p, i)] = _record(at(page["log"], i))
                prefix[arguments(p, i)] = so_far
                so_far = _apply(so_far, log[arguments(p, i)])
            content[p] = so_far
            written = [log[arguments(p, i)] for i in order]
            frozen[p] = written[-1] != _KINDS["NULL"] or _KINDS["FREEZE"] in written
        inside = {t: state["thread"][t] for t in threads}
        call = {t: state["call"][t] for t in threads}
        hands = {}
        for t in threads:
            held = inside[t]["page"]
            hands[t] = base.get(held, empty)
            for record in inside[t]["read"]:
                hands[t] = _apply(hands[t], _record(record))
        mapped = state["mapping"]
        return {
            **rigid,
            "mapping": mapped,
            "log": log,
            "base": base,
            "prefix": prefix,
            "content": content,
            "frozen": frozen,
            "live": {p: p == mapped or any(p == r["page"] for r in inside.values()) for p in pages},
            "at": {t: inside[t]["at"] for t in threads},
            "page": {t: inside[t]["page"] or mapped for t in threads},
            "next": {t: inside[t]["next"] for t in threads},
            "hand": hands,
            "fresh": {t: _map(inside[t]["fresh"], keys) for t in threads},
            "phase": {t: call[t]["phase"] for t in threads},
            "op": {t: call[t]["op"] for t in threads},
            "may": {arguments(t, a): a in call[t]["seen"] for t, a in product(threads, answers)},
            "answer": {t: call[t]["answer"] for t in threads},
            "abs": content[mapped],
        }

    def key(s: Structure) -> Hashable:
        names = {s["mapping"]: 0}
        facts = []
        for t in threads:
            place, phase = s["at"][t], s["phase"][t]
            page = s["page"][t] if place not in ("rest", "load") else None
            if page is not None:
                names.setdefault(page, len(names))
            facts.append(
                (
                    place,
                    names.get(page),
                    s["next"][t] if place in ("scan", "append") else None,
                    s["hand"][t] if place in ("scan", "append", "frozen") else None,
                    s["fresh"][t] if place == "install" else None,
                    phase,
                    s["op"][t] if phase != "idle" else None,
                    frozenset(
                        a for a in answers if phase == "called" and s["may"][arguments(t, a)]
                    ),
                    s["answer"][t] if phase == "answered" else None,
                )
            )
        kept = [
            (
                s["base"][p],
                s["content"][p],
                s["frozen"][p],
                *((s["log"][arguments(p, i)], s["prefix"][arguments(p, i)]) for i in order),
            )
            for p in names
        ]
        return (tuple(facts), tuple(kept), s["abs"])

    return Reading(
        module="DeltaLog",
        what="; ".join(f"{t}: {', '.join(op['kind'] for op in some)}" for t, some in menu.items())
        + f"; {slots} slots; workers: {', '.join(workers) or 'none'}",
        definitions=f"CONSTANTS {', '.join((*threads, *values))}\n"
        f"TheMenu == {' @@ '.join(f'{t} :> {_set(map(_tla, some))}' for t, some in menu.items())}",
        config=f"""SPECIFICATION Spec
CONSTANTS
  {" ".join(f"{name} = {name}" for name in (*threads, *values, _ABSENT))}
  Threads = {_set(threads)}
  Keys = {_set(map(str, keys))}
  Vals = {_set(values)}
  Menu <- TheMenu
  Rounds = 0
  Workers = {_set(workers)}
  LogCap = {slots}
  Pages = {_set(map(str, pages))}
  Mutation = "none"
""",
        domains=domains,
        structure=structure,
        key=key,
        unnamed=frozenset({"Forget"}),
    )


def _set(some: Iterable[str]) -> str:
    return "{" + ", ".join(some) + "}"


def _tla(op: Record) -> str:
    return (
        f'[kind |-> "{op["kind"]}", key |-> {op["key"]}, expected |-> {op["expected"]}, '
        f"val |-> {op['val']}]"
    )
