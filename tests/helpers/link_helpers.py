"""What tests of the way to a venue share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sized
from typing import Any, TypeVar

from logos.core.instrument import Instrument, instrument
from logos.testing.builders import fee_schedule

Result = TypeVar("Result")

PASSES_MAX = 10_000
"""Passes of the event loop after which something does not come to rest at all."""


def coin(symbol: str = "COIN", settlement: str = "spot", base: str = "") -> Instrument:
    """Tick 0.01, lot 0.001, quoted in USD, fees of 0.02% and 0.05% in whole 10**-6 dollars."""
    return instrument(
        symbol,
        tick="0.01",
        lot="0.001",
        quote="USD",
        base=base,
        settlement=settlement,
        leverage=5 if settlement == "margin" else 1,
        fees=fee_schedule(maker="0.0002", taker="0.0005", decimals=6),
    )


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it in an event loop of its own; TimeoutError if it hangs, in real time."""

    async def bounded() -> Result:
        return await asyncio.wait_for(work, 20)

    return asyncio.run(bounded())


async def rest() -> None:
    """Let every task run until it waits for the clock, or for ever.

    That is so when the event loop has nothing left to do but to come back here. Nothing else that
    is at work here may wait for the same, or for a socket. Raises AssertionError where nothing
    comes to rest.
    """
    ready: Sized = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(PASSES_MAX):
        if not ready:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"not at rest after {PASSES_MAX} passes of the event loop")
