"""Every known layout, told by itself from a file as its vendor writes it, to the right numbers."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import layout_crypto
import layout_fx
import layout_lean
import layout_sites
import layout_stocks
import layout_us_feeds
import pytest
from layout_example import Example, Refused, options_of

from logos.data.importing.detect import find_layout
from logos.data.importing.formats import LAYOUTS
from logos.data.importing.run import import_files, open_table
from logos.data.importing.tables.container import members_of
from logos.data.source import discover
from logos.errors import DataError

ROOMS = (layout_crypto, layout_fx, layout_stocks, layout_us_feeds, layout_lean, layout_sites)
EXAMPLES = [example for room in ROOMS for example in room.EXAMPLES]
REFUSED = [refused for room in ROOMS for refused in room.REFUSED]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_a_vendors_file_is_told_by_itself_and_read_to_the_right_numbers(
    tmp_path: Path, example: Example
) -> None:
    shown: list[str] = []
    path = example.write(tmp_path / "in")
    report = import_files([path], tmp_path / "out", options_of(example.options), show=shown.extend)
    rows = [[line for line in out.read_text().splitlines()[1:] if line] for out in report.paths]
    assert rows == example.expected
    (source,) = discover(report.paths)
    assert (source.symbol, source.kind) == (example.symbol, example.kind)
    said = "\n".join([*shown, *report.left])
    assert f"({example.layout})" in said
    if example.interval:
        assert f"interval   {example.interval}, " in said
    for words in example.says:
        assert words in said


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_a_renamed_file_is_read_to_the_same_numbers_or_refused(
    tmp_path: Path, example: Example
) -> None:
    """What a name would have said (a clock, the last day of a week) can at worst be asked for, or
    show a bar late: never other figures, and never a bar early."""
    name = "export" + "".join(Path(example.name).suffixes[-2:]).replace(".us", "")
    renamed = replace(example, name=name, member=example.member and "export.csv")
    path = renamed.write(tmp_path / "in")
    given = options_of(example.options)
    options = replace(given, symbols=given.symbols or (example.symbol,))
    try:
        report = import_files([path], tmp_path / "out", options)
    except DataError:
        assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
        return
    for out, expected in zip(report.paths, example.expected, strict=True):
        rows = out.read_text().splitlines()[1:]
        assert [row.split(",")[1:] for row in rows] == [row.split(",")[1:] for row in expected]
        assert all(
            row.split(",")[0] >= right.split(",")[0]
            for row, right in zip(rows, expected, strict=True)
        )


def test_bids_and_asks_that_are_given_together_make_a_pair(tmp_path: Path) -> None:
    rows = "08.03.2024 09:30:00.000,{0},{0},{0},{0},5\n08.03.2024 09:31:00.000,{0},{0},{0},{0},5\n"
    paths = []
    for side, price in (("ASK", "1.10"), ("BID", "1.09")):
        path = tmp_path / f"EURUSD_Candlestick_1_m_{side}.csv"
        path.write_text("Gmt time,Open,High,Low,Close,Volume\n" + rows.format(price))
        paths.append(path)
    shown: list[str] = []
    options = options_of(())
    report = import_files(paths, tmp_path / "out", options, show=shown.extend)
    (source,) = discover(report.paths)
    assert source.kind == "quote_bars"
    bid, ask = (path.read_text().splitlines()[1] for path in source.paths)
    assert bid.startswith("2024-03-08T09:30:00Z,1.09,")
    assert ask.startswith("2024-03-08T09:30:00Z,1.10,")
    assert "  kind       quote bars" in shown
    alone = import_files(paths[:1], tmp_path / "alone", options)
    assert [source.kind for source in discover(alone.paths)] == ["bars"]


@pytest.mark.parametrize("name", ["ETH_USDT_USDT-1h-futures.feather", "BTC_USDT-1h.parquet"])
def test_what_freqtrade_keeps_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    arrow = pytest.importorskip("pyarrow", reason="Feather needs pyarrow")
    moments = arrow.array([1704067200000, 1704070800000], arrow.timestamp("ms", tz="UTC"))
    figures = {
        "open": [2281.87, 2295.5],
        "high": [2297.2, 2301.0],
        "low": [2280.5, 2290.0],
        "close": [2295.5, 2300.1],
        "volume": [35921.3, 1000.0],
    }
    table = arrow.table({"date": moments, **figures})
    path = tmp_path / name
    if name.endswith(".parquet"):
        from pyarrow import parquet

        parquet.write_table(table, path)
    else:
        from pyarrow import feather

        feather.write_feather(table, path)
    shown: list[str] = []
    report = import_files([path], tmp_path / "out", options_of(()), show=shown.extend)
    assert report.paths[0].read_text().splitlines()[1:] == [
        "2024-01-01T00:00:00Z,2281.87,2297.2,2280.5,2295.5,35921.3",
        "2024-01-01T01:00:00Z,2295.5,2301,2290,2300.1,1000",
    ]
    assert "(freqtrade)" in shown[0]
    symbol = {"f": "ETH/USDT:USDT", "p": "BTC/USDT"}[path.suffix[1]]
    assert discover(report.paths)[0].symbol == symbol


@pytest.mark.parametrize("refused", REFUSED, ids=lambda each: each.name)
def test_a_file_that_looks_nearly_so_is_refused_with_the_way_out(
    tmp_path: Path, refused: Refused
) -> None:
    path = refused.write(tmp_path / "in")
    with pytest.raises(DataError) as caught:
        import_files([path], tmp_path / "out", options_of(refused.options))
    for words in refused.says:
        assert words in str(caught.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


WITHOUT = re.compile(r"^Lean|^Dukascopy bars by|^Dukascopy ticks by|^freqtrade .*, Feather$")
"""Families of records that are made by a loop: one of each family stands for the others."""


def test_every_record_that_reads_rows_has_an_example_here(tmp_path: Path) -> None:
    told = set()
    for number, example in enumerate(EXAMPLES):
        (member,) = members_of(example.write(tmp_path / str(number)))
        options = options_of(example.options)
        with closing(open_table(member, options)) as table:
            layout = find_layout(LAYOUTS, table, options.format)
        assert layout is not None, example.name
        told.add((layout.name, layout.title))
    records = {(each.name, each.title) for each in LAYOUTS if not each.refused}
    assert {record for record in records - told if not WITHOUT.match(record[1])} == set()
    assert {name for name, _ in told} == {name for name, _ in records}
