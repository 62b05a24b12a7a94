"""A long live session recovered: resumed from its snapshot, replayed, verified. For `recovery`.

Its feed and its clock are simulated: quotes 10 ms apart are handed over as fast as the loop takes
them, an order is made at each third and filled by the paper market, and at its end the process
dies. Its last snapshot lies as many quotes before that as a live session's rule leaves at most
(`TAIL`). It is resumed until it is live: until its feed is asked for the next quote.

The yardstick is the bare reading of the same two files, journal and recorded inputs: every byte
through SHA-256, line by line. Rates are by processor time, so that neighbours count less.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.live import SETTINGS as LIVE
from bench.live import SYMBOLS
from logos.audit.verify import verify
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.feeds.contract import Sink
from logos.journal.entries import read_journal
from logos.session import entry
from logos.session.artifacts.snapshots.saving import LIVE_EVENTS
from logos.session.build import make_instruments
from logos.session.connections import Outside

START_NS = 1_767_225_600_000_000_000
STEP_NS = 10_000_000
TAIL = LIVE_EVENTS
"""Quotes behind the last snapshot."""
SETTINGS: dict[str, Any] = {
    **LIVE,
    "risk": {**LIVE["risk"], "total": {**LIVE["risk"]["total"], "max_orders": 100_000}},
}


class EveryThird(Strategy):
    """Buys and sells by turns, at every third quote; at quote `crash_at` its process ends."""

    def __init__(self, crash_at: int = 0) -> None:
        self.crash_at = crash_at
        self.seen = 0

    def on_quote(self, _context: Context, _quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == self.crash_at:
            os._exit(0)
        if self.seen % 3:
            return None
        return Side.BUY if self.seen % 2 else Side.SELL

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:  # noqa: ARG002
        self.seen = state["seen"]


class FeedClock:
    """A clock whose time is that of the quotes; sleeping takes real time."""

    def __init__(self) -> None:
        self.time_ns = START_NS

    def now_ns(self) -> int:
        return self.time_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class QuoteFeed:
    """Hands over the quotes from `first` up to `count`, a turn of the loop each."""

    name = "bench"
    symbols: Sequence[str] = SYMBOLS

    def __init__(self, clock: FeedClock, first: int, count: int) -> None:
        self._clock = clock
        self._rows = range(first, count)
        instruments = make_instruments(make_config(SETTINGS).instruments)
        self._instruments = [instruments[symbol] for symbol in SYMBOLS]
        self.began_s = self.began_wall_s = 0.0
        """When the session went live, by the clocks of processor time and of the wall."""

    async def run(self, sink: Sink) -> None:
        self.began_s, self.began_wall_s = time.process_time(), time.perf_counter()
        for row in self._rows:
            traded = self._instruments[row % 3]
            now_ns = self._clock.time_ns = START_NS + row * STEP_NS
            price = 10_000 + row * 7919 % 50
            sink.market(Quote(now_ns, traded.symbol, price, price + 1, 5, 5, traded), now_ns)
            await asyncio.sleep(0)


def _session(home: Path, strategy: EveryThird, count: int, due: Callable[[], bool]) -> None:
    clock = FeedClock()
    entry.run_live(
        SETTINGS,
        strategy=strategy,
        outside=Outside(feeds=[QuoteFeed(clock, 0, count)], clock=clock),
        switch=InProcessSwitch(),
        home=home,
        tell=lambda _: None,
        snapshot_due=due,
    )


def make(home: Path, count: int, *, crash: bool) -> None:
    """The session in a process of its own, which dies or comes to its end."""
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        try:
            strategy = EveryThird(count - 1 if crash else 0)
            saved = False

            def due() -> bool:
                nonlocal saved
                is_now = not saved and crash and strategy.seen >= count - TAIL
                saved = saved or is_now
                return is_now

            _session(home, strategy, count, due)
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("the session did not end as it should")


def resume(home: Path, count: int, *, snapshot: bool) -> tuple[float, float]:
    """Seconds of processor time, and of the wall, until it is live."""
    clock = FeedClock()
    clock.time_ns += count * STEP_NS
    feed = QuoteFeed(clock, 0, 0)
    began_s, began_wall_s = time.process_time(), time.perf_counter()
    entry.resume(
        "bench",
        strategy=EveryThird(),
        outside=Outside(feeds=[feed], clock=clock),
        switch=InProcessSwitch(),
        home=home,
        use_snapshot=snapshot,
        tell=fail,
    )
    return feed.began_s - began_s, feed.began_wall_s - began_wall_s


def fail(text: str) -> None:
    """A snapshot that is not used is not measured; a loop that stands still is the machine's."""
    assert "snapshot" not in text, text


def bare(folder: Path) -> float:
    """Processor seconds to read both files line by line, every byte hashed."""
    began_s = time.process_time()
    for name in ("state.jsonl", "inputs.jsonl"):
        content = sha256()
        with open(folder / name, "rb") as file:
            for line in file:
                content.update(line)
    return time.process_time() - began_s


def check_of(folder: Path) -> int:
    """Verify every line of the journal: number, checksum, chain and type of its record."""
    return sum(1 for _ in read_journal(folder / "state.jsonl"))


def whole_verify(folder: Path) -> None:
    """`logos verify`."""
    verdict = verify(folder)
    assert not verdict.exit_code, (verdict.findings, verdict.damage)


def timed(what: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor time, and of the wall."""
    began_s, began_wall_s = time.process_time(), time.perf_counter()
    what()
    return time.process_time() - began_s, time.perf_counter() - began_wall_s


def live(records: int) -> None:
    """Print a line for each way through a live session with about so many records."""
    quotes = records * 3 // 4
    with tempfile.TemporaryDirectory() as temporary:
        crashed, whole, again = (Path(temporary) / name for name in ("crashed", "whole", "again"))
        make(crashed, quotes, crash=True)
        make(whole, quotes, crash=False)
        folder = whole / "runs" / "live" / "sessions" / "bench"
        count = check_of(folder)
        bare_s = bare(folder)
        print(
            f"\nlive: {quotes:,} quotes, {count:,} records; {bare_s:.2f} s of CPU to read and hash "
            "journal and inputs, line by line"
        )
        print(f"{'':<28}{'CPU s':>9}{'wall s':>9}{'records/s':>12}{'to bare':>9}")
        rows: dict[str, Callable[[], object]] = {
            "check of the journal": partial(check_of, folder),
            "logos replay": partial(entry.replay, "bench", strategy=EveryThird(), home=whole),
            "logos verify": partial(whole_verify, folder),
        }
        shutil.copytree(crashed, again)
        took = {
            f"live again, {TAIL:,} behind": resume(crashed, quotes, snapshot=True),
            "live again, from the start": resume(again, quotes, snapshot=False),
            **{name: timed(what) for name, what in rows.items()},
        }
        for name, (cpu_s, wall_s) in took.items():
            rates = f"{count / cpu_s:>12,.0f}{cpu_s / bare_s:>9.1f}"
            print(f"{name:<28}{cpu_s:>9.2f}{wall_s:>9.2f}{rates}")
