"""Rows of CSV files: times and texts as cells, and the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.files import AppendFile
from logos.journal.minutes import minute_text

_ROWS_MAX: Final = 512
"""Rows that wait in memory at most."""

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def text_cell(text: str) -> str:
    """Text as a spreadsheet may read it: never as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


_SECONDS: Final = tuple(f"{second:02d}." for second in range(60))


class Moments:
    """ISO-8601 text of event times; keeps what it last wrote, as events come in order."""

    def __init__(self) -> None:
        self._minute = 0
        self._minute_text = "1970-01-01T00:00:"
        self._ts_ns = 0
        self._text = "1970-01-01T00:00:00.000000000Z"

    def text(self, ts_ns: int) -> str:
        """`ts_ns` as ISO-8601 UTC with nine fraction digits."""
        if ts_ns == self._ts_ns:
            return self._text
        minute = ts_ns // NS_PER_MINUTE
        rest = ts_ns - minute * NS_PER_MINUTE
        if minute != self._minute:
            self._minute_text = minute_text(minute)
            self._minute = minute
        second = rest // NS_PER_SECOND
        # Several times faster than the format `:09d`, which pads to the same text.
        fraction = str(NS_PER_SECOND + rest - second * NS_PER_SECOND)
        text = f"{self._minute_text}{_SECONDS[second]}{fraction[1:]}Z"
        self._ts_ns = ts_ns
        self._text = text
        return text


@lru_cache(maxsize=4096)
def cell(text: str) -> str:
    """Text as a cell, quoted where it must be; the same words come again and again."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


@lru_cache(maxsize=4096)
def words(text: str) -> str:
    """A text of somebody's own as a cell: no formula, and quoted where it must be."""
    return cell(text_cell(text))


class Table:
    """One CSV file. Rows wait in memory; every OSError names the file."""

    def __init__(self, path: Path, columns: Sequence[str], *, is_there: bool) -> None:
        self._has_failed = False
        self._rows: list[str] = [] if is_there else [",".join(columns) + "\n"]
        self._file = AppendFile(path, is_new=not is_there)

    def add(self, row: str) -> None:
        """A line, its newline included."""
        rows = self._rows
        rows.append(row)
        if len(rows) >= _ROWS_MAX:
            self.flush()

    def flush(self) -> None:
        """Hand the rows to the operating system.

        After a failure, which ends the session, nothing is written any more: the file stays a
        beginning of what it should be.
        """
        if not self._rows:
            return
        content = bytearray("".join(self._rows).encode())
        self._rows.clear()
        if self._has_failed:
            return
        try:
            self._file.write(content)
        except OSError:
            self._has_failed = True
            raise

    def close(self) -> None:
        """Flush and close; closing again does nothing."""
        if self._file.is_closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()
