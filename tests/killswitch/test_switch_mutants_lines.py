"""Lines of the switch and their history: what small changes of them showed to be untested.

Every test here notices a change of `killswitch/records.py` or `killswitch/history.py` that the
other tests did not; see `tests/helpers/mutation.py`.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from switch_helpers import FaultyLayer, QuickLayer

from logos.killswitch import history as monitor
from logos.killswitch.files import Folder
from logos.killswitch.history import CircuitBreakerMonitor, HistoryDamagedError, Tail, parse_history
from logos.killswitch.records import (
    SCHEMA,
    MarkerNote,
    RecordDamagedError,
    StaleEpochError,
    Transition,
    clean_text,
    decode_line,
    decode_marker,
    digest,
    encode_line,
    encode_marker,
)

ZEROS = "0" * 64


def transition(epoch: int = 5, **changes: Any) -> Transition:
    plain = Transition(
        schema=SCHEMA, epoch=epoch, state="ENGAGED", was="SAFE", who="ann", why="why", time_ns=5,
        mode="paper", build="1", host="h", granted_epoch=0, engaged_epoch=0, markers="",
        previous=ZEROS,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def unchecked(body: bytes) -> bytes:
    """A line with a right checksum around any body."""
    return b'{"body":' + body + b',"crc32":%d}\n' % zlib.crc32(body)


def line_of(**changes: Any) -> bytes:
    return unchecked(msgspec.json.encode(transition(**changes)))


# ---- one line ----


def test_a_line_is_written_today_as_it_was_when_the_files_out_there_were() -> None:
    body = (
        b'{"schema":"logos.kill-switch/1","epoch":5,"state":"ENGAGED","was":"SAFE","who":"ann",'
        b'"why":"why","time_ns":5,"mode":"paper","build":"1","host":"h","granted_epoch":0,'
        b'"engaged_epoch":0,"markers":"","previous":"' + ZEROS.encode() + b'"}'
    )
    assert encode_line(transition()) == unchecked(body)
    assert decode_line(unchecked(body)) == transition()


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 1},
        {"epoch": 2**53},
        {"granted_epoch": 5},
        {"engaged_epoch": 5},
        {"why": "x" * (8_192 - len(line_of(why="")))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_just_within_the_bounds_is_read(changes: dict[str, Any]) -> None:
    assert decode_line(line_of(**changes)) == transition(**changes)


WHOLE = line_of()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "is empty"),
        (line_of(why="x" * (8_193 - len(line_of(why="")))), "is larger than 8192 bytes"),
        (WHOLE + b"\n", "is not one whole line"),
        (WHOLE[:-1], "is not one whole line"),
        (b"\n" + WHOLE[:-1], "is not one whole line"),
        (b"{}\n", "is not a record of this switch"),
        (WHOLE.replace(b'"ann"', b'"bob"'), "fails its checksum"),
        (unchecked(b"{}"), "is not a record of this switch"),
        (line_of(schema="logos.kill-switch/2"), "has the schema 'logos.kill-switch/2'"),
        (line_of(epoch=0), "has the impossible epoch 0"),
        (line_of(epoch=2**53 + 1), "has the impossible epoch"),
        (line_of(granted_epoch=6), "names epochs of its own future"),
        (line_of(engaged_epoch=6), "names epochs of its own future"),
    ],
)
def test_what_is_not_a_line_is_refused_with_the_reason(line: bytes, words: str) -> None:
    with pytest.raises(RecordDamagedError, match=words):
        decode_line(line)


def test_what_would_not_read_back_is_not_written() -> None:
    with pytest.raises(RecordDamagedError, match="does not read back as what was written"):
        encode_line(transition(why=b"bytes"))


def test_a_stale_epoch_is_named_with_the_current_one() -> None:
    error = StaleEpochError(3, 5, "engaged meanwhile")
    assert (error.given, error.current) == (3, 5)
    assert "epoch 3 is not the current epoch, 5 is (engaged meanwhile)" in str(error)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("abcde", "abcde"), (" abcd ", "abcd"), ("abcdef", "ab..."), ("a" * 9, "aa..."), ("a\n", "a"),
     ("a\nb", "a?b")],
)  # fmt: skip
def test_text_is_shortened_beyond_its_bound_and_not_before(text: str, cleaned: str) -> None:
    assert clean_text(text, 5) == cleaned


def test_a_marker_is_believed_in_words_alone_and_only_so_many() -> None:
    assert encode_marker("ann", "stop", 7) == b'{"who":"ann","why":"stop","epoch":7}\n'
    assert decode_marker(encode_marker("ann", "stop", 7)) == MarkerNote("ann", "stop", 0)
    assert decode_marker(b"junk") == MarkerNote("", "", 0)
    note = decode_marker(encode_marker("a" * 121, "b" * 601, 7))
    assert (len(note.who), len(note.why)) == (120, 600)
    assert decode_marker(encode_marker("a" * 120, "b" * 600, 7)).why == "b" * 600


# ---- the tail ----


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[FaultyLayer, Folder, Path]]:
    """A layer that can fail, a folder open through it, and where its history lies."""
    layer = FaultyLayer()
    with Folder(layer, tmp_path) as folder:
        yield layer, folder, tmp_path / "history.jsonl"


Place = tuple[FaultyLayer, Folder, Path]


@pytest.mark.parametrize(
    ("content", "tail"),
    [
        (None, Tail(False, b"", 0, "")),
        (b"", Tail(True, b"", 0, "")),
        (b"\n", Tail(True, b"", 0, "")),
        (b"torn", Tail(True, b"", 4, "")),
        (b"one\n", Tail(True, b"one\n", 0, "")),
        (b"one\ntwo\ntorn", Tail(True, b"two\n", 4, "")),
        (b"x" * 20_000 + b"\n" + b"y" * 8_191 + b"\n" + b"z" * 8_191,
         Tail(True, b"y" * 8_191 + b"\n", 8_191, "")),
    ],
)  # fmt: skip
def test_the_tail_is_the_last_whole_line_and_what_follows_it(
    place: Place, content: bytes | None, tail: Tail
) -> None:
    _, folder, path = place
    if content is not None:
        path.write_bytes(content)
    assert monitor.read_tail(folder) == tail


@pytest.mark.parametrize("call", ["open", "pread"])
def test_a_tail_that_cannot_be_read_says_so_and_leaves_no_descriptor_open(
    place: Place, call: str
) -> None:
    layer, folder, path = place
    path.write_bytes(b"one\n")

    def broken(asked: str, name: str) -> None:
        if asked == call:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    layer.read_rule = broken
    before = len(os.listdir("/proc/self/fd"))
    problem = "history.jsonl cannot be used: input/output error (EIO)"
    assert monitor.read_tail(folder) == Tail(True, b"", 0, problem)
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_next_line_names_the_one_before_it_or_nothing() -> None:
    assert monitor.next_previous(Tail(False, b"", 0, "")) == ZEROS
    assert monitor.next_previous(Tail(True, b"one\n", 0, "")) == digest(b"one\n")


# ---- appending ----


def test_a_line_is_appended_behind_what_is_whole_and_made_durable(place: Place) -> None:
    layer, folder, path = place
    path.write_bytes(b"one\ntorn")
    before = len(os.listdir("/proc/self/fd"))
    monitor.append_line(folder, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    cut = ["open history.jsonl", "truncate", "fsync"]
    assert layer.calls == [*cut, "open history.jsonl", "write", "fsync", "fsync"]
    assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_is_cut_from_a_whole_history(place: Place) -> None:
    layer, folder, path = place
    path.write_bytes(b"one\n")
    monitor.cut_torn(folder)
    assert layer.calls == []


def test_a_damaged_history_is_moved_aside_under_the_name_that_is_told(place: Place) -> None:
    layer, folder, path = place
    path.write_bytes(b"junk\n")
    name = monitor.rotate_damaged(folder)
    assert not path.exists()
    assert (path.parent / name).read_bytes() == b"junk\n"
    assert layer.calls == [f"replace {name}", "fsync"]


# ---- the whole history ----


def history(*epochs: int) -> list[bytes]:
    """Lines of these epochs, each naming the one before."""
    lines: list[bytes] = []
    for epoch in epochs:
        previous = digest(lines[-1]) if lines else ZEROS
        lines.append(encode_line(transition(epoch, previous=previous)))
    return lines


def test_a_history_is_read_from_its_first_line_to_its_last() -> None:
    lines = history(3, 4, 7, 8)
    read = parse_history(b"".join(lines), "h")
    assert [each.epoch for each in read] == [3, 4, 7, 8]
    assert [each.epoch for each in parse_history(b"".join(lines[2:]), "h")] == [7, 8]
    assert parse_history(b"", "h") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"".join(history(1, 2)) + b"torn", "h:3: the last line is cut off"),
        (history(1)[0] + b"junk\n", "h:2: the line is not a record"),
        (history(1, 2, 3)[0] + history(1, 2, 3)[2], "h:2: the line does not follow"),
        (b"".join(history(1, 2, 5, 4)), "h:4: epoch 4 after 5"),
        (b"".join(history(1, 2, 5, 5)), "h:4: epoch 5 after 5"),
    ],
)
def test_damage_to_a_history_is_placed(content: bytes, words: str) -> None:
    with pytest.raises(HistoryDamagedError, match=words):
        parse_history(content, "h")


def test_the_monitor_says_what_is_wrong_with_the_file_it_was_given(tmp_path: Path) -> None:
    layer = FaultyLayer()
    watched = CircuitBreakerMonitor(tmp_path / "x" / "..", layer=layer)
    assert watched.folder == tmp_path
    assert watched.history() == []
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"".join(history(1, 2)))
    assert [each.epoch for each in watched.history()] == [1, 2]
    assert watched.problem() == ""
    path.write_bytes(b"junk\n")
    assert watched.problem().startswith(f"{path}:1: the line")

    def broken(call: str, name: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    layer.read_rule = broken
    with pytest.raises(HistoryDamagedError, match="cannot be used: input/output error"):
        watched.history()


def test_a_history_of_64_mebibytes_is_read_and_no_larger_one(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.touch()
    watched = CircuitBreakerMonitor(tmp_path, layer=QuickLayer())
    for size, words in ((2**26, "cut off"), (2**26 + 1, "is larger than 67108864 bytes")):
        os.truncate(path, size)
        assert words in watched.problem()
