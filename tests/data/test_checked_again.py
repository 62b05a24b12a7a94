"""Checked data that one process asks for again: a file that was written anew, a store that cannot
be written to."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from feed_helpers import BAR_HEADER, bar_row, source_of, traded, write

from logos.data import check as checking
from logos.data.checked import store as stores
from logos.data.checked.question import Question
from logos.data.checked.store import CheckedStore

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
