"""The end of a session's journal: its latest events, and what its equity was.

Only the last part of a journal is read when a session comes to the screen, then what is added. A
journal that was shortened (a resumed session cuts off what was about its stop) is read anew from
its end.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from logos.files import open_regular
from logos.observe.following import Follower, LostPlace
from logos.observe.watching.curve import Point

END_BYTES: Final = 1 << 18
"""How much of a journal's end is read at first, and at most at once later."""
EVENTS_MAX: Final = 200
_TIME: Final = re.compile(rb'"ts_ns":(\d{1,19})[,}]')
_ACCOUNT: Final = b'"body":{"kind":"account"'


class Event(NamedTuple):
    """Something that happened: when (nanoseconds UTC), what in one word, and in a line."""

    ts_ns: int
    word: str
    text: str


Words = Callable[[Sequence[bytes]], Iterable[Event]]
"""Tells what whole lines of a journal say that a person is to see."""


class _Account(msgspec.Struct):
    ts_ns: int
    currency: str
    equity_units: int


class _Line(msgspec.Struct):
    body: _Account


class JournalEnd:
    """The latest events of the journal at `path`. For one thread at a time."""

    def __init__(self, path: Path, words: Words) -> None:
        self._path = path
        self._words = words
        self._follower: Follower | None = None
        self._last_ns = 0
        self.events: deque[Event] = deque(maxlen=EVENTS_MAX)
        """Oldest first."""

    def close(self) -> None:
        """Close the file."""
        if self._follower is not None:
            self._follower.close()

    def read(self) -> None:
        """Take in what is new; nothing where there is no journal yet. Raises OSError."""
        try:
            lines = self._lines()
        except FileNotFoundError:
            return
        except LostPlace:  # it was cut back: what was read may not have happened
            self.close()
            self._follower = None
            self.events.clear()
            return
        self._last_ns = _time_of(lines) or self._last_ns
        for event in self._words(lines):  # the seal names no time: it is that of what came before
            self.events.append(event if event.ts_ns else event._replace(ts_ns=self._last_ns))

    def _lines(self) -> list[bytes]:
        size = os.stat(self._path).st_size
        follower = self._follower
        if follower is None or size - follower.offset > END_BYTES:
            self.close()
            lines, start = _end_of(self._path, size)
            self._follower = Follower(self._path, start + sum(len(line) + 1 for line in lines))
            return lines
        return follower.lines(END_BYTES)

    def equity(self, currency: str) -> Iterator[Point]:
        """What the end of the journal says of the equity in a currency, oldest first. A journal
        that cannot be read says nothing."""
        with suppress(OSError):
            lines, _ = _end_of(self._path, os.stat(self._path).st_size)
            for line in lines:
                if _ACCOUNT in line:
                    with suppress(ValueError):  # not for a picture to judge
                        account = msgspec.json.decode(line, type=_Line).body
                        if account.currency == currency:
                            yield Point(account.ts_ns, account.equity_units)


def _time_of(lines: Sequence[bytes]) -> int:
    """The time of the last line that has one; 0 when none has."""
    for line in reversed(lines):
        if found := _TIME.search(line):
            return int(found[1])
    return 0


def _end_of(path: Path, size: int) -> tuple[list[bytes], int]:
    """The whole lines within the last `END_BYTES` of a file, and where the first one begins."""
    start = max(0, size - END_BYTES)
    with open_regular(path) as file:
        file.seek(start)
        content = file.read(size - start)
    if start:
        first, newline, content = content.partition(b"\n")
        start += len(first) + len(newline)
    whole = content[: content.rfind(b"\n") + 1]
    return whole.split(b"\n")[:-1], start
