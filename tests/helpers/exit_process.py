"""A session that holds exits at a local exchange, in a process of its own that kills itself.

The exchange is the starter's and outlives it. The session buys, its target is reached and rests
there, then its stop is reached: the target has to be cancelled before the stop may leave. The
process dies by SIGKILL at one of `MOMENTS` of that.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from venue_tools import KEY, SECRET, Word, bitcoin

from logos.adapters.ccxt.venue import CcxtVenue
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.feeds.contract import Sink
from logos.session import SessionResult
from logos.session.connections import Outside
from logos.session.entry import resume, run_live
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders
from logos.simulators.exchange.server import Exchange
from logos.venues.contract import VenueOrder

MOMENTS = ("the cancel was sent", "the stop is to be sent", "the stop was sent")
SESSION = "killed"
STOP = f"{SESSION}-2"
STAGE_S = 2.5
ENTRY, TARGET, BELOW = 9_999_000, 10_500_000, 9_400_000
"""Bids of the session's feed, in cents; the exchange's own market stands still."""


class Bracketed(Strategy):
    """Buys a little once, with a stop at 95,000 and a target at 105,000."""

    def __init__(self) -> None:
        self.has_bought = False

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        if self.has_bought:
            return None
        self.has_bought = True
        return market(Side.BUY, "0.001", stop_loss=95_000, take_profit=105_000)


class StagedFeed:
    """Quotes of one bid after the other, each for a while; ends after the last, or when told."""

    name = "staged"
    symbols: Sequence[str] = ("BTCUSDT",)

    def __init__(
        self, bids: Sequence[int], stage_s: float, is_over: Callable[[], bool] = lambda: False
    ) -> None:
        self._bids = bids
        self._stage_s = stage_s
        self._is_over = is_over

    async def run(self, sink: Sink) -> None:
        coin, clock = bitcoin(), SystemClock()
        for bid in self._bids:
            until_s = time.monotonic() + self._stage_s
            while time.monotonic() < until_s and not self._is_over():
                now_ns = time.time_ns()
                quote = Quote(now_ns, coin.symbol, bid, bid + 1_000, 5, 5, coin)
                while not sink.market(quote, now_ns):
                    await sink.room()
                await clock.sleep(0.05)


class DyingVenue(CcxtVenue):
    """Kills its own process at one moment."""

    moment = ""

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        is_stop = request.client_order_id == STOP
        if is_stop and self.moment == "the stop is to be sent":
            os.kill(os.getpid(), signal.SIGKILL)
        there = await super().submit(request)
        if is_stop and self.moment == "the stop was sent":
            os.kill(os.getpid(), signal.SIGKILL)
        return there

    async def cancel(self, request: CancelOrder) -> None:
        await super().cancel(request)
        if self.moment == "the cancel was sent":
            os.kill(os.getpid(), signal.SIGKILL)


def outside(url: str, feed: StagedFeed, moment: str = "") -> Outside:
    """The feed, and a venue at the exchange of that address."""
    venue = DyingVenue(
        "binance",
        {"BTCUSDT": bitcoin()},
        SystemClock(),
        Random(1),
        key=Word(KEY),
        secret=Word(SECRET),
        url=url,
        timeout_s=5.0,
        session_id=SESSION,
        limit_rate=False,
    )
    venue.moment = moment
    return Outside(feeds=[feed], venue=venue, clock=SystemClock())


def settings() -> Any:
    rules = {"tick": "0.01", "lot": "0.00001", "min_quantity": "0.00001", "min_notional": "5"}
    return make_config(
        {
            "session": {"id": SESSION},
            "paper": {"fill": "bid_ask"},
            "instruments": {"BTCUSDT": {"base": "BTC", "quote": "USDT", **rules}},
            "venue": {"name": "ccxt", "exchange": "binance", "live": True},
            "account": {"balances": {"USDT": "100000"}},
            "risk": {
                "max_order_notional": "1000",
                "max_position": "1",
                "total": {"max_drawdown": "10000"},
                "stale_after_s": "300",
            },
            "live": {"drain_timeout_s": 20},
        }
    )


def run_and_die(home: Path, url: str, moment: str) -> int | None:
    """Run the session in a process until it kills itself; its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["exit_process"])
    process = context.Process(target=_main, args=(home, url, moment))
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
    return process.exitcode


def _main(home: Path, url: str, moment: str) -> None:
    feed = StagedFeed((ENTRY, TARGET, BELOW, BELOW, BELOW, BELOW), STAGE_S)
    run_live(
        settings(),
        strategy=Bracketed(),
        outside=outside(url, feed, moment),
        switch=InProcessSwitch(),
        home=home,
        tell=print,
    )


def resume_it(home: Path, url: str, is_over: Callable[[], bool]) -> SessionResult:
    """Go on with the session, its price still below the stop, until `is_over` or 40 s."""
    return resume(
        SESSION,
        strategy=Bracketed(),
        outside=outside(url, StagedFeed((BELOW,), 40.0, is_over)),
        switch=InProcessSwitch(),
        is_acknowledged=True,
        home=home,
        tell=print,
    )


@contextmanager
def local_exchange() -> Iterator[tuple[str, ExchangeOrders]]:
    """An exchange in a thread of its own, at this machine's time: its address, its account."""
    now_ns = time.time_ns()
    listing = Listing("BTCUSDT", "BTC", "USDT")
    listing.add_top(now_ns - 1, "99990.00", "100000.00", "5", "5")
    place = Market([listing], now_ns)
    loop = asyncio.new_event_loop()
    exchange = Exchange(place)
    BinanceShape(exchange)
    account = ExchangeOrders(exchange, KEY, SECRET, {"USDT": "100000"})
    loop.run_until_complete(exchange.start())

    def tick() -> None:
        place.now_ns = time.time_ns()
        loop.call_later(0.01, tick)

    loop.call_soon(tick)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield exchange.url, account
    finally:
        asyncio.run_coroutine_threadsafe(exchange.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
