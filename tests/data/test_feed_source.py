"""What is found in files and folders, and what is said when it cannot be told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from feed_helpers import (
    BAR_HEADER,
    QUOTE_HEADER,
    TRADE_HEADER,
    bar_row,
    source_of,
    write,
)

from logos.core.types import NS_PER_MINUTE
from logos.data.source import DataSource, discover
from logos.data.suggest import suggest_instrument
from logos.errors import DataError

ROWS = [bar_row(0), bar_row(5), bar_row(10)]


def test_a_folder_gives_every_kind_in_sorted_order_and_ignores_other_files(tmp_path: Path) -> None:
    deep = tmp_path / "b" / "deep"
    deep.mkdir(parents=True)
    one = write(tmp_path / "BTCUSD_1m_x.csv", BAR_HEADER, ROWS)
    quotes = write(deep / "ETHUSD_ticks.csv.gz", QUOTE_HEADER, ["2024-01-02T00:00:00Z,1,2,,"])
    trades = write(deep / "ETHUSD_trades.csv", TRADE_HEADER, ["2024-01-02T00:00:00Z,1,2,buy"])
    bid = write(tmp_path / "BTCUSD_1m_y_bid.csv", BAR_HEADER, ROWS)
    ask = write(tmp_path / "BTCUSD_1m_y_ask.csv", BAR_HEADER, ROWS)
    for name in ("instruments.toml", "manifest.json", "README.md", ".hidden.csv"):
        (tmp_path / name).write_text("not market data")
    assert discover(tmp_path) == [
        DataSource(one, "BTCUSD", "bars", NS_PER_MINUTE),
        DataSource(bid, "BTCUSD", "quote_bars", NS_PER_MINUTE, ask),
        DataSource(quotes, "ETHUSD", "quotes"),
        DataSource(trades, "ETHUSD", "trades"),
    ]


@pytest.mark.parametrize(
    ("name", "minutes"),
    [("A_1m.csv", 1), ("A_x_5m_y.csv", 5), ("A_1h.csv", 60), ("A_1d_2000.csv", 1440), ("A.csv", 5)],
)
def test_the_interval_comes_from_the_name_else_from_the_smallest_step(
    tmp_path: Path, name: str, minutes: int
) -> None:
    (source,) = discover(write(tmp_path / name, BAR_HEADER, ROWS))
    assert (source.symbol, source.interval_ns) == ("A", minutes * NS_PER_MINUTE)


def test_overrides_say_what_the_name_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "export.csv", BAR_HEADER, ROWS[:1])
    overrides = {"export.csv": {"symbol": "SPY", "interval": "1h"}}
    (source,) = discover([path], overrides=overrides)
    assert (source.symbol, source.interval_ns) == ("SPY", 60 * NS_PER_MINUTE)
    with pytest.raises(DataError, match="not an interval: 'soon'"):
        discover([path], overrides={"export.csv": {"interval": "soon"}})


def test_half_a_pair_named_alone_finds_its_other_half(tmp_path: Path) -> None:
    bid = write(tmp_path / "A_1m_bid.csv", BAR_HEADER, ROWS)
    ask = write(tmp_path / "A_1m_ask.csv.gz", BAR_HEADER, ROWS)
    assert discover(ask) == [DataSource(bid, "A", "quote_bars", NS_PER_MINUTE, ask)]


def test_symbols_select_and_must_all_be_found(tmp_path: Path) -> None:
    write(tmp_path / "A_1m.csv", BAR_HEADER, ROWS)
    write(tmp_path / "B_1m.csv", BAR_HEADER, ROWS)
    assert [source.symbol for source in discover(tmp_path, symbols=["B"])] == ["B"]
    with pytest.raises(DataError, match=r"no market data for C in .*; found: A, B"):
        discover(tmp_path, symbols=["B", "C"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("A_1m_bid.csv", BAR_HEADER + "\n", r"the other half of the pair, A_1m_ask, is missing"),
        ("A.csv", "", "empty_file"),
        ("A.csv", "date;price\n1;2\n", r"A.csv:1: bad_header: .*Known: bars: timestamp,open"),
        ("A.csv", "timestamp,price,price\n", "bad_header"),
        ("A.csv", BAR_HEADER + "\n" + bar_row(0) + "\n", "cannot tell the bars' interval"),
        ("A.xlsx", "x", "not market data by its name"),
    ],
)
def test_what_cannot_be_told_is_an_error_that_says_so(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        discover([path])


def test_missing_paths_and_empty_folders_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file or folder"):
        discover([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="no market data in this folder"):
        discover([tmp_path])
    with pytest.raises(DataError, match="no market data was named"):
        discover([])


def test_the_same_data_in_two_formats_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "A_1m.csv", BAR_HEADER, ROWS)
    write(tmp_path / "A_1m.csv.gz", BAR_HEADER, ROWS)
    with pytest.raises(DataError, match="the same data in two formats"):
        discover(tmp_path)


def test_a_suggested_instrument_holds_every_decimal_seen(tmp_path: Path) -> None:
    rows = ["2024-01-02T00:00:00Z,1.25,2,0.5,8.880099999999999", "bad row", "x,1.2501,y,0.125,"]
    path = write(tmp_path / "BTC-USDT.csv", QUOTE_HEADER, rows)
    text = suggest_instrument(source_of(path, "quotes"))
    assert tomllib.loads(text)["instruments"] == {
        "BTCUSD": {"tick": "0.0001", "lot": "0.0001", "base": "BTC", "quote": "USD"}
    }
