"""A live session: what ended it, and what it is not resumed with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import (
    Alternating,
    ScriptedFeed,
    TickingClock,
    live,
    resumed,
    settings,
)

from logos.core.gates import InProcessSwitch
from logos.core.types import SessionStatus
from logos.feeds.contract import Sink
from logos.journal.inputs import INPUTS_FILE
from logos.journal.reader import Damaged
from logos.session import ExitCode
from logos.session.artifacts.snapshots.snapshot import SNAPSHOT
from logos.session.connections import Outside
from logos.session.entry import replay, resume, run_live
from logos.session.restoring import CannotResumeError


def folder_of(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "live"


class Dying(ScriptedFeed):
    """Fails when it is let, which need not be when another one does."""

    def __init__(self, clock: TickingClock, name: str, gate: asyncio.Event) -> None:
        super().__init__(clock, 0, error=ConnectionError(f"{name} gave up"))
        self.name = name
        self._gate = gate

    async def run(self, sink: Sink) -> None:
        await self._gate.wait()
        await super().run(sink)


@pytest.mark.long
@pytest.mark.parametrize("names", [("one", "two"), ("two", "one")])
def test_the_first_failure_is_the_one_that_is_told(tmp_path: Path, names: tuple[str, str]) -> None:
    """Two feeds die in the same turn of the loop, one after the other."""
    clock, gate, switch = TickingClock(), asyncio.Event(), InProcessSwitch()
    first = ScriptedFeed(clock, 5, after={5: gate.set})
    feeds = [first, *(Dying(clock, name, gate) for name in names)]
    result = run_live(
        settings(),
        strategy=Alternating(),
        outside=Outside(feeds=feeds, clock=clock),
        switch=switch,
        home=tmp_path,
        tell=lambda _: None,
    )
    assert (result.status, result.exit_code) == (SessionStatus.HALTED, ExitCode.HALTED)
    told = f"{names[0]} died: ConnectionError: {names[0]} gave up"
    assert result.summary["live"]["failure"] == told
    assert told in switch.why()
    assert names[1] not in result.reason
    assert told in result.reason


def stop_after(home: Path, quotes: int, clock: TickingClock) -> None:
    stop: dict[int, Callable[[], object]] = {quotes: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = live(home, ScriptedFeed(clock, 1_000, after=stop), clock)
    assert stopped.status is SessionStatus.STOPPED


class Other(Alternating):
    """Another strategy."""


@pytest.mark.long
def test_a_live_session_is_not_resumed_with_another_strategy(tmp_path: Path) -> None:
    clock = TickingClock()
    stop_after(tmp_path, 5, clock)
    before = {path.name: path.read_bytes() for path in folder_of(tmp_path).iterdir()}
    options: dict[str, Any] = {"home": tmp_path, "switch": InProcessSwitch()}
    outside = Outside(feeds=[ScriptedFeed(clock, 5)], clock=clock)
    for strategy in (Other(), None):
        with pytest.raises(CannotResumeError, match=r"the source of the strategy|was run with"):
            resume("live", strategy=strategy, outside=outside, **options)
    assert {path.name: path.read_bytes() for path in folder_of(tmp_path).iterdir()} == before


@pytest.mark.long
def test_a_session_that_has_ended_is_not_resumed_on_live_feeds(tmp_path: Path) -> None:
    clock = TickingClock()
    live(tmp_path, ScriptedFeed(clock, 5), clock)
    with pytest.raises(CannotResumeError, match="has ended"):
        resumed(tmp_path, ScriptedFeed(clock, 5), clock)


@pytest.mark.long
@pytest.mark.parametrize("number", [0, 3])
def test_a_recorded_input_that_was_changed_is_noticed_by_replay_and_resume(
    tmp_path: Path, number: int
) -> None:
    clock = TickingClock()
    stop_after(tmp_path, 12, clock)
    path = folder_of(tmp_path) / INPUTS_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    place = len(lines[number]) // 2
    lines[number] = lines[number][:place] + b"~" + lines[number][place + 1 :]
    path.write_bytes(b"".join(lines))
    with pytest.raises(Damaged, match=rf"{INPUTS_FILE}: damaged at record"):
        replay("live", strategy=Alternating(), home=tmp_path)
    (folder_of(tmp_path) / SNAPSHOT).unlink(missing_ok=True)
    with pytest.raises(Damaged, match=rf"{INPUTS_FILE}: damaged at record"):
        resumed(tmp_path, ScriptedFeed(clock, 5), clock)


@pytest.mark.long
def test_each_recovery_of_a_live_session_has_a_line(tmp_path: Path) -> None:
    clock = TickingClock()
    stop_after(tmp_path, 5, clock)
    stop: dict[int, Callable[[], object]] = {4: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    again = resumed(tmp_path, ScriptedFeed(clock, 1_000, after=stop), clock)
    assert again.status is SessionStatus.STOPPED
    assert resumed(tmp_path, ScriptedFeed(clock, 4), clock).status is SessionStatus.ENDED
    lines = (folder_of(tmp_path) / "recoveries.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert [(line["was"], line["result"]) for line in told] == [
        ("STOPPED", "STOPPED"),
        ("STOPPED", "ENDED"),
    ]
    replay("live", strategy=Alternating(), home=tmp_path)
