"""The one sign of life of a running session: what it shows, who writes it, and how it is judged.

Problem: whoever throws the switch must know that it took hold: that every running session is
BLOCKED (sends nothing new) and DRAINED (has nothing resting), each by name. And whoever watches a
session must see whether it still moves. Method: a session of any kind keeps one small file,
`state/sessions/ID.json`, from before it reads any data to its end. It has the process, what the
session last acknowledged of the switch, and the figures of its last heartbeat. It is replaced
whole, needs no fsync (it describes a running process), and is removed when the session ends in
order. One object writes it; `read_heartbeat` and `read_sessions` are the only readers.

A file alone proves nothing: a killed process leaves its file, and a process id is used again. So it
is believed only together with the lock that a session holds on its journal as long as it lives,
and the process must be the one that the file names. What cannot be read or judged counts as a
session that runs and did not stop: nobody can say otherwise.

A file is judged by itself, wherever it lies: it names the journal. Any list of paths of such files,
of several workspaces too, can be read with `read_heartbeat`.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.core.types import NS_PER_SECOND
from logos.files import make_folder, replace_json
from logos.killswitch.files import Folder, OsLayer, describe
from logos.paths import check_session_id

HEARTBEAT_BYTES_MAX: Final = 1 << 20
RESTING_MAX: Final = 20
PROCESS_TABLE: Final = Path("/proc")


class PermitStands(msgspec.Struct, frozen=True):
    """How the permit of a session's fleet stood when the heartbeat was written."""

    fleet: str
    epoch: int
    """Of the fleet's switch, as it was last read."""
    left_ns: int
    """How long it still counted, nanoseconds; 0: orders might not leave."""
    ttl_ns: int
    """How long a permit counts from the reading that it follows from."""


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a session shows of itself. Times are nanoseconds since 1970 UTC."""

    session_id: str
    pid: int
    start_ticks: int
    """Field 22 of /proc/PID/stat: clock ticks between boot and the start of the process."""
    journal: str = ""
    """The absolute path of the session's journal, which it holds locked."""
    blocked: bool = False
    """It has seen the engagement and sends no new orders."""
    drained: bool = False
    """And there is evidence that none of its orders rests at a venue any more."""
    epoch: int = 0
    """The epoch of the switch that it has seen."""
    written_ns: int = 0
    """When it last showed that it moves; before the first event, when it began."""
    is_live: bool = False
    """It is fed by live feeds and takes operator commands. False before its first heartbeat."""
    ticks: int = 0
    orders: int = 0
    fills: int = 0
    open_orders: int = 0
    switch: str = ""
    waiting: int = 0
    peak_waiting: int = 0
    conflated: int = 0
    market_age_ns: int = -1
    """How long ago the latest market event was received; -1: none yet, or recorded data."""
    suspended: bool = False
    """Whether an operator suspended the session: its strategy is not asked."""
    paused: tuple[str, ...] = ()
    """Symbols that an operator paused."""
    symbols: tuple[str, ...] = ()
    is_real: bool = False
    """Its orders go to a venue; False: they meet the paper market."""
    differences: int = 0
    """What the last comparison with its venue could not explain, and is still there."""
    fleet: str = ""
    """Which fleet it belongs to and how its permit stands, in words; empty: to none."""
    permit: PermitStands | None = None
    """The same in figures; None: it belongs to no fleet."""
    protection: str = ""
    """Which exits it holds back from its venue, and what is left without any, in words."""
    resting: tuple[str, ...] = ()
    """While it is blocked: orders that may rest at the venue, by client id; at most 20."""
    resting_count: int = 0
    """How many they are."""
    feeds: dict[str, str] = {}
    """The state of each feed, or of one of its symbols ("feed symbol"), in words."""
    phase: str = ""
    """What a session does that has met no event yet, in words; empty once it has begun."""
    entry: str = ""
    """The token of this life of the session in the registry of running sessions."""
    stuck: str = ""
    """Which of the user's code does not return, in words; "" while all does."""

    def age_s(self, now_ns: int) -> float:
        """How long ago it was written, seconds."""
        return (now_ns - self.written_ns) / NS_PER_SECOND


class SessionReport(msgspec.Struct, frozen=True):
    """A heartbeat as found on the disk, and what may be believed of it."""

    path: Path
    session_id: str
    running: bool
    """A process runs the session. True as well where that cannot be judged."""
    problem: str
    """Why the file cannot be believed, in words; empty when it can."""
    heartbeat: Heartbeat | None
    """What the file holds; None when it cannot be read."""

    @property
    def pid(self) -> int:
        """The process that the file names; 0 when it cannot be read."""
        return 0 if self.heartbeat is None else self.heartbeat.pid

    @property
    def process_is_gone(self) -> bool:
        """Whether the process that the file names does not exist any more."""
        return self.heartbeat is not None and not _is_there(self.heartbeat, PROCESS_TABLE)

    def has_stopped(self, granted_epoch: int) -> bool:
        """Whether it is BLOCKED and DRAINED, and knows of the grant of `granted_epoch`."""
        beat = self.heartbeat
        return (
            beat is not None
            and not self.problem
            and beat.blocked
            and beat.drained
            and beat.epoch >= granted_epoch
        )


def sessions_folder(home: Path | None = None) -> Path:
    """Where the heartbeats of the workspace `home` (None: the configured one) lie."""
    return paths.state_dir(home) / "sessions"


def heartbeat_path(session_id: str, home: Path | None = None) -> Path:
    """Where a session's heartbeat is while it runs."""
    return sessions_folder(home) / f"{session_id}.json"


# ---- the writer ----


class HeartbeatFile:
    """The heartbeat of the running session; made when it starts, closed when it ends in order.

    To be made by the process that holds the lock on the journal. Raises ValueError for a bad
    session id, OSError when the file cannot be written, and FileExistsError when another process
    that runs has the id.
    """

    __slots__ = ("_beat", "_is_closed", "_lock", "path")

    def __init__(self, path: Path, session_id: str, journal: Path, entry: str = "") -> None:
        """`path` as of `heartbeat_path`; `entry` as of `Registration.token`."""
        check_session_id(session_id)
        pid = os.getpid()
        self.path = path
        self._is_closed = False
        self._lock = threading.Lock()  # the watchdog shows what is stuck from a thread of its own
        self._beat = Heartbeat(
            session_id,
            pid,
            start_ticks(pid),
            os.path.abspath(journal),
            written_ns=time.time_ns(),
            entry=entry,
        )
        make_folder(path.parent)
        there = read_heartbeat(path, is_strict=True)  # what cannot be read may be another's
        if there is not None and there.pid not in (0, pid) and not there.process_is_gone:
            raise FileExistsError(
                f"session {session_id} is already running (pid {there.pid}); "
                "wait for it to end, or choose another id"
            )
        self._write()

    def acknowledge(
        self, blocked: bool, drained: bool, epoch: int, resting: Sequence[str] = ()
    ) -> None:
        """Say how far this session has come at `epoch`, and which orders may rest at a venue.
        Writes only when that is news. OSError."""
        beat = self._beat
        # Asked after every piece of a batch: the usual answer costs four comparisons.
        is_same = beat.epoch == epoch and beat.blocked == blocked and beat.drained == drained
        if is_same and beat.resting_count == len(resting):
            return
        self._change(
            blocked=blocked,
            drained=drained,
            epoch=epoch,
            resting=tuple(resting[:RESTING_MAX]),
            resting_count=len(resting),
        )

    def beat(self, now_ns: int, **figures: object) -> None:
        """Show that the session moves, with its `figures` (fields of `Heartbeat`). OSError."""
        self._change(written_ns=now_ns, **figures)

    def show_phase(self, now_ns: int, phase: str) -> None:
        """Say what a session does that has met no event yet, "" when it is made. OSError."""
        self._change(written_ns=now_ns, phase=phase)

    def show_stuck(self, words: str) -> None:
        """Say which of the user's code does not return, or "" that all does. From any thread; the
        session shows no sign of life by that. Raises OSError."""
        self._change(stuck=words)

    def close(self) -> None:
        """The session ended in order: nothing of it runs or rests. Once; raises OSError.

        What is given to `acknowledge` or `beat` after that is not written any more.
        """
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self.path.unlink(missing_ok=True)

    def _change(self, **fields: object) -> None:
        with self._lock:
            self._beat = msgspec.structs.replace(self._beat, **fields)
            self._write()

    def _write(self) -> None:
        if not self._is_closed:
            replace_json(self.path, self._beat, durable=False)


# ---- the reader ----


def read_sessions(folder: Path, process_table: Path = PROCESS_TABLE) -> list[SessionReport]:
    """A report of every heartbeat in `folder`, by name. No folder, no sessions.

    Never raises for what is in it. A session's id holds no dot: what has one in its name besides
    `.json` is no heartbeat.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        return [SessionReport(folder, "?", True, describe(error, str(folder)), None)]
    found = (
        read_heartbeat(Path(folder, name), process_table)
        for name in names
        if name.partition(".")[2] == "json" and not name.startswith(".")
    )
    return [report for report in found if report is not None]


def read_heartbeat(
    path: Path, process_table: Path = PROCESS_TABLE, *, is_strict: bool = False
) -> SessionReport | None:
    """A report of the heartbeat at `path`; None when there is none. Never raises for what is there,
    unless it `is_strict`: then OSError when the file cannot be read.

    The file is opened without following a link or waiting, and not beyond `HEARTBEAT_BYTES_MAX`.
    """
    session_id = path.name.removesuffix(".json")
    try:
        with Folder(OsLayer(), Path(os.path.abspath(path.parent))) as folder:
            content = folder.read(path.name, HEARTBEAT_BYTES_MAX)
        if content is None:
            return None
        beat = msgspec.json.decode(content, type=Heartbeat)
        if beat.session_id != session_id:
            raise ValueError(f"it is the heartbeat of {beat.session_id!r}")
    except FileNotFoundError:
        return None
    except OSError as error:
        if is_strict:
            raise
        return SessionReport(path, session_id, True, describe(error, path.name), None)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        problem = f"{path.name} is not a heartbeat: {error}"
        return SessionReport(path, session_id, True, problem, None)
    is_running, problem = _judge(beat, process_table)
    return SessionReport(path, session_id, is_running, problem, beat)


def _judge(beat: Heartbeat, process_table: Path) -> tuple[bool, str]:
    """Whether the session of `beat` runs, and why that cannot be told, if it cannot."""
    is_there = _is_there(beat, process_table)
    try:
        is_locked = is_in_use(Path(beat.journal))
    except OSError as error:
        if not is_there:
            return False, ""
        return True, f"its journal cannot be asked: {describe(error, beat.journal or 'no path')}"
    if is_locked and not is_there:
        return True, f"another process than {beat.pid}, which its heartbeat names, runs it"
    return is_locked, ""


def _is_there(beat: Heartbeat, process_table: Path) -> bool:
    return beat.start_ticks != 0 and start_ticks(beat.pid, process_table) == beat.start_ticks


def is_in_use(journal: Path) -> bool:
    """Whether a process holds the lock on `journal`, or on another file that its holder keeps
    locked as long as it lives; nothing is written to find out.

    A shared lock is tried for, on a descriptor of its own that can only read, and let go at once; a
    session that starts in that very moment tries again (`journal.writer`). Raises OSError when
    `journal` cannot be opened or asked.
    """
    descriptor = os.open(journal, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


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
