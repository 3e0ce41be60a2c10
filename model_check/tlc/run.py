"""One TLC process: started, read while it runs, ended in time, and cleaned up after.

TLC writes into a folder of its own (states, the modules that it unpacks from its jar) and
never into spec/: several run at once, and two that unpack into one folder can read each
other's half-written files.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model_check.tlc.output import Outcome, Parser
from model_check.tlc.process import java

if TYPE_CHECKING:
    from model_check.tlc.config import Config
    from model_check.tlc.tools import Toolchain

#: What java -XX:+ExitOnOutOfMemoryError ends with.
_JAVA_OUT_OF_MEMORY = 3
#: TLC has this many fingerprint polynomials, -fp 0 to 130.
_POLYNOMIALS = 131


@dataclass(frozen=True)
class Limits:
    """What one process may use."""

    workers: int = 1
    heap_mb: int = 1024
    timeout: float = 600.0
    seed: int = 0


def command_line(config: Config, tools: Toolchain, limits: Limits, scratch: Path) -> list[str]:
    """Give the command that model-checks ``config``; all it writes goes to ``scratch``."""
    return [
        # The check tier ends before the optimizing compiler pays for itself: without it, a
        # must-fail takes half the processor time, a must-pass of ten seconds two thirds.
        *java(
            tools,
            scratch,
            optimize=config.tier != "check",
            workers=limits.workers,
            heap_mb=limits.heap_mb,
        ),
        "-tool",
        *("-config", config.path.name),  # TLC 2.15 looks beside the module only
        *("-workers", "1" if config.simulate else str(limits.workers)),  # one: always the same
        *_simulation(config),
        *("-seed", str(limits.seed)),
        *("-fp", str(limits.seed % _POLYNOMIALS)),
        # It counts every expression, which takes two to three times as long.
        *(() if config.notices else ("-coverage", "1")),
        *([] if config.check_deadlock else ["-deadlock"]),
        str(config.spec.resolve()),
    ]


def _simulation(config: Config) -> tuple[str, ...]:
    """Give the options for random behaviours, none where all of them are explored."""
    if config.simulate is None:
        return ()
    traces, depth = config.simulate.traces, config.simulate.depth
    return ("-simulate", f"num={traces}", "-depth", str(depth))


class Run:
    """One configuration being checked; :meth:`stop` may be called from another thread."""

    def __init__(self, config: Config, tools: Toolchain, limits: Limits) -> None:
        """Prepare; nothing starts before :meth:`finish`."""
        self.config = config
        self.started: float | None = None
        self._tools = tools
        self._limits = limits
        self._parser = Parser()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def outcome(self) -> Outcome:
        """Give what is known so far."""
        return self._parser.outcome

    def finish(self) -> Outcome:
        """Run TLC to its end, or to the time limit, and give the outcome.

        Raises OSError if the process cannot be started.
        """
        self.started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bwcheck-tlc-") as folder:
            process = self._start(folder)
            if process is None:
                return self.outcome
            timer = threading.Timer(self._limits.timeout, self._time_out)
            timer.daemon = True
            timer.start()
            try:
                for line in process.stdout or ():
                    self._parser.feed(line)
                self.outcome.exit_code = process.wait()
            finally:
                timer.cancel()
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()
        if self.outcome.exit_code == _JAVA_OUT_OF_MEMORY:
            self.outcome.out_of_memory = True
        self.outcome.seconds = time.monotonic() - self.started
        return self.outcome

    def _start(self, folder: str) -> subprocess.Popen[str] | None:
        command = command_line(self.config, self._tools, self._limits, Path(folder))
        with self._lock:
            if self._stopped:
                return None
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            return self._process

    def _time_out(self) -> None:
        self.outcome.timed_out = True
        self.stop()

    def stop(self) -> None:
        """End the process now; :meth:`finish` returns soon after."""
        with self._lock:
            self._stopped = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
