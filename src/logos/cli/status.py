"""`logos status`: which sessions run in this workspace, and whether each responds."""

from __future__ import annotations

import argparse
import json
import sys
import time

import msgspec

from logos.cli.exit_codes import exit_codes
from logos.session.presence.heartbeat import (
    Heartbeat,
    SessionReport,
    heartbeat_path,
    read_heartbeat,
    read_sessions,
    sessions_folder,
)

_LATE_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos status`."""
    parser.epilog = exit_codes(
        {0: "every session responds", 1: "one does not, or the session named does not run"}
    )
    parser.add_argument("session", nargs="?", metavar="ID", help="only this session")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--late-after",
        type=float,
        default=_LATE_S,
        metavar="SECONDS",
        help=f"a session whose heartbeat is older does not respond (default: {_LATE_S:g})",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each session that runs or died; 0 when all respond, 1 when one does not."""
    now_ns = time.time_ns()
    found = [
        (report, _verdict(report, now_ns, options.late_after))
        for report in read_sessions(sessions_folder())
        if options.session in (None, report.session_id)
    ]
    if options.session and not found:
        print(
            f"logos status: no session {options.session} is running in this workspace; "
            f"`logos inspect {options.session}` shows one that ended",
            file=sys.stderr,
        )
        return 1
    if options.json:
        print(json.dumps([_as_json(*each, now_ns) for each in found], indent=2))
    elif not found:
        print("no session is running in this workspace")
    else:
        for report, verdict in found:
            _print(report, verdict, now_ns)
    return 0 if all(verdict == "ok" for _, verdict in found) else 1


def running_live(session_id: str) -> Heartbeat | None:
    """The heartbeat of a live session that runs in this workspace; None when none does."""
    report = read_heartbeat(heartbeat_path(session_id))
    if report is None or report.problem or not report.running:
        return None
    beat = report.heartbeat
    return beat if beat is not None and beat.is_live else None


def _verdict(report: SessionReport, now_ns: int, late_after_s: float) -> str:
    if report.heartbeat is None or report.problem:
        return "unknown"
    if not report.running:
        return "dead"
    if report.heartbeat.stuck:
        return "stalled"
    return "ok" if report.heartbeat.age_s(now_ns) <= late_after_s else "stalled"


def _words(report: SessionReport, verdict: str) -> str:
    """The verdict in words."""
    if verdict == "unknown":
        return f"UNKNOWN: {report.problem}"
    if verdict == "dead":
        end = "process gone" if report.process_is_gone else "ended without closing"
        return f"DEAD: {end}; `logos resume {report.session_id}`"
    if verdict == "ok":
        return "running"
    if report.heartbeat is not None and report.heartbeat.stuck:
        return f"STALLED: {report.heartbeat.stuck}"
    is_live = report.heartbeat is not None and report.heartbeat.is_live
    return "STALLED: event loop not responding" if is_live else "STALLED: not responding"


def _print(report: SessionReport, verdict: str, now_ns: int) -> None:
    print(f"{report.session_id}: {_words(report, verdict)}")
    beat = report.heartbeat
    if beat is None:
        return
    market = ""
    if beat.market_age_ns >= 0:
        market = f", last market data {beat.market_age_ns / 1e9:.1f} s before the heartbeat"
    elif beat.is_live:
        market = ", no market data yet"
    print(f"  process {beat.pid}, heartbeat {beat.age_s(now_ns):.1f} s ago{market}")
    if not beat.switch:
        print("  starting: it has met no event yet")
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
    if beat.paused:
        print(f"  PAUSED by an operator: {', '.join(beat.paused)}")
    for feed, state in beat.feeds.items():
        print(f"  {feed}: {state}")


def _as_json(report: SessionReport, verdict: str, now_ns: int) -> dict[str, object]:
    beat = report.heartbeat
    return {
        "session": report.session_id,
        "verdict": verdict,
        "problem": report.problem,
        "heartbeat_age_s": None if beat is None else round(beat.age_s(now_ns), 3),
        **({} if beat is None else msgspec.to_builtins(beat)),
    }
