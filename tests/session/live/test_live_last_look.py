"""Holdings are compared at every end of a live session: what moved after the last comparison of the
timer is found, goes on record, and engages the switch."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from live_session_helpers import ScriptedFeed
from live_venue_helpers import Resting, World

from logos.audit.verify import verify
from logos.core.types import SessionStatus, SwitchState
from logos.execution.reconcile import Reconciler
from logos.library.saved import read_saved
from logos.session.entry import replay
from logos.session.outcome import ExitCode


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.long
@pytest.mark.parametrize("way", ["end", "stop", "switch", "failure"])
def test_what_moved_just_before_the_end_is_found_whatever_the_end_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    async def never(_: Reconciler) -> None:
        await asyncio.Event().wait()

    # Nothing is compared on a timer. (A long pause would not do: each wait moves this clock on.)
    monkeypatch.setattr(Reconciler, "run", never)
    there = World(tmp_path)
    error = RuntimeError("the cable is cut") if way == "failure" else None
    acts: dict[str, Callable[[], object]] = {
        "end": lambda: None,
        "stop": stop,
        "switch": lambda: there.switch.engage("enough", "test"),
        "failure": lambda: None,
    }

    def steal() -> None:
        there.venue.change_balance("USD", Decimal(-5))
        acts[way]()

    length = 1_000 if way in ("stop", "switch") else 30
    feed = ScriptedFeed(there.clock, length, after={30: steal}, error=error)
    result = there.run(feed, Resting())
    assert "differ by -5" in result.summary["live"]["holdings at the end"]
    assert "RECONCILIATION" in result.summary["guards"]
    assert there.switch.authority() is SwitchState.ENGAGED
    assert result.exit_code is ExitCode.HALTED
    assert "holdings at the end: USD: " in result.reason
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary
    assert verify(result.folder).exit_code == 0


@pytest.mark.long
def test_a_session_that_agrees_says_so_and_ends_as_it_did(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    result = there.run(ScriptedFeed(there.clock, 60), Resting())
    assert result.status is SessionStatus.ENDED
    assert result.summary["live"]["holdings at the end"] == "agreed"
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_a_venue_that_cannot_be_asked_at_the_end_is_said_and_holds_nobody_up(
    tmp_path: Path,
) -> None:
    there = World(tmp_path, fills_at_once=1.0)

    def is_gone() -> None:
        there.venue.is_closed = True

    result = there.run(ScriptedFeed(there.clock, 30, after={30: is_gone}), Resting())
    assert "not made: fake: " in result.summary["live"]["holdings at the end"]
    assert result.exit_code is ExitCode.HALTED
    assert "holdings at the end: not made: fake: " in result.reason
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary
    saved = read_saved("live", tmp_path)
    assert (saved.exit_code, saved.reason) == (result.exit_code, result.reason)
