"""The decision log: whole JSON lines, every record once, and next to nothing when filtered."""

from __future__ import annotations

import errno
import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.types import NS_PER_SECOND
from logos.journal import jsonlog
from logos.journal.jsonlog import JsonLog, tail_of, timestamp_text, words_of

NOON_NS = 1_767_614_400 * NS_PER_SECOND  # 2026-01-05T12:00:00Z


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def decide(
    log: JsonLog,
    ts_ns: int,
    tick_id: int,
    symbol: str,
    action: str,
    reason: str,
    tail: bytes,
    particulars: bytes = b"",
) -> None:
    """Add one line."""
    words = words_of(symbol, action, reason, tail)
    log.add((log.front(ts_ns, tick_id), words, particulars))


SAFE = tail_of(b'{"state":"SAFE"}')
ENGAGED = tail_of(b'{"state":"ENGAGED"}')


def test_a_decision_is_one_line_with_its_fields_in_order(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "s.jsonl"
    with JsonLog(path, "s") as log:
        decide(log, NOON_NS + 5, 1, "ACME", "BLOCKED", "KILL_SWITCH_ACTIVE", ENGAGED)
        order, tail = b'{"side":"BUY","quantity":"1.50"}', tail_of(b'{"state":"SAFE"}', "order")
        decide(log, NOON_NS + NS_PER_SECOND, 2, "ACME", "ORDER", "signal", tail, order)
    assert path.read_text() == (
        '{"timestamp":"2026-01-05T12:00:00.000000005Z","session_id":"s","tick_id":1,'
        '"symbol":"ACME","action":"BLOCKED","reason":"KILL_SWITCH_ACTIVE",'
        '"circuit_breaker_state":{"state":"ENGAGED"}}\n'
        '{"timestamp":"2026-01-05T12:00:01.000000000Z","session_id":"s","tick_id":2,'
        '"symbol":"ACME","action":"ORDER","reason":"signal",'
        '"circuit_breaker_state":{"state":"SAFE"},"order":{"side":"BUY","quantity":"1.50"}}\n'
    )


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**62), st.text(), st.text()), max_size=20))
def test_every_record_comes_back_whatever_its_text(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[int, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.jsonl"
    with JsonLog(path, "s") as log:
        for tick_id, (ts_ns, reason, symbol) in enumerate(records):
            decide(log, ts_ns, tick_id, symbol, "ORDER", reason, SAFE)
    found = lines(path)
    assert [record["tick_id"] for record in found] == list(range(len(records)))
    assert [(record["reason"], record["symbol"]) for record in found] == [
        (reason, symbol) for _, reason, symbol in records
    ]


def test_text_that_is_no_unicode_is_spelled_out(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with JsonLog(path, "s") as log:
        decide(log, NOON_NS, 1, "ACME", "HALT", "bad name \udcff", ENGAGED)
        decide(log, NOON_NS, 2, "ACME", "HALT", "next", ENGAGED)
    assert [record["reason"] for record in lines(path)] == ["bad name \\udcff", "next"]


@given(st.lists(st.integers(-(10**18), 10**19), min_size=1, max_size=5))
def test_timestamps_are_exact_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, moments: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.jsonl"
    with JsonLog(path, "s") as log:
        for ts_ns in moments:
            decide(log, ts_ns, 1, "ACME", "ORDER", "signal", SAFE)
    for ts_ns, record in zip(moments, lines(path), strict=True):
        text = str(record["timestamp"])
        second = datetime.fromisoformat(f"{text[:19]}+00:00")
        assert int(second.timestamp()) * NS_PER_SECOND + int(text[20:29]) == ts_ns
        assert (text[19], text[29:]) == (".", "Z")
        assert text == timestamp_text(ts_ns)


def test_the_file_only_ever_holds_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    log = JsonLog(path, "s")
    sizes = set()
    for tick_id in range(3_000):
        decide(log, NOON_NS, tick_id, "ACME", "ORDER", "signal", SAFE)
        content = path.read_bytes()
        sizes.add(len(content))
        assert not content or content.endswith(b"}\n")
    assert 3 < len(sizes) < 30
    log.close()
    log.close()
    assert len(lines(path)) == 3_000


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 300), max_size=4), st.sets(st.integers(0, 3)))
def test_lines_added_together_are_written_when_each_alone_would_have_been(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], flushed_after: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    with JsonLog(folder / "one", "s") as one, JsonLog(folder / "all", "s") as together:
        number = 0
        for batch, size in enumerate(sizes):
            pieces: list[bytes] = []
            for _ in range(size):
                number += 1
                line = (one.front(NOON_NS + number, number), words_of("A", "X", "r", SAFE), b"")
                one.add(line)
                pieces += line
            together.add(pieces)
            for log in (one, together):
                if batch in flushed_after:
                    log.flush()
            assert (folder / "one").read_bytes() == (folder / "all").read_bytes()
    assert (folder / "one").read_bytes() == (folder / "all").read_bytes()
    assert len(lines(folder / "all")) == number


def test_flush_makes_the_record_visible(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with JsonLog(path, "s") as log:
        decide(log, NOON_NS, 1, "ACME", "ORDER", "signal", SAFE)
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
        with JsonLog(path, "s") as log:
            decide(log, NOON_NS, 2, "ACME", "ORDER", "signal", SAFE)
        kept = [1] if b"tick_id" in content else []
        assert [record["tick_id"] for record in lines(path)] == [*kept, 2]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.jsonl"
    real_write = os.write
    with JsonLog(path, "s") as log:
        decide(log, NOON_NS, 1, "ACME", "ORDER", "signal", SAFE)
        monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, bytes(data[:7])))
        log.flush()
    assert len(lines(path)) == 1


@pytest.mark.long
def test_a_full_disk_is_reported_loses_nothing_and_the_buffer_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.jsonl"
    log = JsonLog(path, "s")

    def refuse(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    accepted = 0
    refused: list[OSError] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", refuse)
        for _ in range(5_000):
            try:
                decide(log, NOON_NS, accepted, "ACME", "ORDER", "signal", SAFE)
                accepted += 1
            except OSError as error:
                refused.append(error)
    assert {(error.errno, error.filename) for error in refused} == {(errno.ENOSPC, str(path))}
    assert accepted < 1_000
    log.close()
    assert [record["tick_id"] for record in lines(path)] == list(range(accepted))
    assert accepted <= jsonlog.LINES_MAX
