"""Two sources of one symbol and kind may not claim the same time.

A month file and a day file of that month, one table in two formats, the files of two venues under
one symbol: merged into one stream they would be one book in which everything happens twice. Files
that follow one another, also a day that fills a hole of another file, claim nothing twice.

Sources of bars of two lengths are two things; the core tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from logos.core.instrument import Instrument
from logos.data.check import CheckReport
from logos.data.defects import DefectTally
from logos.data.readers.blocks import read_blocks
from logos.data.readers.numbers import format_timestamp
from logos.data.source import DataSource
from logos.errors import DataError


def check_claims(reports: Sequence[CheckReport], instruments: Mapping[str, Instrument]) -> None:
    """Raise DataError naming two sources that claim the same time."""
    groups: dict[tuple[str, str, int], list[CheckReport]] = {}
    for report in reports:
        source = report.source
        if report.first_ns is not None:
            key = source.symbol, source.kind, source.interval_ns or 0
            groups.setdefault(key, []).append(report)
    for (symbol, _, _), group in groups.items():
        for one, other in combinations(group, 2):
            moment_ns = _claimed_twice(one, other, instruments[symbol])
            if moment_ns is not None:
                raise DataError(_message(one, other, moment_ns))


def _claimed_twice(one: CheckReport, other: CheckReport, instrument: Instrument) -> int | None:
    """The first event time that both claim, or None."""
    first, second = sorted((one, other), key=_first_ns)
    interval_ns = one.source.interval_ns or 0
    assert first.last_ns is not None
    if not interval_ns and _span(first) == _span(second):
        return _first_ns(first)
    if _first_ns(second) - first.last_ns >= interval_ns:
        return None
    left, right = (_times(report.source, instrument) for report in (first, second))
    return _same_bar(left, right, interval_ns) if interval_ns else _interleaved(left, right)


def _first_ns(report: CheckReport) -> int:
    assert report.first_ns is not None  # only sources with rows are compared
    return report.first_ns


def _span(report: CheckReport) -> tuple[int | None, int | None]:
    return report.first_ns, report.last_ns


def _times(source: DataSource, instrument: Instrument) -> Iterator[int]:
    # The rows have been judged; here only their times count.
    for block in read_blocks(source, instrument, accept=None, tally=DefectTally()):
        yield from block.ts_ns


def _same_bar(left: Iterator[int], right: Iterator[int], interval_ns: int) -> int | None:
    """The close of the first bar of either that overlaps a bar of the other."""
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        if abs(one - other) < interval_ns:
            return max(one, other)
        if one < other:
            one = next(left, None)
        else:
            other = next(right, None)
    return None


def _interleaved(left: Iterator[int], right: Iterator[int]) -> int | None:
    """When the two take turns, or share a second moment; a source that lies in one hole of the
    other does neither. `left` begins first.
    """
    heads = [next(left, None), next(right, None)]
    taken: list[int | None] = [None, None]
    side = turns = 0
    shared: set[int] = set()
    while True:
        one, other = heads[side], heads[1 - side]
        if one is None or (other is not None and other < one):
            side, turns = 1 - side, turns + 1
            one, other = other, one
        if one is None:
            return None
        if one in (other, taken[1 - side]):
            shared.add(one)
        if turns > 2 or len(shared) > 1:
            return one
        taken[side] = one
        heads[side] = next((left, right)[side], None)
        if heads == [None, None]:
            return None


def _message(one: CheckReport, other: CheckReport, moment_ns: int) -> str:
    lines = [f"two sources of {one.source.symbol} claim the same time:"]
    for report in (one, other):
        assert report.first_ns is not None
        assert report.last_ns is not None
        times = f"{format_timestamp(report.first_ns)} to {format_timestamp(report.last_ns)}"
        lines.append(f"  {report.source}: {report.rows:,} rows, {times}")
    lines.append(
        f"Both have {format_timestamp(moment_ns)}, and would be one book with everything in it"
        " twice. Name only the files to use (--data FILE); if they are two things, give them two"
        " symbols, by their names or in files.toml beside them (docs/DATA.md, Names)"
    )
    return "\n".join(lines)
