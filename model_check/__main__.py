"""`python -m model_check` is `bwcheck`."""

from __future__ import annotations

import sys

from model_check.report import CannotRun


def main() -> None:
    """Run `bwcheck`; where its compiled part is missing, say so and end with 2."""
    try:
        from model_check.cli import main as run  # noqa: PLC0415 - may fail, and must say why
    except CannotRun as error:
        print(f"bwcheck could not run: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    run()


if __name__ == "__main__":
    main()
