"""Lines for a person: whole, never wider than the terminal, plain where there is none, never
waited for."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.cli.screen.terminal import Colour, Terminal, cut, paragraph, width_of, wrapped
from logos.shown import ShownStream

RED = "\x1b[1;31m"


@pytest.fixture
def pty_stream() -> Iterator[tuple[TextIO, int]]:
    """The program's side of a terminal of 91 columns, and the descriptor of the person's side."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 91, 0, 0))
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield stream, master
    os.close(master)


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_a_terminal_has_colours_unless_it_was_asked_for_none(
    pty_stream: tuple[TextIO, int], environment: dict[str, str], is_coloured: bool
) -> None:
    terminal = Terminal(ShownStream(pty_stream[0]), environment)
    assert terminal.columns == 91
    shown = terminal.coloured("x", Colour.ALARM)
    assert (shown == f"{RED}x\x1b[0m") is is_coloured
    assert (shown == "x") is not is_coloured
    terminal.say([shown])
    assert os.read(pty_stream[1], 100).decode().rstrip() == shown


def test_a_pipe_and_a_file_are_plain() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w", encoding="utf-8") as stream:
        terminal = Terminal(stream, {})
        assert terminal.coloured("x", Colour.ALARM) == "x"
        assert terminal.columns == 120
        terminal.say(["a line", "another"])
        assert os.read(read, 100) == b"a line\nanother\n"
    os.close(read)
    assert Terminal(io.StringIO(), {"COLUMNS": "80"}).columns == 80
    assert Terminal(io.StringIO(), {"COLUMNS": "3"}).columns == 40


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_has_room_for_what_must_be_said() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w", encoding="utf-8") as stream:
        terminal = Terminal(stream, {})
        lines = ["x" * 99] * 10_000  # a megabyte, and a pipe takes 64 kB

        def say() -> None:
            terminal.say(lines)
            terminal.print("the kill switch is ENGAGED")
            stream.flush()

        thread = threading.Thread(target=say, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        assert 0 < terminal.dropped < len(lines)
        seen = os.read(read, 1 << 20).decode().splitlines()
        assert seen[-1] == "the kill switch is ENGAGED"
        assert seen[:-1] == lines[: len(lines) - terminal.dropped]
        terminal.say(["there is room again"])
        assert os.read(read, 100) == b"there is room again\n"
    os.close(read)


def test_a_terminal_that_is_held_holds_nobody_up(pty_stream: tuple[TextIO, int]) -> None:
    terminal = Terminal(pty_stream[0], {})
    termios.tcflow(pty_stream[0].fileno(), termios.TCOOFF)  # as Ctrl-S does
    thread = threading.Thread(target=terminal.say, args=(["x"],), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert terminal.dropped == 1
    termios.tcflow(pty_stream[0].fileno(), termios.TCOON)


def test_a_reader_who_is_gone_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w", encoding="utf-8")
    terminal = Terminal(stream, {})
    terminal.say(["x", "y"])
    assert terminal.dropped == 2
    stream.close()


WORDS = st.lists(st.text("ab.漢é\u0301", max_size=60), max_size=30)


@given(words=WORDS, columns=st.integers(40, 130), first=st.sampled_from(["", "12:00:00  FILL  "]))
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(
    words: list[str], columns: int, first: str
) -> None:
    lines = wrapped(words, columns, first)
    assert all(width_of(line) <= columns for line in lines)
    assert lines[0].startswith(first.rstrip())
    rest = [lines[0][len(first) :], *lines[1:]]
    assert "".join("".join(rest).split()) == "".join("".join(words).split())


def test_what_strangers_wrote_is_spelled_out_and_bounded() -> None:
    lines = paragraph("\x1b[2J\u202eevil\nline " + "word " * 500, 80, "12:00:00  ", lines_max=3)
    assert lines[0].startswith("12:00:00  \\u001b[2J\\u202eevil\\u000aline word")
    assert len(lines) == 3
    assert lines[-1].endswith(" ...")
    assert all(len(line) <= 80 for line in lines)


def test_wide_characters_take_two_columns() -> None:
    assert width_of("a漢e\u0301") == 4
    assert cut("漢漢漢漢", 6) == "漢..."
    assert cut("漢漢漢", 6) == "漢漢漢"
