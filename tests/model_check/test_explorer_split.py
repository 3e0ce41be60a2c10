"""One exploration shared by the workers of pytest-xdist, as docs/explorer.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from model_check.explorer import Options, explore
from tests.exploring import ROOT, program, source

WRITERS = """
static atomic_int x; static int last;
THREAD(one) { STORE(x, 1, relaxed); STORE(x, 2, relaxed); END; }
THREAD(two) { STORE(x, 3, relaxed); last = LOAD(x, relaxed); END; }
THREAD(three) { STORE(x, 4, relaxed); STORE(x, LOAD(x, relaxed) + 4, relaxed); END; }
int main(void) { RUN(one, two, three); bwx_check(CONDITION, "the check"); return 0; }
"""
PARTS = '''
"""The parts of one exploration, a test each."""
import dataclasses
from pathlib import Path

import pytest

from model_check.explorer import Options, build, explore
from model_check.explorer.parallel import split

PROGRAM = build([Path("{path}")])
OPTIONS = Options()
FIRST, PREFIXES = split(PROGRAM, OPTIONS, 8)

@pytest.mark.parametrize("prefix", ["the way", *PREFIXES])
def test_part(prefix):
    result = FIRST
    if prefix != "the way":
        result = explore(PROGRAM, dataclasses.replace(OPTIONS, prefix=prefix))
    assert result.finding is None
    print(f"complete={{result.complete}}")
'''


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    test = folder / "test_parts.py"
    test.write_text(PARTS.format(path=source(text)), encoding="utf-8")
    options = ["-q", "-n", "2", "-rA", "-v", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, test],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_workers_explore_all_of_it_between_them(tmp_path: Path) -> None:
    text = WRITERS.replace("CONDITION", "last != 0")
    done = run(text, tmp_path)
    assert done.returncode == 0, done.stdout
    assert {"[gw0]", "[gw1]"} <= set(re.findall(r"\[gw\d\]", done.stdout))
    complete = sum(map(int, re.findall(r"^complete=(\d+)", done.stdout, re.MULTILINE)))
    assert complete == explore(program(text), Options()).complete


def test_one_of_them_finds_what_there_is(tmp_path: Path) -> None:
    text = WRITERS.replace("CONDITION", "last != 8")
    assert explore(program(text), Options()).finding is not None
    done = run(text, tmp_path)
    assert done.returncode == 1, done.stdout
    assert "assert result.finding is None" in done.stdout
    assert "error" not in done.stdout.splitlines()[-1]
