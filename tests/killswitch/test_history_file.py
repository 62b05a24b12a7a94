"""The history of the switch: its tail, appending to it, and reading the whole of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from switch_evidence import ZEROS, transition
from switch_helpers import FaultyLayer, QuickLayer

from logos.killswitch import history as monitor
from logos.killswitch.files import Folder
from logos.killswitch.history import CircuitBreakerMonitor, HistoryDamagedError, Tail, parse_history
from logos.killswitch.records import (
    digest,
    encode_line,
)

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


@pytest.mark.long
def test_a_history_of_64_mebibytes_is_read_and_no_larger_one(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.touch()
    watched = CircuitBreakerMonitor(tmp_path, layer=QuickLayer())
    for size, words in ((2**26, "cut off"), (2**26 + 1, "is larger than 67108864 bytes")):
        os.truncate(path, size)
        assert words in watched.problem()
