"""Is this market data fit to be used? All of it is read, and every defect is counted.

The check runs the very reader a session runs, with everything tolerated, so what it calls
dropped is what a session would drop. The report carries the sha256 of each file: a session
records it, and a resumed session refuses data that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from logos.core.instrument import Instrument
from logos.core.types import SIZE_UNKNOWN
from logos.data.beside.freshness import what_is_lost
from logos.data.defects import EMPTY_FILE, KEEPING_KINDS, TRUNCATED_ROW, Defect, DefectTally
from logos.data.layout import file_layout
from logos.data.readers.blocks import read_blocks
from logos.data.readers.chunks import FileStamp, file_stamp, fingerprint, refuse_changed
from logos.data.readers.jumps import Around, Jump, JumpWatch
from logos.data.readers.rows import Block
from logos.data.source import DataSource
from logos.data.times.epochs import last_plausible_ns
from logos.errors import DataError


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a source holds.

    `rows` are the usable rows (joined rows of a pair); `first_ns` and `last_ns` their event
    times, None when there are none. `counts` are all defects by kind, `defects` the first few
    of each. `fingerprints` maps each file to the sha256 of its bytes. `has_sizes`: any row reports
    a size or a volume. `hints` say by kind of defect what is better than to leave rows out.
    """

    source: DataSource
    rows: int
    first_ns: int | None
    last_ns: int | None
    counts: Mapping[str, int]
    defects: tuple[Defect, ...]
    fingerprints: Mapping[Path, str]
    stamps: Mapping[Path, FileStamp] = field(default_factory=dict)
    """The state that each file was read in."""
    has_sizes: bool = True
    hints: Mapping[str, str] = field(default_factory=dict)
    jumps: tuple[Jump, ...] = ()
    """Where prices jump as they do at a split, the first of them."""
    around: Mapping[int, Around] = field(default_factory=dict)
    """By the moments that were asked for, nanoseconds UTC: the prices before and behind."""

    @property
    def dropped(self) -> int:
        """Rows that are left out of use."""
        return sum(count for kind, count in self.counts.items() if kind not in KEEPING_KINDS)

    @property
    def is_clean(self) -> bool:
        """Whether there is no defect at all."""
        return not self.counts


class Keeper(Protocol):
    """Who keeps what is checked, and knows the files already: their state before they were hashed,
    and the sha256 of each."""

    stamps: Mapping[Path, FileStamp]
    fingerprints: Mapping[Path, str]

    def add(self, block: Block, /) -> None:
        """Take the next rows."""


def inspect_source(
    source: DataSource,
    instrument: Instrument,
    *,
    fast: bool | None = None,
    now_ns: int | None = None,
) -> CheckReport:
    """Read everything and report, whatever the defects. `fast` forces one of the two readers;
    with `now_ns`, numbers that are times after next year are defects.

    Raises DataError only for a file that cannot be read at all.
    """
    return _inspect(source, instrument, DefectTally(), fast, now_ns=now_ns)


def check(
    source: DataSource,
    instrument: Instrument,
    *,
    accept: frozenset[str] = frozenset(),
    fast: bool | None = None,
    moved: Callable[[], object] = lambda: None,
    now_ns: int | None = None,
    moments_ns: Sequence[int] = (),
    keep: Keeper | None = None,
) -> CheckReport:
    """Read everything, and report when there are only defects of the kinds in `accept`.

    `moved` is called after every block that was read; `now_ns` as in `inspect_source`; the prices
    around `moments_ns` are kept; `keep` is given every block. Raises DataError that lists every
    other kind with its count, the first places, and how to accept or repair it.
    """
    tally = DefectTally()
    report = _inspect(source, instrument, tally, fast, moved, now_ns, moments_ns, keep)
    judge_report(report, accept)
    return report


def judge_report(report: CheckReport, accept: frozenset[str]) -> None:
    """Raise DataError for defects of other kinds than those in `accept`, or for too many."""
    tally = DefectTally()
    tally.counts.update(report.counts)
    tally.examples += report.defects
    tally.hints.update(report.hints)
    tally.refuse_unaccepted(accept, report.source.path)
    refuse_most(report)


def refuse_most(report: CheckReport) -> None:
    """Raise DataError when most rows of the source would be left out: no one accepts that
    knowingly, and what is left says nothing of the market."""
    dropped = report.dropped - report.counts.get(EMPTY_FILE, 0)
    if dropped > report.rows * len(report.source.paths):
        kinds = [kind for kind in report.counts if kind not in (*KEEPING_KINDS, EMPTY_FILE)]
        counted = ", ".join(f"{kind} {report.counts[kind]:,}" for kind in kinds)
        lines = [
            f"{report.source.path}: {dropped:,} rows would be left out ({counted}) and"
            f" {report.rows:,} remain: that is not this data any more, and cannot be accepted."
            " Correct what they have in common",
            *(report.hints[kind] for kind in kinds if kind in report.hints),
        ]
        raise DataError("\n".join(lines))


def _inspect(
    source: DataSource,
    instrument: Instrument,
    tally: DefectTally,
    fast: bool | None,
    moved: Callable[[], object] = lambda: None,
    now_ns: int | None = None,
    moments_ns: Sequence[int] = (),
    keep: Keeper | None = None,
) -> CheckReport:
    latest_ns = None if now_ns is None else last_plausible_ns(now_ns)
    rows = 0
    jumps = JumpWatch(source.kind, source.interval_ns or 0, instrument, moments_ns)
    first_ns: int | None = None
    last_ns: int | None = None
    stamps = keep.stamps if keep else {path: file_stamp(path) for path in source.paths}
    has_sizes = False
    for block in read_blocks(
        source, instrument, accept=None, tally=tally, fast=fast, latest_ns=latest_ns
    ):
        rows += len(block)
        jumps.see(block)
        first_ns = block.ts_ns[0] if first_ns is None else first_ns
        last_ns = block.ts_ns[-1]
        has_sizes = has_sizes or _any_size(source, block)
        if keep is not None:
            keep.add(block)
        moved()
    for path in source.paths:
        lost = what_is_lost(path)
        if lost and TRUNCATED_ROW not in tally.counts:
            tally.add(Defect(TRUNCATED_ROW, path, rows + 2, lost))
    fingerprints = keep.fingerprints if keep else {path: fingerprint(path) for path in source.paths}
    for path, stamp in stamps.items():
        refuse_changed(path, stamp)
    return CheckReport(
        source=source,
        rows=rows,
        first_ns=first_ns,
        last_ns=last_ns,
        counts=dict(tally.counts),
        defects=tuple(tally.examples),
        fingerprints=fingerprints,
        stamps=stamps,
        has_sizes=has_sizes or not rows,
        hints=dict(tally.hints),
        jumps=tuple(jumps.jumps),
        around=jumps.around,
    )


def _any_size(source: DataSource, block: Block) -> bool:
    layout = file_layout(source.kind)
    prices = len(block.columns) - len(layout.sizes) - len(layout.sides)
    sizes = block.columns[prices : prices + len(layout.sizes)]
    return any(
        column[0] != SIZE_UNKNOWN or column.count(SIZE_UNKNOWN) < len(column) for column in sizes
    )
