"""Live bars count by their own end, however late they come; a replay tells the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from live_session_helpers import HandClock, TickingClock, settings

from logos.core.gates import InProcessSwitch
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import NS_PER_SECOND, Side
from logos.feeds.contract import Sink
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import replay, run_live

MINUTE_NS = 60 * NS_PER_SECOND

TOLD: list[tuple[str, int, int, float]] = []


class Pairs(Strategy):
    """Hears bars of one and two minutes, and trades on the longer ones."""

    timeframes: Sequence[str] = ("1m", "2m")

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        TOLD.append((context.timeframe, bar.opened_ns, bar.ts_ns, bar.close))
        return Side.BUY if context.timeframe == "2m" else None


class Plain(Strategy):
    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return None


class LateBars:
    """Bars of minutes, each handed over so many milliseconds after its end."""

    name = "late"
    symbols: Sequence[str] = ("AAA",)

    def __init__(self, clock: TickingClock, late_ms: Sequence[int]) -> None:
        self._clock = clock
        self._late_ms = late_ms
        self.origin_ns = (clock.now_ns() // (2 * MINUTE_NS) + 1) * 2 * MINUTE_NS

    async def run(self, sink: Sink) -> None:
        instrument = make_instruments(settings().instruments)["AAA"]
        for number, late_ms in enumerate(self._late_ms, 1):
            close_ns = self.origin_ns + number * MINUTE_NS
            await self._clock.until(close_ns + late_ms * 1_000_000)
            price = 10_000 + number
            bar = Bar(
                self._clock.now_ns(), "AAA", MINUTE_NS, price, price, price, price, 5, instrument
            )
            assert sink.market(bar, close_ns)
            for _ in range(4):
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    "late_ms",
    [
        [300] * 6,
        [900, 100, 2_000, 50, 700, 10],
        # A connection was lost: four bars come at once.
        [300, 190_000, 130_000, 70_000, 10_000, 300],
    ],
)
def test_longer_bars_are_made_of_the_minutes_that_they_have(
    tmp_path: Path, late_ms: list[int]
) -> None:
    TOLD.clear()
    clock = HandClock()
    feed = LateBars(clock, late_ms)
    result = run_live(
        settings(paper={"fill": "next_open"}),
        strategy=Pairs(),
        outside=Outside(feeds=[feed], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    minutes = [
        (name, (opened - feed.origin_ns) // MINUTE_NS, (end - feed.origin_ns) // MINUTE_NS, close)
        for name, opened, end, close in TOLD
    ]
    assert minutes == [
        row
        for number in range(1, 7)
        for row in [
            ("1m", number - 1, number, 100 + number / 100),
            *([("2m", number - 2, number, 100 + number / 100)] if number % 2 == 0 else []),
        ]
    ]
    assert result.summary["orders"] == 3
    told = list(TOLD)
    TOLD.clear()
    replay("live", strategy=Pairs(), home=tmp_path)
    assert told == TOLD


@pytest.mark.parametrize(("strategy", "width"), [(Plain(), 9), (Pairs(), 10)])
def test_the_end_of_a_bar_is_recorded_for_those_who_make_longer_ones_of_it(
    tmp_path: Path, strategy: Strategy, width: int
) -> None:
    clock = HandClock()
    result = run_live(
        settings(paper={"fill": "next_open"}),
        strategy=strategy,
        outside=Outside(feeds=[LateBars(clock, [300] * 2)], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    lines = (result.folder / "inputs.jsonl").read_text().splitlines()
    rows = [row for line in lines for row in json.loads(line)["body"].get("events", [])]
    assert {len(row) for row in rows if row[0] == "b"} == {width}
    replay("live", strategy=strategy, home=tmp_path)
