"""All mutants of a C file: one change of one place of its syntax tree each.

    operator    < to <=, == to !=, + to -, && to ||, << to >>, += to -=, ++ to --, …
    constant    n to n + 1; 0 and 1 to each other; true and false
    condition   of if, while, ?: negated; !x to x
    statement   deleted: a call, an assignment, an increment, break, continue

Not mutated: comments, preprocessor lines, static assertions, assert(), prefetches and what
__builtin_expect expects: what they say is not what the program does. Types and declarations stay,
so most mutants compile. Memory orders are no operators: they are weakened elsewhere, by a checker
that can see it.

Regular expressions would do, too: of a sample of 150 that universalmutator 1.14 makes of
mapping.c, 82 do not compile. The syntax tree, from the tree-sitter package, says what is an
expression and what is a statement, and the seed, the budget and the explained survivors are ours.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_c
from tree_sitter import Language, Node, Parser

_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "<": ("<=",),
    "<=": ("<",),
    ">": (">=",),
    ">=": (">",),
    "==": ("!=",),
    "!=": ("==",),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "/": ("*",),
    "%": ("/",),
    "&": ("|",),
    "|": ("&",),
    "^": ("|",),
    "<<": (">>",),
    ">>": ("<<",),
    "&&": ("||",),
    "||": ("&&",),
    "+=": ("-=",),
    "-=": ("+=",),
    "|=": ("&=",),
    "&=": ("|=",),
    "^=": ("|=",),
    "<<=": (">>=",),
    ">>=": ("<<=",),
}
_UNSEEN = frozenset({"comment", "preproc_call", "static_assert_declaration", "preproc_include"})
#: Calls that do nothing which the program's results depend on.
_WORDLESS = frozenset(
    {
        *("assert", "_Static_assert", "static_assert"),
        *("__builtin_prefetch", "__builtin_unreachable"),
    }
)
_SIZES = frozenset({"array_declarator", "bitfield_clause", "enumerator", "attribute_specifier"})
_EXPECT = "__builtin_expect"
_CONDITIONS = frozenset({"if_statement", "while_statement", "do_statement"})


@dataclass(frozen=True)
class Change:
    """One mutant: bytes ``begin`` to ``end`` of ``file`` become ``new``.

    ``function`` and ``code``, the text of the statement around it, say where it is when lines move;
    ``what`` is the change in words.
    """

    file: str
    line: int
    function: str
    code: str
    what: str
    begin: int
    end: int
    new: str

    @property
    def place(self) -> str:
        """Give FILE:LINE."""
        return f"{self.file}:{self.line}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Give what identifies it."""
        return self.file, self.function, self.code, self.what

    def applied(self, text: bytes) -> bytes:
        """Give the file's text with it."""
        return text[: self.begin] + self.new.encode() + text[self.end :]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _function(node: Node) -> str:
    at: Node | None = node
    while at is not None and at.type != "function_definition":
        at = at.parent
    declarator = at.child_by_field_name("declarator") if at is not None else None
    while declarator is not None and declarator.type != "identifier":
        inner = declarator.child_by_field_name("declarator")
        if inner is None:
            break
        declarator = inner
    return _text(declarator) if declarator is not None else ""


def _statement(node: Node) -> str:
    """Give the text of the statement around a node, or what stands before its block."""
    at = node
    while at.parent is not None and not at.type.endswith(("_statement", "declaration")):
        at = at.parent
    text = _text(at)
    if at.type in {"if_statement", "while_statement", "for_statement", "do_statement"}:
        body = at.child_by_field_name("body") or at.child_by_field_name("consequence")
        if body is not None and at.type != "do_statement":
            text = text[: body.start_byte - at.start_byte]
    return _one_line(text)[:160]


def changes_of(file: str, text: bytes) -> list[Change]:
    """Give every mutant of one file, in the order of its text."""
    tree = Parser(Language(tree_sitter_c.language())).parse(text)
    found: list[Change] = []

    def add(node: Node, old: Node, new: str, what: str) -> None:
        found.append(
            Change(
                file,
                old.start_point[0] + 1,
                _function(node),
                _statement(node),
                what,
                old.start_byte,
                old.end_byte,
                new,
            )
        )

    for node in _visit(tree.root_node):
        if _function(node):
            for old, new, what in _of(node):
                add(node, old, new, what)
    return found


def _visit(node: Node) -> Iterator[Node]:
    if node.type in _UNSEEN or _called(node) in _WORDLESS:
        return
    yield node
    expected = _expected(node)
    for child in node.children:
        if child != expected:
            yield from _visit(child)


def _called(node: Node) -> str:
    """Give the name of the function that a call, or a statement that is a call, calls."""
    call = node
    if node.type == "expression_statement" and node.named_child_count == 1:
        call = node.named_children[0]
    called = call.child_by_field_name("function") if call.type == "call_expression" else None
    return _text(called) if called is not None else ""


def _expected(node: Node) -> Node | None:
    """Give the second argument of __builtin_expect if ``node`` is its list of arguments."""
    if node.type != "argument_list" or _called(_parent(node)) != _EXPECT:
        return None
    return node.named_children[1]


def _of(node: Node) -> Iterator[tuple[Node, str, str]]:
    """Give (what is replaced, by what, in words) for one node."""
    if node.type in {"binary_expression", "assignment_expression"} and _is_value(node):
        operator = node.child_by_field_name("operator")
        for new in _OPERATORS.get(_text(operator), ()) if operator is not None else ():
            assert operator is not None
            yield operator, new, f"{_text(operator)} to {new} in {_one_line(_text(node))[:60]}"
    elif node.type == "update_expression":
        operator = node.child_by_field_name("operator")
        if operator is not None:
            new = {"++": "--", "--": "++"}[_text(operator)]
            yield operator, new, f"{_text(node)} to {new}"
    elif node.type == "number_literal" and _is_value(node):
        new = _other_number(_text(node))
        if new:
            yield node, new, f"{_text(node)} to {new} in {_one_line(_text(_parent(node)))[:60]}"
    elif node.type in {"true", "false"}:
        new = "false" if node.type == "true" else "true"
        yield node, new, f"{node.type} to {new}"
    elif node.type == "unary_expression" and _text(node).startswith("!"):
        argument = node.child_by_field_name("argument")
        if argument is not None:
            yield node, _text(argument), f"{_one_line(_text(node))[:60]} without !"
    elif node.type in _CONDITIONS or node.type == "conditional_expression":
        condition = node.child_by_field_name("condition")
        if condition is not None and not _text(condition).startswith(("(!", "!")):
            what = f"{_one_line(_text(condition))[:60]} negated"
            yield condition, f"(!({_text(condition)}))", what
    elif (node.type == "expression_statement" and node.named_child_count > 0) or (
        node.type in {"break_statement", "continue_statement"} and not _in_switch(node)
    ):
        yield node, ";", "deleted"


def _parent(node: Node) -> Node:
    return node.parent if node.parent is not None else node


def _is_value(node: Node) -> bool:
    """Say whether a number is computed with, and not part of the size of an array or of a field."""
    at = _parent(node)
    while at.type in {"binary_expression", "parenthesized_expression"}:
        at = _parent(at)
    return at.type not in _SIZES


def _other_number(text: str) -> str:
    digits = text.rstrip("uUlL")
    suffix = text[len(digits) :]
    try:
        value = int(digits, 0)
    except ValueError:
        return ""
    if value in {0, 1}:
        return f"{1 - value}{suffix}"
    return f"{value + 1}{suffix}" if value < 2**63 else ""


def _in_switch(node: Node) -> bool:
    at: Node | None = node
    while at is not None and at.type not in {
        "for_statement",
        "while_statement",
        "do_statement",
        "function_definition",
    }:
        if at.type == "switch_statement":
            return True
        at = at.parent
    return False


def all_changes(folder: Path) -> list[Change]:
    """Give every mutant of the C files in a folder, in the order of names and lines."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".c", ".h", ".inc"})
    return [change for path in files for change in changes_of(path.name, path.read_bytes())]


def sample(changes: Sequence[Change], count: int | None, seed: int) -> list[Change]:
    """Choose ``count`` of them by ``seed``, each as likely as any other; all if it is None.

    A larger sample of the same seed holds a smaller one. Which mutants are in it depends on what
    they say, so most of a sample stays when the engine changes.
    """

    def lot(change: Change) -> bytes:
        return hashlib.sha256(repr((seed, *change.key, nth[change])).encode()).digest()

    nth = _occurrence(changes)
    drawn = sorted(changes, key=lot)
    return drawn if count is None else drawn[:count]


def _occurrence(changes: Sequence[Change]) -> Mapping[Change, int]:
    """Give each its number among those that say the same."""
    seen: Counter[tuple[str, ...]] = Counter()
    numbers = {}
    for change in changes:
        numbers[change] = seen[change.key]
        seen[change.key] += 1
    return numbers
