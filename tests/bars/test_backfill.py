"""A new live session that warms up asks its feeds for the bars before it, and joins them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import TickingClock, settings

from logos.core.gates import InProcessSwitch
from logos.core.messages import Bar, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import NS_PER_SECOND, Side
from logos.errors import LogosError
from logos.feeds.contract import Sink
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import replay, run_live

MINUTE_NS = 60 * NS_PER_SECOND
TOLD: list[tuple[str, int, int, float]] = []
INSTRUMENT = make_instruments(settings().instruments)["AAA"]


class Warming(Strategy):
    timeframes: Sequence[str] = ("1m", "5m")
    warmup = 12

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        TOLD.append((context.timeframe, bar.opened_ns, bar.ts_ns, bar.close))
        return Side.BUY if context.timeframe == "1m" else None


def price(minute: int) -> int:
    return 10_000 + minute % 50


def _bar(minute: int) -> Bar:
    at = price(minute)
    end_ns = (minute + 1) * MINUTE_NS
    return Bar(end_ns, "AAA", MINUTE_NS, at, at, at, at, 7, INSTRUMENT)


class TradesAndPast:
    """A trade now and then; its price and that of past bars say which minute it is."""

    name = "past"
    symbols: Sequence[str] = ("AAA",)
    past_intervals: Sequence[str] = ("1m", "5m", "1h")

    def __init__(self, clock: TickingClock, failing: Sequence[int] = ()) -> None:
        self._clock = clock
        self._failing = failing
        self.asked: list[tuple[str, int, int]] = []
        self.began_ns = 0

    async def past_bars(
        self, symbol: str, interval: str, since_ns: int, until_ns: int
    ) -> Sequence[Bar]:
        self.asked.append((interval, since_ns, until_ns))
        await asyncio.sleep(0)
        if len(self.asked) in self._failing:
            raise LogosError("the source is away")
        first, last = -(-since_ns // MINUTE_NS), until_ns // MINUTE_NS
        return [_bar(at) for at in range(first, last)]

    async def run(self, sink: Sink) -> None:
        self.began_ns = self._clock.now_ns()
        for _ in range(400):
            await self._clock.sleep(2.0)
            now_ns = self._clock.now_ns()
            units = price(now_ns // MINUTE_NS)
            assert sink.market(Trade(now_ns, "AAA", units, 1, "", INSTRUMENT), now_ns)


def lived(home: Path, feed: TradesAndPast, clock: TickingClock, **own: Any) -> SessionResult:
    TOLD.clear()
    return run_live(
        settings(paper={"fill": "next_open"}, **own),
        strategy=Warming(),
        outside=Outside(feeds=[feed], clock=clock),
        switch=InProcessSwitch(),
        home=home,
        tell=lambda _: None,
    )


@pytest.mark.long
def test_what_it_is_told_has_no_seam_and_a_replay_tells_the_same(tmp_path: Path) -> None:
    clock = TickingClock()
    feed = TradesAndPast(clock)
    result = lived(tmp_path, feed, clock)
    minutes = [row for row in TOLD if row[0] == "1m"]
    assert [end for _, _, end, _ in minutes[:-1]] == [start for _, start, _, _ in minutes[1:]]
    assert [close for *_, close in minutes] == [
        price(start // MINUTE_NS) / 100 for _, start, _, _ in minutes
    ]
    assert minutes[0][1] < feed.began_ns - 11 * MINUTE_NS
    assert minutes[-1][2] > feed.began_ns + 5 * MINUTE_NS
    longer = [(start, end) for name, start, end, _ in TOLD if name == "5m"]
    assert longer[0][0] - minutes[0][1] < 5 * MINUTE_NS
    assert [end for _, end in longer[:-1]] == [start for start, _ in longer[1:]]
    row, other = result.summary["warm_up"]
    assert (other["symbol"], other["until"]) == ("BBB", "not over"), "it has no feed"
    assert (row["symbol"], row["bars"], row["before"]) == ("AAA", 12, 12)
    assert result.summary["refusals"] == {"WARMING_UP": 12}
    assert result.summary["orders"] == len(minutes) - 12
    assert result.summary["warnings"] == []
    assert feed.asked[0][0] == "1m"
    told = list(TOLD)
    TOLD.clear()
    replay("live", strategy=Warming(), home=tmp_path)
    assert told == TOLD


@pytest.mark.long
@pytest.mark.parametrize("failing", [(1,), (2,)])
def test_a_source_that_fails_is_said_and_the_session_warms_up_by_itself(
    tmp_path: Path, failing: tuple[int, ...]
) -> None:
    clock = TickingClock()
    result = lived(tmp_path, TradesAndPast(clock, failing), clock)
    [warning] = result.summary["warnings"]
    assert (warning["code"], warning["symbol"]) == ("BACKFILL", "AAA")
    assert "the source is away" in warning["detail"]
    minutes = [row for row in TOLD if row[0] == "1m"]
    live = [row for row in minutes if row[2] > clock.now_ns() - 12 * MINUTE_NS]
    assert [end for _, _, end, _ in live[:-1]] == [start for _, start, _, _ in live[1:]]
    for _, start, end, _ in [row for row in TOLD if row[0] == "5m"]:
        parts = [row for row in minutes if start <= row[1] < end]
        assert len(parts) == 5, "a longer bar with a hole was told"
    replay("live", strategy=Warming(), home=tmp_path)


@pytest.mark.long
def test_a_strategy_without_a_warm_up_asks_for_nothing(tmp_path: Path) -> None:
    class Cold(Warming):
        warmup = 0

    clock = TickingClock()
    feed = TradesAndPast(clock)
    run_live(
        settings(paper={"fill": "next_open"}),
        strategy=Cold(),
        outside=Outside(feeds=[feed], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    assert feed.asked == []
