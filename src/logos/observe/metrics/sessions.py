"""Which sessions a page shows, and how each stands: those that run, and those of the last day.

A session of this user is found by the registry, by its heartbeat in a workspace that is known, or
by the figures that it left there. Known are the workspaces that are named, and each in which a
session was ever seen to run. One that ended or died is shown as not up for a day, so that an alert
has time to fire and its last figures are scraped; after that it is gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from logos import paths
from logos.core.types import NS_PER_DAY
from logos.observe.metrics.figures import FiguresFile, mode_of, read_figures
from logos.session.presence.found import FoundSession, find_sessions
from logos.session.presence.heartbeat import Heartbeat
from logos.session.presence.page import metrics_path

SHOWN_AFTER_NS: Final = NS_PER_DAY
_SUFFIX: Final = ".metrics.json"

Count = Callable[[str], object]
"""Told the source (see `catalog.ERROR_SOURCES`) of each thing that could not be read."""


class SeenSession(NamedTuple):
    """One session as a page shows it."""

    workspace: Path
    session_id: str
    state: str
    kind: str
    mode: str
    since_ns: int
    """When this life of it began; 0: not known."""
    new_life: str
    """The token of a session that began anew; "" of one that was resumed or runs no more."""
    beat: Heartbeat | None
    figures: FiguresFile | None

    @property
    def key(self) -> tuple[str, str]:
        """Workspace and id, the labels of all its metrics."""
        return str(self.workspace), self.session_id

    @property
    def runs(self) -> bool:
        """Whether a process runs it, as far as can be told."""
        return self.state not in ("dead", "ended")


class SessionFinder:
    """Finds the sessions for one page after the other; for one thread."""

    def __init__(self, workspaces: Sequence[Path] = ()) -> None:
        """`workspaces` are looked at whether or not a session runs there."""
        self.workspaces: dict[str, Path] = {}
        """Every workspace that is known, by its real path."""
        self._latest: dict[tuple[str, str], tuple[int, SeenSession]] = {}
        for workspace in workspaces:
            self._know(workspace)

    def find(self, now_ns: int, count: Count) -> list[SeenSession]:
        """Every session to be shown at `now_ns`, by workspace and id. Never raises for what is on
        the disk; `count` is told of it."""
        seen: dict[tuple[str, str], SeenSession] = {}
        for found in find_sessions(*self.workspaces.values()):
            if found.workspace is None:
                count("registry")
                continue
            workspace = self._know(found.workspace)
            if not found.session_id or found.kind == "replay" or found.is_of_sweep:
                continue  # it has no id yet, only runs again what another did, or is one of many
            session = self._found(workspace, found, now_ns, count)
            there = seen.get(session.key)
            if session.runs or (there is None and self._is_recent(session, now_ns)):
                seen[session.key] = session
        for session in [*self._left_figures(now_ns, seen, count), *self._remembered(now_ns, seen)]:
            seen.setdefault(session.key, session)
        self._remember(now_ns, seen)
        return [seen[key] for key in sorted(seen)]

    def _know(self, workspace: Path) -> Path:
        return self.workspaces.setdefault(os.path.realpath(workspace), workspace)

    def _found(
        self, workspace: Path, found: FoundSession, now_ns: int, count: Count
    ) -> SeenSession:
        beat = None if found.report is None else found.report.heartbeat
        if found.report is not None and beat is None:
            count("heartbeat")
        figures = self._figures(workspace, found.session_id, count)
        begins_anew = found.kind == "trade" and found.running
        if begins_anew and figures is not None and figures.pid != found.pid:
            figures = None  # of a removed session that had the same id
        mode = "unknown" if figures is None else figures.mode_word
        if beat is not None and beat.switch:
            mode = mode_of(is_live=beat.is_live, is_real=beat.is_real)
        return SeenSession(
            workspace=workspace,
            session_id=found.session_id,
            state=_state_of(found, now_ns),
            kind=found.kind,
            mode=mode,
            since_ns=found.since_ns,
            new_life=found.key if begins_anew else "",
            beat=beat,
            figures=figures,
        )

    def _figures(self, workspace: Path, session_id: str, count: Count) -> FiguresFile | None:
        try:
            return read_figures(metrics_path(session_id, workspace), session_id)
        except (OSError, ValueError):
            count("metrics")
            return None

    def _left_figures(
        self, now_ns: int, seen: dict[tuple[str, str], SeenSession], count: Count
    ) -> list[SeenSession]:
        """Sessions that ended within the day and left their figures."""
        left = []
        for workspace in self.workspaces.values():
            folder = paths.within(workspace, paths.logs_dir())
            try:
                entries = [each for each in os.scandir(folder) if each.name.endswith(_SUFFIX)]
                written = {each.name: each.stat().st_mtime_ns for each in entries}
            except FileNotFoundError:
                continue
            except OSError:
                count("metrics")
                continue
            for name, written_ns in written.items():
                session_id = name.removesuffix(_SUFFIX)
                is_known = (str(workspace), session_id) in seen or name.startswith(".")
                if is_known or now_ns - written_ns > SHOWN_AFTER_NS:
                    continue
                figures = self._figures(workspace, session_id, count)
                mode = "unknown" if figures is None else figures.mode_word
                state = _state_after(figures)
                left.append(
                    SeenSession(workspace, session_id, state, "", mode, 0, "", None, figures)
                )
        return left

    def _remembered(
        self, now_ns: int, seen: dict[tuple[str, str], SeenSession]
    ) -> list[SeenSession]:
        """Sessions that were seen within the day and left nothing."""
        return [
            session._replace(state=_state_after(session.figures), new_life="")
            for key, (seen_ns, session) in self._latest.items()
            if key not in seen and now_ns - seen_ns <= SHOWN_AFTER_NS
        ]

    def _remember(self, now_ns: int, seen: dict[tuple[str, str], SeenSession]) -> None:
        for key, session in seen.items():
            if session.runs:
                self._latest[key] = now_ns, session
        for key in [key for key in self._latest if key not in seen]:
            del self._latest[key]

    def _is_recent(self, session: SeenSession, now_ns: int) -> bool:
        beat = session.beat
        return beat is None or now_ns - beat.written_ns <= SHOWN_AFTER_NS


def _state_after(figures: FiguresFile | None) -> str:
    """How a session stands that no process runs and that left no heartbeat.

    Its figures have an exit code since its end. Without one it was killed, and whoever wanted to
    resume it took the heartbeat away and did not get as far.
    """
    return "ended" if figures is None or figures.exit_code >= 0 else "dead"


def _state_of(found: FoundSession, now_ns: int) -> str:
    """How a session stands that runs or died, in the words of `catalog.SESSION_STATES`."""
    verdict = found.verdict(now_ns)
    if verdict != "ok":
        return verdict
    beat = None if found.report is None else found.report.heartbeat
    return "running" if beat is not None and beat.switch else "starting"
