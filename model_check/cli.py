"""`bwcheck`: one command, one subcommand for each part of the suite.

Exit codes of every subcommand: 0 all as expected, 1 a violation (printed), 2 could not run
(says why and what to do), 130 after Ctrl-C.
"""

from __future__ import annotations

import functools
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model_check import __version__
from model_check.axioms.command import litmus
from model_check.bench_command import bench
from model_check.conformance.command import conform
from model_check.console import diagnostics, output
from model_check.everything import everything
from model_check.explorer.command import explore_command
from model_check.explorer.orders_command import engine, orders
from model_check.linearizability.command import lin
from model_check.mutants.command import mutants
from model_check.mutate.command import mutate
from model_check.proofs.command import proofs
from model_check.report import CannotRun
from model_check.site.command import report
from model_check.stress.command import stress
from model_check.tlc.command import tlc

if TYPE_CHECKING:
    from collections.abc import Callable

_CANNOT_RUN, _INTERRUPTED, _TERMINATED = 2, 130, 143

app = typer.Typer(
    name="bwcheck",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Check bwtree: its specs, its histories, its behaviour under load.",
    epilog="Example: bwcheck all --seed 7",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        output().print(f"bwcheck {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the ways a command can be kept from running into a sentence and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except CannotRun as error:
            diagnostics().print(f"bwcheck: {error}", style="yellow", markup=False)
            raise typer.Exit(_CANNOT_RUN) from error
        except KeyboardInterrupt as interrupt:
            diagnostics().print("bwcheck: interrupted; nothing was decided", style="yellow")
            raise typer.Exit(_INTERRUPTED) from interrupt
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            diagnostics().print_exception()
            diagnostics().print(
                "bwcheck: this is a bug in the checker itself; nothing was decided", style="yellow"
            )
            raise typer.Exit(_CANNOT_RUN) from error

    return run


app.command("tlc")(_guarded(tlc))
app.command("litmus")(_guarded(litmus))
app.command("proofs")(_guarded(proofs))
app.command("conform")(_guarded(conform))
app.command("lin")(_guarded(lin))
app.command("stress")(_guarded(stress))
app.command("explore")(_guarded(explore_command))
app.command("engine")(_guarded(engine))
app.command("orders")(_guarded(orders))
app.command("mutants")(_guarded(mutants))
app.command("mutate")(_guarded(mutate))
app.command("report")(_guarded(report))
app.command(
    "bench",
    epilog="Example: bwcheck bench --keys 1000000 --workloads ycsb --seed 3",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(_guarded(bench))
app.command("all")(_guarded(everything))


def main() -> None:
    """Run the command line; SIGTERM ends it as cleanly as Ctrl-C, with exit code 143."""

    def end(_signal: int, _frame: object) -> None:
        raise SystemExit(_TERMINATED)

    signal.signal(signal.SIGTERM, end)
    app(prog_name="bwcheck")
