"""One session as the page shows it, gathered from its files: `account.csv`, `positions.csv`, the
journal, `state.json`, the page of figures and the heartbeat.

What is followed (the journal, the samples) is kept between two requests, so that a long session is
read once. How many sessions are kept is bounded; the one that was not asked for longest goes first.
"""

from __future__ import annotations

import csv
import json
import os
import threading
from collections import OrderedDict
from typing import Any, Final

from logos import paths
from logos.observe.dashboard.backwards import Backwards
from logos.observe.dashboard.curve import Curves
from logos.observe.dashboard.figures import currencies_of, figures_of
from logos.observe.dashboard.inside import Inside
from logos.observe.dashboard.journal import JournalView
from logos.session.presence.heartbeat import Heartbeat, heartbeat_path, read_heartbeat
from logos.session.presence.page import MetricsPage, PageError, metrics_path, read_page
from logos.session.stored.names import log_path
from logos.session.stored.origin import origin_path
from logos.session.stored.sessions import StoredSession, stored_session

VIEWS_MAX: Final = 16
REPORT: Final = "report.html"
_POSITIONS_BYTES: Final = 1 << 20
"""How much of the end of positions.csv is looked at for each symbol's last sample."""
_ROWS_MAX: Final = 200
_SETTINGS_BYTES_MAX: Final = 4 << 20


class NoSession(LookupError):
    """There is no session of that name here; the message says so for people."""


class SessionFiles:
    """Where the files of one session lie, each opened from inside of the workspace alone."""

    def __init__(self, inside: Inside, session_id: str) -> None:
        """Raises NoSession for what is no session's id, or where there is no journal."""
        try:
            paths.check_session_id(session_id)
        except ValueError as error:
            raise NoSession(str(error)) from None
        self.inside = inside
        self.session_id = session_id
        workspace = inside.workspace
        self.folder = paths.within(workspace, paths.sessions_dir()) / session_id
        self.journal = self.folder / "state.jsonl"
        self.log = log_path(session_id, workspace)
        self.figures = metrics_path(session_id, workspace)
        if not os.path.lexists(self.journal):
            raise NoSession(f"there is no session {session_id} in {workspace}")

    def check(self) -> None:
        """Raise OSError if a file of the session leads out of the workspace."""
        workspace = self.inside.workspace
        beat = heartbeat_path(self.session_id, workspace)
        origin = origin_path(self.session_id, workspace)
        self.inside.check(self.folder, self.log, self.figures, beat, origin)

    def stored(self) -> StoredSession:
        """How its folder shows it. Raises OSError."""
        self.check()
        return stored_session(self.folder, self.inside.workspace)

    def beat(self) -> Heartbeat | None:
        """What the session last showed of itself; None when no process runs it."""
        report = read_heartbeat(heartbeat_path(self.session_id, self.inside.workspace))
        return report.heartbeat if report is not None and report.running else None

    def page(self) -> MetricsPage | None:
        """Its page of figures; None when there is none, or none that can be read."""
        try:
            self.inside.check(self.figures)
            page = read_page(self.figures)
        except (OSError, PageError):
            return None
        return page if page.session_id == self.session_id else None

    def has_report(self) -> bool:
        """Whether a report was made."""
        return (self.folder / REPORT).is_file()


class SessionView:
    """One session, kept between requests; for any thread."""

    def __init__(self, files: SessionFiles) -> None:
        self.files = files
        self._lock = threading.Lock()
        self._journal = JournalView(files.journal, files.inside.open)
        self._curves = Curves(files.folder / "account.csv", files.inside.open)

    def snapshot(self) -> dict[str, Any]:
        """Everything that the page shows of it, as of now. Raises OSError."""
        files = self.files
        stored = files.stored()
        page, beat = files.page(), files.beat()
        with self._lock:
            self._journal.read()
            self._curves.read()
            offset, mark = self._journal.place
            return {
                "session": facts_of(stored, page, files.has_report()),
                "figures": None if page is None else figures_of(page),
                "beat": None if beat is None else _beat(beat),
                "curves": self._curves.as_json(),
                "accounts": list(self._curves.latest.values()),
                "positions": self._positions(),
                "orders": self._journal.orders(),
                "history": self._journal.history(),
                "events": self._journal.events(),
                "unreadable": self._journal.unreadable,
                "place": f"{offset}@{mark}",
            }

    def orders(self) -> dict[str, Any]:
        """Orders, fills and history alone, as of now. Raises OSError."""
        self.files.inside.check(self.files.journal)
        with self._lock:
            self._journal.read()
            return {"orders": self._journal.orders(), "history": self._journal.history()}

    def curves(self) -> list[dict[str, Any]]:
        """The curves alone, as of now. Raises OSError."""
        with self._lock:
            self._curves.read()
            return self._curves.as_json()

    def settings(self) -> dict[str, Any]:
        """Its settings in force, secrets masked as they lie on the disk. Raises OSError, and
        ValueError when they cannot be read."""
        content = self.files.inside.read(self.files.folder / "config.json", _SETTINGS_BYTES_MAX)
        try:
            settings = json.loads(content)
        except RecursionError as error:
            raise ValueError(str(error)) from None
        if not isinstance(settings, dict):
            raise ValueError("config.json is no table of settings")
        return settings

    def _positions(self) -> list[dict[str, str]]:
        """The last sample of each symbol in positions.csv."""
        path = self.files.folder / "positions.csv"
        try:
            with self.files.inside.open(path) as file:
                header = file.readline(_POSITIONS_BYTES).decode("utf-8", "replace")
                lines = [
                    line.decode("utf-8", "replace")
                    for line in Backwards(file).lines(_POSITIONS_BYTES)
                ]
        except FileNotFoundError:
            return []
        columns = next(csv.reader([header]), [])
        latest: dict[str, dict[str, str]] = {}
        for row in csv.reader(lines):
            cells = dict(zip(columns, row, strict=False))
            symbol = cells.get("symbol", "")
            if symbol and row != columns:
                latest.setdefault(symbol, cells)
                if len(latest) >= _ROWS_MAX:
                    break
        return [latest[symbol] for symbol in sorted(latest)]


def facts_of(stored: StoredSession, page: MetricsPage | None, has_report: bool) -> dict[str, Any]:
    """What a session is and how it stands, for the list and for its own page."""
    facts: dict[str, Any] = {
        "id": stored.session_id,
        "status": stored.status,
        "reason": stored.reason,
        "problem": stored.problem,
        "exit_code": stored.exit_code,
        "began": stored.began,
        "ended": stored.ended,
        "mode": stored.mode,
        "data": stored.data,
        "ticks": stored.ticks,
        "held": None if stored.held is None else stored.held.words(),
        "bytes": stored.sizes.total,
        "is_resumable": stored.is_resumable,
        "has_report": has_report,
        "strategy": "",
        "symbols": [],
        "symbols_all": 0,
        "currencies": [],
    }
    if page is not None:
        facts["strategy"] = page.strategy
        facts["symbols"] = [each.symbol for each in page.risk.symbols[:_ROWS_MAX]]
        facts["symbols_all"] = len(page.risk.symbols)
        facts["currencies"] = currencies_of(page)
        facts["fills"] = page.fills
        facts["refused"] = page.refused
        facts["ticks"] = page.ticks if stored.ticks is None else stored.ticks
    return facts


def _beat(beat: Heartbeat) -> dict[str, Any]:
    return {
        "phase": beat.phase,
        "stuck": beat.stuck,
        "blocked": beat.blocked,
        "drained": beat.drained,
        "suspended": beat.suspended,
        "paused": list(beat.paused[:_ROWS_MAX]),
        "differences": beat.differences,
        "protection": beat.protection,
        "fleet": beat.fleet,
    }


class Views:
    """The sessions that were asked for lately; for any thread."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._lock = threading.Lock()
        self._views: OrderedDict[str, SessionView] = OrderedDict()

    def find(self, session_id: str) -> SessionView:
        """The view of a session. Raises NoSession."""
        files = SessionFiles(self._inside, session_id)
        with self._lock:
            view = self._views.get(session_id)
            if view is None:
                view = self._views[session_id] = SessionView(files)
            self._views.move_to_end(session_id)
            while len(self._views) > VIEWS_MAX:
                self._views.popitem(last=False)
        return view
