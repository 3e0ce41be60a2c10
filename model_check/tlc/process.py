"""The one command that starts TLC, whoever asks for it.

Each process writes into a folder of its own, the modules that it unpacks from its jar included:
two that unpack into one folder can read each other's half-written files.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.report import CannotRun
from model_check.tlc.tools import Toolchain

#: Where the project's modules are, for modules that were generated elsewhere.
SPEC = Path("spec")


def java(
    tools: Toolchain,
    scratch: Path,
    *,
    optimize: bool = True,
    workers: int = 1,
    heap_mb: int | None = None,
    library: Path | None = None,
) -> list[str]:
    """Give the command up to TLC's own options.

    ``optimize``: with Java's optimizing compiler, which pays for itself after some ten seconds.
    ``library``: a folder of modules beside that of the module that is given to TLC.
    """
    return [
        str(tools.java),
        "-XX:+UseSerialGC" if workers == 1 else "-XX:+UseParallelGC",
        *([] if optimize else ["-XX:TieredStopAtLevel=1"]),
        *([] if tools.startup is None or workers > 1 else [f"-XX:AOTCache={tools.startup}"]),
        *([] if heap_mb is None else [f"-Xmx{heap_mb}m"]),
        "-Xss16m",  # recursive operators, long sequences
        "-XX:+ExitOnOutOfMemoryError",  # at once, instead of as an error in the middle of TLC
        f"-Djava.io.tmpdir={scratch}",
        *([] if library is None else [f"-DTLA-Library={library.resolve()}"]),
        "-Dtlc2.TLC.progressInterval=5",  # seconds; TLC 2.15 reports once a minute anyhow
        *("-cp", str(tools.jar), "tlc2.TLC"),
        *("-metadir", str(scratch / "states")),
    ]


@dataclass(frozen=True)
class Said:
    """What a run of TLC said: its exit code, its output, and what it has written into files."""

    code: int
    text: str
    written: str | None = None


def ended(
    command: Sequence[str], folder: Path, what: str, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run TLC in ``folder`` to its end. Raises CannotRun when it takes longer than ``seconds``."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"TLC has not come to its end with {what} in {seconds:.0f} s"
        raise CannotRun(message) from error


def generated(
    files: Mapping[str, str],
    module: str,
    tools: Toolchain,
    *,
    options: Sequence[str] = (),
    written: str | None = None,
    seconds: float = 300,
    workers: int = 1,
    spec: Path | None = None,
) -> Said:
    """Run TLC on a generated ``module`` (in ``files``, by name) over those of spec/.

    ``written``: pattern of the files that TLC writes (-dump, -simulate), given back one after the
    other. ``spec``: another folder of modules than the project's. Raises CannotRun when it takes
    longer than ``seconds``.
    """
    with tempfile.TemporaryDirectory(prefix="bwcheck-tlc-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        command = [
            *java(tools, folder, optimize=False, workers=workers, library=spec or SPEC),
            *("-config", f"{module}.cfg", "-workers", str(workers), *options, f"{module}.tla"),
        ]
        done = ended(command, folder, module, seconds)
        file_text = None
        if written is not None and (made := sorted(folder.glob(written))):
            file_text = "".join(path.read_text(encoding="utf-8") for path in made)
        return Said(done.returncode, done.stdout, file_text)
