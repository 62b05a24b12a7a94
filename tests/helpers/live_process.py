"""A live replay session in a process of its own that kills itself with SIGKILL.

It plays recorded bars through the live loop at a pace, writes a snapshot after so many turns of the
loop and dies so many turns later: nothing is closed, flushed or said.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from itertools import count
from pathlib import Path
from typing import Any

from places import PROJECT

from logos.config import Config, make_config
from logos.core.gates import InProcessSwitch
from logos.session.entry import run

SYMBOLS = ("ACME", "EURUSD")


def replay_settings() -> Config:
    """An hour of two symbols, a thousand times faster than it was recorded."""
    tables: dict[str, Any] = {
        "session": {"id": "killed", "seed": 4},
        "strategy": {"name": "sma_cross", "params": {"fast": 2, "slow": 5}},
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
    turns = count(1)

    def is_due() -> bool:
        turn = next(turns)
        if turn == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return turn == saved_at

    run(replay_settings(), switch=InProcessSwitch(), home=home, snapshot_due=is_due)
