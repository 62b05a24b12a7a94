"""Sessions in processes of their own that wait at one point of their life."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kill_helpers import WAIT_S, read_journal, start


@contextmanager
def waiting(
    home: Path, session_id: str, prefix: tuple[str, ...] = (), **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """A session that has come to where it waits; see `waiting_session.py`."""
    given = json.dumps({"id": session_id} | options)
    process = start(home, "waiting_session.py", given, prefix=prefix)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def goes_on(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The session no longer waits: how it ends."""
    out, err = process.communicate("\n", timeout=WAIT_S)
    assert process.returncode == 0, err
    ended: dict[str, Any] = json.loads(out.splitlines()[-1])
    return ended


def crash(home: Path, session_id: str) -> None:
    process = start(home, "waiting_session.py", json.dumps({"id": session_id, "what": "crash"}))
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 0


def orders(home: Path, session_id: str) -> int:
    folder = home / "runs" / "live" / "sessions" / session_id
    return len(read_journal(folder).of("order")) if folder.is_dir() else 0
