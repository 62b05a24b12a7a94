"""Exits: reduce-only never opens or flips, a group is filled once, a bracket protects at once."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_bars import COIN, FLAT, FUTURE, held, lived, rests, sizes

from logos.core.gates import InProcessSwitch
from logos.core.strategy import Answer, Replace, limit, market, stop, stop_limit
from logos.core.types import Code, OrderType, Side
from logos.errors import StrategyError
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fills_in,
    orders_in,
    paper_rules,
    refusals_in,
    trade,
    trading_core,
)

# ---- reduce-only ----


@pytest.mark.parametrize("traded", [COIN, FUTURE], ids=["spot", "margin"])
def test_a_stop_and_a_target_that_only_reduce_are_one_exit(traded: Any) -> None:
    exits = [
        stop(Side.SELL, 10, 95, reduce_only=True),
        limit(Side.SELL, 10, 105, reduce_only=True),
    ]
    core, records = lived(
        {1: market(Side.BUY, 10), 2: exits}, FLAT, FLAT, "100 105 94 100", FLAT, traded=traded
    )
    assert refusals_in(records) == []
    assert held(core) == 0
    assert [fill.price_units for fill in fills_in(records)] == [10000, 10500]
    assert ends_in(records)[2] == "CANCELLED POSITION_CLOSED"
    assert core.order_manager.account.wallets[0].locked == 0


def test_a_reduce_only_order_binds_no_funds_and_keeps_no_other_sale_away() -> None:
    core, records = lived(
        {
            1: market(Side.BUY, 10),
            2: [stop(Side.SELL, 10, 90, reduce_only=True), market(Side.SELL, 4)],
        },
        *[FLAT] * 3,
    )
    assert (refusals_in(records), held(core), rests(core)) == ([], 6, [(OrderType.STOP, 6)])
    assert sizes(records) == [(2, 6)]


@pytest.mark.parametrize("answer", [market(Side.SELL, 15), market(Side.SELL, 10)])
def test_with_nothing_left_to_reduce_it_is_cancelled(answer: Answer) -> None:
    core, records = lived(
        {1: market(Side.BUY, 10), 2: stop(Side.SELL, 10, 90, reduce_only=True), 3: answer},
        *[FLAT] * 4,
        traded=FUTURE,
    )
    assert rests(core) == []
    assert ends_in(records)[2] == "CANCELLED POSITION_CLOSED"


def test_it_is_cut_to_what_is_held_when_it_is_made_and_refused_when_nothing_is() -> None:
    core, records = lived(
        {
            1: [market(Side.SELL, 3, reduce_only=True), market(Side.BUY, 10)],
            2: [
                stop(Side.SELL, 99, 90, reduce_only=True),
                market(Side.BUY, 1, reduce_only=True),
            ],
        },
        *[FLAT] * 3,
    )
    assert refusals_in(records) == [Code.NOTHING_TO_REDUCE] * 2
    assert orders_in(records)[1].notes == "cut from 99 to what is held"
    assert rests(core) == [(OrderType.STOP, 10)]


def test_two_market_orders_that_only_reduce_do_not_flip_the_position() -> None:
    twice = [market(Side.SELL, 10, reduce_only=True)] * 2
    core, records = lived({1: market(Side.BUY, 10), 2: twice}, *[FLAT] * 4, traded=FUTURE)
    assert held(core) == 0
    assert ends_in(records)[3] == "CANCELLED POSITION_CLOSED"


def test_it_counts_in_no_limit_of_what_could_be_held() -> None:
    script: dict[int, Answer] = {
        1: market(Side.BUY, 10),
        2: [
            stop(Side.SELL, 10, 90, reduce_only=True),
            limit(Side.SELL, 10, 110, reduce_only=True),
            market(Side.SELL, 10),
        ],
    }
    limits = {"max_position": "10", "max_gross_exposure": "1001", "max_net_exposure": "1001"}
    _, records = lived(script, *[FLAT] * 3, traded=FUTURE, **limits)
    assert refusals_in(records) == []


def test_it_survives_reduce_only_and_dies_with_the_kill_switch() -> None:
    switch = InProcessSwitch()
    script: dict[int, Answer] = {
        1: market(Side.BUY, 10),
        2: [
            stop(Side.SELL, 10, 95, reduce_only=True),
            limit(Side.SELL, 10, 110, reduce_only=True),
            limit(Side.BUY, 1, 90),
        ],
        3: stop(Side.SELL, 10, 94, reduce_only=True),
    }
    core = trading_core(Scripted(script), FUTURE, switch=switch)
    records = core.start(1) + core.step(bar(FUTURE, 1, FLAT)) + core.step(bar(FUTURE, 2, FLAT))
    switch.set_reduce_only("rehearsed", "test")
    records += core.step(bar(FUTURE, 3, FLAT))
    assert rests(core) == [(OrderType.STOP, 10), (OrderType.LIMIT, 10), (OrderType.STOP, 10)]
    assert refusals_in(records) == []
    switch.engage("rehearsed", "test")
    core.step(bar(FUTURE, 4, "94 94 94 94"))
    assert (rests(core), held(core)) == ([], 10)


# ---- groups ----


def test_of_two_entries_in_a_group_the_first_fill_cancels_the_other() -> None:
    straddle = [stop(Side.BUY, 10, 102, group="break"), stop(Side.SELL, 10, 98, group="break")]
    core, records = lived({1: straddle}, FLAT, "100 102 97 100", traded=FUTURE)
    assert [fill.side for fill in fills_in(records)] == [Side.BUY]
    assert ends_in(records)[2] == "CANCELLED GROUP_FILLED"
    assert (held(core), rests(core)) == (10, [])


def test_two_pairs_of_exits_share_a_position_and_not_their_fills() -> None:
    pairs = [
        stop(Side.SELL, 5, 95, reduce_only=True, group="near"),
        limit(Side.SELL, 5, 102, reduce_only=True, group="near"),
        stop(Side.SELL, 5, 90, reduce_only=True, group="far"),
        limit(Side.SELL, 5, 110, reduce_only=True, group="far"),
    ]
    core, records = lived({1: market(Side.BUY, 10), 2: pairs}, FLAT, FLAT, "100 103 99 100")
    assert held(core) == 5
    assert ends_in(records)[2] == "CANCELLED GROUP_FILLED"
    assert rests(core) == [(OrderType.STOP, 5), (OrderType.LIMIT, 5)]


def test_a_part_of_one_exit_is_taken_from_the_other() -> None:
    pair = [
        stop(Side.SELL, 10, 95, reduce_only=True, group="x"),
        limit(Side.SELL, 10, 105, reduce_only=True, group="x"),
    ]
    core = trading_core(
        Scripted({1: market(Side.BUY, 10), 2: pair}), COIN, rules=paper_rules(participation="1")
    )
    core.start(1)
    for number, size in enumerate(["10", "10", "4"], 1):
        price = "105" if number == 3 else "100"
        core.step(trade(COIN, number, price, size))
    assert (held(core), rests(core)) == (6, [(OrderType.STOP, 6), (OrderType.LIMIT, 6)])


def test_a_replaced_member_stays_in_its_group_and_only_reduces() -> None:
    pair = [
        stop(Side.SELL, 10, 95, reduce_only=True, group="x", tag="stop"),
        limit(Side.SELL, 10, 105, reduce_only=True, group="x"),
    ]
    core, records = lived(
        {1: market(Side.BUY, 10), 2: pair, 3: Replace(tag="stop", stop_price=98)},
        FLAT,
        FLAT,
        FLAT,
        "100 100 97 100",
    )
    assert (held(core), rests(core)) == (0, [])
    assert ends_in(records)[3] == "CANCELLED GROUP_FILLED"


def test_a_stop_limit_can_be_an_exit() -> None:
    answers: dict[int, Answer] = {
        1: market(Side.BUY, 10),
        2: stop_limit(Side.SELL, 10, 95, 94, reduce_only=True),
    }
    core, _ = lived(answers, FLAT, FLAT, "100 100 95 100")
    assert held(core) == 0


def test_a_word_in_place_of_a_flag_is_the_strategys_error() -> None:
    # A compiled core knows by itself, and in other words.
    words = "reduce_only is True or False, not str 'yes'|bool object expected; got str"

    def order() -> None:
        core = trading_core(Scripted({1: market(Side.BUY, 1, reduce_only="yes")}), COIN)  # type: ignore[arg-type]
        core.start(1)
        core.step(bar(COIN, 1, FLAT))

    with pytest.raises((StrategyError, TypeError), match=words):
        order()
