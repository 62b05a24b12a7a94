"""Every limit on an order, and an order's life, judged again from records alone."""

from __future__ import annotations

from typing import Any

import pytest
from judge_records import BUY, SELL, filled, judged, order, update

from logos.core.records import (
    OrderRecord,
)
from logos.core.types import OrderStatus, OrderType
from logos.journal.entries import SessionRecord

# ---- limits of one order: as large as allowed, and a unit more ----

LIMITED: list[tuple[str, dict[str, Any], list[SessionRecord], list[SessionRecord]]] = [
    (
        "max_order_quantity is 10",
        {"max_order_quantity": "10"},
        [order(quantity=10)],
        [order(quantity=11)],
    ),
    (
        "money units, max_order_notional is 10000",
        {"max_order_notional": "100"},
        [order(quantity=10)],
        [order(quantity=11)],
    ),
    (
        "could result, max_position is 15",
        {"max_position": "15"},
        [order(), *filled(1, BUY, 10, 10), order(2, quantity=5)],
        [order(), *filled(1, BUY, 10, 10), order(2, quantity=6)],
    ),
    (
        "a position of 11 units could result",
        {"max_position": "10"},
        [order(quantity=4), order(2, quantity=6)],
        [order(quantity=4), order(2, quantity=7)],
    ),
    (
        "were open, max_open_orders is 1",
        {"max_open_orders": 1},
        [order(), update(1, OrderStatus.CANCELLED), order(2)],
        [order(), order(2)],
    ),
    (
        "made while 1 were open, total.max_open_orders is 1",
        {"total": {"max_open_orders": 1}},
        [order(), *filled(1, BUY, 10, 10), order(2)],
        [order(), order(2)],
    ),
    (
        "made after 2 others in the window, total.max_orders is 2",
        {"total": {"max_orders": 2, "max_orders_window_s": "5"}},
        [order(), order(2), order(3, at_s=5)],
        [order(), order(2), order(3, at_s=4)],
    ),
    (
        "the same order was made within duplicate_window_s",
        {"duplicate_window_s": "2"},
        [order(), order(2, at_s=2), order(3, quantity=11, at_s=2)],
        [order(), order(2, at_s=1)],
    ),
    (
        "(price units)",
        {"price_collar": "0.1"},
        [order(type=OrderType.LIMIT, limit_price_units=900)],
        [order(type=OrderType.LIMIT, limit_price_units=899)],
    ),
    (
        "its price 1101 is outside price_collar of",
        {"price_collar": "0.1"},
        [order(type=OrderType.STOP, stop_price_units=1100)],
        [order(type=OrderType.STOP, stop_price_units=1101)],
    ),
]


@pytest.mark.parametrize(("words", "risk", "kept", "passed"), LIMITED, ids=[e[0] for e in LIMITED])
def test_a_limit_that_is_kept_is_no_finding_and_one_that_is_passed_is(
    words: str, risk: dict[str, Any], kept: list[SessionRecord], passed: list[SessionRecord]
) -> None:
    assert judged(kept, risk) == []
    [message] = judged(passed, risk)
    assert words in message
    assert judged(passed) == []  # without the limit there is nothing to pass


def test_a_sale_is_valued_at_the_better_of_limit_and_market() -> None:
    risk = {"max_order_notional": "100"}
    sale: dict[str, Any] = {"side": SELL, "type": OrderType.LIMIT}
    assert judged([order(limit_price_units=900, **sale)], risk) == []
    assert len(judged([order(limit_price_units=1001, **sale)], risk)) == 1


def test_the_symbols_own_limit_stands_in_place_of_the_common_one() -> None:
    risk = {"max_order_quantity": "1", "symbols": {"ACME": {"max_order_quantity": "20"}}}
    assert judged([order()], risk) == []


def test_a_limit_finer_than_a_unit_allows_one_unit_and_not_none() -> None:
    assert judged([order(quantity=1)], {"max_order_quantity": "0.5"}) == []
    assert len(judged([order(quantity=2)], {"max_order_quantity": "0.5"})) == 1


# ---- what no order may be ----


@pytest.mark.parametrize(
    ("record", "terms", "words"),
    [
        (order(quantity=7), {"lot": "5"}, "its quantity is no whole number of lots"),
        (order(), {"max_quantity": "9"}, "its quantity is outside what the instrument allows"),
        (order(), {"min_quantity": "11"}, "its quantity is outside what the instrument allows"),
        (order(), {"min_notional": "101"}, "worth less than the instrument's min_notional"),
        (order(limit_price_units=900), {}, "its prices are not those of a MARKET order"),
        (order(type=OrderType.STOP), {}, "its prices are not those of a STOP order"),
        (
            order(type=OrderType.LIMIT, limit_price_units=903),
            {"tick": "0.05"},
            "its price is not on the tick",
        ),
        (
            order(reference_price_units=0, quantity=1),
            {},
            "made before the symbol had shown a price",
        ),
        (
            order(at_s=3 * 3600),
            {"hours": ["mon-fri 13:30-20:00"]},
            "outside the instrument's hours",
        ),
        (order(symbol="OTHER"), {}, "the settings have no instrument 'OTHER'"),
        (order(price_decimals=1), {}, "in which its steps are no whole numbers"),
        (order(order_id=2, client_order_id="one-2"), {}, "order 2 is the session's number 1"),
        (order(client_order_id="two-1"), {}, "order 1 is called 'two-1'"),
    ],
)
def test_what_no_order_may_be_is_found(
    record: OrderRecord, terms: dict[str, Any], words: str
) -> None:
    [message] = judged([record], **terms)
    assert words in message


def test_an_order_within_hours_is_no_finding() -> None:
    assert judged([order(at_s=14 * 3600)], hours=["mon-fri 13:30-20:00"]) == []


def test_hours_that_cannot_be_read_are_a_finding() -> None:
    [message] = judged([order()], hours=["whenever"])
    assert "hours 'whenever' are none" in message


def test_a_symbol_that_changes_its_decimals_is_found() -> None:
    [message] = judged([order(), order(2, price_decimals=3, reference_price_units=10_000)])
    assert "ACME is counted in other decimals than before" in message


def test_records_that_run_back_in_time_are_found() -> None:
    [message] = judged([order(tick=2), order(2, tick=1)])
    assert message == "comes from before the records before it"


# ---- an order's life ----


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([update(1, OrderStatus.ACCEPTED)], "order 1 of ACME is not open"),
        ([order(), update(1, OrderStatus.FILLED, 10)], "order 1 was NEW, and cannot become FILLED"),
        (
            [order(), update(1, OrderStatus.ACCEPTED), update(1, OrderStatus.FILLED, 11)],
            "order 1 says 11 units are filled, 0 of 10 units were filled",
        ),
        (filled(1, BUY, 10, 10)[2:], "a fill of order 1, which was never made"),
        ([order(), *filled(1, SELL, 10, -10)], "fill 1 of order 1 is a SELL, and the order is not"),
        (
            [order(), *filled(1, BUY, 10, 9, quantity_units=9)],
            "fills come to 9 units, and the order says 10 units are filled",
        ),
        (
            [order(type=OrderType.LIMIT, limit_price_units=900), *filled(1, BUY, 10, 10)],
            "fill 1 of order 1: its price is worse than the order's limit",
        ),
    ],
)
def test_a_life_that_no_order_has_is_found(records: list[SessionRecord], words: str) -> None:
    [message] = judged(records)
    assert words in message


def test_a_rejected_order_is_over() -> None:
    records: list[SessionRecord] = [order(), update(1, OrderStatus.REJECTED)]
    assert judged(records) == []
    assert judged([*records, update(1, OrderStatus.ACCEPTED)]) == ["order 1 of ACME is not open"]
