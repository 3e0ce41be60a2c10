"""Make TLC start faster: Java keeps what it has loaded and linked of TLC's classes in a file.

Most configurations of the check tier end within seconds, and much of each is Java's start. From
Java 25 on (JEP 514) one run leaves such a file behind, and all others begin with what is in it.
It is no part of any result: without it, or with one that does not fit, TLC runs as ever.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model_check.tlc.process import java

if TYPE_CHECKING:
    from model_check.tlc.tools import Toolchain

#: Runs that make up for the one more that makes the file.
WORTH_IT = 20
_FIRST_JAVA = 25
_FOLDER = Path("build") / "tlc"
_SECONDS = 60
#: Goes through what most configurations need: sets, records, an invariant, liveness.
_MODULE = """---- MODULE Start ----
EXTENDS Integers, Sequences, FiniteSets, TLC
VARIABLES n, log
Init == n = 0 /\\ log = <<>>
Step == n < 3 /\\ n' = n + 1 /\\ log' = Append(log, [at |-> n, seen |-> {n}])
Spec == Init /\\ [][Step]_<<n, log>> /\\ WF_<<n, log>>(Step)
Few == Cardinality({log[i] : i \\in 1..Len(log)}) <= 3
Ends == <>(n = 3)
====
"""
_CONFIG = "SPECIFICATION Spec\nINVARIANT Few\nPROPERTY Ends\n"


def with_startup(tools: Toolchain, folder: Path = _FOLDER) -> Toolchain:
    """Give ``tools`` with the file, made if need be; as they are where it cannot be had."""
    version = tools.java_version.partition(".")[0]
    if not version.isdecimal() or int(version) < _FIRST_JAVA:
        return tools
    name = f"{tools.java}\0{tools.java_version}\0{tools.jar}\0{tools.jar.stat().st_size}"
    kept = folder / f"startup-{hashlib.sha256(name.encode()).hexdigest()[:16]}.aot"
    if not kept.is_file() and not _make(tools, kept):
        return tools
    return replace(tools, startup=kept.resolve())


def _make(tools: Toolchain, kept: Path) -> bool:
    """Run TLC once and keep what it has loaded; tells whether that could be done."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    with tempfile.TemporaryDirectory(prefix="bwcheck-tlc-") as name:
        scratch = Path(name)
        (scratch / "Start.tla").write_text(_MODULE, encoding="utf-8")
        (scratch / "Start.cfg").write_text(_CONFIG, encoding="utf-8")
        program, *options = java(tools, scratch, optimize=False)
        made = scratch / "startup.aot"
        command = [program, f"-XX:AOTCacheOutput={made}", *options, "-deadlock", "Start.tla"]
        try:
            subprocess.run(command, cwd=scratch, capture_output=True, timeout=_SECONDS, check=True)
            part = kept.with_suffix(f".{os.getpid()}")
            part.write_bytes(made.read_bytes())
            part.replace(kept)  # whole at once: another process may look for it
        except (OSError, subprocess.SubprocessError):
            return False
    return True
