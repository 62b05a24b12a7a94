"""Sessions of a fleet: who may start, what stops them, and what they say of themselves there."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from fleet_helpers import MemoryStore, record
from guard_helpers import A
from session_helpers import ListFeed
from waiting import wait_until

from logos.config import make_config
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import SessionStatus, Side
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.fleet.records import CoordinatorError, EngineEntry, FleetRecord
from logos.killswitch.fleet.seen import read_seen
from logos.killswitch.fleet.store import Coordinator, Polled
from logos.session import SwitchEngagedError
from logos.session.entry import drive, replay, resume, run
from logos.session.fleet import membership
from logos.session.open import open_session
from logos.session.opening.spec import SessionSpec
from logos.session.presence.heartbeat import read_sessions, sessions_folder
from logos.testing.builders import quote

EVENTS = 1_000
KILL_AT = 500


def config(name: str) -> dict[str, Any]:
    return {
        "session": {"id": name},
        "risk": {"unlimited": True},
        "instruments": {"AAA": {"quote": "USD", "tick": "1", "lot": "1", "settlement": "margin"}},
        "killswitch": {"coordinator": {"fleet": "desk", "endpoints": ["http://127.0.0.1:1"]}},
    }


def feed() -> ListFeed:
    events: list[Event] = [quote(A, number, "100", "100") for number in range(1, EVENTS + 1)]
    return ListFeed(events, size=10)


class Ordering(Strategy):
    """Orders at each event; at one of them the fleet changes, which it waits for."""

    def __init__(self, store: MemoryStore | None = None, put: FleetRecord | None = None) -> None:
        self.store = store
        self.put = put
        self.seen = 0
        self.stop_at = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        if self.seen == KILL_AT and self.store is not None:
            self.store.put(self.put)
            machine = CircuitBreaker()
            wait_until(lambda: machine.flag[0] != 0, "the machine's switch to hear of it")
            machine.close()
        return market(Side.BUY if self.seen % 2 else Side.SELL, 1)


@pytest.fixture
def store(logos_home: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    memory.put(record(1))

    def connect(_terms: Coordinator) -> MemoryStore:
        return memory

    monkeypatch.setattr(membership, "connect", connect)
    return memory


def machine(home: Path) -> CircuitBreaker:
    return CircuitBreaker(home / "state" / "kill-switch")


@pytest.mark.long
def test_a_session_with_a_permit_runs_and_leaves_its_last_word(
    store: MemoryStore, logos_home: Path
) -> None:
    result = run(config("fine"), strategy=Ordering(), feed=feed())
    assert result.status is SessionStatus.ENDED
    [entry] = store.entries.values()
    assert (entry.session, entry.ended, entry.drained) == ("fine", True, True)
    assert entry.workspace == str(logos_home)
    seen = read_seen(logos_home / "state" / "fleet" / "desk.json")
    assert seen is not None
    assert (seen.cluster, seen.epoch) == ("c1", 1)
    assert replay("fine", strategy=Ordering(), feed=feed()).status is SessionStatus.ENDED


@pytest.mark.long
def test_a_kill_of_the_fleet_halts_the_session_at_that_event(
    store: MemoryStore, logos_home: Path
) -> None:
    strategy = Ordering(store, record(2, "ENGAGED", who="bob", why="fat finger"))
    result = run(config("killed"), strategy=strategy, feed=feed())
    assert result.status is SessionStatus.HALTED
    assert strategy.seen == KILL_AT
    assert result.reason == "kill switch: fleet desk is ENGAGED at epoch 2: fat finger (by bob)"
    [entry] = store.entries.values()
    assert (entry.epoch, entry.blocked, entry.drained, entry.ended) == (2, True, True, True)
    assert machine(logos_home).status().who == "bob"
    assert replay("killed", strategy=Ordering(), feed=feed()).status is SessionStatus.HALTED


@pytest.mark.long
def test_how_the_permit_stands_is_in_the_heartbeat(
    store: MemoryStore, logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.limits = "best effort: it may forget"
    session = SessionSpec(config=make_config(config("shown")), strategy=Ordering(), feed=feed())
    with open_session(session) as opened:
        opened.supervisor.beat(1)
        [report] = read_sessions(sessions_folder(logos_home))
        assert report.heartbeat is not None
        words = report.heartbeat.fleet
        drive(opened)
    assert words.startswith("fleet desk (etcd, best effort): epoch 1, permit for ")
    assert "fleet desk: best effort: it may forget" in capsys.readouterr().err


def orders_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "state.jsonl").read_text().splitlines()
    bodies = [json.loads(line)["body"] for line in lines]
    return [body for body in bodies if body.get("kind") == "order"]


def manifest_of(folder: Path) -> dict[str, Any]:
    first = (folder / "state.jsonl").read_text().splitlines()[0]
    found: dict[str, Any] = json.loads(first)["body"]
    return found


@pytest.mark.long
def test_the_manifest_and_each_order_have_the_epoch_that_permitted_them(
    store: MemoryStore, logos_home: Path
) -> None:
    store.put(record(7))
    result = run(config("epochs"), strategy=Ordering(), feed=feed())
    assert manifest_of(result.folder)["fleet"] == {"name": "desk", "epoch": 7}
    epochs = [order["fleet_epoch"] for order in orders_of(result.folder)]
    assert epochs == [7] * EVENTS


@pytest.mark.long
def test_a_resumed_session_has_the_epochs_on_record_and_then_those_of_now(
    store: MemoryStore, logos_home: Path
) -> None:
    store.put(record(7))
    stopping = Ordering()
    stopping.stop_at = KILL_AT
    first = run(config("resumed"), strategy=stopping, feed=feed())
    assert first.status is SessionStatus.STOPPED
    store.put(record(9))
    result = resume("resumed", strategy=Ordering(), feed=feed(), use_snapshot=False)
    assert result.status is SessionStatus.ENDED
    epochs = [order["fleet_epoch"] for order in orders_of(result.folder)]
    assert epochs == [7] * KILL_AT + [9] * (EVENTS - KILL_AT)
    assert manifest_of(result.folder)["fleet"]["epoch"] == 7
    assert replay("resumed", strategy=Ordering(), feed=feed()).status is SessionStatus.ENDED


@pytest.mark.long
def test_nothing_of_a_fleet_is_written_where_there_is_none(logos_home: Path) -> None:
    plain = {key: value for key, value in config("plain").items() if key != "killswitch"}
    result = run(plain, strategy=Ordering(), feed=feed())
    assert "fleet_epoch" not in (result.folder / "state.jsonl").read_text()
    assert "fleet" not in manifest_of(result.folder)


@pytest.mark.long
@pytest.mark.parametrize("put", [None, record(0)])
def test_a_doubt_about_the_coordinator_halts_the_session(
    store: MemoryStore, logos_home: Path, put: FleetRecord | None
) -> None:
    result = run(config("doubt"), strategy=Ordering(store, put), feed=feed())
    assert result.status is SessionStatus.HALTED
    assert result.reason.endswith("(by coordinator)")
    assert machine(logos_home).status().state.name == "ENGAGED"


def test_nothing_starts_without_a_permit(store: MemoryStore, logos_home: Path) -> None:
    store.put(record(2, "ENGAGED", why="fat finger"))
    with pytest.raises(SwitchEngagedError, match="fleet desk is ENGAGED at epoch 2: fat finger"):
        run(config("a"), strategy=Ordering(), feed=feed())
    assert machine(logos_home).status().state.name == "SAFE", "the fleet's switch says it"
    store.put(None)
    with pytest.raises(SwitchEngagedError, match=r"logos kill reset --fleet desk .* --epoch 0"):
        run(config("a"), strategy=Ordering(), feed=feed())
    assert machine(logos_home).status().state.name == "SAFE", "no fleet was ever seen here"


@pytest.mark.long
def test_a_coordinator_that_does_not_answer_gives_no_permit(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.is_cut = True
    quick = config("a")
    quick["killswitch"]["coordinator"] |= {"ttl_s": 2, "poll_ms": 100}
    with pytest.raises(SwitchEngagedError, match="fleet desk gives no permit: cut off"):
        run(quick, strategy=Ordering(), feed=feed())


def test_a_first_renewal_that_fails_is_tried_again_and_engages_nothing(
    store: MemoryStore, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator was just read, and elects a leader now."""
    renew, failures = store.poll, iter((1, 2))

    def poll(entry: EngineEntry) -> Polled:
        if next(failures, None):
            raise CoordinatorError("etcd did not answer")
        return renew(entry)

    monkeypatch.setattr(store, "poll", poll)
    result = run(config("a"), strategy=Ordering(), feed=feed())
    assert result.status is SessionStatus.ENDED
    assert next(failures, None) is None
    assert machine(logos_home).status().state.name == "SAFE"


@pytest.mark.long
def test_a_session_whose_first_renewal_never_comes_through_does_not_start(
    store: MemoryStore, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poll(_entry: EngineEntry) -> Polled:
        raise CoordinatorError("etcd did not answer")

    monkeypatch.setattr(store, "poll", poll)
    quick = config("a")
    quick["killswitch"]["coordinator"] |= {"ttl_s": 2, "poll_ms": 100}
    with pytest.raises(SwitchEngagedError, match="fleet desk gives no permit: etcd did not answer"):
        run(quick, strategy=Ordering(), feed=feed())
    assert machine(logos_home).status().state.name == "SAFE", "nothing ran out: there was none"


@pytest.mark.long
def test_a_coordinator_that_was_put_back_engages_the_machine_of_a_session_that_starts(
    store: MemoryStore, logos_home: Path
) -> None:
    run(config("first"), strategy=Ordering(), feed=feed())
    store.cluster = "c2"
    with pytest.raises(SwitchEngagedError, match=r"another cluster \(c2\) than before \(c1\)"):
        run(config("second"), strategy=Ordering(), feed=feed())
    breaker = machine(logos_home)
    status = breaker.status()
    assert (status.state.name, status.who) == ("ENGAGED", "coordinator")
    breaker.reset("ann", "we moved the coordinator", status.epoch)
    result = run(config("second"), strategy=Ordering(), feed=feed())
    assert result.status is SessionStatus.ENDED, "a person has decided that this is the fleet's"


@pytest.mark.long
def test_a_session_that_was_halted_by_the_fleet_has_ended_and_is_not_resumed(
    store: MemoryStore, logos_home: Path
) -> None:
    run(config("killed"), strategy=Ordering(store, record(2, "ENGAGED")), feed=feed())
    with pytest.raises(Exception, match="has ended"):
        resume("killed", strategy=Ordering(), feed=feed())


@pytest.mark.long
def test_settings_without_a_coordinator_are_written_as_before(logos_home: Path) -> None:
    plain = {key: value for key, value in config("plain").items() if key != "killswitch"}
    result = run(plain, strategy=Ordering(), feed=feed())
    assert "killswitch" not in (result.folder / "config.json").read_text()
