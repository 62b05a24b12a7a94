"""Every guard at its edge: just inside passes, one unit beyond is refused with exactly its code."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from guard_helpers import BUY, REFUSE, SELL, A, B, Rig, contract, trips_in

from logos.core.guards import Action
from logos.core.guards.table import GUARDS
from logos.core.instrument import instrument
from logos.core.strategy import Answer, Cancel, Replace, limit, market, stop, stop_limit
from logos.core.types import Code, FillRule
from logos.testing.builders import paper_rules

DAY = 86_400 * 10**9
HOUR = 3_600 * 10**9
MONDAY = 4 * DAY  # 5 January 1970


class Show(NamedTuple):
    """A price and the strategy's answer to it."""

    price: int
    answer: Answer = None
    at_ns: int | None = None
    symbol: str = "AAA"
    sizes: str | None = None


class Edge(NamedTuple):
    """What comes first, the last step that passes, and the same step a unit further."""

    name: str
    code: Code
    how: dict[str, Any]
    before: list[Show]
    inside: Show
    beyond: Show


def bought(quantity: int, at: int = 100) -> Show:
    return Show(at, market(BUY, quantity))


def sold(quantity: int, at: int = 100) -> Show:
    return Show(at, market(SELL, quantity))


B_AT_100 = Show(100, symbol="BBB")
ACME = instrument("AAA", tick="1", lot="1", quote="USD")
SHARED = paper_rules(FillRule.DECISION_CLOSE, participation="1")
OFFICE = contract(hours=["mon-fri 13:30-20:00"])
HEDGED = [
    B_AT_100,
    bought(5),
    Show(100, market(SELL, 5, symbol="BBB")),
    Show(100, limit(BUY, 5, 90)),
]

QUANTITY = {"max_order_quantity": "10"}
NOTIONAL = {"max_order_notional": "1000"}
POSITION = {"max_position": "10"}
GROSS = {"max_gross_exposure": "2000"}
NET = {"max_net_exposure": "1000"}
CASH: dict[str, Any] = {"cash": {"USD": "10000"}}
SHARES = {**CASH, "order_share": "0.1"}
HELD = {**CASH, "position_share": "0.1"}
PART = {"gross_share": "0.2"}
RATE = {"max_orders": 3, "max_orders_window_ns": 10}
THREE_ORDERS = [Show(100, market(BUY, n), at_ns=n) for n in (1, 2, 3)]
FALLEN: dict[str, Any] = {"actions": REFUSE}

EDGES = [
    Edge("a buy", Code.MAX_ORDER_QUANTITY, QUANTITY, [], bought(10), bought(11)),
    Edge("a sale", Code.MAX_ORDER_QUANTITY, QUANTITY, [], sold(10), sold(11)),
    Edge("at the market", Code.MAX_ORDER_NOTIONAL, NOTIONAL, [], bought(10), bought(11)),
    Edge(
        "a limit to buy bounds it",
        Code.MAX_ORDER_NOTIONAL,
        NOTIONAL,
        [],
        Show(110, limit(BUY, 10, 100)),
        Show(110, limit(BUY, 10, 101)),
    ),
    Edge(
        "a sale at the better of limit and market",
        Code.MAX_ORDER_NOTIONAL,
        NOTIONAL,
        [],
        Show(100, limit(SELL, 10, 90)),
        Show(101, limit(SELL, 10, 90)),
    ),
    Edge(
        "a stop to buy at its stop",
        Code.MAX_ORDER_NOTIONAL,
        NOTIONAL,
        [],
        Show(90, stop(BUY, 10, 100)),
        Show(90, stop(BUY, 10, 101)),
    ),
    Edge("a part of equity", Code.MAX_ORDER_NOTIONAL, SHARES, [], bought(10), bought(11)),
    Edge(
        "a part of equity bounds what is added",
        Code.MAX_ORDER_NOTIONAL,
        SHARES,
        [bought(10)],
        sold(20),
        sold(21),
    ),
    Edge(
        "a part of equity as it is now",
        Code.MAX_ORDER_NOTIONAL,
        SHARES,
        [bought(10), sold(10, at=90)],
        bought(9),
        bought(10),
    ),
    Edge(
        "at spot, equity counts what the session began with",
        Code.MAX_ORDER_NOTIONAL,
        {**SHARES, "instruments": (ACME,), "cash": {"USD": "10000", "AAA": "100"}},
        [],
        sold(20),
        sold(21),
    ),
    Edge("a part of equity", Code.MAX_POSITION_NOTIONAL, HELD, [bought(6)], bought(4), bought(5)),
    Edge(
        "a part of equity, with open orders",
        Code.MAX_POSITION_NOTIONAL,
        HELD,
        [Show(100, limit(SELL, 6, 120))],
        sold(4),
        sold(5),
    ),
    Edge("a part of equity", Code.GROSS_EXPOSURE, {**CASH, **PART}, [], bought(20), bought(21)),
    Edge(
        "the tighter of amount and part",
        Code.GROSS_EXPOSURE,
        {**CASH, **PART, "max_gross_exposure": "1500"},
        [],
        bought(15),
        bought(16),
    ),
    Edge("long", Code.MAX_POSITION, POSITION, [bought(4)], bought(6), bought(7)),
    Edge("short", Code.MAX_POSITION, POSITION, [sold(4)], sold(6), sold(7)),
    Edge("through flat", Code.MAX_POSITION, POSITION, [bought(10)], sold(20), sold(21)),
    Edge(
        "with open orders",
        Code.MAX_POSITION,
        POSITION,
        [bought(4), Show(100, limit(BUY, 3, 90))],
        bought(3),
        bought(4),
    ),
    Edge(
        "the other side makes no room",
        Code.MAX_POSITION,
        POSITION,
        [bought(4), Show(100, limit(SELL, 4, 120))],
        bought(6),
        bought(7),
    ),
    Edge(
        "an order partly filled counts once",
        Code.MAX_POSITION,
        {**POSITION, "rules": SHARED},
        [Show(100, limit(BUY, 8, 100), sizes="3")],
        bought(2),
        bought(3),
    ),
    Edge(
        "a cancelled order no more",
        Code.MAX_POSITION,
        POSITION,
        [Show(100, limit(BUY, 8, 90, tag="x")), Show(100, Cancel(tag="x"))],
        bought(10),
        bought(11),
    ),
    Edge(
        "a replaced order as its successor",
        Code.MAX_POSITION,
        POSITION,
        [Show(100, limit(BUY, 8, 90, tag="x")), Show(100, Replace(tag="x", quantity=3))],
        bought(7),
        bought(8),
    ),
    Edge(
        "the successor itself",
        Code.MAX_POSITION,
        POSITION,
        [Show(100, limit(BUY, 8, 90, tag="x"))],
        Show(100, Replace(tag="x", quantity=10)),
        Show(100, Replace(tag="x", quantity=11)),
    ),
    Edge(
        "a cancel on its way still counts",
        Code.MAX_POSITION,
        {**POSITION, "rules": paper_rules(latency_ns=5)},
        [Show(100, limit(BUY, 8, 90, tag="x")), Show(100, Cancel(tag="x"))],
        bought(2),
        bought(3),
    ),
    Edge(
        "of the symbol",
        Code.MAX_OPEN_ORDERS,
        {"max_open_orders": 2},
        [B_AT_100, Show(100, limit(BUY, 1, 90)), Show(100, limit(BUY, 1, 90, symbol="BBB"))],
        Show(100, limit(SELL, 1, 110)),
        Show(100, [limit(SELL, 1, 110), limit(SELL, 1, 111)]),
    ),
    Edge(
        "of all symbols",
        Code.MAX_TOTAL_OPEN_ORDERS,
        {"max_total_open_orders": 3},
        [B_AT_100, Show(100, limit(BUY, 1, 90)), Show(100, limit(BUY, 1, 90, symbol="BBB"))],
        Show(100, limit(SELL, 1, 110)),
        Show(100, [limit(SELL, 1, 110), limit(SELL, 1, 111, symbol="BBB")]),
    ),
    Edge("one symbol", Code.GROSS_EXPOSURE, GROSS, [bought(15)], bought(5), bought(6)),
    Edge(
        "two symbols and an open order",
        Code.GROSS_EXPOSURE,
        GROSS,
        HEDGED,
        Show(100, market(SELL, 5, symbol="BBB")),
        Show(100, market(SELL, 6, symbol="BBB")),
    ),
    Edge(
        "positions count at their marks",
        Code.GROSS_EXPOSURE,
        GROSS,
        [B_AT_100, bought(10)],
        Show(150, market(BUY, 5, symbol="BBB")),
        Show(151, market(BUY, 5, symbol="BBB")),
    ),
    Edge("a flip", Code.GROSS_EXPOSURE, GROSS, [bought(10)], sold(30), sold(31)),
    Edge("buys", Code.NET_EXPOSURE, NET, HEDGED, bought(5), bought(6)),
    Edge("sales", Code.NET_EXPOSURE, NET, HEDGED, sold(10), sold(11)),
    Edge(
        "as the oldest leaves the window",
        Code.ORDER_RATE,
        RATE,
        THREE_ORDERS,
        Show(100, market(BUY, 4), at_ns=11),
        Show(100, market(BUY, 4), at_ns=10),
    ),
    Edge(
        "the same again",
        Code.DUPLICATE_ORDER,
        {"duplicate_window_ns": 10},
        [Show(100, limit(BUY, 1, 90), at_ns=1)],
        Show(100, limit(BUY, 1, 90), at_ns=11),
        Show(100, limit(BUY, 1, 90), at_ns=10),
    ),
    Edge(
        "another price is another order",
        Code.DUPLICATE_ORDER,
        {"duplicate_window_ns": 10},
        [Show(100, limit(BUY, 1, 90))],
        Show(100, limit(BUY, 1, 91)),
        Show(100, limit(BUY, 1, 90)),
    ),
    Edge(
        "another symbol's events do not refresh it",
        Code.STALE_DATA,
        {"stale_after_ns": 10, "actions": {Code.STALE_DATA: Action.REFUSE}},
        [Show(100, at_ns=1)],
        Show(100, market(BUY, 1, symbol="AAA"), at_ns=11, symbol="BBB"),
        Show(100, market(BUY, 1, symbol="AAA"), at_ns=12, symbol="BBB"),
    ),
    Edge(
        "at the opening minute",
        Code.MARKET_CLOSED,
        {"instruments": (OFFICE,)},
        [],
        Show(100, market(BUY, 1), at_ns=MONDAY + 13 * HOUR + HOUR // 2),
        Show(100, market(BUY, 1), at_ns=MONDAY + 13 * HOUR + HOUR // 2 - 1),
    ),
    Edge(
        "at the closing minute",
        Code.MARKET_CLOSED,
        {"instruments": (OFFICE,)},
        [],
        Show(100, market(BUY, 1), at_ns=MONDAY + 20 * HOUR - 1),
        Show(100, market(BUY, 1), at_ns=MONDAY + 20 * HOUR),
    ),
    Edge(
        "no price yet",
        Code.NO_REFERENCE_PRICE,
        {},
        [],
        Show(100, market(BUY, 1)),
        Show(100, market(BUY, 1, symbol="BBB")),
    ),
    Edge(
        "above",
        Code.PRICE_COLLAR,
        {"collar": "0.1"},
        [],
        Show(100, limit(SELL, 1, 110)),
        Show(100, limit(SELL, 1, 111)),
    ),
    Edge(
        "below",
        Code.PRICE_COLLAR,
        {"collar": "0.1"},
        [],
        Show(100, limit(BUY, 1, 90)),
        Show(100, limit(BUY, 1, 89)),
    ),
    Edge(
        "either price",
        Code.PRICE_COLLAR,
        {"collar": "0.1"},
        [],
        Show(100, stop_limit(BUY, 1, 110, 110)),
        Show(100, stop_limit(BUY, 1, 111, 110)),
    ),
    Edge(
        "in money",
        Code.MAX_DRAWDOWN,
        {**FALLEN, "max_drawdown": "50"},
        [bought(1)],
        bought(1, at=50),
        bought(1, at=49),
    ),
    Edge(
        "as a share",
        Code.MAX_DRAWDOWN,
        {**FALLEN, "max_drawdown_share": "0.05", "cash": {"USD": "1000"}},
        [bought(1)],
        bought(1, at=50),
        bought(1, at=49),
    ),
    Edge(
        "the tighter of the two",
        Code.MAX_DRAWDOWN,
        {**FALLEN, "max_drawdown": "90", "max_drawdown_share": "0.05", "cash": {"USD": "1000"}},
        [bought(1)],
        bought(1, at=50),
        bought(1, at=49),
    ),
    Edge(
        "of the day",
        Code.MAX_DAILY_LOSS,
        {**FALLEN, "max_daily_loss": "50"},
        [bought(1)],
        bought(1, at=50),
        bought(1, at=49),
    ),
    Edge(
        "in a row",
        Code.CONSECUTIVE_LOSSES,
        {**FALLEN, "max_consecutive_losses": 2},
        [bought(2), sold(1, at=99)],
        Show(99, market(BUY, 1)),
        Show(99, [market(SELL, 1), market(BUY, 1)]),
    ),
    Edge("margin", Code.INSUFFICIENT_FUNDS, {"cash": {"USD": "10"}}, [], bought(10), bought(11)),
    Edge(
        "credit in the asset",
        Code.INSUFFICIENT_BORROW,
        {"instruments": (ACME,), "borrow": {"AAA": "5"}},
        [],
        sold(5),
        sold(6),
    ),
]


def played(edge: Edge, last: Show) -> Rig:
    how = dict(edge.how)
    rig = Rig(*how.pop("instruments", (A, B)), **how)
    for each in [*edge.before, last]:
        rig.show(each.price, each.answer, symbol=each.symbol, at_ns=each.at_ns, sizes=each.sizes)
    return rig


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.code.value}: {edge.name}")
def test_just_inside_passes_and_one_unit_beyond_is_refused(edge: Edge) -> None:
    assert trips_in(played(edge, edge.inside).records) == []
    assert trips_in(played(edge, edge.beyond).records) == [[edge.code]]


def test_the_table_has_every_guard() -> None:
    # test_own_guards and test_halts have the other two.
    assert {edge.code for edge in EDGES} == set(GUARDS) - {Code.USER_GUARD, Code.REFUSAL_STORM}


def test_a_refused_order_leaves_nothing_in_flight() -> None:
    rig = Rig(max_gross_exposure="1000", max_position="10")
    rig.show(100, limit(BUY, 11, 90))
    ledger = rig.core.order_manager.account.ledger("USD")
    assert rig.core.order_manager.guards.open_orders == 0
    assert (ledger.open_buy_value, ledger.open_increase, ledger.wallet.locked) == (0, 0, 0)
