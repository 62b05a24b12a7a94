"""From answers to intents: never more than was asked, on the right side of the tick, or a code."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.intents import from_request
from logos.core.records import Record
from logos.core.strategy import (
    Answer,
    Cancel,
    OrderRequest,
    Replace,
    Target,
    Weight,
    limit,
    market,
    stop,
    stop_limit,
)
from logos.core.types import Code, FillRule, OrderType, Side, TimeInForce
from logos.errors import StrategyError
from logos.testing.builders import (
    Scripted,
    bar,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    trading_core,
)

COIN = instrument("COIN", tick="0.05", lot="0.01", quote="USD")
FLAT = "100 100 100 100"


def after(*answers: Answer, **settings_: Any) -> tuple[TradingCore, list[Record]]:
    """A core that gave these answers, one a bar at 100, with what happened."""
    strategy = Scripted(dict(enumerate(answers, 1)))
    core = trading_core(strategy, COIN, borrow={"COIN": "1000"}, **settings_)
    records = core.start(1)
    for number in range(1, len(answers) + 1):
        records += core.step(bar(COIN, number, FLAT))
    return core, records


class NamedFloat(float):
    """A float that prints as array libraries' do."""

    def __repr__(self) -> str:
        return f"lib.float64({float(self)!r})"


# ---- quantities ----


@pytest.mark.parametrize(
    ("asked", "units"),
    [
        (1, 100),
        ("1.239", 123),
        (0.3, 30),
        (0.1 + 0.2, 30),
        (0.29, 29),
        (1.1 * 3, 330),
        (Decimal("0.0199"), 1),
        ("1e1", 1000),
        (NamedFloat(1.5), 150),
    ],
)
def test_quantities_are_read_and_rounded_down_to_the_lot(asked: Any, units: int) -> None:
    _, records = after(market(Side.BUY, asked))
    assert [order.quantity_units for order in orders_in(records)] == [units]


NAN_INF = [float("nan"), float("inf"), float("-inf"), "NaN", "sNaN", "-Infinity", Decimal("NaN")]
ABSURD = [
    10**5000,
    -(10**5000),
    1e120,
    "1e400",
    "1e-400",
    Decimal("0." + "1" * 5000),
    "0e999999999",
]
NO_NUMBER: list[Any] = [True, False, "", "many", "1,5", None, [1], {}, b"1", 1j, Fraction(1, 2)]


@pytest.mark.parametrize("number", NAN_INF + ABSURD, ids=lambda n: str(type(n).__name__))
@pytest.mark.parametrize(
    "ask",
    [
        lambda n: market(Side.BUY, n),
        lambda n: Target(n),
        lambda n: Weight(n),
        lambda n: limit(Side.BUY, 1, n),
        lambda n: stop(Side.SELL, 1, n),
        lambda n: stop_limit(Side.SELL, 1, 90, n),
    ],
    ids=["quantity", "target", "weight", "limit", "stop", "stop-limit"],
)
def test_numbers_of_no_use_are_refused_with_one_code(number: Any, ask: Any) -> None:
    _, records = after(ask(number))
    assert refusals_in(records) == [Code.NOT_FINITE]
    assert orders_in(records) == []


@pytest.mark.parametrize("answer", NO_NUMBER, ids=repr)
@pytest.mark.parametrize("ask", [lambda n: market(Side.BUY, n), Target, Weight])
def test_what_is_no_number_is_the_strategys_error(answer: Any, ask: Any) -> None:
    with pytest.raises(StrategyError):
        after(ask(answer))


@pytest.mark.parametrize(
    "answer",
    [1, 1.5, True, "BUY", b"x", object(), {"side": "BUY"}, [[Side.BUY]], Side],
    ids=lambda answer: type(answer).__name__,
)
def test_an_answer_of_no_known_kind_is_the_strategys_error(answer: Any) -> None:
    with pytest.raises(StrategyError, match="a strategy answers with"):
        after(answer)


@pytest.mark.parametrize(
    "request_",
    [
        OrderRequest("BUY", 1),  # type: ignore[arg-type]
        OrderRequest(Side.BUY, 1, "LIMIT", 99),  # type: ignore[arg-type]
        OrderRequest(Side.BUY, 1, time_in_force="IOC"),  # type: ignore[arg-type]
        OrderRequest(Side.BUY, 1, tag=7),  # type: ignore[arg-type]
    ],
)
def test_a_word_never_passes_for_an_enumeration(request_: OrderRequest) -> None:
    with pytest.raises(StrategyError, match="str"):
        after(request_)


@pytest.mark.parametrize(
    "answer",
    [
        Cancel(tag=7),  # type: ignore[arg-type]
        Cancel(order_id="1"),  # type: ignore[arg-type]
        Cancel(order_id=True),
        Replace(tag=b"t"),  # type: ignore[arg-type]
        Target(1, symbol=7),  # type: ignore[arg-type]
        market(Side.BUY, 1, tag="t" * 65),
        market(Side.BUY, 1, tag="line\nbreak"),
    ],
)
def test_a_reference_that_is_no_short_text_or_number_is_the_strategys_error(answer: Answer) -> None:
    with pytest.raises(StrategyError, match=r"tag|order_id|symbol"):
        after(answer)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (market(Side.BUY, -1), Code.NEGATIVE_QUANTITY),
        (market(Side.BUY, 0), Code.ZERO_QUANTITY),
        (market(Side.BUY, "0.009"), Code.ZERO_QUANTITY),
        (OrderRequest(Side.BUY, 1, OrderType.LIMIT), Code.INVALID_PRICE),
        (OrderRequest(Side.BUY, 1, OrderType.STOP), Code.INVALID_PRICE),
        (OrderRequest(Side.BUY, 1, OrderType.STOP_LIMIT, 99), Code.INVALID_PRICE),
        (OrderRequest(Side.BUY, 1, OrderType.MARKET, 99), Code.INVALID_PRICE),
        (OrderRequest(Side.BUY, 1, OrderType.MARKET, None, 99), Code.INVALID_PRICE),
        (OrderRequest(Side.BUY, 1, OrderType.LIMIT, 99, 99), Code.INVALID_PRICE),
        (limit(Side.BUY, 1, 0), Code.INVALID_PRICE),
        (limit(Side.BUY, 1, "-5"), Code.INVALID_PRICE),
        (limit(Side.BUY, 1, "0.04"), Code.INVALID_PRICE),
        (stop(Side.SELL, 1, 90, time_in_force=TimeInForce.IOC), Code.INVALID_TIME_IN_FORCE),
        (
            stop_limit(Side.SELL, 1, 90, 89, time_in_force=TimeInForce.FOK),
            Code.INVALID_TIME_IN_FORCE,
        ),
        (market(Side.BUY, 1, symbol="OTHER"), Code.UNKNOWN_SYMBOL),
    ],
)
def test_requests_that_make_no_sense_get_their_code(request_: OrderRequest, code: Code) -> None:
    _, records = after(request_)
    assert refusals_in(records) == [code]
    assert orders_in(records) == []


# ---- prices ----


@pytest.mark.parametrize(
    ("request_", "limit_units", "stop_units"),
    [
        (limit(Side.BUY, 1, "99.99"), 9995, 0),
        (limit(Side.SELL, 1, "100.01"), 10005, 0),
        (stop(Side.BUY, 1, "101.01"), 0, 10105),
        (stop(Side.SELL, 1, "98.99"), 0, 9895),
        (stop_limit(Side.BUY, 1, "101.01", "102.04"), 10200, 10105),
        (stop_limit(Side.SELL, 1, "98.99", "97.96"), 9800, 9895),
        (limit(Side.BUY, 1, 100.1 + 0.2), 10030, 0),
        (limit(Side.SELL, 1, 100.1 + 0.2), 10030, 0),
        (limit(Side.SELL, 1, "100.0000000001"), 10005, 0),
        (limit(Side.SELL, 1, Decimal("100.0000000001")), 10005, 0),
        (limit(Side.BUY, 1, 99), 9900, 0),
    ],
)
def test_prices_move_to_the_tick_on_their_safe_side(
    request_: OrderRequest, limit_units: int, stop_units: int
) -> None:
    _, records = after(request_)
    assert [(o.limit_price_units, o.stop_price_units) for o in orders_in(records)] == [
        (limit_units, stop_units)
    ]


decimals_ = st.decimals("0.05", "1000", places=6)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(Side),
    decimals_,
    decimals_,
    decimals_,
    st.sampled_from(list(OrderType)),
    st.sampled_from(["0", "0.5", "100", "12345.67"]),
)
def test_an_intent_never_asks_for_more_nor_names_a_worse_price(
    side: Side, quantity: Decimal, limit_: Decimal, stop_: Decimal, kind: OrderType, cap: str
) -> None:
    core = trading_core(Scripted(), COIN, cap_notional=cap)
    core.start(0)
    core.step(quote(COIN, 1, "99.95", "100.05"))
    book = core.order_manager.states["COIN"]
    request = OrderRequest(
        side,
        quantity,
        kind,
        limit_ if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_ if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
    )
    intent = from_request(book, request)
    got = Fraction(intent.quantity, 100)
    assert 0 <= got <= Fraction(quantity)
    assert intent.quantity % COIN.lot == 0
    worse = 1 if side is Side.BUY else -1
    if request.limit_price is not None:
        assert (Fraction(intent.limit_price, 100) - Fraction(limit_)) * worse <= 0
        assert abs(Fraction(intent.limit_price, 100) - Fraction(limit_)) < Fraction("0.05")
    if request.stop_price is not None:
        assert (Fraction(intent.stop_price, 100) - Fraction(stop_)) * worse >= 0
        assert abs(Fraction(intent.stop_price, 100) - Fraction(stop_)) < Fraction("0.05")
    assert intent.limit_price % COIN.tick == intent.stop_price % COIN.tick == 0
    if cap != "0":
        judged = intent.limit_price or intent.stop_price or book.reference_price(side is Side.BUY)
        assert got * Fraction(judged, 100) <= Fraction(cap)
        assert (intent.notes != "") == (got < Fraction(int(quantity * 100), 100))


# ---- targets and weights ----


@pytest.mark.parametrize(
    ("answers", "orders"),
    [
        ([Target(5)], [500]),
        ([Target(-5)], [-500]),
        ([Target("-5.019")], [-501]),
        ([Target(5), Target(5)], [500]),  # already in flight or held
        ([Target(5), Target(-5)], [500, -1000]),
        ([[Target(5), Target(2), Target(2)]], [500, -300]),
        ([[limit(Side.BUY, 2, 90), Target(5)]], [200, 500]),  # what rests is cancelled
        ([[limit(Side.SELL, 2, 110), Target(5)]], [-200, 500]),
        ([Target(0)], []),
    ],
)
def test_a_target_counts_what_is_held_and_what_is_on_its_way_to_the_market(
    answers: list[Answer], orders: list[int]
) -> None:
    _, records = after(*answers)
    signed = [o.quantity_units * (1 if o.side is Side.BUY else -1) for o in orders_in(records)]
    assert signed == orders


@pytest.mark.parametrize(
    ("fraction", "units"),
    [("0.5", 500_000), ("0.33333", 333_330), ("-0.25", -250_000), (0.1, 100_000), (1, 995_024)],
)
def test_a_weight_is_that_fraction_of_equity_at_the_mark(fraction: Any, units: int) -> None:
    core = trading_core(Scripted({1: Weight(fraction)}), COIN, borrow={"COIN": "100000"})
    records = core.start(1) + core.step(bar(COIN, 1, FLAT))
    signed = [o.quantity_units * (1 if o.side is Side.BUY else -1) for o in orders_in(records)]
    assert signed == [units]


def test_a_weight_of_nothing_closes_the_position() -> None:
    core, records = after([market(Side.BUY, 7)], None, Weight(0), None)
    assert core.order_manager.states["COIN"].inventory.position == 0
    assert [o.quantity_units for o in orders_in(records)] == [700, 700]


def test_without_a_price_a_weight_is_refused() -> None:
    core = trading_core(Scripted({0: Weight("0.5", symbol="COIN")}), COIN)
    assert refusals_in(core.start(1)) == [Code.NO_REFERENCE_PRICE]


def test_a_bare_side_trades_the_configured_quantity_under_the_cap() -> None:
    _, records = after(Side.SELL, Side.BUY, order_quantity="2.5", cap_notional="120")
    assert [(o.side, o.quantity_units, o.notes) for o in orders_in(records)] == [
        (Side.SELL, 120, "capped from 2.50"),
        (Side.BUY, 120, "capped from 2.50"),
    ]


def test_a_cap_below_one_lot_leaves_nothing_to_send() -> None:
    _, records = after(Side.BUY, cap_notional="0.5")
    assert refusals_in(records) == [Code.ZERO_QUANTITY]


def test_the_ambient_decimal_context_changes_nothing() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        _, records = after(
            limit(Side.BUY, "1234.56", 50, tag="a"),
            Replace(tag="a", limit_price="51.15"),
            Replace(tag="a", quantity="1234.57"),
        )
    assert [(o.quantity_units, o.limit_price_units) for o in orders_in(records)] == [
        (123456, 5000),
        (123456, 5115),
        (123457, 5115),
    ]


def test_a_replacement_asks_for_the_new_total_less_what_was_filled() -> None:
    strategy = Scripted({1: limit(Side.BUY, 10, 100, tag="a"), 3: Replace(tag="a", quantity=6)})
    core = trading_core(strategy, COIN, rules=paper_rules(FillRule.NEXT_OPEN, participation="1"))
    records = core.start(1)
    for number in (1, 2, 3):
        records += core.step(bar(COIN, number, FLAT, "2"))
    assert [o.quantity_units for o in orders_in(records)] == [1000, 200]


def test_a_bare_side_without_a_quantity_is_worth_twice_the_minimum_and_stays_as_large() -> None:
    least = instrument("LEAST", tick="0.01", lot="0.001", quote="USD", min_notional="5")
    script: dict[int, Answer] = {1: Side.BUY, 3: Side.SELL, 5: Side.BUY}
    core = trading_core(Scripted(script), least, order_quantity="0", cash={"USD": "1000"})
    records = core.start(1)
    for number, price in enumerate((30, 30, 90, 90, 16, 16), 1):
        records += core.step(bar(least, number, f"{price} {price} {price} {price}"))
    # 10 USD at 30 is 0.333..., rounded up to the lot; at 16 it is still worth more than 5.
    assert [order.quantity_units for order in orders_in(records)] == [334, 334, 334]
    assert refusals_in(records) == []
    assert core.order_manager.states["LEAST"].order_quantity == 334


def test_a_bare_side_before_the_first_price_decides_no_quantity() -> None:
    least = instrument("LEAST", tick="0.01", lot="0.001", quote="USD", min_notional="5")
    core = trading_core(
        Scripted({1: Side.BUY}),
        least,
        order_quantity="0",
        rules=paper_rules(FillRule.BID_ASK),
    )
    core.start(1)
    records = core.step(bar(least, 1, "30 30 30 30"))
    assert refusals_in(records) == [Code.NO_REFERENCE_PRICE]
