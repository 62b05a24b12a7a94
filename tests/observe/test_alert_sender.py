"""The sender: what it found is delivered at least once, whatever happens between two steps."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alert_helpers import FakeSession, guard, running, sealed, settings
from waiting import wait_until

from logos.config.tables.alerts import AlertKind, AlertSettings, ChannelSettings, ChannelType
from logos.core.types import Code
from logos.observe.alerts import delivery as delivery_module
from logos.observe.alerts import sender as sender_module
from logos.observe.alerts.alert import Message
from logos.observe.alerts.channels.base import DeliveryError
from logos.observe.alerts.outbox import Outbox, Taken, alerts_folder, read_state
from logos.observe.alerts.sender import Sender, SenderBusyError
from logos.session.opening.alert_sender import is_sender_running

ANY = ChannelSettings(type=ChannelType.COMMAND, command=["true"])
BOTH = settings(desk=ANY, night=msgspec.structs.replace(ANY, kinds=[AlertKind.HALT]))


class Receivers:
    """In place of the channels: what each got, and what it does next."""

    def __init__(self) -> None:
        self.got: dict[str, list[Message]] = {}
        self.failing: set[str] = set()
        self.hold = threading.Event()
        self.held: set[str] = set()

    def __call__(self, name: str, *_: object) -> Receivers._Channel:
        return self._Channel(self, name)

    def ids(self, name: str) -> list[str]:
        return [each for message in self.got.get(name, []) for each in message.covers]

    class _Channel:
        def __init__(self, receivers: Receivers, name: str) -> None:
            self._receivers, self._name = receivers, name

        def deliver(self, message: Message) -> None:
            if self._name in self._receivers.held:
                assert self._receivers.hold.wait(30)
            if self._name in self._receivers.failing:
                raise DeliveryError("HTTP 500")
            self._receivers.got.setdefault(self._name, []).append(message)


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Receivers:
    receivers = Receivers()
    whole = delivery_module.Delivery.__init__

    def init(self: Any, *given: Any, **more: Any) -> None:
        whole(self, *given, **{**more, "make": receivers})

    monkeypatch.setattr(delivery_module.Delivery, "__init__", init)
    monkeypatch.setattr(delivery_module, "BACKOFF_S", (0.01,))
    return receivers


@pytest.fixture
def home(logos_home: Path) -> Path:
    return logos_home


@contextmanager
def sending(home: Path, rules: AlertSettings | None = BOTH, **more: Any) -> Iterator[Sender]:
    sender = Sender(home, rules, tell=pytest.fail, **more)
    try:
        yield sender
    finally:
        sender.close()


def test_an_alert_goes_to_the_channels_that_want_its_kind(home: Path, receivers: Receivers) -> None:
    with sending(home) as sender:
        session = FakeSession(home, "desk-1")
        sender.look()
        session.write(guard(Code.STALE_DATA))
        session.end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: len(receivers.ids("desk")) == 2, "both alerts")
        wait_until(lambda: len(receivers.ids("night")) == 1, "the halt")
        assert receivers.got["night"][0].kind == "halt"
    state = read_state(alerts_folder(home))
    assert not any(state.is_pending(each) for each in state.alerts.values())


def test_a_session_brings_its_own_channels_and_a_file_that_was_given_counts_before_them(
    home: Path, receivers: Receivers
) -> None:
    own = settings(desk=msgspec.structs.replace(ANY, kinds=[AlertKind.CRASH]), own=ANY)
    with sending(home) as sender, running(home) as session:
        config = {"alerts": msgspec.to_builtins(own), "live": {}}
        (session.folder / "config.json").write_bytes(msgspec.json.encode(config))
        session.write(guard(Code.STALE_DATA))
        sender.look()
        assert sender.channels == ["desk", "night", "own"]
        wait_until(lambda: receivers.ids("own") == receivers.ids("desk") != [], "both channels")


def test_another_sender_knows_the_channels_that_a_session_brought(
    home: Path, receivers: Receivers
) -> None:
    receivers.failing.add("own")
    with sending(home, None) as sender, running(home) as session:
        config = {"alerts": msgspec.to_builtins(settings(own=ANY))}
        (session.folder / "config.json").write_bytes(msgspec.json.encode(config))
        session.write(guard(Code.STALE_DATA))
        sender.look()
    receivers.failing.clear()
    with sending(home, None):
        wait_until(lambda: len(receivers.ids("own")) == 1, "what was pending")


def test_a_channel_that_is_slow_holds_up_no_other(home: Path, receivers: Receivers) -> None:
    receivers.held.add("desk")
    with sending(home) as sender:
        FakeSession(home, "desk-1").end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: len(receivers.ids("night")) == 1, "the other channel")
        assert receivers.ids("desk") == []
        receivers.hold.set()
        wait_until(lambda: len(receivers.ids("desk")) == 1, "the slow one")


def test_what_failed_is_tried_again_until_it_is_taken(home: Path, receivers: Receivers) -> None:
    receivers.failing.add("desk")
    with sending(home) as sender:
        FakeSession(home, "desk-1").end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: bool(read_state(alerts_folder(home)).failed), "a failure")
        receivers.failing.clear()
        wait_until(lambda: len(receivers.ids("desk")) == 1, "the alert")


def test_the_latest_reason_of_a_failure_is_noted_and_the_same_one_once(
    home: Path, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = ["no password", "no password", "HTTP 500", "HTTP 500"]
    receivers.failing.add("desk")

    def refuse(channel: Receivers._Channel, message: Message) -> None:
        if reasons:
            raise DeliveryError(reasons.pop(0))

    monkeypatch.setattr(Receivers._Channel, "deliver", refuse)
    with sending(home, settings(desk=ANY)) as sender:
        FakeSession(home, "desk-1").end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: bool(read_state(alerts_folder(home)).taken), "the delivery")
    lines = (alerts_folder(home) / "outbox.jsonl").read_text().splitlines()
    failures = [json.loads(each) for each in lines if '"note":"failed"' in each]
    assert [each["error"] for each in failures] == ["no password", "HTTP 500"]


def test_an_alert_that_is_refused_again_and_again_lets_others_pass(
    home: Path, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = Receivers._Channel.deliver

    def refuse_one(channel: Receivers._Channel, message: Message) -> None:
        if "desk-1" in message.session and message.kind == "halt":
            raise DeliveryError("HTTP 413")
        deliver(channel, message)

    monkeypatch.setattr(Receivers._Channel, "deliver", refuse_one)
    with sending(home) as sender:
        FakeSession(home, "desk-1").end(sealed("HALTED"))
        FakeSession(home, "desk-2").end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: len(receivers.ids("desk")) == 1, "the alert behind it")
        assert receivers.got["desk"][0].session == "desk-2"


def test_what_no_channel_took_for_a_day_is_given_up_and_noted(
    home: Path, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "GIVE_UP_NS", -1)
    receivers.failing.add("desk")
    with sending(home, settings(desk=ANY)) as sender:
        FakeSession(home, "desk-1").end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: bool(read_state(alerts_folder(home)).taken), "the note")
    [notes] = read_state(alerts_folder(home)).taken.values()
    assert (notes["desk"].outcome, notes["desk"].error) == ("gave up", "HTTP 500")


class Killed(BaseException):
    """In place of SIGKILL."""


@pytest.mark.parametrize("step", ["before the outbox", "after the outbox", "before the places"])
def test_a_kill_between_two_steps_of_a_look_loses_nothing_and_makes_the_same_alert(
    step: str, home: Path, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Outbox.add

    def killed(*given: Any) -> Any:
        if step == "after the outbox":
            add(*given)
        raise Killed

    sender = Sender(home, BOTH, tell=pytest.fail)
    session = FakeSession(home, "desk-1")
    sender.look()
    session.write(guard(Code.STALE_DATA))
    session.end(sealed("HALTED"))
    with monkeypatch.context() as patch:
        if step == "before the places":
            patch.setattr(sender_module, "write_places", killed)
        else:
            patch.setattr(Outbox, "add", killed)
        with pytest.raises(Killed):
            sender.look()
    for each in sender._deliveries.values():
        each.stop(30)
    sender._lock.close()
    sender._outbox.close()
    sender._watch.close()
    with sending(home) as again:
        again.look()
        wait_until(lambda: len(set(receivers.ids("desk"))) == 2, "both alerts")
        again.look()
    state = read_state(alerts_folder(home))
    assert len(state.alerts) == 2
    assert len(receivers.ids("desk")) == 2


def test_a_kill_between_delivery_and_note_repeats_the_alert_with_its_id(
    home: Path, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Outbox.take
    is_killed = threading.Event()

    def killed(outbox: Outbox, note: Any) -> None:
        if isinstance(note, Taken) and not is_killed.is_set():
            is_killed.set()
            raise OSError(5, "killed", "here")
        take(outbox, note)

    monkeypatch.setattr(Outbox, "take", killed)
    sender = Sender(home, settings(desk=ANY), tell=lambda _: None)
    FakeSession(home, "desk-1").end(sealed("HALTED"))

    def fails() -> bool:
        try:
            sender.look()
        except OSError as error:
            return "channel desk: here: killed" in str(error)
        return False

    wait_until(fails, "the kill")
    sender.close()
    with sending(home, settings(desk=ANY)):
        wait_until(lambda: len(receivers.ids("desk")) == 2, "the same alert again")
    assert len(set(receivers.ids("desk"))) == 1


def test_a_condition_is_told_once_also_by_the_next_sender(home: Path, receivers: Receivers) -> None:
    full = msgspec.structs.replace(settings(desk=ANY), min_free_bytes=2**62)
    for _ in range(2):
        with sending(home, full) as sender:
            sender.look()
            sender.look()
            wait_until(lambda: len(receivers.ids("desk")) == 1, "the alert")
    with sending(home, settings(desk=ANY)) as sender:
        sender.look()
    with sending(home, msgspec.structs.replace(full, quiet_s=0)) as sender:
        sender.look()
        wait_until(lambda: len(receivers.ids("desk")) == 2, "the next time")


def test_a_workspace_has_one_sender(home: Path, receivers: Receivers) -> None:
    folder = alerts_folder(home)
    assert not is_sender_running(folder)
    with sending(home):
        assert is_sender_running(folder)
        with pytest.raises(SenderBusyError, match=r"process \d+ sends the alerts"):
            Sender(home, BOTH)
    assert not is_sender_running(folder)


def test_places_that_cannot_be_read_are_told_and_nothing_is_told_twice(
    home: Path, receivers: Receivers
) -> None:
    with sending(home) as sender:
        sender.look()
        FakeSession(home, "desk-1").end(sealed("HALTED"))
        sender.look()
        wait_until(lambda: len(receivers.ids("desk")) == 1, "the alert")
    (alerts_folder(home) / "places.json").write_text("{}")
    said: list[str] = []
    sender = Sender(home, BOTH, tell=said.append)
    sender.look()
    sender.close()
    assert "the places kept there cannot be read" in said[0]
    assert len(receivers.ids("desk")) == 1


@pytest.mark.long
def test_a_sender_that_ends_by_itself_waits_for_what_runs_and_is_pending(
    home: Path, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "IDLE_S", 0.05)
    monkeypatch.setattr(sender_module, "POLL_S", 0.01)
    receivers.failing.add("desk")
    with sending(home) as sender:
        session = FakeSession(home, "desk-1")
        thread = threading.Thread(
            target=lambda: sender.run(threading.Event(), until_idle=True), daemon=True
        )
        thread.start()
        wait_until(lambda: bool(sender._watch.places.sessions), "the session to be seen")
        session.end(sealed("HALTED"))
        wait_until(lambda: receivers.ids("night") != [], "the other channel")
        thread.join(0.3)
        assert thread.is_alive()
        receivers.failing.clear()
        thread.join(30)
        assert not thread.is_alive()
    assert len(receivers.ids("desk")) == 1
