"""Brackets: the exits of an entry work from its fill on, for what was filled of it."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_bars import COIN, FLAT, FUTURE, held, lived, rests, sizes

from logos.core.records import RefusalRecord
from logos.core.strategy import Answer, Cancel, Replace, Strategy, limit, market
from logos.core.types import BarPath, Code, FillRule, OrderType, Side, SwitchState
from logos.testing.builders import (
    Scripted,
    ends_in,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    quote_bar,
    refusals_in,
    trade,
    trading_core,
)


def bracket(side: Side = Side.BUY, **options: Any) -> Answer:
    low, high = (95, 105) if side is Side.BUY else (105, 95)
    return market(side, 10, stop_loss=low, take_profit=high, **options)


@pytest.mark.parametrize(
    ("prices", "exit_price"),
    [
        ("100 106 99 100", 10500),
        ("100 101 94 100", 9500),
        ("100 105 94 100", 10500),  # the nearer extreme first: the high, 5 from the open
        ("100 107 94 100", 9500),
        ("93 100 92 100", 9300),  # the stop is touched where the entry fills
    ],
)
def test_the_exits_work_within_the_bar_of_the_entry(prices: str, exit_price: int) -> None:
    core, records = lived({1: bracket()}, FLAT, prices)
    assert [fill.price_units for fill in fills_in(records)][1:] == [exit_price]
    assert (held(core), rests(core)) == (0, [])


def test_a_short_has_its_stop_above() -> None:
    core, records = lived({1: bracket(Side.SELL)}, FLAT, "100 106 99 100", traded=FUTURE)
    assert [fill.price_units for fill in fills_in(records)] == [10000, 10500]
    assert [order.side for order in orders_in(records)[1:]] == [Side.BUY, Side.BUY]
    assert held(core) == 0


@pytest.mark.parametrize(
    ("path", "fills"),
    [
        # Down to 98 first: the entry; then up past 103.
        (BarPath.OPEN_LOW_HIGH_CLOSE, [9800, 10300]),
        # Up first, before there was an entry; then down through 98 to 97: neither exit.
        (BarPath.OPEN_HIGH_LOW_CLOSE, [9800]),
    ],
)
def test_only_what_the_path_has_left_after_the_entry_counts(
    path: BarPath, fills: list[int]
) -> None:
    entry = limit(Side.BUY, 10, 98, stop_loss=96, take_profit=103)
    _, records = lived({1: entry}, FLAT, "100 104 97 100", rules=paper_rules(bar_path=path))
    assert [fill.price_units for fill in fills_in(records)] == fills


def test_an_entry_and_its_stop_on_one_way_down() -> None:
    entry = limit(Side.BUY, 10, 98, stop_loss=96, take_profit=103)
    core, records = lived({1: entry}, FLAT, "100 100 95 104")
    assert [fill.price_units for fill in fills_in(records)] == [9800, 9600]
    assert ends_in(records)[3] == "CANCELLED GROUP_FILLED"
    assert held(core) == 0


def test_on_a_two_sided_bar_the_exits_begin_where_their_own_side_stands() -> None:
    entry = limit(Side.BUY, 10, 99, stop_loss=97, take_profit=105)
    core = trading_core(Scripted({1: entry}), COIN)
    core.start(1)
    core.step(quote_bar(COIN, 1, "99 99 99 99", "101 101 101 101"))
    # Asks fall from 101 to 97, bids from 99 to 95: at the entry (ask 99) the bid is at 97.
    records = core.step(quote_bar(COIN, 2, "99 99 95 99", "101 101 97 101"))
    assert [fill.price_units for fill in fills_in(records)] == [9900, 9700]


def test_a_partial_entry_has_partial_exits_that_grow_with_it() -> None:
    core = trading_core(
        Scripted({1: bracket(tag="in")}), COIN, rules=paper_rules(participation="1")
    )
    records = core.start(1)
    for number, size in enumerate(["10", "4", "3"], 1):
        records += core.step(trade(COIN, number, "100", size))
    assert held(core) == 7
    assert rests(core) == [(OrderType.MARKET, 3), (OrderType.STOP, 7), (OrderType.LIMIT, 7)]
    assert sizes(records) == [(2, 7), (3, 7)]
    records = core.step(trade(COIN, 4, "94", "100"))
    # The older order first: the entry's rest is filled, its exits grow by it, the stop sells all.
    assert (held(core), rests(core)) == (0, [])


def test_the_fill_of_an_exit_cancels_what_is_open_of_its_entry() -> None:
    entry = limit(Side.BUY, 10, 100, stop_loss=95, take_profit=105)
    core = trading_core(Scripted({1: entry}), COIN, rules=paper_rules(participation="1"))
    core.start(1)
    core.step(trade(COIN, 1, "100", "10"))
    core.step(trade(COIN, 2, "100", "4"))
    records = core.step(trade(COIN, 3, "106", "100"))
    assert ends_in(records)[1] == "CANCELLED GROUP_FILLED"
    assert (held(core), rests(core)) == (0, [])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (market(Side.BUY, 1, stop_loss=100), "the stop loss of a buy lies below its entry"),
        (market(Side.SELL, 1, stop_loss=100), "the stop loss of a sale lies above its entry"),
        (limit(Side.BUY, 1, 90, take_profit=90), "the take profit of a buy lies above its entry"),
        (market(Side.SELL, 1, take_profit=101), "the take profit of a sale lies below its entry"),
        (market(Side.BUY, 1, stop_loss=-1), "the stop loss price -1 is not positive"),
    ],
)
def test_exits_on_the_wrong_side_are_refused_with_their_entry(answer: Answer, words: str) -> None:
    _, records = lived({1: answer}, FLAT, traded=FUTURE)
    [refusal] = [each for each in records if isinstance(each, RefusalRecord)]
    assert (refusal.code, refusal.detail) == (Code.INVALID_PRICE, words)
    assert orders_in(records) == []


def test_a_reduce_only_order_has_no_exits_of_its_own() -> None:
    _, records = lived(
        {1: market(Side.BUY, 2), 2: limit(Side.SELL, 1, 101, reduce_only=True, stop_loss=110)},
        FLAT,
        FLAT,
    )
    assert refusals_in(records) == [Code.INVALID_PRICE]


def test_limits_on_the_number_of_orders_do_not_keep_exits_from_a_position() -> None:
    core, records = lived(
        {1: bracket()},
        *[FLAT] * 2,
        max_open_orders=1,
        max_orders=1,
        max_orders_window_ns=100,
        collar="0.01",
    )
    assert refusals_in(records) == []
    assert rests(core) == [(OrderType.STOP, 10), (OrderType.LIMIT, 10)]


def test_exits_are_named_after_their_entry_and_can_be_moved_and_cancelled() -> None:
    script: dict[int, Answer] = {
        1: bracket(tag="in"),
        2: [Replace(tag="in.stop", stop_price=99), Cancel(tag="in.target")],
    }
    core, records = lived(script, FLAT, FLAT, FLAT, "100 110 98 100")
    assert [order.tag for order in orders_in(records)] == ["in", "in.stop", "in.target", "in.stop"]
    assert [fill.price_units for fill in fills_in(records)] == [10000, 9900]
    assert held(core) == 0


def test_a_bracket_group_can_be_joined_while_it_is_open_and_not_made_up() -> None:
    script: dict[int, Answer] = {
        1: bracket(),
        2: limit(Side.SELL, 10, 103, reduce_only=True, group="#1"),
        3: limit(Side.SELL, 10, 103, reduce_only=True, group="#77"),
    }
    core, records = lived(script, *[FLAT] * 3, "100 104 100 100")
    assert refusals_in(records) == [Code.UNKNOWN_GROUP]
    assert (held(core), rests(core)) == (0, [])


def test_exits_live_at_once_where_orders_fill_at_once() -> None:
    core = trading_core(Scripted({1: bracket()}), COIN, rules=paper_rules(FillRule.BID_ASK))
    core.start(1)
    core.step(quote(COIN, 1, "99", "101"))
    assert rests(core) == [(OrderType.STOP, 10), (OrderType.LIMIT, 10)]
    core.step(quote(COIN, 2, "105", "106"))
    assert (held(core), rests(core)) == (0, [])


def test_exits_wait_for_no_latency_of_their_own() -> None:
    rules = paper_rules(latency_ns=5)
    core = trading_core(Scripted({1: bracket()}), COIN, rules=rules)
    core.start(1)
    for number, price in ((1, "100"), (6, "100"), (7, "94")):
        core.step(quote(COIN, number, price, price))
    assert held(core) == 0


def test_an_exit_that_the_kill_switch_refuses_is_recorded_and_the_switch_seen() -> None:
    class Thrown(Strategy):
        def on_quote(self, context: Any, event: Any) -> Answer:
            return bracket()

    class EngagedFromSecondLook:
        """Gate 2 is asked once for the entry; its exits meet an engaged switch."""

        epoch = 0

        flag = bytearray(1)
        looks = 0

        def authority(self) -> SwitchState:
            self.looks += 1
            return SwitchState.SAFE if self.looks == 1 else SwitchState.ENGAGED

        def engage(self, reason: str, by: str) -> None: ...
        def set_reduce_only(self, reason: str, by: str) -> None: ...
        def why(self) -> str:
            return "thrown"

    switch = EngagedFromSecondLook()
    core = trading_core(Thrown(), COIN, rules=paper_rules(FillRule.BID_ASK), switch=switch)
    core.start(1)
    records = core.step(quote(COIN, 1, "99", "101"))
    assert refusals_in(records) == [Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING]
    assert core.is_blocked
    assert (held(core), rests(core)) == (10, [])
