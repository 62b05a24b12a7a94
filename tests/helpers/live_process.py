"""A live replay session in a process of its own that kills itself with SIGKILL.

It plays recorded bars through the live loop at a pace, writes a snapshot once its strategy has seen
so many of them and dies when it has seen more: nothing is closed, flushed or said.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

from places import PROJECT

from logos.config import Config, make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.session.entry import run

SYMBOLS = ("ACME", "EURUSD")


class EveryBar(Strategy):
    """Buys and sells at every bar in turn; it can be saved."""

    def __init__(self) -> None:
        self.seen = 0
        self.asked = 0

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.asked += 1
        self.seen += 1
        return Side.BUY if self.seen % 2 else Side.SELL

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen = state["seen"]


def replay_settings() -> Config:
    """An hour of two symbols, a thousand times faster than it was recorded."""
    tables: dict[str, Any] = {
        "session": {"id": "killed", "seed": 4},
        "data": {
            "paths": [str(PROJECT / "data" / "cache")],
            "symbols": list(SYMBOLS),
            "from": "2026-01-05T13:30:00Z",
            "to": "2026-01-05T14:30:00Z",
            "accept": ["gap"],
        },
        "live": {"feed": "replay", "speed": "1000", "heartbeat_ms": 20},
    }
    return make_config(tables)


def run_and_die(home: Path, saved_at: int, killed_at: int) -> int:
    """Run the session in a process; its exit code (that of SIGKILL: -9)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["live_process"])
    process = context.Process(target=_main, args=(home, saved_at, killed_at))
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the session neither ended nor died"
    return process.exitcode


def _main(home: Path, saved_at: int, killed_at: int) -> None:
    strategy = EveryBar()
    saved = False

    def is_due() -> bool:
        nonlocal saved
        if not saved and strategy.seen >= saved_at:
            saved = True
            return True
        if saved and strategy.seen >= killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    switch = InProcessSwitch()
    run(replay_settings(), strategy=strategy, switch=switch, home=home, snapshot_due=is_due)
