"""Results as DataFrames or records, and their exact figures."""

from __future__ import annotations

import csv
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from journal_helpers import spot

import logos
from logos.library.result import Result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    home = tmp_path_factory.mktemp("home")
    folder = spot(home).folder
    return logos.result(folder.name, home=home)


TABLES = {"orders": "orders", "trades": "trades", "positions": "positions", "equity": "account"}


def raw(result: Result, name: str) -> list[dict[str, str]]:
    with open(result.folder / f"{TABLES[name]}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_a_pandas_frame_with_the_rows_of_its_file(result: Result, name: str) -> None:
    frame = getattr(result, name)
    rows = raw(result, name)
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == len(rows) > 0
    assert list(frame.columns) == list(rows[0])
    time = "created" if name == "orders" else "time"
    assert str(frame[time].dtype) == "datetime64[ns, UTC]"
    assert list(frame["symbol" if name != "equity" else "currency"]) == [
        row["symbol" if name != "equity" else "currency"] for row in rows
    ]


def test_figures_are_floats_in_frames_and_exact_in_records(result: Result) -> None:
    rows = raw(result, "trades")
    assert list(result.trades["price"]) == [float(row["price"]) for row in rows]
    records = result.records("trades")
    assert [record["price"] for record in records] == [Decimal(row["price"]) for row in rows]
    assert [record["fill_id"] for record in records] == list(range(1, len(rows) + 1))
    assert [record["time"] for record in records] == [row["time"] for row in rows]
    assert result.fills is result.trades


@pytest.mark.parametrize("name", TABLES)
def test_where_only_polars_is_installed_it_is_a_polars_frame(
    result: Result, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = "created" if name == "orders" else "time"
    wanted = pd.to_datetime(raw(result, name)[0][time])
    monkeypatch.setitem(sys.modules, "pandas", None)
    frame = getattr(logos.result(result.session_id, home=result.home), name)
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(raw(result, name)[0])
    assert frame.height == len(raw(result, name))
    assert frame.schema[time] == pl.Datetime("ns", "UTC")
    assert frame[time].dt.epoch("ns").to_list()[0] == wanted.value


@pytest.mark.parametrize("name", TABLES)
def test_where_no_library_is_installed_it_is_a_list(
    result: Result, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, library, None)
    records = getattr(logos.result(result.session_id, home=result.home), name)
    assert records == result.records(TABLES[name])


def test_a_session_without_orders_has_empty_tables(tmp_path: Path) -> None:
    rows = [
        {"timestamp": f"2026-01-05T14:{n:02d}:00Z"}
        | dict.fromkeys(("open", "high"), 1)
        | dict.fromkeys(("low", "close"), 1)
        for n in range(3)
    ]
    data = logos.bars(rows, symbol="ACME", tick="0.01", lot="1", quote="USD")
    result = logos.run(logos.Strategy(), data=data, home=tmp_path)
    assert result.orders.empty
    assert "order_id" in result.orders.columns
    assert result.trades.empty
    assert not result.equity.empty


def test_text_loses_the_mark_that_is_for_spreadsheets(tmp_path: Path) -> None:
    class Tagging(logos.Strategy):
        def on_bar(self, context: logos.Context, bar: object) -> logos.Answer:
            return logos.market(logos.Side.BUY, 1, tag="=1+1")

    rows = [
        {"timestamp": f"2026-01-05T14:{n:02d}:00Z", "open": 1, "high": 1, "low": 1, "close": 1}
        for n in range(3)
    ]
    data = logos.bars(rows, symbol="ACME", tick="0.01", lot="1", quote="USD")
    result = logos.run(Tagging(), data=data, home=tmp_path)
    assert raw(result, "orders")[0]["tag"] == "'=1+1"
    assert result.orders["tag"][0] == "=1+1"


def test_a_result_shows_what_one_wants_to_know_first(result: Result) -> None:
    lines = repr(result).splitlines()
    assert lines[0].startswith(f"<logos session {result.session_id} ")
    assert " orders, " in lines[1]
    assert "realised" in lines[2]
    assert lines[-1].strip() == str(result.folder)


def test_a_table_that_there_is_not(result: Result) -> None:
    with pytest.raises(logos.LogosError, match="no table 'fees': there are orders, trades"):
        result.records("fees")
