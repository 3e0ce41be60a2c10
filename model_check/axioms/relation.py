"""Binary relations on 0 … n-1 as rows of bits, with the operators that papers write axioms in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Relation:
    """Row i has the bit j set if i is related to j."""

    rows: tuple[int, ...]

    @classmethod
    def of(cls, size: int, pairs: Iterable[tuple[int, int]]) -> Relation:
        """Hold exactly ``pairs``."""
        rows = [0] * size
        for a, b in pairs:
            rows[a] |= 1 << b
        return cls(tuple(rows))

    @classmethod
    def identity(cls, size: int, members: Iterable[int] | None = None) -> Relation:
        """Hold [members] of the papers: each member (all, if not given) with itself."""
        everyone = range(size) if members is None else members
        return cls.of(size, ((member, member) for member in everyone))

    def __contains__(self, pair: tuple[int, int]) -> bool:
        return bool(self.rows[pair[0]] >> pair[1] & 1)

    def __or__(self, other: Relation) -> Relation:
        return Relation(tuple(a | b for a, b in zip(self.rows, other.rows, strict=True)))

    def __and__(self, other: Relation) -> Relation:
        return Relation(tuple(a & b for a, b in zip(self.rows, other.rows, strict=True)))

    def __matmul__(self, other: Relation) -> Relation:
        """Compose: `a ; b` of the papers, first the one, then the other."""
        rows = []
        for row in self.rows:
            reached = 0
            for middle, onwards in enumerate(other.rows):
                if row >> middle & 1:
                    reached |= onwards
            rows.append(reached)
        return Relation(tuple(rows))

    def inverse(self) -> Relation:
        """Turn every pair round."""
        size = len(self.rows)
        return Relation.of(
            size, ((b, a) for a in range(size) for b in range(size) if (a, b) in self)
        )

    def where(self, condition: Callable[[int, int], bool]) -> Relation:
        """Keep the pairs that satisfy ``condition``."""
        size = range(len(self.rows))
        return Relation.of(
            len(self.rows),
            ((a, b) for a in size for b in size if (a, b) in self if condition(a, b)),
        )

    def maybe(self) -> Relation:
        """`r?` of the papers: r, or nothing."""
        return self | Relation.identity(len(self.rows))

    def closure(self) -> Relation:
        """`r⁺` of the papers: one or more times."""
        rows = list(self.rows)
        for middle in range(len(rows)):
            for a, row in enumerate(rows):
                if row >> middle & 1:
                    rows[a] |= rows[middle]
        return Relation(tuple(rows))

    def irreflexive(self) -> bool:
        """Tell whether nothing is related to itself."""
        return not any(row >> a & 1 for a, row in enumerate(self.rows))

    def acyclic(self) -> bool:
        """Tell whether no chain of pairs leads back to where it began."""
        return self.closure().irreflexive()
