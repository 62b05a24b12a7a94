"""The record of requests by ticket: what a disk that fails leaves behind can still be read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest

from logos.adapters.mt5.tickets.legs import OPENS, Leg, LegRecord


def begin(record: LegRecord, order: str = "run-1") -> Leg:
    return record.begin(order, "C.s", "BUY", 10, OPENS, 1)


def test_a_number_is_not_used_again_where_the_disk_did_not_confirm_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.tickets.jsonl"
    record = LegRecord(path)

    def fails(_: object) -> None:
        raise OSError(errno.EIO, "the disk failed")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="the disk failed"):
            begin(record)
    assert all(each.is_settled for each in record.of("run-1")), "it was never sent"
    leg = begin(record)
    record.end(leg, "not sent")
    record.close()
    found = LegRecord(path).of("run-1")
    assert [each.number for each in found] == [1, 2]
    assert found[-1].outcome == "not sent"


def full_disk(written: int) -> Callable[[int, bytes], int]:
    """A disk that takes so many bytes more."""
    write, left = os.write, written

    def writes(descriptor: int, data: bytes) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "no space left")
        taken, left = min(left, len(data)), 0
        return write(descriptor, bytes(data[:taken]))

    return writes


def test_a_line_that_the_disk_took_in_part_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.tickets.jsonl"
    record = LegRecord(path)
    first = begin(record)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full_disk(9))
        with pytest.raises(OSError, match="no space left"):
            begin(record, "run-2")
    record.end(first, "done", 10)
    record.close()
    found = LegRecord(path)
    assert [each.done_units for each in found.of("run-1")] == [10]
    assert found.of("run-2") == []
