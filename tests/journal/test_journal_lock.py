"""The lock on a journal: one writer, whoever looks."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from logos.journal import lock
from logos.journal.lock import JournalLock, SessionBusyError
from logos.journal.writer import JournalWriter


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "state.jsonl"
    JournalWriter(path).close()
    return path


@pytest.fixture
def looker(journal: Path) -> Iterator[int]:
    """Somebody who looks whether the session runs: a shared lock."""
    descriptor = os.open(journal, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    yield descriptor
    os.close(descriptor)


def test_who_only_looks_keeps_no_session_from_starting(
    journal: Path, looker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look ends while the writer waits for its next try."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            fcntl.flock(looker, fcntl.LOCK_UN)

    monkeypatch.setattr(time, "sleep", wait)
    JournalLock(journal).close()
    assert len(waits) == 3


def test_a_journal_that_stays_locked_has_a_writer(
    journal: Path, looker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(SessionBusyError, match="in use by a running session"):
        JournalLock(journal)
    assert len(waits) == lock._LOCK_TRIES - 1
