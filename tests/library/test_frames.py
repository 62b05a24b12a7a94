"""Tables of any library as market data: exact, judged row by row, never guessed at."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from library_helpers import T0, WORDS, ns, rows
from places import CACHE

import logos
from logos.core.instrument import FeeSchedule, instrument, rate_units
from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.core.types import SIZE_UNKNOWN
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.library.feed import FrameFeed
from logos.library.frames import FrameData
from logos.library.instruments import instrument_settings, instrument_table
from logos.session.build import make_instruments

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")


def events(*frames: FrameData) -> list[MarketEvent]:
    return [event for chunk in FrameFeed(frames).chunks() for event in chunk]


def plain(event: MarketEvent) -> tuple[object, ...]:
    """Its fields, but for the instrument, and for what only a live bar has."""
    names = [name for name in event.__struct_fields__ if name not in ("instrument", "closed_ns")]
    return tuple(getattr(event, name) for name in names)


# ---- the same events from every library ----


def columns_of(table: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in table] for name in table[0]}


MAKERS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "rows": lambda table: table,
    "columns": columns_of,
    "pandas": pd.DataFrame,
    "pandas index": lambda table: pd.DataFrame(table).set_index("timestamp"),
    "pandas, dates in New York": lambda table: (
        pd.DataFrame(table).set_index("timestamp").tz_convert("America/New_York")
    ),
    "pandas, seconds": lambda table: pd.DataFrame(table).astype(
        {"timestamp": "datetime64[s, UTC]"}
    ),
    "pandas, objects": lambda table: pd.DataFrame(table).astype("object"),
    "pandas, arrow": lambda table: pd.DataFrame(table).convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.DataFrame,
    "arrow": pa.Table.from_pylist,
    "arrow batch": pa.RecordBatch.from_pylist,
}


@pytest.mark.parametrize("maker", MAKERS)
def test_every_library_gives_the_same_events(maker: str) -> None:
    data = logos.bars(MAKERS[maker](rows()), **WORDS)
    got = events(data)
    minute_ns = 60 * 10**9
    prices = (1000, 1050, 950, 1025)
    assert [plain(event) for event in got] == [
        (ns(T0) + (number + 1) * minute_ns, "ACME", minute_ns, *prices, 100 + number)
        for number in range(3)
    ]
    expected = logos.bars(rows(), **WORDS).report.fingerprints
    assert data.report.fingerprints == expected


def test_anything_with_the_arrow_interface_is_a_table() -> None:
    class Foreign:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pa.Table.from_pylist(rows()).__arrow_c_stream__(requested_schema)

    assert len(logos.bars(Foreign(), **WORDS)) == 3


def test_without_pyarrow_an_arrow_table_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pa.Table.from_pylist(rows())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        logos.DataError, match=r"read through pyarrow, which is not installed: (pip|make)"
    ):
        logos.bars(table, **WORDS)


def test_the_bundled_files_as_frames_are_the_bundled_files() -> None:
    words = {**WORDS, "interval": "1m"}
    frame = pd.read_csv(CACHE / "ACME_1m_bars.csv", index_col=0, parse_dates=True)
    sources = discover(CACHE / "ACME_1m_bars.csv")
    feed = ReplayFeed(sources, {"ACME": ACME}, accept=frozenset({"gap"}))
    expected = [plain(event) for chunk in feed.chunks() for event in chunk]
    assert [plain(event) for event in events(logos.bars(frame, **words))] == expected


def test_quotes_and_trades() -> None:
    coin: dict[str, Any] = {"symbol": "BTCUSDT", "tick": "0.01", "lot": "0.0001", "quote": "USDT"}
    quotes = pl.DataFrame(
        {"Time": [T0, T0], "Bid": [1.01, 1.02], "ask": [1.02, 1.03], "bid_size": [0.5, None]}
    )
    trades = [{"time": T0, "price": "1.02", "size": "0.00019", "side": "Sell"}]
    first, second, third = events(logos.quotes(quotes, **coin), logos.trades(trades, **coin))
    assert isinstance(first, Quote)
    assert plain(first)[2:] == (101, 102, 5000, SIZE_UNKNOWN)
    assert plain(second)[2:] == (102, 103, SIZE_UNKNOWN, SIZE_UNKNOWN)
    assert isinstance(third, Trade)
    assert plain(third)[2:] == (102, 1, "SELL")


def test_tables_are_merged_by_time_and_then_in_their_order() -> None:
    other = {**WORDS, "symbol": "OTHER"}
    late = [{**row, "timestamp": row["timestamp"] + timedelta(minutes=1)} for row in rows()]
    merged = events(logos.bars(late, **WORDS), logos.bars(rows(), **other))
    assert [(event.symbol, (event.ts_ns - ns(T0)) // 60_000_000_000) for event in merged] == [
        *(("OTHER", 1), ("ACME", 2), ("OTHER", 2), ("ACME", 3), ("OTHER", 3), ("ACME", 4))
    ]


@pytest.mark.long
def test_many_rows_of_two_tables_come_in_order_and_in_full() -> None:
    count = 20_000

    def table(offset: int) -> pl.DataFrame:
        times = [ns(T0) + (number // 7 * 1_000) + offset for number in range(count)]
        return pl.DataFrame({"timestamp": times, "price": [1.0] * count})

    frames = [
        logos.trades(table(offset), **{**WORDS, "symbol": symbol})
        for offset, symbol in ((0, "A"), (500, "B"))
    ]
    merged = events(*frames)
    assert len(merged) == 2 * count
    assert [event.ts_ns for event in merged] == sorted(event.ts_ns for event in merged)
    assert sum(event.symbol == "A" for event in merged) == count


def test_columns_may_have_the_names_of_their_source() -> None:
    frame = pd.DataFrame(rows()).rename(columns=str.title).rename(columns={"Close": "Adj Close"})
    data = logos.bars(frame, **WORDS, columns={"close": "Adj Close"})
    assert len(data) == 3
    with pytest.raises(logos.DataError, match=r"no column close among Timestamp, Open.*columns="):
        logos.bars(frame, **WORDS)
    with pytest.raises(logos.DataError, match="has no column 'Last'"):
        logos.bars(frame, **WORDS, columns={"close": "Last"})
    with pytest.raises(logos.ConfigError, match="last is none of timestamp, open"):
        logos.bars(frame, **WORDS, columns={"last": "Close"})


# ---- order and shape ----


@pytest.mark.parametrize(
    ("change", "kind", "advice"),
    [
        ({"timestamp": T0}, "duplicate_bar", "Drop what is double"),
        ({"timestamp": T0 - timedelta(minutes=1)}, "backwards_time", "Sort the rows by time"),
        ({"timestamp": T0 + timedelta(seconds=30)}, "overlap", ""),
        ({"high": 10.0}, "high_below_low", ""),
        ({"low": 10.5, "high": 9.5}, "high_below_low", ""),
    ],
)
def test_rows_out_of_order_or_shape_are_refused(
    change: dict[str, Any], kind: str, advice: str
) -> None:
    with pytest.raises(logos.DataError) as caught:
        logos.bars(rows(**change), **WORDS, interval="1m")
    assert "  row 1 (2026-01-05" in str(caught.value)
    assert f": {kind}: " in str(caught.value)
    assert advice in str(caught.value)


def test_gaps_are_counted_and_refused_on_demand() -> None:
    table = [row for number, row in enumerate(rows(9)) if number != 4]
    assert logos.bars(table, **WORDS).report.counts == {"gap": 1}
    assert "1 gap" in repr(logos.bars(table, **WORDS))
    with pytest.raises(logos.DataError, match=r'row 4 .*gap: 120 s .*\n.*accept=\["gap"\]'):
        logos.bars(table, **WORDS, accept=())
    with pytest.raises(logos.ConfigError, match="overlap cannot be accepted in a table"):
        logos.bars(table, **WORDS, accept=["overlap"])


def test_crossed_quotes_are_refused_unless_accepted() -> None:
    table = [{"time": T0 + timedelta(seconds=n), "bid": 2, "ask": 1} for n in range(40)]
    with pytest.raises(logos.DataError, match=r"40 rows cannot be used.*(?s:.)*and 30 more"):
        logos.quotes(table, **WORDS)
    data = logos.quotes(table, **WORDS, accept=["crossed"])
    assert data.report.counts == {"crossed": 40}
    assert data.report.dropped == 0


def test_the_interval_is_the_shortest_step_or_what_is_said() -> None:
    assert logos.bars(rows(), **WORDS).source.interval_ns == 60 * 10**9
    for said in ("1m", 60 * 10**9, timedelta(minutes=1)):
        assert logos.bars(rows(2)[:1], **WORDS, interval=said).source.interval_ns == 60 * 10**9
    with pytest.raises(logos.DataError, match='give it, such as interval="1m"'):
        logos.bars(rows(2)[:1], **WORDS)
    with pytest.raises(logos.DataError, match="not an interval: 'long'"):
        logos.bars(rows(), **WORDS, interval="long")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], "no column timestamp"),
        (pd.DataFrame(rows()).head(0), "the table has no rows"),
        ("data.csv", "not a table: str"),
        (3, "not a table: int"),
        ([1, 2], "row 0 of the table is a int"),
        ({"timestamp": [T0], "open": []}, "differ in length"),
        (pd.Series([1.0]), "a pandas Series has no columns"),
        (pl.Series([1.0]), "a polars Series has no columns"),
        (pl.LazyFrame(rows()), r"give frame\.collect\(\)"),
        (pd.concat({"ACME": pd.DataFrame(rows())}, axis=1), "choose one symbol first"),
        (pd.DataFrame([[1, 2]], columns=["open", "open"]), "named twice: open, open"),
    ],
)
def test_what_is_no_table_is_refused(table: Any, message: str) -> None:
    with pytest.raises(logos.DataError, match=message):
        logos.bars(table, **WORDS)


# ---- instruments ----


def test_an_instrument_that_is_not_given_is_suggested_and_not_assumed() -> None:
    with pytest.raises(logos.ConfigError) as caught:
        logos.bars(rows(), symbol="ETHUSDT")
    assert 'tick="0.01", lot="1", quote="USDT"' in str(caught.value)
    with pytest.raises(logos.ConfigError, match="bars of X: quote must be given"):
        logos.bars(rows(), symbol="X", tick="0.01", lot="1")
    with pytest.raises(logos.ConfigError, match="did you mean 'tick'"):
        logos.bars(rows(), **WORDS, tik="0.01")  # type: ignore[call-arg]


def test_an_instrument_may_be_an_object_or_a_table() -> None:
    for given_as in (ACME, {"tick": 0.01, "lot": 1, "quote": "USD"}):
        assert logos.bars(rows(), symbol="ACME", instrument=given_as).instrument.tick == 1


def test_an_instrument_comes_back_from_the_settings_it_is_written_into() -> None:
    fees = FeeSchedule(rate_units("0.0001"), rate_units("0.0002"), 5, 7, 11, 3, "half_even")
    made = instrument(
        "FX",
        tick="0.00005",
        lot="0.01",
        quote="USD",
        base="EUR",
        multiplier="12.5",
        min_quantity="0.02",
        max_quantity="100",
        min_notional="5.5",
        settlement="margin",
        leverage=30,
        initial_margin="0.5",
        maintenance_margin="0.25",
        fees=fees,
        hours=["mon-fri 13:30-20:00", "sun 00:00-24:00"],
    )
    settings = instrument_settings("FX", instrument_table(made))
    again = make_instruments({"FX": settings})["FX"]
    for name in type(made).__slots__:
        if name not in ("fees", "_weekly"):
            assert getattr(again, name) == getattr(made, name), name
    assert instrument_table(again)["hours"] == instrument_table(made)["hours"] != []
    for name in FeeSchedule.__slots__:
        assert getattr(again.fees, name) == getattr(fees, name), name


def test_a_table_reads_like_this(tmp_path: Path) -> None:
    data = logos.bars(rows(), **WORDS)
    assert repr(data) == (
        "<logos bars of ACME: 3 rows of 1m, 2026-01-05T14:31:00Z to 2026-01-05T14:33:00Z, "
        "tick 0.01>"
    )
    assert isinstance(events(data)[0], Bar)
    assert data.symbol == "ACME"
