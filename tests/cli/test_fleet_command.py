"""`logos kill --fleet`, its reset and `logos status --fleet`: what they print, and exit codes."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import msgspec
import pytest
from fleet_helpers import SECOND, MemoryStore, record, terms

from logos.cli import kill, status
from logos.cli.running import fleet, stopping
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.fleet.permit import Known
from logos.killswitch.fleet.records import EngineEntry, decode_record
from logos.killswitch.fleet.seen import seen_path, write_seen
from logos.killswitch.fleet.store import Coordinator

Output = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    CircuitBreaker(tmp_path / "state" / "kill-switch").arm_if_new()
    known = Known("c1", 1, 1, b"")
    write_seen(seen_path(tmp_path / "state", "desk"), terms("http://127.0.0.1:1"), known)
    return tmp_path


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    memory.put(record(1))

    def connect(_terms: Coordinator) -> MemoryStore:
        return memory

    monkeypatch.setattr(fleet, "connect", connect)
    return memory


def entry(token: str, **fields: object) -> EngineEntry:
    plain = EngineEntry(
        token=token, host=f"host-{token}", workspace="/w", session="s", pid=1, ttl_ns=5 * SECOND
    )
    return msgspec.structs.replace(plain, **fields)


def logos(command: str, *words: str) -> int:
    parser = argparse.ArgumentParser(prog=f"logos {command}")
    if command == "kill":
        kill.add_arguments(parser)
        return kill.run(parser.parse_args(words))
    status.add_arguments(parser)
    return status.run(parser.parse_args(words))


def test_a_fleet_is_stopped_with_this_machine_and_every_engine_is_named(
    home: Path, store: MemoryStore, capsys: Output
) -> None:
    stopped = {"epoch": 2, "blocked": True, "drained": True}
    store.entries = {"a": entry("a", **stopped), "b": entry("b", ended=True, drained=True)}
    assert logos("kill", "--fleet", "desk", "--reason", "fat finger", "--by", "ann") == 0
    out = capsys.readouterr().out
    assert "engaging the kill switch of fleet desk\n" in out
    assert "fleet desk: ENGAGED at epoch 2\n" in out
    assert "host-a /w session s: BLOCKED, DRAINED\n" in out
    assert "host-b /w session s: BLOCKED, DRAINED (it has ended)\n" in out
    assert "to clear: logos kill reset --fleet desk" in out
    assert store.value is not None
    assert decode_record(store.value).why == "fat finger"
    assert CircuitBreaker(home / "state" / "kill-switch").status().why == "fat finger"


def test_an_engine_that_neither_confirmed_nor_expired_makes_it_incomplete(
    home: Path, store: MemoryStore, capsys: Output
) -> None:
    resting = {"epoch": 2, "blocked": True, "is_real": True}
    store.entries = {"a": entry("a"), "b": entry("b", **resting)}
    assert logos("kill", "--fleet", "desk", "--timeout", "0.1") == stopping.EXIT_NOT_DRAINED
    error = capsys.readouterr().err
    assert "KILL_INCOMPLETE\n" in error
    assert "host-a /w session s: not heard of since\n" in error
    assert "host-b /w session s: BLOCKED, NOT DRAINED: what rests at its venue" in error


@pytest.mark.long
def test_a_coordinator_that_is_lost_while_engines_are_waited_for_is_said(
    home: Path, store: MemoryStore, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once() -> list[EngineEntry]:
        store.is_cut = True
        return [entry("a")]

    answers = iter([once])
    monkeypatch.setattr(
        store, "engines", lambda: next(answers, lambda: MemoryStore.engines(store))()
    )
    assert logos("kill", "--fleet", "desk", "--timeout", "0.3") == stopping.EXIT_NOT_DRAINED
    error = capsys.readouterr().err
    assert "fleet desk: its engines could not be listed: cut off\n" in error
    assert "host-a /w session s: not heard of since\n" in error


@pytest.mark.long
def test_a_permit_that_is_proved_to_have_expired_counts_as_stopped(
    home: Path, store: MemoryStore, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.entries = {"a": entry("a", ttl_ns=0, is_real=True)}
    assert logos("kill", "--fleet", "desk", "--timeout", "5") == 0
    out = capsys.readouterr().out
    assert "host-a /w session s: its permit has expired" in out
    assert "what rests at its venue is not known: look there" in out


def test_without_the_coordinator_this_machine_is_stopped_and_the_rest_is_said_to_trade_on(
    home: Path, store: MemoryStore, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "_WRITE_S", 0.0)
    store.is_cut = True
    assert logos("kill", "--fleet", "desk") == stopping.EXIT_NOT_WRITTEN
    said = capsys.readouterr()
    assert "fleet desk: NOT ENGAGED: cut off" in said.out
    assert "the machines of fleet desk that reach its coordinator TRADE ON" in said.err
    assert CircuitBreaker(home / "state" / "kill-switch").status().state.name == "ENGAGED"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fleet", "other"), "no session of fleet other ever ran here"),
        (("--fleet", "a/b"), "is no name of a fleet"),
        (("--fleet", "desk", "--config", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_fleet_that_cannot_be_found_stops_this_machine_all_the_same(
    home: Path, store: MemoryStore, capsys: Output, words: tuple[str, ...], message: str
) -> None:
    assert logos("kill", *words) == stopping.EXIT_NOT_WRITTEN
    assert message in capsys.readouterr().err
    assert CircuitBreaker(home / "state" / "kill-switch").status().state.name == "ENGAGED"


def test_a_damaged_memory_of_the_fleet_keeps_nobody_from_stopping_it(
    home: Path, store: MemoryStore, capsys: Output
) -> None:
    seen_path(home / "state", "desk").write_text("{")
    settings = home / "fleet.toml"
    settings.write_text(
        '[killswitch.coordinator]\nfleet = "desk"\nendpoints = ["http://127.0.0.1:1"]\n'
    )
    assert logos("status", "--fleet", "desk") == 1
    assert "desk.json cannot be read" in capsys.readouterr().err
    assert logos("status", "--fleet", "desk", "--config", str(settings)) == 0, "as it advises"
    assert "desk.json cannot be read" in capsys.readouterr().err
    assert logos("kill", "--fleet", "desk", "--config", str(settings), "--reason", "x") == 0
    assert f"--epoch 2 --config {settings}\n" in capsys.readouterr().out, "as it has to be given"
    assert store.value is not None
    assert decode_record(store.value).state == "ENGAGED"


def test_reduce_only_of_a_fleet_waits_for_nobody(
    home: Path, store: MemoryStore, capsys: Output
) -> None:
    store.entries = {"a": entry("a")}
    assert logos("kill", "reduce-only", "--fleet", "desk", "--reason", "less") == 0
    assert "fleet desk: REDUCE_ONLY at epoch 2" in capsys.readouterr().out


def test_a_reset_of_the_fleet_names_the_epoch_and_leaves_each_machine_as_it_is(
    home: Path, store: MemoryStore, capsys: Output
) -> None:
    store.put(record(4, "ENGAGED"))
    who = ("--by", "ann", "--reason", "fine")
    assert logos("kill", "reset", "--fleet", "desk", *who, "--epoch", "3") == 4
    assert "epoch 3 is not the current epoch, 4 is (ENGAGED: tests)" in capsys.readouterr().err
    breaker = CircuitBreaker(home / "state" / "kill-switch")
    breaker.engage("its own trouble", "bob")
    assert logos("kill", "reset", "--fleet", "desk", *who, "--epoch", "4") == 0
    out = capsys.readouterr().out
    assert "fleet desk: SAFE at epoch 5 since" in out
    assert "a machine whose own switch is engaged has to be reset there" in out
    assert breaker.status().why == "its own trouble"
    assert (
        logos("kill", "reset", "--fleet", "desk", "--by", " ", "--reason", "x", "--epoch", "5") == 2
    )
    store.is_cut = True
    assert logos("kill", "reset", "--fleet", "desk", *who, "--epoch", "5") == 4


def test_the_status_of_a_fleet_says_switch_and_engines(
    home: Path, store: MemoryStore, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 100 * SECOND)
    fresh = {"renewed_ns": 99 * SECOND, "state": "SAFE", "epoch": 1}
    store.entries = {"a": entry("a", **fresh)}
    assert logos("status", "--fleet", "desk") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "fleet desk: SAFE at epoch 1 since 1970-01-01 00:00:00 UTC by ann: tests\n"
    )
    assert "  host-a /w session s: renewed 1.0 s ago, by its clock; switch SAFE; epoch 1\n" in out
    store.entries["b"] = entry("b", **{**fresh, "renewed_ns": 80 * SECOND})
    assert logos("status", "--fleet", "desk") == 1
    assert "host-b /w session s: LATE: renewed 20.0 s ago" in capsys.readouterr().out
    assert logos("status", "--fleet", "desk", "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["switch"]["state"] == "SAFE"
    assert [each["late"] for each in shown["engines"]] == [False, True]
    del store.entries["b"]
    store.put(record(2, "ENGAGED"))
    assert logos("status", "--fleet", "desk") == 1
    assert "to clear: logos kill reset --fleet desk" in capsys.readouterr().out
    store.put(None)
    assert logos("status", "--fleet", "desk") == 1
    assert "fleet desk: no switch; to make it: logos kill reset" in capsys.readouterr().out
    store.is_cut = True
    assert logos("status", "--fleet", "desk") == 1
    assert "logos status: fleet desk: cut off" in capsys.readouterr().err


def test_what_a_backend_cannot_promise_is_said(
    home: Path, store: MemoryStore, capsys: Output
) -> None:
    store.limits = "best effort"
    logos("status", "--fleet", "desk")
    assert "fleet desk: best effort\n" in capsys.readouterr().err
