"""A session of every kind shows a heartbeat before it reads any data, and until it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from journal_helpers import TRADES, BarByBar, bars, run
from live_session_helpers import ScriptedFeed, TickingClock, live
from places import PROJECT

from logos.cli.main import main
from logos.config import load_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Event
from logos.core.types import SessionStatus
from logos.feeds.contract import Sink
from logos.feeds.paced import PacedFeed
from logos.session import run as run_session
from logos.session import supervisor as supervisor_module
from logos.session.connections import Outside
from logos.session.entry import resume, run_live
from logos.session.presence.heartbeat import (
    Heartbeat,
    HeartbeatFile,
    SessionReport,
    heartbeat_path,
    read_heartbeat,
    read_sessions,
    sessions_folder,
)
from logos.testing.builders import Scripted

BARS = {
    "session": {"id": "small"},
    "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "account": {"balances": {"USD": "1000000"}},
}


class Watched(BarByBar):
    """Calls `look` before it gives the first event, and after each."""

    def __init__(self, look: Callable[[], object], count: int = 9) -> None:
        super().__init__(bars(count))
        self._look = look

    def chunks(self) -> Iterator[Sequence[Event]]:
        self._look()
        for chunk in super().chunks():
            yield chunk
            self._look()


def looks(home: Path, session_id: str) -> tuple[list[Heartbeat], Callable[[], None]]:
    """Heartbeats of a session that are believed, and what looks for one more."""
    seen: list[Heartbeat] = []

    def look() -> None:
        report = read_heartbeat(heartbeat_path(session_id, home))
        assert report is not None
        assert report.running
        assert (report.problem, report.pid) == ("", os.getpid())
        assert report.heartbeat is not None
        seen.append(report.heartbeat)

    return seen, look


@pytest.mark.long
def test_a_session_on_recorded_data_shows_one_before_its_first_event(tmp_path: Path) -> None:
    seen, look = looks(tmp_path, "small")
    run_session(
        BARS, strategy=Scripted(TRADES), feed=Watched(look), switch=InProcessSwitch(), home=tmp_path
    )
    assert len(seen) == 10
    assert seen[0].journal == str(tmp_path / "runs/live/sessions/small/state.jsonl")
    assert (seen[0].switch, seen[0].ticks, seen[0].is_live) == ("", 0, False)
    assert read_sessions(sessions_folder(tmp_path)) == []


@pytest.mark.long
def test_it_shows_its_figures_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "_HEARTBEAT_S", 0)
    seen, look = looks(tmp_path, "small")
    result = run_session(
        BARS, strategy=Scripted(TRADES), feed=Watched(look), switch=InProcessSwitch(), home=tmp_path
    )
    assert [beat.ticks for beat in seen] == list(range(10))
    last = seen[-1]
    assert (last.orders, last.fills) == (result.summary["orders"], result.summary["fills"])
    assert (last.symbols, last.switch, last.is_live) == (("ACME",), "SAFE", False)
    assert seen[0].written_ns < seen[1].written_ns < last.written_ns


@pytest.mark.long
def test_a_resumed_session_shows_one_before_it_reads_any_data(tmp_path: Path) -> None:
    def stop_at_fourth() -> None:
        asked.append(True)
        if len(asked) == 5:
            signal.raise_signal(signal.SIGTERM)

    asked: list[bool] = []
    switch = InProcessSwitch()
    stopped = run_session(
        BARS, strategy=Scripted(TRADES), feed=Watched(stop_at_fourth), switch=switch, home=tmp_path
    )
    assert stopped.status is SessionStatus.STOPPED
    assert read_sessions(sessions_folder(tmp_path)) == []
    seen, look = looks(tmp_path, "small")
    ended = resume(
        "small", strategy=Scripted(TRADES), feed=Watched(look), switch=switch, home=tmp_path
    )
    assert ended.status is SessionStatus.ENDED
    assert seen
    assert read_sessions(sessions_folder(tmp_path)) == []


@pytest.mark.long
def test_a_live_session_shows_one_before_its_feed_begins(tmp_path: Path) -> None:
    seen, look = looks(tmp_path, "live")

    class Looking(ScriptedFeed):
        async def run(self, sink: Sink) -> None:
            look()
            await super().run(sink)

    clock = TickingClock()
    live(tmp_path, Looking(clock, 60, after={50: look}), clock)
    assert [beat.is_live for beat in seen] == [False, True]
    assert seen[1].ticks > 0


@pytest.mark.long
def test_a_replay_of_recorded_data_through_the_live_loop_shows_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    overrides = {"live": {"feed": "replay", "speed": "0"}, "session": {"id": "again"}}
    seen, look = looks(tmp_path, "again")
    play = PacedFeed.run

    async def watched(feed: PacedFeed, sink: Sink) -> None:
        look()
        await play(feed, sink)

    monkeypatch.setattr(PacedFeed, "run", watched)
    run_live(
        load_config("examples/session.toml", overrides),
        outside=Outside(clock=TickingClock()),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
    )
    assert len(seen) == 1


@pytest.mark.long
def test_a_session_that_hangs_before_its_first_event_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    codes: list[int] = []

    def look() -> None:
        if not codes:
            codes.append(main(["status", "--late-after", "0"]))
            codes.append(main(["pause", "small"]))

    run_session(
        BARS, strategy=Scripted(TRADES), feed=Watched(look), switch=InProcessSwitch(), home=tmp_path
    )
    assert codes == [1, 2]
    said = capsys.readouterr()
    assert "small: STALLED: not responding\n" in said.out
    assert "starting: it has met no event yet" in said.out
    assert "no live session small is running (see `logos status`)" in said.err


def test_a_heartbeat_is_read_wherever_it_lies(tmp_path: Path) -> None:
    """A list of running sessions of several workspaces can point at their files."""
    reports: list[SessionReport | None] = []
    path = heartbeat_path("small", tmp_path / "elsewhere")

    def look() -> None:
        reports.append(read_heartbeat(path))

    run_session(
        BARS,
        strategy=Scripted(TRADES),
        feed=Watched(look, 1),
        switch=InProcessSwitch(),
        home=tmp_path / "elsewhere",
    )
    assert [report is not None and report.running for report in reports] == [True, True]


@pytest.mark.long
def test_a_disk_that_refuses_a_heartbeat_ends_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        refused.append(True)
        raise OSError(28, "No space left on device", "live.json")

    refused: list[bool] = []
    monkeypatch.setattr(HeartbeatFile, "beat", refuse)
    monkeypatch.setattr(supervisor_module, "_HEARTBEAT_S", 0)
    assert run(tmp_path).status is SessionStatus.ENDED
    clock = TickingClock()
    assert live(tmp_path, ScriptedFeed(clock, 60), clock).status is SessionStatus.ENDED
    assert len(refused) > 9
