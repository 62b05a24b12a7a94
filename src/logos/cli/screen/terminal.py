"""Where lines for a person go: a terminal, in colour and as wide as it is, or a file, plain.

A line is written whole, in one call, so that nothing of another thread stands within it. And it is
written only where it can be taken at once: a terminal that is held (Ctrl-S) or a pipe that nobody
reads must not hold up whoever writes next to it, least of all a trading loop. What cannot be
written is dropped and counted; the journal has it.
"""

from __future__ import annotations

import os
import select
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

from logos.shown import ShownStream, plain

COLUMNS_MIN: Final = 40
COLUMNS_OF_FILES: Final = 120
"""How wide lines are where there is no terminal."""
_BYTES_MAX: Final = 4_096
"""Of one write: what a pipe that can be written to takes without waiting."""
_RESET: Final = "\x1b[0m"


class Colour(StrEnum):
    """What a word is shown in; the terminal's own colours, so that it suits light and dark ones."""

    NONE = ""
    GOOD = "\x1b[36m"
    """Cyan: blue enough to be told from orange and red by everybody."""
    NOTICE = "\x1b[33m"
    ALARM = "\x1b[1;31m"
    STRONG = "\x1b[1m"
    FAINT = "\x1b[2m"


class Terminal:
    """A stream for people, standard error as a rule."""

    def __init__(self, stream: Any, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is that of the process (None), for NO_COLOR, TERM and COLUMNS."""
        self._stream: Any = stream._stream if isinstance(stream, ShownStream) else stream
        self._environment = os.environ if environment is None else environment
        self._descriptor = _descriptor_of(self._stream)
        self.dropped = 0
        """Lines that could not be written at once."""
        self.is_terminal = self._descriptor >= 0 and os.isatty(self._descriptor)
        self.is_coloured = (
            self.is_terminal
            and not self._environment.get("NO_COLOR")
            and self._environment.get("TERM") != "dumb"
        )

    @property
    def columns(self) -> int:
        """How wide a line may be, as of now."""
        given = self._environment.get("COLUMNS", "")
        columns = int(given) if given.isascii() and given.isdigit() else 0
        if not columns and self.is_terminal:
            with suppress(OSError):
                columns = os.get_terminal_size(self._descriptor).columns
        return max(columns or COLUMNS_OF_FILES, COLUMNS_MIN)

    def coloured(self, text: str, colour: Colour) -> str:
        """`text`, in the colour where there are colours."""
        return f"{colour}{text}{_RESET}" if colour and self.is_coloured else text

    def print(self, text: str, colour: Colour = Colour.NONE) -> None:
        """Write `text`, made fit to be shown, and wait until it is taken: for what must be heard.

        In one call: what another thread writes stands before or behind it.
        """
        shown = "\n".join(self.coloured(line, colour) for line in text.split("\n"))
        self._stream.write(f"{shown}\n")

    def say(self, lines: Sequence[str]) -> None:
        """Write the lines, whose words were made fit to be shown. What cannot be written at once
        is dropped."""
        if self._descriptor < 0:
            with suppress(OSError, ValueError):  # a stream that was closed
                self._stream.write("".join(f"{line}\n" for line in lines))
            return
        for block, count in _blocks(lines):
            if not self._write(block):
                self.dropped += count

    def _write(self, block: bytes) -> bool:
        """Write some whole lines; False when they cannot be taken at once."""
        try:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLOUT)
            if not any(event & select.POLLOUT for _, event in poll.poll(0)):
                return False
            os.write(self._descriptor, block)
        except OSError:  # nobody reads any more, or its disk is full
            return False
        return True


def _descriptor_of(stream: Any) -> int:
    """The stream's file descriptor; -1 where it has none."""
    try:
        return int(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return -1


def _blocks(lines: Sequence[str]) -> Iterator[tuple[bytes, int]]:
    """The lines, as many together as one write may be; how many they are."""
    block, count = b"", 0
    for line in lines:
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        if block and len(block) + len(data) > _BYTES_MAX:
            yield block, count
            block, count = b"", 0
        block, count = block + data, count + 1
    if block:
        yield block, count


def width_of(text: str) -> int:
    """How many columns of a terminal `text` takes, which has no colours in it."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """`text` in so many columns, "..." at its end where it was longer."""
    if width_of(text) <= columns:
        return text
    kept, width = [], 0
    for character in text:
        width += _columns_of(character)
        if width > columns - 3:
            break
        kept.append(character)
    return f"{''.join(kept).rstrip()}..."


def wrapped(words: Sequence[str], columns: int, first: str, separator: str = " ") -> list[str]:
    """The words in lines of at most so many columns, behind `first` and, from the second line on,
    below it. A word that is too long for a line goes on in the next."""
    indent = width_of(first)
    room = max(columns - indent, 2)
    lines: list[str] = []
    current = ""
    for word in (piece for each in words for piece in _pieces(each, room)):
        if not current:
            current = word
        elif width_of(current) + len(separator) + width_of(word) <= room:
            current += separator + word
        else:
            lines.append(current.rstrip())
            current = word
    lines.append(current.rstrip())
    return [
        f"{' ' * indent if number else first}{line}".rstrip() for number, line in enumerate(lines)
    ]


def _pieces(word: str, columns: int) -> Iterator[str]:
    """The word, in pieces of at most so many columns."""
    if width_of(word) <= columns:
        yield word
        return
    piece, width = "", 0
    for character in word:
        size = _columns_of(character)
        if width + size > columns:
            yield piece
            piece, width = "", 0
        piece, width = piece + character, width + size
    yield piece


def paragraph(text: object, columns: int, first: str, lines_max: int = 0) -> list[str]:
    """What somebody wrote, made fit to be shown and put into lines as of `wrapped`; of more than
    `lines_max` (0: no limit) the last one says so."""
    lines = wrapped(plain(text).split(), columns, first)
    if lines_max and len(lines) > lines_max:
        lines = [*lines[: lines_max - 1], f"{cut(lines[lines_max - 1], columns - 4)} ..."]
    return lines
