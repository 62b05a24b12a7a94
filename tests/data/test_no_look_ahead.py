"""No bar is seen before the last trade that it is made of: every vendor's form, every interval."""

from __future__ import annotations

import csv
import random
from datetime import datetime
from pathlib import Path

import foreign_charts
import foreign_stocks
import pytest
from feed_helpers import instruments_of
from foreign_bars import Form, MadeBar, made_bars
from layout_example import options_of
from places import MARKET_DATA, NO_MARKET_DATA

from logos.core.instrument import instrument
from logos.core.messages import Bar
from logos.data.check import inspect_source
from logos.data.defects import KEEPING_KINDS, SAID_KINDS
from logos.data.importing.formats import LAYOUTS
from logos.data.importing.options import ImportOptions
from logos.data.importing.run import import_files
from logos.data.layout import BARS
from logos.data.names import parse_name
from logos.data.readers.numbers import parse_timestamp
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.data.times.lengths import BarLength, length_from_text
from logos.errors import DataError

FORMS = (*foreign_charts.FORMS, *foreign_stocks.FORMS)
KINDS = [(form, interval) for form in FORMS for interval in form.intervals]


def nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000


def seen(folder: Path, form: Form, bars: list[MadeBar], interval: str) -> dict[int, int] | None:
    """When each bar (by its close in cents) is seen, in ns; None when the file was refused because
    its clocks show an hour twice."""
    name, data = form.file(bars, interval)
    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    shown: list[str] = []
    try:
        report = import_files(
            [path], folder / "out", options_of(form.options_of(interval)), show=shown.extend
        )
    except DataError as error:
        if "comes twice" not in str(error):
            raise
        return None
    assert form.layout == "table" or f"({form.layout})" in shown[0]
    (source,) = discover(report.paths)
    traded = instrument(source.symbol, tick="0.01", lot="1", quote="USD")
    checked = inspect_source(source, traded)
    assert checked.counts.keys() <= KEEPING_KINDS | SAID_KINDS, checked.defects[:3]
    feed = ReplayFeed([source], {source.symbol: traded}, accept=KEEPING_KINDS)
    events = [event for chunk in feed.chunks() for event in chunk]
    return {round(event.close * 100): event.ts_ns for event in events if isinstance(event, Bar)}


@pytest.mark.parametrize(
    "seeds", [range(1), pytest.param(range(1, 4), marks=pytest.mark.long)], ids=["one", "more"]
)
@pytest.mark.parametrize(
    ("form", "interval"), KINDS, ids=[f"{form.layout}-{interval}" for form, interval in KINDS]
)
def test_no_bar_is_seen_before_its_last_trade(
    tmp_path: Path, form: Form, interval: str, seeds: range
) -> None:
    for seed in seeds:
        chance = random.Random(f"{form.layout} {interval} {seed}")
        bars = made_bars(chance, form, interval)
        moments = seen(tmp_path / str(seed), form, bars, interval)
        if moments is None:
            continue
        for bar in bars:
            moment_ns = moments.get(bar.cents)
            assert moment_ns is None or moment_ns >= nanoseconds(bar.last), bar
        # Only the last row may be taken for a live one; and late is at most a bar's length.
        gone = [bar for bar in bars if bar.cents not in moments]
        assert gone in ([], bars[-1:])
        for bar in bars[: len(bars) - len(gone)]:
            late_ns = moments[bar.cents] - nanoseconds(bar.closed)
            assert late_ns <= nanoseconds(bar.closed) - nanoseconds(bar.opened) + 3_600 * 10**9, bar


def test_every_record_of_bars_is_asked() -> None:
    records = {each.name for each in LAYOUTS if each.kind == BARS and not each.refused}
    assert records <= {form.layout for form in FORMS}


def recordings() -> list[Path]:
    return sorted(MARKET_DATA.glob("*/*.csv"))


@pytest.mark.long
@pytest.mark.skipif(not MARKET_DATA.is_dir(), reason=NO_MARKET_DATA)
@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_nothing_of_a_real_recording_is_seen_before_it_was(tmp_path: Path, path: Path) -> None:
    """As imported: a bar not before its close, a quote or a trade at the very time it has."""
    named = parse_name(path)
    options = ImportOptions(symbols=(named.symbol,))
    report = import_files([path], tmp_path / "out", options)
    (source,) = discover(report.paths)
    length = length_from_text(named.interval) if named.interval else BarLength(0)
    assert source.interval_ns == (length.ns or None)
    feed = ReplayFeed([source], instruments_of([source]), accept=KEEPING_KINDS)
    events = [event for chunk in feed.chunks() for event in chunk]
    with path.open() as file:
        stamps = [parse_timestamp(row["timestamp"]) for row in csv.DictReader(file)]
    assert [event.ts_ns for event in events] == [length.close_of(stamp) for stamp in stamps]
