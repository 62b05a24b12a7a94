"""Live sessions whose orders go to a venue: sent once and on the record, drained at a stop."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from live_session_helpers import SETTINGS, Alternating, ScriptedFeed
from live_venue_helpers import LIMITS, Resting, World, open_there

from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.types import SessionStatus
from logos.session.entry import replay, resume
from logos.session.plan import make_plan
from logos.session.restoring import CannotResumeError
from logos.testing.fake_venue import Faults


@pytest.mark.long
def test_orders_reach_the_venue_once_and_both_books_agree(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    result = there.run(ScriptedFeed(there.clock, 60), Alternating())
    assert result.status is SessionStatus.ENDED, result.reason
    assert result.summary["orders"] == 60
    assert set(there.venue.submits.values()) == {1}
    assert len(there.venue.submits) == 60
    assert result.summary["fills"] == 60
    assert result.summary["live"]["latency"]["feed to durable"]["count"] > 0
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == result.summary
    assert verify(result.folder).exit_code == 0


@pytest.mark.long
def test_a_stop_cancels_what_rests_and_resume_asks_the_strategy_again(tmp_path: Path) -> None:
    there = World(tmp_path)
    stop = {25: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = there.run(ScriptedFeed(there.clock, 10_000, after=stop), Resting())
    assert stopped.status is SessionStatus.STOPPED
    assert stopped.reason.endswith("go on with: logos resume live --live --i-acknowledge-risk")
    assert stopped.summary["orders"] >= 3
    assert open_there(there) == []
    assert stopped.summary["orders_ended_by"] == {
        "CANCELLED_BY_OPERATOR": stopped.summary["orders"]
    }
    replay("live", strategy=Resting(), home=tmp_path)
    ended = there.resume(ScriptedFeed(there.clock, 30), Resting())
    assert ended.status is SessionStatus.ENDED, ended.reason
    assert ended.summary["orders"] >= stopped.summary["orders"] + 3
    assert set(there.venue.submits.values()) == {1}
    assert replay("live", strategy=Resting(), home=tmp_path).summary == ended.summary


@pytest.mark.long
def test_after_the_switch_nothing_is_sent_and_what_rests_is_cancelled(tmp_path: Path) -> None:
    there = World(tmp_path)
    sent_before: list[int] = []

    def engage() -> None:
        sent_before.append(len(there.venue.submits))
        there.switch.engage("enough", "test")

    result = there.run(ScriptedFeed(there.clock, 200, after={45: engage}), Resting())
    assert result.status is SessionStatus.HALTED
    assert len(there.venue.submits) == sent_before[0]
    assert open_there(there) == []
    assert result.summary["orders_ended_by"] == {"CANCELLED_BY_KILL_SWITCH": sent_before[0]}
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_a_difference_in_the_account_stops_trading_with_the_reason(tmp_path: Path) -> None:
    there = World(tmp_path)
    stolen = {30: lambda: there.venue.change_balance("USD", Decimal(-5))}
    result = there.run(ScriptedFeed(there.clock, 3_000, after=stolen), Resting())
    assert result.status is SessionStatus.HALTED
    assert "RECONCILIATION" in result.summary["guards"]
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_orders_whose_cancels_are_lost_are_named_in_the_end(tmp_path: Path) -> None:
    there = World(tmp_path)

    def lose_everything() -> None:
        there.venue.faults = Faults(lost_before=1.0)

    result = there.run(ScriptedFeed(there.clock, 15, after={15: lose_everything}), Resting(), 5)
    assert "may still rest at the venue" in result.reason
    assert "live-1" in result.reason
    rows = (result.folder / "orders.csv").read_text()
    assert "live-1," in rows
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary


def test_resume_takes_the_two_flags_again(tmp_path: Path) -> None:
    there = World(tmp_path)
    stop = {5: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    there.run(ScriptedFeed(there.clock, 1_000, after=stop), Resting())
    with pytest.raises(CannotResumeError, match="--i-acknowledge-risk"):
        resume("live", strategy=Resting(), home=tmp_path, tell=lambda _: None)


def test_a_venue_without_leave_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    config = make_config(
        {**SETTINGS, "venue": {"name": "ccxt", "exchange": "binance"}, "risk": LIMITS}
    )
    with pytest.raises(ConfigError, match="--live"):
        make_plan(config, strategy=Resting())
