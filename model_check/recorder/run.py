"""Runs: N real threads on one tree, round after round, each round a history.

::

    with Tree(TreeOptions.tiny()) as tree, Run(tree, Workload(seed=7)) as run:
        for history in run.rounds(3):
            ...check it...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from model_check.recorder.history import History
from model_check.recorder.native import Hung, Kind, ffi, interruptible, lib, text
from model_check.recorder.options import Tree, TreeOptions, Workload
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType


class RunFailed(Exception):
    """A call gave an error, or the quiescent tree contradicts itself: a defect of the library."""


class RunHung(RunFailed):
    """A call of the library never came back: a defect of the library."""


#: Seconds that a phase of a run may take; millions of operations take a few.
_PATIENCE = 60.0


class Request(NamedTuple):
    """One call of a program; a batch takes the keys key, key + 1, …, key + count - 1."""

    kind: Kind
    key: int
    limit: int = 0
    count: int = 1  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    pause: int = 0


class Run:
    """Threads that call ``tree``; a context manager that frees the memory of the records."""

    def __init__(
        self,
        tree: Tree,
        workload: Workload,
        *,
        programs: Sequence[Sequence[Request]] | None = None,
        tree_options: TreeOptions | None = None,
    ) -> None:
        """Allocate the records and fill the tree. CannotRun, RunFailed."""
        self._tree = tree
        self.workload = workload
        self._tree_options = tree_options or TreeOptions()
        options, native = workload.native()
        message = ffi.new("char const **")
        self._native = lib.rec_run_new(tree.handle, options, native, message)
        if not self._native:
            raise CannotRun(f"the run could not be made: {text(message[0])}")
        for thread, program in enumerate(programs or ()):
            if not all(1 <= request.count <= lib.REC_MAX_BATCH for request in program):
                raise CannotRun(f"a request's count must be from 1 to {lib.REC_MAX_BATCH}")
            requests = ffi.new(
                "rec_request[]", [(r.key, r.limit, r.count, r.pause, int(r.kind)) for r in program]
            )
            if lib.rec_run_program(self._native, thread, requests, len(requests)) != 0:
                raise CannotRun(f"thread {thread} could not be given its program")
        if workload.prefill > 0:
            self._call(lambda: lib.rec_run_prefill(self._native, workload.prefill))

    def round(self) -> History:
        """Run all threads once and read the tree back; the history is valid until the next round.

        RunFailed when a call gave an error or the tree contradicts itself afterwards.
        """
        self.execute()
        self._call(lambda: lib.rec_run_finish(self._native))
        return self.history()

    def execute(self) -> None:
        """Run all threads once, without reading the tree back."""
        self._call(lambda: lib.rec_run_execute(self._native))

    def _call(self, call: Callable[[], int]) -> None:
        """Make one call of the recorder. RunFailed; RunHung, and then nothing is ever freed."""
        native = self._native
        try:
            code = interruptible(call, lambda: lib.rec_run_stop(native), patience=_PATIENCE)
        except Hung as error:
            self._native = ffi.NULL
            self._tree.abandon()
            raise RunHung(
                f"the threads hang: {error}; a call of the library never returns"
            ) from error
        if code != 0:
            raise RunFailed(text(lib.rec_run_error(self._native)))

    def history(self) -> History:
        """View what the last round recorded."""
        return History(lib.rec_run_history(self._native), self, self.facts())

    def facts(self) -> dict[str, Any]:
        """Give what a file says about the run."""
        return {
            "workload": self.workload.as_dict(),
            "tree": dict(vars(self._tree_options)),
            "clock": "counter" if lib.rec_clock_select() else "monotonic",
            "ticks_per_second": lib.rec_clock_frequency(),
            "seconds": self.seconds,
        }

    def next_round(self) -> None:
        """Forget the records; the state read back is where the next round begins."""
        lib.rec_run_next_round(self._native)

    def rounds(self, count: int) -> Iterator[History]:
        """Give the histories of ``count`` rounds, one after another on the same tree."""
        for number in range(count):
            if number > 0:
                self.next_round()
            yield self.round()

    @property
    def seconds(self) -> float:
        """How long the threads of the last round took."""
        return float(lib.rec_run_seconds(self._native))

    @property
    def operations(self) -> int:
        """Operations of the last round: calls, a batch of n keys counted n times."""
        return int(lib.rec_run_operations(self._native))

    def close(self) -> None:
        """Free the records; histories that view them end here."""
        native, self._native = self._native, ffi.NULL
        if native:
            lib.rec_run_free(native)

    def __enter__(self) -> Run:  # noqa: PYI034 - typing.Self came with Python 3.11
        """Give the run itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the records."""
        self.close()


class Overhead(NamedTuple):
    """Operations a second with and without recording."""

    recorded: float
    unrecorded: float

    @property
    def share(self) -> float:
        """Give the share of the throughput that recording costs."""
        return 1 - self.recorded / self.unrecorded


def measure_overhead(
    workload: Workload, options: TreeOptions | None = None, *, repeats: int = 3
) -> Overhead:
    """Run the same requests with and without recording, in turn, each on a fresh tree.

    The best of ``repeats`` counts on each side: noise of the machine only ever slows down.
    """
    best = {True: 0.0, False: 0.0}
    for _ in range(repeats):
        for record in (False, True):
            changed = Workload(**{**vars(workload), "record": record})
            with Tree(options) as tree, Run(tree, changed) as run:
                run.execute()
                best[record] = max(best[record], run.operations / run.seconds)
    return Overhead(recorded=best[True], unrecorded=best[False])
