"""Live sessions in a test: a feed that is told what to say, and settings for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from logos.config import Config, make_config
from logos.core.clock import Clock
from logos.core.gates import InProcessSwitch, Switch
from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import NS_PER_SECOND, Side
from logos.feeds.contract import Sink
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import resume, run_live
from logos.testing.clock import START_NS

SYMBOLS = ("AAA", "BBB")
SETTINGS: dict[str, Any] = {
    "session": {"id": "live"},
    "paper": {"fill": "bid_ask"},
    "instruments": {
        symbol: {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}
        for symbol in SYMBOLS
    },
    # The clocks of these tests run on as they like, and their orders are many.
    "risk": {"unlimited": True},
}


class Alternating(Strategy):
    """Buys and sells by turns, at every quote."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return Side.BUY if self.seen % 2 else Side.SELL


class TickingClock:
    """A clock whose every look is a microsecond later; waiting for it moves it on."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        self._now_ns += 1_000
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self._now_ns += round(seconds * NS_PER_SECOND)

    async def until(self, moment_ns: int) -> None:
        """Be at that moment, unless it has passed."""
        await asyncio.sleep(0)
        self._now_ns = max(self._now_ns, moment_ns - 1_000)


class HandClock(TickingClock):
    """Moved by hand alone: nobody who waits for it ever wakes."""

    def __init__(self) -> None:
        super().__init__()
        self.origin_ns = self._now_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()

    def until_second(self, second: int) -> None:
        """Be so many seconds after the beginning."""
        self._now_ns = max(self._now_ns, self.origin_ns + second * NS_PER_SECOND)


class ScriptedFeed:
    """Delivers `count` quotes; after each of them it lets the loop turn and calls `after`."""

    name = "scripted"

    def __init__(
        self,
        clock: Clock,
        count: int,
        *,
        after: Mapping[int, Callable[[], object]] | None = None,
        age_ns: Mapping[int, int] | None = None,
        error: BaseException | None = None,
        price: Callable[[int], int] = lambda number: 10_000 + number % 7,
    ) -> None:
        """`price` is the bid of the quote of that number, in cents."""
        self._price = price
        self.symbols: Sequence[str] = SYMBOLS
        self._clock: Any = clock
        self._count = count
        self._after = after or {}
        self._age_ns = age_ns or {}
        self._error = error
        self._instruments: list[Instrument] = list(
            make_instruments(make_config(SETTINGS).instruments).values()
        )

    async def run(self, sink: Sink) -> None:
        for number in range(1, self._count + 1):
            instrument = self._instruments[number % 2]
            now_ns = self._clock.now_ns()
            price = self._price(number)
            quote = Quote(now_ns, instrument.symbol, price, price + 1, 5, 5, instrument)
            while not sink.market(quote, now_ns - self._age_ns.get(number, 0)):
                await sink.room()
            # Two turns: one for the inbox's reader to wake, one for it to step the core.
            for _ in range(4):
                await asyncio.sleep(0)
            if number in self._after:
                self._after[number]()
        if self._error is not None:
            raise self._error


def settings(**tables: Any) -> Config:
    """SETTINGS with these tables instead."""
    return make_config({**SETTINGS, **tables})


def live(
    home: Path,
    feed: ScriptedFeed,
    clock: Clock,
    *,
    config: Config | None = None,
    switch: Switch | None = None,
    strategy: Strategy | None = None,
) -> SessionResult:
    """Run a live session."""
    return run_live(
        settings() if config is None else config,
        strategy=strategy or Alternating(),
        outside=Outside(feeds=[feed], clock=clock),
        switch=switch or InProcessSwitch(),
        home=home,
        tell=lambda _: None,
    )


def resumed(
    home: Path, feed: ScriptedFeed, clock: Clock, *, switch: Switch | None = None
) -> SessionResult:
    """Go on with the session."""
    return resume(
        "live",
        strategy=Alternating(),
        outside=Outside(feeds=[feed], clock=clock),
        switch=switch or InProcessSwitch(),
        home=home,
        tell=lambda _: None,
    )
