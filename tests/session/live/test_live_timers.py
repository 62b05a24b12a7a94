"""In a live session its clock calls timers, on the record: so do a replay and a resumed session."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, settings

from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch
from logos.core.handlers.events import OrderChange, OrderEvent, Timer
from logos.core.strategy import Answer, Context, market
from logos.core.types import NS_PER_SECOND, Side
from logos.session.artifacts.snapshots.snapshot import read_snapshot
from logos.session.connections import Outside
from logos.session.entry import replay, resume, run_live
from logos.session.outcome import ExitCode
from logos.testing.clock import START_NS


class Timed(Alternating):
    """Notes each call with the clock's time, and orders at it; it can be saved."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = 0

    def on_start(self, context: Context) -> Answer:
        context.every("3s", name="three")
        return None

    def on_timer(self, context: Context, timer: Timer) -> Answer:
        late_ns = context.now_ns - timer.due_ns
        context.log(f"{timer.due_ns // NS_PER_SECOND % 60} late {late_ns}, {self.accepted}")
        return market(Side.BUY, 1, symbol="AAA", tag="timed")

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        self.accepted += event.change is OrderChange.ACCEPTED
        return None

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen, "accepted": self.accepted}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen, self.accepted = state["seen"], state["accepted"]


def folder_of(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "live"


def outside(
    quotes: int, after: dict[int, Callable[[], object]] | None = None, start_ns: int = START_NS
) -> Outside:
    """A feed, and a clock that moves on with each heartbeat."""
    clock = TickingClock(start_ns)
    return Outside(feeds=[ScriptedFeed(clock, quotes, after=after)], clock=clock)


def run(home: Path, quotes: int, after: dict[int, Callable[[], object]] | None = None) -> None:
    turns = count(1)
    run_live(
        settings(),
        strategy=Timed(),
        outside=outside(quotes, after),
        switch=InProcessSwitch(),
        home=home,
        tell=lambda _: None,
        snapshot_due=lambda: next(turns) % 15 == 0,
    )


def notes(home: Path) -> list[dict[str, str]]:
    with open(folder_of(home) / "notes.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    run(tmp_path / "home", 24)
    return tmp_path / "home"


def test_each_time_is_called_once_by_a_tick_of_the_clock(ran: Path) -> None:
    said = [row["text"].split() for row in notes(ran)]
    seconds = [int(words[0]) for words in said]
    assert len(seconds) > 5
    assert seconds == [(seconds[0] + 3 * number) % 60 for number in range(len(seconds))]
    assert all(0 <= int(words[2].rstrip(",")) < NS_PER_SECOND + 10**6 for words in said)
    assert int(said[-1][-1]) > 5, "and it hears of what it ordered"


@pytest.mark.long
def test_a_replay_calls_them_at_the_same_places(ran: Path) -> None:
    replay("live", strategy=Timed(), home=ran, outside=outside(0))
    assert verify(folder_of(ran)).findings == []


@pytest.mark.long
@pytest.mark.parametrize(("quotes", "use_snapshot"), [(14, True), (19, False)])
def test_a_session_that_crashed_goes_on_with_its_timers(
    tmp_path: Path, quotes: int, use_snapshot: bool
) -> None:
    home, crashed = tmp_path / "home", tmp_path / "crashed"
    run(home, 28, {quotes: lambda: shutil.copytree(home, crashed)})
    before = [row["text"] for row in notes(home)]
    if use_snapshot:
        found = read_snapshot(folder_of(crashed))
        assert found is not None
        assert found.core["agenda"]["is_clocked"]
        assert found.core["agenda"]["timers"]
    result = resume(
        "live",
        strategy=Timed(),
        outside=outside(16, start_ns=START_NS + 3_600 * NS_PER_SECOND),
        switch=InProcessSwitch(),
        home=crashed,
        tell=lambda _: None,
        use_snapshot=use_snapshot,
    )
    assert result.exit_code is ExitCode.FINISHED
    after = [row["text"] for row in notes(crashed)]
    common = len([1 for old, new in zip(before, after, strict=False) if old == new])
    assert common >= 3, "what was on the record is lived through again"
    late_s = [int(text.split()[2].rstrip(",")) // NS_PER_SECOND for text in after]
    [overdue] = [number for number, late in enumerate(late_s) if late > 3]
    assert overdue == common, "the first one behind it is told at the clock's time, once for all"
    assert 3_400 < late_s[overdue] <= 3_600
    assert len(after) > overdue + 2, "and timers go on"
    assert verify(folder_of(crashed)).findings == []
    replay("live", strategy=Timed(), home=crashed, outside=outside(0))
