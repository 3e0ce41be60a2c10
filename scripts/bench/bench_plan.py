"""What a run of the benchmark does: which workloads, by which indexes, in which processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bench_side_by_side
from bench_native import Job
from bench_side_by_side import SideJob

from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Names that stand for several workloads of the C driver.
SETS = {
    "core": (
        *("load_random", "load_ascending", "load_batches", "full_scan", "get_uniform", "get_zipf"),
        *("get_many", "get_many_64", "scan", "scan_short", "read_update", "insert_read", "remove"),
    ),
    "ycsb": ("ycsb_a", "ycsb_b", "ycsb_c", "ycsb_d", "ycsb_e", "ycsb_f"),
    "keys": (
        *("load_random", "load_ascending", "load_descending", "load_clustered", "get_uniform"),
        *("get_zipf", "get_hot", "get_ascending", "get_descending", "get_clustered"),
    ),
    "contention": ("contend_1", "contend_10", "contend_1000"),
    "writes": ("load_random", "load_ascending", "update_uniform", "update_zipf", "remove"),
}


def workloads_of(text: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Choose workloads by names and sets with commas, or all; give them in the driver's order."""
    asked: set[str] = set()
    for name in (part.strip() for part in text.split(",")):
        if name == "all":
            asked.update(known)
        elif name in SETS:
            asked.update(SETS[name])
        elif name in known:
            asked.add(name)
        else:
            message = (
                f"--workloads: there is no {name!r}; there are {', '.join(known)}, "
                f"and the sets {', '.join(SETS)}, all"
            )
            raise CannotRun(message)
    return tuple(name for name in known if name in asked)


@dataclass(frozen=True)
class Plan:
    """What is to be run."""

    keys: int
    operations: int
    threads: tuple[int, ...]
    repeats: int
    seed: int
    adapters: tuple[str, ...]
    workloads: tuple[str, ...]  # of the C driver
    containers: tuple[str, ...]  # of Python; empty: none
    pythons: Mapping[str, str]  # of containers that have a Python of their own
    python_keys: int
    beside: tuple[str, ...]  # adapters that are measured side by side, too; empty: none
    beside_operations: int
    groups: Sequence[tuple[str, ...]]  # of the workloads: those of the same keys
    latency: bool  # measure latencies, too, in processes of their own

    def jobs(self) -> list[Job]:
        """Give the C driver's processes: indexes take turns within each repeat."""
        return [
            Job(
                *(adapter, threads, repeat, group, self.keys, self.operations),
                seed=self.seed + repeat,
                latency=latency,
            )
            for repeat in range(self.repeats)
            for threads in self.threads
            for group in self.groups
            for adapter in self.adapters
            for latency in ((False, True) if self.latency else (False,))
            if not (latency and adapter.endswith(".class"))  # Java's program has no such option
        ]

    def side_jobs(self) -> list[SideJob]:
        """Give the processes in which several indexes are measured side by side."""
        count = len(self.beside)
        return [
            SideJob(
                self.beside,
                threads,
                group,
                self.keys,
                min(
                    self.beside_operations,
                    bench_side_by_side.most_operations(self.keys, threads, count),
                ),
                self.seed,
            )
            for threads in self.threads
            for group in self.groups
            if self.beside
        ]

    def python_jobs(self) -> list[Job]:
        """Give the Python processes, in turns likewise."""
        keys = self.python_keys
        return [
            Job(container, threads, repeat, (), keys, keys // 2, self.seed + repeat)
            for repeat in range(self.repeats)
            for threads in self.threads
            for container in self.containers
        ]
