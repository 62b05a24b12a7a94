"""Is this market data fit to be used? All of it is read, and every defect is counted.

The check runs the very reader a session runs, with everything tolerated, so what it calls
dropped is what a session would drop. The report carries the sha256 of each file: a session
records it, and a resumed session refuses data that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from logos.core.instrument import Instrument
from logos.data.defects import KEEPING_KINDS, Defect, DefectTally
from logos.data.readers.blocks import read_blocks
from logos.data.readers.chunks import FileStamp, file_stamp, fingerprint, refuse_changed
from logos.data.source import DataSource


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a source holds.

    `rows` are the usable rows (joined rows of a pair); `first_ns` and `last_ns` their event
    times, None when there are none. `counts` are all defects by kind, `defects` the first few
    of each. `fingerprints` maps each file to the sha256 of its bytes.
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

    @property
    def dropped(self) -> int:
        """Rows that are left out of use."""
        return sum(count for kind, count in self.counts.items() if kind not in KEEPING_KINDS)

    @property
    def is_clean(self) -> bool:
        """Whether there is no defect at all."""
        return not self.counts


def inspect_source(
    source: DataSource, instrument: Instrument, *, fast: bool | None = None
) -> CheckReport:
    """Read everything and report, whatever the defects. `fast` forces one of the two readers.

    Raises DataError only for a file that cannot be read at all.
    """
    return _inspect(source, instrument, DefectTally(), fast)


def check(
    source: DataSource,
    instrument: Instrument,
    *,
    accept: frozenset[str] = frozenset(),
    fast: bool | None = None,
    moved: Callable[[], object] = lambda: None,
) -> CheckReport:
    """Read everything, and report when there are only defects of the kinds in `accept`.

    `moved` is called after every block that was read. Raises DataError that lists every other kind
    with its count, the first places, and how to accept or repair it.
    """
    tally = DefectTally()
    report = _inspect(source, instrument, tally, fast, moved)
    tally.refuse_unaccepted(accept, source.path)
    return report


def _inspect(
    source: DataSource,
    instrument: Instrument,
    tally: DefectTally,
    fast: bool | None,
    moved: Callable[[], object] = lambda: None,
) -> CheckReport:
    rows = 0
    first_ns: int | None = None
    last_ns: int | None = None
    stamps = {path: file_stamp(path) for path in source.paths}
    for block in read_blocks(source, instrument, accept=None, tally=tally, fast=fast):
        rows += len(block)
        first_ns = block.ts_ns[0] if first_ns is None else first_ns
        last_ns = block.ts_ns[-1]
        moved()
    fingerprints = {path: fingerprint(path) for path in source.paths}
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
    )
