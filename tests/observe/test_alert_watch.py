"""What sessions and the switch wrote becomes alerts: which, once, and with which words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from alert_helpers import (
    SECOND,
    FakeSession,
    guard,
    look,
    running,
    sealed,
    settings,
    switch_folder,
    told,
)

from logos.config.tables.alerts import AlertKind
from logos.core.types import Code
from logos.journal.entries import JOURNAL
from logos.killswitch.breaker import CircuitBreaker
from logos.observe.alerts.journal import found_in
from logos.observe.alerts.places import Place, Places
from logos.observe.alerts.watch import Watch

RULES = settings()


@pytest.fixture
def home(logos_home: Path) -> Path:
    return logos_home


@pytest.fixture
def watch(home: Path) -> Iterator[Watch]:
    watch = Watch(home, Places(Place(), {}), pytest.fail)
    yield watch
    watch.close()


# ---- lines of a journal ----


@pytest.mark.parametrize(
    ("code", "action", "kind"),
    [
        (Code.STALE_DATA, "halt", AlertKind.FEED),
        (Code.STALE_DATA, "refuse", AlertKind.FEED),
        (Code.RECONCILIATION, "engage", AlertKind.DIFFERENCE),
        (Code.REFUSAL_STORM, "halt", AlertKind.REFUSALS),
        (Code.MAX_DRAWDOWN, "refuse", AlertKind.REFUSALS),
    ],
)
def test_a_guard_that_trips_is_an_alert_with_its_figures(
    watch: Watch, home: Path, code: Code, action: str, kind: AlertKind
) -> None:
    with running(home) as session:
        assert look(watch) == []
        session.write(guard(code, action))
        [alert] = look(watch)
        assert alert.kind is kind
        words = f"guard {code.value} BTCUSDT: the figure and the limit (action: {action})"
        assert alert.text == words
        assert alert.event_ns == 7 * SECOND
        assert alert.next == f"LOGOS_HOME={home} logos inspect desk-1"
        assert look(watch) == []


@pytest.mark.parametrize("action", ["halt", "engage", "reduce_only"])
def test_a_guard_whose_action_is_told_by_itself_is_no_second_alert(
    watch: Watch, home: Path, action: str
) -> None:
    with running(home) as session:
        session.write(guard(Code.MAX_DRAWDOWN, action))
        assert look(watch) == []


@pytest.mark.parametrize(
    ("seal", "kind", "text"),
    [
        (sealed("HALTED", "guard X: why"), AlertKind.HALT, "HALTED: guard X: why"),
        (sealed("STOPPED", "DISK_LOW: 3 bytes"), AlertKind.DISK, "STOPPED: DISK_LOW: 3 bytes"),
        (
            sealed("FAILED", "ValueError: no", ("  mine.py:3",)),
            AlertKind.STRATEGY,
            "FAILED: ValueError: no",
        ),
        (
            sealed("FAILED", "the strategy raised in on_bar: ValueError: no"),
            AlertKind.STRATEGY,
            "FAILED: the strategy raised in on_bar: ValueError: no",
        ),
        (
            sealed("FAILED", "internal error: KeyError: 1"),
            AlertKind.FAILED,
            "FAILED: internal error: KeyError: 1",
        ),
    ],
)
def test_a_bad_end_is_an_alert(
    watch: Watch, home: Path, seal: dict[str, object], kind: AlertKind, text: str
) -> None:
    session = FakeSession(home, "desk-1")
    look(watch)
    session.end(seal)
    [alert] = look(watch)
    assert (alert.kind, alert.text) == (kind, text)
    assert look(watch) == []


@pytest.mark.parametrize("status", ["ENDED", "STOPPED", "CRASHED_RECOVERED"])
def test_a_good_end_is_none(watch: Watch, home: Path, status: str) -> None:
    session = FakeSession(home, "desk-1")
    look(watch)
    session.end(sealed(status))
    assert look(watch) == []


def test_a_session_that_began_and_ended_between_two_looks_is_told_of(
    watch: Watch, home: Path
) -> None:
    look(watch)
    FakeSession(home, "desk-1").end(sealed("HALTED"))
    assert told(look(watch)) == [("halt", "HALTED: why")]


def test_control_characters_of_a_reason_are_spelled_out_and_its_length_is_bounded(
    watch: Watch, home: Path
) -> None:
    FakeSession(home, "desk-1").end(sealed("HALTED", "\x1b]0;evil\x07\n" + "x" * 5_000))
    [alert] = look(watch)
    assert alert.text.startswith("HALTED: \\u001b]0;evil\\u0007\\u000a")
    assert len(alert.text) == 1_000


def test_a_line_that_was_changed_is_told_and_those_behind_it_are_read(
    watch: Watch, home: Path
) -> None:
    with running(home) as session:
        session.write(guard(Code.STALE_DATA))
        path = session.journal.path
        path.write_bytes(path.read_bytes().replace(b"the figure", b"the f1gure"))
        session.write(guard(Code.REFUSAL_STORM))
        alerts = look(watch)
    assert told(alerts)[0] == (
        "failed",
        "its journal cannot be read: record 2 does not match its checksum",
    )
    assert [each.kind for each in alerts[1:]] == [AlertKind.REFUSALS]


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    from logos.journal.codec import encode_line

    body = msgspec.json.encode({**sealed("HALTED"), "colour": {"new": 1}})
    found = found_in(encode_line(2, b"\0" * 32, body)[:-1])
    assert found is not None
    assert found.kind is AlertKind.HALT


def test_a_journal_that_a_resume_shortened_is_read_again_and_told_once(
    watch: Watch, home: Path
) -> None:
    session = FakeSession(home, "desk-1")
    session.write(guard(Code.STALE_DATA, "refuse"))
    kept = session.journal.offset
    session.end({"kind": "stopping", "tick_id": 3}, sealed("STOPPED"))
    first = look(watch)
    os.truncate(session.journal.path, kept)
    with open(session.journal.path, "ab") as file:
        file.write(b'{"seq":3,"crc":"00000000","hash":"","body":{"kind":"order"}}\n' * 9)
    again = look(watch)
    assert [each.id for each in again] == [each.id for each in first]


# ---- deaths ----


def test_a_killed_session_is_a_crash_once_for_each_life(watch: Watch, home: Path) -> None:
    session = FakeSession(home, "desk-1")
    look(watch)
    session.beat(open_orders=2, is_real=True)
    session.die()
    [alert] = look(watch)
    assert alert.kind is AlertKind.CRASH
    assert alert.id == f"desk-1:crash:{session.entry.token}"
    assert "process 4194303 is gone; it showed 2 open orders, and its orders go to a venue" in (
        alert.text
    )
    assert alert.next.endswith("logos resume desk-1")
    assert [each.id for each in look(watch)] == [alert.id]


def test_a_session_that_ends_without_a_seal_is_a_crash(watch: Watch, home: Path) -> None:
    session = FakeSession(home, "desk-1")
    look(watch)
    session.end()
    [alert] = look(watch)
    assert alert.kind is AlertKind.CRASH
    assert "it ended without a seal" in alert.text
    assert look(watch) == []


def test_a_session_that_died_within_a_line_is_a_crash_and_nobody_waits_for_the_rest(
    watch: Watch, home: Path
) -> None:
    session = FakeSession(home, "desk-1")
    look(watch)
    session.write(guard(Code.STALE_DATA))
    session.die()
    with (session.folder / JOURNAL).open("ab") as journal:
        journal.write(b'{"seq":3,"crc":"00')
    there = watch.look(watch.find(), RULES, {})
    assert [each.kind for each in there.alerts] == [AlertKind.FEED, AlertKind.CRASH]
    assert not there.is_behind


def test_a_running_session_whose_line_is_not_whole_yet_is_not_read_without_pause(
    watch: Watch, home: Path
) -> None:
    with running(home) as session:
        path = session.folder / JOURNAL
        with path.open("ab") as journal:
            journal.write(b'{"seq":3')
        assert not watch.look(watch.find(), RULES, {}).is_behind
        os.truncate(path, path.stat().st_size - len(b'{"seq":3'))


def test_a_session_that_died_with_its_seal_written_is_none(watch: Watch, home: Path) -> None:
    session = FakeSession(home, "desk-1")
    look(watch)
    session.write(sealed("ENDED"))
    session.die()
    assert look(watch) == []


def test_a_start_that_was_refused_is_none(watch: Watch, home: Path) -> None:
    session = FakeSession(home, "desk-1")
    os.truncate(session.journal.path, 0)
    look(watch)
    session.heartbeat.close()
    session.entry.close()
    look(watch)
    session.journal._release()
    assert look(watch) == []


# ---- conditions ----


def test_a_late_heartbeat_is_a_condition_until_it_comes_again(watch: Watch, home: Path) -> None:
    with running(home) as session:
        assert look(watch) == []
        session.heartbeat.beat(time.time_ns() - 9 * SECOND)
        [alert] = look(watch)
        assert alert.kind is AlertKind.LAG
        assert alert.text.startswith("not responding; its last heartbeat is 9.")
        assert alert.text.endswith("s old (limit 5 s)")
        assert look(watch, active={alert.condition: alert.id}) == []
        session.beat()
        found = watch.look(watch.find(), RULES, {alert.condition: alert.id})
        assert (found.alerts, found.ended) == ([], [alert.condition])


def test_a_session_whose_heartbeats_are_rare_is_late_after_three_of_them(
    watch: Watch, home: Path
) -> None:
    with running(home) as session:
        (session.folder / "config.json").write_text('{"live": {"heartbeat_ms": 10000}}')
        session.heartbeat.beat(time.time_ns() - 29 * SECOND)
        assert look(watch) == []
        session.heartbeat.beat(time.time_ns() - 31 * SECOND)
        [alert] = look(watch)
        assert alert.text.endswith("s old (limit 30 s)")


def test_a_strategy_that_does_not_return_is_named(watch: Watch, home: Path) -> None:
    with running(home) as session:
        session.heartbeat.show_stuck("strategy mine:Mine in on_bar has not returned for 4.1 s")
        [alert] = look(watch)
        assert alert.text.startswith("strategy mine:Mine in on_bar has not returned for 4.1 s; ")


def test_a_long_queue_is_a_condition(watch: Watch, home: Path) -> None:
    with running(home) as session:
        (session.folder / "config.json").write_text('{"live": {"inbox_size": 100}, "more": 1}')
        session.beat(waiting=49)
        assert look(watch) == []
        session.beat(waiting=50, peak_waiting=60)
        [alert] = look(watch)
        assert "50 events queued (limit 50, peak 60)" in alert.text


def test_a_feed_that_is_away_for_long_is_a_condition(home: Path) -> None:
    now_ns = 1_000 * SECOND
    watch = Watch(home, Places(Place(), {}), pytest.fail, lambda: now_ns)
    rules = msgspec.structs.replace(RULES, lag_s=10**9)
    with running(home) as session:
        session.beat(feeds={"ccxt BTCUSDT": "RETRYING: timed out", "ccxt ETHUSDT": "LIVE"})
        assert look(watch, rules) == []
        now_ns += 29 * SECOND
        assert look(watch, rules) == []
        now_ns += 1 * SECOND
        assert told(look(watch, rules)) == [
            ("feed", "feed ccxt BTCUSDT is away: RETRYING: timed out")
        ]
        session.beat(feeds={"ccxt BTCUSDT": "LIVE"})
        assert look(watch, rules) == []
        session.beat(feeds={"ccxt BTCUSDT": "GAP: 3 trades"})
        assert look(watch, rules) == []
        now_ns += 30 * SECOND
        assert told(look(watch, rules)) == [
            ("feed", "feed ccxt BTCUSDT missed something: GAP: 3 trades")
        ]
    watch.close()


def test_a_disk_that_runs_full_is_a_condition(watch: Watch, home: Path) -> None:
    rules = msgspec.structs.replace(RULES, min_free_bytes=2**62)
    [alert] = look(watch, rules)
    assert (alert.kind, alert.session) == (AlertKind.DISK, "")
    assert f"are free for {home} (limit {2**62:,}): make room" in alert.text


# ---- the switch ----


def test_the_switch_is_told_of_when_it_becomes_more_severe(watch: Watch, home: Path) -> None:
    breaker = CircuitBreaker(switch_folder(home))
    breaker.arm_if_new()
    assert look(watch) == []
    breaker.set_reduce_only("carefully", "ANN")
    breaker.engage("prices look wrong", "ANN")
    epoch = breaker.status().epoch
    alerts = look(watch)
    assert [each.text.partition(" at ")[0] for each in alerts] == [
        "kill switch REDUCE_ONLY",
        "kill switch ENGAGED",
    ]
    assert alerts[1].id == f"switch:{epoch}"
    assert alerts[1].text.endswith(f"at epoch {epoch} by ANN: prices look wrong")
    breaker.reset("ANN", "all is well", epoch)
    assert look(watch) == []
    breaker.close()
