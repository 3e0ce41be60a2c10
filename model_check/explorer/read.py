"""Read what the runtime says of a finding: addresses become source lines and variable names."""

from __future__ import annotations

import bisect
import functools
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model_check.explorer.build import Program
from model_check.explorer.result import Finding, Step

_ORDERS = ("relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst")
_RUNTIME = str(Path(__file__).parent / "runtime")
_FAILED, _SPURIOUS, _STALE, _INSERTED = 4, 8, 16, 32


def source_lines(program: Program, addresses: Iterable[int]) -> dict[int, str]:
    """Give "file:line" for each return address, as far as debug information tells."""
    wanted = sorted({address for address in addresses if address})
    if not wanted:
        return {}
    try:
        # One before the return address: within the call itself.
        done = subprocess.run(
            ["addr2line", "-e", str(program.path), *(hex(address - 1) for address in wanted)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return {}
    found = {}
    for address, line in zip(wanted, done.stdout.splitlines(), strict=False):
        text = line.split(" (discriminator")[0]
        if not text.startswith(("??", _RUNTIME)):
            path, _, number = text.rpartition(":")
            found[address] = f"{Path(path).name}:{number}"
    return found


@functools.lru_cache(maxsize=16)
def _variables(path: Path) -> tuple[list[int], list[tuple[int, str]]]:
    done = subprocess.run(
        ["nm", "-S", "--defined-only", str(path)], capture_output=True, text=True, check=False
    )
    named = []
    for line in done.stdout.splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[2] in "bBdD" and not fields[3].startswith("bwx_"):
            named.append((int(fields[0], 16), int(fields[1], 16), fields[3]))
    named.sort()
    return [each[0] for each in named], [(each[1], each[2]) for each in named]


class Names:
    """Names for addresses: variables by their symbols, heap blocks by their place."""

    def __init__(self, program: Program, steps: Sequence[Mapping[str, Any]]) -> None:
        """Collect the program's variables and the execution's blocks."""
        self._starts, self._named = _variables(program.path)
        self._blocks: list[tuple[int, int, str]] = []
        for step in steps:
            if step["kind"] == "malloc":
                number = len(self._blocks) + 1
                self._blocks.append((step["address"], step["value"], f"block{number}"))

    def of(self, address: int) -> str:
        """Give the name of what lies at ``address``."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at >= 0:
            size, name = self._named[at]
            offset = address - self._starts[at]
            if offset < size:
                return name if offset == 0 else f"{name}+{offset}"
        for begin, size, name in self._blocks:
            if begin <= address < begin + max(size, 1):
                return name if address == begin else f"{name}+{address - begin}"
        return hex(address)

    def value(self, value: int, size: int) -> str:
        """Give a value: small ones as numbers, those that point somewhere by name."""
        if size == 8 and value > 0xFFFF:
            name = self.of(value & ~7)
            if not name.startswith("0x"):
                return f"&{name}" if value & 7 == 0 else f"&{name}|{value & 7}"
        if 0 < size <= 8 and value >= 1 << (size * 8 - 1):
            return str(value - (1 << (size * 8)))
        return str(value)


def _text(step: Mapping[str, Any], names: Names) -> str:
    kind, size = step["kind"], step["size"]
    order = _ORDERS[step["order"]] if step["order"] < len(_ORDERS) else "?"
    at = names.of(step["address"])

    def value(which: str) -> str:
        return names.value(step[which], size)

    if kind == "load":
        return f"{at}.load({order}) = {value('seen')}"
    if kind == "store":
        return f"{at}.store({value('value')}, {order})"
    if kind == "rmw":
        return f"{at}.{step['rmw']}({order}): {value('seen')} to {value('value')}"
    if kind == "cas":
        if step["flags"] & _FAILED:
            return f"{at}.cas({order}) fails, sees {value('seen')}"
        return f"{at}.cas({order}): {value('seen')} to {value('value')}"
    texts = {
        "fence": f"fence({order})",
        "lock": f"lock({at})",
        "trylock": f"trylock({at}) {'takes it' if step['value'] else 'fails'}",
        "unlock": f"unlock({at})",
        "wait": f"wait({at})",
        "wake": f"{'wakes for no reason' if step['value'] else 'times out'} at {at}",
        "signal": f"signal({at})" + (f" to thread {step['seen']}" if step["value"] else ""),
        "broadcast": f"broadcast({at})",
        "create": f"creates thread {step['value']}",
        "join": f"joins thread {step['value']}",
        "end": "ends",
        "invoke": f"begins call {step['value'] + 1}",
        "respond": f"ends call {step['value'] + 1}",
        "read": f"reads {at}" + (f" = {value('seen')}" if size <= 8 else f" ({size} bytes)"),
        "write": f"writes {at}",
        "malloc": f"malloc({step['value']}) = {at}",
        "free": f"free({at})",
    }
    return texts.get(kind, str(kind))


def _note(step: Mapping[str, Any], number_of: Mapping[int, int], after: Sequence[int]) -> str:
    notes = []
    if after:
        notes.append("happens after step " + " and ".join(str(number_of[row]) for row in after))
    if step["flags"] & _SPURIOUS:
        notes.append("fails spuriously")
    if step["flags"] & _STALE:
        source = step.get("from")
        if source is None:
            notes.append("reads the initial value, which is not the newest")
        else:
            notes.append(f"reads from step {number_of.get(source, source)}, not the newest")
    if step["flags"] & _INSERTED:
        notes.append("takes effect before newer stores")
    return "; ".join(notes)


def _knowledge(rows: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Give, for each row, the rows of other threads that it is the first of its thread to follow.

    These are the edges of happens-before between threads; what follows from other edges of the
    same row is left out.
    """
    row_of = {
        (row["thread"], row["index"]): number
        for number, row in enumerate(rows)
        if row["kind"] not in {"read", "write", "malloc", "free"}
    }
    known: dict[int, Sequence[int]] = {}
    edges = []
    for row in rows:
        before = known.get(row["thread"], [0] * len(row["clock"]))
        learnt = [
            row_of[thread, index]
            for thread, index in enumerate(row["clock"])
            if thread != row["thread"] and index > before[thread] and (thread, index) in row_of
        ]
        known[row["thread"]] = row["clock"]
        edges.append(
            [
                one
                for one in learnt
                if not any(
                    other != one and rows[other]["clock"][rows[one]["thread"]] >= rows[one]["index"]
                    for other in learnt
                )
            ]
        )
    return edges


def read_finding(program: Program, said: Mapping[str, Any]) -> Finding:
    """Make a finding of what the runtime says."""
    rows = said["steps"]
    lines = source_lines(
        program,
        [said["pc"], said["other_pc"], *said["stack"], *(row["pc"] for row in rows)],
    )
    names = Names(program, rows)
    numbers = {index: index + 1 for index in range(len(rows))}
    edges = _knowledge(rows)
    steps = [
        Step(
            number=index + 1,
            thread=row["thread"],
            kind=row["kind"],
            text=_text(row, names),
            where=lines.get(row["pc"], ""),
            note=_note(row, numbers, edges[index]),
            after=[numbers[edge] for edge in edges[index]],
            source=numbers.get(row["from"]) if "from" in row else None,
        )
        for index, row in enumerate(rows)
    ]
    return Finding(
        kind=said["kind"],
        sentence=said["sentence"],
        thread=said["thread"],
        where=lines.get(said["pc"], ""),
        other=lines.get(said["other_pc"], ""),
        replay=said["replay"],
        steps=steps,
        stack=[lines[pc] for pc in said["stack"] if pc in lines],
        preemptions=int(said["preemptions"]),
    )
