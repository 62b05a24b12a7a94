"""Recorded data through the live loop: all of it, in order, at its pace or at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from live_session_helpers import TickingClock
from places import PROJECT

from logos.config import load_config
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import Bar, MarketEvent, Quote
from logos.core.types import NS_PER_SECOND
from logos.feeds.contract import FeedNews, FeedState
from logos.feeds.paced import PacedFeed
from logos.session import run
from logos.session.connections import Outside
from logos.session.entry import replay, run_live

ROOT = PROJECT
UNIT = instrument("AAA", tick="0.01", lot="1", quote="USD")


class Taker:
    """Takes everything, but has no room for every third offer at first."""

    def __init__(self) -> None:
        self.taken: list[tuple[MarketEvent, int]] = []
        self.said: list[FeedState] = []
        self._offers = 0

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        self._offers += 1
        if self._offers % 3 == 0:
            return False
        self.taken.append((event, event_ns))
        return True

    async def room(self) -> None:
        await asyncio.sleep(0)

    def news(self, news: FeedNews) -> None:
        self.said.append(news.state)


@pytest.mark.parametrize("speed", [1.0, 10.0, 0.5])
def test_events_come_as_far_apart_as_they_were_recorded(speed: float) -> None:
    seconds = [0, 1, 1, 4, 10]
    quotes = [Quote(each * NS_PER_SECOND, "AAA", 100, 101, 1, 1, UNIT) for each in seconds]
    clock, taker = TickingClock(), Taker()
    began_ns = clock.now_ns()
    asyncio.run(PacedFeed([quotes[:3], quotes[3:]], ["AAA"], clock, speed).run(taker))
    apart_s = [(event.ts_ns - began_ns) / NS_PER_SECOND * speed for event, _ in taker.taken]
    assert apart_s == pytest.approx(seconds, abs=0.01)
    ages_ns = [event.ts_ns - event_ns for event, event_ns in taker.taken]
    assert all(0 <= age_ns < NS_PER_SECOND // 100 for age_ns in ages_ns)
    assert taker.said == [FeedState.LIVE, FeedState.CLOSED]


def test_a_bar_is_as_much_shorter_as_time_is_faster() -> None:
    bars = [
        Bar(each * 60 * NS_PER_SECOND, "AAA", 60 * NS_PER_SECOND, 1, 1, 1, 1, 1, UNIT)
        for each in (1, 2)
    ]
    clock, taker = TickingClock(), Taker()
    asyncio.run(PacedFeed([bars], ["AAA"], clock, 60.0).run(taker))
    intervals = [event.interval_ns for event, _ in taker.taken if isinstance(event, Bar)]
    assert intervals == [NS_PER_SECOND, NS_PER_SECOND]


@pytest.mark.long
def test_the_bundled_session_through_the_live_loop_trades_as_it_does_from_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    config = load_config("examples/session.toml", {"live": {"feed": "replay", "speed": "0"}})
    live = run_live(
        config,
        outside=Outside(clock=TickingClock()),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    recorded = run(
        load_config("examples/session.toml", {}), switch=InProcessSwitch(), home=tmp_path
    )
    for figure in ("orders", "fills", "balances", "currencies"):
        assert live.summary[figure] == recorded.summary[figure]
    assert replay(live.session_id, home=tmp_path).summary == live.summary
