"""`logos status`: which live sessions run on this machine, and whether their loops turn."""

from __future__ import annotations

import argparse
import json
import sys
import time

import msgspec

from logos.cli.exit_codes import exit_codes
from logos.session.presence.beacon import start_ticks
from logos.session.presence.heartbeat import LiveStatus, age_s, read_statuses
from logos.session.presence.lock import status_path

_LATE_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos status`."""
    parser.epilog = exit_codes(
        {0: "every live session responds", 1: "one does not, or the session named does not run"}
    )
    parser.add_argument("session", nargs="?", metavar="ID", help="only this session")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--late-after",
        type=float,
        default=_LATE_S,
        metavar="SECONDS",
        help=f"a heartbeat older than this is a stalled loop (default: {_LATE_S:g})",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each live session; 0 when all of them are well, 1 when one is not."""
    now_ns = time.time_ns()
    found = [
        (path.name.partition(".")[0], status)
        for path, status in read_statuses()
        if options.session in (None, path.name.partition(".")[0])
    ]
    if options.session and not found:
        print(
            f"logos status: no live session {options.session} runs here; a session that ended, or "
            "one on recorded data, is shown by `logos inspect`",
            file=sys.stderr,
        )
        return 1
    judged = [
        (name, status, _verdict(status, now_ns, options.late_after)) for name, status in found
    ]
    if options.json:
        print(json.dumps([_as_json(*each, now_ns) for each in judged], indent=2))
    elif not judged:
        print("no live session runs on this machine")
    else:
        for name, status, verdict in judged:
            _print(name, status, verdict, now_ns)
    return 0 if all(verdict == "ok" for _, _, verdict in judged) else 1


def running(session_id: str) -> LiveStatus | None:
    """The last heartbeat of a live session that runs on this machine; None when none does."""
    for path, status in read_statuses():
        if path == status_path(session_id) and status is not None and start_ticks(status.pid):
            return status
    return None


def _verdict(status: LiveStatus | None, now_ns: int, late_after_s: float) -> str:
    if status is None:
        return "unreadable"
    if not start_ticks(status.pid):
        return "dead"
    return "ok" if age_s(status, now_ns) <= late_after_s else "stalled"


_WORDS = {
    "ok": "runs",
    "stalled": "STALLED: its loop does not turn",
    "dead": "DEAD: its process is gone; `logos resume` goes on with it",
    "unreadable": "its heartbeat cannot be read",
}


def _print(name: str, status: LiveStatus | None, verdict: str, now_ns: int) -> None:
    print(f"{name}: {_WORDS[verdict]}")
    if status is None:
        return
    market = "none yet"
    if status.market_age_ns >= 0:
        market = f"{status.market_age_ns / 1e9:.1f} s before that"
    print(
        f"  process {status.pid}, heartbeat {age_s(status, now_ns):.1f} s ago, market data {market}"
    )
    print(
        f"  {status.ticks:,} ticks, {status.orders:,} orders, {status.fills:,} fills, "
        f"{status.open_orders} open; switch {status.switch}; {status.waiting} events wait "
        f"(at most {status.peak_waiting}), {status.conflated} quotes conflated"
    )
    if status.closed:
        print("  CLOSED by an operator: the strategy is not asked; `logos pause --undo` opens it")
    if status.paused:
        print(f"  PAUSED by an operator: {', '.join(status.paused)}")
    for feed, state in status.feeds.items():
        print(f"  {feed}: {state}")


def _as_json(name: str, status: LiveStatus | None, verdict: str, now_ns: int) -> dict[str, object]:
    facts = {} if status is None else msgspec.to_builtins(status)
    heartbeat_s = None if status is None else round(age_s(status, now_ns), 3)
    return {"session": name, "verdict": verdict, "heartbeat_age_s": heartbeat_s, **facts}
