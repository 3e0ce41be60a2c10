"""`bwcheck lin` and `bwcheck stress` in short, over another build of the recorder's extension.

Run as `python -m model_check.mutants.recorded EXTENSION OPERATIONS SEED`: it loads the extension in
the place of the project's own, records the runs that those commands record, with so many operations
each, and checks every history until one is not as it should be. It prints one JSON object for what
it found and ends with 1; or with 0. A broken engine may also crash or hang this process: that is
for the caller to see.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

NAME = "model_check._recorder"


def load(extension: Path) -> None:
    """Let ``model_check._recorder`` be this file. Before anything else imports it."""
    spec = importlib.util.spec_from_file_location(NAME, extension)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


def main(extension: Path, operations: int, seed: int) -> int:
    """Record and check until something is wrong; gives the exit code."""
    load(extension)
    from model_check.linearizability import suite  # noqa: PLC0415 - after the extension
    from model_check.report import Verdict  # noqa: PLC0415
    from model_check.stress.cell import run_cell  # noqa: PLC0415
    from model_check.stress.grid import pair_grid  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="bwcheck-mutant-") as folder:
        suite.KEPT = Path(folder)
        for case in suite.cases(seed, operations):
            finding = suite.record_and_judge(case)
            if finding.verdict is not Verdict.GREEN:
                return _say(f"lin: {case.name}", finding.problem)
        for cell in pair_grid(seed):
            row = run_cell(cell, operations, Path(folder))
            if row["outcome"] != "linearizable":
                return _say(f"stress: {cell.name}", str(row["problem"]))
    return 0


def _say(by: str, problem: str) -> int:
    what = problem.partition("; replay")[0].partition("; see it")[0]
    print(json.dumps({"by": by, "what": what}))
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python -m model_check.mutants.recorded EXTENSION OPERATIONS SEED")
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
