"""A core with an outbox, for tests of what lies between it and a venue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch, Switch
from logos.core.instrument import Instrument, instrument
from logos.core.matching import PaperRules
from logos.core.messages import Event, Report
from logos.core.orders import Order
from logos.core.outbox import Outbox
from logos.core.records import Record
from logos.core.strategy import Strategy
from logos.core.types import NS_PER_SECOND, ReportKind
from logos.testing.builders import fee_schedule, trading_core

SECOND = NS_PER_SECOND
ROUNDS_TO_REST = 14
"""Passes of the event loop after which everything waits for the clock again."""


def coin(symbol: str = "COIN", settlement: str = "spot", **more: str) -> Instrument:
    """Tick 0.01, lot 0.001, quoted in USD, fees of 0.02% and 0.05% in whole 10**-6 dollars."""
    return instrument(
        symbol,
        tick="0.01",
        lot="0.001",
        quote="USD",
        settlement=settlement,
        leverage=5 if settlement == "margin" else 1,
        fees=fee_schedule(maker="0.0002", taker="0.0005", decimals=6),
        **more,  # type: ignore[arg-type]
    )


def venue_core(
    strategy: Strategy,
    *instruments: Instrument,
    switch: Switch | None = None,
    cash: Mapping[str, str] | None = None,
    rules: PaperRules | None = None,
    seed: int = 0,
    halt_on_engage: bool = False,
    max_position: str = "0",
) -> TradingCore:
    """As `trading_core`, with an outbox instead of the paper market."""
    paper = trading_core(
        strategy,
        *instruments,
        cash={"USD": "1000000"} if cash is None else cash,
        max_position=max_position,
        order_quantity="1",
    )
    desk = paper.desk
    return TradingCore(
        "test",
        desk.books,
        desk.account,
        strategy,
        InProcessSwitch() if switch is None else switch,
        PaperRules() if rules is None else rules,
        desk.guards,
        seed,
        {},
        0,
        halt_on_engage,
        Outbox(),
    )


def outbox_of(core: TradingCore) -> Outbox:
    """The core's outbox."""
    assert core.desk.outbox is not None
    return core.desk.outbox


def only_order(core: TradingCore) -> Order:
    """The one open order."""
    (order,) = outbox_of(core).open.values()
    return order


def report(
    kind: ReportKind,
    ts_ns: int,
    client_order_id: str = "test-1",
    detail: str = "",
    quantity: int = 0,
    price: int = 0,
    fee: int = 0,
    fill_id: str = "",
) -> Report:
    """A venue's word, in units."""
    return Report(ts_ns, kind, client_order_id, detail, quantity, price, fee, False, fill_id)


async def rest() -> None:
    """Let every task run until it waits for the clock, or for ever."""
    for _ in range(ROUNDS_TO_REST):
        await asyncio.sleep(0)


def records_of(core: TradingCore, events: Sequence[Event]) -> list[Record]:
    """What these events do to the core."""
    core.run(events)
    return core.take_effects()
