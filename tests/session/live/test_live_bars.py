"""Bars that come late by more or less meet the orders made on the bar before, always."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from live_session_helpers import HandClock, TickingClock, settings

from logos.core.gates import InProcessSwitch
from logos.core.messages import Bar
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import NS_PER_SECOND, Side
from logos.feeds.contract import Sink
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import replay, run_live

MINUTE_NS = 60 * NS_PER_SECOND


class EveryBar(Strategy):
    """Buys and sells by turns."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: object) -> Answer:
        self.seen += 1
        return Side.BUY if self.seen % 2 else Side.SELL


class LateBars:
    """A bar a minute, each as late as it is told."""

    name = "late"
    symbols: Sequence[str] = ("AAA",)

    def __init__(self, clock: TickingClock, late_ms: Sequence[int]) -> None:
        self._clock = clock
        self._late_ms = late_ms

    async def run(self, sink: Sink) -> None:
        instrument = make_instruments(settings().instruments)["AAA"]
        origin_ns = self._clock.now_ns()
        for number, late_ms in enumerate(self._late_ms, 1):
            close_ns = origin_ns + number * MINUTE_NS
            await self._clock.until(close_ns + late_ms * 1_000_000)
            price = 10_000 + number
            bar = Bar(
                self._clock.now_ns(), "AAA", MINUTE_NS, price, price, price, price, 5, instrument
            )
            assert sink.market(bar, close_ns)
            for _ in range(4):
                await asyncio.sleep(0)


@pytest.mark.long
@pytest.mark.parametrize("late_ms", [[300] * 8, [900, 100, 900, 100, 2_000, 50, 700, 10]])
def test_an_order_fills_at_the_next_bar_however_late_it_comes(
    tmp_path: Path, late_ms: list[int]
) -> None:
    clock = HandClock()
    result = run_live(
        settings(paper={"fill": "next_open"}),
        strategy=EveryBar(),
        outside=Outside(feeds=[LateBars(clock, late_ms)], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    rows = (result.folder / "trades.csv").read_text().splitlines()[1:]
    assert [row.split(",")[8] for row in rows] == [f"100.{number:02d}" for number in range(2, 9)]
    replay("live", strategy=EveryBar(), home=tmp_path)
