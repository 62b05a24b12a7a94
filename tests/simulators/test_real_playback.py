"""Real recordings through the local exchange and the real library: the file comes out again."""

from __future__ import annotations

import asyncio
import sys
from itertools import islice
from pathlib import Path

import pytest
from live_helpers import RecordingSink, World, ccxt_feed, following, run, subscribed
from sampling import first_quick

from logos.core.instrument import Instrument
from logos.core.messages import MarketEvent, Quote, Trade
from logos.data.replay import ReplayFeed
from logos.feeds.contract import FeedState
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.market import NS_PER_MS, Market
from logos.simulators.exchange.playback import listings_of, recorded
from logos.simulators.exchange.server import Exchange
from logos.simulators.exchange.streams import BinanceStreams
from logos.simulators.exchange.yahoo import YahooShape
from logos.testing.clock import ManualClock

ROWS = 2_000


def rows_of(market_data: Path, kind: str) -> tuple[list[MarketEvent], dict[str, Instrument]]:
    sources, units = recorded(market_data / kind, ["BTCUSDT"])
    feed = ReplayFeed(sources, units)
    return list(islice((event for chunk in feed.chunks() for event in chunk), ROWS)), units


def figures(events: list[MarketEvent]) -> list[tuple[object, ...]]:
    """What an event says, but for the moment of its receipt."""
    found: list[tuple[object, ...]] = []
    for event in events:
        if isinstance(event, Trade):
            found.append((event.price_units, event.size_units, event.aggressor))
        elif isinstance(event, Quote):
            sizes = event.bid_size_units, event.ask_size_units
            found.append((event.bid_units, event.ask_units, *sizes))
    return found


def serve(events: list[MarketEvent]) -> World:
    start_ns = events[0].ts_ns // NS_PER_MS * NS_PER_MS - NS_PER_MS
    exchange = Exchange(Market(listings_of(events), start_ns))
    BinanceShape(exchange)
    streams = BinanceStreams(exchange)
    yahoo = YahooShape(exchange)
    return World(exchange, streams, ManualClock(start_ns), RecordingSink(), yahoo)


@pytest.mark.long
def test_every_trade_of_the_file_comes_once_in_order_across_a_disconnect(
    market_data: Path,
) -> None:
    async def work() -> None:
        events, units = rows_of(market_data, "trades")
        there = serve(events)
        async with there.exchange:
            feed = ccxt_feed(there, kind="trades", transport="websocket", instruments=units)
            async with following(feed, there.sink):
                await subscribed(there, "btcusdt@aggTrade")
                await there.exchange.advance_to(events[700].ts_ns)
                sent = sum(event.ts_ns <= events[700].ts_ns for event in events)
                await there.sink.until(lambda: len(there.sink.events) == sent)
                await there.clock.wait_for_sleepers()
                there.streams.disconnect_all()
                await there.exchange.advance_to(events[1_400].ts_ns)
                await there.sink.until(lambda: FeedState.RETRYING in there.sink.states("BTCUSDT"))
                await there.clock.next_wake()
                await there.sink.until(lambda: len(there.sink.events) > 1_400)
                await subscribed(there, "btcusdt@aggTrade")
                await there.exchange.advance_to(events[-1].ts_ns)
                await there.sink.until(lambda: len(there.sink.events) >= ROWS)
            assert figures(there.sink.events) == figures(events)
            told_ms = [event_ns // NS_PER_MS for event_ns in there.sink.event_times_ns]
            assert told_ms == [event.ts_ns // NS_PER_MS for event in events]
            assert there.sink.details(FeedState.GAP) == []

    run(work())


@pytest.mark.long
def test_every_trade_of_the_file_comes_once_in_order_by_polling(market_data: Path) -> None:
    async def work() -> None:
        events, units = rows_of(market_data, "trades")
        there = serve(events)
        async with there.exchange:
            feed = ccxt_feed(there, kind="trades", instruments=units)
            async with following(feed, there.sink):
                while len(there.sink.events) < ROWS:
                    await there.pass_time(10)
            assert figures(there.sink.events) == figures(events)
            assert there.sink.details(FeedState.GAP) == []

    run(work())


@pytest.mark.long
def test_every_quote_of_the_file_comes_in_order(market_data: Path) -> None:
    async def work() -> None:
        events, units = rows_of(market_data, "quotes")
        there = serve(events)
        await there.exchange.advance_to(events[0].ts_ns)
        async with there.exchange:
            feed = ccxt_feed(there, kind="quotes", transport="websocket", instruments=units)
            async with following(feed, there.sink):
                await subscribed(there, "btcusdt@bookTicker")
                await there.exchange.advance_to(events[-1].ts_ns)
                await there.sink.until(lambda: len(there.sink.events) >= ROWS)
            assert figures(there.sink.events) == figures(events)

    run(work())


@pytest.mark.parametrize("fault_rate", first_quick(["0.3", "0"], quick=0))
def test_as_a_process_it_prints_its_address_plays_and_fails_when_told(
    market_data: Path, fault_rate: str
) -> None:
    async def work() -> None:
        command = ["-m", "logos.simulators.exchange", "--data", str(market_data / "trades")]
        command += ["--symbols", "BTCUSDT", "--speed", "100", "--fault-rate", fault_rate]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode()
            assert "BTCUSDT; the recording lasts 3 s" in line
            there = serve(rows_of(market_data, "trades")[0])
            there.exchange.url = line.split()[0]
            feed = ccxt_feed(there, kind="trades", poll_interval_ms=1)
            async with following(feed, there.sink):
                fails = fault_rate != "0"
                while FeedState.LIVE not in there.sink.states("BTCUSDT") or (
                    fails and not there.sink.details(FeedState.RETRYING)
                ):
                    await there.clock.next_wake()
            assert fails or not there.sink.details(FeedState.RETRYING)
        finally:
            process.terminate()
            await process.wait()

    run(work())
