"""Real recordings through both readers: every file, every row, the same events."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from feed_helpers import instruments_of, market_folder, needs_arrow

from logos.core.instrument import Instrument
from logos.core.messages import MarketEvent
from logos.data.check import inspect_source
from logos.data.convert import to_parquet
from logos.data.defects import KEEPING_KINDS
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource, discover

_TABLE_ROW = re.compile(
    r"^\| ((?:bars|quotes|trades)/\S+) \| (\d+) \|.*?\|([^|]*)\|$", re.MULTILINE
)


def documented() -> dict[str, tuple[int, int]]:
    """File -> (rows, gaps) as the folder's README says."""
    table: dict[str, tuple[int, int]] = {}
    for name, rows, remarks in _TABLE_ROW.findall((market_folder() / "README.md").read_text()):
        gaps = re.search(r"(\d+) gaps", remarks)
        table[name] = (int(rows), int(gaps.group(1)) if gaps else 0)
    return table


@pytest.fixture(scope="module")
def sources() -> list[DataSource]:
    return discover(market_folder())


@pytest.fixture(scope="module")
def instruments(sources: list[DataSource]) -> dict[str, Instrument]:
    return instruments_of(sources)


def replayed(
    sources: list[DataSource], instruments: dict[str, Instrument], *, fast: bool | None = None
) -> list[MarketEvent]:
    feed = ReplayFeed(sources, instruments, accept=KEEPING_KINDS, fast=fast)
    return [event for chunk in feed.chunks() for event in chunk]


def test_every_file_is_found(sources: list[DataSource]) -> None:
    folder = market_folder()
    found = {str(path.relative_to(folder)) for source in sources for path in source.paths}
    assert found == set(documented())
    assert len(found) == sum(len(source.paths) for source in sources) == 24


@pytest.mark.campaign
@needs_arrow
def test_rows_and_gaps_are_those_the_readme_counts(
    sources: list[DataSource], instruments: dict[str, Instrument]
) -> None:
    expected = documented()
    folder = market_folder()
    for source in sources:
        report = inspect_source(source, instruments[source.symbol])
        for path in source.paths:
            rows, gaps = expected[str(path.relative_to(folder))]
            assert report.rows == rows, source
            # The README does not count a daily file's weekends; ours has 53 of them.
            assert report.counts.get("gap", 0) == (gaps or 53 * (source.symbol == "ORCL")), source
        assert set(report.counts) <= KEEPING_KINDS, source
        assert report == inspect_source(source, instruments[source.symbol], fast=False), source


@pytest.mark.campaign
@needs_arrow
def test_both_readers_give_the_same_events(
    sources: list[DataSource], instruments: dict[str, Instrument]
) -> None:
    for source in sources:
        careful = replayed([source], instruments, fast=False)
        assert careful == replayed([source], instruments, fast=True), source
        assert careful


@pytest.mark.long
def test_all_of_it_merges_in_order_and_as_a_naive_sort_would(
    sources: list[DataSource], instruments: dict[str, Instrument]
) -> None:
    naive = [event for source in sources for event in replayed([source], instruments)]
    naive.sort(key=lambda event: event.ts_ns)
    assert replayed(sources, instruments) == naive
    feed = ReplayFeed(sources, instruments, accept=KEEPING_KINDS)
    assert [event for chunk in feed.chunks(skip=100_000) for event in chunk] == naive[100_000:]


@pytest.mark.long
@needs_arrow
def test_parquet_copies_replay_the_same_events(
    sources: list[DataSource], instruments: dict[str, Instrument], tmp_path: Path
) -> None:
    for number, source in enumerate(sources):
        out = tmp_path / f"{number}.parquet"
        paths = to_parquet(source, instruments[source.symbol], out, accept=KEEPING_KINDS)
        copy = replace(source, path=paths[0], ask_path=paths[1] if paths[1:] else None)
        assert replayed([copy], instruments, fast=True) == replayed(
            [source], instruments, fast=True
        )
