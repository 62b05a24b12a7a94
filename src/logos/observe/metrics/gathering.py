"""Gathers the samples of one page: reads what all sessions wrote, at the moment it is asked.

Nothing here speaks to a session, and nothing that lies on the disk raises: what cannot be read or
understood is counted in `logos_scrape_errors_total`, and the rest of the page is whole.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from logos import __version__, paths
from logos.core.types import NS_PER_SECOND, SwitchState
from logos.journal.entries import JOURNAL
from logos.killswitch.peek import read_switch
from logos.observe.metrics.catalog import ERROR_SOURCES, SESSION_STATES
from logos.observe.metrics.figures import add_figures, add_heartbeat
from logos.observe.metrics.samples import Counters, Sample, Samples, Spread
from logos.observe.metrics.sessions import SeenSession, SessionFinder

_SWITCH_STATES: Final = tuple(state.name for state in SwitchState)
_INPUTS: Final = "inputs"
_DEPTH_MAX: Final = 3
"""How far below a session's folder its files are looked for."""


class Gatherer:
    """Makes the samples of one page after the other; from any thread, one page at a time."""

    def __init__(
        self, workspaces: Sequence[Path] = (), clock: Callable[[], int] = time.time_ns
    ) -> None:
        """`workspaces` are shown whether or not a session runs there; `clock` gives nanoseconds
        since 1970 UTC."""
        self._clock = clock
        self._finder = SessionFinder(workspaces)
        self._counters = Counters()
        self._shown: set[tuple[str, str]] = set()
        self._errors = dict.fromkeys(ERROR_SOURCES, 0)
        self._lock = threading.Lock()

    def gather(self) -> list[Sample | Spread]:
        """Every sample of a page. Never raises for what is on the disk."""
        with self._lock:
            began_s = time.perf_counter()
            now_ns = self._clock()
            sessions = self._finder.find(now_ns, self._count)
            page: list[Sample | Spread] = []
            for session in sessions:
                samples = self._of_session(session, now_ns)
                page += self._counters.raised(session.key, session.new_life, samples.all)
            shown = {session.key for session in sessions}
            for key in self._shown - shown:
                self._counters.forget(key)
            self._shown = shown
            for workspace in self._finder.workspaces.values():
                page += self._of_workspace(workspace).all
            return page + self._of_exporter(sessions, began_s).all

    def _count(self, source: str) -> None:
        self._errors[source] += 1

    def _of_session(self, session: SeenSession, now_ns: int) -> Samples:
        samples = Samples(*session.key)
        samples.add("logos_up", session.runs)
        samples.add("logos_session_info", 1, session.mode, session.kind)
        samples.one_of("logos_session_state", SESSION_STATES, session.state)
        if session.since_ns:
            samples.add("logos_session_start_time_seconds", session.since_ns / NS_PER_SECOND)
        beat, figures, runs = session.beat, session.figures, session.runs
        if beat is not None:
            self._try(
                "heartbeat", samples, lambda all_: add_heartbeat(all_, beat, now_ns, runs=runs)
            )
        if figures is not None:
            self._try(
                "metrics", samples, lambda all_: add_figures(all_, figures, now_ns, runs=runs)
            )
        self._add_sizes(samples, session)
        return samples

    def _try(self, source: str, samples: Samples, add: Callable[[Samples], None]) -> None:
        """Add what one file says; all of it, or nothing where it holds what cannot be."""
        of_file = samples.empty()
        try:
            add(of_file)
            samples.take(of_file)
        except (ValueError, ArithmeticError):
            self._count(source)

    def _add_sizes(self, samples: Samples, session: SeenSession) -> None:
        folder = paths.within(session.workspace, paths.sessions_dir()) / session.session_id
        beat = session.beat
        if beat is not None and beat.journal:
            folder = Path(beat.journal).parent
        try:
            sizes = list(_sizes(str(folder), _DEPTH_MAX))
        except FileNotFoundError:
            return  # it has no folder yet, or none any more
        except OSError:
            self._count("disk")
            return
        samples.add("logos_session_bytes", sum(size for _, size in sizes))
        samples.add("logos_journal_bytes", sum(size for name, size in sizes if name == JOURNAL))
        inputs = [size for name, size in sizes if name.startswith(_INPUTS)]
        if inputs:
            samples.add("logos_inputs_bytes", sum(inputs))

    def _of_workspace(self, workspace: Path) -> Samples:
        samples = Samples(str(workspace))
        try:
            switch = read_switch(paths.state_dir(workspace) / "kill-switch")
        except OSError:  # it answers for all that it finds; this is for what nobody thought of
            self._count("switch")
            switch = None
            samples.one_of("logos_switch_state", _SWITCH_STATES, SwitchState.ENGAGED.name)
        if switch is not None:
            samples.one_of("logos_switch_state", _SWITCH_STATES, switch.state.name)
            samples.add("logos_switch_epoch", switch.epoch)
        try:
            disk = os.statvfs(workspace)
        except OSError:
            self._count("disk")
        else:
            samples.add("logos_disk_free_bytes", disk.f_bavail * disk.f_frsize)
            samples.add("logos_disk_size_bytes", disk.f_blocks * disk.f_frsize)
        return samples

    def _of_exporter(self, sessions: Sequence[SeenSession], began_s: float) -> Samples:
        samples = Samples()
        states = [session.state for session in sessions]
        for state in SESSION_STATES:
            samples.add("logos_sessions", states.count(state), state)
        samples.add("logos_build_info", 1, __version__)
        for source, count in self._errors.items():
            samples.add("logos_scrape_errors_total", count, source)
        samples.add("logos_scrape_duration_seconds", time.perf_counter() - began_s)
        return samples


def _sizes(folder: str, depth: int) -> list[tuple[str, int]]:
    """Name and size of every file in `folder`; what is below it has the name of its folder there.

    Raises OSError.
    """
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    below = _sizes(entry.path, depth - 1) if depth else []
                    found += [(entry.name, size) for _, size in below]
                else:
                    found.append((entry.name, entry.stat(follow_symlinks=False).st_size))
            except FileNotFoundError:
                continue  # a file that was replaced or removed meanwhile
    return found
