"""What a venue's reports do to the books, and what of them is not believed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_helpers import (
    ACCEPTED,
    COIN,
    NEW,
    PART,
    PERP,
    UNKNOWN,
    at,
    filled,
    is_tripped,
    order_of,
    started,
    told,
    updates_in,
    with_order,
)

from logos.audit.auditor import Terms, audit
from logos.core.messages import Report
from logos.core.outbox import SubmitOrder
from logos.core.records import (
    GuardRecord,
    WarningRecord,
)
from logos.core.strategy import Answer, limit
from logos.core.types import OrderStatus, ReportKind, Side
from logos.session.artifacts.tables import ArtifactWriter
from logos.testing.builders import Scripted, fills_in, quote
from logos.testing.venue_core import outbox_of, report, venue_core

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


OF_ORDERS = sorted(set(ReportKind) - {ReportKind.DIFFERENCE, ReportKind.CHARGED}, key=str)


@pytest.mark.parametrize("kind", OF_ORDERS)
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
