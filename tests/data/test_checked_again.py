"""Checked data that is asked for again: a file that was written anew, a store that cannot be
written to, kept rows a few at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from feed_helpers import BAR_HEADER, TRADE_HEADER, bar_row, source_of, traded, write

from logos.data import check as checking
from logos.data import replay
from logos.data.checked import store as stores
from logos.data.checked.columns import Columns
from logos.data.checked.question import Question
from logos.data.checked.store import CheckedStore
from logos.data.layout import TRADES
from logos.data.replay import ReplayFeed

ROWS = [bar_row(minute, volume=str(minute % 7)) for minute in range(60)]
QUESTION = Question(traded(), b"{}", frozenset())


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CheckedStore:
    monkeypatch.setattr(stores, "KEPT_ROWS_MIN", 10)
    monkeypatch.setattr(stores, "FREE_BYTES_MIN", 0)
    return CheckedStore(tmp_path / "checked", "build")


def test_a_file_written_anew_under_its_old_time_is_seen_by_the_process_that_knew_it(
    tmp_path: Path, store: CheckedStore
) -> None:
    path = write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS)
    before = path.stat()
    first, _ = store.check(source_of(path), QUESTION)
    with path.open("r+b") as file:  # the same file: size, time and place stay
        content = file.read().replace(b"10,12", b"11,12")
        file.seek(0)
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (
        *(before.st_size, before.st_mtime_ns, before.st_ino),
    )
    second, _ = store.check(source_of(path), QUESTION)
    assert second.fingerprints != first.fingerprints


def test_a_store_that_cannot_be_written_to_is_used(
    tmp_path: Path, store: CheckedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS)
    first, _ = store.check(source_of(path), QUESTION)

    def read_only(*_words: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", read_only)
    monkeypatch.setattr(checking, "read_blocks", None)
    again, columns = CheckedStore(tmp_path / "checked", "build").check(source_of(path), QUESTION)
    assert again == first
    assert columns is not None
    columns.close()


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_kept_rows_become_the_same_events_however_few_at_a_time(
    tmp_path: Path, store: CheckedStore, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    names = ("BTC_trades.csv", "ETH_trades.csv")
    seconds = (range(0, 50, 2), [3, 3, 4, 4, 4, 20, *range(30, 59)])
    sources = []
    checked: dict[Sequence[Path], Columns] = {}
    for name, some in zip(names, seconds, strict=True):
        lines = [f"2024-01-02T00:00:{each:02d}Z,10.5,{each % 5},buy" for each in some]
        path = write(tmp_path / name, TRADE_HEADER, lines)
        sources.append(source := source_of(path, TRADES))
        _, columns = store.check(source, QUESTION)
        assert columns is not None
        checked[source.paths] = columns
    feed = ReplayFeed(sources, {"BTCUSD": traded()})
    expected = [event for chunk in feed.chunks() for event in chunk]
    feed.checked = checked
    monkeypatch.setattr(replay, "_STEP_ROWS", 2 * rows)
    monkeypatch.setattr(replay, "_PART_ROWS_MIN", 1)
    chunks = [*feed.chunks()]
    assert [event for chunk in chunks for event in chunk] == expected
    assert len(chunks) > 60 // (4 * rows)
