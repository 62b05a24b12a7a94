"""The guards: one test a code, which comes first, and a position limit nothing can outrun."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from logos.core.instrument import FeeSchedule, instrument
from logos.core.records import Record, RefusalRecord
from logos.core.strategy import Answer, Cancel, Replace, Target, limit, market, stop, stop_limit
from logos.core.types import Code, FillRule, Side
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fee_schedule,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    trading_core,
)

BUY = Side.BUY
SELL = Side.SELL
CLOSE = paper_rules(FillRule.DECISION_CLOSE)
FLAT = "100 100 100 100"


def coin(**terms: Any) -> Any:
    return instrument("COIN", **{"tick": "0.01", "lot": "0.01", "quote": "USD", **terms})


MARGIN: dict[str, Any] = {"settlement": "margin", "leverage": 10, "maintenance_margin": "0.5"}


def judged(*answers: Answer, terms: dict[str, Any] | None = None, **how: Any) -> list[Record]:
    """What happened to these answers, one a bar at 100, market orders filled at once."""
    traded = coin(**(terms or {}))
    core = trading_core(Scripted(dict(enumerate(answers, 1))), traded, **{"rules": CLOSE, **how})
    records = core.start(1)
    for number in range(1, len(answers) + 1):
        records += core.step(bar(traded, number, FLAT))
    return records


LONG_10 = market(BUY, 10)
RULES: list[tuple[str, Code | None, tuple[Answer, ...], dict[str, Any], dict[str, Any]]] = [
    # name, code of the last answer (None: approved), answers, terms of the instrument, limits
    ("below minimum", Code.BELOW_MINIMUM_QUANTITY, (market(BUY, 1),), {"min_quantity": "2"}, {}),
    ("at minimum", None, (market(BUY, 2),), {"min_quantity": "2"}, {}),
    ("above maximum", Code.ABOVE_MAXIMUM_QUANTITY, (market(BUY, 3),), {"max_quantity": "2"}, {}),
    ("at maximum", None, (market(BUY, 2),), {"max_quantity": "2"}, {}),
    ("small notional", Code.BELOW_MINIMUM_NOTIONAL, (LONG_10,), {"min_notional": "1000.01"}, {}),
    ("just the notional", None, (LONG_10,), {"min_notional": "1000"}, {}),
    (
        "a bid far below makes a small notional",
        Code.BELOW_MINIMUM_NOTIONAL,
        (limit(BUY, 10, 99),),
        {"min_notional": "1000"},
        {},
    ),
    ("collar above", Code.PRICE_COLLAR, (limit(BUY, 1, "110.01"),), {}, {"collar": "0.1"}),
    ("collar below", Code.PRICE_COLLAR, (limit(BUY, 1, "89.99"),), {}, {"collar": "0.1"}),
    ("collar's edge", None, (limit(BUY, 1, "110"),), {}, {"collar": "0.1"}),
    ("collar of a stop", Code.PRICE_COLLAR, (stop(BUY, 1, 120),), {}, {"collar": "0.1"}),
    (
        "collar of either price",
        Code.PRICE_COLLAR,
        (stop_limit(BUY, 1, 105, 120),),
        {},
        {"collar": "0.1"},
    ),
    ("no collar on market orders", None, (LONG_10,), {}, {"collar": "0.000001"}),
    ("order notional", Code.MAX_ORDER_NOTIONAL, (LONG_10,), {}, {"max_order_notional": "999.99"}),
    ("at order notional", None, (LONG_10,), {}, {"max_order_notional": "1000"}),
    (
        "a sale is judged at the better of limit and market",
        Code.MAX_ORDER_NOTIONAL,
        (limit(SELL, 10, 90),),
        {},
        {"max_order_notional": "950", "borrow": {"COIN": "10"}},
    ),
    (
        "a stop to buy is judged at its stop",
        Code.MAX_ORDER_NOTIONAL,
        (stop(BUY, 10, 110),),
        {},
        {"max_order_notional": "1050"},
    ),
    ("position", Code.MAX_POSITION, (LONG_10, market(BUY, "0.01")), {}, {"max_position": "10"}),
    ("at position", None, (market(BUY, 9), market(BUY, 1)), {}, {"max_position": "10"}),
    (
        "position in flight",
        Code.MAX_POSITION,
        (limit(BUY, 10, 90), market(BUY, 1)),
        {},
        {"max_position": "10"},
    ),
    (
        "what may sell does not make room to buy",
        Code.MAX_POSITION,
        ([market(BUY, 10), limit(SELL, 5, 110)], market(BUY, 1)),
        {},
        {"max_position": "10"},
    ),
    (
        "short position",
        Code.MAX_POSITION,
        (market(SELL, "10.01"),),
        {},
        {"max_position": "10", "borrow": {"COIN": "99"}},
    ),
    (
        "through flat to the other limit",
        None,
        (LONG_10, market(SELL, 20)),
        {},
        {"max_position": "10", "borrow": {"COIN": "99"}},
    ),
    ("funds", Code.INSUFFICIENT_FUNDS, (LONG_10,), {}, {"cash": {"USD": "999.99"}}),
    ("just the funds", None, (LONG_10,), {}, {"cash": {"USD": "1000"}}),
    (
        "funds for the fee too",
        Code.INSUFFICIENT_FUNDS,
        (LONG_10,),
        {"fees": fee_schedule(taker="0.001")},
        {"cash": {"USD": "1000.99"}},
    ),
    ("credit", None, (LONG_10,), {}, {"cash": {"USD": "900"}, "borrow": {"USD": "100"}}),
    (
        "what another order locks is not there",
        Code.INSUFFICIENT_FUNDS,
        (limit(BUY, 5, 90), market(BUY, 6)),
        {},
        {"cash": {"USD": "1000"}},
    ),
    ("borrow", Code.INSUFFICIENT_BORROW, (market(SELL, 1),), {}, {}),
    (
        "borrowing more than allowed",
        Code.INSUFFICIENT_BORROW,
        (LONG_10, market(SELL, "15.01")),
        {},
        {"borrow": {"COIN": "5"}},
    ),
    ("borrowing", None, (LONG_10, market(SELL, 15)), {}, {"borrow": {"COIN": "5"}}),
    (
        "what is offered already is not there",
        Code.INSUFFICIENT_BORROW,
        (LONG_10, [limit(SELL, 6, 110), market(SELL, 5)]),
        {},
        {},
    ),
    ("margin", Code.INSUFFICIENT_FUNDS, (LONG_10,), MARGIN, {"cash": {"USD": "99.99"}}),
    ("just the margin", None, (LONG_10,), MARGIN, {"cash": {"USD": "100"}}),
    ("short margin", Code.INSUFFICIENT_FUNDS, (market(SELL, 10),), MARGIN, {"cash": {"USD": "99"}}),
    (
        "closing needs no margin",
        None,
        (LONG_10, market(SELL, 10)),
        MARGIN,
        {"cash": {"USD": "100"}},
    ),
    (
        "nor is it held up by its fee",
        None,
        (LONG_10, market(SELL, 10)),
        {**MARGIN, "fees": fee_schedule(taker="0.001")},
        {"cash": {"USD": "101"}},
    ),
    (
        "beyond closing it does",
        Code.INSUFFICIENT_FUNDS,
        (LONG_10, market(SELL, 12)),
        MARGIN,
        {"cash": {"USD": "100"}},
    ),
    (
        "a second closing order opens",
        Code.INSUFFICIENT_FUNDS,
        (LONG_10, [limit(SELL, 10, 110), limit(SELL, 10, 110)]),
        MARGIN,
        {"cash": {"USD": "100"}},
    ),
]


@pytest.mark.parametrize(
    ("code", "answers", "terms", "how"), [case[1:] for case in RULES], ids=[c[0] for c in RULES]
)
def test_guard(
    code: Code | None, answers: tuple[Answer, ...], terms: dict[str, Any], how: dict[str, Any]
) -> None:
    records = judged(*answers, terms=terms, **how)
    assert refusals_in(records) == ([] if code is None else [code])
    count = sum(len(each) if isinstance(each, list) else 1 for each in answers)
    assert len(orders_in(records)) == count - (code is not None)


def test_without_a_price_nothing_is_judged() -> None:
    core = trading_core(Scripted({0: market(BUY, 1, symbol="COIN")}), coin())
    assert refusals_in(core.start(1)) == [Code.NO_REFERENCE_PRICE]


def test_an_intent_that_breaks_every_rule_is_refused_once_with_all_codes_in_order() -> None:
    records = judged(
        limit(BUY, 10, 90),
        terms={"min_notional": "10000"},
        collar="0.01",
        max_order_notional="100",
        max_position="2",
        cash={"USD": "10"},
    )
    refusals = [each for each in records if isinstance(each, RefusalRecord)]
    assert [[each.code, *each.also] for each in refusals] == [
        [
            Code.PRICE_COLLAR,
            Code.BELOW_MINIMUM_NOTIONAL,
            Code.MAX_ORDER_NOTIONAL,
            Code.MAX_POSITION,
            Code.INSUFFICIENT_FUNDS,
        ]
    ]


def test_a_refusal_says_what_and_how_much() -> None:
    records = judged(market(BUY, 11), max_position="10")
    details = [each.detail for each in records if isinstance(each, RefusalRecord)]
    assert details == ["11.00 could result, the limit is 10.00"]


@pytest.mark.parametrize(
    ("cash", "fees", "end"),
    [
        ("1009.99", fee_schedule(), "CANCELLED INSUFFICIENT_FUNDS"),
        ("1010", fee_schedule(), "FILLED"),
        ("1011", fee_schedule(taker="0.001"), "CANCELLED INSUFFICIENT_FUNDS"),
        ("1011.01", fee_schedule(taker="0.001"), "FILLED"),
    ],
)
def test_an_order_that_turns_out_too_dear_ends_at_its_fill(
    cash: str, fees: FeeSchedule, end: str
) -> None:
    traded = coin(fees=fees)
    core = trading_core(Scripted({1: market(BUY, 10)}), traded, cash={"USD": cash})
    records = core.start(1) + core.step(bar(traded, 1, FLAT))
    records += core.step(bar(traded, 2, "101 101 101 101"))
    assert ends_in(records) == {1: end}
    wallet = core.order_manager.account.ledger("USD").wallet
    assert wallet.locked == 0
    assert (wallet.balance == wallet.initial) == (end != "FILLED")


@pytest.mark.parametrize(
    ("cash", "end"), [("1109", "CANCELLED INSUFFICIENT_FUNDS"), ("1110", "FILLED")]
)
def test_what_margin_binds_cannot_buy_at_the_fill_either(cash: str, end: str) -> None:
    traded = coin()
    future = instrument("FUT", tick="1", lot="1", quote="USD", settlement="margin", leverage=10)
    orders = [market(BUY, 10, symbol="FUT"), market(BUY, 10, symbol="COIN")]
    core = trading_core(Scripted({2: orders}), future, traded, cash={"USD": cash})
    records = core.start(1)
    for event in (bar(traded, 1, FLAT), bar(future, 1, FLAT), bar(future, 2, FLAT)):
        records += core.step(event)
    assert core.order_manager.account.ledger("USD").initial_margin == 100 * 10**8
    records += core.step(bar(traded, 2, "101 101 101 101"))
    assert ends_in(records) == {1: "FILLED", 2: end}


@pytest.mark.parametrize(
    ("level", "quantity", "codes"),
    [
        ("96", 1, []),
        ("96", 2, [Code.INSUFFICIENT_FUNDS]),  # 10 are free after an open loss of 40
        ("110", 4, []),
        ("110", 5, [Code.INSUFFICIENT_FUNDS]),  # 50 are free: an open profit adds nothing
    ],
)
def test_open_losses_take_free_margin_and_open_profits_give_none(
    level: str, quantity: int, codes: list[Code]
) -> None:
    traded = coin(**MARGIN)
    script: dict[int, Answer] = {1: LONG_10, 2: market(BUY, quantity)}
    core = trading_core(Scripted(script), traded, cash={"USD": "150"}, rules=CLOSE)
    records = core.start(1) + core.step(bar(traded, 1, FLAT))
    records += core.step(bar(traded, 2, " ".join([level] * 4)))
    assert refusals_in(records) == codes


@pytest.mark.parametrize(("quantity", "codes"), [(9, []), ("9.01", [Code.INSUFFICIENT_FUNDS])])
def test_what_margin_binds_cannot_be_spent(quantity: Any, codes: list[Code]) -> None:
    traded = coin()
    future = instrument("FUT", tick="1", lot="1", quote="USD", settlement="margin", leverage=10)
    script: dict[int, Answer] = {1: LONG_10, 2: market(BUY, quantity)}
    core = trading_core(Scripted(script), future, traded, cash={"USD": "1000"}, rules=CLOSE)
    records = core.start(1) + core.step(bar(future, 1, FLAT)) + core.step(bar(traded, 1, FLAT))
    assert refusals_in(records) == codes


signed = st.integers(-400, 400).filter(bool)
prices = st.integers(9_700, 10_300).map(lambda units: Decimal(units) / 100)


class PositionLimit(RuleBasedStateMachine):
    """With a limit of 3, no interleaving of orders, fills, cancels and replacements exceeds it."""

    LIMIT = 300

    @initialize(
        latency_ns=st.sampled_from([0, 2]),
        participation=st.sampled_from(["0", "0.5"]),
        fill_rule=st.sampled_from(FillRule),
    )
    def begin(self, latency_ns: int, participation: str, fill_rule: FillRule) -> None:
        self.traded = coin(**MARGIN)
        self.script: dict[int, Answer] = {}
        self.ticks = 0
        self.core = trading_core(
            Scripted(self.script),
            self.traded,
            cash={"USD": "1000000"},
            max_position="3",
            rules=paper_rules(fill_rule, latency_ns=latency_ns, participation=participation),
        )
        self.core.start(0)

    def tick(self, mid: Decimal, size: str, answer: Answer) -> None:
        self.ticks += 1
        self.script[self.ticks] = answer
        bid, ask = str(mid - Decimal("0.01")), str(mid + Decimal("0.01"))
        self.core.step(quote(self.traded, self.ticks, bid, ask, size, size))

    @rule(mid=prices, size=st.sampled_from(["0", "1", "9"]))
    def move(self, mid: Decimal, size: str) -> None:
        self.tick(mid, size, None)

    @rule(mid=prices, amounts=st.lists(st.tuples(signed, st.none() | prices), max_size=3))
    def order(self, mid: Decimal, amounts: list[tuple[int, Decimal | None]]) -> None:
        orders = []
        for units, price in amounts:
            side, size = (BUY if units > 0 else SELL), Decimal(abs(units)) / 100
            orders.append(
                market(side, size) if price is None else limit(side, size, price, tag="t")
            )
        self.tick(mid, "1", orders)

    @rule(mid=prices, quantity=st.integers(1, 5), aim=st.integers(-4, 4))
    def change(self, mid: Decimal, quantity: int, aim: int) -> None:
        self.tick(mid, "1", [Replace(tag="t", quantity=quantity), Cancel(tag="t"), Target(aim)])

    @invariant()
    def no_interleaving_passes_the_limit(self) -> None:
        book = self.core.order_manager.states["COIN"]
        position = book.inventory.position
        assert abs(position) <= self.LIMIT
        assert position + book.open_buy <= self.LIMIT
        assert book.open_sell - position <= self.LIMIT


TestPositionLimit = pytest.mark.long(PositionLimit.TestCase)
TestPositionLimit.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
