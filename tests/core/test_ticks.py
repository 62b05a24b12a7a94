"""The paper market on quotes and trades: standing prices, sizes, latency, several symbols.

A script is `time: what is shown`, a quote as `bid/ask`, with sizes `bid/ask bidsize/asksize`; the
answers are given by the number of the event. A fill is `order:quantity@price liquidity @time`.
"""

from __future__ import annotations

from typing import Any

import pytest

from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.records import OrderUpdate, Record
from logos.core.strategy import Answer, Cancel, Replace, limit, market, stop, stop_limit
from logos.core.types import Code, FillRule, OrderStatus, Side, TimeInForce
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    run,
    trade,
    trading_core,
)

COIN = instrument("COIN", tick="0.01", lot="0.1", quote="USD")
OTHER = instrument("OTHER", tick="0.01", lot="0.1", quote="USD")
BUY = Side.BUY
SELL = Side.SELL


def told(records: list[Record]) -> str:
    return ", ".join(
        f"{f.order_id}:{f.quantity.normalize():f}@{f.price.normalize():f} {f.liquidity.value[0]} "
        f"@{f.ts_ns}"
        for f in fills_in(records)
    )


def shown(script: str) -> list[Event]:
    events: list[Event] = []
    for part in script.split(", "):
        time, _, what = part.partition(": ")
        prices, _, sizes = what.partition(" ")
        if "/" not in prices:
            events.append(trade(COIN, int(time), prices, sizes or None))
            continue
        bid, ask = prices.split("/")
        bid_size, ask_size = sizes.split("/") if sizes else (None, None)
        events.append(quote(COIN, int(time), bid, ask, bid_size, ask_size))
    return events


def after(answers: dict[int, Answer], script: str, **rules: Any) -> list[Record]:
    core = trading_core(Scripted(answers), COIN, borrow={"COIN": "99"}, rules=paper_rules(**rules))
    return run(core, shown(script))


AT_ONCE: dict[str, Any] = {"fill_rule": FillRule.BID_ASK}
HALF: dict[str, Any] = {"participation": "0.5"}

QUOTES: list[tuple[str, dict[int, Answer], str, str, dict[str, Any]]] = [
    ("at the next quote", {1: market(BUY, 1)}, "1: 99/101, 2: 100/102", "1:1@102 T @2", {}),
    ("at this quote", {1: market(BUY, 1)}, "1: 99/101, 2: 100/102", "1:1@101 T @1", AT_ONCE),
    ("a sale meets the bid", {1: market(SELL, 1)}, "1: 99/101, 2: 98/100", "1:1@98 T @2", {}),
    (
        "a resting limit fills at its limit, as maker, though the quote jumped past it",
        {1: limit(BUY, 1, 98)},
        "1: 99/101, 2: 99/100, 3: 90/91",
        "1:1@98 M @3",
        {},
    ),
    (
        "a limit that is good on arrival takes what stands",
        {1: limit(BUY, 1, 105)},
        "1: 99/101, 2: 99/100",
        "1:1@100 T @2",
        {},
    ),
    (
        "an offer that rests likewise",
        {1: limit(SELL, 1, 102)},
        "1: 99/101, 2: 109/110",
        "1:1@102 M @2",
        AT_ONCE,
    ),
    (
        "a stop fills at what stands when it is touched",
        {1: stop(BUY, 1, 103)},
        "1: 99/101, 2: 101/102, 3: 104/105",
        "1:1@105 T @3",
        {},
    ),
    (
        "a stop-limit that was jumped rests as a limit",
        {1: stop_limit(BUY, 1, 103, 104)},
        "1: 99/101, 2: 104/105, 3: 102/103",
        "1:1@104 M @3",
        {},
    ),
    (
        "buys take the ask's size, sales the bid's",
        {1: [market(BUY, 3), market(SELL, 3)]},
        "1: 99/101 9/9, 2: 99/101 4/2, 3: 98/102 4/2, 4: 97/103 4/2",
        "1:1@101 T @2, 2:2@99 T @2, 1:1@102 T @3, 2:1@98 T @3, 1:1@103 T @4",
        HALF,
    ),
    (
        "what was taken at once is gone for the rest of the quote",
        {1: [market(BUY, 2), market(BUY, 2)]},
        "1: 99/101 6/6, 2: 99/102 6/6",
        "1:2@101 T @1, 2:1@101 T @1, 2:1@102 T @2",
        {**HALF, **AT_ONCE},
    ),
    (
        "a crossed quote fills nothing and moves no price",
        {1: market(BUY, 1)},
        "1: 99/101, 2: 105/104, 3: 100/102",
        "1:1@102 T @3",
        {},
    ),
    ("a trade fills", {1: market(BUY, 1)}, "1: 100, 2: 103", "1:1@103 T @2", {}),
    (
        "a trade through a resting limit fills it at the limit",
        {1: limit(BUY, 1, 98)},
        "1: 100, 2: 99, 3: 95",
        "1:1@98 M @3",
        {},
    ),
    (
        "a trade's size is shared by both sides",
        {1: [market(BUY, 1), market(SELL, 1)]},
        "1: 100 9, 2: 101 3, 3: 102 9",
        "1:1@101 T @2, 2:0.5@101 T @2, 2:0.5@102 T @3",
        HALF,
    ),
    (
        "once there are quotes, trades fill nothing",
        {1: market(BUY, 1)},
        "1: 99/101, 2: 95, 3: 99/102",
        "1:1@102 T @3",
        {},
    ),
    (
        "an IOC order lives for one look",
        {1: limit(BUY, 1, 100, time_in_force=TimeInForce.IOC)},
        "1: 99/101, 2: 99/101, 3: 90/91",
        "",
        {},
    ),
    # latency: what was decided at t is at the market at t + 10
    (
        "an order works on nothing that began before it arrived",
        {1: market(BUY, 1)},
        "0: 99/101, 9: 99/102, 10: 99/103, 11: 99/104",
        "1:1@103 T @10",
        {"latency_ns": 10},
    ),
    (
        "a fill before the cancel arrives stands",
        {1: limit(BUY, 1, 98), 3: Cancel(order_id=1)},
        "0: 99/101, 12: 99/101, 13: 99/101, 22: 90/91, 23: 90/91",
        "1:1@98 M @22",
        {"latency_ns": 10},
    ),
    (
        "a cancel that has arrived wins over a fill of the same moment",
        {1: limit(BUY, 1, 98), 3: Cancel(order_id=1)},
        "0: 99/101, 12: 99/101, 13: 99/101, 23: 90/91",
        "",
        {"latency_ns": 10},
    ),
    (
        "asking again does not put off a cancel",
        {1: limit(BUY, 1, 98), **dict.fromkeys(range(2, 9), Cancel(order_id=1))},
        "0: 99/101, 12: 99/101, 16: 99/101, 20: 99/101, 24: 90/91, 28: 90/91",
        "",
        {"latency_ns": 10},
    ),
    (
        "the successor arrives one latency after the cancel was seen",
        {1: limit(BUY, 1, 98, tag="a"), 2: Replace(tag="a", limit_price=95)},
        "0: 99/101, 12: 99/101, 22: 96/97, 31: 90/91, 33: 99/100, 34: 93/94",
        "2:1@95 M @34",
        {"latency_ns": 10},
    ),
    (
        "an immediate rule with latency waits all the same",
        {1: market(BUY, 1)},
        "0: 99/101, 9: 99/102, 11: 99/103",
        "1:1@103 T @11",
        {"latency_ns": 10, **AT_ONCE},
    ),
]


@pytest.mark.parametrize(
    ("answers", "script", "fills", "rules"), [c[1:] for c in QUOTES], ids=[c[0] for c in QUOTES]
)
def test_ticks(answers: dict[int, Answer], script: str, fills: str, rules: dict[str, Any]) -> None:
    assert told(after(answers, script, **rules)) == fills


def test_a_partial_fill_releases_its_part_of_the_lock_and_no_more() -> None:
    answers: dict[int, Answer] = {1: [limit(BUY, 4, 102), limit(SELL, 4, 98)]}
    core = trading_core(
        Scripted(answers), COIN, borrow={"COIN": "99"}, rules=paper_rules(participation="0.5")
    )
    core.start(1)
    usd, coin = (wallet for wallet in core.order_manager.account.wallets)
    seen = []
    for event in shown("1: 99/101 2/6, 2: 99/101 2/6, 3: 99/101 2/6, 4: 99/101 9/9"):
        core.step(event)
        seen.append((usd.locked // 10**usd.decimals, coin.locked // 10**coin.decimals))
    # 102 for each of the 4 to buy; then 3 are bought and 1 sold, and so on.
    assert seen == [(408, 4), (102, 3), (0, 2), (0, 0)]


def test_a_replacement_without_latency_takes_effect_at_once() -> None:
    answers: dict[int, Answer] = {
        1: limit(BUY, 5, 98, tag="a"),
        2: Replace(tag="a", quantity=3, limit_price="98.5"),
    }
    records = after(answers, "1: 99/101, 2: 99/101, 3: 97/98.4, 4: 97/98.4")
    assert told(records) == "2:3@98.4 T @3"
    assert ends_in(records) == {1: "CANCELLED REPLACED", 2: "FILLED"}
    assert [order.tag for order in orders_in(records)] == ["a", "a"]


def test_a_replacement_that_lost_its_race_sends_nothing() -> None:
    answers: dict[int, Answer] = {1: limit(BUY, 1, 98), 2: Replace(order_id=1, limit_price=99)}
    records = after(answers, "0: 99/101, 12: 99/101, 15: 90/91, 30: 90/91", latency_ns=10)
    assert ends_in(records) == {1: "FILLED"}
    assert len(orders_in(records)) == 1


def test_a_replacement_below_what_is_filled_leaves_no_order() -> None:
    answers: dict[int, Answer] = {1: market(BUY, 5, tag="a"), 2: Replace(tag="a", quantity=1)}
    records = after(answers, "1: 99/101 4/4, 2: 99/101 4/4, 3: 99/101 4/4", **HALF)
    assert ends_in(records) == {1: "CANCELLED REPLACED"}
    assert refusals_in(records) == [Code.NEGATIVE_QUANTITY]


@pytest.mark.parametrize(
    "answer", [Cancel(order_id=7), Cancel(tag="x"), Cancel(), Replace(tag="x")]
)
def test_what_is_not_open_cannot_be_cancelled(answer: Answer) -> None:
    assert refusals_in(after({1: answer}, "1: 99/101")) == [Code.UNKNOWN_ORDER]


# ---- several symbols ----


def on_both(answers: dict[int, Answer], events: list[Event], **rules: Any) -> list[Record]:
    core = trading_core(
        Scripted(answers), COIN, OTHER, borrow={"COIN": "99"}, rules=paper_rules(**rules)
    )
    return run(core, events)


def test_an_order_given_on_another_symbols_event_meets_its_own_market_only() -> None:
    events: list[Event] = [
        quote(COIN, 1, "99", "101"),
        quote(OTHER, 2, "49", "51"),
        quote(OTHER, 3, "39", "41"),
        quote(COIN, 4, "98", "102"),
    ]
    answers: dict[int, Answer] = {2: market(BUY, 1, symbol="COIN")}
    assert told(on_both(answers, events)) == "1:1@102 T @4"
    assert told(on_both(answers, events, **AT_ONCE)) == "1:1@101 T @2"


def test_no_order_fills_on_a_bar_that_was_already_running() -> None:
    """OTHER closes first; what it decides for COIN must not fill at COIN's earlier open."""
    minute = 60_000_000_000
    events: list[Event] = [
        bar(COIN, 1, "100 100 100 100"),
        bar(OTHER, 2, "50 50 50 50"),
        bar(COIN, 2, "90 90 90 90"),
        bar(COIN, 3, "110 110 110 110"),
    ]
    answers: dict[int, Answer] = {2: market(BUY, 1, symbol="COIN")}
    assert told(on_both(answers, events)) == f"1:1@110 T @{3 * minute}"


def test_a_tag_is_looked_for_in_the_events_own_symbol_first() -> None:
    events: list[Event] = [
        quote(COIN, 1, "99", "101"),
        quote(OTHER, 2, "49", "51"),
        quote(OTHER, 3, "49", "51"),
        quote(OTHER, 4, "49", "51"),
    ]
    answers: dict[int, Answer] = {
        1: limit(BUY, 1, 90, tag="t"),
        2: limit(BUY, 1, 40, tag="t"),
        3: Cancel(tag="t"),
        4: Cancel(tag="t"),
    }
    ended = [
        (each.order_id, each.reason)
        for each in on_both(answers, events)
        if isinstance(each, OrderUpdate) and each.status is OrderStatus.CANCELLED
    ]
    assert ended == [(2, "CANCELLED_BY_STRATEGY"), (1, "CANCELLED_BY_STRATEGY")]
