"""A session whose events are pushed into it, one list after another, as they come."""

from __future__ import annotations

import gc
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from session_helpers import ListFeed, session_config

from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote
from logos.core.records import Record
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import SessionStatus, Side, SwitchState
from logos.errors import DataError
from logos.execution.incoming import batches
from logos.session import SessionResult, entry, seal
from logos.session.artifacts.claim import claim_folder
from logos.session.artifacts.counts import RecordCounts
from logos.session.artifacts.folder import SessionFolder
from logos.session.build import make_instruments
from logos.session.plan import make_plan
from logos.session.script import Script
from logos.session.session import Session
from logos.session.source import FeedSource
from logos.session.stored.names import log_path
from logos.session.supervisor import SessionSupervisor

START_NS = 1_700_000_000_000_000_000
CONFIG = session_config(session={"id": "pushed", "seed": 3})


class Alternating(Strategy):
    """Buys and sells in turn on every third quote."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return None if self.seen % 3 else Side.BUY if self.seen % 2 else Side.SELL


def quotes(count: int) -> list[Event]:
    feed = ListFeed([])
    plan = make_plan(make_config(CONFIG), strategy=Alternating(), feed=feed)
    traded = make_instruments(plan.config.instruments)["ACME"]
    return [
        Quote(START_NS + row * 10**9, "ACME", 10_000 + row % 7, 10_002 + row % 7, 10, 10, traded)
        for row in range(count)
    ]


class Pushed:
    """A session that has begun, its switch, and what it has come to."""

    def __init__(self, home: Path) -> None:
        config = make_config(CONFIG)
        plan = make_plan(config, strategy=Alternating(), feed=ListFeed([]))
        claim = claim_folder(plan.config, home)
        self.switch = InProcessSwitch()
        core = plan.make_core(claim.session_id, self.switch)
        folder = SessionFolder(claim.session_id, claim.journal, core.order_manager.states, home)
        supervisor = SessionSupervisor(self.switch).__enter__()
        supervisor.begin(claim.session_id, home, claim.journal.path)
        supervisor.attach(core)
        self.folder = claim.folder
        source = FeedSource(plan.feed)
        self.session = Session(plan, core, folder, supervisor, Script(), source)
        self.session.__enter__()

    def send(self, events: Sequence[Event] | None) -> SessionResult | None:
        """What the session came to, or None while it waits for more."""
        self.session.apply(events)
        return self.session.result


def again(home: Path, feed: Any) -> dict[str, Any]:
    return {"strategy": Alternating(), "feed": feed, "home": home}


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in entry.COMPARED}


@pytest.mark.long
def test_events_that_are_pushed_leave_the_same_bytes_as_events_that_are_pulled(
    tmp_path: Path,
) -> None:
    events = quotes(100)
    pulled = entry.run(
        CONFIG,
        strategy=Alternating(),
        feed=ListFeed(events, 40),
        switch=InProcessSwitch(),
        home=tmp_path / "pulled",
    )
    session = Pushed(tmp_path / "pushed")
    for start in range(0, 100, 7):
        assert session.send([]) is None
        assert session.send(events[start : start + 7]) is None
    result = session.send(None)
    assert result is not None
    assert result.status is SessionStatus.ENDED
    assert files(result.folder) == files(pulled.folder)


def test_what_is_projected_may_wait_and_is_there_for_whoever_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = quotes(30)
    plain = Pushed(tmp_path / "plain")
    held = Pushed(tmp_path / "held")
    folder = held.session.folder
    folder.holds_back = True
    counted: list[int] = []
    real = RecordCounts.add

    def add(counts: RecordCounts, records: Sequence[Record]) -> None:
        counted.append(len(records))
        real(counts, records)

    for batch in (events[:10], events[10:20], events[20:]):
        plain.send(batch)
        with monkeypatch.context() as patch:
            patch.setattr(RecordCounts, "add", add)
            held.send(batch)
        lines = (held.folder / "state.jsonl").read_bytes()
        assert lines == (plain.folder / "state.jsonl").read_bytes()
    assert counted == []
    assert folder.tally.orders == plain.session.folder.tally.orders != {}
    folder.holds_back = False
    ended = [session.send(None) for session in (plain, held)]
    assert all(each is not None and each.status is SessionStatus.ENDED for each in ended)
    assert files(held.folder) == files(plain.folder)


def test_what_was_held_back_is_in_tables_and_log_when_the_files_are_closed(tmp_path: Path) -> None:
    session = Pushed(tmp_path)
    session.session.folder.holds_back = True
    session.send(quotes(30))
    session.session.__exit__(None, None, None)
    assert (session.folder / "trades.csv").read_bytes().count(b"\n") > 5
    assert b"ORDER_GENERATED" in log_path("pushed", tmp_path).read_bytes()


@pytest.mark.long
def test_a_stop_is_served_while_no_events_come_and_the_session_replays_and_goes_on(
    tmp_path: Path,
) -> None:
    events = quotes(60)
    session = Pushed(tmp_path)
    assert session.send(events[:20]) is None
    os.kill(os.getpid(), signal.SIGTERM)
    result = session.send([])
    assert result is not None
    assert result.status is SessionStatus.STOPPED
    entry.replay("pushed", **again(tmp_path, ListFeed(events[:20])))
    entry.replay("pushed", **again(tmp_path, ListFeed(events)))
    resumed = entry.resume("pushed", **again(tmp_path, ListFeed(events)), switch=InProcessSwitch())
    assert resumed.status is SessionStatus.ENDED
    assert json.loads((resumed.folder / "state.json").read_text())["tick_id"] == 60


@pytest.mark.long
def test_a_stop_before_the_first_event_replays_and_goes_on(tmp_path: Path) -> None:
    events = quotes(30)
    session = Pushed(tmp_path)
    os.kill(os.getpid(), signal.SIGTERM)
    result = session.send([])
    assert result is not None
    assert result.status is SessionStatus.STOPPED
    entry.replay("pushed", **again(tmp_path, ListFeed(events)))
    resumed = entry.resume("pushed", **again(tmp_path, ListFeed(events)), switch=InProcessSwitch())
    assert resumed.status is SessionStatus.ENDED
    entry.replay("pushed", **again(tmp_path, ListFeed(events)))


def test_an_error_that_is_thrown_in_fails_the_session_with_its_books(tmp_path: Path) -> None:
    session = Pushed(tmp_path)
    assert session.send(quotes(20)) is None
    session.session.fail(DataError("row 21 is no quote"))
    result = session.session.result
    assert result is not None
    assert result.status is SessionStatus.FAILED
    assert result.reason == "row 21 is no quote"
    assert (session.folder / "host.json").is_file()


def test_the_session_ends_by_itself_where_the_switch_halts_it(tmp_path: Path) -> None:
    events = quotes(30)
    session = Pushed(tmp_path)
    assert session.send(events[:10]) is None
    session.switch.engage("enough", "test")
    result = session.send(events[10:20])
    assert result is not None
    assert result.status is SessionStatus.HALTED


def test_a_session_without_events_says_so(tmp_path: Path) -> None:
    session = Pushed(tmp_path)
    assert session.send([]) is None
    result = session.send(None)
    assert result is not None
    assert "no events" in result.reason


class Breaking:
    """A feed that breaks off after one list."""

    def __init__(self, events: Sequence[Event], error: BaseException) -> None:
        self._events = events
        self._error = error

    def chunks(self) -> Iterator[Sequence[Event]]:
        yield self._events
        raise self._error


@pytest.mark.long
@pytest.mark.parametrize(
    ("error", "reason"),
    [(DataError("cut"), "cut"), (ValueError("odd"), "internal error: ValueError: odd")],
)
def test_a_feed_that_fails_while_it_is_pulled_is_told_in_the_result(
    tmp_path: Path, error: BaseException, reason: str
) -> None:
    feed = Breaking(quotes(10), error)
    result = entry.run(
        CONFIG, strategy=Alternating(), feed=feed, switch=InProcessSwitch(), home=tmp_path
    )
    assert (result.status, result.reason) == (SessionStatus.FAILED, reason)


@pytest.mark.long
def test_a_forced_end_passes_through_and_leaves_a_session_to_be_resumed(tmp_path: Path) -> None:
    events = quotes(30)
    feed = Breaking(events[:10], KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        entry.run(
            CONFIG, strategy=Alternating(), feed=feed, switch=InProcessSwitch(), home=tmp_path
        )
    result = entry.resume("pushed", **again(tmp_path, ListFeed(events)), switch=InProcessSwitch())
    assert result.status is SessionStatus.ENDED


class Signalling:
    """A feed that sends SIGUSR1 to this process before its list number `at`."""

    def __init__(self, events: Sequence[Event], at: int) -> None:
        self._feed = ListFeed(events, 5)
        self._at = at

    def chunks(self) -> Iterator[Sequence[Event]]:
        for number, events in enumerate(self._feed.chunks()):
            if number == self._at:
                before = set(threading.enumerate())
                os.kill(os.getpid(), signal.SIGUSR1)
                for thread in set(threading.enumerate()) - before:
                    thread.join(10.0)  # the switch is engaged in a thread of its own
            yield events


@pytest.mark.long
@pytest.mark.parametrize("is_new", [True, False])
def test_sigusr1_engages_the_switch_that_the_session_was_given(
    tmp_path: Path, is_new: bool
) -> None:
    events, switch = quotes(60), InProcessSwitch()
    options: dict[str, Any] = {**again(tmp_path, Signalling(events, 6)), "switch": switch}
    if is_new:
        result = entry.run(CONFIG, **options)
    else:
        session = Pushed(tmp_path)
        assert session.send(events[:20]) is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert session.send([]) is not None
        result = entry.resume("pushed", **options)
    assert switch.authority() is SwitchState.ENGAGED
    assert switch.why() == "SIGUSR1 (by signal)"
    assert result.status is SessionStatus.HALTED
    assert result.reason == "kill switch: SIGUSR1 (by signal)"


@pytest.mark.long
def test_sigusr1_engages_and_changes_nothing_in_a_session_that_is_only_sealed(
    tmp_path: Path,
) -> None:
    events, switch = quotes(30), InProcessSwitch()
    with pytest.raises(KeyboardInterrupt):
        entry.run(
            CONFIG,
            strategy=Alternating(),
            feed=Breaking(events[:10], KeyboardInterrupt()),
            switch=InProcessSwitch(),
            home=tmp_path,
        )
    options = again(tmp_path, Signalling(events, 1))
    result = entry.resume("pushed", **options, switch=switch, seal=True)
    assert (result.status, result.exit_code) == (SessionStatus.CRASHED_RECOVERED, 0)
    assert result.summary["switch_state"] == "SAFE"
    assert switch.authority() is SwitchState.ENGAGED


def test_host_json_says_when_the_session_ran_and_how_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its wall clock and its stopwatch tell other times, so that none is taken for another."""
    moments = iter((START_NS, START_NS + 90 * 10**9))
    stopwatch = itertools.count(0, 4 * 10**9)
    monkeypatch.setattr(seal, "time", SimpleNamespace(time_ns=lambda: next(moments)))
    told = SimpleNamespace(perf_counter_ns=lambda: next(stopwatch), monotonic=time.monotonic)
    monkeypatch.setattr(batches, "time", told)
    made = Pushed(tmp_path)
    assert made.send(quotes(20)) is None
    result = made.send(None)
    assert result is not None
    assert json.loads((made.folder / "host.json").read_text()) == result.host
    names = ("started", "ended", "run_seconds", "ticks_per_second")
    assert [result.host[name] for name in names] == [
        "2023-11-14T22:13:20.000000000Z",
        "2023-11-14T22:14:50.000000000Z",
        "8.000000",  # two looks: after the event that is timed by itself, and after the others
        2,
    ]


def test_a_session_at_speed_has_the_collector_look_only_at_what_is_new(tmp_path: Path) -> None:
    before = gc.get_threshold()
    seen: list[tuple[tuple[int, int, int], bool]] = []

    class Watching(Strategy):
        def on_quote(self, _context: Context, _quote: Quote) -> Answer:
            seen.append((gc.get_threshold(), gc.get_freeze_count() > 0))
            return None

    options: dict[str, Any] = {"switch": InProcessSwitch(), "home": tmp_path}
    entry.run(CONFIG, strategy=Watching(), feed=ListFeed(quotes(3)), **options)
    assert len(seen) == 3
    assert {thresholds != before and is_frozen for thresholds, is_frozen in seen} == {True}
    assert gc.get_threshold() == before
