"""What the log of decisions costs a session: `python bench/log.py [TICKS]`.

Whole sessions on recorded quotes with an order on each hundredth, with their log and without it, in
turns, in one process: the ratio of their processor times. "each tick" is `[log] level = "all"`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.loops import SYMBOLS, EveryHundredth, config_dict
from bench.recovery import Quotes
from logos.core.gates import InProcessSwitch
from logos.session import run
from logos.session.artifacts.decisions import DecisionLog

ROUNDS = 7


def main(ticks: int) -> None:
    """Print what the log costs at both levels."""
    feed = Quotes(ticks)
    ways: dict[str, Callable[[], float]] = {
        "without": lambda: _without(feed),
        "decisions": lambda: _seconds(feed, {}),
        "each tick": lambda: _seconds(feed, {"log": {"level": "all"}}),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(way())
    without = statistics.median(taken["without"])
    print(f"{'log':<12}{'ns a tick':>12}{'of the log':>12}{'share':>9}")
    for name, seconds in taken.items():
        each = statistics.median(seconds)
        pairs = zip(seconds, taken["without"], strict=True)
        share = statistics.median(one / other - 1 for one, other in pairs)
        print(
            f"{name:<12}{each / ticks * 1e9:>12,.0f}{(each - without) / ticks * 1e9:>12,.0f}"
            f"{share:>9.1%}"
        )


def _without(feed: Quotes) -> float:
    with patch.object(DecisionLog, "write", lambda *_: None):
        return _seconds(feed, {})


def _seconds(feed: Quotes, tables: dict[str, Any]) -> float:
    """Processor time of one session."""
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.process_time()
        run(
            {**config_dict(SYMBOLS), **tables},
            strategy=EveryHundredth(),
            feed=feed,
            switch=InProcessSwitch(),
            home=Path(folder),
        )
        return time.process_time() - began_s


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
