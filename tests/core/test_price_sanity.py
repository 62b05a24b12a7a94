"""Nothing fills at a price that is no market: spread, jump, bad highs and lows, old prices, hours.

A script is `time: what is shown` (seconds), a quote as `bid/ask`, a bar as four prices, a two-sided
bar as `bids | asks`. A warning is written as `CODE words`.
"""

from __future__ import annotations

from typing import Any

import pytest

from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument, rate_units
from logos.core.messages import Event, TimePassed, UnpauseSymbol
from logos.core.prices.watch import PriceWatch, split_between
from logos.core.records import GuardRecord, Record, WarningRecord
from logos.core.strategy import Answer, limit, market, stop, stop_limit
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, Code, FillRule, Side
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fills_in,
    paper_rules,
    quote,
    quote_bar,
    refusals_in,
    run,
    trade,
    trading_core,
)

COIN = instrument("COIN", tick="0.01", lot="1", quote="USD")
OTHER = instrument("OTHER", tick="0.01", lot="1", quote="USD")
BUY = Side.BUY
SELL = Side.SELL
S = NS_PER_SECOND


def quotes(*prices: str, of: Instrument = COIN) -> list[Event]:
    """`bid/ask` (or one price: a print), one each second, or at `@second`."""
    events: list[Event] = []
    for number, text in enumerate(prices, start=1):
        shown, _, at = text.partition("@")
        bid, slash, ask = shown.partition("/")
        ts_ns = int(at or number) * S
        events.append(quote(of, ts_ns, bid, ask) if slash else trade(of, ts_ns, bid))
    return events


def bars(*shown: str, interval_ns: int = 60 * S) -> list[Event]:
    """`open high low close`, or with `|` both sides; one after the other."""
    found: list[Event] = []
    for number, text in enumerate(shown, start=1):
        bids, both, asks = text.partition("|")
        if both:
            found.append(quote_bar(COIN, number, bids, asks, interval_ns=interval_ns))
        else:
            found.append(bar(COIN, number, text, interval_ns=interval_ns))
    return found


def watched(
    strategy: Scripted,
    band: str = "0.2",
    stale_fill_ns: int = 0,
    stops_at_splits: bool = False,
    **settings: Any,
) -> TradingCore:
    """A core of COIN and OTHER whose prices are held against `band`."""
    core = trading_core(strategy, COIN, OTHER, **settings)
    for state in core.order_manager.states.values():
        state.watch = PriceWatch(1, rate_units(band), stale_fill_ns, 0, stops_at_splits)
    return core


def after(answers: dict[int, Answer], events: list[Event], **settings: Any) -> list[Record]:
    return run(watched(Scripted(answers), borrow={"COIN": "1000"}, **settings), events)


def filled(records: list[Record]) -> list[str]:
    return [f"{each.order_id}:{each.price.normalize():f}" for each in fills_in(records)]


def warned(records: list[Record]) -> list[str]:
    found = [each for each in records if isinstance(each, WarningRecord)]
    return [f"{each.code} {each.detail}" for each in found if each.code != "TARGET_NOT_REACHED"]


def codes(records: list[Record]) -> list[str]:
    return [each.partition(" ")[0] for each in warned(records)]


HELD = "FILL_HELD_BACK"
DOUBTED = "PRICE_DOUBTED"
WIDE = "bid and ask are further apart than the band of 0.2"
FAR = "it is further than the band of 0.2 from the last price"


def test_a_protective_stop_is_not_sold_at_a_stub_bid() -> None:
    records = after(
        {1: market(BUY, 10), 2: stop(SELL, 10, "600")},
        quotes("648/649", "648/649", "1.00/649", "1.00/649", "647/648", "599/600"),
    )
    assert filled(records) == ["1:649", "2:599"]
    assert warned(records) == [f"{DOUBTED} {WIDE}", f"{HELD} order 2 (SELL STOP) waits: {WIDE}"]


def test_a_position_is_not_valued_at_a_stub_bid() -> None:
    records = after(
        {1: market(BUY, 10)},
        quotes("648/649", "648/649", "1.00/649"),
        max_drawdown="100",
        cash={"USD": "10000"},
    )
    assert not [each for each in records if isinstance(each, GuardRecord)]


@pytest.mark.parametrize("shown", ["80/90", "90"])
def test_a_single_price_that_jumped_fills_nothing_and_the_next_that_agrees_does(shown: str) -> None:
    like = "120/121" if "/" in shown else "120"
    records = after(
        {1: limit(BUY, 1, "95"), 2: stop(SELL, 1, "100")},
        quotes(like, like, shown, like, shown, shown),
    )
    price = shown.split("/")[-1]
    # One bad price is held back; a jump that stays is the market, one event later.
    assert filled(records) == [f"1:{'95'}", f"2:{shown.split('/')[0]}"], price
    assert codes(records) == [DOUBTED, HELD, HELD, HELD, HELD]


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (market(BUY, 1), "1:101"),
        (limit(BUY, 1, "150"), "1:101"),
        (stop(BUY, 1, "101"), "1:101"),
        (stop_limit(BUY, 1, "101", "160"), "1:101"),
        (limit(SELL, 1, "20"), "1:100"),
        (stop(SELL, 1, "100"), "1:100"),
    ],
)
def test_every_kind_of_order_waits_for_a_price_that_counts(order: Answer, price: str) -> None:
    records = after({1: order}, quotes("100/101", "30/101", "100/101"))
    assert filled(records) == [price]
    assert codes(records) == [DOUBTED, HELD]


def test_an_order_that_the_price_would_not_have_filled_is_not_said_to_wait() -> None:
    records = after({1: limit(BUY, 1, "90")}, quotes("100/101", "30/101", "100/101"))
    assert codes(records) == [DOUBTED]


def test_an_order_is_said_to_wait_once_in_each_episode() -> None:
    stub, good = "30/101", "100/101"
    records = after({1: stop(SELL, 1, "90")}, quotes(good, stub, stub, stub, good, stub, good))
    assert codes(records) == [DOUBTED, HELD, HELD]


def test_a_spread_of_the_whole_band_is_a_market_and_a_cent_more_is_none() -> None:
    assert filled(after({1: market(SELL, 1)}, quotes("80/100", "80/100"))) == ["1:80"]
    assert filled(after({1: market(SELL, 1)}, quotes("80/100", "79.99/100", "80/100@9"))) == [
        "1:80"
    ]
    cheap = quotes("0.02/0.03", "0.01/0.03")
    assert filled(after({1: market(SELL, 1)}, cheap)) == ["1:0.01"]  # two ticks are near always


def test_without_a_band_every_price_that_is_one_fills() -> None:
    records = after({1: stop(SELL, 1, "90")}, quotes("100/101", "1/101"), band="0")
    assert filled(records) == ["1:1"]
    assert warned(records) == []


def test_a_jump_through_small_steps_is_a_market() -> None:
    shown = [f"{price}/{price + 1}" for price in range(100, 40, -5)]
    records = after({1: stop(SELL, 1, "61")}, quotes(*shown))
    assert filled(records) == ["1:60"]
    assert warned(records) == []


# ---- bars ----


def test_a_bad_low_of_a_bar_fills_nothing_and_its_other_prices_do() -> None:
    records = after(
        {1: stop(SELL, 1, "90"), 2: limit(BUY, 1, "70"), 3: stop(BUY, 1, "102")},
        bars("100 101 99 100", "100 101 99 100", "100 101 1 100", "100 103 99 100"),
    )
    assert filled(records) == ["3:102"]
    words = "a low of 1.00 is further than the band from open and close"
    assert warned(records) == [
        f"{HELD} order 2 (BUY LIMIT) waits: {words}",
        f"{HELD} order 1 (SELL STOP) waits: {words}",
    ]


def test_a_bar_that_opens_far_away_counts_when_its_close_agrees() -> None:
    records = after({1: stop(SELL, 1, "90")}, bars("100 101 99 100", "70 72 68 71"))
    assert filled(records) == ["1:70"]
    assert warned(records) == []


def test_a_bar_that_agrees_with_nothing_waits_for_the_next() -> None:
    records = after({1: stop(SELL, 1, "90")}, bars("100 101 99 100", "70 70 40 40", "41 42 40 41"))
    assert filled(records) == ["1:41"]
    assert warned(records) == [f"{DOUBTED} {FAR}", f"{HELD} order 1 (SELL STOP) waits: {FAR}"]


def test_a_bad_ask_low_below_every_bid_fills_no_buy_limit() -> None:
    good = "100 102 99 100 | 101 103 100 101"
    records = after(
        {1: limit(BUY, 1, "98"), 2: limit(SELL, 1, "103.5")},
        bars(good, good, "100 102 99 100 | 101 103 97 101", "100 104 99 100 | 101 103 100 101"),
    )
    assert filled(records) == []
    assert warned(records) == [
        f"{HELD} order 1 (BUY LIMIT) waits: a low of 97.00 is crossed by the other side's",
        f"{HELD} order 2 (SELL LIMIT) waits: a high of 104.00 is crossed by the other side's",
    ]


def test_a_two_sided_bar_whose_sides_touch_is_a_market() -> None:
    records = after(
        {1: limit(BUY, 1, "99")},
        bars("100 102 99 100 | 101 103 100 101", "100 102 99 100 | 101 103 99 101"),
    )
    assert filled(records) == ["1:99"]


# ---- old prices and none ----


@pytest.mark.parametrize("rule", [FillRule.DECISION_CLOSE, FillRule.BID_ASK])
def test_nothing_fills_at_the_last_price_when_the_event_itself_shows_none(rule: FillRule) -> None:
    records = after(
        {2: market(BUY, 1)},
        quotes("100/101", "105/104", "102/103"),
        band="0",
        rules=paper_rules(rule),
    )
    assert filled(records) == ["1:103"]
    why = "the latest event's price was crossed or not positive"
    assert f"{HELD} order 1 (BUY MARKET) waits: {why}" in warned(records)


@pytest.mark.parametrize("rule", [FillRule.DECISION_CLOSE, FillRule.BID_ASK])
def test_nothing_fills_at_a_price_older_than_the_limit(rule: FillRule) -> None:
    ask: dict[int, Answer] = {2: market(BUY, 1, symbol="COIN"), 3: market(BUY, 1, symbol="COIN")}
    events = [
        *quotes("100/101"),
        *quotes("50/51@61", "50/51@62", of=OTHER),
        *quotes("102/103@70"),
    ]
    records = after(ask, events, rules=paper_rules(rule), stale_fill_ns=60 * S)
    assert filled(records) == ["1:101", "2:103"]
    words = "the last price is 61 s old, and stale after 60 s"
    assert warned(records) == [f"{HELD} order 2 (BUY MARKET) waits: {words}"]


def test_an_age_limit_of_bars_grows_with_the_bars() -> None:
    watch = PriceWatch(1, 0, 60 * S, 3)
    watch.interval_ns = 100 * S
    assert watch.age_limit_ns() == 360 * S
    assert PriceWatch(1).age_limit_ns() == 0


# ---- hours ----

HOURLY = instrument("COIN", tick="0.01", lot="1", quote="USD", hours=["mon-fri 13:30-20:00"])
THURSDAY = 0  # the epoch was one


def at(clock: str, day: int = THURSDAY) -> int:
    hour, minute = clock.split(":")
    return day * NS_PER_DAY + (int(hour) * 60 + int(minute)) * 60 * S


def test_resting_orders_fill_nothing_outside_of_the_hours() -> None:
    times = ["19:58", "19:59", "20:00", "21:00"]
    events: list[Event] = [quote(HOURLY, at(clock), "100", "101") for clock in times[:2]]
    events += [quote(HOURLY, at(clock), "80", "81") for clock in times[2:]]
    events += [quote(HOURLY, at("13:29", 1), "80", "81"), quote(HOURLY, at("13:30", 1), "82", "83")]
    core = trading_core(Scripted({1: limit(BUY, 1, "90")}), HOURLY)
    [fill] = fills_in(run(core, events))
    assert (fill.ts_ns, fill.price_units) == (at("13:30", 1), 90_00)


@pytest.mark.parametrize(
    ("opened", "closed", "trades"),
    [
        ("13:00", "13:30", False),
        ("13:00", "13:31", True),
        ("19:59", "20:59", True),
        ("20:00", "21:00", False),
        ("12:00", "22:00", True),
    ],
)
def test_a_bar_fills_when_a_part_of_it_is_within_the_hours(
    opened: str, closed: str, trades: bool
) -> None:
    assert HOURLY.is_open_in(at(opened), at(closed)) is trades
    assert not HOURLY.is_open_in(at("20:00", 1), at("13:30", 4))  # from Friday evening to Monday
    assert HOURLY.is_open_in(at("20:00", 1), at("13:31", 4))


# ---- what looks like a split ----


@pytest.mark.parametrize(
    ("before", "after_", "split"),
    [
        (6300, 3100, (2, 1)),
        (70000, 10000, (7, 1)),
        (300, 201, (3, 2)),
        (300, 100, (3, 1)),
        (100, 1000, (1, 10)),
        (100, 100, None),
        (100, 79, None),
        (1000, 560, None),
    ],
)
def test_the_ratio_of_two_prices_shows_a_split(
    before: int, after_: int, split: tuple[int, int] | None
) -> None:
    assert split_between(before, after_) == split


DAILY = ["63 64 62 63", "31 35.75 31 35.63", "36 37 33 34.5"]


def test_a_jump_like_a_split_stops_the_symbol() -> None:
    records = after(
        {1: [stop(SELL, 10, "50"), market(BUY, 10)], 2: market(BUY, 1)},
        bars(*DAILY, interval_ns=NS_PER_DAY),
        stops_at_splits=True,
    )
    assert filled(records) == []
    assert ends_in(records) == {
        1: "CANCELLED CANCELLED_BY_GUARD",
        2: "CANCELLED CANCELLED_BY_GUARD",
    }
    assert refusals_in(records) == [Code.SYMBOL_PAUSED]
    [words] = warned(records)
    assert words.startswith(
        "SPLIT_SUSPECTED 63.00 was followed by 31.00: it looks like a split of 2 for 1; "
    )


def test_a_held_position_keeps_its_value_when_its_symbol_is_stopped() -> None:
    core = watched(
        Scripted({1: market(BUY, 10)}),
        stops_at_splits=True,
        max_drawdown="100",
        cash={"USD": "1000"},
    )
    records = run(core, bars("63 64 62 63", *DAILY, interval_ns=NS_PER_DAY))
    assert filled(records) == ["1:63"]
    assert not [each for each in records if isinstance(each, GuardRecord)]
    assert core.order_manager.account.ledgers[0].unrealised == 0


def test_a_jump_like_a_split_within_the_day_is_a_jump() -> None:
    records = after(
        {1: stop(SELL, 1, "50")}, quotes("63/64", "31/32", "31/32"), stops_at_splits=True
    )
    assert filled(records) == ["1:31"]


def test_a_jump_like_a_split_after_a_silence_stops_and_one_bad_quote_does_not() -> None:
    shown = ["63/64@1", "31/32@100", "63/64@101", "31/32@200", "31/32@201", "31/32@202"]
    records = after({1: stop(SELL, 1, "50")}, quotes(*shown), stops_at_splits=True)
    assert filled(records) == []
    assert codes(records) == [DOUBTED, HELD, HELD, "SPLIT_SUSPECTED"]


def test_an_operator_lets_a_stopped_symbol_trade_on_at_the_next_price() -> None:
    core = watched(Scripted({3: market(BUY, 1)}), stops_at_splits=True, cash={"USD": "1000"})
    events = bars(*DAILY, "34 35 33 34", interval_ns=NS_PER_DAY)
    operator = UnpauseSymbol(events[1].ts_ns, "the split was checked", "op", "COIN")
    records = run(core, [*events[:2], operator, *events[2:]])
    assert filled(records) == ["1:34"]


def test_a_silent_price_is_not_stale_in_a_symbol_that_is_stopped() -> None:
    core = watched(Scripted(), stops_at_splits=True, stale_after_ns=2 * NS_PER_DAY)
    events: list[Event] = bars(*DAILY, interval_ns=NS_PER_DAY)
    records = run(core, [*events, TimePassed(events[-1].ts_ns + 9 * NS_PER_DAY)])
    assert not [each for each in records if isinstance(each, GuardRecord)]
