"""What leaves for a venue: made from an Approved only, never without an id, never changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import msgspec
import pytest

from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.orders import OrderIntent
from logos.core.outbox import CancelOrder, OrderTerms, SubmitOrder
from logos.core.risk import Approved
from logos.core.strategy import Answer, Cancel, limit
from logos.core.types import OrderStatus, OrderType, ReportKind, Side, TimeInForce
from logos.errors import InvariantBroken
from logos.testing.builders import Scripted, quote, trading_core
from logos.testing.venue_core import outbox_of, report, venue_core

COIN = instrument("COIN", tick="0.01", lot="0.001", quote="USD")
PERP = instrument("PERP", tick="0.01", lot="0.001", quote="USD", settlement="margin")


def an_intent(side: Side = Side.BUY) -> OrderIntent:
    gtc = TimeInForce.GTC
    return OrderIntent(COIN, side, 2000, OrderType.STOP_LIMIT, 1100, 1050, gtc, 1000, "why", "mine")


def an_order(side: Side = Side.BUY) -> SubmitOrder:
    return SubmitOrder(Approved(an_intent(side), 77, 1100), "test-1", 5)


# ---- requests ----


def test_an_order_holds_all_that_a_venue_needs() -> None:
    order = an_order()
    assert order.terms == OrderTerms(
        "test-1",
        COIN,
        Side.BUY,
        OrderType.STOP_LIMIT,
        2000,
        1100,
        1050,
        TimeInForce.GTC,
        5,
    )
    assert (order.client_order_id, order.lock, order.judged_price) == ("test-1", 77, 1100)
    assert (order.terms.symbol, order.terms.is_buy, order.terms.signed_quantity) == (
        "COIN",
        True,
        2000,
    )
    assert an_order(Side.SELL).terms.signed_quantity == -2000


@pytest.mark.parametrize("no_proof", [an_intent(), an_order(), None, an_order().terms])
def test_an_order_is_made_from_an_approval_and_nothing_else(no_proof: Any) -> None:
    with pytest.raises(InvariantBroken, match="no proof that an order may leave"):
        SubmitOrder(no_proof, "test-1", 5)


def test_no_request_has_an_empty_client_order_id() -> None:
    with pytest.raises(InvariantBroken, match="without a client order id"):
        SubmitOrder(Approved(an_intent(), 0, 1), "", 5)
    with pytest.raises(InvariantBroken, match="without a client order id"):
        CancelOrder("", "COIN")
    with pytest.raises(InvariantBroken, match="without a client order id"):
        msgspec.structs.replace(an_order().terms, client_order_id="")


def test_a_request_cannot_be_changed() -> None:
    order, cancel = an_order(), CancelOrder("test-1", "COIN")
    with pytest.raises(FrozenInstanceError):
        order.lock = 0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        order.terms.quantity = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        cancel.symbol = "OTHER"  # type: ignore[misc]


# ---- the view ----


def resting(core: TradingCore, *ids: str) -> None:
    for at, name in enumerate(ids):
        core.run([report(ReportKind.ACCEPTED, 2 + at, name)])


def test_what_a_core_asks_of_its_venue_is_seen_as_it_stands_now() -> None:
    script: dict[int, Answer] = {
        1: [limit(Side.BUY, "2", "9"), limit(Side.BUY, "1", "8", tag="b")],
        3: Cancel(tag="b"),
    }
    core = venue_core(Scripted(script), COIN, cash={"USD": "1000"})
    view = CoreView(core.order_manager)
    assert (view.outstanding(), view.is_open("test-1")) == ([], False)
    core.run([quote(COIN, 1, "10.00", "10.01")])
    first, second = outbox_of(core).take()
    assert isinstance(first, SubmitOrder)
    assert isinstance(second, SubmitOrder)
    seen = view.outstanding()
    assert [each.terms for each in seen] == [first.terms, second.terms]
    assert {(each.status, each.filled, each.is_cancel_wanted) for each in seen} == {
        (OrderStatus.NEW, 0, False)
    }
    assert view.in_flight("COIN", is_buy=True) == 3000
    assert view.in_flight("COIN", is_buy=True, besides="test-1") == 1000
    assert view.in_flight("COIN", is_buy=True, besides="test-9") == 3000
    assert view.in_flight("COIN", is_buy=False) == 0
    resting(core, "test-1", "test-2")
    core.run([report(ReportKind.FILLED, 4, "test-1", quantity=500, price=900, fill_id="f")])
    core.run([quote(COIN, 5, "10.00", "10.01"), quote(COIN, 6, "10.00", "10.01")])
    assert outbox_of(core).take() == [CancelOrder("test-2", "COIN")]
    told = {
        each.terms.client_order_id: (each.status, each.filled, each.is_cancel_wanted)
        for each in view.outstanding()
    }
    assert told == {
        "test-1": (OrderStatus.PARTIALLY_FILLED, 500, False),
        "test-2": (OrderStatus.ACCEPTED, 0, True),
    }
    assert view.position("COIN") == 500
    assert view.in_flight("COIN", is_buy=True, besides="test-1") == 1000
    core.run([report(ReportKind.CANCELLED, 7, "test-2")])
    assert (view.is_open("test-1"), view.is_open("test-2")) == (True, False)


def test_scales_marks_pauses_and_holdings_are_those_of_the_core() -> None:
    core = venue_core(Scripted({1: limit(Side.BUY, "2", "11")}), COIN, PERP, cash={"USD": "1000"})
    view = CoreView(core.order_manager)
    assert (view.session_id, list(view.symbols)) == ("test", ["COIN", "PERP"])
    scales, state = view.symbols["COIN"], core.order_manager.states["COIN"]
    assert scales.instrument is COIN
    assert (scales.currency, scales.money_decimals) == ("USD", state.ledger.decimals)
    assert scales.base_decimals == state.base_wallet.decimals
    core.run([quote(COIN, 1, "10.00", "10.01")])
    assert view.marks() == {}, "nothing is held"
    core.run([report(ReportKind.FILLED, 2, quantity=2000, price=1001, fill_id="f")])
    assert view.marks() == {"COIN": 1000}
    assert [(each.asset, each.balance, each.decimals) for each in view.holdings()] == [
        (wallet.asset, wallet.balance, wallet.decimals)
        for wallet in core.order_manager.account.wallets
    ]
    assert view.paused() == ()
    core.order_manager.states["PERP"].is_paused = True
    assert view.paused() == ("PERP",)


def test_a_core_that_trades_on_paper_has_nothing_at_a_venue() -> None:
    core = trading_core(Scripted({1: limit(Side.BUY, "2", "9")}), COIN, cash={"USD": "1000"})
    core.run([quote(COIN, 1, "10.00", "10.01")])
    view = CoreView(core.order_manager)
    assert (view.outstanding(), view.is_open("test-1")) == ([], False)
    assert view.in_flight("COIN", is_buy=True, besides="test-1") == 2000
