"""The live loop: how long from a feed's event to the strategy and its order, and how many a second.

An in-process feed hands over quotes, one at a time with a turn of the event loop in between (for
latency: nothing ever waits behind something else) or in bursts of 64 (for throughput). Everything
else is what a live session does: the inbox, the recording of inputs, the core with both gates and
all guards, the journal, the artifacts, the log. An order is made at every 100th quote and filled at
the bid or ask by the paper market.

- feed to strategy: from the feed's handing over to the end of the batch it was processed in, its
  records journalled.
- feed to order: the same for the batches that made an order; on paper it is filled by then, so this
  is feed to submitted and feed to filled.
- feed to durable: for orders to a venue in memory, until inputs and intent are on the disk: what an
  order waits for before its first byte may leave; and what one fsync takes in the same folder.

`--cpu` measures by the clock of the loop's thread instead: what other programs took of a busy
machine is left out, and so is what the disk took. `--hour` has an hour of 1,000 quotes a second
at speed under a strategy that drops cycles and keeps 50,000 objects, live and then by `logos
replay`, and says how long the longest look of Python's collector was.

The loopback rows have the quotes come through a TCP socket from a thread that paces them. The last
rows are sessions with and without the screen that a person sees (banner, lines, events), by turns.

Run: make bench ONLY=live   (python bench/live.py [quotes] [--cpu] [--hour])
"""

from __future__ import annotations

import asyncio
import gc
import os
import pty
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from random import Random
from typing import Any

from logos.cli.screen.live import Screen
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.feeds.contract import Sink
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import replay, run_live
from logos.session.outcome import SessionResult
from logos.testing.fake_venue import FakeVenue, FillRules

FSYNCS = 1_000
ORDER_BYTES = b"-" * 1_100
"""About what a quote's inputs and an order's intent take."""
PAUSE_MAX_NS = 2_000_000
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
        "total": {
            "max_gross_exposure": "1000000",
            "max_drawdown": "1000000",
            "max_orders": 1000,
            "max_refusals": 1000,
        },
    },
    "account": {"balances": {"USD": "1000000"}},
    "live": {"heartbeat_ms": 1000},
    "instruments": {
        symbol: {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}
        for symbol in SYMBOLS
    },
}


class EveryHundredth(Strategy):
    """Buys and sells by turns, at every hundredth quote."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, _context: Context, _quote: Quote) -> Answer:
        self.seen += 1
        if self.seen % 100:
            return None
        return Side.BUY if self.seen % 200 else Side.SELL


class Careless(EveryHundredth):
    """The same; drops a cycle at each quote, and keeps what it saw of the last 50,000."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: deque[list[float]] = deque(maxlen=50_000)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        cycle: list[object] = [quote]
        cycle.append(cycle)
        self.kept.append([quote.bid, quote.ask])
        return super().on_quote(context, quote)


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
        began = time.perf_counter()
        for number in range(self._count):
            self.hand_over(sink, clock, number)
            if number % self._burst == 0:
                await asyncio.sleep(0)
        self.took_s = time.perf_counter() - began

    def hand_over(self, sink: Sink, clock: SystemClock, number: int) -> None:
        instrument = self._instruments[number % 3]
        now_ns = clock.now_ns()
        price = 10_000 + number % 50
        quote = Quote(now_ns, instrument.symbol, price, price + 1, 5, 5, instrument)
        sink.market(quote, now_ns)


class LoopbackFeed(BenchFeed):
    """Reads `count` numbers of quotes from a socket on the loopback."""

    async def run(self, sink: Sink) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        sender = threading.Thread(target=self._send, args=(server,))
        sender.start()
        reader, writer = await asyncio.open_connection(*server.getsockname())
        clock = SystemClock()
        began = time.perf_counter()
        while frame := await reader.read(1 << 16):
            for line in frame.splitlines():
                self.hand_over(sink, clock, int(line))
        self.took_s = time.perf_counter() - began
        writer.close()
        sender.join()
        server.close()

    def _send(self, server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for number in range(self._count):
                # Fixed width: a frame that was cut in two would be another number.
                connection.sendall(b"%09d\n" % number)
                time.sleep(0.0001)


def run_once(
    title: str,
    feed_kind: type[BenchFeed],
    count: int,
    burst: int,
    has_venue: bool,
    screen: Screen | None = None,
    strategy: type[Strategy] = EveryHundredth,
    *,
    replays: bool = False,
) -> float:
    """One live session, which `screen` shows; prints its row, returns what it took of the CPU."""
    settings = dict(SETTINGS)
    if has_venue:
        settings["venue"] = {"name": "ccxt", "exchange": "binance", "live": True}
    config = make_config(settings)
    instruments = list(make_instruments(config.instruments).values())
    clock = SystemClock()
    feed = feed_kind(instruments, count, burst)
    venue = None
    if has_venue:
        rules = FillRules(1.0, 0.0, 0.0)
        venue = FakeVenue(instruments, clock, Random(1), {"USD": "1000000"}, fills=rules)
        for instrument in instruments:
            venue.set_price(instrument.symbol, 10_000)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        home = Path(folder).resolve()
        gc.collect()
        gc.freeze()
        began_s = time.process_time()
        result = run_live(
            config,
            strategy=strategy(),
            outside=Outside(feeds=[feed], clock=clock, venue=venue),
            switch=InProcessSwitch(),
            home=home,
            tell=lambda _: None,
            beside=nullcontext if screen is None else screen.beside,
        )
        took_s = time.process_time() - began_s
        show(title, result, count / feed.took_s)
        if has_venue:
            fsync_alone(home, result.summary["live"]["latency"]["feed to durable"]["p50_ns"])
        if replays:
            replay_pauses(home, strategy)
    return took_s


def show(title: str, result: SessionResult, rate: float) -> None:
    """The row of a session: quotes a second, how long each stage took, and the collector."""
    print(f"{title}: {result.summary['orders']:,} orders, {rate:,.0f} quotes a second")
    for name, each in result.summary["live"]["latency"].items():
        if each["count"]:
            print(
                f"  {name:<17} p50 {each['p50_ns'] / 1e3:>9,.1f} us   p99 "
                f"{each['p99_ns'] / 1e3:>9,.1f}   p99.9 {each['p99_9_ns'] / 1e3:>9,.1f}   max "
                f"{each['max_ns'] / 1e3:>9,.1f}"
            )
    looks = result.summary["live"]["collector"]
    print(
        f"  collector         {looks['count']} looks, the longest {looks['max_ns'] / 1e3:,.1f} us"
    )


def fsync_alone(home: Path, durable_ns: int) -> None:
    """What one fsync of an order's bytes takes in the same folder, and the ratio of the whole."""
    took_ns = []
    descriptor = os.open(home / "alone", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    for _ in range(FSYNCS):
        os.write(descriptor, ORDER_BYTES)
        began_ns = time.perf_counter_ns()
        os.fsync(descriptor)
        took_ns.append(time.perf_counter_ns() - began_ns)
    os.close(descriptor)
    alone_ns = statistics.median(took_ns)
    print(
        f"  one fsync alone   p50 {alone_ns / 1e3:>9,.1f} us; feed to durable is "
        f"{durable_ns / alone_ns:.2f} times that"
    )


def replay_pauses(home: Path, strategy: type[Strategy]) -> None:
    """Replay the session that is there, and say how long the looks of Python's collector took."""
    took_ns: list[int] = []
    began_ns = 0

    def see(phase: str, _info: dict[str, Any]) -> None:
        nonlocal began_ns
        if phase == "start":
            began_ns = time.perf_counter_ns()
        else:
            took_ns.append(time.perf_counter_ns() - began_ns)

    gc.callbacks.append(see)
    began_s = time.perf_counter()
    try:
        replay("bench", strategy=strategy(), home=home)
    finally:
        gc.callbacks.remove(see)
    took_ns.sort()
    print(
        f"replayed in {time.perf_counter() - began_s:,.1f} s: {len(took_ns):,} looks, p99 "
        f"{took_ns[len(took_ns) * 99 // 100] / 1e3:,.1f} us, the longest {took_ns[-1] / 1e3:,.1f}, "
        f"over 2 ms: {sum(each > PAUSE_MAX_NS for each in took_ns)}"
    )


def with_screen(count: int) -> None:
    """Sessions by turns without and with a screen on a terminal; prints what the screen costs."""
    person, program = pty.openpty()
    threading.Thread(target=_read, args=(person,), daemon=True).start()
    took_s: dict[bool, list[float]] = {False: [], True: []}
    with os.fdopen(program, "w", encoding="utf-8") as stream:
        for number in range(8):
            has_screen = number % 2 == 1
            title = f"in process, bursts of 64, {'with' if has_screen else 'without'} a screen"
            screen = Screen(stream) if has_screen else None
            took_s[has_screen].append(run_once(title, BenchFeed, count, 64, False, screen))
    ratio = statistics.median(took_s[True]) / statistics.median(took_s[False])
    print(f"with a screen: {ratio:.3f} times the CPU time without it, its thread included")


def _read(person: int) -> None:
    """Take what the terminal is given."""
    with suppress(OSError):
        while os.read(person, 1 << 16):
            pass


def main() -> None:
    """All rows; the count is of the in-process ones."""
    options = [each for each in sys.argv[1:] if each.startswith("--")]
    numbers = [int(each) for each in sys.argv[1:] if each not in options]
    count = numbers[0] if numbers else 200_000
    if "--cpu" in options:
        time.perf_counter_ns = time.thread_time_ns
    if "--hour" in options:
        hour = 3600 * 1000 if not numbers else count
        run_once("an hour at speed", BenchFeed, hour, 64, False, strategy=Careless, replays=True)
        return
    run_once("in process, a turn of the loop each", BenchFeed, count, 1, False)
    run_once("in process, bursts of 64", BenchFeed, count, 64, False)
    run_once("in process, orders durable first", BenchFeed, min(count, 20_000), 1, True)
    run_once("over loopback, 10,000 a second at most", LoopbackFeed, min(count, 20_000), 1, False)
    with_screen(count)


if __name__ == "__main__":
    main()
