"""The logs of all kinds of sessions keep to the published schema, at both levels."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from live_session_helpers import ScriptedFeed, TickingClock, live, settings
from places import PROJECT
from session_helpers import Busy, ListFeed, session_config

from logos import session
from logos.audit.verify import verify
from logos.core.commands import _WORDS
from logos.core.gates import InProcessSwitch
from logos.core.guards import Action
from logos.core.instrument import instrument
from logos.core.messages import Engage, Event, Flatten, Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import OrderStatus, Side
from logos.session.artifacts.decisions import NO_SIGNAL, RISK, TICK_ACTIONS
from logos.session.entry import replay, resume
from logos.session.presence.page import metrics_path
from logos.testing.builders import Always, Scripted, quote

SCHEMA = json.loads((PROJECT / "docs" / "schema" / "decision-log.schema.json").read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA)
ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SECOND_NS = 1_000_000_000
ONE = market(Side.BUY, 1)


def ticks(count: int) -> list[Event]:
    prices = [("10.00", "10.02"), ("10.01", "10.03"), ("9.95", "9.97")]
    return [quote(ACME, at * SECOND_NS, *prices[at % 3]) for at in range(1, count + 1)]


def log_of(home: Path, session_id: str = "logged") -> Path:
    return metrics_path(session_id, home).with_name(f"{session_id}.jsonl")


def lines_of(home: Path, session_id: str = "logged") -> list[dict[str, Any]]:
    """The log's lines, each held against the schema."""
    rows = [json.loads(line) for line in log_of(home, session_id).read_bytes().splitlines()]
    for row in rows:
        VALIDATOR.validate(row)
    return rows


def run(
    home: Path,
    strategy: Strategy,
    events: Sequence[Event],
    *,
    level: str = "all",
    chunk: int = 7,
    breaker: InProcessSwitch | None = None,
    **tables: Any,
) -> session.SessionResult:
    config = session_config(session={"id": "logged"}, log={"level": level}, **tables)
    return session.run(
        config, strategy=strategy, feed=ListFeed(events, chunk), home=home,
        switch=breaker or InProcessSwitch(),
    )  # fmt: skip


def decided(rows: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    """What was decided on each tick."""
    actions = {*TICK_ACTIONS, NO_SIGNAL}
    return [(row["tick_id"], row["action"]) for row in rows if row["action"] in actions]


def test_the_schema_is_one_and_knows_the_actions_that_there_are() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]["action"]["enum"]) == {
        *TICK_ACTIONS, NO_SIGNAL, "FILL", RISK, "SWITCH", "WARM_UP", "WARNING", "NOTE",
        "ORDER_RESIZED",
        *(f"ORDER_{status.value}" for status in OrderStatus),
        *(f"GUARD_{action.value.upper()}" for action in Action),
        *(f"COMMAND_{word.upper()}" for word in _WORDS.values()),
    }  # fmt: skip


def whole_line(**changes: Any) -> dict[str, Any]:
    breaker = {"state": "SAFE", "is_engaged": False, "epoch": None, "engagement_time": None}
    return {
        "timestamp": "2026-01-05T12:00:00.000000005Z", "session_id": "s", "tick_id": 1,
        "symbol": "A", "action": NO_SIGNAL, "reason": "", "circuit_breaker_state": breaker,
        **changes,
    }  # fmt: skip


ENGAGED = {"state": "ENGAGED", "is_engaged": True, "epoch": 2, "engagement_time": None}


@pytest.mark.parametrize(
    "line",
    [
        whole_line(timestamp="2026-01-05 12:00"),
        whole_line(tick_id=-1),
        whole_line(action="ORDER"),
        whole_line(action="ORDER_GENERATED"),
        whole_line(order={"kind": "order", "order_id": 1, "symbol": "A"}),
        whole_line(action="BLOCKED", reason="ORDER_RATE"),
        whole_line(action="SWITCH", reason="ENGAGED"),
        whole_line(circuit_breaker_state="SAFE"),
        whole_line(circuit_breaker_state=ENGAGED),
        whole_line(more=1),
        {"tick_id": 1},
    ],
)
def test_the_schema_refuses(line: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(whole_line())
    assert not VALIDATOR.is_valid(line)


@pytest.mark.long
@pytest.mark.parametrize("level", ["all", "decisions"])
def test_a_session_that_does_everything_keeps_to_it_and_verifies(
    tmp_path: Path, level: str
) -> None:
    run(tmp_path, Busy({"ACME": "1"}, 3), ticks(200), level=level)
    rows = lines_of(tmp_path)
    assert {row["session_id"] for row in rows} == {"logged"}
    assert {"ORDER_GENERATED", "FILL", "ORDER_CANCELLED"} <= {row["action"] for row in rows}
    passed = [row["tick_id"] for row in rows if row["action"] == NO_SIGNAL]
    on_ticks = {tick_id for tick_id, action in decided(rows) if action != NO_SIGNAL} - {0}
    missing = set(range(1, 201)) - on_ticks if level == "all" else set()
    assert passed == sorted(missing)
    found = verify(tmp_path / "runs" / "live" / "sessions" / "logged")
    assert (found.exit_code, found.findings) == (0, [])
    said = "the times of ticks on which nothing was decided" in found.not_judged
    assert said == (level == "all")


@pytest.mark.long
def test_each_tick_of_the_acceptance_scenario_has_its_decision(tmp_path: Path) -> None:
    events = ticks(15)
    events.insert(4, Engage(5 * SECOND_NS, "drill", "operator"))
    run(tmp_path, Always(ONE), events, **BLOCK)
    rows = lines_of(tmp_path)
    assert decided(rows) == [
        *((tick, "ORDER_GENERATED") for tick in range(1, 5)),
        *((tick, "BLOCKED") for tick in range(5, 16)),
    ]
    (engaged,) = (row for row in rows if row["action"] == "SWITCH")
    assert engaged["reason"] == "[KILL_SWITCH] ENGAGED at tick #4: drill (by operator)"
    since = {row["circuit_breaker_state"]["engagement_time"] for row in rows[rows.index(engaged) :]}
    assert since == {engaged["timestamp"]}
    before = rows[: rows.index(engaged)]
    assert {row["circuit_breaker_state"]["state"] for row in before[:-1]} == {"SAFE"}


BLOCK: dict[str, Any] = {"switch": {"on_engaged": "block"}}


class EngagesAt(Strategy):
    """Orders at each quote; at one of them the switch is engaged before the order leaves."""

    def __init__(self, at: int, switch: InProcessSwitch) -> None:
        self.at, self.switch, self.seen = at, switch, 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == self.at:
            self.switch.engage("drill", "another process")
        return ONE


@pytest.mark.long
def test_an_order_that_gate_2_keeps_back_is_blocked_and_the_state_is_engaged_at_once(
    tmp_path: Path,
) -> None:
    switch = InProcessSwitch()
    run(tmp_path, EngagesAt(3, switch), ticks(5), breaker=switch, level="decisions", **BLOCK)
    rows = lines_of(tmp_path)
    assert decided(rows)[2:] == [(3, "BLOCKED"), (4, "BLOCKED"), (5, "BLOCKED")]
    blocked = next(row for row in rows if row["action"] == "BLOCKED")
    assert blocked["reason"].startswith("KILL_SWITCH_ACTIVATED_MID_PROCESSING: ")
    assert blocked["circuit_breaker_state"] == {
        "state": "ENGAGED", "is_engaged": True, "epoch": None,
        "engagement_time": blocked["timestamp"],
    }  # fmt: skip
    assert verify(tmp_path / "runs" / "live" / "sessions" / "logged").exit_code == 0


def test_the_epoch_of_a_switch_with_files_stands_in_the_log_from_its_first_change_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    events = ticks(6)
    events.insert(3, Engage(4 * SECOND_NS, "drill", "operator"))
    config = session_config(session={"id": "logged"}, **BLOCK)
    session.run(config, strategy=Always(ONE), feed=ListFeed(events))
    rows = lines_of(tmp_path)
    epochs = [row["circuit_breaker_state"]["epoch"] for row in rows if row["action"] == "BLOCKED"]
    assert len(epochs) == 3
    assert len(set(epochs)) == 1
    assert epochs[0] >= 2, "the first epoch is that of arming"
    again = replay("logged", strategy=Always(ONE), feed=ListFeed(events))
    assert again.summary["blocked"] == 3


@pytest.mark.long
def test_a_flattening_and_a_failing_strategy_keep_to_it(tmp_path: Path) -> None:
    events = ticks(9)
    events.insert(5, Flatten(6 * SECOND_NS, "done for today", "operator"))
    run(tmp_path / "flat", Scripted({2: ONE}), events)
    assert "COMMAND_FLATTEN" in {row["action"] for row in lines_of(tmp_path / "flat")}

    class Failing(Strategy):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            raise RuntimeError("no")

    run(tmp_path / "failed", Failing(), ticks(3))
    assert [row["action"] for row in lines_of(tmp_path / "failed")] == [NO_SIGNAL]


@pytest.mark.long
def test_a_live_session_keeps_to_it(tmp_path: Path) -> None:
    clock = TickingClock()
    config = settings(log={"level": "all"})
    live(tmp_path, ScriptedFeed(clock, 20), clock, config=config)
    rows = lines_of(tmp_path, "live")
    ticks = [tick for tick, _ in decided(rows)]
    assert ticks == list(range(1, ticks[-1] + 1)), "the passing of time is a tick too"
    assert len([row for row in rows if row["action"] == NO_SIGNAL and row["symbol"]]) == 0
    assert len([row for row in rows if row["action"] == "ORDER_GENERATED"]) == 20
    assert verify(tmp_path / "runs" / "live" / "sessions" / "live").exit_code == 0


class Stopping(Strategy):
    """Orders at each third quote, and stops the process at one."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGTERM)
        return ONE if self.seen % 3 == 0 else None

    def save(self) -> dict[str, int]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen = state["seen"]


@pytest.mark.long
@pytest.mark.parametrize("at", [8, 9, 10])
@pytest.mark.parametrize("use_snapshot", [True, False])
def test_a_resumed_session_s_log_is_that_of_one_that_was_not_stopped(
    tmp_path: Path, at: int, use_snapshot: bool
) -> None:
    run(tmp_path / "whole", Stopping(0), ticks(20))
    stopped = run(tmp_path / "cut", Stopping(at), ticks(20))
    assert stopped.status.value == "STOPPED"
    assert decided(lines_of(tmp_path / "cut"))[-1][0] == at
    assert verify(tmp_path / "cut" / "runs" / "live" / "sessions" / "logged").exit_code == 0
    resume(
        "logged", strategy=Stopping(0), feed=ListFeed(ticks(20), 5), home=tmp_path / "cut",
        switch=InProcessSwitch(), use_snapshot=use_snapshot,
    )  # fmt: skip
    whole, cut = (log_of(tmp_path / name).read_bytes() for name in ("whole", "cut"))
    assert cut == whole


def damaged(rows: list[bytes]) -> Iterator[tuple[list[bytes], str]]:
    """Logs with a fault, and what is said of it."""
    yield rows[:2] + rows[3:], "tick 3 has no line before that of tick 4"
    yield [rows[0], rows[0], *rows[1:]], "tick 2 has no line before that of tick 1"
    yield [*rows[:2], rows[3], rows[2], *rows[4:]], "tick 3 has no line before that of tick 4"
    yield rows[:-1], "the last tick with a line is 6, and there were 7"
    changed = rows[2].replace(b'"reason":""', b'"reason":"tip"')
    yield [*rows[:2], changed, *rows[3:]], "tick 3 is NO_SIGNAL, and says more than that"
    fourth = next(row for row in rows if b"ORDER_GENERATED" in row)
    passed = rows[2].replace(b'"tick_id":3', b'"tick_id":4')
    at = rows.index(fourth)
    yield [*rows[:at], passed, *rows[at:]], "tick 4 is NO_SIGNAL, and something was decided on it"
    yield [*rows[:at], *rows[at + 1 :]], "and the journal says"


@pytest.mark.long
def test_verify_finds_a_tick_that_is_missing_doubled_or_more_than_it_was(tmp_path: Path) -> None:
    run(tmp_path, Scripted({4: ONE}), ticks(7))
    folder = tmp_path / "runs" / "live" / "sessions" / "logged"
    assert verify(folder).exit_code == 0
    log = log_of(tmp_path)
    rows = log.read_bytes().splitlines(keepends=True)
    assert len(set(rows)) == len(rows)
    for fault, words in damaged(rows):
        log.write_bytes(b"".join(fault))
        said = [f"{each.file} {each.place} {each.message}" for each in verify(folder).findings]
        assert len(said) == 1, (said, words)
        assert words in said[0]
