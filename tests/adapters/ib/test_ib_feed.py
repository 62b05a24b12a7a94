"""Market data of a gateway through a feed: quotes, trades, bars, what is late, lost or refused.

The contract that every feed keeps is tried in tests/feeds/test_feed_contract.py.
"""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from ib_world import until
from live_helpers import RecordingSink, following
from venue_tools import share

from logos.adapters.ib.connection import Address
from logos.adapters.ib.feed import IbFeed, IbMarket
from logos.adapters.ib.lines import DELAY_NS, QUIET_S, Plan, note
from logos.adapters.ib.messages import Tick
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Quote, Trade
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND, SIZE_UNKNOWN
from logos.feeds.contract import FeedFailedError, FeedState
from logos.simulators.ib import TESLA, Listing, TwsGateway
from logos.testing.clock import START_NS, ManualClock

FUTURE = Listing(
    495512563, "ES", "FUT", exchange="CME", primary_exchange="CME", local_symbol="ESZ6",
    trading_class="ES", multiplier="50", last_trade_date="20261218", min_tick="0.25",
    rule_id=67, rules=(("0", "0.25"),),
)  # fmt: skip


@dataclass
class There:
    """A gateway on a clock moved by hand, and a feed of it under way."""

    gateway: TwsGateway
    clock: ManualClock
    sink: RecordingSink
    feed: IbFeed
    running: asyncio.Task[None]

    def said(self, symbol: str = "AAPL") -> list[FeedState]:
        return self.sink.states(symbol)

    async def live(self, times: int = 1) -> None:
        await until(lambda: self.said().count(FeedState.LIVE) >= times)

    async def has(self, count: int) -> None:
        await until(lambda: len(self.sink.events) >= count)

    async def comes_back(self) -> None:
        """Whoever waits before another try tries again, until the symbol is LIVE once more."""
        count = self.said().count(FeedState.LIVE)
        while self.said().count(FeedState.LIVE) == count:
            if self.said()[-1] is not FeedState.LIVE and self.clock.sleepers:
                await self.clock.next_wake()
            await asyncio.sleep(0)


def tell(
    story: Callable[[There], Awaitable[None]],
    plan: Plan,
    *,
    traded: Instrument | None = None,
    name: str = "AAPL",
    is_subscribed: bool = True,
    listings: tuple[Listing, ...] = (),
) -> None:
    what = traded or share()

    async def whole() -> None:
        clock, sink = ManualClock(), RecordingSink()
        options = {"listings": listings} if listings else {}
        async with (
            asyncio.timeout(10),
            TwsGateway(now_ns=clock.now_ns, **options) as gateway,  # type: ignore[arg-type]
        ):
            if not is_subscribed:
                gateway.subscribed.clear()
            address = Address("127.0.0.1", gateway.port, 2)
            markets = {what.symbol: IbMarket(what, name)}
            feed = IbFeed(markets, clock, Random(1), address, plan, 10.0)
            async with following(feed, sink) as running:
                await story(There(gateway, clock, sink, feed, running))
            assert gateway.unread == []

    asyncio.run(whole())


def test_quotes_are_exact_and_each_change_comes_once() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.quote("AAPL", "188.50", "188.60")
        await there.has(1)
        there.gateway.quote("AAPL", "188.50", "188.60")
        there.gateway.quote("AAPL", "188.51", "188.61")
        await there.has(2)
        first, second = there.sink.events
        assert isinstance(first, Quote)
        assert isinstance(second, Quote)
        assert (first.bid_units, first.ask_units) == (18_850, 18_860)
        assert (first.bid_size_units, first.ask_size_units) == (300, 400)
        assert (second.bid_units, second.ask_units) == (18_851, 18_861)
        assert there.sink.event_times_ns == [each.ts_ns for each in there.sink.events]
        assert there.sink.details(FeedState.GAP) == []

    tell(story, Plan("quotes"))


def test_a_side_that_nobody_quotes_is_no_price() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.quote("AAPL", "-1", "188.60")
        listing = there.gateway.desk.listings[0]
        there.gateway.desk.quotes[listing.con_id].bid_size = Decimal(0)
        there.gateway.data.show(listing, there.gateway.desk.quotes[listing.con_id])
        await until(lambda: there.sink.details(FeedState.GAP))
        assert "nobody quotes one side" in there.sink.details(FeedState.GAP)[-1]
        there.gateway.quote("AAPL", "188.50", "188.60")
        await there.has(1)
        assert [each.bid_units for each in there.sink.events] == [18_850]  # type: ignore[union-attr]

    tell(story, Plan("quotes"))


@pytest.mark.parametrize(
    ("price", "size", "bid"),
    [
        ("-1", "0", "0"),
        ("-1.00", "", "0"),
        ("0.0", "0", "0"),
        ("-1", "5", "-1"),
        ("-10", "", "-10"),
        ("-10.00", "0", "-10.00"),
        ("100", "", "100"),
    ],
)
def test_only_minus_one_and_zero_without_a_size_are_no_price(
    price: str, size: str, bid: str
) -> None:
    book: dict[str, str] = {}
    note(book, Tick(1, price, size))
    assert book["bid"] == bid


def test_delayed_quotes_say_so_and_are_as_old_as_they_are() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.quote("AAPL", "188.50", "188.60")
        await there.has(1)
        [quote] = there.sink.events
        assert there.sink.event_times_ns == [quote.ts_ns - DELAY_NS]
        assert any("delayed" in each for each in there.sink.details(FeedState.GAP))

    tell(story, Plan("quotes", source="delayed"), is_subscribed=False)


def test_live_quotes_are_not_late_though_delayed_ones_would_do() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.quote("AAPL", "188.50", "188.60")
        await there.has(1)
        assert there.sink.event_times_ns == [there.sink.events[0].ts_ns]

    tell(story, Plan("quotes", source="delayed"))


def test_without_a_subscription_a_symbol_ends_with_what_to_do() -> None:
    for kind, code in (("quotes", "354"), ("trades", "10189")):

        async def story(there: There, code: str = code) -> None:
            await until(there.running.done)
            [words] = there.sink.details(FeedState.CLOSED)
            assert code in words
            assert 'live.exchange = "delayed"' in words

        with pytest.raises(FeedFailedError, match="no symbol is left"):
            tell(story, Plan(kind), is_subscribed=False)


def test_trades_come_one_by_one_with_their_seconds() -> None:
    async def story(there: There) -> None:
        await there.live()
        await there.clock.advance(1.5)
        there.gateway.trade("AAPL", "188.55", "40")
        there.gateway.trade("AAPL", "188.55", "40")
        await there.has(2)
        for each in there.sink.events:
            assert isinstance(each, Trade)
            assert (each.price_units, each.size_units, each.aggressor) == (18_855, 40, "")
        assert there.sink.event_times_ns == [START_NS + NS_PER_SECOND] * 2

    tell(story, Plan("trades"))


def test_a_trade_that_comes_while_a_silence_is_looked_into_is_delivered() -> None:
    async def story(there: There) -> None:
        await there.live()
        gateway, now_ns = there.gateway, there.gateway.now_ns

        def traded_first() -> int:
            """The gateway tells a trade, and right behind it the time that it was asked for."""
            gateway.now_ns = now_ns
            gateway.trade("AAPL", "188.55", "40")
            return now_ns()

        gateway.now_ns = traded_first
        await there.clock.wait_for_sleepers()
        await there.clock.advance(QUIET_S)
        await there.has(1)

    tell(story, Plan("trades"))


def test_trades_of_an_outage_may_be_missing_and_that_is_said() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.trade("AAPL", "188.55", "40")
        await there.has(1)
        await there.gateway.restart()
        await there.comes_back()
        there.gateway.trade("AAPL", "188.56", "40")
        await there.has(2)
        [words] = there.sink.details(FeedState.GAP)
        assert "may be missing" in words

    tell(story, Plan("trades"))


@pytest.mark.parametrize("is_data_kept", [True, False])
def test_a_broker_that_is_lost_is_told_and_data_comes_again(is_data_kept: bool) -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.lose_broker()
        await until(lambda: there.said()[-1] is FeedState.RETRYING)
        assert "1100" in there.sink.details(FeedState.RETRYING)[0]
        there.gateway.find_broker(is_data_kept=is_data_kept)
        await there.comes_back()
        there.gateway.quote("AAPL", "188.50", "188.60")
        await there.has(1)
        assert there.gateway.asked(1) == (1 if is_data_kept else 2)

    tell(story, Plan("quotes"))


def test_a_bar_is_closed_by_the_gateways_time_and_looked_at_once_more() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.trade("AAPL", "188.50", "100")
        await there.clock.advance(30)
        there.gateway.trade("AAPL", "188.70", "200")
        await there.clock.advance(30.5)
        await asyncio.sleep(0)
        assert there.sink.events == []
        await there.clock.wait_for_sleepers()
        await there.clock.next_wake()
        await there.has(1)
        [bar] = there.sink.events
        assert isinstance(bar, Bar)
        assert (bar.open_units, bar.close_units, bar.volume_units) == (18_850, 18_870, 300)
        assert there.sink.event_times_ns == [START_NS + 60 * NS_PER_SECOND]
        there.gateway.data.correct(there.gateway.desk.listings[0], 1, "188.71")
        there.gateway.trade("AAPL", "188.80", "100")
        while len(there.sink.events) < 2:
            await there.clock.wait_for_sleepers()
            await there.clock.next_wake()
            await asyncio.sleep(0)
        [words] = there.sink.details(FeedState.GAP)
        assert "close 188.7 is now 188.71" in words

    tell(story, Plan("bars"))


def test_a_question_for_bars_that_comes_too_soon_is_asked_again_later() -> None:
    async def story(there: There) -> None:
        await until(lambda: FeedState.RETRYING in there.said())
        await there.comes_back()
        assert there.clock.now_ns() - START_NS >= 15 * NS_PER_SECOND

    async def paced(there: There) -> None:
        there.gateway.data.words_next = "Historical data request pacing violation"
        await story(there)

    tell(paced, Plan("bars"))


def test_past_bars_come_while_live_data_does() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.trade("AAPL", "188.50", "100")
        await there.clock.wait_for_sleepers()
        await there.clock.advance(62)
        until_ns = START_NS + NS_PER_MINUTE
        [bar] = await there.feed.past_bars("AAPL", "1m", START_NS, until_ns)
        assert bar.close_units == 18_850
        there.gateway.quote("AAPL", "188.50", "188.60")
        await there.has(1)
        assert FeedState.RETRYING not in there.said()

    tell(story, Plan("quotes"))


def test_a_future_is_found_by_its_expiry_and_its_terms_are_compared() -> None:
    terms: dict[str, Any] = {"tick": "0.25", "lot": "1", "quote": "USD", "settlement": "margin"}
    name = "FUT:ES:CME:USD:20261218"

    async def story(there: There) -> None:
        await until(lambda: FeedState.LIVE in there.said("ES"))
        there.gateway.quote("ES", "5000.25", "5000.50")
        await there.has(1)
        [quote] = there.sink.events
        assert isinstance(quote, Quote)
        assert quote.instrument.price_text(quote.bid_units) == "5000.25"

    good = instrument("ES", **terms, multiplier="50")
    tell(story, Plan("quotes"), traded=good, name=name, listings=(FUTURE, TESLA))

    async def never(there: There) -> None:
        await until(there.running.done)
        assert FeedState.CLOSED in there.said("ES")

    bad = instrument("ES", **terms)
    with pytest.raises(FeedFailedError, match=r'set instruments\.ES\.multiplier = "50"'):
        tell(never, Plan("quotes"), traded=bad, name=name, listings=(FUTURE, TESLA))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan("depth"), "kind is one of"),
        (Plan("bars", "7m"), "interval is one of"),
        (Plan("quotes", source="iex"), '"delayed" or empty'),
        (Plan("bars", source="delayed"), "quotes only"),
    ],
)
def test_what_a_gateway_does_not_have_is_refused(plan: Plan, words: str) -> None:
    markets = {"AAPL": IbMarket(share(), "AAPL")}
    with pytest.raises(ValueError, match=words):
        IbFeed(markets, ManualClock(), Random(1), Address("127.0.0.1", 1, 2), plan)


def test_a_volume_that_is_not_known_is_unknown() -> None:
    async def story(there: There) -> None:
        await there.live()
        there.gateway.trade("AAPL", "188.50", "100")
        bars = there.gateway.data._bars
        there.gateway.data._bars = lambda *terms: ([*b[:5], "-1", *b[6:]] for b in bars(*terms))  # type: ignore[method-assign]
        await there.clock.wait_for_sleepers()
        await there.clock.advance(62)
        await there.has(1)
        [bar] = there.sink.events
        assert isinstance(bar, Bar)
        assert bar.volume_units == SIZE_UNKNOWN

    tell(story, Plan("bars"))
