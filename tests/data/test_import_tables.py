"""Tables of every make: what is read, what is left out and said, what is refused and how."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from logos.data.importing import run
from logos.data.importing.options import ImportOptions
from logos.data.importing.report import ImportReport
from logos.data.importing.run import import_files
from logos.data.source import discover
from logos.errors import DataError

HEAD = "timestamp,open,high,low,close,volume\n"
X = ImportOptions(symbols=("X",))


def minutes(count: int, first: int = 0) -> list[str]:
    return [f"2024-01-02T10:{at:02d}:00Z,10.{at:02d},11,9,10,{at}\n" for at in range(first, count)]


def ours(count: int, first: int = 0) -> list[str]:
    return [line.strip() for line in minutes(count, first)]


def bring(
    tmp_path: Path, text: str | bytes, options: ImportOptions = X, name: str = "x.csv"
) -> tuple[ImportReport, list[list[str]]]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    report = import_files([path], tmp_path / "out", options)
    return report, [each.read_text().splitlines()[1:] for each in report.paths]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_known_by_their_first_bytes_whatever_they_are_called(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    _, tables = bring(tmp_path, pack((HEAD + "".join(minutes(4))).encode()), name="x.dat")
    assert tables == [ours(4)]


def test_zstandard_is_unpacked_with_pyarrow(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="zstandard needs pyarrow")
    packed = pa.compress((HEAD + "".join(minutes(4))).encode(), codec="zstd", asbytes=True)
    assert bring(tmp_path, packed, name="x.zst")[1] == [ours(4)]


def test_remarks_above_and_words_below_are_left_out_and_the_latter_said(tmp_path: Path) -> None:
    text = "# a remark\nhttp://example.invalid\n" + HEAD + "".join(minutes(4)) + "Total rows: 4\n"
    report, tables = bring(tmp_path, text)
    assert tables == [ours(4)]
    assert report.left == ["lines after the last row: 1 (line 8: 'Total rows: 4')"]


def test_a_line_of_words_among_the_rows_is_refused(tmp_path: Path) -> None:
    rows = minutes(4)
    with pytest.raises(DataError, match=r"x\.csv:4: not a row of the table: 'Total'"):
        bring(tmp_path, HEAD + "".join(rows[:2]) + "Total\n" + "".join(rows[2:]))


def test_a_row_of_another_width_above_the_table_is_not_lost(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.csv:1: not a row of the table below it.*--skip 1"):
        bring(tmp_path, "2024-01-02T09:59:00Z,1\n" + HEAD + "".join(minutes(4)))
    options = ImportOptions(symbols=("X",), skip=1)
    text = "2024-01-02T09:59:00Z,1\n" + HEAD + "".join(minutes(4))
    assert bring(tmp_path, text, options)[1] == [ours(4)]


def test_a_file_that_runs_backwards_is_turned_round_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from logos.data.importing.tables import text

    monkeypatch.setattr(text.text_pieces, "__defaults__", (512,))
    assert bring(tmp_path, HEAD + "".join(minutes(40)[::-1]))[1] == [ours(40)]


@pytest.mark.parametrize("fast", [True, False])
def test_rows_out_of_order_are_refused_with_their_line_or_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    if not fast:
        monkeypatch.setattr(run, "arrow_available", lambda: False)
    rows = minutes(5)
    rows[2], rows[3] = rows[3], rows[2]
    text = HEAD + "".join(rows)
    with pytest.raises(DataError, match=r"x\.csv:5: .*10:02:00Z is out of order after .*--sort"):
        bring(tmp_path, text)
    assert not (tmp_path / "out").exists()
    options = ImportOptions(symbols=("X",), sort=True)
    assert bring(tmp_path, text, options)[1] == [ours(5)]


def test_two_bars_of_one_time_are_one_only_when_they_are_the_same(tmp_path: Path) -> None:
    sort = ImportOptions(symbols=("X",), sort=True)
    text = HEAD + "".join([*minutes(4), minutes(4)[3]])
    with pytest.raises(DataError, match=r"x\.csv:6: .* the same time as the row before"):
        bring(tmp_path, text)
    report, tables = bring(tmp_path, text, sort)
    assert tables == [ours(4)]
    assert report.left[0].startswith("rows that stand there twice: 1 (")
    other = text.removesuffix(",3\n") + ",4\n"
    with pytest.raises(DataError, match="a second bar of 2024-01-02T10:03:00Z with other figures"):
        import_files([_write(tmp_path / "y.csv", other)], tmp_path / "other", sort)


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_pair_of_which_one_side_cannot_be_sorted_leaves_nothing_behind(tmp_path: Path) -> None:
    head = "Gmt time,Open,High,Low,Close,Volume\n"
    row = "08.03.2024 09:30:00.000,{0},{0},{0},{0},5\n"
    rows = row.format("1.10") + row.replace("09:30", "09:31").format("1.10")
    bid = _write(tmp_path / "EURUSD_Candlestick_1_m_BID.csv", head + rows)
    ask = _write(tmp_path / "EURUSD_Candlestick_1_m_ASK.csv", head + rows + row.format("1.20"))
    with pytest.raises(DataError, match="a second bar of 2024-03-08T09:30:00Z with other figures"):
        import_files([bid, ask], tmp_path / "out", ImportOptions(sort=True))
    assert not (tmp_path / "out").exists()


def test_several_files_follow_each_other_in_time_however_they_are_named(tmp_path: Path) -> None:
    late = _write(tmp_path / "a.csv", HEAD + "".join(minutes(8, 4)))
    early = _write(tmp_path / "b.csv", HEAD + "".join(minutes(4)))
    (out,) = import_files([late, early], tmp_path / "out", X).paths
    assert out.read_text().splitlines()[1:] == ours(8)
    overlapping = _write(tmp_path / "c.csv", HEAD + "".join(minutes(6, 2)))
    with pytest.raises(DataError, match=r"b\.csv and .*c\.csv overlap: X is there until"):
        import_files([early, overlapping], tmp_path / "other", X)
    sort = ImportOptions(symbols=("X",), sort=True)
    (out,) = import_files([early, overlapping], tmp_path / "other", sort).paths
    assert out.read_text().splitlines()[1:] == ours(6)


TRADES = (
    "timestamp,symbol,side,size,price\n"
    "2024-01-01T00:00:01.000Z,XBTUSD,Buy,100,42000.5\n"
    "2024-01-01T00:00:01.500Z,ETHUSD,Sell,50,2280.55\n"
    "2024-01-01T00:00:02.000Z,XBTUSD,Buy,100,42001.0\n"
)
XBT = ["2024-01-01T00:00:01Z,42000.5,100,buy", "2024-01-01T00:00:02Z,42001.0,100,buy"]
ETH = ["2024-01-01T00:00:01.500Z,2280.55,50,sell"]


@pytest.mark.parametrize("fast", [True, False])
def test_a_column_of_symbols_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    if not fast:
        monkeypatch.setattr(run, "arrow_available", lambda: False)
    assert bring(tmp_path, TRADES, ImportOptions())[1] == [XBT, ETH]
    (tmp_path / "one").mkdir()
    report, tables = bring(tmp_path / "one", TRADES, ImportOptions(symbols=("ETHUSD",)))
    assert tables == [ETH]
    assert report.left[0].startswith("rows of other symbols: 2 (")
    with pytest.raises(DataError, match="there is no DOGE in its first rows, but ETHUSD, XBTUSD"):
        bring(tmp_path, TRADES, ImportOptions(symbols=("DOGE",)))


def test_the_only_symbol_of_a_file_may_have_another_name_and_no_second_one_slips_in(
    tmp_path: Path,
) -> None:
    only = TRADES.replace("ETHUSD", "XBTUSD")
    report, _ = bring(tmp_path, only, ImportOptions(symbols=("BTC",)))
    assert report.rows == {"BTC": 3}
    filler = "".join(
        f"2024-01-01T00:{at // 60 + 1:02d}:{at % 60:02d}.000Z,XBTUSD,Buy,1,42000.5\n"
        for at in range(2_400)
    )
    late = only + filler + "2024-01-01T01:30:00Z,ETHUSD,Sell,50,2280.55\n"
    with pytest.raises(DataError, match="there are XBTUSD and ETHUSD in this file"):
        bring(tmp_path, late, ImportOptions(symbols=("BTC",)), "late.csv")


ROWS = [[1704189600 + 60 * at, "10.10", "11", "9", "10", "5"] for at in range(3)]
READ = [f"2024-01-02T10:0{at}:00Z,10.10,11,9,10,5" for at in range(3)]
NAMES = ("time", "open", "high", "low", "close", "volume")
OBJECTS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]


@pytest.mark.parametrize(
    "value",
    [
        OBJECTS,
        {"result": {"list": OBJECTS}},
        {name: [row[at] for row in ROWS] for at, name in enumerate(NAMES)},
        {"columns": list(NAMES), "data": ROWS},
        [list(NAMES), *ROWS],
    ],
)
def test_json_of_every_shape_keeps_its_digits(tmp_path: Path, value: object) -> None:
    assert bring(tmp_path, json.dumps(value), name="x.json")[1] == [READ]


def test_json_of_an_object_a_line_and_json_that_is_cut(tmp_path: Path) -> None:
    text = "".join(json.dumps(each) + "\n" for each in OBJECTS)
    assert bring(tmp_path, text, name="x.jsonl")[1] == [READ]
    with pytest.raises(DataError, match=r"y\.json:1: damaged JSON"):
        bring(tmp_path, json.dumps(OBJECTS)[:-9], name="y.json")


def test_parquet_and_feather_as_pandas_and_polars_write_them(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    pd = pytest.importorskip("pandas", reason="it writes the files")
    times = pd.date_range("2024-01-02 10:00", periods=3, freq="min")
    figures = {"open": [10.1, 10.37, 9.7], "high": 11.0, "low": 9.0, "close": 10.0, "volume": 5}
    frame = pd.DataFrame(figures, index=times).astype({"open": "float32"})
    expected = [
        f"2024-01-02T10:0{at}:00Z,{text},11,9,10,5"
        for at, text in enumerate(("10.1", "10.37", "9.7"))
    ]
    frame.to_parquet(tmp_path / "naive.parquet")
    with pytest.raises(DataError, match=r"naive\.parquet:1: .*names no time zone: say --timezone"):
        import_files([tmp_path / "naive.parquet"], tmp_path / "out", X)
    said = ImportOptions(symbols=("X",), timezone="UTC")
    frame.tz_localize("UTC").to_parquet(tmp_path / "aware.parquet")
    frame.rename_axis("date").reset_index().to_feather(tmp_path / "f.feather")
    for name, options in (("naive.parquet", said), ("aware.parquet", X), ("f.feather", said)):
        out = tmp_path / name.replace(".", "_")
        (made,) = import_files([tmp_path / name], out, options).paths
        assert made.read_text().splitlines()[1:] == expected, name


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("a,b,c\n1,2,3\n2,3,4\n", X, r"no column of times .* Say what it holds with --format"),
        ("1,2,3,4\n2,3,4,5\n", X, "it has no header, and its first row is of no layout"),
        (HEAD + "".join(minutes(3)), ImportOptions(), "say of which symbol its rows are"),
        ("date,open,high,low,close\n03/04/2024,1,1,1,1\n", X, "can be read in more than one way"),
        ("time;open;high;low;close\n1704189600;1.200;1.201;1.199;1.200\n", X, "say --decimal"),
        ("time,open,high,low,close\n20240102,1,1,1,1\n", X, "it reads as YYYYMMDD, 2024-01-02"),
        ("<!DOCTYPE html><html>", X, "a web page, not data"),
        ("version https://git-lfs.github.com/spec/v1\n", X, "a pointer of Git LFS"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_way_out(
    tmp_path: Path, text: str, options: ImportOptions, words: str
) -> None:
    with pytest.raises(DataError, match=words) as refused:
        bring(tmp_path, text, options, "data.csv")
    assert "data.csv" in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_bars_stamped_at_their_close_are_stamped_at_their_open(tmp_path: Path) -> None:
    options = ImportOptions(symbols=("X",), stamp="close")
    _, (rows,) = bring(tmp_path, HEAD + "".join(minutes(4)), options)
    assert rows[0].startswith("2024-01-02T09:59:00Z,10.00,")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_line_without_an_end_below_the_header_is_told_by_its_length(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(DataError, match=r"x.dat.*:2: the line has more than 1,048,576 bytes"):
        bring(tmp_path, pack(HEAD.encode() + b"0" * 3_000_000), name="x.dat")
    assert not (tmp_path / "out").exists()


def test_a_row_that_needs_a_careful_look_does_not_change_how_the_others_are_read(
    tmp_path: Path,
) -> None:
    """Reading columns at once must leave no trace where it is given up."""
    clocks = "time,price\n03-Nov-2024 01:01:00,10\n03-Nov-2024 01:02:00,1e1\n"
    options = ImportOptions(symbols=("X",), timezone="America/New_York")
    with pytest.raises(DataError, match="comes twice in America/New_York"):
        bring(tmp_path, clocks, options)
    head = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
    ticks = [
        f"2022.11.10\t15:00:0{at}.000\t{bid}\t{ask}\t\t\t6\n"
        for at, (bid, ask) in enumerate((("NaN", "0.86712"), ("0.86681", "0.86710")))
    ]
    options = ImportOptions(symbols=("X",), timezone="UTC")
    report, tables = bring(tmp_path, head + "".join(ticks), options, "ticks.csv")
    assert tables == [["2022-11-10T15:00:01Z,0.86681,0.86710,,"]]
    assert report.left[0].startswith("rows before both a bid and an ask are known: 1 (")


KAGGLE = "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n"


@pytest.mark.parametrize(
    ("head", "name"),
    [(KAGGLE, "x.csv"), ("timestamp,open,high,low,close,volume\n", "x_1m.csv")],
    ids=["a layout of minutes", "a name of minutes"],
)
def test_bars_longer_than_what_says_their_length_are_refused(
    tmp_path: Path, head: str, name: str
) -> None:
    rows = [f"{1704067200 + 3600 * at},10,11,9,10,1" for at in range(6)]
    ends = ",10,10" if head is KAGGLE else ""
    text = head + "".join(f"{row}{ends}\n" for row in rows)
    for sort in (False, True):
        with pytest.raises(DataError, match="most begin 1h after each other; say --interval"):
            bring(tmp_path, text, ImportOptions(symbols=("X",), sort=sort), name)
        assert not (tmp_path / "out").exists()
    _, [table] = bring(tmp_path, text, ImportOptions(symbols=("X",), interval="1h"), name)
    assert len(table) == 6


def test_hours_with_columns_named_like_a_vendors_minutes_are_hours(tmp_path: Path) -> None:
    """CryptoDataDownload's columns, with the title line cut away and the first column renamed."""
    rows = [f"{1704067200 + 3600 * at},10,11,9,10,1,10\n" for at in range(6)]
    text = "timestamp,open,high,low,close,Volume BTC,Volume USD\n" + "".join(rows)
    report, [table] = bring(tmp_path, text, ImportOptions(symbols=("BTCUSD",)))
    assert "_1h_" in report.paths[0].name
    assert table[0] == "2024-01-01T00:00:00Z,10,11,9,10,1"


def test_a_table_of_bids_is_bars_by_itself_and_half_of_a_pair_with_that_of_asks(
    tmp_path: Path,
) -> None:
    bid = _write(tmp_path / "EURUSD_1m_bid.csv", HEAD + "".join(minutes(4)))
    ask = _write(tmp_path / "EURUSD_1m_ask.csv", HEAD + "".join(minutes(4)))
    shown: list[str] = []
    options = ImportOptions()
    alone = import_files([bid], tmp_path / "alone", options, show=shown.extend)
    assert [source.kind for source in discover(alone.paths)] == ["bars"]
    assert "  side       bids alone: the spread is not in them" in shown
    both = import_files([ask, bid], tmp_path / "both", options)
    assert [source.kind for source in discover(both.paths)] == ["quote_bars"]
