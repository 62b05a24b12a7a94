"""`logos status`: the switch, the running sessions, and what ended lately, of every workspace.

Exit code 0 means that nobody needs to look: every session responds, every session that is expected
runs, no switch is closed, and no workspace is left after a session that ended badly.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here, is_same, not_here
from logos.cli.running.risk import page_of, risk_fields, risk_lines
from logos.cli.running.standing import Standing, as_json, ended_lines, standing, switch_line
from logos.core.types import NS_PER_SECOND
from logos.errors import WorkspaceError
from logos.session.presence.found import LATE_S, FoundSession, Verdict, find_sessions
from logos.session.stored.next_steps import resume_command
from logos.session.stored.sessions import StoredSession

UNWATCHED = "NOT WATCHED since then: "
"""Before what a process that is gone held: nobody sends its exits until it is resumed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos status`."""
    parser.epilog = exit_codes(
        {
            0: "every session responds, and no switch is closed",
            1: "a session does not respond; one that is named or expected does not run; a switch "
            "is not SAFE; or the session that ended last ended badly and none has begun since; "
            "with --fleet: it is not SAFE, an engine is late, or the coordinator cannot be read",
            2: "a wrong command line, or LOGOS_HOME names no folder",
        }
    )
    parser.add_argument("session", nargs="?", metavar="ID", help="only sessions of this id")
    parser.add_argument("--here", action="store_true", help="only this workspace")
    parser.add_argument(
        "--expect",
        metavar="ID",
        action="append",
        default=[],
        help="a session that must run, else exit code 1 (repeatable)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--fleet", metavar="NAME", help="the switch of a fleet and its engines")
    words = "settings that name the fleet's coordinator"
    parser.add_argument("--config", metavar="FILE", help=words)
    parser.add_argument(
        "--late-after",
        type=float,
        default=LATE_S,
        metavar="SECONDS",
        help=f"a session whose heartbeat is older does not respond (default: {LATE_S:g})",
    )


def run(options: argparse.Namespace) -> int:
    """Print how each workspace stands, and each session that runs or died there."""
    if options.fleet is not None:
        from logos.cli.running.fleet import show_fleet  # what no other status needs

        return show_fleet(options.fleet, options.config, as_json=options.json)
    try:
        here = find_here()
    except WorkspaceError as error:
        print(f"logos status: {error}", file=sys.stderr)
        return 2
    now_ns = time.time_ns()
    everything = look(here, here_only=options.here)
    found = [each for each in everything if options.session in (None, each.session_id)]
    places = _standings(here, everything, now_ns)
    if options.session and not found:
        print(_not_running(options.session, places), file=sys.stderr)
        return 1
    verdicts = [session.verdict(now_ns, options.late_after) for session in found]
    running = {each.session_id for each in everything if each.running}
    missing = [name for name in options.expect if name not in running]
    if options.session:  # only of the workspaces in which it runs
        places = [
            each._replace(ended=[])
            for each in places
            if any(is_same(session.workspace, each.workspace) for session in found)
        ]
    if options.json:
        whole = {
            "workspaces": [as_json(each) for each in places],
            "sessions": [_as_json(*each, now_ns) for each in zip(found, verdicts, strict=True)],
            "missing": missing,
        }
        print(json.dumps(whole, indent=2))
    else:
        _print_all(here, places, found, verdicts, now_ns)
    for name in missing:
        words = f"session {name} is expected and does not run{_next_words(name, places)}"
        print(f"logos status: {words}", file=sys.stderr)
    is_well = all(verdict in ("ok", "starting") for verdict in verdicts) and not missing
    return 0 if is_well and all(each.is_safe and not each.bad_end for each in places) else 1


def _standings(here: Path | None, found: list[FoundSession], now_ns: int) -> list[Standing]:
    """How every workspace stands, `here` first."""
    workspaces = [] if here is None else [here]
    for session in found:
        if session.workspace is not None and not any(
            is_same(session.workspace, each) for each in workspaces
        ):
            workspaces.append(session.workspace)
    return [
        standing(
            each,
            [session.session_id for session in found if is_same(session.workspace, each)],
            now_ns,
        )
        for each in workspaces
    ]


def _not_running(session_id: str, places: list[Standing]) -> str:
    """What to say of a session that was asked for and does not run."""
    stored = _stored(session_id, places)
    if stored is None:
        return (
            f"logos status: no session {session_id} is running; `logos inspect {session_id}`, in "
            "its workspace, shows one that ended"
        )
    return (
        f"logos status: session {session_id} does not run ({stored.status}); `logos sessions "
        f"show {session_id}` says more"
    )


def _next_words(session_id: str, places: list[Standing]) -> str:
    """What to do about a session that should run; one that has ended is not run again."""
    stored = _stored(session_id, places)
    if stored is None or not stored.has_ended:
        return f": `logos run {session_id}`"
    return f" ({stored.status}): `logos sessions show {session_id}` says more"


def _stored(session_id: str, places: list[Standing]) -> StoredSession | None:
    """The session on the disk, that of the first workspace which has one of this id."""
    found = (each for place in places for each in place.sessions if each.session_id == session_id)
    return next(found, None)


def look(here: Path | None, *, here_only: bool = False) -> list[FoundSession]:
    """The sessions to show, those of the workspace `here` first, then by workspace and id."""
    found = find_sessions(*([] if here is None else [here]))
    if here_only:
        found = [session for session in found if is_same(session.workspace, here)]
    return sorted(
        found,
        key=lambda each: (
            not is_same(each.workspace, here),
            str(each.workspace or ""),
            each.session_id,
        ),
    )


def _print_all(
    here: Path | None,
    places: list[Standing],
    found: Sequence[FoundSession],
    verdicts: Sequence[Verdict],
    now_ns: int,
) -> None:
    if here is None and not found:
        print(f"{not_here()}\nno session is running")
        return
    for place in places:
        print(f"workspace {place.workspace}")
        print(switch_line(place.switch))
        if place.switch is not None and place.switch.clear_command:
            print(f"  to clear: {place.switch.clear_command}")
        there = [
            each
            for each in zip(found, verdicts, strict=True)
            if is_same(each[0].workspace, place.workspace)
        ]
        if not there:
            print("no session is running in this workspace")
        for session, verdict in there:
            _print(session, verdict, now_ns)
        for line in ended_lines(place, now_ns):
            print(line)
    for session, verdict in zip(found, verdicts, strict=True):
        if session.workspace is None:
            print("workspace not known")
            _print(session, verdict, now_ns)


def _words(session: FoundSession, verdict: Verdict, now_ns: int) -> str:
    """The verdict in words."""
    if verdict == "unknown":
        return f"UNKNOWN: {session.problem}"
    report = session.report
    if verdict == "dead":
        is_gone = report is None or report.process_is_gone
        end = "process gone" if is_gone else "ended without closing"
        beat = None if report is None else report.heartbeat
        command = resume_command(session.session_id, is_real=beat is not None and beat.is_real)
        return f"DEAD: {end}; `{command}`"
    is_run = session.kind not in ("replay", "seal")
    kind = "" if is_run else f" ({session.kind}; it sends no orders)"
    if session.is_of_sweep:
        kind = " (a sweep)" if session.kind == "sweep" else " (of a sweep)"
    if verdict == "ok":
        return f"running{kind}"
    if report is None:
        age_s = (now_ns - session.since_ns) / NS_PER_SECOND
        late = "starting" if verdict == "starting" else "STALLED: starting"
        return f"{late}{kind}: no heartbeat yet, {age_s:.1f} s after it began"
    if report.heartbeat is not None and report.heartbeat.stuck:
        return f"STALLED{kind}: {report.heartbeat.stuck}"
    is_live = report.heartbeat is not None and report.heartbeat.is_live
    return f"STALLED{kind}: {'event loop not responding' if is_live else 'not responding'}"


def _print(session: FoundSession, verdict: Verdict, now_ns: int) -> None:
    name = session.session_id or "(a session without an id yet)"
    print(f"{name}: {_words(session, verdict, now_ns)}")
    beat = None if session.report is None else session.report.heartbeat
    if beat is None:
        if session.pid:
            print(f"  process {session.pid}")
        return
    market = ""
    if beat.market_age_ns >= 0:
        market = f", last market data {beat.market_age_ns / 1e9:.1f} s before the heartbeat"
    elif beat.is_live:
        market = ", no market data yet"
    print(f"  process {beat.pid}, heartbeat {beat.age_s(now_ns):.1f} s ago{market}")
    if not beat.switch:
        print(f"  starting: {beat.phase or 'it has met no event yet'}")
        return
    live = ""
    if beat.is_live:
        live = (
            f"; {beat.waiting} events queued (peak {beat.peak_waiting}), "
            f"{beat.conflated} quotes conflated"
        )
    print(
        f"  {beat.ticks:,} ticks, {beat.orders:,} orders, {beat.fills:,} fills, "
        f"{beat.open_orders} open; switch {beat.switch}{live}"
    )
    if beat.suspended:
        print(
            "  SUSPENDED by an operator: the strategy is not asked; `logos pause --undo` ends that"
        )
    if beat.fleet:
        print(f"  {beat.fleet}")
    if beat.protection:
        print(f"  {beat.protection if verdict != 'dead' else UNWATCHED + beat.protection}")
    if beat.paused:
        print(f"  PAUSED by an operator: {', '.join(beat.paused)}")
    for feed, state in beat.feeds.items():
        print(f"  {feed}: {state}")
    page = page_of(session)
    for line in [] if page is None else risk_lines(page):
        print(f"  {line}")


def _as_json(session: FoundSession, verdict: Verdict, now_ns: int) -> dict[str, object]:
    beat = None if session.report is None else session.report.heartbeat
    fields = {} if beat is None else msgspec.to_builtins(beat)
    return {
        **fields,
        "session": session.session_id,
        "workspace": None if session.workspace is None else str(session.workspace),
        "kind": session.kind,
        "verdict": verdict,
        "problem": session.problem,
        **risk_fields(page_of(session)),
        "heartbeat_age_s": None if beat is None else round(beat.age_s(now_ns), 3),
    }
