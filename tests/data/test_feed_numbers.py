"""Text into integers: the table of spellings, and agreement with exact arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

import pytest
from feed_helpers import traded
from hypothesis import given
from hypothesis import strategies as st

from logos.data.readers.numbers import (
    PriceReader,
    RowError,
    SideReader,
    SizeReader,
    format_timestamp,
    parse_timestamp,
)

SECOND = 1_704_164_645_000_000_000  # 2024-01-02T03:04:05Z


@pytest.mark.parametrize(
    ("text", "moment_ns"),
    [
        ("2024-01-02T03:04:05Z", SECOND),
        ("2024-01-02T03:04:05.1Z", SECOND + 100_000_000),
        ("2024-01-02T03:04:05.123456789Z", SECOND + 123_456_789),
        ("2024-01-02 03:04:05Z", SECOND),
        ("2024-01-02T03:04Z", SECOND - 5_000_000_000),
        ("2024-01-02T04:04:05+01:00", SECOND),
        ("2024-01-01T22:04:05-0500", SECOND),
        ("1704164645", SECOND),
        ("1704164645123", SECOND + 123_000_000),
        ("1704164645123456", SECOND + 123_456_000),
        ("1704164645123456789", SECOND + 123_456_789),
        ("1704164645.25", SECOND + 250_000_000),
        ("1704164645123.5", SECOND + 123_500_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_times_are_read_in_every_accepted_spelling(text: str, moment_ns: int) -> None:
    assert parse_timestamp(text) == moment_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-02",
        "2024-01-02T03:04:05",
        "2024-02-30T03:04:05Z",
        "2024-01-02T24:00:00Z",
        "2024-01-02T03:04:60Z",
        "2024-01-02T03:04:05.1234567891Z",
        "2024-01-02T03:04:05.Z",
        "2024-W01-1T03:04:05Z",
        "1600-01-01T00:00:00Z",
        "2300-01-01T00:00:00Z",
        "-5",
        "99999999999999999999",
        "99999999999",
        "٢٠٢٤-01-02T03:04:05Z",
        "nan",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(RowError) as refusal:
        parse_timestamp(text)
    assert refusal.value.kind == "bad_timestamp"


@given(st.integers(min_value=-(10**18), max_value=9 * 10**18))
def test_a_time_written_is_read_back(moment_ns: int) -> None:
    text = format_timestamp(moment_ns)
    assert parse_timestamp(text) == moment_ns
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment_ns // 10**9)
    assert text.startswith(day.strftime("%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.25", ""),
        ("1.2500", ""),
        ("125e-2", ""),
        ("+1.25", ""),
        (" 1.25\t", ""),
        (".25", ""),
        ("5.", ""),
        ("1.251", "off_tick"),
        ("0.001", "off_tick"),
        ("1e-400", "off_tick"),
        ("0", "non_positive_price"),
        ("-1.25", "non_positive_price"),
        ("NaN", "not_a_number"),
        ("-inf", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("", "bad_number"),
        ("1_0", "bad_number"),
        ("0x10", "bad_number"),
        ("1,5", "bad_number"),
        ("١", "bad_number"),
        ("1e9999", "bad_number"),
        ("9" * 5000, "bad_number"),
        ("10000000000000000", "bad_number"),
    ],
)
def test_prices_are_exact_or_refused_with_a_kind(text: str, kind: str) -> None:
    reader = PriceReader(traded())
    if not kind:
        assert reader[text] == Decimal(text.strip()) * 100
        return
    with pytest.raises(RowError) as refusal:
        reader[text]
    assert refusal.value.kind == kind


def test_a_price_must_be_a_multiple_of_the_tick_not_only_of_its_decimals() -> None:
    reader = PriceReader(traded(tick="0.25"))
    assert reader["1.75"] == 175
    with pytest.raises(RowError, match=r"price 1.80 is not a multiple of the tick 0.25"):
        reader["1.80"]


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=18))
def test_sizes_are_truncated_towards_zero(size: Decimal) -> None:
    expected = int(size.quantize(Decimal("0.0001"), ROUND_DOWN).scaleb(4))
    assert SizeReader(traded())[str(size)] == expected


def test_an_empty_size_is_unknown_and_a_negative_one_refused() -> None:
    reader = SizeReader(traded())
    assert (reader[""], reader["0"], reader["8.880099999999999"]) == (-1, 0, 88800)
    with pytest.raises(RowError, match="negative size"):
        reader["-1"]


def test_sides_have_one_spelling_inside() -> None:
    reader = SideReader()
    assert [reader[text] for text in ("buy", "SELL", " b", "S", "")] == [
        *("BUY", "SELL", "BUY", "SELL", ""),
    ]
    with pytest.raises(RowError, match="neither buy nor sell"):
        reader["long"]
