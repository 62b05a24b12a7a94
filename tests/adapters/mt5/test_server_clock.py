"""The terminal's clock is measured: by its newest candle, or by the time that it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import Hand, HandClock, bench, quiet

from logos.adapters.mt5.server_clock import ServerClock
from logos.simulators.mt5.simulator import SimOptions

SYMBOL = "BTCUSD.s"


def measured(
    offset_s: int, *, ea: str = "published", age_s: int = 0, error_s: int = 0, configured_s: int = 0
) -> ServerClock:
    """The clock of a terminal so far ahead whose latest price is so old; ours is behind by
    `error_s`."""

    async def scenario() -> ServerClock:
        hand = Hand()
        options = SimOptions(ea=ea, timer_s=0.001, server_offset_s=offset_s)
        async with bench(options, quiet(), clock=hand) as box:
            hand.now_s += age_s - error_s
            clock = ServerClock(HandClock(hand), configured_s, lambda: 0)
            await clock.measure(box.gateway.request, SYMBOL)
            return clock

    return asyncio.run(scenario())


@pytest.mark.parametrize("ea", ["published", "logos"])
@pytest.mark.parametrize("offset_s", [0, 7_200, 10_800, -18_000, 20_700, 50_400, -43_200])
def test_what_the_terminal_is_ahead_is_found(offset_s: int, ea: str) -> None:
    clock = measured(offset_s, ea=ea, configured_s=1)
    assert (clock.offset_s, clock.is_measured) == (offset_s, True)


@pytest.mark.parametrize(("age_s", "error_s"), [(240, 0), (0, 25)])
def test_a_market_that_paused_and_a_clock_that_is_behind_do_no_harm(
    age_s: int, error_s: int
) -> None:
    assert measured(7_200, age_s=age_s, error_s=error_s).offset_s == 7_200


def test_without_a_fresh_price_what_is_configured_holds() -> None:
    clock = measured(7_200, age_s=400, configured_s=10_800)
    assert (clock.offset_s, clock.is_measured) == (10_800, False)


def test_it_is_measured_once_in_each_life_and_again_after_a_lost_answer() -> None:
    asked: list[str] = []
    lives = [0]
    hand = Hand()
    clock = ServerClock(HandClock(hand), 0, lambda: lives[0])

    async def ask(symbol: str, fields: Mapping[str, object]) -> dict[str, Any]:
        asked.append(str(fields["action"]))
        if len(asked) == 1:
            raise OSError("lost")
        return {"data": [[hand.now_s + 3_600, 1, 1, 1, 1, 1]]}

    async def scenario() -> None:
        for _ in range(3):
            await clock.measure(ask, SYMBOL)
        assert asked == ["ACCOUNT", "ACCOUNT", "HISTORY"]
        assert clock.offset_s == 3_600
        lives[0] += 1
        await clock.measure(ask, SYMBOL)
        assert len(asked) == 5

    asyncio.run(scenario())


def test_where_nobody_counts_lives_nothing_is_asked() -> None:
    async def ask(symbol: str, fields: Mapping[str, object]) -> dict[str, Any]:
        raise AssertionError("asked")

    asyncio.run(ServerClock(HandClock(Hand())).measure(ask, SYMBOL))
