"""What the screen shows at one moment: gathered from what sessions wrote, once a second.

Sessions are found as `logos metrics` finds them: those that run, wherever they run, and those of
the last day, in every workspace that is known. So one that ends, dies or is resumed stays on the
screen, and says which of these it did. Nothing is asked of a session, and nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.journal.names import JOURNAL
from logos.killswitch.peek import read_switch
from logos.killswitch.status import SwitchStatus
from logos.observe.metrics.sessions import SeenSession, SessionFinder
from logos.observe.watching.curve import Curve, Point
from logos.observe.watching.events import Event, JournalEnd, Words
from logos.session.presence.heartbeat import Heartbeat
from logos.session.presence.page import MetricsPage, PageError, metrics_path, read_page
from logos.session.stored.next_steps import next_steps

ENDED_MAX: Final = 20
"""How many sessions that have ended are shown, the latest ones."""
_RANK: Final = {"dead": 0, "stalled": 0, "unknown": 0, "starting": 1, "running": 1, "ended": 2}


class Watched(msgspec.Struct, frozen=True):
    """One session as the screen shows it."""

    workspace: Path
    session_id: str
    state: str
    """starting, running, stalled, unknown, dead (its process is gone) or ended."""
    kind: str
    mode: str
    """recorded, paper, live (its orders go to a venue) or unknown."""
    beat: Heartbeat | None
    page: MetricsPage | None

    @property
    def key(self) -> tuple[str, str]:
        """Which session it is, whatever becomes of it."""
        return str(self.workspace), self.session_id

    @property
    def runs(self) -> bool:
        """Whether a process runs it, as far as can be told."""
        return self.state not in ("dead", "ended")

    @property
    def what_now(self) -> str:
        """The command that comes next for one that does not run; "" for others."""
        if self.runs:
            return ""
        is_ended = self.state == "ended" and self.page is not None and self.page.exit_code >= 0
        status = self.page.status if is_ended and self.page is not None else "CRASHED"
        return next_steps(self.session_id, status, is_real=self.mode == "live")[0]


class View(msgspec.Struct, frozen=True):
    """All of it at `now_ns`, nanoseconds since 1970 UTC."""

    now_ns: int
    here: Path | None
    sessions: tuple[Watched, ...]
    switches: dict[str, SwitchStatus | None]
    """By workspace; None: no switch was ever there."""
    events: tuple[Event, ...]
    """Of the session that was asked for, oldest first."""
    curve: tuple[Point, ...]
    """Its equity, in the first of its currencies."""
    problems: dict[str, int]
    """How many files of each kind could not be read in this look."""

    def find(self, key: tuple[str, str] | None) -> int:
        """The place of a session in `sessions`; 0 when it is not there."""
        return next((at for at, each in enumerate(self.sessions) if each.key == key), 0)


class Gatherer:
    """Looks at the sessions of this user again and again. For one thread."""

    def __init__(self, here: Path | None, session_id: str, words: Words) -> None:
        """`here` is the workspace that the command is given in; only sessions of `session_id` are
        shown, if it is not empty; `words` tells what lines of a journal say."""
        self._here = here
        self._session_id = session_id
        self._finder = SessionFinder([] if here is None else [here])
        self._words = words
        self._ends: dict[tuple[str, str], JournalEnd] = {}
        self._curves: dict[tuple[str, str], Curve] = {}

    def close(self) -> None:
        """Close what is open."""
        for end in self._ends.values():
            end.close()

    def look(self, now_ns: int, chosen: tuple[str, str] | None) -> View:
        """How all stands at `now_ns`; events are those of the session `chosen`, or of the first.
        Raises nothing for what is on the disk."""
        problems: dict[str, int] = {}

        def count(source: str) -> None:
            problems[source] = problems.get(source, 0) + 1

        sessions = self._sessions(now_ns, count)
        for each in sessions:
            self._follow_equity(each)
        view = View(
            now_ns, self._here, sessions, self._switches(sessions), (), (), problems
        )  # events and curve follow, of the chosen one
        if not sessions:
            return view
        shown = sessions[view.find(chosen)]
        events = self._events(shown, count)
        curve = self._curves.get(shown.key)
        return msgspec.structs.replace(
            view, events=events, curve=() if curve is None else tuple(curve.points())
        )

    def _sessions(self, now_ns: int, count: Callable[[str], object]) -> tuple[Watched, ...]:
        found = [
            each
            for each in self._finder.find(now_ns, count)
            if self._session_id in ("", each.session_id)
        ]
        running = [each for each in found if each.state != "ended"]
        ended = [each for each in found if each.state == "ended"]
        ended.sort(key=_written_ns, reverse=True)
        here = "" if self._here is None else os.path.realpath(self._here)
        watched = [self._watched(each, count) for each in [*running, *ended[:ENDED_MAX]]]
        return tuple(
            sorted(
                watched,
                key=lambda each: (
                    *(_RANK[each.state] == 2, os.path.realpath(each.workspace) != here),
                    *(str(each.workspace), each.session_id),
                ),
            )
        )

    def _watched(self, seen: SeenSession, count: Callable[[str], object]) -> Watched:
        page = None
        if seen.figures is not None:  # what another process left of the id is none
            try:
                page = read_page(metrics_path(seen.session_id, seen.workspace))
            except FileNotFoundError:
                pass
            except PageError:
                count("figures")
        return Watched(
            *(seen.workspace, seen.session_id, seen.state, seen.kind, seen.mode),
            *(seen.beat, page),
        )

    def _switches(self, sessions: Iterable[Watched]) -> dict[str, SwitchStatus | None]:
        places = [*([] if self._here is None else [self._here])]
        places += [each.workspace for each in sessions]
        by_name = {str(place): place for place in places}
        return {
            name: read_switch(paths.state_dir(place) / "kill-switch")
            for name, place in by_name.items()
        }

    def _follow_equity(self, session: Watched) -> None:
        page = session.page
        if page is None or not page.risk.currencies:
            return
        if session.key not in self._curves:
            self._curves[session.key] = curve = Curve()
            currency = page.risk.currencies[0].currency
            for point in self._end(session).equity(currency):
                curve.add(*point)
        if page.last_event_ns:
            self._curves[session.key].add(page.last_event_ns, page.risk.currencies[0].equity_units)

    def _events(self, session: Watched, count: Callable[[str], object]) -> tuple[Event, ...]:
        end = self._end(session)
        try:
            end.read()
        except OSError:
            count("journal")
        return tuple(end.events)

    def _end(self, session: Watched) -> JournalEnd:
        if session.key not in self._ends:
            folder = paths.within(session.workspace, paths.sessions_dir())
            journal = folder / session.session_id / JOURNAL
            self._ends[session.key] = JournalEnd(journal, self._words)
        return self._ends[session.key]


def _written_ns(seen: SeenSession) -> int:
    return 0 if seen.figures is None else seen.figures.written_ns
