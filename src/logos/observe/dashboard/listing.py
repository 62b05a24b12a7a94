"""The sessions of the workspace and its kill switch, the latest session first.

Finished sessions do not change, so what was read of one is kept as long as its files are as they
were. All else is looked at anew, at most once in `AGE_MAX_S` whoever asks, and never more than
`SHOWN_MAX` sessions: those whose journals changed last.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from logos import __version__, paths
from logos.core.types import NS_PER_SECOND
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.peek import read_switch
from logos.killswitch.records import SwitchError
from logos.observe.dashboard.inside import Inside
from logos.observe.dashboard.records import milliseconds
from logos.observe.dashboard.view import REPORT, NoSession, SessionFiles, facts_of
from logos.session.presence.heartbeat import heartbeat_path
from logos.session.stored.names import LAST_FILE
from logos.session.stored.sessions import RUNNING, UNKNOWN

SHOWN_MAX: Final = 200
AGE_MAX_S: Final = 1.0
TRANSITIONS_MAX: Final = 50

_Stamp = tuple[int, ...]


class Listing:
    """The list of the sessions of one workspace; for any thread."""

    def __init__(self, inside: Inside, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._inside = inside
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._answer: dict[str, Any] = {}
        self._kept: dict[str, tuple[_Stamp, dict[str, Any]]] = {}

    def read(self) -> dict[str, Any]:
        """Sessions and switch. Raises OSError when the folder of the sessions cannot be listed."""
        with self._lock:
            if self._clock() - self._looked_s >= AGE_MAX_S:
                self._answer = self._read()
                self._looked_s = self._clock()
            return self._answer

    def _read(self) -> dict[str, Any]:
        names = self._names()
        kept = self._kept
        self._kept = {}
        sessions = []
        for name in names[:SHOWN_MAX]:
            sessions.append(self._facts(name, kept.get(name)))
        sessions.sort(key=lambda each: (each["began"] or each["ended"], each["id"]), reverse=True)
        return {
            "workspace": str(self._inside.workspace),
            "software": __version__,
            "now": milliseconds(time.time_ns()),
            "switch": self._switch(),
            "sessions": sessions,
            "sessions_all": len(names),
        }

    def _names(self) -> list[str]:
        """The sessions that have a journal, those that changed last first."""
        folder = paths.within(self._inside.workspace, paths.sessions_dir())
        found = []
        try:
            self._inside.check(folder.parent)
            with os.scandir(folder) as entries:
                for entry in entries:
                    journal = Path(entry.path, "state.jsonl")
                    if not entry.name.startswith(".") and os.path.lexists(journal):
                        found.append((os.lstat(journal).st_mtime_ns, entry.name))
        except FileNotFoundError:
            return []
        return [name for _, name in sorted(found, reverse=True)]

    def _facts(self, name: str, kept: tuple[_Stamp, dict[str, Any]] | None) -> dict[str, Any]:
        try:
            files = SessionFiles(self._inside, name)
            stamp = self._stamp(files)
            if kept is not None and kept[0] == stamp:
                facts = kept[1]
            else:
                facts = facts_of(files.stored(), files.page(), files.has_report())
            if facts["status"] not in (RUNNING, UNKNOWN):
                self._kept[name] = stamp, facts
            return facts
        except (OSError, ValueError, NoSession) as error:
            words = getattr(error, "strerror", None) or str(error)
            return {
                **dict.fromkeys(("reason", "began", "ended", "mode", "data", "strategy"), ""),
                "id": name,
                "status": UNKNOWN,
                "problem": words,
                "bytes": 0,
                "symbols": [],
                "symbols_all": 0,
                "currencies": [],
                "has_report": False,
            }

    def _stamp(self, files: SessionFiles) -> _Stamp:
        """Changes when a session that is not running has changed, or runs again."""
        beat = heartbeat_path(files.session_id, self._inside.workspace)
        places = [files.journal, files.folder / LAST_FILE, files.folder / REPORT]
        stamp: list[int] = []
        for place in (*places, files.figures, beat):
            try:
                status = os.lstat(place)
                stamp += (status.st_ino, status.st_size, status.st_mtime_ns)
            except FileNotFoundError:
                stamp += (0, 0, 0)
        return tuple(stamp)

    def _switch(self) -> dict[str, Any] | None:
        """The machine's kill switch as its files say it; None where there is none."""
        folder = paths.state_dir(self._inside.workspace) / "kill-switch"
        try:
            self._inside.check(folder)
            status = read_switch(folder)
        except OSError as error:  # it answers for all that it finds; this is for the rest
            return {"state": "UNKNOWN", "who": "", "why": str(error.strerror), "since": 0}
        if status is None:
            return None
        try:
            history = CircuitBreakerMonitor(folder).history()[-TRANSITIONS_MAX:]
        except SwitchError:
            history = []  # `why` says that it is damaged
        return {
            "state": status.state.name,
            "epoch": status.epoch,
            "who": status.who,
            "why": status.why,
            "since": milliseconds(status.since_ns) if status.since_ns > NS_PER_SECOND else 0,
            "causes": list(status.causes[:20]),
            "clear_command": status.clear_command,
            "history": [
                {
                    "time": milliseconds(each.time_ns),
                    "state": each.state,
                    "was": each.was,
                    "who": each.who,
                    "why": each.why,
                    "epoch": each.epoch,
                }
                for each in reversed(history)
            ],
        }
