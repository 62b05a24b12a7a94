"""Fetching market data: which source is asked, for what, and where the files go.

The composition of `logos data fetch`: a source's history between two moments, or what its live
feed hands over for some minutes, through the same conversions as in a session. Only Alpaca needs
a credential, which it is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from logos.adapters.fetch_request import FetchRequest, history_of, instrument_of, record
from logos.core.clock import Backoff, Clock
from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.data.beside.freshness import moment_text, write_freshness
from logos.data.readers.numbers import format_timestamp
from logos.data.source import interval_from_text
from logos.errors import DataError
from logos.feeds.common import (
    SINGLE_TOLERANCE,
    Patience,
    Reporter,
    SymbolGoneError,
)
from logos.feeds.contract import FeedFailedError
from logos.feeds.record import FileSink, History, ccxt_instrument, write_instruments
from logos.installation import install_command

SOURCES: Final = ("ccxt", "yahoo", "alpaca", "ib")
# The service answers for no more than eight days of minutes at once.
_YAHOO_SPAN_NS: Final = 7 * NS_PER_DAY


def fetch(
    request: FetchRequest, clock: Clock, random: Random, say: Callable[[str], None]
) -> list[Path]:
    """Write what was asked for; the files, `instruments.toml` last.

    Raises DataError when nothing can be had, or when a file of that name exists.
    """
    try:
        return asyncio.run(fetch_async(request, clock, random, say))
    except FeedFailedError as error:
        raise DataError(str(error)) from error
    except ImportError as error:
        raise DataError(
            f"{request.source} needs a library that is not installed ({error.name}):"
            f" {install_command(request.source)}"
        ) from None


async def fetch_async(
    request: FetchRequest, clock: Clock, random: Random, say: Callable[[str], None]
) -> list[Path]:
    """As `fetch`, within a running loop; raises FeedFailedError and ImportError as they come."""
    if request.source == "yahoo" and request.kind != "bars":
        raise DataError("yahoo has bars only: --kind bars")
    if request.since_ns and request.kind in ("quotes", "both"):
        raise DataError("exchanges keep no history of quotes; record them with --minutes")
    moment_ns = request.since_ns or clock.now_ns()
    stamp = format_timestamp(moment_ns // NS_PER_SECOND * NS_PER_SECOND).replace(":", "")
    origin = request.exchange if request.source == "ccxt" else request.source
    sink = FileSink(request.out, origin, stamp, say)
    work = {
        "ccxt": _fetch_ccxt,
        "yahoo": _fetch_yahoo,
        "alpaca": _fetch_alpaca,
        "ib": _fetch_ib,
    }[request.source]
    with sink:
        tables = await work(request, clock, random, sink)
        if not sink.rows:
            raise DataError("there was nothing to write: no row came")
    if sink.moved:
        say(f"{sink.moved} rows came out of order and carry the time of the row before them")
    _write_freshness(request, sink, origin, clock.now_ns())
    return [*sink.paths, write_instruments(request.out, tables)]


def _write_freshness(request: FetchRequest, sink: FileSink, origin: str, now_ns: int) -> None:
    """Write down beside each file when it was fetched, from where, and how complete it is."""
    is_history = bool(request.since_ns)
    for path, written in sink.written.items():
        write_freshness(
            path,
            fetched_at=moment_text(now_ns),
            source=origin if request.source == origin else f"{request.source} {origin}",
            market=request.markets[written.symbol],
            kind=written.kind,
            interval=written.interval,
            asked_from=moment_text(request.since_ns),
            asked_to=moment_text(request.until_ns or now_ns) if is_history else "",
            first=moment_text(written.first_ns),
            last=moment_text(written.last_ns),
            rows=written.rows,
            gaps=sink.gaps[written.symbol],
            told=sink.told.get(written.symbol, []),
        )


async def _fetch_ccxt(
    request: FetchRequest, clock: Clock, random: Random, sink: FileSink
) -> Mapping[str, Mapping[str, Any]]:
    from logos.adapters.ccxt.client import CcxtClient
    from logos.adapters.ccxt.feed import CcxtFeed, CcxtMarket, unknown_market

    client = CcxtClient(
        request.exchange, clock, streams=False, url=request.url, timeout_ms=10_000, options={}
    )
    reporter = Reporter(f"ccxt:{request.exchange}", sink, clock)
    try:
        voice = reporter.voice("", "markets")
        await Patience(voice, clock, Backoff(random)).ask(client.load_markets)
        for name in request.markets.values():
            if name not in client.markets:
                raise DataError(unknown_market(request.exchange, name, client.markets))
        tables = {
            symbol: ccxt_instrument(client.markets[name], client.precision_mode)
            for symbol, name in request.markets.items()
        }
        units = {symbol: instrument_of(symbol, table) for symbol, table in tables.items()}
        for symbol, name in request.markets.items() if request.since_ns else ():
            history = history_of(request, clock, random, reporter, units[symbol])
            await _ccxt_history(client, name, history, request)
    finally:
        await client.close()
    if request.minutes:
        markets = {
            symbol: CcxtMarket(units[symbol], name) for symbol, name in request.markets.items()
        }
        feed = CcxtFeed(
            request.exchange,
            markets,
            clock,
            random,
            kind=request.kind,
            transport=request.transport,
            url=request.url,
            interval=request.interval,
        )
        await record(feed, sink, clock, request.minutes)
    return tables


async def _ccxt_history(client: Any, name: str, history: History, request: FetchRequest) -> None:
    try:
        if request.kind == "trades":
            await history.trades(
                partial(client.trades_after, name),
                are_ids_consecutive=client.tuning.are_ids_consecutive,
            )
        else:
            await history.bars(
                partial(client.bars, name, request.interval),
                interval_from_text(request.interval),
                client.told_ns(),
            )
    except SymbolGoneError as gone:
        raise DataError(str(gone)) from gone


async def _fetch_yahoo(
    request: FetchRequest, clock: Clock, random: Random, sink: FileSink
) -> Mapping[str, Mapping[str, Any]]:
    from logos.adapters.yahoo.client import YahooClient
    from logos.adapters.yahoo.feed import YahooFeed, YahooMarket

    table = {"quote": request.currency, "tick": request.tick, "lot": request.lot}
    tables = dict.fromkeys(request.markets, table)
    units = {symbol: instrument_of(symbol, table) for symbol in request.markets}
    if request.minutes:
        markets = {
            symbol: YahooMarket(units[symbol], ticker) for symbol, ticker in request.markets.items()
        }
        feed = YahooFeed(
            markets,
            clock,
            random,
            interval=request.interval,
            url=request.url,
            cache_dir=request.cache_dir,
        )
        await record(feed, sink, clock, request.minutes)
        return tables
    client = YahooClient(url=request.url, timeout_s=10.0, cache_dir=request.cache_dir)
    reporter = Reporter("yahoo", sink, clock)
    try:
        for symbol, ticker in request.markets.items():
            history = history_of(request, clock, random, reporter, units[symbol], SINGLE_TOLERANCE)
            await _yahoo_history(client, ticker, history, request, clock)
    finally:
        client.close()
    return tables


async def _fetch_alpaca(
    request: FetchRequest, clock: Clock, random: Random, sink: FileSink
) -> Mapping[str, Mapping[str, Any]]:
    from logos.adapters.alpaca.feed import AlpacaFeed, AlpacaMarket
    from logos.adapters.alpaca.group import Plan
    from logos.adapters.alpaca.market_data import (
        TIMEFRAMES,
        DataAccess,
        MarketData,
        require_private,
    )

    if request.keys is None:
        raise DataError("alpaca needs keys for its market data")
    if request.interval not in TIMEFRAMES:
        raise DataError(f"--interval: alpaca has bars of {', '.join(TIMEFRAMES)}")
    table = {"quote": request.currency, "tick": request.tick, "lot": request.lot}
    tables = dict.fromkeys(request.markets, table)
    units = {symbol: instrument_of(symbol, table) for symbol in request.markets}
    try:
        require_private(request.url)
    except ValueError as error:
        raise DataError(str(error)) from None
    access = DataAccess(*request.keys, request.url, request.exchange or "iex")
    if request.minutes:
        markets = {
            symbol: AlpacaMarket(units[symbol], name) for symbol, name in request.markets.items()
        }
        plan = Plan(request.kind, request.transport, request.interval)
        feed = AlpacaFeed(markets, clock, random, access, plan)
        await record(feed, sink, clock, request.minutes)
        return tables
    data = MarketData(access)
    reporter = Reporter("alpaca", sink, clock)
    try:
        for symbol, name in request.markets.items():
            patience = Patience(reporter.voice(symbol, request.kind), clock, Backoff(random))
            # Its answer says what time it is there.
            await patience.ask(partial(data.latest_trades, [name]))
            history = history_of(request, clock, random, reporter, units[symbol])
            await _alpaca_history(data, name, history, request, clock)
    except SymbolGoneError as gone:
        raise DataError(str(gone)) from gone
    finally:
        data.close()
    return tables


async def _alpaca_history(
    data: Any, name: str, history: History, request: FetchRequest, clock: Clock
) -> None:
    from logos.adapters.alpaca.feed import bars_between

    async def trades_after(_last_id: str, since_ns: int) -> Any:
        return (await data.trades([name], since_ns, pages_max=1))[name]

    if request.kind == "trades":
        await history.trades(trades_after)
    else:
        until_ns = request.until_ns or clock.now_ns()
        await bars_between(data, name, history, request.interval, until_ns)


async def _fetch_ib(
    request: FetchRequest, clock: Clock, random: Random, sink: FileSink
) -> Mapping[str, Mapping[str, Any]]:
    from logos.adapters.ib.fetch import fetch_ib

    return await fetch_ib(request, clock, random, sink)


async def _yahoo_history(
    client: Any, ticker: str, history: History, request: FetchRequest, clock: Clock
) -> None:
    interval_ns = interval_from_text(request.interval)
    until_ns = request.until_ns or clock.now_ns()
    sessions: list[tuple[int, int]] = []

    async def ask(since_ns: int) -> Any:
        end_ns = min(until_ns, since_ns + _YAHOO_SPAN_NS)
        chart = await asyncio.to_thread(
            client.history,
            ticker,
            request.interval,
            since_ns // NS_PER_SECOND,
            end_ns // NS_PER_SECOND,
        )
        sessions.extend(chart.sessions)
        return chart.closed(interval_ns)

    try:
        await history.bars(ask, interval_ns, until_ns, sessions)
    except SymbolGoneError as gone:
        raise DataError(str(gone)) from gone
