"""spec/README.md's tables name every action of the specs and every event of the engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from model_check.conformance.trace import LAST_OPERATION, names

ROOT = Path(__file__).parents[2]
README = (ROOT / "spec" / "README.md").read_text(encoding="utf-8")
MODULES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (ROOT / "spec").glob("*.tla")
    if not path.name.startswith(("MC", "Trace"))
}
#: Which modules each section is about, the first with Next.
SECTIONS = {
    "OrderedMap": ("OrderedMap",),
    "DeltaLog": ("DeltaLog",),
    "EpochReclamation": ("EpochReclamation",),
    "FreeList": ("FreeList",),
    "BwTree": ("BwTree",),
    "StructureModification": ("StructureModification", "StructureReplacement", "StructureDescent"),
    "StructureShortcuts": (
        "StructureShortcuts",
        "StructureModification",
        "StructureReplacement",
        "StructureDescent",
    ),
}
_DEFINITION = re.compile(r"^(\w+)(?:\(.*?\))?\s*==(.*)")
_CALL = re.compile(r"\b([A-Z]\w*)(?:\([^()]*\))?")


def definitions(text: str) -> dict[str, str]:
    """Give the operators that a module defines, without comments."""
    found: dict[str, str] = {}
    name = ""
    for line in re.sub(r"\\\*.*|\(\*.*?\*\)|^-+$|^=+$", "", text, flags=re.MULTILINE).splitlines():
        begins = _DEFINITION.match(line)
        if begins:
            name = begins[1]
            found[name] = begins[2]
        elif name:
            found[name] += f"\n{line}"
    return found


def actions(section: str) -> set[str]:
    """Name the actions of a section's Next: what it is a disjunction of, to the end."""
    defined: dict[str, str] = {}
    for module in reversed(SECTIONS[section]):
        defined |= definitions(MODULES[module])
    found: set[str] = set()

    def expand(name: str) -> None:
        body = re.sub(r"\\E \w+ \\in \w+ :", "", defined[name])
        if re.sub(r"[\s()]|\\/", "", _CALL.sub("", body)):
            found.add(name)
            return
        for inner in _CALL.findall(body):
            expand(inner)

    expand("ShortcutNext" if section == "StructureShortcuts" else "Next")
    return found


def table(section: str) -> list[list[str]]:
    """Give the rows of the section's table of actions: action, what, function, event."""
    text = README.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    rows = text.split("| action | what it is | C function | event |\n|---|---|---|---|\n", 1)[1]
    lines = rows.split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in lines]


def ticked(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def told() -> set[str]:
    """Name the events of all tables, and those that are said to belong to no action."""
    found = {name for section in SECTIONS for row in table(section) for name in ticked(row[3])}
    return found | ticked(README.split("One event belongs to no action:", 1)[1].split("\n", 1)[0])


@pytest.mark.parametrize("section", SECTIONS)
def test_every_action_is_in_the_table_of_its_module(section: str) -> None:
    named = {name for row in table(section) for name in ticked(row[0])}
    assert actions(section) - named == set()
    assert len(actions(section)) >= 4


@pytest.mark.parametrize("section", SECTIONS)
def test_every_name_in_a_table_is_defined_in_its_module(section: str) -> None:
    defined = {
        name
        for module in (*SECTIONS[section], "StructureState", "TreePages")
        for name in definitions(MODULES[module])
    }
    named = {name for row in table(section) for name in ticked(row[0])}
    assert named - defined == set()


def test_every_event_is_in_the_tables_and_no_other() -> None:
    assert told() == set(names())


def test_the_engine_tells_every_event_and_no_other() -> None:
    sources = [*(ROOT / "impl" / "src").glob("*.[ch]"), *(ROOT / "impl" / "src").glob("*.inc")]
    used = {
        name
        for path in sources
        if path.name != "event.h"
        for name in re.findall(r"BW_EVENT\((\w+),", path.read_text(encoding="utf-8"))
    }
    assert used == set(names())


def test_an_action_that_no_table_has_would_be_seen() -> None:
    assert "Bury" in actions("StructureModification")
    assert "CommitLost" in actions("EpochReclamation")
    assert not {"Step", "CallStep", "Next"} & actions("DeltaLog")


def test_what_is_behind_the_last_operation_of_a_program_is_the_reading_of_the_contents() -> None:
    text = (ROOT / "model_check/explorer/engine/program.h").read_text(encoding="utf-8")
    body = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    listed = re.search(r"enum operation_kind \{(.*?)\}", body, re.DOTALL)
    assert listed is not None
    names = [name.strip() for name in listed[1].split(",") if name.strip()]
    assert names.index("OPERATION_KINDS") == LAST_OPERATION + 1
