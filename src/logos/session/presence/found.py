"""The sessions of this user on this machine, as registry and heartbeats show them together.

The registry says which sessions run, and where; a heartbeat says how far its session has come. A
heartbeat is believed when the entry of the same token is locked: then its writer lives, whatever
`/proc` says of it here. Without an entry it is judged by itself (see `heartbeat`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from logos.core.types import NS_PER_SECOND
from logos.session.presence.heartbeat import (
    SessionReport,
    read_heartbeat,
    read_sessions,
    sessions_folder,
)
from logos.session.presence.registry import Kind, Sighting, read_registry

LATE_S: Final = 5.0
"""A session whose heartbeat is older does not respond, unless somebody asks for another bound."""

Verdict = Literal["ok", "starting", "stalled", "dead", "unknown"]


class FoundSession(msgspec.Struct, frozen=True):
    """One session as registry and heartbeat show it."""

    key: str
    """The same as long as it is the same life of the session."""
    workspace: Path | None
    """None when that cannot be told."""
    session_id: str
    """Empty while a session that starts has none."""
    kind: Kind
    pid: int
    since_ns: int
    """When it began; 0 when that is not known."""
    running: bool
    """A process runs it. True as well where that cannot be judged."""
    problem: str
    """Why what it shows cannot be believed; empty when it can."""
    report: SessionReport | None
    """Its heartbeat; None when this life of it has shown none yet."""

    @property
    def sends_orders(self) -> bool:
        """Whether the session may send an order."""
        return self.kind not in ("seal", "replay")

    @property
    def is_of_sweep(self) -> bool:
        """Whether it is a sweep or one of its sessions: many, short, and watched by nobody."""
        return self.kind in ("sweep", "trial")

    def has_stopped(self, granted_epoch: int) -> bool:
        """Whether it is BLOCKED and DRAINED, and knows of the grant of `granted_epoch`."""
        return (
            not self.problem and self.report is not None and self.report.has_stopped(granted_epoch)
        )

    def verdict(self, now_ns: int, late_after_s: float = LATE_S) -> Verdict:
        """How it stands at `now_ns` (nanoseconds UTC): the one judgement for all who show it.

        starting: no heartbeat yet; stalled: its heartbeat is older than `late_after_s`, or code of
        the user does not return; dead: no process runs it, and it did not end in order; unknown:
        what it shows cannot be believed.
        """
        if self.problem:
            return "unknown"
        if not self.running:
            return "dead"
        if self.kind == "sweep":
            return "ok"  # its sessions have heartbeats
        beat = None if self.report is None else self.report.heartbeat
        if beat is None:
            age_s = (now_ns - self.since_ns) / NS_PER_SECOND
            return "starting" if age_s <= late_after_s else "stalled"
        return "stalled" if beat.stuck or beat.age_s(now_ns) > late_after_s else "ok"


def find_sessions(*workspaces: Path) -> list[FoundSession]:
    """Every running session of this user, and what left a heartbeat where they run.

    The heartbeats of `workspaces` are looked at too, whoever runs them. Never raises for what is
    on the disk, and makes nothing.
    """
    sightings = read_registry()
    found = [_entered(sighting) for sighting in sightings]
    known = {each.report.path for each in found if each.report is not None}
    starting = {
        (os.path.realpath(each.workspace), each.session_id)
        for each in found
        if each.workspace is not None and each.session_id and each.kind != "replay"
    }
    homes = {os.path.realpath(home): home for home in workspaces}
    for each in found:
        if each.workspace is not None:
            homes.setdefault(os.path.realpath(each.workspace), each.workspace)
    for real, home in homes.items():
        for report in read_sessions(sessions_folder(home)):
            # What an earlier life left says nothing of a session that is starting again.
            is_old = not report.running and (real, report.session_id) in starting
            if report.path not in known and not is_old:
                found.append(_unentered(home, report))
    return found


def _entered(sighting: Sighting) -> FoundSession:
    """The session of an entry."""
    entry, problem = sighting.entry, sighting.problem
    if entry is None:
        key = str(sighting.path)
        return FoundSession(key, None, "", "trade", 0, 0, True, problem, None)
    path = Path(entry.heartbeat) if entry.heartbeat else None
    report = None if path is None else read_heartbeat(path)
    if report is not None:
        beat = report.heartbeat
        if beat is not None and beat.entry == entry.token:
            # Its writer lives: it holds the entry locked. Nothing else needs to be judged.
            report = msgspec.structs.replace(report, running=True, problem="")
        elif beat is not None and (beat.entry or not report.running):
            report = None  # of another life of the session
        else:
            problem = problem or report.problem
    return FoundSession(
        entry.token,
        Path(entry.workspace),
        entry.session_id,
        entry.kind,
        entry.pid,
        entry.since_ns,
        True,
        problem,
        report,
    )


def _unentered(home: Path, report: SessionReport) -> FoundSession:
    """A session that is known by its heartbeat alone."""
    since_ns = 0 if report.heartbeat is None else report.heartbeat.written_ns
    return FoundSession(
        str(report.path),
        home,
        report.session_id,
        "trade",
        report.pid,
        since_ns,
        report.running,
        report.problem,
        report,
    )
