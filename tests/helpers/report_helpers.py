"""A core with an order at a venue, and what the venue's reports made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote, Report
from logos.core.orders import Order
from logos.core.records import (
    GuardRecord,
    OrderUpdate,
    Record,
)
from logos.core.strategy import Strategy, limit
from logos.core.types import Code, OrderStatus, ReportKind, Side, SwitchState
from logos.testing.builders import Scripted, fee_schedule, quote
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
