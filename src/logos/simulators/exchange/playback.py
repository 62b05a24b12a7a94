"""A recorded market on the local exchange, in real time: to rehearse with.

The recording's first event happens when the playback begins, and its spans are divided by the
speed, so that what the exchange says is always of now. The core's exactness is kept: figures go
out as the text that was recorded. Bars are made of the trades.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from pathlib import Path

from logos.core.instrument import Instrument, instrument
from logos.core.messages import MarketEvent
from logos.core.types import NS_PER_SECOND
from logos.data.defects import KEEPING_KINDS
from logos.data.layout import QUOTES, TRADES
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource, discover
from logos.data.suggest import draft_instrument
from logos.errors import DataError
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.server import Exchange
from logos.simulators.exchange.streams import BinanceStreams
from logos.simulators.exchange.yahoo import YahooShape

_STEP_MIN_S = 0.002


def recorded(
    folder: Path, symbols: Collection[str] | None = None
) -> tuple[list[DataSource], dict[str, Instrument]]:
    """The quotes and trades in a folder, and an instrument fine enough for each symbol.

    Raises DataError when there are none.
    """
    found = [each for each in discover(folder) if each.kind in (QUOTES, TRADES)]
    found = [each for each in found if symbols is None or each.symbol in symbols]
    if not found:
        raise DataError(f"{folder}: no quotes and no trades to play back")
    units: dict[str, Instrument] = {}
    for source in found:
        table = draft_instrument(source).assumed()
        known = units.get(source.symbol)
        if known is not None:
            table["tick"] = max(table["tick"], known.price_text(known.tick), key=len)
            table["lot"] = max(table["lot"], known.quantity_text(known.lot), key=len)
        units[source.symbol] = instrument(source.symbol, **table)
    return found, units


def listings_of(
    events: Collection[MarketEvent], place: Callable[[int], int] = lambda ts_ns: ts_ns
) -> list[Listing]:
    """A listing for each symbol, with its events in order."""
    made: dict[str, Listing] = {}
    for event in events:
        units = event.instrument
        if event.symbol not in made:
            made[event.symbol] = Listing(
                event.symbol,
                units.base,
                units.quote,
                tick=units.price_text(units.tick),
                lot=units.quantity_text(units.lot),
                minimum_quantity=units.quantity_text(units.lot),
            )
    for symbol, listing in made.items():
        listing.load((event for event in events if event.symbol == symbol), place)
    return list(made.values())


def exchange_of(folder: Path, speed: float, symbols: Collection[str] | None = None) -> Exchange:
    """An exchange that begins the folder's recording now, `speed` times as fast."""
    sources, units = recorded(folder, symbols)
    feed = ReplayFeed(sources, units, accept=KEEPING_KINDS)
    events = [event for chunk in feed.chunks() for event in chunk]
    origin_ns, first_ns = time.time_ns(), events[0].ts_ns
    pace = round(speed * 1_000)

    def place(ts_ns: int) -> int:
        return origin_ns + (ts_ns - first_ns) * 1_000 // pace

    exchange = Exchange(Market(listings_of(events, place), origin_ns - 1))
    BinanceShape(exchange)
    BinanceStreams(exchange)
    YahooShape(exchange, opens_minute=0, closes_minute=24 * 60)
    return exchange


async def play(exchange: Exchange) -> None:
    """Move the market's time with the wall clock, until cancelled."""
    while True:
        await exchange.advance_to(max(exchange.market.now_ns, time.time_ns()))
        next_ns = exchange.market.next_ns()
        wait_s = 1.0 if next_ns is None else (next_ns - time.time_ns()) / NS_PER_SECOND
        await asyncio.sleep(min(1.0, max(_STEP_MIN_S, wait_s)))
