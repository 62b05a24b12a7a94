"""What the screen of `logos watch` is given, made up for tests: sessions, views, and its lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from figures_pages import page, symbol

from logos.observe.watching.curve import Point
from logos.observe.watching.events import Event
from logos.observe.watching.screen import UNICODE, Glyphs, Line, screen_lines
from logos.observe.watching.sessions import View, Watched
from logos.session.presence.heartbeat import Heartbeat
from logos.session.presence.page import FeedFigures, GuardFigures

DESK = Path("/srv/desk")
NOW_NS = 1_700_000_000_000_000_000
HOSTILE = "\x1b[31m<script>\u202e漢字" * 20


def guard(code: str, used: int, limit: int, subject: str = "") -> GuardFigures:
    ratio = None if limit == 0 else used / limit
    return GuardFigures(code, subject, used, limit, "orders", 0, ratio, "refuse")


def watched(session_id: str = "desk-1", state: str = "running", **fields: Any) -> Watched:
    beat = Heartbeat(session_id, 7, 9, written_ns=NOW_NS - 400_000_000, is_live=True, switch="SAFE")
    guards = [guard("ORDER_RATE", 9, 10), guard("MAX_POSITION", 1, 10, "ETH")]
    shown = page([symbol("ETH", held=2), symbol("BTC", held=0)], guards)
    made = Watched(DESK, session_id, state, "trade", "paper", beat, shown)
    return msgspec.structs.replace(made, **fields)


def view(*sessions: Watched, **fields: Any) -> View:
    made = View(NOW_NS, DESK, sessions, {str(DESK): None}, (), (), {})
    return msgspec.structs.replace(made, **fields)


def text(line: Line) -> str:
    return "".join(piece.text for piece in line)


def shown(
    seen: View | None, columns: int = 80, rows: int = 23, glyphs: Glyphs = UNICODE, at: int = 0
) -> list[str]:
    chosen = seen.sessions[at].key if seen is not None and seen.sessions else None
    return [text(line) for line in screen_lines(seen, chosen, columns, rows, glyphs)]


def row(lines: list[str], label: str) -> str:
    return next(line for line in lines if line.startswith(label))


def everything() -> View:
    """More of everything than fits, and all of it hostile."""
    symbols = [symbol(f"{HOSTILE}{number}", held=number) for number in range(40)]
    guards = [guard("G" + HOSTILE, number, 20, HOSTILE) for number in range(40)]
    feeds = [FeedFigures(HOSTILE, HOSTILE, "RETRYING", HOSTILE, 1) for _ in range(40)]
    full = page(symbols, guards, strategy=HOSTILE, feeds=feeds)
    beat = Heartbeat(
        *("desk-1", 7, 9),
        written_ns=NOW_NS,
        is_live=True,
        switch="ENGAGED",
        stuck=HOSTILE,
        phase=HOSTILE,
        suspended=True,
        paused=(HOSTILE,) * 9,
        fleet=HOSTILE,
        protection=HOSTILE,
    )
    sessions = [watched(f"s{at}", page=full, beat=beat) for at in range(30)]
    events = [Event(NOW_NS, "WARNING", HOSTILE) for _ in range(200)]
    points = [Point(at * 10**9, at * at) for at in range(100)]
    return view(*sessions, events=tuple(events), curve=tuple(points), problems={"journal": 3})
