"""What was found of data that was checked, so that it is checked once.

A record is found by a hash over all that its answer depends on: the SHA-256 of every byte of the
files, what the settings say of the instrument and of the times, the build that checked, and until
when a time may be. So a file that changed, however it did, has no record. A record bears a hash of
itself, and its columns one of theirs; both are verified before anything is traded on them, and
what does not fit is left alone: the data is checked again. Like a session's snapshot it is a
shortcut, and trusted with nothing.

Records are made for sources that are long enough to matter. The oldest are removed where they take
more than `KEPT_BYTES_MAX` together.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from logos.data.beside.freshness import what_is_lost
from logos.data.check import CheckReport, check, judge_report
from logos.data.checked.columns import Columns, ColumnsWriter, Written
from logos.data.checked.question import Question
from logos.data.checked.sealed import read_sealed, write_sealed
from logos.data.defects import BAD_TIMESTAMP, DOUBTFUL_TIME, Defect
from logos.data.layout import extension_of
from logos.data.readers.chunks import (
    FileStamp,
    file_stamp,
    fingerprint,
    refuse_changed,
)
from logos.data.readers.head import first_lines
from logos.data.readers.jumps import Around, Jump
from logos.data.readers.rows import Block
from logos.data.source import DataSource
from logos.files import make_folder

KEPT_ROWS_MIN: Final = 50_000
"""Shorter sources are read in less time than a record takes."""
KEPT_BYTES_MAX: Final = 8 << 30
FREE_BYTES_MIN: Final = 4 << 30
"""Nothing is kept that would leave less of the disk free."""

_LOOK_BYTES: Final = 64 << 20
"""How much is written between two looks at what is free."""
_TIME_KINDS: Final = frozenset({BAD_TIMESTAMP, DOUBTFUL_TIME})
"""What a row is counted as whose time is later than may be."""
_HEAD_BYTES_MIN: Final = 1 << 18
"""Of a file that is smaller the rows are read anyway."""
_LEFT_BEHIND_S: Final = 86_400
_HEADS_S: Final = 60 * 86_400


class _Found(msgspec.Struct, frozen=True):
    """One defect; `place` is that of its file in the source."""

    kind: str
    place: int
    line: int
    detail: str


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a check found, as `CheckReport` has it."""

    key: str
    columns: Written
    latest_ns: int | None
    """See `Question`."""
    rows: int
    first_ns: int
    last_ns: int
    counts: dict[str, int]
    defects: list[_Found]
    has_sizes: bool
    hints: dict[str, str]
    jumps: list[Jump]
    around: dict[int, Around]


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first lines of a file, as cells of text."""

    key: str
    lines: list[list[str]]


class CheckedStore:
    """The records in one folder, made by one build."""

    def __init__(self, folder: Path | None, build: str) -> None:
        """`folder` of None: nothing is kept, every check is made."""
        self.folder = folder
        self._build = build
        self._known: dict[tuple[Path, FileStamp, int], str] = {}
        """The sha256 of files in the state in which this object has read them; when that came
        about (ctime) cannot be set by who wrote them."""

    def check(self, source: DataSource, question: Question) -> tuple[CheckReport, Columns | None]:
        """What `check` reports of `source`, from its record if there is one; and its rows, if they
        are kept. Raises as `check`."""
        stamps = {path: file_stamp(path) for path in source.paths}
        fingerprints = {path: self._fingerprint(path) for path in source.paths}
        folder = self.folder
        if not question.is_lasting(source) or any(map(what_is_lost, source.paths)):
            folder = None
        key = question.key(source, list(fingerprints.values()), self._build)
        found = None if folder is None else _find(folder, key)
        if found is not None and question.is_answered(
            found[0].latest_ns, not _TIME_KINDS.isdisjoint(found[0].counts)
        ):
            record, columns = found
            report = _report(record, source, fingerprints, stamps)
            judge_report(report, question.accept)
            for path, stamp in stamps.items():
                refuse_changed(path, stamp)
            return report, columns
        keeper = _Keeper(folder, key, fingerprints, stamps)
        keeper.latest_ns = question.latest_ns
        try:
            report = check(
                source,
                question.instrument,
                accept=question.accept,
                moved=question.moved,
                now_ns=question.now_ns,
                moments_ns=question.moments_ns,
                keep=keeper,
            )
            return report, keeper.finish(report)
        finally:
            keeper.discard()

    def first_lines(self, path: Path, rows: int) -> list[list[str]]:
        """As `first_lines`; those of a long Parquet file are kept, as its columns are."""
        folder = self.folder
        is_kept = folder is not None and extension_of(path) == ".parquet"
        if folder is None or not is_kept or file_stamp(path).size < _HEAD_BYTES_MIN:
            return first_lines(path, rows)
        asked = f"{self._build} {rows} {self._fingerprint(path)}"
        key = hashlib.sha256(asked.encode()).hexdigest()
        place = folder / f"{key}.head"
        with suppress(OSError):  # there is none, or it cannot be used
            head = read_sealed(place, _Head)
            if head is not None and head.key == key:
                _used(place)
                return head.lines
        lines = first_lines(path, rows)
        with suppress(OSError):  # a shortcut: nothing else is different without it
            make_folder(folder)
            write_sealed(place, _Head(key, lines))
        return lines

    def _fingerprint(self, path: Path) -> str:
        """The file's sha256, worked out once while it stays as it is. Raises DataError."""
        known = (path, file_stamp(path), path.stat().st_ctime_ns)
        if known not in self._known:
            self._known[known] = fingerprint(path)
        return self._known[known]


UNKEPT: Final = CheckedStore(None, "")
"""Checks everything, and keeps nothing."""


def _find(folder: Path, key: str) -> tuple[_Record, Columns] | None:
    """The record of that key and its columns, if every byte of both is as it was written."""
    path = folder / f"{key}.json"
    try:
        record = read_sealed(path, _Record)
        if record is None or record.key != key:
            return None
        columns = Columns(path.with_suffix(".columns"))
        if not columns.is_whole(record.columns):
            columns.close()
            return None
        _used(path)
    except OSError:
        return None  # there is none, or it cannot be used: the data is checked again
    return record, columns


def _used(path: Path) -> None:
    """The oldest that nobody used is removed first. A store that cannot be written to is read."""
    with suppress(OSError):
        os.utime(path)


class _Keeper:
    """Takes the blocks of a check as they come. What cannot be written is given up: then nothing is
    kept, and nothing else is different."""

    def __init__(
        self,
        folder: Path | None,
        key: str,
        fingerprints: Mapping[Path, str],
        stamps: Mapping[Path, FileStamp],
    ) -> None:
        self.fingerprints = fingerprints
        self.stamps = stamps
        self.latest_ns: int | None = None
        self._folder = folder
        self._key = key
        self._waiting: list[Block] = []
        self._rows = 0
        self._looked_bytes = 0
        self._writer: ColumnsWriter | None = None

    def add(self, block: Block) -> None:
        """Keep the block's rows."""
        if self._folder is None:
            return
        self._rows += len(block)
        self._waiting.append(block)
        if self._rows >= KEPT_ROWS_MIN:
            try:
                self._write(self._folder)
            except (OSError, OverflowError):
                self.discard()

    def _write(self, folder: Path) -> None:
        if self._writer is None:
            make_folder(folder)
            descriptor, name = tempfile.mkstemp(".tmp", f".{self._key[:16]}.", folder)
            self._writer = ColumnsWriter(Path(name), descriptor)
        for block in self._waiting:
            self._writer.add(block)
        self._waiting.clear()
        written = self._writer.size_bytes
        if written >= self._looked_bytes:
            self._looked_bytes = written + _LOOK_BYTES
            free = shutil.disk_usage(folder).free
            if free < FREE_BYTES_MIN + _LOOK_BYTES or written > KEPT_BYTES_MAX:
                self.discard()

    def finish(self, report: CheckReport) -> Columns | None:
        """Put record and columns in their places; the columns to read."""
        if self._writer is None or self._folder is None:
            return None
        try:
            written = self._writer.finish()
            _make_room(self._folder, written.size_bytes)
            path = self._folder / f"{self._key}.columns"
            columns = Columns(self._writer.path)  # another session may put its own in that place
            os.replace(columns.path, path)
            columns.path = path
            self._writer = None
            write_sealed(
                path.with_suffix(".json"), _record(self._key, written, self.latest_ns, report)
            )
        except (OSError, OverflowError):
            return None
        return columns

    def discard(self) -> None:
        """Keep nothing that has no record."""
        self._folder = None
        self._waiting.clear()
        if self._writer is not None:
            self._writer.discard()
            self._writer = None


def _make_room(folder: Path, size_bytes: int) -> None:
    """Remove the records that were used longest ago, and what killed processes left behind.

    What another session removes meanwhile, and what cannot be removed, is passed over.
    """
    now_s = time.time()
    for pattern, kept_s in ((".*.tmp", _LEFT_BEHIND_S), ("*.head", _HEADS_S)):
        for left in folder.glob(pattern):
            with suppress(OSError):
                if now_s - left.lstat().st_mtime > kept_s:
                    left.unlink()
    kept = []
    for columns in folder.glob("*.columns"):
        record = columns.with_suffix(".json")
        with suppress(OSError):
            used_ns = record.lstat().st_mtime_ns if record.exists() else 0
            kept.append((used_ns, columns.lstat().st_size, columns, record))
    total = size_bytes + sum(size for _, size, _, _ in kept)
    for _, size, columns, record in sorted(kept):
        if total <= KEPT_BYTES_MAX:
            break
        with suppress(OSError):
            record.unlink(missing_ok=True)
            columns.unlink(missing_ok=True)
            total -= size


def _record(key: str, written: Written, latest_ns: int | None, report: CheckReport) -> _Record:
    assert report.first_ns is not None
    assert report.last_ns is not None
    places = {path: place for place, path in enumerate(report.source.paths)}
    return _Record(
        key,
        written,
        latest_ns,
        report.rows,
        report.first_ns,
        report.last_ns,
        dict(report.counts),
        [_Found(each.kind, places[each.path], each.line, each.detail) for each in report.defects],
        report.has_sizes,
        dict(report.hints),
        list(report.jumps),
        dict(report.around),
    )


def _report(
    record: _Record,
    source: DataSource,
    fingerprints: Mapping[Path, str],
    stamps: Mapping[Path, FileStamp],
) -> CheckReport:
    return CheckReport(
        source=source,
        rows=record.rows,
        first_ns=record.first_ns,
        last_ns=record.last_ns,
        counts=record.counts,
        defects=tuple(
            Defect(each.kind, source.paths[each.place], each.line, each.detail)
            for each in record.defects
        ),
        fingerprints=fingerprints,
        stamps=stamps,
        has_sizes=record.has_sizes,
        hints=record.hints,
        jumps=tuple(record.jumps),
        around=record.around,
    )
