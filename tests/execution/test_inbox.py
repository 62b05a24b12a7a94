"""The inbox: bounded for the market, open for reports, in order of time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from link_helpers import coin, rest, run

from logos.core.messages import (
    Event,
    FeedOffset,
    Lag,
    MarketEvent,
    Quote,
    ReceivedSignal,
    Report,
    TimePassed,
)
from logos.core.types import ReportKind
from logos.execution.incoming.inbox import Inbox
from logos.feeds.contract import FeedNews, FeedState
from logos.testing.builders import trade

COIN, OTHER = coin(), coin("OTHER")


def inbox(size: int = 3, stale_after_ns: Mapping[str, int] | None = None) -> Inbox:
    return Inbox(size, stale_after_ns or {}, lambda _news: None)


def quote(ts_ns: int, symbol: str = "COIN", bid: int = 100) -> Quote:
    instrument = COIN if symbol == "COIN" else OTHER
    return Quote(ts_ns, symbol, bid, bid + 1, -1, -1, instrument)


def offer(box: Inbox, event: MarketEvent, age_ns: int = 0) -> bool:
    return box.market(event, event.ts_ns - age_ns)


def taken(box: Inbox) -> list[Event]:
    """What waits, without waiting."""
    events, arrived_ns = run(box.take())
    assert len(events) == len(arrived_ns)
    assert arrived_ns == sorted(arrived_ns)
    return list(events)


def said(ts_ns: int) -> Report:
    return Report(ts_ns, ReportKind.ACCEPTED, "test-1")


def test_events_come_out_in_the_order_in_which_they_went_in() -> None:
    box = inbox(10)
    events: list[Event] = [quote(1), said(1), quote(2, "OTHER"), TimePassed(3), quote(3)]
    for event in events:
        if isinstance(event, Quote):
            assert offer(box, event)
        else:
            assert isinstance(event, Report | TimePassed)
            box.put(event)
    assert taken(box) == events


def test_a_full_inbox_refuses_market_data_of_which_nothing_waits() -> None:
    box = inbox(2)
    assert offer(box, quote(1))
    assert offer(box, trade(COIN, 2, "1"))
    assert not offer(box, trade(COIN, 3, "1"))
    assert not offer(box, quote(3, "OTHER"))
    assert len(box) == 2
    assert box.market_count == 2


def test_a_full_inbox_lets_go_of_the_older_quote_of_the_same_symbol_and_counts_it() -> None:
    box = inbox(2)
    offer(box, quote(1))
    offer(box, trade(COIN, 2, "1"))
    assert offer(box, quote(3))
    assert (len(box), box.conflated) == (2, 1)
    assert taken(box) == [trade(COIN, 2, "1"), quote(3)]


def test_a_quote_is_conflated_only_when_there_is_no_room() -> None:
    box = inbox(5)
    for ts_ns in range(1, 6):
        offer(box, quote(ts_ns))
    assert box.conflated == 0
    assert len(taken(box)) == 5


def test_trades_are_never_conflated() -> None:
    box = inbox(1)
    assert offer(box, trade(COIN, 1, "1"))
    assert not offer(box, trade(COIN, 2, "1"))
    assert not offer(box, quote(3)), "a quote does not take a trade's place"


def test_reports_and_time_are_taken_however_full_it_is() -> None:
    box = inbox(1)
    offer(box, quote(1))
    for ts_ns in range(2, 50):
        box.put(said(ts_ns))
        box.put(TimePassed(ts_ns))
    assert len(box) == 97
    assert sum(isinstance(event, Report) for event in taken(box)) == 48


def test_what_waits_stays_bounded_however_many_quotes_come() -> None:
    box = inbox(4, {"COIN": 10})
    for ts_ns in range(1, 5_000):
        offer(box, quote(ts_ns, "COIN" if ts_ns % 3 else "OTHER"), age_ns=100)
    assert len(box) <= 12
    assert len(box._events) <= 50, "what was let go is not kept"
    assert taken(box)[-1].ts_ns >= 4_998


def test_a_feed_that_waits_for_room_gets_it_when_the_core_has_taken() -> None:
    async def body() -> None:
        box = inbox(1)
        offer(box, trade(COIN, 1, "1"))
        waiting = asyncio.create_task(box.room())
        await rest()
        assert not waiting.done()
        await box.take()
        await rest()
        assert waiting.done()
        assert offer(box, trade(COIN, 2, "1"))

    run(body())


def test_old_data_is_announced_before_it_with_its_age_and_fresh_data_ends_that() -> None:
    box = inbox(20, {"COIN": 1_000})
    offer(box, quote(5_000), age_ns=1_000)
    offer(box, quote(6_000), age_ns=1_001)
    offer(box, quote(7_000), age_ns=2_000)
    offer(box, quote(7_000, "OTHER"), age_ns=9_000)
    offer(box, quote(8_000), age_ns=10)
    offer(box, quote(9_000), age_ns=10)
    assert taken(box) == [
        quote(5_000),
        Lag(6_000, "COIN", 1_001),
        quote(6_000),
        Lag(7_000, "COIN", 2_000),
        quote(7_000),
        quote(7_000, "OTHER"),
        Lag(8_000, "COIN", 0),
        quote(8_000),
        quote(9_000),
    ]


def test_a_conflated_quote_takes_its_announcement_with_it_only_if_there_is_a_newer_one() -> None:
    box = inbox(2, {"COIN": 1_000})
    offer(box, quote(5_000), age_ns=2_000)
    offer(box, quote(6_000), age_ns=3_000)
    assert taken(box) == [Lag(6_000, "COIN", 3_000), quote(6_000)]
    offer(box, quote(7_000), age_ns=10)
    offer(box, quote(8_000), age_ns=10)
    assert taken(box) == [Lag(7_000, "COIN", 0), quote(8_000)]


def test_an_event_that_had_to_wait_outside_is_seen_when_it_comes_in_and_is_older_by_that() -> None:
    box = inbox(20, {"COIN": 1_000})
    box.put(TimePassed(5_000))
    offer(box, quote(4_500), age_ns=700)
    assert taken(box) == [TimePassed(5_000), Lag(5_000, "COIN", 1_200), quote(5_000)]


def test_nothing_comes_out_older_than_what_came_before_it() -> None:
    box = inbox(20)
    offer(box, quote(9_000))
    box.put(said(8_000))
    box.put(TimePassed(8_500))
    assert [event.ts_ns for event in taken(box)] == [9_000, 9_000, 9_000]


def test_a_session_that_goes_on_sees_nothing_older_than_its_past() -> None:
    box = inbox(20)
    box.go_on_from(10_000)
    box.put(said(9_000))
    offer(box, quote(9_500))
    assert [event.ts_ns for event in taken(box)] == [10_000, 10_000]


@pytest.mark.long
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["quote", "trade", "report"]),
            st.sampled_from(["COIN", "OTHER"]),
            st.integers(-50, 100),
            st.integers(0, 3_000),
        ),
        max_size=60,
    ),
    st.integers(1, 5),
)
def test_time_never_runs_back_and_only_quotes_with_a_successor_are_missing(
    steps: list[tuple[str, str, int, int]], size: int
) -> None:
    box = inbox(size, {"COIN": 1_000})
    accepted: list[tuple[str, str]] = []
    now_ns = 10_000
    for number, (kind, symbol, delta_ns, age_ns) in enumerate(steps):
        now_ns += delta_ns
        if kind == "report":
            box.put(Report(now_ns, ReportKind.ACCEPTED, f"{number}"))
            accepted.append(("report", f"{number}"))
            continue
        bid = number + 1
        event: MarketEvent = quote(now_ns, symbol, bid)
        if kind == "trade":
            event = trade(COIN if symbol == "COIN" else OTHER, now_ns, f"{bid}")
        if offer(box, event, age_ns):
            accepted.append((kind, f"{symbol} {bid}"))
    if not accepted:
        return
    events = taken(box)
    assert [event.ts_ns for event in events] == sorted(event.ts_ns for event in events)
    out = [_name(event) for event in events if not isinstance(event, Lag)]
    missing = [each for each in accepted if each not in out]
    assert [each for each in accepted if each in out] == out
    assert len(missing) == box.conflated
    for kind, name in missing:
        assert kind == "quote"
        later = accepted[accepted.index((kind, name)) + 1 :]
        assert any(k == "quote" and n.split()[0] == name.split()[0] for k, n in later)


def _name(event: Event) -> tuple[str, str]:
    if isinstance(event, Report):
        return "report", event.client_order_id
    if isinstance(event, Quote):
        return "quote", f"{event.symbol} {event.bid_units}"
    assert not isinstance(event, TimePassed | Lag)
    return "trade", f"{event.symbol} {event.price_units // 100}"  # type: ignore[union-attr]


def test_take_waits_for_the_first_event() -> None:
    async def body() -> None:
        box = inbox()
        taking = asyncio.create_task(box.take())
        await rest()
        assert not taking.done()
        offer(box, quote(1))
        events, _ = await taking
        assert events == [quote(1)]

    run(body())


@pytest.mark.parametrize("is_waiting", [True, False], ids=["while it waits", "before it waits"])
def test_a_wake_lets_take_return_with_nothing(is_waiting: bool) -> None:
    async def body() -> None:
        box = inbox()
        taking = asyncio.create_task(box.take()) if is_waiting else None
        await rest()
        box.wake()
        events, _ = await (taking or box.take())
        assert events == []
        again = asyncio.create_task(box.take())
        await rest()
        assert not again.done(), "one wake is one return"
        again.cancel()

    run(body())


def test_a_take_that_was_cancelled_loses_nothing() -> None:
    async def body() -> None:
        box = inbox()
        taking = asyncio.create_task(box.take())
        await rest()
        taking.cancel()
        await rest()
        offer(box, quote(1))
        assert (await box.take())[0] == [quote(1)]

    run(body())


def test_the_peak_is_the_most_that_ever_waited() -> None:
    box = inbox(5)
    for ts_ns in (1, 2, 3):
        offer(box, quote(ts_ns))
    taken(box)
    offer(box, quote(4))
    taken(box)
    assert box.peak == 3
    assert box.last_market_ns == 4


def test_news_is_passed_on_at_once() -> None:
    heard: list[FeedNews] = []
    box = Inbox(1, {}, heard.append)
    news = FeedNews(1, "feed", "COIN", FeedState.GAP, "missed two")
    box.news(news)
    assert heard == [news]
    assert len(box) == 0


def test_how_far_a_source_was_read_comes_in_the_batch_of_what_was_read() -> None:
    box = inbox(10)
    assert offer(box, quote(5))
    box.read_up_to("t/0", 7)
    assert offer(box, quote(6))
    box.read_up_to("t/0", 8)
    box.read_up_to("u/0", 0)
    assert taken(box) == [quote(5), quote(6), FeedOffset(6, "t/0", 8), FeedOffset(6, "u/0", 0)]
    box.put(TimePassed(9))
    assert taken(box) == [TimePassed(9)]
    assert box.offset_of("t/0") == 8
    assert box.offset_of("other/0") is None


def test_a_message_that_gave_no_event_wakes_the_session_too() -> None:
    box = inbox()
    box.read_up_to("t/0", 0)
    assert taken(box) == [FeedOffset(0, "t/0", 0)]


def test_signals_come_behind_the_market_data_of_their_batch_and_none_is_dropped() -> None:
    box = inbox(2)
    signals = [ReceivedSignal(ts_ns, "COIN", "target", str(ts_ns)) for ts_ns in (1, 2, 3)]
    assert box.signal(signals[0])
    assert box.signal(signals[1])
    assert not box.signal(signals[2])
    assert offer(box, quote(2))
    assert len(box) == 3
    assert taken(box) == [quote(2), msgspec.structs.replace(signals[0], ts_ns=2), signals[1]]
    assert box.signal(signals[2])
    assert taken(box) == [signals[2]]
