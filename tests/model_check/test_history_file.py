"""History files: what is saved is loaded, and damage is named instead of guessed around."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from model_check.linearizability import check
from model_check.recorder import (
    History,
    HistoryFileError,
    Kind,
    Lane,
    Pair,
    Record,
    Run,
    Tree,
    TreeOptions,
    Workload,
    load,
    save,
)

if TYPE_CHECKING:
    from pathlib import Path

SMALL = [
    Lane([Record.of(Kind.PUT, 1, (1, 2), argument=7), Record.of(Kind.GET, 1, (3, 4), seen=7)], []),
    Lane(
        [Record.of(Kind.SCAN_FORWARD, 0, (5, 6), argument=9, expected=4, seen=0, count=2)],
        [Pair(1, 7), Pair(2, 8)],
    ),
]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "small.bwh"
    save(History.build(SMALL, [Pair(2, 8)], {"seed": 5}), path)
    return path


def test_what_is_saved_is_loaded(saved: Path) -> None:
    history = load(saved)
    assert history.lanes() == SMALL
    assert history.initial() == [Pair(2, 8)]
    assert history.facts == {"seed": 5}
    assert check(history).ok


def test_a_recorded_run_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run.bwh"
    with Tree(TreeOptions.tiny()) as tree, Run(tree, Workload(operations=20_000, space=50)) as run:
        history = run.round()
        save(history, path)
        again = load(path)
        assert again.lanes() == history.lanes()
        assert again.initial() == history.initial()
        assert again.facts == history.facts
    report = check(again)  # the run is gone: the file stands alone
    assert report.ok
    assert report.operations == again.record_count()


def test_an_empty_history_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "empty.bwh"
    save(History.build([]), path)
    assert load(path).record_count() == 0
    assert check(load(path)).ok


def test_every_truncation_is_noticed(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in range(len(whole)):
        saved.write_bytes(whole[:length])
        with pytest.raises(HistoryFileError):
            load(saved)


def test_every_flipped_byte_is_noticed(saved: Path) -> None:
    whole = saved.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        saved.write_bytes(damaged)
        with pytest.raises(HistoryFileError):
            load(saved)


def test_bytes_behind_the_end_are_noticed(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + bytes(8))
    with pytest.raises(HistoryFileError, match="8 bytes that belong to nothing"):
        load(saved)


@pytest.mark.parametrize(
    ("offset", "value", "sentence"),
    [
        (0, b"PNG", "not a history: it begins with"),
        (8, struct.pack("=I", 9), "version 9 of the format"),
        (12, struct.pack(">I", 0x01020304) if struct.pack("=I", 1)[0] else
         struct.pack("<I", 0x01020304), "other byte order"),
        (16, struct.pack("=I", 64), "records of 64 and pairs of 16 bytes"),
        (24, struct.pack("=I", 1 << 30), "the file ends early: the sizes of"),
        (32, struct.pack("=Q", 1 << 50), "initial entries take"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_offset(
    saved: Path, offset: int, value: bytes, sentence: str
) -> None:
    damaged = bytearray(saved.read_bytes())
    damaged[offset : offset + len(value)] = value
    saved.write_bytes(damaged)
    with pytest.raises(HistoryFileError, match=rf"offset \d+: .*{sentence}"):
        load(saved)


def test_a_file_that_is_too_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"BW")
    with pytest.raises(HistoryFileError, match="it has 2 bytes, fewer than"):
        load(path)
