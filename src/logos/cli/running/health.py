"""`logos health ID`: whether one session of this workspace is well, as one line of JSON.

Problem: a supervisor, a container's health check or a probe asks every few seconds, understands an
exit code, and must not mistake a session that ended for one that is well. Method: heartbeat, switch
and the last files of the session are read, no journal, and no more of logos is imported than that
takes. `--liveness` asks another question: would a new process cure it?
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from logos import paths
from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_named, is_same
from logos.core.types import SwitchState
from logos.errors import WorkspaceError
from logos.journal.names import JOURNAL
from logos.killswitch.peek import read_switch
from logos.session.presence.found import LATE_S, FoundSession, find_sessions
from logos.session.presence.heartbeat import Heartbeat
from logos.session.stored.names import ended_as
from logos.session.stored.next_steps import resume_command


class Health(msgspec.Struct, frozen=True):
    """How a session stands. Ages are seconds; None: there is nothing whose age could be told."""

    session: str
    workspace: str
    healthy: bool
    why: tuple[str, ...]
    """Why it is not healthy, in words; empty when it is."""
    running: bool
    verdict: str
    """ok, starting, stalled, dead, unknown (it cannot be judged), ended or missing."""
    pid: int | None
    heartbeat_age_s: float | None
    switch: str
    """The more severe of what the session saw last and what the switch's files say."""
    feed_age_s: float | None
    """Since the latest market event was received; None before the first, and on recorded data."""
    outcome: str | None
    """How it ended: the status of its seal, or CRASHED; None while it runs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos health`."""
    parser.epilog = exit_codes(
        {
            0: "it runs and is well; with --liveness: no new process would cure it",
            1: "it does not run, does not respond, is ENGAGED, or its data is too old: see `why`; "
            "with --liveness: its process runs and does not respond",
            2: "a wrong command line, or there is no workspace",
        }
    )
    parser.add_argument("session", metavar="ID", help="a session of this workspace")
    parser.add_argument(
        "--max-feed-age",
        type=_seconds,
        metavar="S",
        help="a live session whose latest market data is older is not well (default: any age)",
    )
    parser.add_argument(
        "--late-after",
        type=_seconds,
        default=LATE_S,
        metavar="S",
        help=f"a session whose heartbeat is older does not respond (default: {LATE_S:g})",
    )
    parser.add_argument(
        "--liveness",
        action="store_true",
        help="exit code 1 only for a process that runs and does not respond",
    )


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (value := float(text)) < float("inf"):
            return value
    raise argparse.ArgumentTypeError(f"a number of seconds above 0, not {text!r}")


def run(options: argparse.Namespace) -> int:
    """Print one line; the exit code says whether all is well."""
    try:
        workspace = find_named()
        paths.check_session_id(options.session)
    except (WorkspaceError, ValueError) as error:
        print(f"logos health: {error}", file=sys.stderr)
        return 2
    health = look(
        workspace, options.session, time.time_ns(), options.late_after, options.max_feed_age
    )
    print(msgspec.json.encode(health).decode())
    if options.liveness:
        return int(health.verdict == "stalled")
    return int(not health.healthy)


def look(
    workspace: Path,
    session_id: str,
    now_ns: int,
    late_after_s: float = LATE_S,
    max_feed_age_s: float | None = None,
) -> Health:
    """How a session stands at `now_ns`, nanoseconds since 1970 UTC. Raises nothing for the disk."""
    found = next(
        (
            each
            for each in find_sessions(workspace)
            if each.session_id == session_id and is_same(each.workspace, workspace)
            if each.kind != "replay" and not each.is_of_sweep
        ),
        None,
    )
    beat = None if found is None or found.report is None else found.report.heartbeat
    verdict: str = "ended" if found is None else found.verdict(now_ns, late_after_s)
    outcome = None
    if verdict in ("ended", "dead"):
        outcome = _outcome(workspace, session_id)
        verdict = "missing" if outcome is None else verdict
    switch = _switch(workspace, beat)
    feed_age_s = _feed_age_s(beat, now_ns) if verdict != "dead" else None
    why = [*_why(verdict, session_id, found, outcome)]
    if switch is SwitchState.ENGAGED:
        why.append("the kill switch is ENGAGED: `logos kill status`")
    if max_feed_age_s is not None and beat is not None and beat.is_live and not why:
        if feed_age_s is None:
            why.append("no market data yet")
        elif feed_age_s > max_feed_age_s:
            why.append(f"market data is {feed_age_s:.1f} s old, more than {max_feed_age_s:g} s")
    is_running = found is not None and found.running
    return Health(
        session=session_id,
        workspace=str(workspace),
        healthy=not why,
        why=tuple(why),
        running=is_running,
        verdict=verdict,
        pid=found.pid if is_running and found is not None else None,
        heartbeat_age_s=None if beat is None else round(beat.age_s(now_ns), 3),
        switch=switch.name,
        feed_age_s=None if feed_age_s is None else round(feed_age_s, 3),
        outcome=outcome,
    )


def _why(
    verdict: str, session_id: str, found: FoundSession | None, outcome: str | None
) -> list[str]:
    beat = None if found is None or found.report is None else found.report.heartbeat
    words = {
        "ended": f"it ended: {outcome}",
        "missing": "there is no such session in this workspace",
        "dead": f"its process is gone: `{_resume(session_id, beat)}` continues it",
        "stalled": (beat.stuck if beat is not None else "") or "it does not respond",
        "unknown": "" if found is None else found.problem,
    }
    return [words[verdict]] if verdict in words else []


def _resume(session_id: str, beat: Heartbeat | None) -> str:
    return resume_command(session_id, is_real=beat is not None and beat.is_real)


def _outcome(workspace: Path, session_id: str) -> str | None:
    """The status of a session that does not run; None when there is none of that id."""
    folder = paths.within(workspace, paths.session_dir(session_id))
    if not (folder / JOURNAL).is_file():
        return None
    try:
        return ended_as(folder) or "CRASHED"
    except (OSError, msgspec.DecodeError):
        return "UNKNOWN"


def _switch(workspace: Path, beat: Heartbeat | None) -> SwitchState:
    """A session that runs where no switch ever was has one of its own, which it shows."""
    found = read_switch(paths.state_dir(workspace) / "kill-switch")
    shown = None if beat is None else SwitchState.__members__.get(beat.switch)
    if found is None:
        return SwitchState.ENGAGED if shown is None else shown
    return found.state if shown is None else max(found.state, shown)


def _feed_age_s(beat: Heartbeat | None, now_ns: int) -> float | None:
    if beat is None or beat.market_age_ns < 0:
        return None
    return max(0.0, beat.age_s(now_ns)) + beat.market_age_ns / 1_000_000_000
