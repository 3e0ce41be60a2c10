"""`make bench`: measure the tree beside its peers, in one run, and make tables of it.

In C: the tree, std::map under a std::shared_mutex, the peers that `make bench-peers` has built, and
any index given by --extra-adapter. In Python: BwTree, sortedcontainers.SortedDict under a lock, and
peers likewise. The indexes take turns, each in a
process of its own, over several repeats. The tree and the extra adapters are then measured side by
side in one process, where ratios are finest. docs/performance.md explains what is measured.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import bench_native
import bench_peers
import bench_plan
import bench_python
import bench_report
import bench_side_by_side
import bench_summary
import typer
from bench_native import HERE, RANDOM, ROOT, Driver, Job
from bench_plan import Plan
from bench_report import DISTURBED, OURS, Measurement, Wrong
from bench_side_by_side import Slices

from model_check.console import diagnostics, output, progress
from model_check.report import CannotRun, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

_VIOLATION, _CANNOT, _INTERRUPTED = 1, 2, 130
_LEAST_KEYS, _LEAST_OPERATIONS, _MOST_THREADS = 1_000, 1_000, 64
_MOST_OPERATIONS = 2_000_000
#: Memory to have ready for a key: the greatest index's (std::map's), and the streams'.
_INDEX_BYTES, _STREAM_BYTES = 64, 2 * 8

#: Where there is no C++ compiler, this default stands for bwtree alone.
_ADAPTERS = "bwtree,std_map"

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1 or max(numbers) > _MOST_THREADS:
        message = f"--threads must be numbers from 1 to {_MOST_THREADS} with commas, got {text}"
        raise CannotRun(message)
    return numbers


def _names(text: str, known: dict[str, str], option: str) -> tuple[str, ...]:
    asked = [name.strip() for name in text.split(",")]
    for name in asked:
        if name not in known and not (name == "std_map" and text == _ADAPTERS):
            message = f"{option}: there is no {name!r}; there are {', '.join(known)}"
            raise CannotRun(message)
    return tuple(name for name in known if name in asked)


def _extra(files: list[Path]) -> tuple[str, ...]:
    for file in files:
        if not file.is_file():
            message = f"--extra-adapter {file}: there is no such file"
            raise CannotRun(message)
    return tuple(str(file.resolve()) for file in files)


def _least(option: str, value: int, least: int) -> None:
    if value < least:
        message = f"{option} must be at least {least:,}, got {value:,}"
        raise CannotRun(message)


def _check_memory(keys: int, indexes: int) -> None:
    need = keys * (indexes * _INDEX_BYTES + _STREAM_BYTES)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return
    if need > available * 1024:
        message = (
            f"{keys:,} keys need about {need / 2**30:.1f} GiB of memory and "
            f"{available / 2**20:.1f} GiB are available: ask for fewer with --keys"
        )
        raise CannotRun(message)


def _python_job(job: Job, python: str, waiting: Callable[[], None]) -> list[Measurement]:
    command = [python, str(HERE / "bench_python.py"), "--container", job.adapter]
    for option in ("threads", "keys", "operations", "seed"):
        command += [f"--{option}", str(getattr(job, option))]
    out, others = bench_native.run_process(command, waiting)
    return [
        Measurement(
            part="Python",
            index=job.adapter,
            threads=job.threads,
            repeat=job.repeat,
            workload=result["workload"],
            operations=result["operations"],
            seconds=result["seconds"],
            processor_seconds=result["processor_seconds"],
            others=others,
        )
        for result in json.loads(out)["results"]
    ]


def _measure(
    driver: Driver, plan: Plan
) -> tuple[list[Measurement], list[Slices], list[dict[str, float]]]:
    found: list[Measurement] = []
    dram = [bench_native.dram(driver)]
    beside: list[Slices] = []
    side_jobs = plan.side_jobs()
    runs: list[tuple[str, Job]] = [("C", job) for job in plan.jobs()]
    runs += [("Python", job) for job in plan.python_jobs()]
    with progress("bench", len(runs) + len(side_jobs), diagnostics()) as reporter:
        for part, job in runs:
            what = f"{part}: {Path(job.adapter).stem}, {job.threads} thread(s)"
            if part == "C" and RANDOM not in job.workloads:
                what += f", {job.workloads[0]}"
            if job.latency:
                what += ", latencies"

            def waiting(what: str = what) -> None:
                reporter.now(what)

            waiting()
            if part == "C":
                new = bench_native.run_job(driver, job, waiting)
            else:
                python = plan.pythons.get(job.adapter, sys.executable)
                new = _python_job(job, python, waiting)
            found += new
            seconds = sum(one.seconds for one in new)
            reporter.step(f"{what}, repeat {job.repeat + 1}: {seconds:.1f} s measured")
        for side_job in side_jobs:

            def waiting_beside(what: str = side_job.title()) -> None:
                reporter.now(what)

            waiting_beside()
            slices = bench_side_by_side.run_job(driver, side_job, waiting_beside)
            beside += slices
            seconds = sum(sum(each) for one in slices for each in one.seconds.values())
            reporter.step(f"{side_job.title()}: {seconds:.1f} s measured")
    return found, beside, [*dram, bench_native.dram(driver)]


def _check_file(path: Path) -> None:
    """Refuse a result file that could not be written, before half an hour has gone into it."""
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        message = f"--json: {path} cannot be written; name a file in a folder that you may write to"
        raise CannotRun(message)


@dataclass(frozen=True)
class _Options:
    """The command line."""

    keys: int
    operations: int | None
    threads: str
    repeats: int
    seed: int
    workloads: str
    adapters: str
    extra: list[Path]
    python: bool
    python_keys: int
    processor_time: bool
    side_by_side: bool
    engine: Path
    json_file: Path | None
    peers: str
    latency: bool


def _operations(options: _Options) -> int:
    """Look at the numbers asked for, before anything is built; give the operations to run."""
    _numbers(options.threads)
    _least("--keys", options.keys, _LEAST_KEYS)
    _least("--repeats", options.repeats, 1)
    _least("--python-keys", options.python_keys, 1000)
    operations = options.operations
    if operations is None:
        operations = max(min(options.keys // 2, _MOST_OPERATIONS), _LEAST_OPERATIONS)
    _least("--operations", operations, _LEAST_OPERATIONS)
    if options.side_by_side or options.extra:
        indexes = 1 + len(options.extra) + options.side_by_side
        least = bench_side_by_side.least_operations(max(_numbers(options.threads)), indexes)
        _least("--operations (for indexes side by side)", operations, least)
    _check_memory(options.keys, 1 + len(options.extra) + options.side_by_side)
    if options.json_file is not None:
        _check_file(options.json_file)
    return operations


def _containers(options: _Options) -> tuple[tuple[str, ...], dict[str, str]]:
    """Choose the Python containers: their names, and the Python of those that need another."""
    if not options.python:
        return (), {}
    if importlib.util.find_spec("bwtree") is None:
        message = "the bwtree package is not installed: run `make bench`, or use --no-python"
        raise CannotRun(message)
    pythons = bench_peers.built_python() if options.peers in {"built", "all"} else {}
    if importlib.util.find_spec("sortedcontainers") is None:
        diagnostics().print("sortedcontainers is not installed: it is left out of this run")
        return ("bwtree", *pythons), pythons
    return ("bwtree", "sorteddict", *pythons), pythons


def _beside(
    adapters: tuple[str, ...], extra: tuple[str, ...], *, everyone: bool
) -> tuple[str, ...]:
    """Choose who is measured side by side: the tree and the extra adapters, or everyone."""
    if everyone:
        if len(adapters) == 1:
            message = f"--side-by-side needs two indexes at least, got only {adapters[0]}"
            raise CannotRun(message)
        return adapters
    return (OURS, *extra) if OURS in adapters and extra else ()


def _peers(options: _Options) -> tuple[str, ...]:
    """Give what the driver is told of each peer that takes part."""
    built = bench_peers.built_native()
    names = bench_peers.chosen(options.peers, built)
    if options.peers == "built" and not built:
        diagnostics().print("no peers are built: `make bench-peers` installs and builds them")
    return tuple(built[name] for name in names)


def _make_plan(driver: Driver, options: _Options, operations: int, extra: tuple[str, ...]) -> Plan:
    if "std_map" not in driver.adapters:
        diagnostics().print("no C++ compiler (c++) was found: std::map is left out of this run")
    asked = options.adapters
    adapters = (*_names(asked, driver.adapters, "--adapters"), *_peers(options), *extra)
    workloads = bench_plan.workloads_of(options.workloads, driver.workloads)
    if "remove" in workloads and operations * 11 > options.keys * 10:
        message = (
            f"--operations must be at most ten elevenths of --keys ({options.keys:,}) for remove, "
            f"got {operations:,}: each key can be removed only once"
        )
        raise CannotRun(message)
    containers, pythons = _containers(options)
    return Plan(
        options.keys,
        operations,
        _numbers(options.threads),
        options.repeats,
        options.seed,
        adapters,
        workloads,
        containers,
        pythons,
        options.python_keys,
        _beside(adapters, extra, everyone=options.side_by_side),
        # As many as there can be, so that a slice is long beside the refill of the caches.
        options.operations or options.keys,
        driver.groups(workloads),
        options.latency,
    )


def _bench(options: _Options) -> None:
    started = datetime.now(timezone.utc)
    operations = _operations(options)
    extra = _extra(options.extra)
    folder = ROOT / "build" / "bench"
    where = "driver" if options.engine.resolve() == ROOT else "driver-other"
    with diagnostics().status("building the bench driver, checking the adapters …"):
        driver = bench_native.build(folder / where, options.engine)
        plan = _make_plan(driver, options, operations, extra)
        bench_native.check_adapters(driver, plan.adapters, lambda: None)
        bench_side_by_side.check(driver, plan.side_jobs())
    load = os.getloadavg()[0]
    if load > 1 and diagnostics().is_terminal:
        diagnostics().print(f"other programs are running (load average {load:.1f})", style="yellow")
    machine, commit = bench_report.machine(), bench_report.commit(options.engine)
    found, beside, dram = _measure(driver, plan)

    titles = {"C": driver.workloads, "Python": bench_python.WORKLOADS}
    processor_time = options.processor_time
    tables = bench_report.sections(found, titles, processor_time=processor_time)
    tables += bench_side_by_side.sections(beside, driver.workloads, processor_time=processor_time)
    command = shlex.join(["python", "scripts/bench/run.py", *sys.argv[1:]])
    disturbed = max([one.others for one in found] + [one.others for one in beside])
    rules = f"median (least–greatest) of {plan.repeats}; ratios: medians of the repeats' ratios"
    others = f"other programs took up to {disturbed:.0%} of the processors"
    accesses = {pages: min(one[pages] for one in dram) for pages in dram[0]}
    access = (
        f"one access to memory: {accesses['huge_pages']:.0f} ns with 2 MiB pages, "
        f"{accesses['small_pages']:.0f} ns with 4 KiB pages"
    )
    notes = [f"command: {command}", f"machine: {machine['summary']}", rules, others, access]
    for title, lines in tables:
        output().print(bench_report.table(title, lines))
    for note in notes:
        output().print(note, markup=False)
    if disturbed > DISTURBED:
        output().print("the machine was busy: trust the ratios before the figures", style="yellow")

    document: dict[str, object] = {
        "schema": bench_report.SCHEMA,
        "command": command,
        "started": started.isoformat(timespec="seconds"),
        "commit": commit,
        "machine": machine,
        "keys": plan.keys,
        "operations": plan.operations,
        "python_keys": plan.python_keys if plan.containers else None,
        "threads": list(plan.threads),
        "repeats": plan.repeats,
        "seed": plan.seed,
        "dram_ns": dram,
        "measurements": bench_report.as_json(found),
        "side_by_side": bench_side_by_side.as_json(beside),
    }
    stamp = started.strftime("%Y%m%d-%H%M%S")
    file = options.json_file or folder / f"{stamp}.json"
    write_json(file, document)
    text = "\n".join(bench_report.markdown(title, lines) for title, lines in tables)
    summary = bench_summary.markdown(found, driver.workloads, accesses["huge_pages"])
    text += f"\n#### C, {plan.keys:,} keys, all indexes: million operations a second\n\n{summary}"
    file.with_suffix(".md").write_text(
        text + "\n" + "".join(f"- {note}\n" for note in notes), encoding="utf-8"
    )
    output().print(f"written: {file} and {file.with_suffix('.md').name}", markup=False)


@app.command(epilog="Example: python scripts/bench/run.py --keys 1000000 --threads 1,2 --repeats 5")
def main(  # noqa: PLR0913 - the command line
    *,
    keys: Annotated[int, typer.Option(help="Keys that are loaded, in C.")] = 10_000_000,
    operations: Annotated[
        int | None, typer.Option(help=r"Operations of a workload \[half of --keys, 2 million].")
    ] = None,
    threads: Annotated[str, typer.Option(help="Numbers of threads, with commas.")] = "1,2",
    repeats: Annotated[int, typer.Option(help="How often everything is run.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the operations.")] = 1,
    workloads: Annotated[
        str,
        typer.Option(help="C workloads or sets (core, ycsb, keys, contention, writes, all)."),
    ] = "core",
    adapters: Annotated[
        str, typer.Option(help="Indexes of the project, with commas: bwtree, std_map, in_place.")
    ] = _ADAPTERS,
    peers: Annotated[
        str, typer.Option(help="Indexes of `make bench-peers`, with commas; built, all, none.")
    ] = "built",
    latency: Annotated[
        bool, typer.Option("--latency", help="Latencies, too, in processes of their own.")
    ] = False,
    extra_adapter: Annotated[
        list[Path] | None, typer.Option(help="Shared object of another index; see adapter.h.")
    ] = None,
    python: Annotated[bool, typer.Option(help="Measure in Python, too.")] = True,
    python_keys: Annotated[int, typer.Option(help="Keys that are loaded, in Python.")] = 200_000,
    processor_time: Annotated[
        bool,
        typer.Option("--processor-time", help="Tables by processor time, for a busy machine."),
    ] = False,
    side_by_side: Annotated[
        bool,
        typer.Option(
            "--side-by-side",
            help=r"All indexes in one process, too, in turns \[bwtree and the extra adapters].",
        ),
    ] = False,
    engine: Annotated[
        Path, typer.Option(help="Checkout whose tree is measured in C.", show_default="this one")
    ] = ROOT,
    quick: Annotated[
        bool, typer.Option("--quick", help="A million keys, once, for a first impression.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help=r"Result file \[build/bench/TIME.json].")
    ] = None,
) -> None:
    """Measure the tree beside its peers and print tables; write JSON and Markdown."""
    options = _Options(
        *(keys, operations, threads, repeats, seed, workloads, adapters, extra_adapter or []),
        *(python, python_keys, processor_time, side_by_side, engine, json_file),
        *(peers, latency),
    )
    if quick:
        options = replace(options, keys=1_000_000, repeats=1, python_keys=50_000)
    try:
        _bench(options)
    except Wrong as error:
        diagnostics().print(f"bench: {error}", style="bold red", markup=False)
        raise typer.Exit(_VIOLATION) from error
    except CannotRun as error:
        diagnostics().print(f"bench: {error}", style="yellow", markup=False)
        raise typer.Exit(_CANNOT) from error
    except KeyboardInterrupt as error:
        diagnostics().print("bench: interrupted; nothing was written")
        raise typer.Exit(_INTERRUPTED) from error


if __name__ == "__main__":
    app()
