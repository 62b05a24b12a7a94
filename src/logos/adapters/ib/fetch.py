"""`logos data fetch ib`: bars of the past, or what the feed hands over, and instruments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

from logos.adapters.fetch_request import FetchRequest, history_of, instrument_of, record
from logos.adapters.ib.address import FEED_CLIENT, address_of
from logos.adapters.ib.contracts import table_of
from logos.adapters.ib.feed import IbFeed, IbMarket, bars_between
from logos.adapters.ib.lines import Plan
from logos.adapters.ib.market_data import BAR_SIZES, Link
from logos.core.clock import Backoff, Clock
from logos.errors import DataError
from logos.feeds.common import Patience, Reporter, SymbolGoneError
from logos.feeds.record import FileSink
from logos.venues.contract import Refused


async def fetch_ib(
    request: FetchRequest, clock: Clock, random: Random, sink: FileSink
) -> Mapping[str, Mapping[str, Any]]:
    """Fetch what is asked for; the tables of the instruments. Raises DataError."""
    if request.since_ns and request.kind != "bars":
        raise DataError("of ib there is a history of bars only: --kind bars, or --minutes")
    if request.interval not in BAR_SIZES:
        raise DataError(f"--interval: ib has bars of {', '.join(BAR_SIZES)}")
    try:
        address, _ = address_of(request.url, True, "--url", FEED_CLIENT)
    except Refused as error:
        raise DataError(str(error)) from None
    reporter, link = Reporter("ib", sink, clock), Link(clock, address, request.exchange, 10.0)
    try:
        patience = Patience(reporter.voice("", "contracts"), clock, Backoff(random))
        found = {
            symbol: await patience.ask(partial(link.details, symbol, name, request.currency))
            for symbol, name in request.markets.items()
        }
        tables = {symbol: table_of(*each) for symbol, each in found.items()}
        units = {symbol: instrument_of(symbol, table) for symbol, table in tables.items()}
        for symbol, (details, _) in found.items() if request.since_ns else ():
            history = history_of(request, clock, random, reporter, units[symbol])
            until_ns = request.until_ns or clock.now_ns()
            terms = (details.contract, history, patience, request.interval, until_ns)
            await bars_between(link, *terms)
    except (Refused, SymbolGoneError) as error:
        raise DataError(str(error)) from error
    finally:
        link.close()
    if request.minutes:
        markets = {
            symbol: IbMarket(units[symbol], name) for symbol, name in request.markets.items()
        }
        try:
            plan = Plan(request.kind, request.interval, request.exchange)
            feed = IbFeed(markets, clock, random, address, plan)
        except ValueError as error:
            raise DataError(str(error)) from None
        await record(feed, sink, clock, request.minutes)
    return tables
