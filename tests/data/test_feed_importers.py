"""Foreign formats, from small samples written by hand: exact figures, UTC, errors by line."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data.importing.formats import LAYOUTS
from logos.data.importing.options import ImportOptions
from logos.data.importing.run import import_files
from logos.data.source import discover
from logos.errors import DataError

KLINE = "1704067200000,42283.58,42298.62,42261.02,42298.61,35.92724000,1704067259999,1,2,3,4,0"
KLINE_US = KLINE.replace("1704067200000", "1735689600000000").replace(
    "1704067259999", "1735689659999999"
)
KLINE_HEADER = "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore"


def import_file(path: Path, format: str, out: Path, symbol: str, **words: str) -> list[Path]:
    """Import one file of a format; gives the files written."""
    options = ImportOptions(format=format, symbols=(symbol,), **words)  # type: ignore[arg-type]
    return import_files([path], out, options).paths


def table_of(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return path


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (KLINE + "\n", "2024-01-01T00:00:00Z"),
        (KLINE_HEADER + "\n" + KLINE + "\n", "2024-01-01T00:00:00Z"),
        (KLINE_US + "\n", "2025-01-01T00:00:00Z"),
    ],
)
def test_binance_klines_in_ms_or_us_with_or_without_header(
    tmp_path: Path, text: str, moment: str
) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-01.csv"
    path.write_text(text)
    (out,) = import_file(path, "binance", tmp_path / "new" / "folder", "BTCUSDT")
    assert out.name == "BTCUSDT_binance_1m_BTCUSDT-1m-2024-01.csv"
    assert table_of(out) == [
        [moment, "42283.58", "42298.62", "42261.02", "42298.61", "35.92724000"],
    ]
    (source,) = discover(out)
    assert (source.symbol, source.kind, source.interval_ns) == ("BTCUSDT", "bars", NS_PER_MINUTE)


def test_histdata_minutes_are_eastern_standard_time_the_whole_year(tmp_path: Path) -> None:
    text = "20240102 170000;1.09438;1.09441;1.09434;1.0944;0\r\n20240702 170000;1;2;1;2;0\r\n"
    remarks = "a report"
    path = zipped(tmp_path / "DAT_ASCII.zip", EURUSD__csv=text, EURUSD__txt=remarks)
    (out,) = import_file(path, "histdata-m1", tmp_path, "EURUSD")
    assert table_of(out) == [
        ["2024-01-02T22:00:00Z", "1.09438", "1.09441", "1.09434", "1.0944", ""],
        ["2024-07-02T22:00:00Z", "1", "2", "1", "2", ""],
    ]


def test_histdata_ticks_have_milliseconds_and_no_sizes(tmp_path: Path) -> None:
    path = tmp_path / "ticks.csv.gz"
    path.write_bytes(gzip.compress(b"20240102 170000123,1.09438,1.09441,0\n"))
    (out,) = import_file(path, "histdata-tick", tmp_path, "EURUSD")
    assert table_of(out) == [["2024-01-02T22:00:00.123Z", "1.09438", "1.09441", "", ""]]
    assert discover(out)[0].kind == "quotes"


def test_lean_equity_minutes_are_unscaled_and_local(tmp_path: Path) -> None:
    text = (
        "14400000,1676500,1676550,1676499,1676500,20000\n"
        "34200000,1676500,1680000,1670000,1675000,5\n"
    )
    path = zipped(tmp_path / "20131007_trade.zip", a__csv=text)
    (out,) = import_file(
        path, "lean", tmp_path, "SPY", asset_class="equity", timezone="America/New_York"
    )
    assert table_of(out) == [
        ["2013-10-07T08:00:00Z", "167.65", "167.655", "167.6499", "167.65", "20000"],
        ["2013-10-07T13:30:00Z", "167.65", "168", "167", "167.5", "5"],
    ]
    winter = zipped(tmp_path / "20131104_trade.zip", a__csv=text)
    (out,) = import_file(
        winter, "lean", tmp_path, "SPY", asset_class="equity", timezone="America/New_York"
    )
    assert [row[0] for row in table_of(out)] == ["2013-11-04T09:00:00Z", "2013-11-04T14:30:00Z"]


def test_lean_quotes_become_a_pair_and_a_missing_side_a_missing_row(tmp_path: Path) -> None:
    text = "0,1.1,1.3,1.0,1.2,0,1.11,1.31,1.01,1.21,0\n60000,,,,,,1.1,1.1,1.1,1.1,0\n"
    path = zipped(tmp_path / "20140504_quote.zip", a__csv=text)
    outs = import_file(path, "lean", tmp_path, "EURUSD", asset_class="forex", timezone="UTC")
    assert [out.name[-8:] for out in outs] == ["_bid.csv", "_ask.csv"]
    assert table_of(outs[0]) == [["2014-05-04T00:00:00Z", "1.1", "1.3", "1.0", "1.2", "0"]]
    assert [row[0] for row in table_of(outs[1])] == ["2014-05-04T00:00:00Z", "2014-05-04T00:01:00Z"]
    assert discover(outs)[0].kind == "quote_bars"


def test_lean_days_begin_at_midnight_of_the_zone_that_is_said(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "spy.zip", spy__csv="20131007 00:00,1676500,1680000,1670000,1675000,5\n"
    )
    (out,) = import_file(
        path, "lean", tmp_path, "SPY", asset_class="equity", timezone="America/New_York"
    )
    assert table_of(out)[0][0] == "2013-10-07T04:00:00Z"
    (out,) = import_file(path, "lean", tmp_path / "utc", "SPY", asset_class="equity")
    assert table_of(out)[0][0] == "2013-10-07T00:00:00Z"
    assert discover(out)[0].interval_ns == NS_PER_DAY


def test_pandas_floats_are_rounded_to_the_tick_and_offsets_become_utc(tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    path.write_text(
        "Datetime,Open,High,Low,Close,Adj Close,Volume\n"
        "2024-01-02 09:30:00-05:00,472.1600036621094,473.0,471.989990234375,472.5,470.1,1234.0\n"
        "2024-01-02 09:31:00-05:00,472.5,472.50000000000006,472.4999999999999,1e2,470.1,100\n"
    )
    (out,) = import_file(path, "yfinance", tmp_path, "SPY", tick="0.01")
    assert out.name == "SPY_yfinance_1m_SPY.csv"
    assert table_of(out) == [
        ["2024-01-02T14:30:00Z", "472.16", "473.00", "471.99", "472.50", "1234"],
        ["2024-01-02T14:31:00Z", "472.50", "472.50", "472.50", "100.00", "100"],
    ]


def test_a_tick_that_changes_prices_is_refused_with_the_one_that_fits_them_all(
    tmp_path: Path,
) -> None:
    path = tmp_path / "SPY.csv"
    path.write_text(
        "Datetime,Open,High,Low,Close,Volume\n"
        "2024-01-02 09:30:00-05:00,472.5,472.505,472.495,472.5,100\n"
        "2024-01-02 09:31:00-05:00,472.5,472.50625,472.495,472.5,100\n"
    )
    with pytest.raises(DataError, match=r"line 2: 472.505\); .* show 0.00001: say --tick 0.00001"):
        import_file(path, "yfinance", tmp_path, "SPY", tick="0.01")
    assert [each.name for each in tmp_path.iterdir()] == ["SPY.csv"]


def test_pandas_dates_and_the_three_line_header_of_newer_yfinance(tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    path.write_text(
        "Price,Close,High,Low,Open,Volume\nTicker,SPY,SPY,SPY,SPY,SPY\nDate,,,,,\n"
        "2024-01-02,11,12,9,10,5\n2024-01-03,11,12,9,10,5\n"
    )
    (out,) = import_file(path, "yfinance", tmp_path, "SPY", tick="0.25")
    assert table_of(out)[0] == ["2024-01-02T00:00:00Z", "10.00", "12.00", "9.00", "11.00", "5"]
    assert discover(out)[0].interval_ns == NS_PER_DAY


def test_pandas_times_without_an_offset_need_a_timezone(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Date,Open,High,Low,Close,Volume\n2024-07-02 09:30:00,1,1,1,1,0\n")
    with pytest.raises(DataError, match=r"x\.csv:2: .* names no time zone: say --timezone"):
        import_file(path, "yfinance", tmp_path, "SPY", tick="1")
    words = {"tick": "1", "timezone": "America/New_York"}
    with pytest.raises(DataError, match="interval from one row: say --interval"):
        import_file(path, "yfinance", tmp_path, "SPY", **words)
    (out,) = import_file(path, "yfinance", tmp_path, "SPY", **words, interval="1m")
    assert table_of(out)[0][0] == "2024-07-02T13:30:00Z"


BAD_KLINE = KLINE.replace("42283.58", "4_2") + "\n"
PANDAS = "Date,Open,High,Low,Close,Volume\n"

MALFORMED = [
    ("binance", "x.csv", KLINE + "\n1,2,3\n", r"x\.csv:2: 3 columns instead of 12"),
    ("binance", "x.csv", KLINE.replace("42283.58", "NaN") + "\n", r"first row is 'NaN'"),
    ("binance", "x.csv", KLINE + "\n" + BAD_KLINE, r"the figures of '1704067200000,4_2,"),
    ("binance", "x.csv", KLINE, r"x\.csv:1: the last line has no newline"),
    ("binance", "x.csv", "", "no rows in this file"),
    ("binance", "x.csv", KLINE_HEADER, "no rows in this file"),
    ("histdata-m1", "x.csv", "20240102 170000;1;1;1;1\n", r"its rows have 5 columns, not 6"),
    ("histdata-m1", "x.csv", "20240132 170000;1;1;1;1;0\n", r":1: no such date or time"),
    ("histdata-m1", "x.csv", "", "no rows"),
    ("histdata-tick", "x.csv", "\n20240102 170000,1,1,0\n", r"first row is '20240102 170000'"),
    ("lean", "20131007_trade.csv", "1,2\n", "2 columns, not 6"),
    ("lean", "20131007_trade.csv", "86400001,1,1,1,1,1\n", "not milliseconds since midnight"),
    ("lean", "spy.csv", "0,1,1,1,1,1\n", "its name, spy.csv, is not that of such a file"),
    ("lean", "spy.csv", "20131007 04:30,1,1,1,1\n", "its rows have 5 columns, not 6"),
    ("lean", "20131007_trade.csv", "0,1,1,1,1,1\n0,1,1,1,1\n", r":2: 5 columns instead of 6"),
    ("yfinance", "x.csv", PANDAS + "2024-01-02,1,1,1,,5\n", r":2: close is not a number"),
    (
        "yfinance",
        "x.csv",
        PANDAS + "soon,1,1,1,1,5\n",
        r"not a time of a known form: 'soon'; say its form with --time-format",
    ),
    ("yfinance", "x.csv", "Date,Close\n2024-01-02,1\n", r"its header has no column"),
    ("yfinance", "x.csv", PANDAS + "2024-01-02,1\n", r":2: 2 columns instead of 6"),
]


@pytest.mark.parametrize(("format", "name", "text", "message"), MALFORMED)
def test_a_malformed_line_is_named_and_no_output_is_left(
    tmp_path: Path, format: str, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    options = {"timezone": "UTC", "asset_class": "equity", "tick": "0.01"}
    with pytest.raises(DataError, match=message):
        import_file(path, format, tmp_path / "out", "SPY", **options)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_options_that_are_missing_or_wrong_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "20131007_trade.csv"
    path.write_text("0,1,1,1,1,1\n")
    with pytest.raises(DataError, match=r"say the asset class \(equity, forex, crypto\)"):
        import_file(path, "lean", tmp_path, "SPY")
    with pytest.raises(DataError, match="names no time zone"):
        import_file(path, "lean", tmp_path, "SPY", asset_class="equity")
    with pytest.raises(DataError, match="no time zone 'Mars' is known here"):
        import_file(path, "lean", tmp_path, "SPY", asset_class="equity", timezone="Mars")
    floats = tmp_path / "SPY.csv"
    floats.write_text(PANDAS + "2024-01-02,1,1,1,1,5\n")
    with pytest.raises(DataError, match="the tick must be a positive number, not 'x'"):
        import_file(floats, "yfinance", tmp_path, "SPY", tick="x")
    with pytest.raises(DataError, match="unknown format 'excel'; known: alpha-vantage, binance"):
        import_file(path, "excel", tmp_path, "SPY")
    with pytest.raises(DataError, match="'-/x' is not a symbol"):
        import_file(floats, "yfinance", tmp_path, "-/x")
    with pytest.raises(DataError, match="cannot be read"):
        import_file(tmp_path / "nowhere.csv", "binance", tmp_path, "SPY")


def test_an_import_never_overwrites_and_broken_archives_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(KLINE + "\n")
    (out,) = import_file(path, "binance", tmp_path, "BTC")
    with pytest.raises(DataError, match="exists already and is not overwritten"):
        import_file(path, "binance", tmp_path, "BTC")
    assert len(table_of(out)) == 1
    broken = tmp_path / "x.zip"
    broken.write_bytes(b"PK nothing")
    with pytest.raises(DataError, match=r"x\.zip: cannot be read"):
        import_file(broken, "binance", tmp_path, "BTC")
    several = zipped(tmp_path / "y.zip", a__csv=KLINE + "\n", b__csv=KLINE + "\n")
    with pytest.raises(DataError, match=r"y.zip:a.csv and .*y.zip:b.csv overlap: BTC is there"):
        import_file(several, "binance", tmp_path, "BTC")
    cut = tmp_path / "z.csv.gz"
    cut.write_bytes(gzip.compress(f"{KLINE}\n".encode())[:-9])
    with pytest.raises(DataError, match=r"z\.csv\.gz: reading failed after"):
        import_file(cut, "binance", tmp_path, "BTC")


def test_the_formats_that_are_tried_here_are_known() -> None:
    assert {format for format, *_ in MALFORMED} <= {layout.name for layout in LAYOUTS}
