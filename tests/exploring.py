"""Build small C programs for the explorer, in the project's build folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from model_check.explorer import COMPILER, Options, Program, Result, build, explore

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("BWCHECK_CACHE", str(ROOT / "build" / "explorer"))

PRELUDE = """
#include <assert.h>
#include <bwexplore.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#define LOAD(x, order) atomic_load_explicit(&x, memory_order_##order)
#define STORE(x, v, order) atomic_store_explicit(&x, v, memory_order_##order)
#define FENCE(order) atomic_thread_fence(memory_order_##order)
#define THREAD(name) static void *name(void *unused)
#define END return unused
static int run(unsigned n, void *(*const bodies[])(void *)) {
    pthread_t threads[8];
    for (unsigned i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, bodies[i], NULL);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
#define RUN(...) run(sizeof((void *(*[])(void *)){__VA_ARGS__}) / sizeof(void *), \\
                     (void *(*const[])(void *)){__VA_ARGS__})
"""


def source(text: str) -> Path:
    """Write a program of PRELUDE and ``text``; gives its path."""
    whole = PRELUDE + text
    folder = ROOT / "build" / "explorer-tests"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"program_{hashlib.sha256(whole.encode()).hexdigest()[:16]}.c"
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(whole, encoding="utf-8")
        part.replace(path)
    return path


def program(text: str, compiler: str = COMPILER, flags: tuple[str, ...] = ()) -> Program:
    """Build a program of PRELUDE and ``text``."""
    return build([source(text)], compiler=compiler, flags=flags)


def explored(text: str, options: Options | None = None, compiler: str = COMPILER) -> Result:
    """Build and explore a program of PRELUDE and ``text``."""
    return explore(program(text, compiler), options)
