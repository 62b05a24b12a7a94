"""The tables of a session made again from its journal, and compared with those in its folder.

The CSVs are projections: they hold nothing that the journal does not. So they are projected once
more, into a folder elsewhere, and must come out the same to the byte.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from operator import length_hint
from pathlib import Path
from typing import Any, Final, cast

from logos.audit.files.figures import Figures
from logos.audit.findings import Finding
from logos.audit.orders import OrderJudge
from logos.audit.rules import SessionRules
from logos.config import Config, ConfigError, make_config
from logos.config.terms.payments import has_payments
from logos.core.records import Record
from logos.journal.codec import GENESIS
from logos.journal.entries import Manifest, Sealed, SessionRecord, Stopping, read_stretches
from logos.journal.jsonlog import LINES_MAX_AT_SPEED, JsonLog
from logos.journal.reader import Damaged, TornTail
from logos.session.artifacts.decisions import NO_SIGNAL, TICK_ACTIONS, DecisionLog
from logos.session.artifacts.folder import is_finished
from logos.session.artifacts.notes import NOTE_TABLES
from logos.session.artifacts.payments import PAYMENT_COLUMNS, PAYMENTS
from logos.session.artifacts.tables import (
    ACCOUNT_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    TRADE_COLUMNS,
    ArtifactWriter,
    tables_of,
)
from logos.session.build import build_account, build_states, make_instruments

_SHOWN_BYTES: Final = 200
_BLOCK_BYTES: Final = 1 << 20

_IS_NO_SIGNAL: Final = f'"action":"{NO_SIGNAL}"'.encode()

_NOT_FOLLOWING: Final = (LookupError, ValueError, OverflowError)
"""What comes of a record that follows from nothing before it."""

See = Callable[[int, SessionRecord], None]
"""Takes in a record with its number."""

LOG: Final = "decisions.jsonl"
"""What the decision log made anew is called."""

_HEADS: Final = {
    **dict(
        zip(
            tables_of(has_payments=True),
            (ORDER_COLUMNS, TRADE_COLUMNS, POSITION_COLUMNS, ACCOUNT_COLUMNS, PAYMENT_COLUMNS),
            strict=True,
        )
    ),
    **NOTE_TABLES,
}


class Projector:
    """Reads a journal once, verifies it, and projects its tables into `folder`.

    `beside` makes of the session's settings what else is to take in every record.
    `read` raises Damaged, ConfigError for a manifest of another schema, and OSError.
    """

    def __init__(
        self, path: Path, folder: Path, beside: Callable[[Config], See | None] = lambda _: None
    ) -> None:
        self._path = path
        self._folder = folder
        self._beside = beside
        self.figures = Figures()
        self._see_beside: See = _see_nothing
        self._writer: ArtifactWriter | None = None
        self._log: JsonLog | None = None
        self._decisions: DecisionLog | None = None
        self.manifest: Manifest | None = None
        self.judge: OrderJudge | None = None
        """Has judged every order of the records that were read."""
        self.sealed: Sealed | None = None
        self.is_torn = False
        self.records = 0
        self.digest = GENESIS
        self.whole_bytes = 0
        self.first_ns = 0
        self.last_ns = 0
        """Times of the first record and of the latest; 0 without one."""
        self.findings: list[Finding] = []

    def read(self) -> None:
        """Read and project all whole lines."""
        try:
            figures, judge = self.figures, self.judge
            for first, _, end, digest, bodies, records in read_stretches(self._path):
                self._take(records, first, bodies)
                judge = judge or self.judge
                see_beside = self._see_beside
                for sequence, record in enumerate(records, first):
                    figures.see(record)
                    if judge is not None:
                        judge.see(sequence, record)
                    see_beside(sequence, record)
                self.records, self.digest = first + len(records) - 1, digest
                self.whole_bytes = end
        except TornTail:
            self.is_torn = True
        finally:
            self._close()

    @property
    def finished(self) -> Sealed | None:
        """The seal, if it is the end of the file and the session's last files were made."""
        return self.sealed if is_finished(self._path.parent) and not self.is_torn else None

    def _take(
        self, records: Sequence[SessionRecord], sequence: int, bodies: Sequence[bytes]
    ) -> None:
        """Take in the records from that number on: notes of the session come alone."""
        record = records[0]
        if isinstance(record, Manifest):
            self._begin(record, sequence)
        elif isinstance(record, Stopping):
            pass  # a note: no table holds it
        elif isinstance(record, Sealed):
            self.sealed = record
        else:
            self.first_ns = self.first_ns or record.ts_ns
            of_core = cast("Sequence[Record]", records)
            self.last_ns = max(self.last_ns, *[each.ts_ns for each in of_core])
            self._project(of_core, sequence, bodies)

    def _begin(self, manifest: Manifest, sequence: int) -> None:
        try:
            config = config_of(manifest)
            self._writer = ArtifactWriter(
                self._folder,
                _notional_units(manifest),
                has_payments=has_payments(config),
                inverse=[
                    symbol
                    for symbol, each in config.instruments.items()
                    if each.settlement == "inverse"
                ],
            )
        except ConfigError as error:
            raise Damaged(self._path, sequence, 0, str(error)) from None
        self.manifest = manifest
        rules = SessionRules.of(config)
        self._log = JsonLog(self._folder / LOG, manifest.session_id, LINES_MAX_AT_SPEED)
        self._decisions = DecisionLog(self._log)
        self.judge = OrderJudge(manifest.session_id, rules, has_ledger=bool(manifest.build))
        self._see_beside = self._beside(config) or _see_nothing

    def _project(self, records: Sequence[Record], sequence: int, bodies: Sequence[bytes]) -> None:
        """Write log and tables of these records; what one of them cannot follow from is told, and
        what comes behind it is projected all the same."""
        writer, decisions = self._writer, self._decisions
        assert writer is not None  # the manifest comes first: the reader sees to it
        assert decisions is not None
        before = decisions.save()
        try:
            decisions.write(records, bodies)
        except _NOT_FOLLOWING as error:
            if len(records) == 1:
                self._tell(sequence, error)
                return
            decisions.load(before)  # of these nothing was logged: one by one
            for number, (record, body) in enumerate(zip(records, bodies, strict=True), sequence):
                self._project((record,), number, (body,))
            return
        rest = iter(records)
        while length_hint(rest):
            try:
                writer.write(rest)
            except _NOT_FOLLOWING as error:
                self._tell(sequence + len(records) - length_hint(rest) - 1, error)

    def _tell(self, sequence: int, error: Exception) -> None:
        what = f"a record that follows from nothing before it ({error!r})"
        self.findings.append(Finding("state.jsonl", f"record {sequence}", what))

    def _close(self) -> None:
        if self._writer is None:
            return
        if self.judge is not None:
            self.judge.close()
        if self.sealed is not None:  # what is still open then stands in the table as it is
            self._writer.write_open_orders()
        self._writer.close()
        if self._log is not None:
            self._log.close()


def _see_nothing(_sequence: int, _record: SessionRecord) -> None:
    """Nothing is to be read beside."""


def config_of(manifest: Manifest) -> Config:
    """The settings the session ran with. Raises ConfigError when they are not settings."""
    return make_config(manifest.config, "the journal's manifest")


def _notional_units(manifest: Manifest) -> dict[str, int]:
    config = config_of(manifest)
    instruments = make_instruments(config.instruments)
    books = build_states(config, instruments, build_account(config, instruments))
    return {symbol: book.unit_value for symbol, book in books.items()}


def compare_tables(folder: Path, made: Path, *, is_whole: bool) -> list[Finding]:
    """The first difference of each table in `folder` from the one in `made`.

    The tables of a session that is not finished may be behind or ahead of its journal, as both are
    written in groups; `logos resume` makes them anew. As far as both go they must agree.
    """
    names = tables_of((made / PAYMENTS).is_file() or (folder / PAYMENTS).is_file())
    found = [compare_file(folder / name, made / name, is_whole=is_whole) for name in names]
    for name in NOTE_TABLES:
        if (made / name).exists():
            found.append(compare_file(folder / name, made / name, is_whole=is_whole))
        elif (folder / name).exists() and is_whole:
            found.append(Finding(name, "", "is there, and the journal has no row of it"))
    return [finding for finding in found if finding is not None]


def compare_file(there: Path, made: Path, *, is_whole: bool) -> Finding | None:
    """The first difference of the file `there` from the one `made` anew; see `compare_tables`."""
    if not there.is_file():
        return Finding(there.name, "", "is missing") if is_whole else None
    with open(there, "rb") as old, open(made, "rb") as new:
        while (block := old.read(_BLOCK_BYTES)) == new.read(_BLOCK_BYTES):
            if not block:
                return None
        old.seek(0)
        new.seek(0)
        return _compare(there.name, old, new, is_whole=is_whole)


def compare_log(there: Path, made: Path, *, is_whole: bool, ticks: object) -> Iterator[Finding]:
    """The same of a decision log with a line for each tick, of which there were `ticks` (unless
    that is no number).

    No journal has the ticks on which nothing was decided. What is judged of their lines is that
    each tick is there once, as one that was decided on or as one that was not, in order.
    """
    if not there.is_file():
        if is_whole:
            yield Finding(there.name, "", "is missing")
        return
    judge = _Ticks(there.name)
    with open(there, "rb") as old, open(made, "rb") as new:
        decided = (line for line in old if judge.sees_decision(line))
        difference = _compare(there.name, decided, new, is_whole=is_whole)
    if difference is not None:
        yield Finding(difference.file, f"line {judge.number}", difference.message)
    elif judge.found is None and is_whole and isinstance(ticks, int):
        judge.end(ticks)
    if difference is None and judge.found is not None:
        yield judge.found


def is_of_old_build(log: Path) -> bool:
    """Whether the log was written before its lines had the kill switch as an object: that build
    alone can make them anew."""
    try:
        with open(log, "rb") as file:
            first = file.readline()
    except OSError:
        return False
    return b'"circuit_breaker_state":"' in first and b'"session_id"' not in first


def _compare(
    name: str, old: Iterator[bytes], new: Iterator[bytes], *, is_whole: bool
) -> Finding | None:
    number = 0
    while True:
        number += 1
        is_line, must_line = next(old, b""), next(new, b"")
        if is_line == must_line:
            if not is_line:
                return None
            continue
        is_beyond = not is_line.endswith(b"\n") and must_line.startswith(is_line)
        if not is_whole and (not must_line or is_beyond):
            return None
        return _difference(name, number, is_line, must_line)


def _difference(name: str, number: int, is_line: bytes, must_line: bytes) -> Finding:
    """Where and how two lines differ: by column if both are rows of as many cells."""
    if not is_line:
        message = f"the file ends; the journal has here: {_shown(must_line)}"
        return Finding(name, f"line {number}", message)
    if not must_line:
        message = f"more than the journal has: {_shown(is_line)}"
        return Finding(name, f"line {number}", message)
    is_cells, must_cells = _cells(is_line), _cells(must_line)
    head = _HEADS.get(name, ())
    if len(is_cells) == len(must_cells) == len(head) and number > 1:
        for column, is_cell, must_cell in zip(head, is_cells, must_cells, strict=True):
            if is_cell != must_cell:
                message = f"is {is_cell!r}, and the journal says {must_cell!r}"
                return Finding(name, f"line {number}, column {column}", message)
    byte = next(
        (place for place, (a, b) in enumerate(zip(is_line, must_line, strict=False)) if a != b),
        min(len(is_line), len(must_line)),
    )
    message = f"is {_shown(is_line)}, and the journal says {_shown(must_line)}"
    return Finding(name, f"line {number}, character {byte + 1}", message)


def _cells(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _shown(line: bytes) -> str:
    return repr(line[:_SHOWN_BYTES].decode("utf-8", "replace").rstrip("\n"))


class _Ticks:
    """Sees to it that each tick is there once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.number = 0
        """Lines seen so far."""
        self.found: Finding | None = None
        self._last = 0
        """The last tick that has its line."""
        self._is_passed = False
        """Whether its line says that nothing was decided on it."""

    def sees_decision(self, line: bytes) -> bool:
        """Judge the next line; whether the journal can make it."""
        self.number += 1
        if self.found is None and line.endswith(b"\n"):  # a torn end the comparison judges
            self._see(line)
        return _IS_NO_SIGNAL not in line

    def _see(self, line: bytes) -> None:
        try:
            row: Any = json.loads(line)
            tick_id, action = row["tick_id"], row["action"]
        except (ValueError, LookupError, TypeError) as error:
            self._tell(f"is no line of a decision log: {error}")
            return
        if action != NO_SIGNAL:
            if action in TICK_ACTIONS and tick_id > 0:
                self._decided(tick_id)
            return
        if tick_id != self._last + 1:
            self._tell(f"tick {self._last + 1} has no line before that of tick {tick_id}")
        elif row.get("reason") or "order" in row:
            self._tell(f"tick {tick_id} is {NO_SIGNAL}, and says more than that")
        self._last, self._is_passed = tick_id, True

    def _decided(self, tick_id: int) -> None:
        # Several decisions of one tick are several lines.
        if tick_id == self._last:
            if self._is_passed:
                self._tell(f"tick {tick_id} is {NO_SIGNAL}, and something was decided on it")
            return
        if tick_id != self._last + 1:
            self._tell(f"tick {self._last + 1} has no line before that of tick {tick_id}")
        self._last, self._is_passed = tick_id, False

    def end(self, ticks: int) -> None:
        """There were so many."""
        if self.found is None and self._last != ticks:
            self.number += 1
            self._tell(f"the last tick with a line is {self._last}, and there were {ticks}")

    def _tell(self, message: str) -> None:
        self.found = Finding(self._name, f"line {self.number}", message)
