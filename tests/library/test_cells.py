"""What the cells of a table mean: times in their zones, prices on their ticks, sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_helpers import T0, WORDS, ns, rows

import logos
from logos.core.instrument import instrument
from logos.core.types import SIZE_UNKNOWN
from logos.library.amounts import PriceCells, finer_tick

# ---- times ----


NAIVE = {
    "datetime": lambda moment: moment.replace(tzinfo=None),
    "text": lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S"),
}


@pytest.mark.parametrize("spelling", NAIVE)
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, list])
def test_times_without_a_zone_are_refused_unless_the_zone_is_given(
    make: Callable[[Any], Any], spelling: str
) -> None:
    naive = [{**row, "timestamp": NAIVE[spelling](row["timestamp"])} for row in rows()]
    with pytest.raises(logos.DataError, match=r"row 0: .*names no time zone: give timezone='UTC'"):
        logos.bars(make(naive), **WORDS)
    assert logos.bars(make(naive), **WORDS, timezone="UTC").block.ts_ns[0] == ns(T0) + 60 * 10**9
    new_york = logos.bars(make(naive), **WORDS, timezone="America/New_York")
    assert new_york.block.ts_ns[0] == ns(T0) + (5 * 60 + 1) * 60 * 10**9
    fixed = logos.bars(make(naive), **WORDS, timezone=timezone(timedelta(hours=1)))
    assert fixed.block.ts_ns[0] == ns(T0) - 59 * 60 * 10**9


def test_dates_alone_are_midnights_of_their_zone() -> None:
    days = [{**row, "timestamp": date(2026, 1, 5 + n)} for n, row in enumerate(rows())]
    data = logos.bars(days, **WORDS, timezone="America/New_York")
    midnight = datetime(2026, 1, 5, tzinfo=ZoneInfo("America/New_York"))
    assert data.block.ts_ns[0] == ns(midnight) + 86_400 * 10**9
    assert repr(data).startswith("<logos bars of ACME: 3 rows of 1d")
    assert logos.bars(pl.DataFrame(days), **WORDS, timezone="UTC").source.interval_ns == (
        86_400 * 10**9
    )


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-03-08 02:30:00", "bad_timestamp: .* does not exist in America/New_York"),
        ("2026-11-01 01:30:00", "doubtful_time: .* comes twice in America/New_York"),
    ],
    ids=["an hour that is not there", "an hour that comes twice"],
)
def test_an_hour_in_which_the_clocks_change_is_refused(moment: str, words: str) -> None:
    table = rows(timestamp=moment)
    with pytest.raises(logos.DataError, match=f"row 1: {words}"):
        logos.bars(table, **WORDS, timezone="America/New_York")


def test_an_hour_that_comes_twice_is_read_by_the_order_of_rows_as_in_files() -> None:
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    moments = [start + timedelta(minutes=15 * number) for number in range(20)]
    clock = [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]
    table = {"timestamp": clock, "price": [1.0] * len(clock)}
    data = logos.trades(table, **WORDS, timezone="America/New_York")
    assert data.block.ts_ns == list(map(ns, moments))
    hours = {name: clock[::4] if name == "timestamp" else [1.0] * 5 for name in rows()[0]}
    bars = logos.bars(hours, **WORDS, timezone="America/New_York")
    assert bars.block.ts_ns == [ns(moment) + 3600 * 10**9 for moment in moments[::4]]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize(
    "moment",
    [
        *("9998-12-31", "0001-01-01 00:00:00", "9999-12-31 23:00", "1677-01-01"),
        *(datetime(9998, 1, 1), datetime(1, 1, 1), datetime(9998, 1, 1, tzinfo=UTC)),
        *(date(9999, 12, 31), date(1, 1, 1)),
    ],
)
def test_times_that_no_int64_holds_are_refused_with_their_row(moment: object, zone: str) -> None:
    words = "row 1: bad_timestamp: a time outside of the years 1677 to 2262"
    with pytest.raises(logos.DataError, match=words):
        logos.bars(rows(timestamp=moment), **WORDS, timezone=zone)


def test_each_hour_whose_passes_nothing_tells_is_named_by_its_first_row() -> None:
    times = [
        *("2025-11-02 00:30:00", "2025-11-02 01:10:00", "2025-11-02 01:20:00"),
        *("2026-11-01 01:40:00", "2026-11-01 01:50:00", "2026-11-01 02:10:00"),
    ]
    table = {"timestamp": times, "price": [1.0] * len(times)}
    with pytest.raises(logos.DataError) as refused:
        logos.trades(table, **WORDS, timezone="America/New_York")
    assert "row 1: doubtful_time: 2025-11-02 01:10:00 comes twice" in str(refused.value)
    assert "row 3: doubtful_time: 2026-11-01 01:40:00 comes twice" in str(refused.value)
    assert "2 rows cannot be used" in str(refused.value)


def test_times_beside_a_change_of_clocks_are_right() -> None:
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 3, 8, 0, 0, tzinfo=UTC)
    moments = [start + timedelta(minutes=15 * number) for number in range(200)]
    clock = [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]
    table = {"timestamp": clock, "price": [1.0] * len(clock)}
    data = logos.trades(table, **WORDS, timezone="America/New_York")
    assert data.block.ts_ns == list(map(ns, moments))


def test_numbers_are_epochs_and_nonsense_is_no_time() -> None:
    seconds = [{**row, "timestamp": int(row["timestamp"].timestamp())} for row in rows()]
    assert logos.bars(seconds, **WORDS).block.ts_ns[0] == ns(T0) + 60 * 10**9
    floats = [{**row, "timestamp": float(row["timestamp"])} for row in seconds]
    assert logos.bars(floats, **WORDS).block.ts_ns[0] == ns(T0) + 60 * 10**9
    for nonsense in ("soon", None, True, 1.5, object(), pd.NaT):
        with pytest.raises(logos.DataError, match=r"row 1: "):
            logos.bars(rows(timestamp=nonsense), **WORDS)
    with pytest.raises(logos.ConfigError, match="timezone: no time zone 'Mars' is known here"):
        logos.bars(rows(), **WORDS, timezone="Mars")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.Table.from_pylist])
def test_a_missing_time_is_named_by_its_row(make: Callable[[Any], Any]) -> None:
    with pytest.raises(logos.DataError, match="row 1: bad_timestamp: no time"):
        logos.bars(make(rows(timestamp=None)), **WORDS)


# ---- prices and sizes ----


@given(st.integers(1, 10**9), st.sampled_from(["0.01", "0.05", "0.00001", "0.25", "1", "5"]))
def test_every_tick_price_is_read_from_its_double_and_its_single(ticks: int, tick: str) -> None:
    made = instrument("X", tick=tick, lot="1", quote="USD")
    units = ticks * made.tick
    price = units / made.price_scale
    cells = PriceCells(made)
    assert cells[price] == units
    assert cells[made.price_text(units)] == units
    assert cells[Decimal(made.price_text(units))] == units
    single = float(pa.scalar(price, pa.float32()).as_py())
    if price * 2.0**-23 < float(tick) / 2:
        assert PriceCells(made)[single] == units


def test_noise_of_computed_floats_is_no_price_of_its_own() -> None:
    assert 0.1 + 0.2 != 0.3
    made = PriceCells(instrument("X", tick="0.1", lot="1", quote="USD"))
    assert made[0.1 + 0.2] == 3
    assert made[math.nextafter(65_000.1, 0)] == 650_001


@pytest.mark.parametrize(
    ("price", "kind"),
    [
        (10.255, "off_tick"),
        (10.2500001, "off_tick"),
        ("10.255", "off_tick"),
        (Decimal("10.255"), "off_tick"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
        (None, "not_a_number"),
        ("ten", "bad_number"),
        (True, "not_a_number"),
        (0.0, "non_positive_price"),
        (-1.0, "non_positive_price"),
        (0.001, "off_tick"),
        (1e300, "bad_number"),
        (123_456_789_012_345.67, "bad_number"),
    ],
)
def test_a_price_that_is_none_is_refused_with_its_row(price: object, kind: str) -> None:
    with pytest.raises(logos.DataError) as caught:
        logos.bars(rows(close=price), **WORDS)
    text = str(caught.value)
    assert "1 row cannot be used" in text
    assert "  row 1 (2026-01-05" in text
    assert f": {kind}: close: " in text


def test_an_off_tick_price_proposes_the_finer_tick() -> None:
    with pytest.raises(logos.DataError, match=r'With tick="0\.001" every price fits'):
        logos.bars(rows(close=10.255), **WORDS)
    with pytest.raises(logos.DataError, match="adjusted or averaged prices must be rounded first"):
        logos.bars(rows(close=10 + 1 / 7), **WORDS)
    assert finer_tick([10.25, 189.3300018310547, float("nan"), "x", "1.5"]) == "0.01"
    assert len(logos.bars(rows(close=10.255), **{**WORDS, "tick": "0.001"})) == 3


def test_sizes_are_cut_off_and_missing_ones_are_not_reported() -> None:
    coin = {**WORDS, "lot": "0.1"}
    data = logos.bars(rows(volume=8.880099999999999), **coin)
    assert data.block.columns[4] == [1000, 88, 1020]
    without = [{key: row[key] for key in row if key != "volume"} for row in rows()]
    assert logos.bars(without, **WORDS).block.columns[4] == [SIZE_UNKNOWN] * 3
    assert logos.bars(rows(volume=None), **WORDS).block.columns[4][1] == SIZE_UNKNOWN
    for wrong in (float("nan"), -1, "many"):
        with pytest.raises(logos.DataError, match=r"row 1 .*: volume: "):
            logos.bars(rows(volume=wrong), **WORDS)


def test_a_side_is_buy_or_sell() -> None:
    table = [{"time": T0, "price": 1, "side": "up"}]
    with pytest.raises(logos.DataError, match=r"row 0 .*bad_side: side: aggressor 'up'"):
        logos.trades(table, **WORDS)
