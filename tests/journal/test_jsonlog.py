"""The decision log: whole JSON lines, every record once, and next to nothing when filtered."""

from __future__ import annotations

import errno
import json
import os
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.types import NS_PER_SECOND, Side, SwitchState
from logos.journal import jsonlog
from logos.journal.jsonlog import JsonLog

NOON_NS = 1_767_614_400 * NS_PER_SECOND  # 2026-01-05T12:00:00Z


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


class LoggedOrder(msgspec.Struct):
    side: Side
    quantity: str


def test_a_decision_is_one_line_with_its_fields_in_order(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "s.jsonl"
    with JsonLog(path) as log:
        log.decision(NOON_NS + 5, 1, "BLOCKED", "KILL_SWITCH_ACTIVE", SwitchState.ENGAGED, "ACME")
        log.decision(
            NOON_NS + NS_PER_SECOND, 2, "ORDER", "signal", SwitchState.SAFE, "ACME",
            LoggedOrder(Side.BUY, "1.50"),
        )  # fmt: skip
    assert path.read_text() == (
        '{"timestamp":"2026-01-05T12:00:00.000000005Z","tick_id":1,"action":"BLOCKED",'
        '"reason":"KILL_SWITCH_ACTIVE","circuit_breaker_state":"ENGAGED","symbol":"ACME"}\n'
        '{"timestamp":"2026-01-05T12:00:01.000000000Z","tick_id":2,"action":"ORDER",'
        '"reason":"signal","circuit_breaker_state":"SAFE","symbol":"ACME",'
        '"order":{"side":"BUY","quantity":"1.50"}}\n'
    )


def test_ticks_without_a_decision_are_written_only_at_level_all(tmp_path: Path) -> None:
    for level, expected in (("decisions", 0), ("all", 1)):
        path = tmp_path / level
        with JsonLog(path, level) as log:
            assert log.wants_all == (level == "all")
            log.tick(NOON_NS, 1, "HOLD", "no signal", SwitchState.REDUCE_ONLY, "ACME")
        assert len(lines(path)) == expected


def test_an_unknown_level_is_refused_and_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of decisions, all, not 'debug'"):
        JsonLog(tmp_path / "s.jsonl", "debug")
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**62), st.text(), st.text()), max_size=20))
def test_every_record_comes_back_whatever_its_text(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[int, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.jsonl"
    with JsonLog(path) as log:
        for tick_id, (ts_ns, reason, symbol) in enumerate(records):
            log.decision(ts_ns, tick_id, "ORDER", reason, SwitchState.SAFE, symbol)
    found = lines(path)
    assert [record["tick_id"] for record in found] == list(range(len(records)))
    assert [(record["reason"], record["symbol"]) for record in found] == [
        (reason, symbol) for _, reason, symbol in records
    ]


def test_text_that_is_no_unicode_is_spelled_out(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with JsonLog(path) as log:
        log.decision(NOON_NS, 1, "HALT", "bad name \udcff", SwitchState.ENGAGED, "ACME")
        log.decision(NOON_NS, 2, "HALT", "next", SwitchState.ENGAGED, "ACME")
    assert [record["reason"] for record in lines(path)] == ["bad name \\udcff", "next"]


def test_an_order_that_json_cannot_hold_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with JsonLog(path) as log:
        for order in ({"price": object()}, {"price": "\udcff"}):
            with pytest.raises((TypeError, UnicodeEncodeError)):
                log.decision(NOON_NS, 1, "ORDER", "signal", SwitchState.SAFE, "ACME", order)
        log.decision(NOON_NS, 2, "ORDER", "signal", SwitchState.SAFE, "ACME")
    assert [record["tick_id"] for record in lines(path)] == [2]


@given(st.lists(st.integers(-(10**18), 10**19), min_size=1, max_size=5))
def test_timestamps_are_exact_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, moments: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.jsonl"
    with JsonLog(path) as log:
        for ts_ns in moments:
            log.decision(ts_ns, 1, "ORDER", "signal", SwitchState.SAFE, "ACME")
    for ts_ns, record in zip(moments, lines(path), strict=True):
        text = str(record["timestamp"])
        second = datetime.fromisoformat(f"{text[:19]}+00:00")
        assert int(second.timestamp()) * NS_PER_SECOND + int(text[20:29]) == ts_ns
        assert (text[19], text[29:]) == (".", "Z")


def test_the_file_only_ever_holds_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    log = JsonLog(path)
    sizes = set()
    for tick_id in range(3_000):
        log.decision(NOON_NS, tick_id, "ORDER", "signal", SwitchState.SAFE, "ACME")
        content = path.read_bytes()
        sizes.add(len(content))
        assert not content or content.endswith(b"}\n")
    assert 3 < len(sizes) < 20
    log.close()
    log.close()
    assert len(lines(path)) == 3_000


def test_flush_makes_the_record_visible(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with JsonLog(path) as log:
        log.decision(NOON_NS, 1, "ORDER", "signal", SwitchState.SAFE, "ACME")
        assert lines(path) == []
        log.flush()
        assert len(lines(path)) == 1


@pytest.mark.parametrize("torn", [b'{"timestamp":"20', b"x" * 200_000])
def test_a_torn_last_line_is_removed_before_anything_is_appended(
    tmp_path: Path, torn: bytes
) -> None:
    path = tmp_path / "s.jsonl"
    for content in (torn, b'{"tick_id":1}\n' + torn, b'{"tick_id":1}\n'):
        path.write_bytes(content)
        with JsonLog(path) as log:
            log.decision(NOON_NS, 2, "ORDER", "signal", SwitchState.SAFE, "ACME")
        kept = [1] if b"tick_id" in content else []
        assert [record["tick_id"] for record in lines(path)] == [*kept, 2]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.jsonl"
    real_write = os.write
    with JsonLog(path) as log:
        log.decision(NOON_NS, 1, "ORDER", "signal", SwitchState.SAFE, "ACME")
        monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, bytes(data[:7])))
        log.flush()
    assert len(lines(path)) == 1


def test_a_full_disk_is_reported_loses_nothing_and_the_buffer_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.jsonl"
    log = JsonLog(path)

    def refuse(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    accepted = 0
    refused: list[OSError] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", refuse)
        for _ in range(5_000):
            try:
                log.decision(NOON_NS, accepted, "ORDER", "signal", SwitchState.SAFE, "ACME")
                accepted += 1
            except OSError as error:
                refused.append(error)
    assert {(error.errno, error.filename) for error in refused} == {(errno.ENOSPC, str(path))}
    assert accepted < 1_000
    log.close()
    assert [record["tick_id"] for record in lines(path)] == list(range(accepted))
    assert path.stat().st_size < jsonlog.BUFFER_BYTES + 1_000
