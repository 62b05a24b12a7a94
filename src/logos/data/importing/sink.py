"""Where converted rows go: one new file of ours for each symbol, in the order of time.

Rows of a file run forwards or backwards in time, and the first step tells which; a step the other
way is refused with its line, or sorted when that was asked for. A file that runs backwards is
turned round piece by piece, so memory does not grow with it. Files follow each other in time and
may not overlap. Outputs get their names together, when everything was read without fault.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from operator import sub
from pathlib import Path
from typing import IO, Final

from logos.data.convert import check_absent, publish
from logos.data.importing.rows import DUPLICATE, Batch, Left
from logos.data.importing.tables.container import Member
from logos.data.layout import LAYOUTS
from logos.data.readers.numbers import format_timestamp
from logos.errors import DataError
from logos.files import make_folder, open_new

SYMBOLS_MAX: Final = 200
"""Symbols of one import: each has a file open."""


@dataclass(slots=True)
class SymbolRows:
    """What one symbol's output holds so far."""

    symbol: str
    paths: list[Path]
    """Where each output is written until it gets its name."""
    files: list[IO[bytes]]
    halves_rows: list[int]
    first_ns: int = 0
    last_ns: int | None = None
    last_member: Member | None = None
    steps: Counter[int] = field(default_factory=Counter)
    # Of the file at hand:
    direction: int = 0
    at_ns: int | None = None
    start_ns: int = 0
    spools: list[IO[bytes]] = field(default_factory=list)
    segments: list[list[tuple[int, int]]] = field(default_factory=list)
    waiting: list[Batch] = field(default_factory=list)
    """Rows of one time at the start of a file, which do not tell its direction yet."""
    kept: list[tuple[int, str, list[str | None]]] = field(default_factory=list)


class Sink:
    """Takes batches of rows and makes the files of each symbol.

    `kind` and `sides` ("" alone, or bid and ask) say what the files are; `is_strict`: no two rows
    may have one time (bars). A context manager: leaving it with an exception leaves nothing behind.
    """

    def __init__(
        self, out_dir: Path, kind: str, sides: Sequence[str], left: Left, *, sort: bool = False
    ) -> None:
        self.symbols: dict[str, SymbolRows] = {}
        self.sides = list(sides)
        self._header = (",".join(LAYOUTS[kind].columns) + "\n").encode()
        self._is_strict = kind == "bars"
        self._left = left
        self._sort = sort
        self._stack = ExitStack()
        self._member: Member | None = None
        self._folder = out_dir
        self._new_folders = [
            each for each in (out_dir, *out_dir.parents) if not each.exists() and each.name
        ]

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for folder in self._new_folders:
            with suppress(OSError):  # it holds what was imported, or was not made
                folder.rmdir()

    def begin(self, member: Member) -> None:
        """The rows that follow are those of this file."""
        self._member = member
        for rows in self.symbols.values():
            rows.direction, rows.at_ns = 0, None

    def add(self, batch: Batch) -> bool:
        """Take rows of one symbol. Returns False, and takes nothing, when they are out of order
        and the batch does not say their lines; raises DataError when it does."""
        if not batch.moments:
            return True
        rows = self.symbols.get(batch.symbol) or self._opened(batch.symbol)
        if self._sort:
            self._keep(rows, batch)
            return True
        moments = batch.moments
        steps = list(map(sub, moments[1:], moments))
        if rows.at_ns is not None:
            steps.insert(0, moments[0] - rows.at_ns)
        direction = rows.direction or next((1 if step > 0 else -1 for step in steps if step), 0)
        signed = steps if direction >= 0 else [-step for step in steps]
        lowest = 1 if self._is_strict else 0
        if signed and min(signed) < lowest:
            if batch.lines is None:
                return False
            self._refuse(rows, batch, signed, lowest)
        if rows.at_ns is None:
            rows.start_ns = moments[0]
        if direction >= 0:
            self._check_follows(rows, min(moments[0], rows.start_ns))
        rows.direction, rows.at_ns = direction, moments[-1]
        rows.steps.update(signed)
        rows.waiting.append(batch)
        if direction:
            self._flush(rows)
        return True

    def _flush(self, rows: SymbolRows) -> None:
        for batch in rows.waiting:
            self._write(rows, batch)
        rows.waiting.clear()

    def _write(self, rows: SymbolRows, batch: Batch) -> None:
        is_backwards = rows.direction < 0
        if is_backwards and not rows.spools:
            folder = str(self._folder) if self._folder.is_dir() else None
            for _ in rows.files:
                spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
                rows.spools.append(self._stack.enter_context(spool))
            rows.segments = [[] for _ in rows.files]
        for place, texts in enumerate(batch.texts):
            present = [text for text in texts if text is not None]
            rows.halves_rows[place] += len(present)
            if is_backwards:
                present.reverse()
            if not present:
                continue
            data = ("\n".join(present) + "\n").encode()
            if is_backwards:
                rows.segments[place].append((rows.spools[place].tell(), len(data)))
                rows.spools[place].write(data)
            else:
                rows.files[place].write(data)

    def end(self) -> None:
        """The file at hand is read to its end."""
        for rows in self.symbols.values():
            if rows.at_ns is None:
                continue
            self._flush(rows)
            early, late = sorted((rows.start_ns, rows.at_ns))
            if rows.direction < 0:
                self._check_follows(rows, early)
                self._turn_round(rows)
            if rows.last_ns is None:
                rows.first_ns = early
            rows.last_ns, rows.last_member = late, self._member

    def _turn_round(self, rows: SymbolRows) -> None:
        for spool, segments, file in zip(rows.spools, rows.segments, rows.files, strict=True):
            for start, length in reversed(segments):
                spool.seek(start)
                file.write(spool.read(length))
            segments.clear()
            spool.seek(0)
            spool.truncate()

    def _check_follows(self, rows: SymbolRows, early_ns: int) -> None:
        last_ns = rows.last_ns
        if last_ns is None or early_ns > last_ns or (early_ns == last_ns and not self._is_strict):
            return
        raise DataError(
            f"{rows.last_member} and {self._member} overlap: {rows.symbol} is there until"
            f" {format_timestamp(last_ns)} in the first, and from {format_timestamp(early_ns)} in"
            " the second; leave one out, or say --sort, which keeps rows that are the same once"
        )

    def _refuse(self, rows: SymbolRows, batch: Batch, signed: Sequence[int], lowest: int) -> None:
        place = next(at for at, step in enumerate(signed) if step < lowest)
        at = place + (rows.at_ns is None)
        before = batch.moments[at - 1] if at else rows.at_ns
        assert batch.lines is not None
        assert before is not None
        problem = "the same time as" if signed[place] == 0 else "out of order after"
        raise DataError(
            f"{self._member}:{batch.lines[at]}: {format_timestamp(batch.moments[at])} is"
            f" {problem} the row before ({format_timestamp(before)}); say --sort to put rows in"
            " order, which keeps rows that are the same once"
        )

    def _keep(self, rows: SymbolRows, batch: Batch) -> None:
        lines: Sequence[int | str] = batch.lines or [""] * len(batch.moments)
        for at, (moment_ns, line) in enumerate(zip(batch.moments, lines, strict=True)):
            where = f"{self._member}:{line}"
            rows.kept.append((moment_ns, where, [texts[at] for texts in batch.texts]))

    def finish(self) -> None:
        """All files are read: write the rows that were kept to be sorted. Raises DataError."""
        for rows in self.symbols.values():
            if rows.kept:
                self._write_sorted(rows)

    def _write_sorted(self, rows: SymbolRows) -> None:
        """Write the rows that were kept, in order, those that are the same once."""
        rows.kept.sort(key=lambda row: row[0])
        written: list[tuple[int, str, list[str | None]]] = []
        for row in rows.kept:
            if self._is_strict and written and written[-1][0] == row[0]:
                if written[-1][2] != row[2]:
                    raise DataError(
                        f"{row[1]}: a second bar of {format_timestamp(row[0])} with other figures"
                        f" than {written[-1][1]}"
                    )
                self._left.add(DUPLICATE, row[1])
                continue
            written.append(row)
        for place, file in enumerate(rows.files):
            texts = [texts[place] for _, _, texts in written]
            lines = [text for text in texts if text is not None]
            rows.halves_rows[place] = len(lines)
            file.write(("\n".join(lines) + "\n").encode() if lines else b"")
        rows.steps.update(late[0] - early[0] for early, late in pairwise(written))
        rows.first_ns, rows.last_ns = written[0][0], written[-1][0]
        rows.kept = []

    def _opened(self, symbol: str) -> SymbolRows:
        if len(self.symbols) >= SYMBOLS_MAX:
            raise DataError(
                f"{self._member}: more than {SYMBOLS_MAX} symbols; say which with --symbol A,B"
            )
        like = next((name for name in self.symbols if name.lower() == symbol.lower()), "")
        if like:
            raise DataError(
                f"{self._member}: {like} and {symbol} differ in the case of letters alone: one"
                " symbol, or two? Say which rows are wanted with --symbol"
            )
        make_folder(self._folder)
        paths: list[Path] = []
        files: list[IO[bytes]] = []
        for side in self.sides:
            name = f".importing.{os.getpid()}.{len(self.symbols)}{side}.part"
            path = self._folder / name
            self._stack.callback(path.unlink, missing_ok=True)
            file = self._stack.enter_context(open_new(path))
            file.write(self._header)
            paths.append(path)
            files.append(file)
        rows = SymbolRows(symbol, paths, files, [0] * len(files))
        self.symbols[symbol] = rows
        return rows

    def check_names(self, name_of: Callable[[SymbolRows, str], Path]) -> None:
        """Raise DataError when a file that is to be made is there already."""
        for rows in self.symbols.values():
            for side in self.sides:
                check_absent(name_of(rows, side))

    def publish(self, name_of: Callable[[SymbolRows, str], Path]) -> list[Path]:
        """Give every file its name, `name_of(rows, side)`. Raises DataError when one exists."""
        for rows in self.symbols.values():
            for file in rows.files:
                file.close()
        published: list[Path] = []
        for rows in self.symbols.values():
            for made, side in zip(rows.paths, self.sides, strict=True):
                path = name_of(rows, side)
                publish(made, path)
                published.append(path)
        return published
