"""The live loop: how long from a feed's event to the strategy and its order, and how many a second.

An in-process feed hands over quotes, one at a time with a turn of the event loop in between (for
latency: nothing ever waits behind something else) or in bursts of 64 (for throughput). Everything
else is what a live session does: the inbox, the recording of inputs, the core with both gates and
all guards, the journal, the artifacts, the log. An order is made at every 100th quote and filled at
the bid or ask by the paper market.

- feed to strategy: from the feed's handing over to the end of the batch it was processed in, its
  records journalled; so also feed to filled, for the quotes that made an order.
- feed to durable: the same for orders to a venue in memory, until inputs and intent are on the disk:
  what an order waits for before its first byte may leave.

Run: make bench ONLY=live   (python bench/live.py [quotes])
"""

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
from logos.core.instrument import Instrument
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.feeds.live import Sink
from logos.session.build import make_instruments
from logos.session.live import Outside, run_live

SYMBOLS = ("AAA", "BBB", "CCC")
SETTINGS: dict[str, Any] = {
    "session": {"id": "bench"},
    "paper": {"fill": "bid_ask"},
    "risk": {
        "max_order_notional": "1000000",
        "max_position": "1000",
        "price_collar": "0.1",
        "max_open_orders": 10,
        "stale_after_s": "60",
        "total": {"max_gross_exposure": "100000000", "max_drawdown": "1000000"},
    },
    "instruments": {
        symbol: {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}
        for symbol in SYMBOLS
    },
}


class EveryHundredth(Strategy):
    """Buys and sells by turns, at every hundredth quote."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen % 100:
            return None
        return Side.BUY if self.seen % 200 else Side.SELL


class BenchFeed:
    """Hands over `count` quotes, `burst` at a time."""

    name = "bench"
    symbols: Sequence[str] = SYMBOLS

    def __init__(self, instruments: Sequence[Instrument], count: int, burst: int) -> None:
        self._instruments = instruments
        self._count = count
        self._burst = burst
        self.took_s = 0.0

    async def run(self, sink: Sink) -> None:
        clock = SystemClock()
        instruments = self._instruments
        began = time.perf_counter()
        for number in range(self._count):
            instrument = instruments[number % 3]
            now_ns = clock.now_ns()
            price = 10_000 + number % 50
            sink.market(
                Quote(now_ns, instrument.symbol, price, price + 1, 5, 5, instrument), now_ns
            )
            if number % self._burst == 0:
                await asyncio.sleep(0)
        self.took_s = time.perf_counter() - began


def run_once(count: int, burst: int, *, durable: bool) -> None:
    settings = dict(SETTINGS)
    config = make_config(settings)
    instruments = list(make_instruments(config.instruments).values())
    feed = BenchFeed(instruments, count, burst)
    with tempfile.TemporaryDirectory() as folder:
        gc.collect()
        gc.freeze()
        result = run_live(
            config,
            strategy=EveryHundredth(),
            outside=Outside(feeds=[feed], clock=SystemClock()),
            switch=InProcessSwitch(),
            home=Path(folder),
            tell=lambda _: None,
        )
    stages = result.summary["live"]["latency"]
    words = "a turn each" if burst == 1 else f"bursts of {burst}"
    print(
        f"{words}: {result.summary['orders']:,} orders, {count / feed.took_s:,.0f} quotes a second"
    )
    for name, each in stages.items():
        if each["count"]:
            print(
                f"  {name:<17} p50 {each['p50_ns'] / 1e3:>8,.1f} us  p99 {each['p99_ns'] / 1e3:>8,.1f}"
                f"  p99.9 {each['p99_9_ns'] / 1e3:>8,.1f}  max {each['max_ns'] / 1e3:>9,.1f}"
            )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    for burst in (1, 64):
        run_once(count, burst, durable=False)


if __name__ == "__main__":
    main()
