"""Records of a made-up session `one`, and what a judge of orders finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logos.audit.orders import OrderJudge
from logos.audit.rules import SessionRules
from logos.config import make_config
from logos.core.records import (
    AccountRecord,
    LedgerAtOrder,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    SwitchRecord,
)
from logos.core.types import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from logos.journal.entries import SessionRecord

SECOND = 1_000_000_000
BUY, SELL = Side.BUY, Side.SELL
MONDAY_NS = 4 * 86_400 * SECOND
"""1970-01-05, 00:00 UTC."""


def order(
    number: int = 1,
    side: Side = BUY,
    quantity: int = 10,
    *,
    at_s: int = 0,
    tick: int = 1,
    **more: Any,
) -> OrderRecord:
    """An order of ACME at 10.00, where nothing else is said."""
    fields: dict[str, Any] = {
        "ts_ns": MONDAY_NS + at_s * SECOND, "tick_id": tick, "order_id": number,
        "client_order_id": f"one-{number}", "symbol": "ACME", "side": side,
        "type": OrderType.MARKET, "time_in_force": TimeInForce.GTC, "quantity_units": quantity,
        "limit_price_units": 0, "stop_price_units": 0, "reference_price_units": 1000,
        "notes": "", "tag": "", "price_decimals": 2, "quantity_decimals": 0, "money_decimals": 2,
    }  # fmt: skip
    return OrderRecord(**{**fields, **more})


def update(
    number: int, status: OrderStatus, filled: int = 0, *, at_s: int = 0, tick: int = 1
) -> OrderUpdate:
    """A change of an order of ACME."""
    return OrderUpdate(MONDAY_NS + at_s * SECOND, tick, number, "ACME", status, filled, 0, "")


def filled(
    number: int,
    side: Side,
    quantity: int,
    position: int,
    *,
    at_s: int = 0,
    tick: int = 1,
    **more: Any,
) -> list[SessionRecord]:
    """What tells that an order was accepted and wholly filled, at 10.00 without a fee."""
    ts_ns = MONDAY_NS + at_s * SECOND
    fields: dict[str, Any] = {
        "ts_ns": ts_ns, "tick_id": tick, "fill_id": number, "order_id": number,
        "client_order_id": f"one-{number}", "symbol": "ACME", "side": side,
        "quantity_units": quantity, "price_units": 1000, "liquidity": Liquidity.TAKER,
        "fee_units": 0, "currency": "USD", "realised_units": 0, "lots": (), "opened_lot_id": 0,
        "opened_units": 0, "position_units": position, "symbol_realised_units": 0,
        "symbol_fees_units": 0, "wallet_units": 0, "price_decimals": 2, "quantity_decimals": 0,
        "money_decimals": 2,
    }  # fmt: skip
    return [
        update(number, OrderStatus.ACCEPTED, at_s=at_s, tick=tick),
        update(number, OrderStatus.FILLED, quantity, at_s=at_s, tick=tick),
        PaperFillRecord(**{**fields, **more}),
    ]


def switch(state: str, *, tick: int = 1, seen_at: str = "tick") -> SwitchRecord:
    """The switch, seen in another state."""
    return SwitchRecord(MONDAY_NS, tick, state, "a test", seen_at, 0)


def account(equity: int, *, at_s: int = 0, fell: int = 0, high: int = 0) -> AccountRecord:
    """A sample of the account in dollars; figures are cents."""
    return AccountRecord(
        MONDAY_NS + at_s * SECOND, "USD", equity, 0, 100_000, 0, 0, 0, equity,
        high or equity, fell, 2,
    )  # fmt: skip


def at(gross: int, net: int, equity: int) -> LedgerAtOrder:
    """What a ledger showed, in cents."""
    return LedgerAtOrder(gross, net, equity)


def judged(
    records: Sequence[SessionRecord],
    risk: dict[str, Any] | None = None,
    *,
    has_ledger: bool = True,
    **terms: Any,
) -> list[str]:
    """What is found in these records of session `one`, which trades ACME from 1,000.00 dollars."""
    instrument = {"quote": "USD", "tick": "0.01", "lot": "1", **terms}
    config = make_config(
        {
            "instruments": {"ACME": instrument},
            "account": {"balances": {"USD": "1000"}},
            "risk": risk or {},
        }
    )
    judge = OrderJudge("one", SessionRules.of(config), has_ledger=has_ledger)
    for sequence, record in enumerate(records, start=1):
        judge.see(sequence, record)
    judge.close()
    return [each.message for each in judge.findings]
