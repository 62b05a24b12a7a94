"""Cleaned copies and Parquet: complete or absent, never over a file, and the same events."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from feed_helpers import (
    BAR_HEADER,
    QUOTE_HEADER,
    TRADE_HEADER,
    bar_row,
    events_of,
    source_of,
    traded,
    write,
)

from logos.data.check import inspect_source
from logos.data.convert import repair, to_parquet
from logos.data.source import discover
from logos.errors import DataError
from logos.installation import install_command

pa = pytest.importorskip("pyarrow", reason="Parquet needs the extra logos-trading[parquet]")
pq = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra logos-trading[parquet]")

INSTRUMENT = traded()


@pytest.mark.parametrize("extension", [".csv", ".csv.gz", ".parquet"])
def test_a_repair_drops_sorts_and_keeps_the_first_of_duplicates(
    tmp_path: Path, extension: str
) -> None:
    rows = [
        bar_row(3, "10,12,9,11", "1.23456"),
        bar_row(1),
        "rubbish",
        bar_row(2, "10,9,12,11"),
        bar_row(1, "9,12,9,11"),
        bar_row(7, volume=""),
    ]
    source = source_of(write(tmp_path / "A_1m.csv", BAR_HEADER, rows))
    out = tmp_path / f"clean_1m{extension}"
    report = repair(source, INSTRUMENT, out)
    assert report.rows == 3
    assert report.paths == (out,)
    assert report.counts == {
        "wrong_column_count": 1,
        "high_below_low": 1,
        "duplicate_bar": 1,
        "gap": 2,
    }
    assert inspect_source(replace(source, path=out), INSTRUMENT).counts == {"gap": 2}
    if extension == ".csv":
        assert out.read_text().splitlines() == [
            BAR_HEADER,
            "2024-01-02T00:01:00Z,10.00,12.00,9.00,11.00,1.0000",
            "2024-01-02T00:03:00Z,10.00,12.00,9.00,11.00,1.2345",
            "2024-01-02T00:07:00Z,10.00,12.00,9.00,11.00,",
        ]
    expected = [60 * minute * 10**9 + 1_704_153_660_000_000_000 for minute in (1, 3, 7)]
    assert [event.ts_ns for event in events_of(replace(source, path=out))] == expected


def test_a_repaired_file_in_order_is_what_reading_with_everything_accepted_gives(
    tmp_path: Path,
) -> None:
    rows = ["1704153600,10,9,,1", "1704153600,10,11,1,", "x,1,1,1,1", "1704153601.5,1,2,,"]
    rows += ["1704153602123,10,11,0.5,0.00009"]
    source = source_of(write(tmp_path / "A.csv", QUOTE_HEADER, rows), "quotes")
    out = tmp_path / "B.csv.gz"
    repair(source, INSTRUMENT, out)
    lines = gzip.decompress(out.read_bytes()).decode().splitlines()
    assert lines[-1] == "2024-01-02T00:00:02.123Z,10.00,11.00,0.5000,0.0000"
    copy = replace(source, path=out)
    assert events_of(copy, instrument=INSTRUMENT) == events_of(source, instrument=INSTRUMENT)


def test_repaired_trades_keep_the_order_of_arrival_within_a_moment(tmp_path: Path) -> None:
    rows = ["1704153601,3,1,buy", "1704153600,1,1,", "1704153601,4,1,sell", "1704153600,2,1,buy"]
    source = source_of(write(tmp_path / "A.csv", TRADE_HEADER, rows), "trades")
    out = tmp_path / "B.csv"
    repair(source, INSTRUMENT, out)
    assert [line.split(",")[1:] for line in out.read_text().splitlines()[1:]] == [
        ["1.00", "1.0000", ""],
        ["2.00", "1.0000", "buy"],
        ["3.00", "1.0000", "buy"],
        ["4.00", "1.0000", "sell"],
    ]


@pytest.mark.parametrize("minutes", [[0, 1, 2, 4], [4, 1, 0, 2]])
def test_a_repaired_pair_is_two_files_of_the_same_times(tmp_path: Path, minutes: list[int]) -> None:
    bid = write(tmp_path / "A_1m_bid.csv", BAR_HEADER, [bar_row(m) for m in minutes])
    ask_rows = [bar_row(m, "11,13,10,12", "7") for m in (0, 2, 3, 4)]
    ask = write(tmp_path / "A_1m_ask.csv", BAR_HEADER, ask_rows)
    report = repair(source_of(bid, "quote_bars", ask), INSTRUMENT, tmp_path / "out" / "x.csv")
    assert [path.name for path in report.paths] == ["x_bid.csv", "x_ask.csv"]
    assert report.counts["unpaired"] == 2
    columns = [
        [line.split(",")[0][14:16] for line in path.read_text().splitlines()[1:]]
        for path in report.paths
    ]
    assert columns == [["00", "02", "04"]] * 2
    assert report.paths[1].read_text().splitlines()[1].endswith(",12.00,7.0000")


def test_nothing_is_overwritten_and_nothing_half_done_is_left(tmp_path: Path) -> None:
    source = source_of(write(tmp_path / "A_1m.csv", BAR_HEADER, [bar_row(0), "rubbish"]))
    taken = write(tmp_path / "taken.csv", "mine", [])
    with pytest.raises(DataError, match=r"taken.csv: exists already and is not overwritten"):
        repair(source, INSTRUMENT, taken)
    assert taken.read_text() == "mine\n"
    with pytest.raises(DataError, match="must end in"):
        repair(source, INSTRUMENT, tmp_path / "out.txt")
    with pytest.raises(DataError, match="wrong_column_count"):
        to_parquet(source, INSTRUMENT, tmp_path / "out.parquet")
    hopeless = source_of(write(tmp_path / "B_1m.csv", BAR_HEADER, ["rubbish"]))
    with pytest.raises(DataError, match="not one row can be used"):
        repair(hopeless, INSTRUMENT, tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A_1m.csv", "B_1m.csv", "taken.csv"]


def test_gz_csv_and_parquet_of_the_same_rows_give_the_same_events(tmp_path: Path) -> None:
    rows = [bar_row(m, f"10,12.{m % 7},9,11", f"8.88009{m:04d}99999999") for m in range(900)]
    plain = write(tmp_path / "A_1m.csv", BAR_HEADER, rows)
    packed = write(tmp_path / "B_1m.csv.gz", BAR_HEADER, rows)
    source = source_of(plain)
    (parquet,) = to_parquet(source, INSTRUMENT, tmp_path / "C_1m.parquet")
    expected = events_of(source, fast=False, accept=frozenset(), instrument=INSTRUMENT)
    assert len(expected) == 900
    for path in (plain, packed, parquet):
        (found,) = discover(path, overrides={path.name: {"symbol": "BTCUSD"}})
        for fast in (False, True):
            events = events_of(found, fast=fast, accept=frozenset(), instrument=INSTRUMENT)
            assert events == expected


def doubles(values: list[float]) -> object:
    return pa.array(values, pa.float64())


def texts(values: list[float]) -> object:
    return pa.array([repr(value) for value in values])


def decimals(values: list[float]) -> object:
    return pa.array([Decimal(repr(value)) for value in values], pa.decimal128(12, 4))


@pytest.mark.parametrize("times", ["timestamp", "text", "epoch"])
@pytest.mark.parametrize("column", [doubles, texts, decimals])
@pytest.mark.parametrize("fast", [False, True])
def test_parquet_columns_of_other_types_are_read_alike(
    tmp_path: Path, times: str, column: Callable[[list[float]], object], fast: bool
) -> None:
    seconds = [1_704_153_600, 1_704_153_601]
    moments = {
        "timestamp": pa.array([second * 1000 for second in seconds], pa.timestamp("ms", "UTC")),
        "text": pa.array(["2024-01-02T00:00:00Z", "2024-01-02T00:00:01Z"]),
        "epoch": pa.array(seconds),
    }[times]
    columns = [moments, column([10.01, 9.0]), column([0.5, 8.8801])]
    path = tmp_path / "A.parquet"
    pq.write_table(pa.table(columns, ["timestamp", "price", "size"]), path)
    (source,) = discover(path)
    events = events_of(source, fast=fast, accept=frozenset())
    assert [(e.ts_ns, e.price_units, e.size_units, e.aggressor) for e in events] == [  # type: ignore[union-attr]
        (1_704_153_600_000_000_000, 1001, 5000, ""),
        (1_704_153_601_000_000_000, 900, 88801, ""),
    ]


@pytest.mark.parametrize("fast", [False, True])
def test_parquet_integers_with_named_decimals_and_doubles_off_the_tick(
    tmp_path: Path, fast: bool
) -> None:
    path = tmp_path / "A.parquet"
    schema = pa.schema(
        [
            ("timestamp", pa.int64()),
            pa.field("bid", pa.int64(), metadata={"decimals": "3"}),
            ("ask", pa.float64()),
        ]
    )
    noisy = 0.1 + 0.2 + 10  # 10.3 with the noise of binary floats
    columns = [
        pa.array([1_704_153_600 + second for second in range(4)]),
        pa.array([10_010, 10_015, 10_010, None]),
        pa.array([noisy, 11.0, 10.3001, float("nan")]),
    ]
    pq.write_table(pa.table(columns, schema=schema), path)
    (source,) = discover(path)
    report = inspect_source(source, INSTRUMENT, fast=fast)
    assert [(defect.kind, defect.line) for defect in report.defects] == [
        ("off_tick", 2),
        ("off_tick", 3),
        ("bad_number", 4),
    ]
    (event,) = events_of(source, fast=fast)
    assert (event.bid_units, event.ask_units, event.bid_size_units) == (1001, 1030, -1)  # type: ignore[union-attr]


def test_a_truncated_parquet_file_is_told(tmp_path: Path) -> None:
    source = source_of(write(tmp_path / "A_1m.csv", BAR_HEADER, [bar_row(0)]))
    (path,) = to_parquet(source, INSTRUMENT, tmp_path / "B_1m.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"B_1m.parquet: not a readable Parquet file"):
        discover(path)


def test_without_pyarrow_csv_is_read_and_parquet_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(write(tmp_path / "A_1m.csv", BAR_HEADER, [bar_row(0)]))
    (parquet,) = to_parquet(source, INSTRUMENT, tmp_path / "B_1m.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    for name in ("arrow", "parquet"):
        monkeypatch.delitem(__import__("sys").modules, f"logos.data.readers.{name}")
    assert len(events_of(source)) == 1
    with pytest.raises(DataError, match=re.escape(install_command("parquet"))):
        discover(parquet)
    with pytest.raises(DataError, match=re.escape(install_command("parquet"))):
        to_parquet(source, INSTRUMENT, tmp_path / "C_1m.parquet")
