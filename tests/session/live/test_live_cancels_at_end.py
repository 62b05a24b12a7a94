"""A live session does not end while cancels wait in its own queue; what is left is named."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import ScriptedFeed
from live_venue_helpers import Resting, World, open_there

from logos.core.types import NS_PER_SECOND, SessionStatus
from logos.execution.sending.lane import Lane
from logos.session.entry import replay
from logos.session.outcome import CANCELS, ExitCode
from logos.session.venue import side
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.contract import NotSent


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.long
@pytest.mark.parametrize("way", ["end", "switch", "failure"])
def test_every_cancel_leaves_before_a_session_ends_however_slow_the_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    # Each wait of anybody moves this clock on, so its seconds are no measure of what is bearable.
    monkeypatch.setattr(side, "CANCELS_S", 1e6)
    there = World(tmp_path)
    length = 1_000 if way == "switch" else 120
    acts: dict[str, Callable[[], object]] = {
        "switch": lambda: there.switch.engage("enough", "test"),
    }

    def slow() -> None:
        # So slow that what rests takes twice as long as a stop waits for the venue.
        there.venue.budget = Budget((Pool("all", 1, 0.5),))
        acts.get(way, lambda: None)()

    error = RuntimeError("the cable is cut") if way == "failure" else None
    feed = ScriptedFeed(there.clock, length, after={120: slow}, error=error)
    result = there.run(feed, Resting(), drain_s=5)
    assert len(there.venue.books.orders) >= 12
    assert open_there(there) == []
    assert CANCELS not in result.summary["live"]
    assert CANCELS not in result.reason


@pytest.mark.long
@pytest.mark.parametrize(
    ("why", "way"), [("waits", "end"), ("waits", "stop"), ("turned away", "end")]
)
def test_cancels_that_cannot_leave_in_time_are_named_and_no_good_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, why: str
) -> None:
    there = World(tmp_path)
    wait_ns, go = Lane._wait_ns, Lane.go

    def not_at_once(lane: Lane, kind: RequestKind) -> bool:
        return kind is not RequestKind.CANCEL and go(lane, kind)

    def never_for_cancels(lane: Lane, kind: RequestKind, *arguments: Any) -> int:
        return NS_PER_SECOND if kind is RequestKind.CANCEL else wait_ns(lane, kind, *arguments)

    async def turned_away(_: object) -> None:
        raise NotSent("too many requests", 1.0, 0.0)

    def slow() -> None:
        if why == "waits":
            monkeypatch.setattr(Lane, "go", not_at_once)
            monkeypatch.setattr(Lane, "_wait_ns", never_for_cancels)
        else:
            monkeypatch.setattr(there.venue, "cancel", turned_away)
        if way == "stop":
            stop()

    feed = ScriptedFeed(there.clock, 1_000 if way == "stop" else 60, after={60: slow})
    result = there.run(feed, Resting(), drain_s=2)
    left = [order.client_order_id for order in open_there(there)]
    assert len(left) >= 3
    assert result.exit_code is ExitCode.HALTED
    assert result.status is (SessionStatus.STOPPED if way == "stop" else SessionStatus.ENDED)
    assert result.summary["live"][CANCELS] == ", ".join(left)
    assert f"{CANCELS}: {', '.join(left)}" in result.reason
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary
