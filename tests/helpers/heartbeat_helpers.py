"""Heartbeats of sessions that a test makes up, and the journals that such sessions hold."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path


class Journals:
    """Journals of sessions, which a session that runs holds locked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def hold(self, name: str) -> Path:
        """The journal of a session that runs."""
        path = self._folder / name / "state.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._held[name] = os.open(path, os.O_WRONLY | os.O_CREAT)
        fcntl.flock(self._held[name], fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path

    def release(self, name: str) -> None:
        """The session runs no more."""
        os.close(self._held.pop(name))

    def close(self) -> None:
        for name in list(self._held):
            self.release(name)


def write_heartbeat(home: Path, name: str, **fields: object) -> Path:
    path = heartbeat_path(name, home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"session_id": name, **fields}, default=str))
    return path


def begin(home: Path, journals: Journals, name: str = "mine") -> HeartbeatFile:
    """A session of this process begins."""
    return HeartbeatFile(heartbeat_path(name, home), name, journals.hold(name))
