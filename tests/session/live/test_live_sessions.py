"""Live sessions as a whole: recorded, replayed, stopped, crashed, gone on with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from live_session_helpers import (
    Alternating,
    HandClock,
    ScriptedFeed,
    TickingClock,
    live,
    resumed,
    settings,
)
from sampling import first_quick

from logos.audit.verify import verify
from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import NS_PER_SECOND, SessionStatus, Side
from logos.feeds.contract import Sink
from logos.session.artifacts.rows import Moments
from logos.session.entry import SessionDiffersError, replay, resume
from logos.session.presence.heartbeat import Heartbeat, read_sessions, sessions_folder


def folder_of(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "live"


def kinds(home: Path) -> list[str]:
    lines = (folder_of(home) / "state.jsonl").read_text().splitlines()
    return [json.loads(line)["body"]["kind"] for line in lines]


REFUSE_STALE = {"actions": {"stale_data": "refuse"}}


@pytest.mark.long
def test_a_live_session_replays_to_the_same_bytes_and_verifies(tmp_path: Path) -> None:
    clock = TickingClock()
    result = live(tmp_path, ScriptedFeed(clock, 50), clock)
    assert result.status is SessionStatus.ENDED
    assert result.summary["orders"] == 50
    replayed = replay("live", strategy=Alternating(), home=tmp_path)
    assert replayed.summary == result.summary
    assert verify(folder_of(tmp_path)).exit_code == 0


@pytest.mark.long
def test_what_was_measured_stands_in_the_record_and_comes_back_in_a_replay(tmp_path: Path) -> None:
    clock = TickingClock()
    result = live(tmp_path, ScriptedFeed(clock, 20), clock)
    facts = result.summary["live"]
    assert facts["market_events"] == 20
    assert facts["latency"]["feed to strategy"]["count"] >= 20
    assert facts["latency"]["feed to order"]["count"] == 20
    text = (folder_of(tmp_path) / "session.md").read_text()
    assert "| feed to order | 20 |" in text
    assert replay("live", strategy=Alternating(), home=tmp_path).summary["live"] == facts


@pytest.mark.long
def test_a_changed_input_is_found_by_replay(tmp_path: Path) -> None:
    clock = TickingClock()
    live(tmp_path, ScriptedFeed(clock, 20), clock)
    path = folder_of(tmp_path) / "state.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"price_units":10001', b'"price_units":10002', 1))
    with pytest.raises(Exception, match="damaged at record"):
        replay("live", strategy=Alternating(), home=tmp_path)
    path.write_bytes(whole)
    (folder_of(tmp_path) / "trades.csv").write_text("changed\n")
    with pytest.raises(SessionDiffersError, match=r"trades\.csv:1"):
        replay("live", strategy=Alternating(), home=tmp_path)


@pytest.mark.long
def test_sigterm_stops_a_live_session_which_then_goes_on(tmp_path: Path) -> None:
    clock = TickingClock()
    stop = {10: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = live(tmp_path, ScriptedFeed(clock, 1_000, after=stop), clock)
    assert stopped.status is SessionStatus.STOPPED
    assert stopped.exit_code == 0
    assert 10 <= stopped.summary["orders"] < 1_000
    replay("live", strategy=Alternating(), home=tmp_path)
    ended = resumed(tmp_path, ScriptedFeed(clock, 30), clock)
    assert ended.status is SessionStatus.ENDED
    # What had been recorded when the stop came was not lost either.
    assert ended.summary["orders"] == (folder_of(tmp_path) / "inputs.jsonl").read_text().count(
        '"q"'
    )
    assert ended.summary["orders"] - stopped.summary["orders"] in (30, 31)
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == ended.summary
    [line] = (folder_of(tmp_path) / "recoveries.jsonl").read_text().splitlines()
    assert json.loads(line)["was"] == "STOPPED"


@pytest.mark.long
def test_a_live_session_is_resumed_on_live_feeds_and_never_on_its_recorded_inputs(
    tmp_path: Path,
) -> None:
    clock = TickingClock()
    stop = {3: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    live(tmp_path, ScriptedFeed(clock, 100, after=stop), clock)
    with pytest.raises(ConfigError, match=r"live\.feed"):
        resume("live", strategy=Alternating(), home=tmp_path, switch=InProcessSwitch())


@pytest.mark.long
@pytest.mark.parametrize("kept", first_quick([0.5, 0.1, 0.35, 0.75, 0.95]))
@pytest.mark.parametrize("lost", ["inputs", "journal", "both"])
def test_a_crash_or_power_cut_anywhere_goes_on_from_what_is_left(
    tmp_path: Path, kept: float, lost: str
) -> None:
    """Whatever of the two files reached the disk, in whatever proportion."""
    clock = TickingClock()
    live(tmp_path, ScriptedFeed(clock, 40), clock)
    folder = folder_of(tmp_path)
    for name in ("host.json", "session.md", "state.json"):
        (folder / name).unlink()
    _cut(folder / "inputs.jsonl", kept if lost != "journal" else 0.98)
    _cut(folder / "state.jsonl", kept if lost != "inputs" else 0.98)
    ended = resumed(tmp_path, ScriptedFeed(clock, 10), clock)
    assert ended.status is SessionStatus.ENDED
    assert 10 <= ended.summary["orders"] <= 50
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == ended.summary
    assert verify(folder).exit_code == 0


@pytest.mark.long
def test_a_session_that_was_sealed_and_lost_its_last_files_gets_them_again(tmp_path: Path) -> None:
    clock = TickingClock()
    result = live(tmp_path, ScriptedFeed(clock, 40), clock)
    folder = folder_of(tmp_path)
    record = (folder / "session.md").read_bytes()
    for name in ("host.json", "session.md", "state.json"):
        (folder / name).unlink()
    again = resume("live", strategy=Alternating(), home=tmp_path, switch=InProcessSwitch())
    assert again.summary == result.summary
    assert (folder / "session.md").read_bytes() == record


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    # The first line has always been there for a while when anything else is written.
    keep = max(content.index(b"\n") + 1, int(len(content) * share))
    path.write_bytes(content[:keep])


@pytest.mark.long
def test_the_switch_halts_a_live_session_at_the_next_event(tmp_path: Path) -> None:
    clock = TickingClock()
    switch = InProcessSwitch()
    engage = {7: lambda: switch.engage("enough", "test")}
    result = live(tmp_path, ScriptedFeed(clock, 100, after=engage), clock, switch=switch)
    assert result.status is SessionStatus.HALTED
    assert result.exit_code == 4
    assert result.summary["orders"] == 7
    replay("live", strategy=Alternating(), home=tmp_path)


@pytest.mark.long
def test_a_silent_feed_is_halted_by_the_passing_of_time(tmp_path: Path) -> None:
    """No event comes after the engagement: the heartbeat sees it."""
    clock = TickingClock()
    switch = InProcessSwitch()
    silent = ScriptedFeed(clock, 5, after={5: lambda: switch.engage("enough", "test")})
    config = settings(live={"stop_after_s": 30})
    result = live(tmp_path, silent, clock, switch=switch, config=config)
    assert result.status is SessionStatus.HALTED
    assert result.summary["orders"] == 5


@pytest.mark.long
@pytest.mark.parametrize("on_engaged", ["halt", "block"])
@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_the_death_of_a_feed_engages_the_switch_and_ends_the_session(
    tmp_path: Path, on_engaged: str, error: type[BaseException]
) -> None:
    clock = TickingClock()
    switch = InProcessSwitch()
    feed = ScriptedFeed(clock, 5, error=error("the cable is cut"))
    config = settings(switch={"on_engaged": on_engaged})
    result = live(tmp_path, feed, clock, switch=switch, config=config)
    assert result.status is SessionStatus.HALTED
    assert result.exit_code == 4
    assert f"scripted died: {error.__name__}: the cable is cut" in result.reason
    assert "scripted died" in switch.why()
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_data_older_than_the_limit_when_it_comes_is_stale(tmp_path: Path) -> None:
    clock = TickingClock()
    late = dict.fromkeys(range(5, 11), 3_000_000_000)
    config = settings(risk={"stale_after_s": "2", **REFUSE_STALE})
    result = live(tmp_path, ScriptedFeed(clock, 20, age_ns=late), clock, config=config)
    assert result.summary["orders"] == 14
    assert result.summary["refusals"] == {"STALE_DATA": 6}
    replay("live", strategy=Alternating(), home=tmp_path)


class OrdersTheOther(Strategy):
    """Buys BBB whenever AAA shows a quote, whatever it last heard of BBB."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return market(Side.BUY, 1, symbol="BBB") if quote.symbol == "AAA" else None


class FallsSilent(ScriptedFeed):
    """Two symbols, a quote of each a second; from the tenth second on it has nothing of BBB."""

    async def run(self, sink: Sink) -> None:
        for second in range(1, 31):
            self._clock.until_second(second)
            for instrument in self._instruments:
                if instrument.symbol == "BBB" and second > 10:
                    continue
                now_ns = self._clock.now_ns()
                assert sink.market(
                    Quote(now_ns, instrument.symbol, 10_000, 10_001, 5, 5, instrument), now_ns
                )
                for _ in range(4):
                    await asyncio.sleep(0)


@pytest.mark.long
def test_of_a_connected_but_silent_symbol_nothing_is_ordered_beyond_the_age(tmp_path: Path) -> None:
    clock = HandClock()
    config = settings(risk={"stale_after_s": "5", **REFUSE_STALE})
    feed = FallsSilent(clock, 0)
    result = live(tmp_path, feed, clock, config=config, strategy=OrdersTheOther())
    rows = (result.folder / "orders.csv").read_text().splitlines()[1:]
    latest_ns = max(clock.origin_ns + 15 * NS_PER_SECOND, 0)
    moments = Moments()
    assert all(row.split(",")[2] <= moments.text(latest_ns + 1_000_000) for row in rows)
    # The quote of the first second came before BBB had shown one, and the last good one is at 10 s.
    assert result.summary["orders"] == 14
    assert result.summary["refusals"] == {"NO_REFERENCE_PRICE": 1, "STALE_DATA": 15}
    replay("live", strategy=OrdersTheOther(), home=tmp_path)


@pytest.mark.long
def test_a_symbol_that_falls_silent_halts_the_session_within_a_heartbeat(tmp_path: Path) -> None:
    clock = HandClock()
    feed = FallsSilent(clock, 0)
    config = settings(risk={"stale_after_s": "5"})
    result = live(tmp_path, feed, clock, config=config, strategy=Strategy())
    assert (result.status, int(result.exit_code)) == (SessionStatus.HALTED, 4)
    assert result.reason == "guard STALE_DATA: BBB has shown no price for 5 s, the limit is 5 s"
    trigger = result.summary["trigger"]
    assert (trigger["guard"], trigger["subject"]) == ("STALE_DATA", "BBB")
    lines = (result.folder / "session.md").read_text(encoding="utf-8").splitlines()
    assert lines[2] == f"**HALTED**: {result.reason}"
    assert lines[4].startswith("Trigger: STALE_DATA BBB at tick ")
    late_ns = result.summary["trigger"]["time"]
    assert late_ns <= Moments().text(clock.origin_ns + 17 * NS_PER_SECOND)
    replay("live", strategy=Strategy(), home=tmp_path)


@pytest.mark.long
def test_what_nobody_set_is_limited_on_live_data(tmp_path: Path) -> None:
    clock = HandClock()
    result = live(
        tmp_path,
        ScriptedFeed(clock, 20),
        clock,
        config=settings(risk={}),
        strategy=Strategy(),
    )
    limits = {row["guard"]: row["limit"] for row in result.summary["limits"]}
    assert limits["STALE_DATA"] == "stale_after_s = 60"
    assert limits["MAX_ORDER_NOTIONAL"] == "max_order_share = 1"


@pytest.mark.long
def test_the_heartbeat_is_there_while_the_session_runs_and_gone_after_it(tmp_path: Path) -> None:
    clock = TickingClock()
    seen: list[Heartbeat] = []

    def look() -> None:
        for report in read_sessions(sessions_folder(tmp_path)):
            assert report.running
            assert report.heartbeat is not None
            seen.append(report.heartbeat)

    result = live(tmp_path, ScriptedFeed(clock, 60, after={50: look}), clock)
    assert result.status is SessionStatus.ENDED
    assert [beat.session_id for beat in seen] == ["live"]
    assert (seen[0].pid, seen[0].is_live) == (os.getpid(), True)
    assert seen[0].ticks > 30
    assert seen[0].symbols == ("AAA", "BBB")
    assert read_sessions(sessions_folder(tmp_path)) == []


def test_the_journal_of_a_live_session_is_that_of_any_session(tmp_path: Path) -> None:
    clock = TickingClock()
    live(tmp_path, ScriptedFeed(clock, 3), clock)
    there = kinds(tmp_path)
    assert there[0] == "manifest"
    assert there[-1] == "sealed"
    assert there.count("order") == 3
