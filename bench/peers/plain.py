"""No engine: an object is made of every row and handed to the strategy. `plain.py FOLDER WHAT`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from workload import Crossing, read, report


class Event:
    """What a strategy sees of one row."""

    __slots__ = ("values", "when")

    def __init__(self, when: int, *values: int) -> None:
        self.when = when
        self.values = values


class Bars:
    """Buys and sells at the close that decided."""

    def __init__(self) -> None:
        self.crossing, self.orders, self.cash, self.held = Crossing(), 0, 0, 0

    def on_event(self, event: Event) -> None:
        close = event.values[3]
        sign = self.crossing.sign(close)
        if sign:
            self.orders += 1
            self.held += sign
            self.cash -= sign * close
        self.worth: float = self.held * close


class Quotes:
    """Buys at the ask and sells at the bid, on every hundredth quote of a symbol."""

    def __init__(self) -> None:
        self.seen, self.held, self.last = [0] * 3, [0] * 3, [0.0] * 3
        self.orders, self.cash = 0, 0

    def on_event(self, event: Event) -> None:
        which, bid, ask = event.values
        self.seen[which] += 1
        self.last[which] = (bid + ask) / 2
        if self.seen[which] % 100 == 0:
            sign = 1 if self.seen[which] % 200 else -1
            self.orders += 1
            self.held[which] += sign
            self.cash -= sign * (ask if sign > 0 else bid)

    @property
    def worth(self) -> float:
        """What is held, at the last middle."""
        return sum(units * price for units, price in zip(self.held, self.last, strict=True))


def main(folder: Path, what: str) -> None:
    """Run it and report."""
    rows = read(folder, what)
    strategy: Bars | Quotes = Bars() if what == "bars" else Quotes()
    began = time.perf_counter()
    for row in rows:
        strategy.on_event(Event(*row))
    seconds = time.perf_counter() - began
    rule = "signal_close" if what == "bars" else "bid_ask"
    report(len(rows), seconds, strategy.orders, rule, (strategy.cash + strategy.worth) / 100)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
