"""The polled ccxt feed, through the real library, against an exchange that fails on demand."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from live_helpers import MS, World, ccxt_feed, following, listing, run, timeout_s, world

from logos.adapters.ccxt.client import CcxtClient
from logos.core.messages import Quote, Trade
from logos.feeds.contract import FeedFailedError, FeedState
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import START_NS


def trades_of(there: World) -> list[Trade]:
    return [event for event in there.sink.events if isinstance(event, Trade)]


def quotes_of(there: World) -> list[Quote]:
    return [event for event in there.sink.events if isinstance(event, Quote)]


def test_trades_come_once_in_order_and_exact() -> None:
    async def work() -> None:
        async with world(listing(trades=50)) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                for _ in range(6):
                    await there.pass_time(1)
            trades = trades_of(there)
            assert [trade.price_units for trade in trades] == list(range(6_000_001, 6_000_051))
            assert {trade.size_units for trade in trades} == {1_000}
            assert [trade.aggressor for trade in trades[:2]] == ["BUY", "SELL"]
            assert there.sink.event_times_ns == [
                START_NS + number * 100 * MS for number in range(1, 51)
            ]
            assert all(
                event.ts_ns >= event_ns
                for event, event_ns in zip(trades, there.sink.event_times_ns, strict=True)
            )
            assert there.sink.details(FeedState.GAP) == []

    run(work())


def test_what_happened_before_the_feed_began_is_not_told() -> None:
    async def work() -> None:
        async with world(listing(trades=50)) as there:
            await there.exchange.advance(2)
            await there.clock.advance(2)
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(1)
                await there.pass_time(1)
            first = there.sink.event_times_ns[0]
            assert first == START_NS + 2_000 * MS
            assert len(trades_of(there)) == 21

    run(work())


def test_a_quote_comes_when_the_book_changed_and_not_otherwise() -> None:
    async def work() -> None:
        async with world(listing(trades=3, every_s=2)) as there:
            async with following(ccxt_feed(there, kind="quotes"), there.sink):
                for _ in range(8):
                    await there.pass_time(1)
            assert [quote.bid_units for quote in quotes_of(there)] == [
                6_000_000,
                6_000_001,
                6_000_002,
                6_000_003,
            ]
            assert quotes_of(there)[0].ask_size_units == 25_000

    run(work())


FAILING = [
    (Fault.TIMEOUT_BEFORE, "RequestTimeout", FeedState.RETRYING),
    (Fault.TIMEOUT_AFTER, "RequestTimeout", FeedState.RETRYING),
    (Fault.RESET_BEFORE, "ExchangeNotAvailable", FeedState.RETRYING),
    (Fault.RESET_AFTER, "ExchangeNotAvailable", FeedState.RETRYING),
    (Fault.RATE_LIMIT, "DDoSProtection", FeedState.RETRYING),
    (Fault.SERVER_ERROR, "-1000", FeedState.RETRYING),
    (Fault.UNAVAILABLE, "ExchangeNotAvailable", FeedState.RETRYING),
    (Fault.MAINTENANCE, "OnMaintenance", FeedState.MAINTENANCE),
    (Fault.MALFORMED, "not JSON", FeedState.RETRYING),
    (Fault.TRUNCATED, "not JSON", FeedState.RETRYING),
]


@pytest.mark.long
@pytest.mark.parametrize(("fault", "words", "state"), FAILING, ids=lambda each: str(each))
@pytest.mark.parametrize(("kind", "path"), [("trades", "aggTrades"), ("quotes", "depth")])
def test_after_any_failure_nothing_is_lost_and_nothing_comes_twice(
    fault: Fault, words: str, state: FeedState, kind: str, path: str
) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            feed = ccxt_feed(there, kind=kind, timeout_ms=1_000 * timeout_s(fault))
            async with following(feed, there.sink):
                await there.pass_time(2)
                there.exchange.fail(path, fault, times=2)
                for _ in range(10):
                    await there.pass_time(1)
            [first, *_] = there.sink.details(state)
            assert words in first
            wait_s = float(first.rpartition("again in ")[2].removesuffix(" s"))
            assert wait_s <= 1
            after = there.sink.states("BTCUSDT")
            assert after[0] is FeedState.LIVE
            assert after[-1] is FeedState.LIVE
            assert there.sink.details(FeedState.GAP) == []
            if kind == "trades":
                prices = [trade.price_units for trade in trades_of(there)]
                assert prices == list(range(6_000_001, 6_000_101))
            else:
                assert quotes_of(there)[-1].bid_units == 6_000_100

    run(work())


@pytest.mark.long
@pytest.mark.parametrize("fault", [each for each, _, _ in FAILING], ids=str)
@pytest.mark.parametrize("path", ["exchangeInfo", "api/v3/time"])
def test_a_failure_at_the_beginning_is_waited_out_too(fault: Fault, path: str) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            there.exchange.fail(path, fault, times=2)
            feed = ccxt_feed(there, kind="trades", timeout_ms=1_000 * timeout_s(fault))
            async with following(feed, there.sink):
                for _ in range(12):
                    await there.pass_time(1)
            assert there.sink.states("BTCUSDT") == [FeedState.LIVE]
            assert there.sink.states("")[-1] is FeedState.LIVE
            assert trades_of(there)[-1].price_units == 6_000_100

    run(work())


def test_a_retry_after_is_honoured() -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            there.exchange.fail("aggTrades", Fault.RATE_LIMIT, times=1, retry_after_s=7)
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(6.9)
                assert there.exchange.asked("aggTrades") == 1
                assert "again in 7.0 s" in there.sink.details(FeedState.RETRYING)[0]
                await there.pass_time(0.2)
                assert there.exchange.asked("aggTrades") > 1

    run(work())


def test_waits_grow_while_failures_go_on_and_start_afresh_after_success() -> None:
    async def work() -> None:
        async with world(listing(trades=10)) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(1)
                there.exchange.fail("aggTrades", Fault.UNAVAILABLE, times=6)
                for _ in range(40):
                    await there.pass_time(1)
                there.exchange.fail("aggTrades", Fault.UNAVAILABLE, times=1)
                for _ in range(3):
                    await there.pass_time(1)
            waits = [
                float(detail.rpartition("again in ")[2].removesuffix(" s"))
                for detail in there.sink.details(FeedState.RETRYING)
            ]
            assert len(waits) == 7
            for index, wait_s in enumerate(waits[:6]):
                assert 0.25 * 2**index - 0.1 <= wait_s <= 0.5 * 2**index + 0.1
            assert waits[6] <= 0.5

    run(work())


@pytest.mark.parametrize(
    "fault", [Fault.DUPLICATE, Fault.REORDERED, Fault.LATE, Fault.GAP], ids=str
)
def test_rows_that_come_twice_late_reordered_or_not_at_all_are_put_right(fault: Fault) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(2)
                there.exchange.fail("aggTrades", fault, times=1)
                for _ in range(10):
                    await there.pass_time(1)
            prices = [trade.price_units for trade in trades_of(there)]
            assert prices == list(range(6_000_001, 6_000_101))
            assert there.sink.details(FeedState.GAP) == []

    run(work())


def test_trades_the_exchange_no_longer_has_are_a_gap_that_is_told() -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(2)
                market = there.exchange.market.listings["BTCUSDT"]
                market.prints = [each for each in market.prints if not 31 <= each.trade_id <= 33]
                for _ in range(9):
                    await there.pass_time(1)
            assert there.sink.details(FeedState.GAP) == [
                "trades: 3 trades are missing after trade 30"
            ]
            assert len(trades_of(there)) == 97

    run(work())


def test_an_outage_longer_than_a_page_is_filled_in_page_by_page() -> None:
    async def work() -> None:
        async with world(listing(trades=3_500, every_s=0.01)) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(1)
                there.exchange.fail("aggTrades", Fault.RESET_BEFORE, times=1)
                await there.pass_time(1)
                await there.exchange.advance(60)
                await there.pass_time(60)
            prices = [trade.price_units for trade in trades_of(there)]
            assert prices == list(range(6_000_001, 6_003_501))

    run(work())


def test_an_empty_book_is_told_once_and_gives_no_quote() -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            there.exchange.fail("depth", Fault.EMPTY_BOOK, after=1, times=3)
            async with following(ccxt_feed(there, kind="quotes"), there.sink):
                for _ in range(6):
                    await there.pass_time(1)
            assert len(there.sink.details(FeedState.GAP)) == 1
            assert [quote.bid_units for quote in quotes_of(there)][:2] == [6_000_000, 6_000_040]

    run(work())


def test_a_crossed_book_is_passed_on_as_it_came() -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            there.exchange.fail("depth", Fault.CROSSED_BOOK, after=1, times=1)
            async with following(ccxt_feed(there, kind="quotes"), there.sink):
                await there.pass_time(1)
                await there.pass_time(1)
            _, crossed, good = quotes_of(there)
            assert crossed.bid_units > crossed.ask_units
            assert good.bid_units < good.ask_units

    run(work())


def test_a_price_off_the_tick_is_left_out_and_told() -> None:
    async def work() -> None:
        market = listing(trades=30)
        market.tick = "0.01"
        market.add_print(START_NS + 4_000 * MS, "60000.015", "1", "BUY")
        market.add_print(START_NS + 4_000 * MS, "60000.02", "1", "BUY")
        async with world(market) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                for _ in range(6):
                    await there.pass_time(1)
            [told] = there.sink.details(FeedState.GAP)
            assert "off_tick: price 60000.015 is not a multiple of the tick 0.01" in told
            assert len(trades_of(there)) == 31

    run(work())


def test_one_unknown_market_does_not_stop_the_others() -> None:
    async def work() -> None:
        async with world(listing(trades=30)) as there:
            names = {"BTCUSDT": "BTC/USDT", "DOGEUSDT": "DOGE/USDT"}
            async with following(ccxt_feed(there, kind="trades", markets=names), there.sink):
                for _ in range(4):
                    await there.pass_time(1)
            assert there.sink.states("DOGEUSDT") == [FeedState.CLOSED]
            [told] = there.sink.details(FeedState.CLOSED)
            assert "ccxt:binance has no market 'DOGE/USDT'; near it are BTC/USDT" in told
            assert len(trades_of(there)) == 30

    run(work())


def test_a_market_that_is_taken_down_ends_its_own_line_only() -> None:
    async def work() -> None:
        async with world(listing(trades=100), listing("ETHUSDT", trades=100)) as there:
            names = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}
            async with following(ccxt_feed(there, kind="trades", markets=names), there.sink):
                await there.pass_time(2, sleepers=2)
                there.exchange.market.listings["ETHUSDT"].is_trading = False
                await there.clock.wait_for_sleepers(2)
                for _ in range(9):
                    await there.pass_time(1)
            assert there.sink.states("ETHUSDT") == [FeedState.LIVE, FeedState.CLOSED]
            assert "BadSymbol" in there.sink.details(FeedState.CLOSED)[0]
            assert sum(trade.symbol == "BTCUSDT" for trade in trades_of(there)) == 100

    run(work())


def test_a_failing_symbol_does_not_hold_up_the_others() -> None:
    async def work() -> None:
        async with world(listing(trades=100), listing("ETHUSDT", trades=100)) as there:
            names = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}
            async with following(ccxt_feed(there, kind="both", markets=names), there.sink):
                await there.pass_time(1, sleepers=4)
                there.exchange.fail("depth", Fault.UNAVAILABLE, times=1_000)
                for _ in range(9):
                    await there.pass_time(1, sleepers=4)
            assert len(trades_of(there)) == 200
            assert there.sink.states("BTCUSDT")[-1] is FeedState.RETRYING

    run(work())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"exchange_id": "binnance"}, "'binnance'; did you mean binance"),
        ({"markets": {"BTCUSDT": "BTC/USD"}}, "has no market 'BTC/USD'; near it are BTC/USDT"),
    ],
    ids=["exchange", "market"],
)
def test_what_can_never_work_fails_with_near_names(settings: dict[str, object], words: str) -> None:
    async def work() -> None:
        async with world(listing(trades=3)) as there:
            with pytest.raises(FeedFailedError, match=words):
                await ccxt_feed(there, kind="trades", **settings).run(there.sink)  # type: ignore[arg-type]

    run(work())


def test_a_sink_without_room_is_waited_for_and_nothing_is_lost() -> None:
    async def work() -> None:
        async with world(listing(trades=30)) as there:
            there.sink.capacity = 5
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.clock.wait_for_sleepers()
                await there.exchange.advance(3)
                await there.clock.advance(3)
                await there.sink.until(lambda: there.sink.refusals > 0)
                assert len(there.sink.events) == 5
                there.sink.capacity = 100
                there.sink.changed.set()
                await there.sink.until(lambda: len(there.sink.events) == 30)
            prices = [trade.price_units for trade in trades_of(there)]
            assert prices == list(range(6_000_001, 6_000_031))

    run(work())


def test_no_other_host_is_asked() -> None:
    async def work() -> None:
        async with world(listing(trades=30)) as there:
            async with following(ccxt_feed(there, kind="both"), there.sink):
                await there.pass_time(1, sleepers=2)
            host = there.exchange.url.removeprefix("http://")
            assert {request.host for request in there.exchange.requests} == {host}
            client = client_of(there)
            assert {urlsplit(address).netloc for address in client.addresses()} == {host}
            with pytest.raises(FeedFailedError, match="is not at 127"):
                await client._exchange.fetch("https://api.binance.com/api/v3/time")
            await client.close()

    run(work())


def client_of(there: World) -> CcxtClient:
    return CcxtClient(
        "binance",
        there.clock,
        streams=False,
        url=there.exchange.url,
        timeout_ms=300,
        options={},
    )


def test_a_name_that_does_not_resolve_is_a_failure_that_may_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_arguments: object, **_more: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    async def work() -> None:
        async with world(listing(trades=3)) as there:
            feed = ccxt_feed(there, kind="trades", url="http://no-such-host.invalid:1")
            async with following(feed, there.sink):
                await there.sink.until(lambda: FeedState.RETRYING in there.sink.states(""))
            assert "ExchangeNotAvailable" in there.sink.details(FeedState.RETRYING)[0]

    run(work())
