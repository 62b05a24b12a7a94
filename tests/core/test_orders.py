"""The life of an order: the table, and random streams of orders that may never leave it."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from logos.core.instrument import instrument
from logos.core.orders import TRANSITIONS, Order, OrderIntent
from logos.core.records import OrderRecord, OrderUpdate, Record
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    OrderRequest,
    Replace,
    Strategy,
    Target,
    limit,
    market,
    stop,
    stop_limit,
)
from logos.core.types import FillRule, OrderStatus, OrderType, Side, TimeInForce
from logos.errors import InvariantBroken
from logos.testing.builders import fee_schedule, paper_rules, quote, trading_core

COIN = instrument("COIN", tick="0.01", lot="0.001", quote="USD")

ENDED = {
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
}


# A shortest way to every status.
WAYS = {
    OrderStatus.NEW: [],
    OrderStatus.ACCEPTED: [OrderStatus.ACCEPTED],
    OrderStatus.PARTIALLY_FILLED: [OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED],
    OrderStatus.FILLED: [OrderStatus.ACCEPTED, OrderStatus.FILLED],
    OrderStatus.CANCELLED: [OrderStatus.CANCELLED],
    OrderStatus.REJECTED: [OrderStatus.REJECTED],
    OrderStatus.EXPIRED: [OrderStatus.EXPIRED],
    OrderStatus.UNKNOWN: [OrderStatus.UNKNOWN],
    OrderStatus.HELD: [OrderStatus.HELD],
}


def an_order(status: OrderStatus) -> Order:
    intent = OrderIntent(
        COIN, Side.BUY, 5, OrderType.MARKET, 0, 0, TimeInForce.GTC, 100, "", "mine"
    )
    order = Order(1, "test-1", intent, 0, 0, 1, 0, 100)
    for each in WAYS[status]:
        order.advance(each)
    return order


# Written out again on purpose: a change of the table must be a decision in two places.
ALLOWED = {
    ("NEW", "ACCEPTED"),
    ("NEW", "REJECTED"),
    ("NEW", "HELD"),
    ("HELD", "NEW"),
    ("HELD", "CANCELLED"),
    ("HELD", "EXPIRED"),
    ("NEW", "CANCELLED"),
    ("NEW", "EXPIRED"),
    ("NEW", "UNKNOWN"),
    ("UNKNOWN", "ACCEPTED"),
    ("UNKNOWN", "REJECTED"),
    ("UNKNOWN", "CANCELLED"),
    ("UNKNOWN", "EXPIRED"),
    ("ACCEPTED", "PARTIALLY_FILLED"),
    ("ACCEPTED", "FILLED"),
    ("ACCEPTED", "CANCELLED"),
    ("ACCEPTED", "EXPIRED"),
    ("PARTIALLY_FILLED", "PARTIALLY_FILLED"),
    ("PARTIALLY_FILLED", "FILLED"),
    ("PARTIALLY_FILLED", "CANCELLED"),
    ("PARTIALLY_FILLED", "EXPIRED"),
}


@pytest.mark.parametrize(
    ("before", "after"), list(itertools.product(OrderStatus, OrderStatus)), ids=lambda s: s.value
)
def test_every_pair_of_statuses(before: OrderStatus, after: OrderStatus) -> None:
    order = an_order(before)
    if (before.value, after.value) in ALLOWED:
        order.advance(after)
        assert order.status is after
    else:
        with pytest.raises(
            InvariantBroken, match=f"order 1: {before.value} cannot become {after.value}"
        ):
            order.advance(after)
        assert order.status is before


def test_an_order_is_open_until_nothing_can_follow() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)
    for status in OrderStatus:
        assert an_order(status).is_open == (status not in ENDED)


class Puppet(Strategy):
    """Answers what it was last told to, and orders a little on fills."""

    def __init__(self) -> None:
        self.answer: Answer = None
        self.on_next_fill: Answer = None

    def on_quote(self, context: Context, quote: object) -> Answer:
        answer, self.answer = self.answer, None
        return answer

    def on_fill(self, context: Context, fill: object) -> Answer:
        answer, self.on_next_fill = self.on_next_fill, None
        return answer


sides = st.sampled_from(Side)
sizes = st.integers(1, 6_000).map(lambda units: Decimal(units) / 1000)
prices = st.integers(9_000, 11_000).map(lambda units: Decimal(units) / 100)
tags = st.sampled_from(["a", "b", ""])
waits = st.sampled_from([TimeInForce.GTC, TimeInForce.DAY])
any_wait = st.sampled_from(TimeInForce)


def some_orders() -> st.SearchStrategy[OrderRequest]:
    return st.one_of(
        st.builds(market, sides, sizes, tag=tags),
        st.builds(limit, sides, sizes, prices, time_in_force=any_wait, tag=tags),
        st.builds(stop, sides, sizes, prices, time_in_force=waits, tag=tags),
        st.builds(stop_limit, sides, sizes, prices, prices, time_in_force=waits, tag=tags),
    )


def some_requests() -> st.SearchStrategy[Answer]:
    changes = st.one_of(
        st.builds(Cancel, order_id=st.integers(0, 30), tag=tags),
        st.builds(Replace, tag=tags, quantity=st.none() | sizes, limit_price=st.none() | prices),
        st.builds(Target, quantity=st.integers(-5, 5)),
    )
    return st.lists(st.one_of(some_orders(), changes), max_size=4)


class OrderStreams(RuleBasedStateMachine):
    """Quotes, orders, cancels and replacements in any order, spot or margin, with or without
    latency, participation cap and fees."""

    @initialize(
        latency_ns=st.sampled_from([0, 0, 3]),
        participation=st.sampled_from(["0", "0.5"]),
        fill_rule=st.sampled_from(FillRule),
        settlement=st.sampled_from(["spot", "margin"]),
        cash=st.sampled_from(["500", "100000"]),
    )
    def begin(
        self, latency_ns: int, participation: str, fill_rule: FillRule, settlement: str, cash: str
    ) -> None:
        self.traded = instrument(
            "COIN",
            tick="0.01",
            lot="0.001",
            quote="USD",
            settlement=settlement,
            leverage=1 if settlement == "spot" else 5,
            maintenance_margin="0.5",
            fees=fee_schedule(maker="0.0001", taker="0.0005", minimum="0.01", decimals=4),
        )
        self.puppet = Puppet()
        self.core = trading_core(
            self.puppet,
            self.traded,
            cash={"USD": cash, "COIN": "0"},
            borrow={"COIN": "10"},
            rules=paper_rules(
                fill_rule, latency_ns=latency_ns, participation=participation, slippage_ticks=1
            ),
        )
        self.now_ns = 1
        self.statuses: dict[int, list[OrderStatus]] = {}
        self.quantities: dict[int, int] = {}
        self.take(self.core.start(self.now_ns))

    def take(self, records: list[Record]) -> None:
        for record in records:
            if isinstance(record, OrderRecord):
                assert record.order_id == len(self.statuses) + 1
                self.statuses[record.order_id] = [OrderStatus.NEW]
                self.quantities[record.order_id] = record.quantity_units
            elif isinstance(record, OrderUpdate):
                past = self.statuses[record.order_id]
                assert record.status in TRANSITIONS[past[-1]]
                past.append(record.status)
                quantity = self.quantities[record.order_id]
                assert 0 <= record.filled_units <= quantity
                is_whole = record.filled_units == quantity
                assert is_whole == (record.status is OrderStatus.FILLED)

    @rule(
        requests=some_requests(),
        on_fill=some_orders() | st.none(),
        bid=st.integers(9_000, 11_000),
        spread=st.integers(0, 50),
        size=st.integers(0, 5),
        wait_ns=st.sampled_from([0, 1, 2, 5, 40_000_000_000_000]),
    )
    def tick(
        self, requests: Answer, on_fill: Answer, bid: int, spread: int, size: int, wait_ns: int
    ) -> None:
        self.now_ns += wait_ns
        self.puppet.answer = requests
        self.puppet.on_next_fill = on_fill
        ask = bid + spread
        event = quote(
            self.traded,
            self.now_ns,
            str(Decimal(bid) / 100),
            str(Decimal(ask) / 100),
            str(size),
            str(size),
        )
        self.take(self.core.step(event))

    @invariant()
    def what_is_open_is_counted_and_locked_exactly(self) -> None:
        book = self.core.order_manager.states["COIN"]
        working = book.working
        assert all(order.is_open for order in working)
        assert [o.order_id for o in working] == sorted(o.order_id for o in working)
        assert book.open_buy == sum(o.remaining for o in working if o.is_buy)
        assert book.open_sell == sum(o.remaining for o in working if not o.is_buy)
        locked: Counter[str] = Counter()
        for order in working:
            in_base = self.traded.settlement == "spot" and not order.is_buy
            locked["COIN" if in_base else "USD"] += order.locked
        for wallet in self.core.order_manager.account.wallets:
            assert wallet.locked == locked[wallet.asset]
        self.core.order_manager.account.ledger("USD").check()
        assert {n for n, past in self.statuses.items() if past[-1] not in ENDED} == {
            order.order_id for order in working
        }

    def teardown(self) -> None:
        if not hasattr(self, "core"):
            return
        self.take(self.core.stop())
        for past in self.statuses.values():
            assert sum(status in ENDED for status in past) == 1
            assert past[-1] in ENDED
        assert all(wallet.locked == 0 for wallet in self.core.order_manager.account.wallets)
        book = self.core.order_manager.states["COIN"]
        assert (book.open_buy, book.open_sell, book.working) == (0, 0, [])


TestOrderStreams = pytest.mark.long(OrderStreams.TestCase)
TestOrderStreams.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
