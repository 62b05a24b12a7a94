"""The sessions of a workspace as their folders show them, running or not.

A list of a hundred sessions must not read a hundred journals. So only small files are looked at:
state.json (status, books), session.md (exit code), host.json (when it ended), its origin (when it
began), config.json (where orders go), and the last line of the journal (why it ended). What is held
is therefore known of sessions that are finished; of one that runs or crashed it is in the journal,
which `logos sessions show` reads. Nothing here raises for what one session's folder holds, and
nothing is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from logos import paths
from logos.core.types import SessionStatus
from logos.errors import ConfigError
from logos.files import open_regular, read_whole
from logos.journal.names import INPUTS_FILE, JOURNAL
from logos.session.presence.heartbeat import is_in_use
from logos.session.presence.page import metrics_path
from logos.session.stored.names import SETTINGS, is_finished, log_path, may_resume
from logos.session.stored.origin import read_origin
from logos.session.stored.sizes import Sizes, sizes_of

RUNNING: Final = "RUNNING"
CRASHED: Final = "CRASHED"
UNKNOWN: Final = "UNKNOWN"
_RESUMABLE: Final = (CRASHED, SessionStatus.STOPPED.value)
_BYTES_MAX: Final = 64 << 20
_TAIL_BYTES: Final = 1 << 16
_PAGE_BYTES: Final = 1 << 14
_EXIT_CODE: Final = re.compile(rb"^\| exit code \| (\d+) \|$", re.M)


class Held(msgspec.Struct, frozen=True):
    """What a session holds at its end. Positions are by symbol, decimal text, never zero."""

    positions: dict[str, str] = {}
    resting: int = 0
    """Orders that are open."""

    @classmethod
    def of(cls, positions: Mapping[str, str], resting: int) -> Self:
        """`positions` may be zero: those are left out."""
        held = {
            symbol: text
            for symbol, text in positions.items()
            if any(digit in "123456789" for digit in text)
        }
        return cls(held, resting)

    def __bool__(self) -> bool:
        return bool(self.positions or self.resting)

    def words(self) -> str:
        """The same for people; "nothing" when there is none."""
        parts = [f"{quantity} {symbol}" for symbol, quantity in self.positions.items()]
        if self.resting:
            parts.append(f"{self.resting} resting order{'' if self.resting == 1 else 's'}")
        return ", ".join(parts) or "nothing"


class StoredSession(msgspec.Struct, frozen=True):
    """One session of a workspace. Times are ISO-8601 UTC by the clock of the wall."""

    session_id: str
    folder: Path
    status: str
    """RUNNING, CRASHED, UNKNOWN (its folder cannot be judged), or how it was sealed."""
    problem: str
    """Why it cannot be judged, in words."""
    reason: str
    """Why it ended; empty while it has not."""
    exit_code: int | None
    """Of the process that ended it; None when it has not ended in order."""
    began: str
    """Empty when that was not noted: sessions of older versions."""
    ended: str
    """When its last files were written; of one that crashed, when its journal was."""
    mode: str
    """"paper" or "live": whether orders go to a venue."""
    data: str
    """"recorded", or the name of the live feed."""
    ticks: int | None
    """Events; None while that is not known."""
    held: Held | None
    """None when only its journal says it: it runs, or it crashed."""
    sizes: Sizes

    @property
    def is_resumable(self) -> bool:
        """Whether `logos resume` continues it."""
        return self.status in _RESUMABLE and self._may_resume

    @property
    def is_to_look_at(self) -> bool:
        """Whether it can never end: what was shipped of a session with real orders."""
        return self.status in _RESUMABLE and not self._may_resume

    @property
    def _may_resume(self) -> bool:
        return may_resume(self.folder, is_real=self.mode == "live")

    @property
    def has_ended(self) -> bool:
        """Whether it has ended for good."""
        return self.status not in (*_RESUMABLE, RUNNING, UNKNOWN)

    @property
    def ended_badly(self) -> bool:
        """Whether it ended with another exit code than 0, or not in order."""
        return self.status in (CRASHED, UNKNOWN) or bool(self.exit_code)


def stored_sessions(workspace: Path) -> list[StoredSession]:
    """Every session of the workspace, in order of their beginning, then by id.

    Raises OSError when the folder of the sessions cannot be listed; no folder, no sessions.
    """
    sessions = paths.within(workspace, paths.sessions_dir())
    try:
        with os.scandir(sessions) as entries:
            names = [each.name for each in entries if not each.name.startswith(".")]
    except FileNotFoundError:
        return []
    found = [
        stored_session(sessions / name, workspace)
        for name in sorted(names)
        if (sessions / name / JOURNAL).is_file()
    ]
    return sorted(found, key=lambda each: (each.began or each.ended, each.session_id))


def stored_session(folder: Path, workspace: Path) -> StoredSession:
    """The session in `folder`, which holds a journal."""
    session_id = folder.name
    log, figures = log_path(session_id, workspace), metrics_path(session_id, workspace)
    sizes = sizes_of(folder, log, figures)
    problems: list[str] = []

    config = _read(folder / SETTINGS, dict[str, Any], problems)
    host = _read(folder / "host.json", _Host, problems)
    state = _read(folder / "state.json", _State, problems)
    mode, data = _mode(config, folder)
    try:
        is_running = is_in_use(folder / JOURNAL)
        origin = read_origin(session_id, workspace)
        began = host.started if origin is None else origin.began
    except (OSError, ConfigError) as error:
        problems.append(str(error))
        is_running, began = False, ""
    is_sealed = not is_running and is_finished(folder)
    if is_sealed and state.status == UNKNOWN and not problems:
        problems.append("state.json does not say how it ended")
    status = RUNNING if is_running else state.status if is_sealed else CRASHED
    if problems and not is_running:
        status = UNKNOWN
    is_known = is_sealed and status != UNKNOWN
    ended = host.ended if is_known else ""
    return StoredSession(
        session_id,
        folder,
        status,
        "; ".join(problems),
        _reason(folder / JOURNAL) if is_known else "",
        _exit_code(folder / "session.md") if is_known else None,
        began,
        ended or ("" if is_running else sizes.written),
        mode,
        data,
        state.tick_id if is_known else None,
        _held(state) if is_known else None,
        sizes,
    )


class _Position(msgspec.Struct):
    position: str = ""
    open_orders: list[Any] = []


class _State(msgspec.Struct):
    """Of state.json, what a list shows."""

    status: str = UNKNOWN
    tick_id: int | None = None
    positions: dict[str, _Position] | None = None


class _Host(msgspec.Struct):
    """Of host.json, the times of the wall's clock."""

    started: str = ""
    ended: str = ""


T = TypeVar("T")


def _read(path: Path, kind: type[T], problems: list[str]) -> T:
    """A JSON object in a file; empty when there is none, with a problem when it is another."""
    try:
        return msgspec.json.decode(read_whole(path, _BYTES_MAX), type=kind)
    except FileNotFoundError:
        return kind()
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        problems.append(f"{path.name} cannot be read: {error}")
        return kind()


def _mode(config: Mapping[str, Any], folder: Path) -> tuple[str, str]:
    venue, live = (
        table if isinstance(table := config.get(name), dict) else {} for name in ("venue", "live")
    )
    feed = str(live.get("feed") or "")
    is_live_data = bool(feed) or any(folder.glob(f"{Path(INPUTS_FILE).stem}.*"))
    return "live" if venue.get("live") else "paper", feed or (
        "live" if is_live_data else "recorded"
    )


def _held(state: _State) -> Held | None:
    """What state.json says is held; None when it says nothing."""
    if state.positions is None:
        return None
    positions = {symbol: each.position for symbol, each in state.positions.items()}
    return Held.of(positions, sum(len(each.open_orders) for each in state.positions.values()))


def _exit_code(page: Path) -> int | None:
    """The exit code that session.md names: near its end, in those of older versions at the top."""
    try:
        with open_regular(page) as file:
            found = _EXIT_CODE.search(file.read(_PAGE_BYTES))
            if found is None:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _PAGE_BYTES))
                found = _EXIT_CODE.search(file.read(_PAGE_BYTES))
    except OSError:
        return None
    return int(found[1]) if found else None


def _reason(journal: Path) -> str:
    """Why the session ended, by the last line of its journal; "" when that is no seal."""
    try:
        with open_regular(journal) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
        line = msgspec.json.decode(lines[-1] if lines else b"{}", type=dict[str, Any])
    except (OSError, ValueError):  # a line longer than that, or torn: `logos verify` says more
        return ""
    body = line.get("body")
    is_seal = isinstance(body, Mapping) and body.get("kind") == "sealed"
    return str(body.get("reason", "")) if isinstance(body, Mapping) and is_seal else ""
