"""Live sessions whose orders go to a venue: sent once and on the record, drained at a stop."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from live_session_helpers import SETTINGS, Alternating, ScriptedFeed, TickingClock

from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.gates import InProcessSwitch, Switch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, limit
from logos.core.types import SessionStatus, Side
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.live import Outside, resume_live, run_live
from logos.session.plan import make_plan
from logos.session.recovery import CannotResumeError, replay
from logos.testing.fake_venue import FakeVenue, Faults, FillRules

LIMITS = {
    "max_order_notional": "100000",
    "max_position": "1000",
    "total": {"max_drawdown": "100000"},
}


class Resting(Strategy):
    """Leaves a limit order far below the market at every tenth quote."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return limit(Side.BUY, 1, "50.00") if self.seen % 10 == 1 else None


def venue_settings(drain_s: int = 100_000, **tables: Any) -> Any:
    return make_config(
        {
            **SETTINGS,
            "venue": {"name": "ccxt", "exchange": "binance", "live": True},
            "risk": LIMITS,
            # The clock of these tests runs on with every wait of anybody.
            "live": {"drain_timeout_s": drain_s},
            **tables,
        }
    )


class World:
    """A venue that fills this share of all orders at once and no others, and sessions on it."""

    def __init__(self, home: Path, fills_at_once: float = 0.0) -> None:
        self.home = home
        self.clock = TickingClock()
        config = venue_settings()
        instruments = list(make_instruments(config.instruments).values())
        rules = FillRules(fills_at_once, 0.0, 0.0)
        money = {"USD": "1000000"}
        self.venue = FakeVenue(instruments, self.clock, Random(1), money, fills=rules)
        for instrument in instruments:
            self.venue.set_price(instrument.symbol, 10_000)
        self.switch: Switch = InProcessSwitch()

    def outside(self, feed: ScriptedFeed) -> Outside:
        return Outside(feeds=[feed], venue=self.venue, clock=self.clock)

    def run(self, feed: ScriptedFeed, strategy: Strategy, drain_s: int = 100_000) -> SessionResult:
        return run_live(
            venue_settings(drain_s),
            strategy=strategy,
            outside=self.outside(feed),
            switch=self.switch,
            home=self.home,
            tell=lambda _: None,
        )

    def resume(self, feed: ScriptedFeed, strategy: Strategy) -> SessionResult:
        return resume_live(
            "live",
            strategy=strategy,
            outside=self.outside(feed),
            switch=self.switch,
            is_acknowledged=True,
            home=self.home,
            tell=lambda _: None,
        )


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


def test_a_stop_cancels_what_rests_and_resume_asks_the_strategy_again(tmp_path: Path) -> None:
    there = World(tmp_path)
    stop = {25: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = there.run(ScriptedFeed(there.clock, 10_000, after=stop), Resting())
    assert stopped.status is SessionStatus.STOPPED
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


def open_there(there: World) -> list[Any]:
    return [order for order in there.venue.books.orders.values() if order.is_open]


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


def test_a_difference_in_the_account_stops_trading_with_the_reason(tmp_path: Path) -> None:
    there = World(tmp_path)
    stolen = {30: lambda: there.venue.change_balance("USD", Decimal(-5))}
    result = there.run(ScriptedFeed(there.clock, 3_000, after=stolen), Resting())
    assert result.status is SessionStatus.HALTED
    assert "RECONCILIATION" in result.summary["guards"]
    assert replay("live", strategy=Resting(), home=tmp_path).summary == result.summary


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
        resume_live("live", strategy=Resting(), home=tmp_path, tell=lambda _: None)


def test_a_venue_without_leave_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    config = make_config(
        {**SETTINGS, "venue": {"name": "ccxt", "exchange": "binance"}, "risk": LIMITS}
    )
    with pytest.raises(ConfigError, match="--live"):
        make_plan(config, strategy=Resting())
