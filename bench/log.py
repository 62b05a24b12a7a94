"""What the log of decisions costs a session: `python bench/log.py [TICKS]`.

Whole sessions on recorded quotes with an order on each hundredth, with their log and without it, in
turns, in one process, by processor time. What a log of decisions costs is the time inside of what
writes it, as a share of the rest of the same session: so neighbours on the machine slow both alike.
"each tick" is `[log] level = "all"`, whose cost lies in other places too: it is the difference to
the sessions without.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.loops import SYMBOLS, EveryHundredth, config_dict
from bench.recovery import Quotes
from logos.core.gates import InProcessSwitch
from logos.journal.jsonlog import JsonLog
from logos.session import run
from logos.session.artifacts.decisions import DecisionLog

ROUNDS = 7


def main(ticks: int) -> None:
    """Print what the log costs at both levels: the least of the rounds."""
    feed = Quotes(ticks)
    inside: list[tuple[float, float]] = []
    without: list[float] = []
    each_tick: list[float] = []
    for _ in range(ROUNDS):
        with patch.object(DecisionLog, "write", lambda *_: None):
            without.append(_seconds(feed, {}))
        inside.append(_split(feed))
        each_tick.append(_seconds(feed, {"log": {"level": "all"}}))
    least = min(without)
    log_s, rest_s = min(inside, key=lambda taken: taken[0] / taken[1])
    print(f"{'log':<12}{'ns a tick':>12}{'of the log':>12}{'share':>9}")
    for name, all_s, of_log_s in (
        ("without", least, 0.0),
        ("decisions", rest_s + log_s, log_s),
        ("each tick", min(each_tick), min(each_tick) - least),
    ):
        share = of_log_s / (all_s - of_log_s)
        figures = f"{all_s / ticks * 1e9:>12,.0f}{of_log_s / ticks * 1e9:>12,.0f}"
        print(f"{name:<12}{figures}{share:>9.1%}")


def _split(feed: Quotes) -> tuple[float, float]:
    """Processor time of one session: inside of its log, and the rest."""
    taken = 0.0
    kinds = (DecisionLog, "write"), (JsonLog, "flush")
    depth = 0

    def timed(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            nonlocal taken, depth
            if depth:  # a full buffer is flushed by who writes
                return real(*values)
            depth = 1
            began_s = time.process_time()
            try:
                return real(*values)
            finally:
                taken += time.process_time() - began_s
                depth = 0

        return call

    with ExitStack() as stack:
        for kind, name in kinds:
            stack.enter_context(patch.object(kind, name, timed(getattr(kind, name))))
        whole_s = _seconds(feed, {})
    return taken, whole_s - taken


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
