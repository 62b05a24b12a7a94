"""`logos inspect`: what a session is and how it stands; `--follow` prints records as they come."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, Final

import msgspec

from logos import paths
from logos.audit.inspect import Overview, account_figures
from logos.cli.exit_codes import exit_codes
from logos.config import ConfigError
from logos.session import ExitCode
from logos.session.history import find_session
from logos.session.presence.heartbeat import heartbeat_path, read_heartbeat
from logos.session.presence.now import Now, money_words, now_of, position_lines
from logos.session.presence.page import MetricsPage, PageError, metrics_path, read_page
from logos.session.stored.names import may_resume
from logos.session.stored.next_steps import ONLY_LOOK, resume_command

_POLL_S: Final = 0.2
_ABOVE_SESSION: Final = len(paths.sessions_dir().relative_to(paths.home()).parts)
"""Which folder above that of a session is its workspace."""
_NOW_EVERY_S: Final = 10.0
"""How often position and profit are told of a session that is followed and does nothing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos inspect`."""
    parser.epilog = exit_codes(
        {
            0: "shown; the session is finished, or it runs",
            2: "no such session, or a wrong command line",
            6: "a file cannot be read",
            7: "the session crashed: use `logos resume`",
            8: "the journal is damaged: the place is named",
        }
    )
    parser.add_argument("session", metavar="ID|FOLDER", help="a session's id, or its folder")
    parser.add_argument(
        "--follow", action="store_true", help="then print new records until the session ends"
    )
    parser.add_argument("--json", action="store_true", help="print the overview as JSON")


def run(options: argparse.Namespace) -> int:
    """Show the session; 7 when it crashed, 8 when its journal is damaged."""
    try:
        with Overview(find_session(options.session, may_be_path=True)) as overview:
            overview.read()
            status = overview.status()
            overview.read()  # what a process wrote before it ended, if it just did
            if options.json:
                print(json.dumps(_as_json(overview, status), ensure_ascii=False), flush=True)
            else:
                print(overview_text(overview, _now(overview, status)), flush=True)
            if options.follow and status == "RUNNING":
                follow(overview, as_json=options.json)
            return _exit_code(overview)
    except ConfigError as error:
        print(f"logos inspect: {error}", file=sys.stderr)
        return int(ExitCode.BAD_CONFIGURATION)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        print(f"logos inspect: {error.filename}: {error.strerror}", file=sys.stderr)
        return int(ExitCode.CANNOT_WRITE)


def follow(overview: Overview, *, as_json: bool) -> None:
    """Print each new record until the seal, damage, the end of its process, or Ctrl-C; and
    position and profit of now: when orders or fills have come, else every ten seconds."""

    def show(text: str) -> None:
        print(json.dumps({"record": text}, ensure_ascii=False) if as_json else text)

    teller = NowTeller(overview)
    try:
        while overview.sealed is None and overview.damage is None:
            # Asked before reading: what was written up to its death is still read.
            is_alive = overview.status() == "RUNNING"
            overview.read(show)
            now = teller.news(time.monotonic())
            if now is not None:
                print(_now_as_json(now) if as_json else now_line(now))
            sys.stdout.flush()
            if overview.is_cut_back():
                print("logos inspect: the journal was cut back: run it again", file=sys.stderr)
                return
            if not is_alive:
                return
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        return


def _exit_code(overview: Overview) -> int:
    if overview.damage is not None:
        print(f"logos inspect: {overview.damage}", file=sys.stderr)
        return int(ExitCode.DAMAGED)
    if overview.status() == "CRASHED":
        what_now = f"resume it: {resume_command(overview.session_id, is_real=overview.is_real)}"
        if not may_resume(overview.folder, is_real=overview.is_real):
            what_now = ONLY_LOOK
        print(f"logos inspect: not finished; {what_now}", file=sys.stderr)
        return int(ExitCode.TORN)
    return int(ExitCode.FINISHED)


class NowTeller:
    """Says when position and profit of a running session are to be told again."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview
        self._told: tuple[int, ...] = ()
        self._next_s = 0.0
        self._look_s = 0.0

    def news(self, now_s: float) -> Now | None:
        """What is to be told at `now_s`, a monotonic time; None: nothing now."""
        if now_s < self._look_s:
            return None
        self._look_s = now_s + 1.0  # a page is replaced once a second
        page = page_of_running(self._overview)
        if page is None:
            return None
        stand = (page.orders, page.fills, page.open_orders)
        if stand == self._told and now_s < self._next_s:
            return None
        self._told, self._next_s = stand, now_s + _NOW_EVERY_S
        return now_of(page)


def page_of_running(overview: Overview) -> MetricsPage | None:
    """The figures that the process which runs the session wrote; None where there are none."""
    try:
        home = overview.folder.resolve().parents[_ABOVE_SESSION]
        report = read_heartbeat(heartbeat_path(overview.session_id, home))
        page = read_page(metrics_path(overview.session_id, home))
    except (IndexError, FileNotFoundError, PageError):
        return None  # a folder elsewhere, or a help for people that cannot be read
    return page if report is not None and report.pid == page.pid else None


def _now(overview: Overview, status: str) -> Now | None:
    page = page_of_running(overview) if status == "RUNNING" else None
    return None if page is None else now_of(page)


def _as_json(overview: Overview, status: str) -> dict[str, Any]:
    now = _now(overview, status)
    return {**overview.as_json(), "now": None if now is None else msgspec.to_builtins(now)}


def _now_as_json(now: Now) -> str:
    return json.dumps({"now": msgspec.to_builtins(now)}, ensure_ascii=False)


def now_line(now: Now) -> str:
    """Position and profit in one line, in the columns of a record."""
    words = "; ".join([*position_lines(now), *map(money_words, now.money)])
    return f"{'now':>8}  {now.time:<30}  {'figures':<12}  {words}"


def overview_text(overview: Overview, now: Now | None = None) -> str:
    """The overview for people; `now` is what a running session says of itself."""
    facts = overview.as_json()
    lines = [f"session {facts['session_id']}: {facts['status']}"]
    if facts["reason"]:
        lines[0] += f" ({facts['reason']})"
    for label, key in (("strategy", "strategy"), ("software", "software"), ("seed", "seed")):
        if key in facts:
            lines.append(f"  {label:<10}{facts[key]}")
    if facts["last_event"]:
        lines.append(f"  {'event':<10}{facts['tick_id']} at {facts['last_event']}")
    counts = ", ".join(f"{count} {kind}" for kind, count in facts["counts"].items())
    torn = ", and a torn line" if facts["is_torn"] else ""
    lines.append(f"  {'records':<10}{facts['records']}{torn}" + (f" ({counts})" if counts else ""))
    lines.append(f"  {'switch':<10}{facts['switch_state']}")
    for symbol, position in overview.positions.items():
        lines.append(f"  {'position':<10}{symbol} {position}")
    for currency, account in overview.accounts.items():
        figures = account_figures(account)
        lines.append(
            f"  {'account':<10}{currency} equity {figures['equity']}, balance "
            f"{figures['balance']}, at {figures['time']}"
        )
    if now is not None:
        lines.append(f"  {'now':<10}{now.time}")
        lines += [f"  {'':<10}{line}" for line in position_lines(now)]
        lines += [f"  {'':<10}{money_words(each)}" for each in now.money]
    for order in facts["open_orders"]:
        price = order["limit_price"] or order["stop_price"]
        lines.append(
            f"  {'open':<10}{order['order_id']} {order['symbol']} {order['side']} "
            f"{order['quantity']} {order['type']}{' ' if price else ''}{price} "
            f"{order['status']}, filled {order['filled']}"
        )
    return "\n".join([*lines, "  last records", *overview.last_records()])
