"""What idle symbols cost: one symbol's ticks in sessions of 1, 10, 100 and 1,000 symbols.

Every symbol has a feed in a task of its own, a book, limits and figures; only the first one's feed
says anything, with a turn of the event loop after each quote, and an order is made at every 100th.
What is measured is the processor's time of the whole process while it speaks, so that neighbours on
the machine count little: inbox, recording, core with gates and guards, journal, figures. Sizes take
turns, the best of the rounds counts, and the ratio is to the session with one symbol.

Run: make bench ONLY=symbols   (python bench/symbols.py [quotes])
"""

# A strategy's methods take what the contract gives them, used or not.
# ruff: noqa: ARG002

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.feeds.contract import LiveFeed, Sink
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import run_live

SIZES = (1, 10, 100, 1_000)
ROUNDS = 3
_WARM_UP = 500


class EveryHundredth(Strategy):
    """Buys and sells by turns, at every hundredth quote."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen % 100:
            return None
        return Side.BUY if self.seen % 200 else Side.SELL


class BusyFeed:
    """Hands over `count` quotes of one symbol and measures the processor's time meanwhile."""

    name = "busy"

    def __init__(self, instrument: Instrument, count: int, is_over: asyncio.Event) -> None:
        self.symbols: Sequence[str] = (instrument.symbol,)
        self._instrument = instrument
        self._count = count
        self._is_over = is_over
        self.took_ns = 0

    async def run(self, sink: Sink) -> None:
        clock = SystemClock()
        began_ns = 0
        for number in range(_WARM_UP + self._count):
            if number == _WARM_UP:
                began_ns = time.process_time_ns()
            now_ns = clock.now_ns()
            price = 10_000 + number % 50
            sink.market(
                Quote(now_ns, self.symbols[0], price, price + 1, 5, 5, self._instrument), now_ns
            )
            await asyncio.sleep(0)
        self.took_ns = time.process_time_ns() - began_ns
        self._is_over.set()


class IdleFeed:
    """Says nothing until all is over."""

    def __init__(self, symbol: str, is_over: asyncio.Event) -> None:
        self.name = f"idle {symbol}"
        self.symbols: Sequence[str] = (symbol,)
        self._is_over = is_over

    async def run(self, _sink: Sink) -> None:
        await self._is_over.wait()


def run_once(size: int, count: int) -> float:
    """One session of so many symbols; nanoseconds of the processor for each tick."""
    names = [f"S{number:04d}" for number in range(size)]
    settings: dict[str, Any] = {
        "session": {"id": "bench"},
        "paper": {"fill": "bid_ask"},
        "risk": {
            "unlimited": True,
            "max_order_notional": "1000000",
            "max_position": "1000",
            "stale_after_s": "60",
            "total": {"max_gross_exposure": "100000000", "max_drawdown": "1000000"},
        },
        "instruments": {
            name: {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}
            for name in names
        },
    }
    config = make_config(settings)
    instruments = make_instruments(config.instruments)
    is_over = asyncio.Event()
    busy = BusyFeed(instruments[names[0]], count, is_over)
    feeds: list[LiveFeed] = [busy, *(IdleFeed(name, is_over) for name in names[1:])]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        gc.collect()
        gc.freeze()
        run_live(
            config,
            strategy=EveryHundredth(),
            outside=Outside(feeds=feeds, clock=SystemClock()),
            switch=InProcessSwitch(),
            home=Path(folder).resolve(),
            tell=lambda _: None,
        )
    return busy.took_ns / count


def main() -> None:
    """One row for each size."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    best = dict.fromkeys(SIZES, float("inf"))
    for _ in range(ROUNDS):
        for size in SIZES:
            best[size] = min(best[size], run_once(size, count))
    for size in SIZES:
        ratio = best[size] / best[SIZES[0]]
        print(f"{size:>5} symbols: {best[size]:>9,.0f} ns of processor a tick, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
