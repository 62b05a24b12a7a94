"""What a scrape costs a session: the time from a quote to the strategy, with scrapes and without.

One live session, a process of its own, is handed 5,000 quotes a second by a feed in that process.
Everything else is what a live session does: recorded inputs, guards, journal, heartbeat, figures.
Another process is `logos metrics`, and this one scrapes it once a second, but only in every second
span of 5 seconds: so both are measured in one run, by turns, and what else the machine does meets
both. As the spans without scrapes are split in two as well, the run shows how much of a difference
is noise.

Run: make bench ONLY=metrics   (python bench/metrics.py [seconds])
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.live import SETTINGS, SYMBOLS
from logos.config import make_config
from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.feeds.contract import Sink
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import run_live

SPAN_S: Final = 5.0
QUOTES_A_SECOND: Final = 5_000
SHOWN: Final = (50.0, 99.0, 99.9)


class Timed(Strategy):
    """Notes how long ago a quote was handed over; orders at every hundredth."""

    def __init__(self, feed: PacedFeed) -> None:
        self._feed = feed
        self._seen = 0

    def on_quote(self, _context: Context, _quote: Quote) -> Answer:
        feed = self._feed
        feed.spans[-1].append(time.perf_counter_ns() - feed.handed_ns)
        self._seen += 1
        if self._seen % 100:
            return None
        return Side.BUY if self._seen % 200 else Side.SELL


class PacedFeed:
    """Hands over a quote whenever one is due, and begins a new span every `SPAN_S`."""

    name = "bench"
    symbols: Sequence[str] = SYMBOLS

    def __init__(self, instruments: Sequence[Instrument], seconds: float, is_scraped: Any) -> None:
        self._instruments = instruments
        self._seconds = seconds
        self._is_scraped = is_scraped
        self.handed_ns = 0
        self.spans: list[array[int]] = [array("q")]
        """Nanoseconds from handing over to the strategy, of each quote of a span."""

    async def run(self, sink: Sink) -> None:
        clock = SystemClock()
        began_s = time.perf_counter()
        number = 0
        while (since_s := time.perf_counter() - began_s) < self._seconds:
            if int(since_s / SPAN_S) >= len(self.spans):
                self.spans.append(array("q"))
                self._is_scraped.value = len(self.spans) % 2 == 0
            if number < since_s * QUOTES_A_SECOND:
                number += 1
                now_ns = clock.now_ns()
                instrument = self._instruments[number % len(self._instruments)]
                price = 10_000 + number % 50
                quote = Quote(now_ns, instrument.symbol, price, price + 1, 5, 5, instrument)
                self.handed_ns = time.perf_counter_ns()
                sink.market(quote, now_ns)
            await asyncio.sleep(0)


def session(home: Path, seconds: float, is_scraped: Any, results: Any) -> None:
    """The session's process; puts what was measured in each span."""
    config = make_config(SETTINGS)
    feed = PacedFeed(list(make_instruments(config.instruments).values()), seconds, is_scraped)
    run_live(
        config,
        strategy=Timed(feed),
        outside=Outside(feeds=[feed], clock=SystemClock()),
        home=home,
        tell=lambda _: None,
    )
    results.put([each.tobytes() for each in feed.spans])


def scrape(url: str) -> tuple[int, float]:
    """Bytes of the page, and what it took, seconds."""
    began_s = time.perf_counter()
    with urllib.request.urlopen(url, timeout=10) as answer:
        content = answer.read()
    return len(content), time.perf_counter() - began_s


def percentile_us(spans: Iterable[array[int]], percent: float) -> float:
    """The exact percentile of all that was measured in `spans`, microseconds."""
    ordered = sorted(each for span in spans for each in span)
    return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))] / 1e3


def show(name: str, spans: Sequence[array[int]]) -> None:
    """One row."""
    row = "   ".join(f"p{percent:g} {percentile_us(spans, percent):8.1f}" for percent in SHOWN)
    print(f"  {name:<28} {row} us   ({sum(map(len, spans)):,} quotes)")


def main() -> None:
    """One run; the figures in microseconds."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120.0
    context = multiprocessing.get_context("spawn")
    is_scraped, results = context.Value("b", 0, lock=False), context.Queue()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        home = Path(folder).resolve()
        environment = {**os.environ, "LOGOS_HOME": str(home)}
        command = [sys.executable, "-m", "logos.live", "metrics", "--listen", "127.0.0.1:0"]
        exporter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert exporter.stdout is not None
        try:
            url = next(line for line in exporter.stdout if "http" in line).split()[1]
            process = context.Process(target=session, args=(home, seconds, is_scraped, results))
            process.start()
            pages = []
            while process.is_alive() and results.empty():
                if is_scraped.value:
                    pages.append(scrape(url))
                    time.sleep(1.0)
                else:
                    time.sleep(0.05)
            # The first span warms up, the last one ends.
            spans = [array("q", each) for each in results.get(timeout=30)[1:-1]]
            process.join()
        finally:
            exporter.kill()
            exporter.wait()
            exporter.stdout.close()
    with_, without = spans[::2], spans[1::2]
    print(f"{QUOTES_A_SECOND:,} quotes a second, from a quote's handing over to the strategy")
    show("a scrape each second", with_)
    show("no scrape", without)
    show("no scrape, one half", without[::2])
    show("no scrape, the other half", without[1::2])
    for percent in SHOWN:
        ratio = percentile_us(with_, percent) / percentile_us(without, percent)
        pairs = [
            percentile_us([a], percent) / percentile_us([b], percent)
            for a, b in zip(with_, without, strict=False)
        ]
        median = statistics.median(pairs)
        print(f"  p{percent:g}, with / without: {ratio:.3f}; median of neighbours {median:.3f}")
    took = statistics.median(took_s for _, took_s in pages)
    print(f"  {len(pages)} scrapes of {pages[-1][0]:,} bytes, {took * 1e3:.1f} ms each (median)")


if __name__ == "__main__":
    main()
