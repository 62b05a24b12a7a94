"""What one update of each indicator costs: `python bench/indicators.py [VALUES]`.

All indicators, and a call that does nothing, take their turns on the same values in one process;
the ratio is to that bare call of a method.
"""

from __future__ import annotations

import gc
import inspect
import statistics
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from logos import indicators

ROUNDS = 7
PERIOD = 20


class Bare:
    """The yardstick: a method that takes a value and does nothing."""

    def add(self, value: float) -> None: ...


def main(values: int) -> None:
    """Print nanoseconds an update, the median of the rounds."""
    kinds: dict[str, Any] = {"bare call": Bare}
    for name in indicators.__all__:
        if name != "Indicator":
            kinds[name] = getattr(indicators, name)
    bars = _bars(values)
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, kind in kinds.items():
            taken[name].append(_seconds(_made(kind), bars))
    bare = statistics.median(taken["bare call"])
    for name, seconds in taken.items():
        each = statistics.median(seconds)
        print(f"{name:<18} {each / values * 1e9:>7,.0f} ns an update  ({each / bare:.1f})")


def _made(kind: Any) -> Any:
    """An indicator of the usual settings; those that must have a period get one."""
    parameters = inspect.signature(kind).parameters.values()
    return kind(*(PERIOD for each in parameters if each.default is inspect.Parameter.empty))


def _bars(count: int) -> list[tuple[float, float, float]]:
    """High, low and close of a seeded random walk."""
    random, close = Random(1), 100.0
    bars = []
    for _ in range(count):
        close = max(1.0, close + random.gauss(0, 0.1))
        bars.append((close + random.random(), close - random.random(), close))
    return bars


def _seconds(indicator: Any, bars: list[tuple[float, float, float]]) -> float:
    """Processor time of all updates: with as many of the figures as `add` takes."""
    add = indicator.add
    count = len(inspect.signature(add).parameters)
    rows = bars if count == 3 else [bar[3 - count :] for bar in bars]
    gc.disable()
    try:
        began = time.process_time()
        for row in rows:
            add(*row)
        return time.process_time() - began
    finally:
        gc.enable()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
