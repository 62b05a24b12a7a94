"""Live sessions resume from their snapshots, to the same bytes as from their beginning."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from live_process import EveryBar, run_and_die
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, settings
from live_venue_helpers import Resting, World, open_there

from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context
from logos.core.types import SessionStatus
from logos.execution.metrics import MetricsSnapshot
from logos.journal import reader
from logos.journal.codec import decode_line, encode_lines
from logos.journal.inputs import INPUTS_FILE
from logos.session import SessionResult
from logos.session.artifacts.recoveries import RECOVERIES
from logos.session.artifacts.snapshots.saving import LIVE_EVENTS, LiveDue
from logos.session.artifacts.snapshots.snapshot import (
    SNAPSHOT,
    SnapshotDue,
    encode_snapshot,
    read_snapshot,
)
from logos.session.artifacts.tables import TABLES
from logos.session.connections import Outside
from logos.session.drive import LiveEngine
from logos.session.entry import replay, resume, run_live
from logos.session.presence.page import metrics_path


class Saving(Alternating):
    """It can be saved, and knows how many quotes it was asked about itself."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.asked += 1
        return super().on_quote(context, quote)

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen = state["seen"]


def at_turns(*wanted: int) -> SnapshotDue:
    """A snapshot after these turns of the loop."""
    turns = count(1)
    return lambda: next(turns) in wanted


def folder_of(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "live"


def crash(home: Path, crashed: Path, quotes: int, due: SnapshotDue) -> None:
    """Run a session of twice as many quotes; `crashed` is what a SIGKILL after `quotes` leaves."""
    clock = TickingClock()
    copy: dict[int, Callable[[], object]] = {quotes: lambda: shutil.copytree(home, crashed)}
    run_live(
        settings(),
        strategy=Saving(),
        outside=Outside(feeds=[ScriptedFeed(clock, 2 * quotes, after=copy)], clock=clock),
        switch=InProcessSwitch(),
        home=home,
        tell=lambda _: None,
        snapshot_due=due,
    )


def go_on(
    home: Path, strategy: Saving, told: list[str], quotes: int = 30, **options: Any
) -> SessionResult:
    """Resume with so many more quotes, on a clock that starts far behind."""
    clock = TickingClock()
    return resume(
        "live",
        strategy=strategy,
        outside=Outside(feeds=[ScriptedFeed(clock, quotes)], clock=clock),
        switch=InProcessSwitch(),
        home=home,
        tell=told.append,
        **options,
    )


def files(home: Path) -> dict[str, bytes]:
    """All that a session leaves, but what was measured in wall time."""
    folder = folder_of(home)
    found = {name: (folder / name).read_bytes() for name in ("config.json", "state.jsonl", *TABLES)}
    batches = [
        line for line in (folder / INPUTS_FILE).read_bytes().splitlines() if b'"facts"' not in line
    ]
    found[INPUTS_FILE] = b"\n".join(batches)
    found["log"] = (home / "logos" / "logs" / "live.jsonl").read_bytes()
    return found


def recovery_of(home: Path) -> dict[str, Any]:
    *_, last = (folder_of(home) / RECOVERIES).read_text().splitlines()
    recovery: dict[str, Any] = json.loads(last)
    return recovery


def test_a_snapshot_without_a_place_in_the_inputs_is_said_to_have_none(tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crash(tmp_path / "home", crashed, 10, at_turns(5))
    path = folder_of(crashed) / SNAPSHOT
    snapshot = read_snapshot(folder_of(crashed))
    assert snapshot is not None
    without = msgspec.structs.replace(snapshot, inputs=None, inputs_sha256="")
    path.write_bytes(encode_snapshot(without))
    told: list[str] = []
    assert go_on(crashed, Saving(), told, 4).status is SessionStatus.ENDED
    assert told == [
        "logos: the snapshot is not used: it does not say how far the recorded inputs had come; "
        "the session is run again from its beginning"
    ]


@pytest.mark.long
@pytest.mark.parametrize("saved_at", [1, 15, 37, 40])
def test_it_comes_out_the_same_from_its_snapshot_and_from_its_beginning(
    tmp_path: Path, saved_at: int
) -> None:
    crashed, again = tmp_path / "crashed", tmp_path / "again"
    crash(tmp_path / "home", crashed, 40, at_turns(saved_at))
    shutil.copytree(crashed, again)
    snapshot = read_snapshot(folder_of(crashed))
    assert snapshot is not None
    assert snapshot.inputs is not None

    told: list[str] = []
    short, long = Saving(), Saving()
    ended = go_on(crashed, short, told)
    from_beginning = go_on(again, long, told, use_snapshot=False)
    assert told == []
    assert recovery_of(crashed)["snapshot_sequence"] == snapshot.sequence
    assert recovery_of(again)["snapshot_sequence"] is None
    assert ended.status is from_beginning.status is SessionStatus.ENDED
    assert long.asked == short.seen == long.seen
    assert short.asked == long.asked - snapshot.core["order_manager"]["order_count"]
    assert files(crashed) == files(again)
    assert not (folder_of(crashed) / SNAPSHOT).exists(), "it has ended"
    assert replay("live", strategy=Saving(), home=crashed).summary == ended.summary
    assert verify(folder_of(crashed)).exit_code == 0


@pytest.mark.long
def test_the_figures_of_a_session_that_was_resumed_count_what_came_before(tmp_path: Path) -> None:
    crashed, again = tmp_path / "crashed", tmp_path / "again"
    crash(tmp_path / "home", crashed, 40, at_turns(20))
    shutil.copytree(crashed, again)
    go_on(crashed, Saving(), [])
    go_on(again, Saving(), [], use_snapshot=False)
    found, expected = (
        msgspec.json.decode(metrics_path("live", home).read_bytes(), type=MetricsSnapshot)
        for home in (crashed, again)
    )
    assert sum(each.orders for each in found.symbols) >= 70
    assert found.symbols == expected.symbols
    assert found.currencies == expected.currencies


@pytest.mark.long
def test_a_session_that_was_stopped_resumes_from_where_it_stood(tmp_path: Path) -> None:
    clock = TickingClock()
    stop: dict[int, Callable[[], object]] = {25: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = run_live(
        settings(),
        strategy=Saving(),
        outside=Outside(feeds=[ScriptedFeed(clock, 500, after=stop)], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    assert stopped.status is SessionStatus.STOPPED
    told: list[str] = []
    strategy = Saving()
    ended = go_on(tmp_path, strategy, told)
    assert told == []
    assert recovery_of(tmp_path)["snapshot_sequence"] is not None
    assert strategy.asked == strategy.seen - stopped.summary["orders"]
    assert replay("live", strategy=Saving(), home=tmp_path).summary == ended.summary


@pytest.mark.long
@pytest.mark.parametrize("harm", ["cut short", "no place"])
def test_a_snapshot_that_does_not_fit_the_inputs_is_left_alone(tmp_path: Path, harm: str) -> None:
    crashed = tmp_path / "crashed"
    crash(tmp_path / "home", crashed, 40, at_turns(35))
    folder = folder_of(crashed)
    if harm == "cut short":
        snapshot = read_snapshot(folder)
        assert snapshot is not None
        assert snapshot.inputs is not None
        os.truncate(folder / INPUTS_FILE, snapshot.inputs.offset - 10)
    else:
        # As an older process left it that was sealing the session: without a place in the inputs.
        _without_place(folder)
    told: list[str] = []
    strategy = Saving()
    ended = go_on(crashed, strategy, told)
    assert ended.status is SessionStatus.ENDED
    assert any("the snapshot is not used" in text for text in told)
    assert strategy.asked == strategy.seen, "it was run again from its beginning"
    assert replay("live", strategy=Saving(), home=crashed).summary == ended.summary
    assert verify(folder).exit_code == 0


def _without_place(folder: Path) -> None:
    snapshot = read_snapshot(folder)
    assert snapshot is not None
    bare = msgspec.structs.replace(snapshot, inputs=None)
    (folder / SNAPSHOT).write_bytes(encode_snapshot(bare))


@pytest.mark.long
def test_orders_at_a_venue_are_asked_for_and_never_sent_again(tmp_path: Path) -> None:
    there = World(tmp_path)

    def dies() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        there.run(
            ScriptedFeed(there.clock, 1_000, after={35: dies}),
            Resting(),
            snapshot_due=at_turns(*range(5, 1_000, 10)),
        )
    resting = {order.client_order_id for order in open_there(there)}
    assert len(resting) >= 3
    there.switch = InProcessSwitch()  # the loop that broke off engaged the other one
    ended = there.resume(ScriptedFeed(there.clock, 30), Resting())
    assert ended.status is SessionStatus.ENDED, ended.reason
    assert recovery_of(tmp_path)["snapshot_sequence"] is not None
    assert set(there.venue.submits.values()) == {1}
    assert resting < set(there.venue.submits)
    assert open_there(there) == []
    assert replay("live", strategy=Resting(), home=tmp_path).summary == ended.summary
    assert verify(ended.folder).exit_code == 0


@pytest.mark.campaign
def test_kill_9_of_a_live_replay_session_that_had_written_a_snapshot(tmp_path: Path) -> None:
    """What it becomes is byte for byte what an uninterrupted run of the same inputs is."""
    assert run_and_die(tmp_path, saved_at=30, killed_at=50) == -signal.SIGKILL
    folder = tmp_path / "runs" / "live" / "sessions" / "killed"
    snapshot = read_snapshot(folder)
    assert snapshot is not None
    assert snapshot.core["order_manager"]["order_count"] > 0, "the strategy had traded"
    told: list[str] = []
    strategy = EveryBar()
    switch = InProcessSwitch()
    ended = resume("killed", strategy=strategy, switch=switch, home=tmp_path, tell=told.append)
    assert told == []
    assert ended.status is SessionStatus.ENDED, ended.reason
    [line] = (folder / RECOVERIES).read_text().splitlines()
    assert json.loads(line)["snapshot_sequence"] == snapshot.sequence
    assert json.loads(line)["was"] == "CRASHED"
    assert strategy.seen - strategy.asked >= 30, "what the snapshot holds was not run again"
    again = EveryBar()
    assert replay("killed", strategy=again, home=tmp_path).summary == ended.summary
    assert again.asked == again.seen == strategy.seen
    assert verify(folder).exit_code == 0


@pytest.mark.long
def test_only_what_is_behind_the_snapshot_is_read_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = tmp_path / "crashed"
    crash(tmp_path / "home", crashed, 40, at_turns(37))
    folder = folder_of(crashed)
    snapshot = read_snapshot(folder)
    assert snapshot is not None
    assert snapshot.inputs is not None
    first: dict[int, int] = {}  # how often a line of this number was read, of either file

    def counting(line: bytes, sequence: int, previous: bytes) -> tuple[bytes, bytes]:
        first[sequence] = first.get(sequence, 0) + 1
        return decode_line(line, sequence, previous)

    def counting_many(before: int, previous: bytes, bodies: list[bytes]) -> tuple[bytes, bytes]:
        for sequence in range(before + 1, before + 1 + len(bodies)):
            first[sequence] = first.get(sequence, 0) + 1
        return encode_lines(before, previous, bodies)

    monkeypatch.setattr(reader, "decode_line", counting)
    monkeypatch.setattr(reader, "encode_lines", counting_many)
    monkeypatch.setattr(LiveEngine, "_begin", _stop_here)
    with pytest.raises(EndOfTestError):
        go_on(crashed, Saving(), [])
    behind = min(snapshot.inputs.sequence, snapshot.sequence)
    assert first[1] >= 2
    assert [sequence for sequence in first if 1 < sequence <= behind] == []
    assert max(first) > snapshot.sequence


class EndOfTestError(Exception):
    """The session stands where it crashed."""


async def _stop_here(_: LiveEngine) -> None:
    raise EndOfTestError


def test_a_live_snapshot_is_due_by_time_by_ticks_and_never_at_a_hundredth_of_the_time() -> None:
    now_s, ticks = [0.0], [0]
    due = LiveDue(lambda: ticks[0], lambda: now_s[0])

    def after(seconds: float, more: int) -> bool:
        now_s[0] += seconds
        ticks[0] += more
        return due()

    assert not after(0.9, LIVE_EVENTS)
    assert after(0.2, 0), "so many ticks, and a second has passed"
    assert not after(59, LIVE_EVENTS - 1)
    assert after(1, 0), "a minute"
    due.took(0.05)
    assert not after(4.9, 5 * LIVE_EVENTS)
    assert after(0.2, 0), "a hundred times what the last one took"
    due.took(2)
    assert not after(199, 5 * LIVE_EVENTS)
    assert after(1, 0)
