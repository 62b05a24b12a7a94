"""One time of one symbol has one source, and one book one symbol."""

from __future__ import annotations

from pathlib import Path

import pytest
from feed_helpers import (
    BAR_HEADER,
    QUOTE_HEADER,
    READERS,
    TRADE_HEADER,
    bar_row,
    needs_arrow,
    traded,
    write,
)

from logos.cli.data import command
from logos.core.instrument import Instrument
from logos.data.check import check, inspect_source
from logos.data.claims import check_claims
from logos.data.source import discover
from logos.errors import DataError


def claims(folder: Path) -> None:
    sources = discover(folder)
    instruments = {source.symbol: traded(source.symbol) for source in sources}
    check_claims([inspect_source(each, instruments[each.symbol]) for each in sources], instruments)


def bars(folder: Path, name: str, minutes: range | list[int]) -> Path:
    return write(folder / name, BAR_HEADER, [bar_row(minute) for minute in minutes])


def trades(folder: Path, name: str, seconds: list[int]) -> Path:
    rows = [f"2024-01-02T00:00:{second:02d}Z,10,1,buy" for second in seconds]
    return write(folder / name, TRADE_HEADER, rows)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (range(10), range(10)),  # one table twice
        (range(60), range(40, 60)),  # a month, and its last day
        (range(10), range(9, 20)),  # the seam twice
        ([0, 1, 5, 6], [2, 3, 5]),  # half in a hole
        (range(3), range(2, 3)),
    ],
)
def test_two_files_of_bars_of_one_time_are_refused_and_both_named(
    tmp_path: Path, one: range | list[int], other: range | list[int]
) -> None:
    bars(tmp_path, "A_1m_2024-01.csv", one)
    bars(tmp_path, "A_1m_2024-01-31.csv", other)
    with pytest.raises(DataError) as raised:
        claims(tmp_path)
    assert "two sources of A claim the same time" in str(raised.value)
    assert "A_1m_2024-01.csv" in str(raised.value)
    assert "A_1m_2024-01-31.csv" in str(raised.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(range(10), range(10, 20)), (range(10, 20), range(10)), ([0, 1, 8, 9], [3, 4, 5])],
)
def test_files_that_follow_one_another_or_fill_a_hole_are_fine(
    tmp_path: Path, one: range | list[int], other: range | list[int]
) -> None:
    bars(tmp_path, "A_1m_x.csv", one)
    bars(tmp_path, "A_1m_y.csv", other)
    claims(tmp_path)


def test_the_place_where_the_claims_meet_is_said(tmp_path: Path) -> None:
    bars(tmp_path, "A_1m_x.csv", range(10))
    bars(tmp_path, "A_1m_y.csv", range(7, 20))
    with pytest.raises(DataError, match="Both have 2024-01-02T00:08:00Z"):
        claims(tmp_path)


def test_bars_that_overlap_without_an_equal_time_are_refused(tmp_path: Path) -> None:
    bars(tmp_path, "A_5m_x.csv", [0, 5, 10])
    bars(tmp_path, "A_5m_y.csv", [12, 17])
    with pytest.raises(DataError, match="claim the same time"):
        claims(tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([0, 5, 9], [0, 5, 9]),
        ([0, 5, 9], [1, 6, 8]),  # two venues
        ([0, 5], [3, 7]),
        ([0, 1, 2, 3], [2, 3]),
        ([4], [4]),
    ],
)
def test_recordings_that_take_turns_are_refused(
    tmp_path: Path, one: list[int], other: list[int]
) -> None:
    trades(tmp_path, "A_trades_x.csv", one)
    trades(tmp_path, "A_trades_y.csv", other)
    with pytest.raises(DataError, match="two sources of A claim the same time"):
        claims(tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [([0, 5, 9], [9, 12]), ([0, 1, 20, 21], [5, 6, 7]), ([5, 6], [0, 20]), ([0, 9], [9, 9])],
)
def test_recordings_that_meet_or_fill_a_hole_are_fine(
    tmp_path: Path, one: list[int], other: list[int]
) -> None:
    trades(tmp_path, "A_trades_x.csv", one)
    trades(tmp_path, "A_trades_y.csv", other)
    claims(tmp_path)


def test_two_kinds_two_intervals_and_two_symbols_share_a_time(tmp_path: Path) -> None:
    bars(tmp_path, "A_1m.csv", range(10))
    bars(tmp_path, "A_5m.csv", [0, 5])
    bars(tmp_path, "B_1m.csv", range(10))
    trades(tmp_path, "A_trades.csv", [0, 1])
    write(tmp_path / "A_quotes.csv", QUOTE_HEADER, ["2024-01-02T00:00:00Z,1,2,,"])
    claims(tmp_path)


def test_the_check_says_so_and_is_not_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars(tmp_path, "A_1m_x.csv", range(10))
    bars(tmp_path, "A_1m_y.csv", range(10))
    assert run_data("check", str(tmp_path)) == 3
    shown = capsys.readouterr().out
    assert "two sources of A claim the same time" in shown
    assert "2 sources, 0 with defects" in shown


def run_data(*words: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(list(words)))


# ---- a symbol column ----


def rows_of(*symbols: str) -> list[str]:
    return [
        f"2024-01-02T00:00:{second:02d}Z,{symbol},10,1"
        for second, symbol in enumerate(symbols, start=1)
    ]


def judged(
    folder: Path, name: str, column: str, symbols: list[str], *, fast: bool | None = None
) -> dict[str, int]:
    path = write(folder / name, f"timestamp,{column},price,size", rows_of(*symbols))
    (source,) = discover(path)
    return dict(inspect_source(source, traded(source.symbol), fast=fast).counts)


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("column", ["symbol", "Ticker", "pair", "name", "<TICKER>", "contract"])
def test_two_symbols_in_one_file_are_never_one_book(
    tmp_path: Path, column: str, fast: bool
) -> None:
    rows = ["XBTUSD", "ETHUSD", "XBTUSD", "ETHUSD"]
    assert judged(tmp_path, "XBTUSD_trades.csv", column, rows, fast=fast) == {"other_symbol": 2}


@pytest.mark.parametrize("fast", READERS)
def test_a_second_symbol_late_in_a_long_file_is_found(tmp_path: Path, fast: bool) -> None:
    rows = [
        f"2024-01-02T{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z,A,10,1" for i in range(30_000)
    ]
    rows[29_000] = rows[29_000].replace(",A,", ",B,")
    path = write(tmp_path / "A_trades.csv", "timestamp,symbol,price,size", rows)
    (source,) = discover(path)
    report = inspect_source(source, traded("A"), fast=fast)
    assert report.counts == {"other_symbol": 1}
    assert report.defects[0].line == 29_002


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSD_1.csv", "BTC/USD"),
        ("BTC-USD.csv", "btcusd"),
        ("BTC%2FUSDT%3AUSDT.csv", "BTC/USDT:USDT"),
        ("BTCUSDT.csv", "BTC/USDT:USDT"),
        ("BRK.B.csv", "BRK-B"),
        ("AAPL.csv", "320193"),
        ("AAPL.csv", ""),
    ],
)
def test_another_spelling_of_the_symbol_is_the_symbol(
    tmp_path: Path, name: str, symbol: str, fast: bool
) -> None:
    assert judged(tmp_path, name, "symbol", [symbol, symbol], fast=fast) == {}


def test_a_column_that_names_another_symbol_than_the_name_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "export.csv", "timestamp,symbol,price,size", rows_of("AAPL", "AAPL"))
    (source,) = discover(path)
    with pytest.raises(DataError) as raised:
        check(source, traded("export"))
    assert "export.csv:2: a row of 'AAPL' in a file of export" in str(raised.value)
    assert f"logos data import {path} --symbol-column" in str(raised.value)
    (tmp_path / "files.toml").write_text('["export.csv"]\nsymbol = "NASDAQ:AAPL"\n')
    (source,) = discover(path)
    assert check(source, traded("NASDAQ:AAPL")).is_clean


def test_a_person_who_names_the_symbol_does_not_make_two_symbols_one(tmp_path: Path) -> None:
    (tmp_path / "files.toml").write_text('["x.csv"]\nsymbol = "MINE"\n')
    assert judged(tmp_path, "x.csv", "symbol", ["A", "B"]) == {"other_symbol": 1}


def test_the_rows_of_another_symbol_are_left_out_when_accepted(tmp_path: Path) -> None:
    path = write(tmp_path / "A.csv", "timestamp,symbol,price,size", rows_of("A", "A", "B", "A"))
    (source,) = discover(path)
    report = check(source, traded("A"), accept=frozenset({"other_symbol"}))
    assert (report.rows, report.dropped) == (3, 1)


@needs_arrow
def test_parquet_has_its_symbol_column_judged(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = pa.array([1_704_153_600, 1_704_153_601, 1_704_153_602])
    symbols = pa.array(["A", "B", "A"]).dictionary_encode()
    table = pa.table({"timestamp": times, "Symbol": symbols, "price": pa.array([1.0, 2.0, 3.0])})
    pq.write_table(table, tmp_path / "A_trades.parquet")
    (source,) = discover(tmp_path)
    tick: Instrument = traded("A")
    for fast in (False, True):
        assert dict(inspect_source(source, tick, fast=fast).counts) == {"other_symbol": 1}
