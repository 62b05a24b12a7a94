"""What a venue's reports do to the books, and what of them is not believed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.audit.auditor import Terms, audit
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote, Report, Suspend, TimePassed
from logos.core.orders import Order
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.records import (
    GuardRecord,
    OrderUpdate,
    PaperFillRecord,
    Record,
    RefusalRecord,
    WarningRecord,
)
from logos.core.strategy import Answer, Cancel, Context, Replace, Strategy, limit, market
from logos.core.types import Code, OrderStatus, ReportKind, Side, SwitchState
from logos.session.artifacts.tables import ArtifactWriter
from logos.testing.builders import Scripted, fee_schedule, fills_in, orders_in, quote
from logos.testing.venue_core import outbox_of, report, venue_core

FEES = fee_schedule(maker="0.0002", taker="0.0005", decimals=6)
COIN = instrument("COIN", tick="0.01", lot="0.001", quote="USD", fees=FEES)
PERP = instrument(
    "PERP", tick="0.01", lot="0.001", quote="USD", settlement="margin", leverage=5, fees=FEES
)

BUY_TWO = limit(Side.BUY, 2, 10, tag="mine")


def at(ts_ns: int) -> Quote:
    return quote(COIN, ts_ns, "10.00", "10.01")


def started(strategy: Strategy, **how: Any) -> TradingCore:
    """A core that has seen its first quote and made the strategy's orders."""
    core = venue_core(strategy, COIN, **how)
    core.start(1)
    core.run([at(1)])
    core.take_effects()
    return core


def with_order(status: OrderStatus, **how: Any) -> TradingCore:
    """A core with one order, two coins to buy, that stands at `status`."""
    core = started(Scripted({1: BUY_TWO}), **how)
    outbox_of(core).take()
    if status is OrderStatus.UNKNOWN:
        core.run([report(ReportKind.UNKNOWN, 2)])
    elif status is not OrderStatus.NEW:
        core.run([report(ReportKind.ACCEPTED, 2)])
    if status is OrderStatus.PARTIALLY_FILLED:
        core.run([filled(2, 500)])
    core.take_effects()
    assert order_of(core).status is status
    return core


def order_of(core: TradingCore) -> Order:
    return outbox_of(core).open["test-1"]


def filled(
    ts_ns: int, quantity: int, price: int = 1000, fee: int = 0, fill_id: str = "F"
) -> Report:
    return report(
        ReportKind.FILLED, ts_ns, quantity=quantity, price=price, fee=fee, fill_id=fill_id
    )


def told(core: TradingCore, *events: Event) -> list[Record]:
    core.run(events)
    core.order_manager.account.ledgers[0].check()
    return core.take_effects()


def updates_in(records: Sequence[Record]) -> list[str]:
    """Every status an order came to, with its reason."""
    return [
        f"{each.status.value} {each.reason}".rstrip()
        for each in records
        if isinstance(each, OrderUpdate)
    ]


def is_tripped(records: Sequence[Record], core: TradingCore) -> bool:
    guards = [each for each in records if isinstance(each, GuardRecord)]
    assert all(each.code is Code.RECONCILIATION and each.action == "engage" for each in guards)
    assert bool(guards) == (core.switch.authority() is SwitchState.ENGAGED)
    return bool(guards)


NEW, UNKNOWN = OrderStatus.NEW, OrderStatus.UNKNOWN
ACCEPTED, PART = OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED
TRIP = "trips"

EVERY_KIND_IN_EVERY_STATUS = [
    (ReportKind.ACCEPTED, {NEW: "ACCEPTED", UNKNOWN: "ACCEPTED", ACCEPTED: "", PART: ""}),
    (ReportKind.UNKNOWN, {NEW: "UNKNOWN", UNKNOWN: "", ACCEPTED: "", PART: ""}),
    (
        ReportKind.NOT_SENT,
        {
            NEW: "REJECTED NEVER_SENT",
            UNKNOWN: "REJECTED NEVER_SENT",
            ACCEPTED: TRIP,
            PART: TRIP,
        },
    ),
    (
        ReportKind.REJECTED,
        {
            NEW: "REJECTED REJECTED_BY_VENUE",
            UNKNOWN: "REJECTED REJECTED_BY_VENUE",
            ACCEPTED: TRIP,
            PART: TRIP,
        },
    ),
    (
        ReportKind.CANCELLED,
        dict.fromkeys((NEW, UNKNOWN, ACCEPTED, PART), "CANCELLED CANCELLED_BY_VENUE"),
    ),
    (
        ReportKind.EXPIRED,
        dict.fromkeys((NEW, UNKNOWN, ACCEPTED, PART), "EXPIRED EXPIRED_AT_VENUE"),
    ),
    (ReportKind.DIFFERENCE, dict.fromkeys((NEW, UNKNOWN, ACCEPTED, PART), TRIP)),
]


@pytest.mark.parametrize(
    ("kind", "status", "outcome"),
    [
        pytest.param(kind, status, outcome, id=f"{kind.value}-{status.value}")
        for kind, outcomes in EVERY_KIND_IN_EVERY_STATUS
        for status, outcome in outcomes.items()
    ],
)
def test_every_kind_of_report_has_one_meaning_in_every_status(
    kind: ReportKind, status: OrderStatus, outcome: str
) -> None:
    core = with_order(status)
    records = told(core, report(kind, 3))
    assert is_tripped(records, core) == (outcome == TRIP)
    if outcome != TRIP:
        assert updates_in(records) == ([outcome] if outcome else [])
    else:
        assert updates_in(records) == []
        assert order_of(core).is_open
    has_ended = outcome not in (TRIP, "", "ACCEPTED", "UNKNOWN")
    assert ("test-1" not in outbox_of(core).open) == has_ended
    if has_ended:
        wallet = core.order_manager.account.ledgers[0].wallet
        assert (wallet.locked, core.order_manager.guards.open_orders) == (0, 0)


@pytest.mark.parametrize("status", [NEW, UNKNOWN, ACCEPTED, PART])
def test_a_whole_fill_ends_an_order_from_any_status(status: OrderStatus) -> None:
    core = with_order(status)
    rest = order_of(core).remaining
    records = told(core, filled(3, rest, price=999, fee=7))
    assert not is_tripped(records, core)
    (fill,) = fills_in(records)
    assert (fill.quantity_units, fill.price_units, fill.fee_units) == (rest, 999, 7)
    assert updates_in(records)[-1] == "FILLED"
    assert outbox_of(core).open == {}
    assert core.order_manager.states["COIN"].inventory.position == 2000


@pytest.mark.parametrize(
    "fill",
    [filled(3, 2001), filled(3, 0), filled(3, -5), filled(3, 100, price=0), filled(3, 100, -1)],
    ids=["too much", "nothing", "negative", "no price", "a negative price"],
)
def test_a_fill_that_cannot_be_is_not_booked_and_stops_trading(fill: Report) -> None:
    core = with_order(ACCEPTED)
    cash = core.order_manager.account.ledgers[0].wallet.balance
    records = told(core, fill)
    assert is_tripped(records, core)
    assert fills_in(records) == []
    assert core.order_manager.states["COIN"].inventory.position == 0
    assert core.order_manager.account.ledgers[0].wallet.balance == cash
    assert order_of(core).filled == 0


@pytest.mark.parametrize("kind", [kind for kind in ReportKind if kind is not ReportKind.DIFFERENCE])
def test_a_word_of_an_order_nobody_made_stops_trading(kind: ReportKind) -> None:
    core = started(Scripted())
    records = told(core, report(kind, 3, "test-77", quantity=5, price=1000))
    assert is_tripped(records, core)
    (guard,) = [each for each in records if isinstance(each, GuardRecord)]
    assert guard.subject == "test-77"
    assert "which is not open" in guard.detail


@pytest.mark.parametrize("end", [ReportKind.CANCELLED, ReportKind.EXPIRED, ReportKind.NOT_SENT])
def test_a_fill_after_the_end_is_not_booked_and_stops_trading(end: ReportKind) -> None:
    core = with_order(NEW)
    told(core, report(end, 3))
    records = told(core, filled(4, 500))
    assert is_tripped(records, core)
    assert fills_in(records) == []


def test_a_difference_says_what_and_where_and_stops_every_order() -> None:
    core = with_order(ACCEPTED)
    records = told(core, report(ReportKind.DIFFERENCE, 3, "USD", "12 USD more there"))
    (guard,) = [each for each in records if isinstance(each, GuardRecord)]
    assert (guard.subject, guard.detail) == ("USD", "12 USD more there")
    assert [each.client_order_id for each in outbox_of(core).take()] == ["test-1"]


def test_the_venues_words_are_on_record() -> None:
    core = with_order(NEW)
    records = told(core, report(ReportKind.REJECTED, 3, detail="no margin today"))
    (warning,) = [each for each in records if isinstance(each, WarningRecord)]
    assert (warning.code, warning.detail) == ("REJECTED", "test-1: no margin today")


# ---- what the strategy is told, and what it wants ----


class Chaser(Strategy):
    """Buys once; answers each fill with a small sale."""

    def __init__(self) -> None:
        self.fills: list[PaperFillRecord] = []

    def on_start(self, context: Context) -> Answer:
        return None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return BUY_TWO if not context.open_orders("COIN") and not self.fills else None

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.fills.append(fill)
        return market(Side.SELL, "0.1") if fill.side is Side.BUY else None


def test_the_strategy_hears_of_its_fills_and_answers_them() -> None:
    strategy = Chaser()
    core = started(strategy)
    outbox_of(core).take()
    records = told(core, report(ReportKind.ACCEPTED, 2), filled(3, 500))
    assert [fill.quantity_units for fill in strategy.fills] == [500]
    assert [order.side for order in orders_in(records)] == [Side.SELL]
    (request,) = outbox_of(core).take()
    assert isinstance(request, SubmitOrder)
    assert request.client_order_id == "test-2"


def test_an_engaged_switch_books_the_fill_and_does_not_ask_the_strategy() -> None:
    strategy = Chaser()
    core = started(strategy)
    core.switch.engage("test", "test")
    records = told(core, filled(3, 500))
    assert [each.quantity_units for each in fills_in(records)] == [500]
    assert strategy.fills == []
    assert orders_in(records) == []


def test_a_cancel_is_requested_once_however_often_it_is_wanted() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Cancel(tag="mine"), 3: Cancel(tag="mine")}))
    outbox_of(core).take()
    told(core, report(ReportKind.ACCEPTED, 2), at(3), at(4))
    core.switch.engage("test", "test")
    told(core, at(5))
    (request,) = outbox_of(core).take()
    assert isinstance(request, CancelOrder)
    assert order_of(core).status is ACCEPTED
    records = told(core, report(ReportKind.CANCELLED, 6))
    assert updates_in(records) == ["CANCELLED CANCELLED_BY_KILL_SWITCH"]


@pytest.mark.parametrize("status", [NEW, UNKNOWN, ACCEPTED, PART])
def test_the_kill_switch_asks_for_the_cancel_of_every_open_order(status: OrderStatus) -> None:
    core = with_order(status)
    core.switch.engage("test", "test")
    told(core, TimePassed(4))
    (request,) = outbox_of(core).take()
    assert request == CancelOrder("test-1", "COIN")
    assert order_of(core).is_open


def test_the_successor_of_a_replaced_order_is_sent_when_the_venue_has_ended_the_old_one() -> None:
    new = Replace(tag="mine", quantity=3, limit_price="9.5")
    core = started(Scripted({1: BUY_TWO, 2: new}))
    outbox_of(core).take()
    assert orders_in(told(core, report(ReportKind.ACCEPTED, 2), filled(2, 500), at(3))) == []
    (request,) = outbox_of(core).take()
    assert isinstance(request, CancelOrder)
    records = told(core, report(ReportKind.CANCELLED, 4))
    (order,) = orders_in(records)
    assert (order.quantity_units, order.limit_price_units, order.tag) == (2500, 950, "mine")
    assert updates_in(records) == ["CANCELLED REPLACED"]


def test_an_order_that_filled_before_its_replacement_has_no_successor() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Replace(tag="mine", limit_price="9.5")}))
    records = told(core, report(ReportKind.ACCEPTED, 2), at(3), filled(4, 2000))
    assert updates_in(records)[-1] == "FILLED"
    assert orders_in(records) == []


def test_a_killed_order_that_was_to_be_replaced_has_no_successor() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Replace(tag="mine", limit_price="9.5")}))
    told(core, report(ReportKind.ACCEPTED, 2), at(3))
    core.switch.engage("test", "test")
    records = told(core, TimePassed(4), report(ReportKind.CANCELLED, 5))
    assert updates_in(records) == ["CANCELLED CANCELLED_BY_KILL_SWITCH"]
    assert orders_in(records) == []


# ---- gates ----


def test_reduce_only_cancels_what_could_grow_a_position() -> None:
    script: dict[int, Answer] = {1: BUY_TWO, 2: limit(Side.SELL, "0.3", 11)}
    core = started(Scripted(script))
    told(core, filled(2, 500), at(3))
    outbox_of(core).take()
    core.switch.set_reduce_only("test", "test")
    told(core, TimePassed(4))
    assert [each.client_order_id for each in outbox_of(core).take()] == ["test-1"]


def test_reduce_only_lets_through_what_shrinks_the_position_and_nothing_else() -> None:
    script: dict[int, Answer] = {
        1: BUY_TWO,
        2: market(Side.SELL, "1.5"),
        3: market(Side.SELL, "0.6"),
        4: market(Side.BUY, "0.1"),
    }
    core = started(Scripted(script))
    told(core, filled(2, 2000))
    core.switch.set_reduce_only("test", "test")
    records = told(core, at(4), at(5), at(6))
    assert [order.quantity_units for order in orders_in(records)] == [1500]
    refused = [each.code for each in records if isinstance(each, RefusalRecord)]
    assert refused == [Code.INSUFFICIENT_BORROW, Code.REDUCE_ONLY]


def test_gate_2_refuses_an_order_once_the_switch_is_engaged_and_nothing_leaves() -> None:
    class EngagesBetweenTheGates:
        """A switch of its own: the compiled one cannot be inherited from."""

        def __init__(self) -> None:
            self._switch = InProcessSwitch()
            self.flag = self._switch.flag
            self.engage = self._switch.engage
            self.set_reduce_only = self._switch.set_reduce_only
            self.why = self._switch.why

        def authority(self) -> SwitchState:
            self.engage("between the gates", "test")
            return self._switch.authority()

    core = venue_core(Scripted({1: BUY_TWO}), COIN, switch=EngagesBetweenTheGates())
    records = told(core, at(1))
    assert [each.code for each in records if isinstance(each, RefusalRecord)] == [
        Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING
    ]
    assert outbox_of(core).take() == []


# ---- the end ----


def test_a_stop_asks_for_cancels_and_books_what_the_venue_says_of_them() -> None:
    core = with_order(ACCEPTED)
    core.begin_stop()
    assert [each.client_order_id for each in outbox_of(core).take()] == ["test-1"]
    records = told(core, filled(3, 700), report(ReportKind.CANCELLED, 4))
    assert updates_in(records) == ["PARTIALLY_FILLED", "CANCELLED SESSION_ENDED"]
    core.finish()
    assert core.order_manager.states["COIN"].inventory.position == 700


def test_a_session_that_ends_sends_no_successors() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Replace(tag="mine", limit_price="9.5")}))
    told(core, report(ReportKind.ACCEPTED, 2), at(3))
    core.begin_stop()
    records = told(core, report(ReportKind.CANCELLED, 4))
    assert updates_in(records) == ["CANCELLED SESSION_ENDED"]
    assert orders_in(records) == []


def test_a_session_that_halts_in_a_batch_still_books_the_reports_behind_it() -> None:
    core = with_order(ACCEPTED, halt_on_engage=True)
    core.switch.engage("test", "test")
    ticks = core.order_manager.tick_id
    records = told(core, TimePassed(3), filled(4, 700), at(5), filled(6, 1300))
    assert core.is_halted
    assert [fill.quantity_units for fill in fills_in(records)] == [700, 1300]
    assert outbox_of(core).open == {}
    assert core.order_manager.tick_id == ticks + 3, "the quote was left alone"


def test_a_halted_session_that_waits_for_its_venue_books_every_report() -> None:
    core = with_order(ACCEPTED, halt_on_engage=True)
    core.switch.engage("test", "test")
    told(core, TimePassed(3))
    core.begin_stop()
    records = told(core, filled(4, 700), at(5), report(ReportKind.CANCELLED, 6))
    assert updates_in(records) == ["PARTIALLY_FILLED", "CANCELLED CANCELLED_BY_KILL_SWITCH"]
    assert outbox_of(core).open == {}


def test_an_operator_who_closes_the_session_has_its_orders_cancelled_and_reports_booked() -> None:
    strategy = Chaser()
    core = started(strategy)
    outbox_of(core).take()
    told(core, Suspend(2, "lunch", "me"))
    assert len(outbox_of(core).take()) == 1
    records = told(core, filled(3, 700), report(ReportKind.CANCELLED, 4))
    assert updates_in(records)[-1] == "CANCELLED CANCELLED_BY_OPERATOR"
    assert strategy.fills == []


# ---- the books ----


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), symbol=st.sampled_from(["COIN", "PERP"]))
def test_fills_in_any_pieces_at_any_fees_give_exact_books(seed: int, symbol: str) -> None:
    random = Random(seed)
    traded = {"COIN": COIN, "PERP": PERP}[symbol]
    orders: dict[int, Answer] = {
        number: limit(random.choice(list(Side)), "2", 10, symbol=symbol) for number in range(1, 9)
    }
    core = venue_core(Scripted(orders), traded, borrow={"COIN": "1000"})
    position = cost = fees = 0
    for now_ns in range(2, 10):
        told(core, quote(traded, now_ns, "10.00", "10.01"))
    for request in outbox_of(core).take():
        assert isinstance(request, SubmitOrder)
        left, sign = request.terms.quantity, 1 if request.terms.is_buy else -1
        while left and random.random() < 0.9:
            quantity = random.randint(1, left)
            price, fee = random.randint(900, 1100), random.randint(0, 10**6)
            client_id = request.client_order_id
            told(core, report(
                ReportKind.FILLED, now_ns, client_id, quantity=quantity, price=price, fee=fee
            ))  # fmt: skip
            left -= quantity
            position += sign * quantity
            cost += sign * quantity * price
            fees += fee
    book, ledger = core.order_manager.states[symbol], core.order_manager.account.ledgers[0]
    assert book.inventory.position == position
    assert (book.fees, ledger.fees) == (fees, fees)
    unit = book.unit_value
    if symbol == "COIN":
        assert ledger.wallet.balance == ledger.initial - cost * unit - fees
        assert book.base_wallet.balance == position * book.base_factor
    else:
        spent = cost * unit - book.inventory.cost
        assert ledger.wallet.balance == ledger.initial - spent - fees


def test_an_independent_auditor_agrees_with_the_books_of_a_venue(tmp_path: Path) -> None:
    random = Random(5)
    script: dict[int, Answer] = {
        number: limit(random.choice(list(Side)), "2", 10) for number in range(1, 30)
    }
    core = venue_core(Scripted(script), COIN, borrow={"COIN": "1000"})
    records = core.start(1)
    for now_ns in range(1, 30):
        records += told(core, at(now_ns))
        for order in list(outbox_of(core).open.values()):
            if random.random() < 0.5:
                quantity, price = random.randint(1, order.remaining), random.randint(990, 1010)
                fee = random.randint(0, 50_000)
                client_id = order.client_order_id
                records += told(core, report(
                    ReportKind.FILLED, now_ns, client_id, quantity=quantity, price=price, fee=fee
                ))  # fmt: skip
    writer = ArtifactWriter(tmp_path, {"COIN": core.order_manager.states["COIN"].unit_value})
    writer.write(records)
    writer.close()
    terms = {"COIN": Terms("COIN", "USD", Fraction(1), "spot")}
    found = audit(tmp_path / "trades.csv", terms, {"USD": "1000000"})
    assert found.is_clean, found
    assert found.rows > 20


@pytest.mark.parametrize("wish", [Cancel(tag="mine"), Replace(tag="mine", limit_price="9.5")])
def test_a_strategy_that_wants_it_too_does_not_take_a_cancel_from_the_switch(
    wish: Answer,
) -> None:
    core = started(Scripted({1: BUY_TWO, 2: wish}))
    told(core, report(ReportKind.ACCEPTED, 2))
    core.switch.set_reduce_only("test", "test")
    told(core, TimePassed(3), at(4))
    records = told(core, report(ReportKind.CANCELLED, 5))
    assert updates_in(records) == ["CANCELLED CANCELLED_BY_KILL_SWITCH"]
    assert orders_in(records) == []
