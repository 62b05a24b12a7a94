"""Live sessions that hold exits back from their venue: what is said, and what a resume finds."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import ScriptedFeed
from live_venue_helpers import World, open_there

from logos.audit.verify import verify
from logos.cli.main import main
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import SessionStatus, Side
from logos.paths import session_dir, within
from logos.session.entry import replay

HELD = "protection ends with this process: 2 held exits of 10 BBB"


class Bracketed(Strategy):
    """Buys ten once, with a stop at 99 and a target at 102."""

    def __init__(self) -> None:
        self.has_bought = False

    def save(self) -> dict[str, Any]:
        return {"has_bought": self.has_bought}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.has_bought = state["has_bought"]

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        if self.has_bought or quote.symbol != "BBB":
            return None
        self.has_bought = True
        return market(Side.BUY, 10, stop_loss=99, take_profit=102)


def stopped_with_exits(there: World) -> Any:
    """A session that is stopped, by SIGTERM, while it holds a stop and a target."""
    stop = {25: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    return there.run(ScriptedFeed(there.clock, 10_000, after=stop), Bracketed())


@pytest.mark.long
def test_a_stop_keeps_what_is_held_and_says_that_protection_ends(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    result = stopped_with_exits(there)
    assert result.status is SessionStatus.STOPPED
    assert result.reason.endswith(HELD)
    assert set(there.venue.submits) == {"live-1"}, "nothing of the exits has left"
    assert open_there(there) == []
    rows = (result.folder / "orders.csv").read_text()
    assert rows.count(",HELD,") == 2
    assert replay("live", strategy=Bracketed(), home=tmp_path).summary == result.summary
    assert verify(result.folder).exit_code == 0


@pytest.mark.long
def test_resumed_exits_stand_again_and_what_was_passed_meanwhile_is_sold(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    stopped_with_exits(there)
    there.venue.set_price("BBB", 9_700)
    told: list[str] = []
    feed = ScriptedFeed(there.clock, 60, price=lambda _: 9_700)
    ended = there.resume(feed, Bracketed(), told.append)
    assert ended.status is SessionStatus.ENDED, ended.reason
    assert ended.summary["orders_ended_by"]["GROUP_FILLED"] == 1
    assert ended.reason == "all events processed", "nothing is left to protect"
    assert dict(there.venue.submits) == {"live-1": 1, "live-2": 1}
    assert there.venue.books.positions.get("BBB", 0) == 0
    assert verify(ended.folder).exit_code == 0
    assert replay("live", strategy=Bracketed(), home=tmp_path).summary == ended.summary


@pytest.mark.long
def test_a_resumed_session_says_what_it_holds(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    stopped_with_exits(there)
    told: list[str] = []
    there.resume(ScriptedFeed(there.clock, 60), Bracketed(), told.append)
    assert f"logos: {HELD}" in told


@pytest.mark.long
def test_status_shows_what_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    there = World(tmp_path, fills_at_once=1.0)
    beat = tmp_path / "state" / "sessions" / "live.json"
    left: list[bytes] = []

    def look() -> None:
        main(["status"])
        left.append(beat.read_bytes())

    there.run(ScriptedFeed(there.clock, 60, after={60: look}), Bracketed())
    shown = capsys.readouterr().out.splitlines()
    assert f"  {HELD}" in shown
    # What a process leaves that was killed: its last heartbeat.
    fields = json.loads(left[0])
    beat.write_text(json.dumps({**fields, "pid": 999_999_999}))
    main(["status"])
    assert f"  NOT WATCHED since then: {HELD}" in capsys.readouterr().out.splitlines()


@pytest.mark.long
def test_a_strategy_that_fails_leaves_both_its_way_there_and_what_is_unprotected(
    tmp_path: Path,
) -> None:
    class Fails(Bracketed):
        def __init__(self) -> None:
            super().__init__()
            self.seen = 0

        def on_quote(self, context: Context, quote: Quote) -> Answer:
            self.seen += 1
            if self.seen == 40:
                raise RuntimeError("the model is gone")
            return super().on_quote(context, quote)

    there = World(tmp_path, fills_at_once=1.0)
    ended = there.run(ScriptedFeed(there.clock, 60), Fails())
    assert ended.status is SessionStatus.FAILED
    assert "left unprotected, as its exits ended: 10 BBB" in ended.reason
    assert ended.summary["failure"][0] == "RuntimeError: the model is gone"


@pytest.mark.long
def test_an_end_names_the_position_that_its_exits_leave_unprotected(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    result = there.run(ScriptedFeed(there.clock, 30), Bracketed())
    lost = "left unprotected, as its exits ended: 10 BBB (2 held exits)"
    assert (result.status, result.reason.endswith(lost)) == (SessionStatus.ENDED, True)
    [warning] = [e for e in result.summary["warnings"] if e["code"] == "PROTECTION_ENDS"]
    assert warning["detail"].startswith("2 held exits (orders 2, 3) cancelled (SESSION_ENDED)")
    assert replay("live", strategy=Bracketed(), home=tmp_path).summary == result.summary
    assert within(tmp_path, session_dir("live")) == result.folder


@pytest.mark.long
def test_a_halt_by_the_switch_names_it_too(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    engage = {30: lambda: there.switch.engage("enough", "test")}
    result = there.run(ScriptedFeed(there.clock, 60, after=engage), Bracketed())
    assert result.status is SessionStatus.HALTED
    assert "left unprotected, as its exits ended: 10 BBB" in result.reason
    assert set(there.venue.submits) == {"live-1"}
