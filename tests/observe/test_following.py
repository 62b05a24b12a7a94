"""A file that grows is followed line by line: each once, none lost, and a lost place is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.observe.following import LINE_BYTES_MAX, Follower, LostPlace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_lines_are_given_out_once_as_they_come(path: Path) -> None:
    with Follower(path) as follower:
        assert follower.lines() == []  # it is not there yet
        append(path, b"one\ntwo\n")
        assert follower.lines() == [b"one", b"two"]
        assert follower.lines() == []
        append(path, b"\nthree\n")
        assert follower.lines() == [b"", b"three"]
        assert follower.offset == path.stat().st_size


def test_a_torn_line_waits_for_its_end(path: Path) -> None:
    append(path, b"one\ntw")
    with Follower(path) as follower:
        assert follower.lines() == [b"one"]
        assert follower.offset == 4
        assert follower.waiting_bytes == 2
        append(path, b"o\n")
        assert follower.lines() == [b"two"]


def test_what_is_cut_off_behind_the_last_line_was_never_given_out(path: Path) -> None:
    append(path, b"one\ntorn")
    with Follower(path) as follower:
        assert follower.lines() == [b"one"]
        os.truncate(path, 4)
        assert follower.lines() == []
        append(path, b"two\n")
        assert follower.lines() == [b"two"]


def test_one_call_gives_out_a_bounded_amount(path: Path) -> None:
    append(path, b"0123456789\n" * 100)
    with Follower(path) as follower:
        assert len(follower.lines(bytes_max=50)) == 5
        assert len(follower.lines(bytes_max=1)) == 1
        assert len(follower.lines()) == 94


def test_another_process_goes_on_behind_the_last_line(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path) as first:
        first.lines()
    append(path, b"three\n")
    with Follower(path, first.offset, first.mark) as second:
        assert second.lines() == [b"three"]


def test_an_offset_without_a_mark_holds_to_the_line_that_stands_there(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path, 8) as follower:
        assert follower.lines() == []
        path.write_bytes(b"one\nTWO\nthree\n")
        with pytest.raises(LostPlace, match="byte 4 is not the one that was read there"):
            follower.lines()


def test_a_file_that_became_shorter_is_told_again_and_again(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path) as follower:
        follower.lines()
        os.truncate(path, 4)
        for _ in range(2):
            with pytest.raises(LostPlace, match="become shorter, and has 4 bytes"):
                follower.lines()
        assert follower.offset == 8


def test_one_cut_and_grown_past_the_offset_between_two_looks_is_told(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path) as follower:
        follower.lines()
        os.truncate(path, 4)
        append(path, b"TWO\nthree\n")
        with pytest.raises(LostPlace, match="not the one that was read there"):
            follower.lines()


def test_after_a_restart_a_changed_line_before_the_offset_is_told(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path) as first:
        first.lines()
    path.write_bytes(b"one\ntwO\nthree\n")
    with (
        Follower(path, first.offset, first.mark) as second,
        pytest.raises(LostPlace, match="not the one"),
    ):
        second.lines()


def test_a_file_that_is_gone_is_told(path: Path) -> None:
    append(path, b"one\n")
    with Follower(path) as follower:
        follower.lines()
        path.unlink()
        for _ in range(2):
            with pytest.raises(LostPlace, match="the file is gone"):
                follower.lines()


def test_the_rest_of_a_rotated_file_comes_before_the_place_is_lost(path: Path) -> None:
    append(path, b"one\n")
    with Follower(path) as follower:
        follower.lines()
        append(path, b"two\n")
        path.rename(path.with_suffix(".1"))
        append(path, b"three\nfour\n")
        assert follower.lines() == [b"two"]
        with pytest.raises(LostPlace, match="it is another file now"):
            follower.lines()


def test_a_file_replaced_by_one_that_continues_it_is_read_on(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path) as follower:
        follower.lines()
        new = path.with_suffix(".new")
        new.write_bytes(b"one\ntwo\nthree\n")
        new.replace(path)
        assert follower.lines() == [b"three"]


def test_a_file_replaced_by_another_is_told(path: Path) -> None:
    append(path, b"one\ntwo\n")
    with Follower(path) as follower:
        follower.lines()
        new = path.with_suffix(".new")
        new.write_bytes(b"ONE\nTWO\nTHREE\n")
        new.replace(path)
        with pytest.raises(LostPlace, match="not the one"):
            follower.lines()


def test_a_line_without_end_is_told_once_those_before_it_are_given_out(path: Path) -> None:
    append(path, b"one\n" + b"x" * (LINE_BYTES_MAX + 5))
    with Follower(path) as follower:
        assert follower.lines() == [b"one"]
        with pytest.raises(LostPlace, match="a line has more than"):
            follower.lines()


def test_a_named_pipe_is_no_file_to_follow(path: Path) -> None:
    os.mkfifo(path)
    with Follower(path) as follower, pytest.raises(OSError, match="named pipe"):
        follower.lines()


@pytest.mark.parametrize("mark", ["x", "4", "9:0123456789abcdef", "0:0123456789abcdef", "4:ab"])
def test_a_mark_that_no_follower_makes_is_refused(path: Path, mark: str) -> None:
    with pytest.raises(ValueError, match="not the mark of a line"):
        Follower(path, 8, mark)
    with pytest.raises(ValueError, match="0 or more"):
        Follower(path, -1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=60), st.integers(1, 40), st.booleans()), max_size=25),
)
def test_every_line_comes_once_however_it_is_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bytes, int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("follow") / "log"
    follower = Follower(path)
    found: list[bytes] = []
    for content, bytes_max, restarts in pieces:
        append(path, content)
        found += follower.lines(bytes_max)
        if restarts:
            follower.close()
            follower = Follower(path, follower.offset, follower.mark)
    while lines := follower.lines():
        found += lines
    follower.close()
    whole = path.read_bytes() if path.exists() else b""
    assert found == whole.split(b"\n")[:-1]
