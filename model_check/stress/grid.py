"""The grid: seeds × mixes × capacities × threads × SIMD levels × worker on and off.

The whole grid takes hours, so `make check` runs a part of it in which every *pair* of settings
of two dimensions meets at least once: most defects need one or two settings to come together.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from model_check.recorder import Distribution, TreeOptions, Workload
from model_check.recorder.native import ffi, lib
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Load(NamedTuple):
    """A mix of operations with the keys it is applied to."""

    mix: str
    space: int
    distribution: Distribution
    stride: int = 1


LOADS: dict[str, Load] = {
    "all": Load("all", 2_000, Distribution.UNIFORM, 3),
    "churn": Load("churn", 500, Distribution.UNIFORM),
    "hot": Load("exchange", 20_000, Distribution.ZIPFIAN),
    "one": Load("churn", 1, Distribution.UNIFORM),
    "range": Load("range", 1_000, Distribution.CLUSTERED, 2),
    "climb": Load("all", 20_000, Distribution.ASCENDING, (2**64 - 1) // 19_999),
    "read": Load("read", 50_000, Distribution.HOT),
    "whole": Load("whole", 16, Distribution.UNIFORM),
    "ends": Load("ends", 120, Distribution.UNIFORM, 5),
    "merge": Load("merge", 1_500, Distribution.CLUSTERED),
}

CAPACITIES: dict[str, dict[str, Any]] = {
    "tiny": dict(TreeOptions.tiny().__dict__),
    "four": {"leaf_capacity": 4, "inner_capacity": 3, "leaf_log": 2, "inner_log": 2},
    "small": {"leaf_capacity": 8, "inner_capacity": 4, "leaf_log": 4, "inner_log": 2},
    "full": {},
}

THREADS = (2, 3, 4, 8)
WORKER = (False, True)


@dataclass(frozen=True)
class Cell:
    """One run of the farm; its name says all but the number of operations."""

    load: str
    capacity: str
    threads: int
    simd: str
    worker: bool
    seed: int

    @property
    def name(self) -> str:
        """Give the name that ``--cell`` reads back."""
        worker = "worker" if self.worker else "alone"
        return f"{self.load}-{self.capacity}-t{self.threads}-{self.simd}-{worker}-s{self.seed}"

    @classmethod
    def parse(cls, name: str) -> Cell:
        """Read a name back. CannotRun if it is none."""
        try:
            load, capacity, threads, simd, worker, seed = name.split("-")
            cell = cls(load, capacity, int(threads[1:]), simd, worker == "worker", int(seed[1:]))
        except ValueError:
            cell = None
        if cell is None or cell.name != name or load not in LOADS or capacity not in CAPACITIES:
            raise CannotRun(
                f"{name!r} is no cell of the farm; one is {first_cell().name!r}: "
                f"loads are {', '.join(LOADS)}, capacities {', '.join(CAPACITIES)}"
            )
        return cell

    def tree(self) -> TreeOptions:
        """Give the options of its tree."""
        fields: dict[str, Any] = {**CAPACITIES[self.capacity], "simd": self.simd}
        return TreeOptions(**{**fields, "worker": self.worker, "worker_interval_us": 1000})

    def workload(self, operations: int) -> Workload:
        """Give what its threads do."""
        load = LOADS[self.load]
        return Workload(
            seed=self.seed,
            threads=self.threads,
            operations=operations,
            mix=load.mix,
            space=load.space,
            distribution=load.distribution,
            stride=load.stride,
        )


def first_cell() -> Cell:
    """Give an example."""
    return Cell("all", "tiny", 2, "scalar", worker=False, seed=0)


def simd_levels() -> list[str]:
    """Give the levels that this processor has."""
    return [
        name
        for name in ("scalar", "avx2", "avx512")
        if lib.bw_options_check(TreeOptions(simd=name).native(), ffi.NULL, 0) == 0
    ]


def full_grid(seeds: Sequence[int]) -> list[Cell]:
    """Give every cell."""
    return [
        Cell(*choice)
        for choice in itertools.product(LOADS, CAPACITIES, THREADS, simd_levels(), WORKER, seeds)
    ]


def pair_grid(seed: int) -> list[Cell]:
    """Give few cells in which every pair of settings of two dimensions meets."""
    dimensions: list[Sequence[Any]] = [
        list(LOADS), list(CAPACITIES), THREADS, simd_levels(), WORKER
    ]  # fmt: skip
    every = list(itertools.product(*dimensions))
    missing = {pair for choice in every for pair in _pairs(choice)}
    chosen: list[Cell] = []
    while missing:
        best = max(every, key=lambda choice: sum(pair in missing for pair in _pairs(choice)))
        missing.difference_update(_pairs(best))
        load, capacity, threads, simd, worker = best
        chosen.append(Cell(load, capacity, threads, simd, worker, seed))
    return chosen


def _pairs(choice: tuple[Any, ...]) -> Iterator[tuple[int, Any, int, Any]]:
    for (i, a), (j, b) in itertools.combinations(enumerate(choice), 2):
        yield i, a, j, b
