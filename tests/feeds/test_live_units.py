"""Figures of a source into units: the nearest tick within the noise, or nothing."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_helpers import RecordingSink, run, traded

from logos.core.types import SIZE_UNKNOWN
from logos.data.readers.numbers import RowError
from logos.feeds.common import SINGLE_TOLERANCE, Reporter, Trouble, UnitReader
from logos.feeds.contract import FeedState
from logos.feeds.sequence import RawBar
from logos.testing.clock import ManualClock


@given(st.integers(1, 10**13), st.integers(0, 8))
def test_a_double_of_a_price_gives_the_price_back(units: int, decimals: int) -> None:
    tick = "1" if decimals == 0 else f"0.{'1'.zfill(decimals)}"
    reader = UnitReader(traded(tick=tick))
    text = reader._instrument.price_text(units)
    assert reader.price(text) == reader.price(float(text)) == units


@given(st.integers(1, 800_000))
def test_a_price_that_went_through_32_bits_gives_the_price_back(cents: int) -> None:
    (single,) = struct.unpack("f", struct.pack("f", cents / 100))
    assert UnitReader(traded(), SINGLE_TOLERANCE).price(single) == cents


@pytest.mark.parametrize("figure", [0.1 + 0.2, "0.30000000000000004"])
def test_the_noise_of_a_sum_is_taken_off(figure: object) -> None:
    assert UnitReader(traded()).price(figure) == 30


@pytest.mark.parametrize(
    ("figure", "kind"),
    [
        ("100.005", "off_tick"),
        (100.0051, "off_tick"),
        (float("nan"), "not_a_number"),
        ("inf", "not_a_number"),
        (0, "non_positive_price"),
        ("-1", "non_positive_price"),
        ("", "bad_number"),
        (None, "bad_number"),
        (True, "bad_number"),
        ("1e400", "bad_number"),
    ],
)
def test_anything_else_is_refused_by_kind(figure: object, kind: str) -> None:
    with pytest.raises(RowError) as caught:
        UnitReader(traded()).price(figure)
    assert caught.value.kind == kind


def test_sizes_are_cut_and_may_be_unknown() -> None:
    reader = UnitReader(traded(lot="0.001"))
    assert reader.size("1.23456") == 1_234
    assert reader.size(8.880099999999999) == 8_880
    assert reader.size(1e-05) == 0
    assert reader.size(None) == SIZE_UNKNOWN


def test_a_bar_whose_high_is_not_the_highest_is_refused() -> None:
    with pytest.raises(RowError) as caught:
        UnitReader(traded()).bar(RawBar(0, "2", "1.5", "1", "1", "0"), 1, 1)
    assert caught.value.kind == "high_below_low"


def test_a_symbol_is_live_when_all_its_streams_are() -> None:
    async def work() -> None:
        sink = RecordingSink()
        reporter = Reporter("test", sink, ManualClock())
        quotes, trades = reporter.voice("A", "quotes"), reporter.voice("A", "trades")
        quotes.live()
        assert sink.states("A") == []
        trades.live()
        trades.trouble(Trouble("lost"), 1.0)
        quotes.live()
        assert sink.states("A") == [FeedState.LIVE, FeedState.RETRYING]
        trades.live()
        trades.live()
        assert sink.states("A") == [FeedState.LIVE, FeedState.RETRYING, FeedState.LIVE]
        trades.gap("")
        trades.gap("two are missing")
        assert sink.details(FeedState.GAP) == ["trades: two are missing"]

    run(work())


def test_rows_left_out_are_told_at_each_tenfold() -> None:
    async def work() -> None:
        sink = RecordingSink()
        reporter = Reporter("test", sink, ManualClock())
        for _ in range(250):
            reporter.leave_out("A", RowError("off_tick", "price 1.005"))
        counts = [detail.split("left out, ")[1] for detail in sink.details(FeedState.GAP)]
        assert counts == ["1 so far", "10 so far", "100 so far"]
        assert reporter.left_out["A", "off_tick"] == 250

    run(work())
