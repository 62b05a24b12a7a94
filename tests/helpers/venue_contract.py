"""How a sentence of the contract of venues is told: once for every venue, in its box."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from venue_box import Box
from venue_boxes import BOXES, box

Story = Callable[[Box], Coroutine[Any, Any, None]]

every_venue = pytest.mark.parametrize("name", BOXES)
says_whose = pytest.mark.parametrize("name", [each for each in BOXES if each != "mt5 published"])
"""The published Expert Advisor's deals name no order: of orders that are alike in everything it
cannot be told which was filled (docs/MT5.md)."""
in_parts = pytest.mark.parametrize("name", [each for each in BOXES if "mt5" not in each])
"""This terminal fills what waits as a whole, like most brokers behind it."""

QUESTIONS: dict[str, Callable[[Box], Awaitable[Any]]] = {
    "find": lambda there: there.venue.find("s-1-1", there.symbol),
    "open_orders": lambda there: there.venue.open_orders(),
    "fills": lambda there: there.venue.fills_since(there.since_ns),
    "positions": lambda there: there.venue.positions(),
    "balances": lambda there: there.venue.balances(),
}


def tell(name: str, story: Story, *, is_open: bool = True) -> None:
    """Run a story in a box; one that hangs fails."""

    async def whole() -> None:
        async with asyncio.timeout(30), box(name, is_open=is_open) as there:
            await story(there)

    asyncio.run(whole())


def times(there: Box) -> int:
    return there.arrived().count("s-1-1")
