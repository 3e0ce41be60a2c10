"""The page of the explorer's programs says what the rows of a summary say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from scripts import explorer_tables


def row(**fields: Any) -> dict[str, Any]:
    return {
        "case": "append-append",
        "model": "sc",
        "strategy": "exhaustive",
        "executions": 1234,
        "verdict": "nothing found",
        "bound": "every execution",
        "exhaustive": True,
        "executions_per_second": 1,
        "seconds": 0.5,
        **fields,
    }


def test_a_program_explored_to_the_end_is_in_the_first_table() -> None:
    page = explorer_tables.page(
        [row(), row(model="rc11", strategy="random", bound="", exhaustive=False)]
    )
    first, second = page.split("## Within a bound")
    assert "thread put 30 3` | 1,234 (0.50 s) |  |" in first
    assert "thread put 30 3` |  | 1,234 walks |" in second


def test_what_was_not_ended_is_not_called_all() -> None:
    assert "| the first 1,234 (0.50 s) |" in explorer_tables.page([row(exhaustive=False)])
    page = explorer_tables.page([row(strategy="bounded", bound="1 preemptions", exhaustive=False)])
    assert "| 1 preemptions: 1,234 |" in page


def test_a_defect_has_its_finding_and_lengths() -> None:
    found = row(
        mutant="a thing is broken", verdict="assertion", found_steps=1500, found_preemptions=3
    )
    page = explorer_tables.page([{**found, "shrunk_steps": 800, "shrunk_preemptions": 1}])
    assert (
        "| a thing is broken | append-append | sc | assertion | 1,234 | 0.50 | 1,500, 3 | 800, 1 |"
        in page
    )


@pytest.mark.parametrize("text", ["", "{}", '{"sections": [{"name": "tlc"}]}', "[]"])
def test_another_file_is_refused_with_what_to_do(text: str, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(text)
    app = typer.Typer()
    app.command()(explorer_tables.main)
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 2
    assert "run make check" in " ".join(result.output.replace("│", " ").split())


def test_the_page_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"sections": [{"name": "explore", "rows": [row()]}]}))
    monkeypatch.setattr(explorer_tables, "PAGE", tmp_path / "page.md")
    explorer_tables.main(path)
    assert (tmp_path / "page.md").read_text().startswith("# The explorer's programs")
