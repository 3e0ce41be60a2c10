"""BwTree beside other ordered maps of Python, as a program with threads would use them.

Run as a program it measures one of them in one process and prints one line of JSON:

    python bench_python.py --container bwtree|sorteddict|… --threads T --keys N --operations N
    python bench_python.py --container bwtree|sorteddict|… --check    only checks its answers

run.py runs the processes in turn. Exit status: 0, 1 (a wrong answer), 2 (could not run).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

from bench_containers import CONTAINERS, open_container
from bench_stream import MASK, SCAN_LENGTH, Stream, Zipf, splitmix64

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WRONG, _CANNOT = 1, 2

#: Name and description of each workload, in the order in which they run.
WORKLOADS = {
    "load": "load, random order: d[key] = value",
    "load_many": "load in batches of 1024",
    "get_uniform": "get, uniform: d[key]",
    "get_zipf": "get, zipfian 0.99: d[key]",
    "get_many": "get in batches of 1024, uniform",
    "scan": "scan of 100 keys",
    "read_update": "50 % get, 50 % update, zipfian 0.99",
    "remove": "remove, each key once: del d[key]",
}


def check(name: str, seed: int, steps: int = 20_000) -> str | None:
    """Compare a seeded mix of operations with a dict; give a sentence on the first difference."""
    container, _ = open_container(name)
    chance = random.Random(seed)
    model: dict[int, int] = {}
    keys = [0, 1, MASK - 1, MASK, *(chance.getrandbits(64) for _ in range(1000))]
    for step in range(steps):
        key, value, kind = chance.choice(keys), chance.getrandbits(64), chance.randrange(8)
        got: object = None
        expected: object = None
        if kind < 3:
            container[key] = model[key] = value
        elif kind == 3:
            got, expected = container.pop(key, None), model.pop(key, None)
        elif kind == 4 and step % 16 == 0:
            got = list(islice(container.irange(key), SCAN_LENGTH))
            expected = sorted(other for other in model if other >= key)[:SCAN_LENGTH]
        else:
            got, expected = container.get(key), model.get(key)
        if got != expected:
            return f"{name} gave {got}, expected {expected} (key {key}, step {step}, seed {seed})"
    if list(container.items()) != sorted(model.items()):
        return f"{name} holds other items than it was given (seed {seed})"
    return None


def keys_for(workload: str, thread: int, arguments: argparse.Namespace) -> list[int]:
    """Choose the keys of one thread's stream, as stream.c does."""
    n, threads = arguments.keys, arguments.threads
    if workload in {"load", "load_many"}:
        return [splitmix64(i) for i in range(thread, n, threads)]
    count = arguments.operations // threads // (10 if workload == "scan" else 1)
    if workload == "remove":
        order = random.Random(arguments.seed).sample(range(n), count * threads)
        return [splitmix64(i) for i in order[thread::threads]]
    chance = random.Random(f"{arguments.seed} {workload} {thread}")
    if workload in {"get_zipf", "read_update"}:
        zipf = Zipf(n)
        return [splitmix64(splitmix64(zipf.rank(chance.random())) % n) for _ in range(count)]
    keys = [splitmix64(chance.randrange(n)) for _ in range(count)]
    if workload == "scan":
        limit = MASK // 10 * 9  # leave out the end: each scan must find all its keys
        return [key for key in keys if key <= limit]
    return keys


def run_threads(
    loop: Callable[[Stream], int], streams: Sequence[Stream]
) -> tuple[float, float, int]:
    """Run the loop on each stream in a pinned thread of its own.

    Gives the seconds that went by, those that the threads had a processor, and the wrong answers.
    """
    processors = sorted(os.sched_getaffinity(0))
    gate = threading.Barrier(len(streams))
    spans: list[tuple[float, float]] = []
    processor: list[float] = []
    wrong: list[int] = []

    def work(number: int, stream: Stream) -> None:
        os.sched_setaffinity(0, {processors[number % len(processors)]})
        gate.wait()
        had = time.thread_time()
        start = time.perf_counter()
        try:
            found = loop(stream)
        except KeyError:
            found = 1  # a key that was put in is not there
        spans.append((start, time.perf_counter()))
        processor.append(time.thread_time() - had)
        wrong.append(found)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(spans) != len(streams):
        print("a thread ended with an exception, see above", file=sys.stderr)
        raise SystemExit(_CANNOT)
    went_by = max(end for _, end in spans) - min(start for start, _ in spans)
    return went_by, sum(processor), sum(wrong)


def measure(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Run every workload; the results as driver.c gives them."""
    container, loops = open_container(arguments.container)
    results: list[dict[str, object]] = []
    for workload in WORKLOADS:
        if workload == "load_many":
            container, loops = open_container(arguments.container)
        keys = [keys_for(workload, thread, arguments) for thread in range(arguments.threads)]
        batched = workload in {"load_many", "get_many"}
        if workload not in {"load", "load_many", "remove"}:  # warm up
            run_threads(
                loops[workload], [Stream.of(k[: len(k) // 10], batched=batched) for k in keys]
            )
        seconds, processor, errors = run_threads(
            loops[workload], [Stream.of(k, batched=batched) for k in keys]
        )
        expected = arguments.keys
        if workload in {"load", "load_many"} and len(container) != expected:
            errors += 1
        results.append(
            {
                "workload": workload,
                "operations": sum(map(len, keys)),
                "seconds": seconds,
                "processor_seconds": processor,
                "errors": errors,
            }
        )
    return results


def main() -> int:
    """Check, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--container", choices=list(CONTAINERS), required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--operations", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    sentence = check(arguments.container, arguments.seed)
    if arguments.check and sentence is None:
        return 0
    results = measure(arguments) if sentence is None else []
    for result in results:
        if result["errors"]:
            sentence = (
                f"{arguments.container} gave {result['errors']} wrong answers in "
                f"{result['workload']} ({arguments.threads} threads, seed {arguments.seed})"
            )
    if sentence is not None:
        print(sentence, file=sys.stderr)
        return _WRONG
    print(json.dumps({"adapter": arguments.container, "results": results}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
