"""Which sessions run on this machine, and how far each has come in stopping.

Problem: whoever throws the switch must know that it took hold: that every running session is
BLOCKED (sends nothing new) and DRAINED (has nothing resting), each by name. Method: a session keeps
one small file with its process id, that process's start time (an id alone may be reused) and what
it last acknowledged. The file is swapped whole, needs no fsync (it describes a running process, and
dies with the machine), and is removed when the session ends in order.

A file that does not read back counts as a session that did not stop: nobody can say otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from logos.killswitch.files import Folder, OsLayer, describe
from logos.paths import check_session_id

BEACON_BYTES_MAX = 4_096
PROCESS_TABLE = Path("/proc")


class Beacon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a session says about itself."""

    session_id: str
    pid: int
    start_ticks: int
    """Field 22 of /proc/PID/stat: clock ticks between boot and the start of the process."""
    blocked: bool = False
    """It has seen the engagement and sends no new orders."""
    drained: bool = False
    """And none of its orders rests at a venue any more."""
    epoch: int = 0
    """The epoch of the switch that it has seen."""


class SessionReport(msgspec.Struct, frozen=True):
    """A beacon as found on the disk."""

    session_id: str
    pid: int
    running: bool
    """Its process is there. True as well when the beacon cannot be read."""
    blocked: bool
    drained: bool
    epoch: int
    problem: str
    """Why the beacon cannot be believed, in words; empty when it can."""


def start_ticks(pid: int, process_table: Path = PROCESS_TABLE) -> int:
    """When the process `pid` started, in clock ticks since boot; 0 when there is no such process.

    A process that has ended and was not yet collected by its parent counts as gone.
    """
    try:
        text = (process_table / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    # The program's name stands in parentheses and may contain anything, also parentheses.
    fields = text.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return 0 if state in ("Z", "X") else int(ticks)


class SessionBeacon:
    """The beacon of the running session; made when it starts, closed when it ends in order.

    Raises ValueError for a bad session id, OSError when the file cannot be written, and
    FileExistsError when a running process already holds the id.
    """

    __slots__ = ("_beacon", "_folder", "_layer")

    def __init__(self, folder: Path, session_id: str, *, layer: OsLayer | None = None) -> None:
        check_session_id(session_id)
        self._layer = layer or OsLayer()
        self._folder = Path(os.path.abspath(folder))
        self._layer.make_folder(os.fspath(self._folder))
        pid = os.getpid()
        self._beacon = Beacon(session_id, pid, start_ticks(pid))
        for report in read_sessions(self._folder):
            if report.session_id == session_id and report.running and report.pid != pid:
                raise FileExistsError(
                    f"session {session_id} is already running (pid {report.pid}); "
                    "wait for it to end, or choose another id"
                )
        self._write()

    @property
    def path(self) -> Path:
        """Where the beacon is."""
        return self._folder / f"{self._beacon.session_id}.json"

    def acknowledge(self, blocked: bool, drained: bool, epoch: int) -> None:
        """Say how far this session has come at `epoch`. Writes only when that is news. OSError."""
        beacon = msgspec.structs.replace(
            self._beacon, blocked=blocked, drained=drained, epoch=epoch
        )
        if beacon != self._beacon:
            self._beacon = beacon
            self._write()

    def close(self) -> None:
        """The session ended in order: nothing of it runs or rests. Raises OSError."""
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        content = msgspec.json.encode(self._beacon) + b"\n"
        with Folder(self._layer, self._folder) as folder:
            folder.replace(self.path.name, content, durable=False)


def read_sessions(folder: Path, process_table: Path = PROCESS_TABLE) -> list[SessionReport]:
    """Every beacon in `folder`, by name. Never raises for what is in it; no folder, no sessions.

    A session's id holds no dot: what has one in its name (a heartbeat, say) is no beacon.
    """
    try:
        place = Folder(OsLayer(), Path(os.path.abspath(folder)))
    except FileNotFoundError:
        return []
    except OSError as error:
        return [_unreadable("?", describe(error, str(folder)))]
    with place:
        names = sorted(name for name in os.listdir(place.fd) if not name.startswith("."))
        beacons = [name for name in names if name.partition(".")[2] == "json"]
        return [_read_one(place, name, process_table) for name in beacons]


def _unreadable(session_id: str, problem: str) -> SessionReport:
    return SessionReport(session_id, 0, True, False, False, 0, problem)


def _read_one(place: Folder, name: str, process_table: Path) -> SessionReport:
    session_id = name.removesuffix(".json")
    try:
        content = place.read(name, BEACON_BYTES_MAX)
        beacon = msgspec.json.decode(content or b"", type=Beacon)
        if beacon.session_id != session_id:
            raise ValueError(f"it is the beacon of {beacon.session_id!r}")
    except OSError as error:
        return _unreadable(session_id, describe(error, name))
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        return _unreadable(session_id, f"{name} is not a beacon: {error}")
    running = beacon.start_ticks != 0 and start_ticks(beacon.pid, process_table) == (
        beacon.start_ticks
    )
    return SessionReport(
        session_id, beacon.pid, running, beacon.blocked, beacon.drained, beacon.epoch, ""
    )
