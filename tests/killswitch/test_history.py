"""The lines of the switch and their chain: every accident to them is found and placed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switch_helpers import Clock, Workspace

from logos.core.types import SwitchState
from logos.killswitch.history import CircuitBreakerMonitor, HistoryDamagedError, parse_history
from logos.killswitch.records import (
    NO_PREVIOUS,
    SCHEMA,
    RecordDamagedError,
    Transition,
    clean_text,
    decode_line,
    decode_marker,
    digest,
    encode_line,
    encode_marker,
)


def transition(epoch: int, previous: str = NO_PREVIOUS, why: str = "why") -> Transition:
    return Transition(
        schema=SCHEMA, epoch=epoch, state="ENGAGED", was="SAFE", who="ann", why=why, time_ns=5,
        mode="paper", build="1", host="h", granted_epoch=0, engaged_epoch=epoch, markers="",
        previous=previous,
    )  # fmt: skip


def chain(length: int) -> list[bytes]:
    lines: list[bytes] = []
    for epoch in range(1, length + 1):
        previous = digest(lines[-1]) if lines else NO_PREVIOUS
        lines.append(encode_line(transition(epoch, previous, f"reason {epoch}")))
    return lines


TEXT = st.text(max_size=80)


@pytest.mark.long
@given(who=TEXT, why=TEXT, epoch=st.integers(1, 2**53), time_ns=st.integers(0, 2**62))
def test_what_is_written_reads_back(who: str, why: str, epoch: int, time_ns: int) -> None:
    written = msgspec.structs.replace(
        transition(1), who=who, why=why, epoch=epoch, engaged_epoch=epoch, time_ns=time_ns
    )
    line = encode_line(written)
    assert decode_line(line) == written
    assert line.count(b"\n") == 1


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(place: int, bit: int) -> None:
    line = encode_line(transition(7))
    at = place % len(line)
    damaged = line[:at] + bytes([line[at] ^ (1 << bit)]) + line[at + 1 :]
    with pytest.raises(RecordDamagedError):
        decode_line(damaged)


@given(content=st.binary(max_size=300))
def test_no_bytes_make_the_reader_fall_over(content: bytes) -> None:
    with pytest.raises(RecordDamagedError):
        decode_line(content)
    decode_marker(content)


@pytest.mark.parametrize("head", [b'{"body":', b'{"who":', b'{"x":', b""])
@pytest.mark.parametrize("tail", [b"]" * 3_000, b""])
def test_nested_without_end_is_damage_and_no_crash(head: bytes, tail: bytes) -> None:
    content = head + b"[" * 3_000 + tail + b',"crc32":1}\n'
    with pytest.raises(RecordDamagedError):
        decode_line(content)
    assert decode_marker(content) == decode_marker(b"")


@given(cut=st.integers(0, 10_000))
def test_no_truncation_goes_unnoticed(cut: int) -> None:
    line = encode_line(transition(7))
    with pytest.raises(RecordDamagedError):
        decode_line(line[: cut % len(line)])


@settings(max_examples=60)
@given(length=st.integers(2, 6), data=st.data())
def test_a_removed_repeated_swapped_or_changed_line_is_found(
    length: int, data: st.DataObject
) -> None:
    lines = chain(length)
    assert [entry.epoch for entry in parse_history(b"".join(lines), "h")] == list(
        range(1, length + 1)
    )
    at = data.draw(st.integers(0, length - 2))
    damage = data.draw(st.sampled_from(["remove", "repeat", "swap", "replace"]))
    if damage == "remove":
        del lines[at + 1 if at + 1 < length - 1 else 0]
        if lines[0] != chain(1)[0]:
            return  # a history may begin anywhere: what stood before was moved aside
    elif damage == "repeat":
        lines.insert(at, lines[at])
    elif damage == "swap":
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    else:
        lines[at] = encode_line(transition(at + 1, why="another reason"))
    with pytest.raises(HistoryDamagedError, match=r"h:\d+: "):
        parse_history(b"".join(lines), "h")


def test_epochs_only_grow() -> None:
    first = encode_line(transition(5))
    second = encode_line(transition(5, digest(first)))
    with pytest.raises(HistoryDamagedError, match="h:2: epoch 5 after 5"):
        parse_history(first + second, "h")


def test_a_history_that_is_not_there_is_empty(tmp_path: Path) -> None:
    monitor = CircuitBreakerMonitor(tmp_path / "none")
    assert monitor.history() == []
    assert monitor.problem() == ""


def test_damage_is_reported_with_file_and_line(workspace: Workspace) -> None:
    workspace.armed().engage("stop", "ann")
    with workspace.history_file.open("ab") as stream:
        stream.write(b"oops\n")
    monitor = CircuitBreakerMonitor(workspace.folder)
    with pytest.raises(HistoryDamagedError, match=r"history\.jsonl:3: the line"):
        monitor.history()
    with workspace.history_file.open("ab") as stream:
        stream.write(b"torn")
    assert monitor.problem().endswith(":4: the last line is cut off")
    workspace.history_file.unlink()
    workspace.history_file.mkdir()
    assert "is a directory" in monitor.problem()


@given(text=st.text(max_size=50), limit=st.integers(4, 40))
def test_cleaned_text_fits_a_terminal_line(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.isprintable()
    if text.isprintable() and len(text) <= limit and text == text.strip():
        assert cleaned == text


def test_a_marker_says_who_and_why() -> None:
    note = decode_marker(encode_marker("ann", "fire", 4))
    assert (note.who, note.why) == ("ann", "fire")
    assert decode_marker(b"\xff") == decode_marker(b"") == decode_marker(b"[]")


def test_history_tells_who_why_when_and_between_which_states(workspace: Workspace) -> None:
    clock = Clock(1_700_000_000_000_000_000)
    breaker = workspace.armed(clock=clock)
    clock.now_ns += 7
    breaker.set_reduce_only("thin book", "ann")
    breaker.engage("fire", "bob")
    breaker.reset("cy", "drill over", 3)
    lines = [
        (entry.epoch, entry.was, entry.state, entry.who, entry.why, entry.time_ns - clock.now_ns)
        for entry in breaker.monitor().history()
    ]
    assert lines == [
        (1, "NEW", "SAFE", "logos", "first session on this machine: armed for paper", -7),
        (2, "SAFE", "REDUCE_ONLY", "ann", "thin book", 0),
        (3, "REDUCE_ONLY", "ENGAGED", "bob", "fire", 0),
        (4, "ENGAGED", "SAFE", "cy", "drill over", 0),
    ]


def test_a_torn_end_costs_the_history_nothing_but_itself(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    with workspace.history_file.open("ab") as stream:
        stream.write(b'{"body":')
    breaker.reset("ann", "fine", 2)
    assert breaker.authority() is SwitchState.SAFE
    assert [entry.why for entry in breaker.monitor().history()][1:] == ["stop", "fine"]
