"""The checks of the risk layer one by one, each asked directly."""

from __future__ import annotations

from typing import Any

import pytest

from logos.core.engine import TradingCore
from logos.core.guards import Action, Limits
from logos.core.instrument import Instrument, instrument
from logos.core.instrument_state import InstrumentState
from logos.core.orders import OrderIntent
from logos.core.records import RefusalRecord
from logos.core.risk import (
    Approved,
    Refused,
    check_intent,
    increasing_quantity,
    judged_price,
)
from logos.core.strategy import Answer, limit, market
from logos.core.types import Code, FillRule, OrderType, Side, TimeInForce
from logos.testing.builders import (
    Scripted,
    fee_schedule,
    paper_rules,
    quote,
    refusals_in,
    trading_core,
)

BUY = Side.BUY
SELL = Side.SELL
CLOSE = paper_rules(FillRule.DECISION_CLOSE)


def contract(**terms: Any) -> Instrument:
    """A contract whose unit is worth its price, and of which either side can be opened."""
    plain = {"tick": "1", "lot": "1", "quote": "USD", "settlement": "margin", "leverage": 100}
    return instrument("AAA", **{**plain, **terms})


def core_at(
    bid: int, ask: int, terms: dict[str, Any] | None = None, **how: Any
) -> tuple[TradingCore, InstrumentState]:
    """A core whose only symbol has shown one quote, at time 1."""
    traded = contract(**(terms or {}))
    core = trading_core(Scripted(), traded, **{"rules": CLOSE, **how})
    core.start(0)
    core.step(quote(traded, 1, str(bid), str(ask)))
    return core, core.order_manager.states["AAA"]


def intent(
    book: InstrumentState, side: Side, quantity: int, limit_price: int = 0, stop_price: int = 0
) -> OrderIntent:
    kind = OrderType.LIMIT if limit_price else OrderType.MARKET
    return OrderIntent(
        book.instrument, side, quantity, kind, limit_price, stop_price, TimeInForce.GTC, 0, "", ""
    )


def trips(core: TradingCore, wanted: OrderIntent, now_ns: int = 1) -> list[Code]:
    """The codes an intent is refused with; none when it is approved."""
    book = core.order_manager.states[wanted.instrument.symbol]
    verdict = check_intent(wanted, book, core.order_manager.guards, now_ns)
    return [code for code, _ in verdict.violations] if isinstance(verdict, Refused) else []


# ---- what an order could grow ----


@pytest.mark.parametrize(
    ("position", "is_buy", "quantity", "ahead", "increase"),
    [
        (-10, True, 4, 0, 0),
        (-10, True, 10, 0, 0),
        (-10, True, 12, 0, 2),
        (-10, True, 1, 9, 0),
        (-10, True, 2, 9, 1),
        (-10, True, 3, 10, 3),
        (-10, True, 5, 12, 5),
        (-1, True, 3, 0, 2),
        (10, False, 10, 0, 0),
        (10, False, 12, 0, 2),
        (10, False, 5, 12, 5),
        (10, True, 5, 0, 5),
        (-10, False, 5, 0, 5),
        (0, True, 5, 0, 5),
        (0, False, 5, 3, 5),
    ],
)
def test_what_is_left_of_a_position_to_close_does_not_count_as_growth(
    position: int, is_buy: bool, quantity: int, ahead: int, increase: int
) -> None:
    _, book = core_at(100, 100)
    book.inventory.apply_fill(position, 100, 0, 1)
    assert increasing_quantity(book, is_buy, quantity, ahead) == increase


def test_a_second_buy_that_would_close_the_same_short_needs_margin_of_its_own() -> None:
    traded = contract(leverage=10)
    twice = [limit(BUY, 10, 90), limit(BUY, 10, 90)]
    script: dict[int, Answer] = {1: market(SELL, 10), 2: twice}
    core = trading_core(Scripted(script), traded, cash={"USD": "100"}, rules=CLOSE)
    records = core.start(0)
    for ts_ns in (1, 2):
        records += core.step(quote(traded, ts_ns, "100", "100"))
    assert refusals_in(records) == [Code.INSUFFICIENT_FUNDS]


# ---- which price an order is judged at ----


@pytest.mark.parametrize(
    ("side", "limit_price", "stop_price", "judged"),
    [
        (BUY, 0, 0, 110),
        (SELL, 0, 0, 90),
        (SELL, 80, 0, 90),
        (SELL, 100, 0, 100),
        (BUY, 100, 0, 100),
        (BUY, 0, 105, 110),
        (BUY, 0, 120, 120),
    ],
)
def test_an_order_is_judged_at_its_own_side_of_the_market(
    side: Side, limit_price: int, stop_price: int, judged: int
) -> None:
    _, book = core_at(90, 110)
    assert judged_price(intent(book, side, 1, limit_price, stop_price), book) == judged


@pytest.mark.parametrize(
    ("side", "price", "codes"),
    [
        (BUY, 121, []),
        (BUY, 122, [Code.PRICE_COLLAR]),
        (BUY, 99, []),
        (BUY, 98, [Code.PRICE_COLLAR]),
        (SELL, 99, []),
        (SELL, 100, [Code.PRICE_COLLAR]),
        (SELL, 81, []),
        (SELL, 80, [Code.PRICE_COLLAR]),
    ],
)
def test_the_collar_lies_round_the_price_that_the_order_would_meet(
    side: Side, price: int, codes: list[Code]
) -> None:
    core, book = core_at(90, 110, collar="0.1")
    assert trips(core, intent(book, side, 1, price)) == codes


def test_the_smallest_price_is_a_price() -> None:
    core, book = core_at(1, 1)
    assert trips(core, intent(book, BUY, 1)) == []


def test_without_a_price_only_that_is_said() -> None:
    traded = contract(min_notional="5")
    core = trading_core(Scripted(), traded, rules=CLOSE)
    assert trips(core, intent(core.order_manager.states["AAA"], BUY, 1)) == [
        Code.NO_REFERENCE_PRICE
    ]


# ---- limits of one unit, quantities of none ----


@pytest.mark.parametrize("quantity", [0, -1])
def test_an_intent_of_no_quantity_is_refused_as_such(quantity: int) -> None:
    core, book = core_at(100, 100)
    assert trips(core, intent(book, BUY, quantity)) == [Code.ZERO_QUANTITY]


def test_a_limit_of_one_unit_is_a_limit() -> None:
    core, book = core_at(1, 1, {"max_quantity": "1"})
    assert trips(core, intent(book, BUY, 2)) == [Code.ABOVE_MAXIMUM_QUANTITY]
    core, book = core_at(1, 1)
    book.limits = Limits(order_quantity=1)
    assert trips(core, intent(book, BUY, 1)) == []
    assert trips(core, intent(book, BUY, 2)) == [Code.MAX_ORDER_QUANTITY]
    book.limits = Limits(order_notional=1)
    assert trips(core, intent(book, BUY, 1)) == [Code.MAX_ORDER_NOTIONAL]
    book.limits = Limits(position=1)
    assert trips(core, intent(book, SELL, 1)) == []
    assert trips(core, intent(book, SELL, 2)) == [Code.MAX_POSITION]


# ---- the memory of orders ----


def test_an_order_of_the_very_first_moment_is_remembered() -> None:
    core, book = core_at(100, 100, duplicate_window_ns=10)
    wanted = intent(book, BUY, 1)
    book.remember(wanted, 0)
    assert trips(core, wanted, now_ns=9) == [Code.DUPLICATE_ORDER]
    assert trips(core, wanted, now_ns=10) == []


def test_the_memory_of_orders_holds_twice_what_can_matter_and_forgets_nothing_that_does() -> None:
    core, book = core_at(100, 100, duplicate_window_ns=1_000)
    for number in range(1, 3_001):
        book.remember(intent(book, BUY, number), 10_000 + number)
        assert len(book.recent_orders) <= 2 * min(number, 1_000) + 256
    alive = [number for number in range(1, 3_001) if trips(core, intent(book, BUY, number), 13_001)]
    assert alive == list(range(2_002, 3_001))


def test_what_has_left_the_window_is_forgotten_when_the_memory_is_full() -> None:
    _, book = core_at(100, 100, duplicate_window_ns=1_000)
    for number in range(1, 257):
        book.remember(intent(book, BUY, number), 10_000 if number <= 56 else 10_001)
    assert len(book.recent_orders) == 256
    book.remember(intent(book, BUY, 257), 11_000)
    assert len(book.recent_orders) == 201, "the 200 that can still matter, and the new one"
    for number in range(258, 457):
        book.remember(intent(book, BUY, number), 11_001)
    assert len(book.recent_orders) == 400, "not cleaned before it has twice as many"
    book.remember(intent(book, BUY, 457), 11_001)
    assert len(book.recent_orders) == 201


def test_a_memory_of_few_orders_is_not_cleaned_at_every_order() -> None:
    _, book = core_at(100, 100, duplicate_window_ns=10)
    for number in range(1, 257):
        book.remember(intent(book, BUY, number), 0)
    for number in range(257, 513):
        book.remember(intent(book, BUY, number), 100)
        assert len(book.recent_orders) == number - 256
    book.remember(intent(book, BUY, 513), 200)
    assert len(book.recent_orders) == 1


# ---- funds ----


def test_a_closing_order_locks_nothing_and_an_opening_one_its_margin_and_fee() -> None:
    fees = fee_schedule(per_unit="1")
    core, book = core_at(100, 100, {"leverage": 10, "fees": fees}, cash={"USD": "110"})
    opening = check_intent(intent(book, BUY, 10), book, core.order_manager.guards, 1)
    assert isinstance(opening, Approved)
    assert opening.lock == 110 * 10**8
    core, book = core_at(100, 100, {"leverage": 10, "fees": fees}, cash={"USD": "109"})
    assert trips(core, intent(book, BUY, 10)) == [Code.INSUFFICIENT_FUNDS]
    book.inventory.apply_fill(-10, 100, 0, 1)
    closing = check_intent(intent(book, BUY, 10), book, core.order_manager.guards, 1)
    assert isinstance(closing, Approved)
    assert closing.lock == 0


def test_credit_on_a_finer_scale_than_the_lot_counts_in_full() -> None:
    core, book = core_at(100, 100, {"settlement": "spot", "leverage": 1}, borrow={"AAA": "5.05"})
    assert trips(core, intent(book, SELL, 5)) == []
    assert trips(core, intent(book, SELL, 6)) == [Code.INSUFFICIENT_BORROW]


# ---- what a person reads ----


@pytest.mark.parametrize(
    ("how", "quantity", "words"),
    [
        ({"max_order_quantity": "10"}, 11, "11 at 100, the limit is 10"),
        ({"max_order_notional": "1000"}, 11, "11 at 100 is above the limit"),
        ({"max_gross_exposure": "1000"}, 11, "about 1100 USD could result"),
        ({"max_net_exposure": "1000"}, 11, "about 1100 USD one way could result"),
        ({"cash": {"USD": "10"}}, 11, "needs about 11 USD, about 10 USD available"),
    ],
)
def test_a_refusal_names_the_amount_and_the_limit(
    how: dict[str, Any], quantity: int, words: str
) -> None:
    core, book = core_at(100, 100, **how)
    verdict = check_intent(intent(book, BUY, quantity), book, core.order_manager.guards, 1)
    assert isinstance(verdict, Refused)
    assert [detail for _, detail in verdict.violations] == [words]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"max_drawdown": "50"}, "about 60 USD below the high-water mark"),
        ({"max_daily_loss": "50"}, "about 60 USD lost today"),
    ],
)
def test_a_refusal_after_a_loss_names_the_loss(how: dict[str, Any], words: str) -> None:
    refuse = {Code.MAX_DRAWDOWN: Action.REFUSE, Code.MAX_DAILY_LOSS: Action.REFUSE}
    traded = contract()
    script = {1: market(BUY, 1), 3: market(BUY, 1)}
    core = trading_core(Scripted(script), traded, rules=CLOSE, actions=refuse, **how)
    records = core.start(0)
    for ts_ns, price in ((1, "100"), (2, "40"), (3, "40")):
        records += core.step(quote(traded, ts_ns, price, price))
    assert [each.detail for each in records if isinstance(each, RefusalRecord)] == [words]
