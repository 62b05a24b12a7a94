"""Alerts and workspaces that tests of alerts share: real files, made by what makes them really."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from logos import paths
from logos.config.tables.alerts import AlertKind, AlertSettings, ChannelSettings, ChannelType
from logos.core.records import GuardRecord
from logos.core.types import Code
from logos.files import make_folder
from logos.journal.entries import JOURNAL
from logos.journal.writer import JournalWriter
from logos.observe.alerts.alert import Alert
from logos.observe.alerts.watch import Watch, sessions_folder
from logos.session.presence import registry
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path

SECOND = 1_000_000_000


def alert(
    number: int,
    kind: AlertKind = AlertKind.FEED,
    *,
    cause: str = "",
    session: str = "desk-1",
    time_ns: int | None = None,
    condition: str = "",
    channels: tuple[str, ...] = ("desk",),
) -> Alert:
    """An alert of its own cause, unless one is named."""
    return Alert(
        id=f"{session}:{number}",
        kind=kind,
        workspace="/srv/desk",
        session=session,
        cause=cause or f"cause {number}",
        text=f"text {number}",
        next="logos status",
        time_ns=number * SECOND if time_ns is None else time_ns,
        condition=condition,
        channels=channels,
    )


def command_channel(there: Path, **more: Any) -> ChannelSettings:
    """A channel that appends what it gets to a file, a line each."""
    script = f"cat >> {there}; echo >> {there}"
    return ChannelSettings(type=ChannelType.COMMAND, command=["sh", "-c", script], **more)


def settings(**channels: ChannelSettings) -> AlertSettings:
    """Settings that tell of no full disk, which is the machine's that runs the tests."""
    return AlertSettings(channels=channels, min_free_bytes=0)


def guard(code: Code, action: str = "halt", subject: str = "BTCUSDT") -> GuardRecord:
    return GuardRecord(7 * SECOND, 3, code, action, subject, "the figure and the limit")


def sealed(status: str, reason: str = "why", failure: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "sealed", "status": status, "reason": reason}
    return found | ({"failure": list(failure)} if failure else {})


class FakeSession:
    """A session's files as the real writers make them: its entry, heartbeat, locked journal."""

    def __init__(self, workspace: Path, session_id: str) -> None:
        self.id = session_id
        self.folder = sessions_folder(workspace) / session_id
        make_folder(self.folder)
        path = self.folder / JOURNAL
        self.entry = registry.enter("trade", workspace, session_id)
        self.entry.name(session_id, workspace)
        self.journal = JournalWriter(path)
        self.journal.append({"kind": "manifest", "schema": 1})
        beat_path = heartbeat_path(session_id, workspace)
        self.heartbeat = HeartbeatFile(beat_path, session_id, path, self.entry.token)
        self.beat()

    def beat(self, **figures: object) -> None:
        now_ns = time.time_ns()
        self.heartbeat.beat(now_ns, **{"switch": "SAFE", "is_live": True, **figures})

    def write(self, *records: object) -> None:
        self.journal.append(*records)
        self.journal.flush()

    def end(self, *records: object) -> None:
        """End in order."""
        self.write(*records)
        self.heartbeat.close()
        self.journal.close()
        self.entry.close()

    def die(self) -> None:
        """What is left of it when its process is killed: locks are gone, files are there.

        Its heartbeat names a process that is not there, as this one lives on.
        """
        beat = msgspec.structs.replace(self.heartbeat._beat, pid=2**22 - 1, start_ticks=1)
        self.heartbeat._beat = beat
        self.heartbeat._write()
        self.journal.close()
        for descriptor in self.entry._held.values():
            os.close(descriptor)
        self.entry._held.clear()


@contextmanager
def running(workspace: Path, session_id: str = "desk-1") -> Iterator[FakeSession]:
    session = FakeSession(workspace, session_id)
    try:
        yield session
    finally:
        session.end(sealed("ENDED"))


def switch_folder(workspace: Path) -> Path:
    return paths.state_dir(workspace) / "kill-switch"


def look(
    watch: Watch, rules: AlertSettings | None = None, active: dict[str, str] | None = None
) -> list[Alert]:
    """The alerts of one look, by the usual settings."""
    return watch.look(watch.find(), rules or settings(), active or {}).alerts


def told(alerts: list[Alert]) -> list[tuple[str, str]]:
    """The kind and the text of each."""
    return [(each.kind.value, each.text) for each in alerts]
