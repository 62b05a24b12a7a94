"""A core that lives through a few bars with scripted answers, and what became of it."""

from __future__ import annotations

from typing import Any

from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.records import OrderUpdate, Record
from logos.core.strategy import Answer
from logos.core.types import OrderType, Side
from logos.testing.builders import Scripted, bar, orders_in, trading_core

COIN = instrument("COIN", tick="0.01", lot="1", quote="USD")
"""Traded on spot: what is sold must be there."""
FUTURE = instrument("FUTURE", tick="0.01", lot="1", quote="USD", settlement="margin")
FLAT = "100 100 100 100"


def lived(script: dict[int, Answer], *bars: str, **how: Any) -> tuple[TradingCore, list[Record]]:
    """A core that answered the n-th bar with `script[n]`, and what happened."""
    traded = how.pop("traded", COIN)
    core = trading_core(Scripted(script), traded, **how)
    records = core.start(1)
    for number, prices in enumerate(bars, 1):
        records += core.step(bar(traded, number, prices))
    return core, records


def held(core: TradingCore) -> int:
    """The position of the one symbol, in quantity units."""
    [state] = core.order_manager.states.values()
    return state.inventory.position


def rests(core: TradingCore) -> list[tuple[OrderType, int]]:
    """Type and remaining quantity of each open order of the one symbol."""
    [state] = core.order_manager.states.values()
    return [(order.type, order.remaining) for order in state.working]


def sizes(records: list[Record]) -> list[tuple[int, int]]:
    """Every change of an order's quantity: its number and the new quantity."""
    updates = [each for each in records if isinstance(each, OrderUpdate)]
    return [(each.order_id, each.quantity_units) for each in updates if each.quantity_units]


def signed(records: list[Record]) -> list[int]:
    """The quantity of each order, negative for a sale."""
    orders = orders_in(records)
    return [each.quantity_units * (1 if each.side is Side.BUY else -1) for each in orders]
