"""Times of files: numbers by their size, clocks of zones by the order of rows, formats as said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.data.readers.numbers import RowError, format_timestamp, parse_timestamp
from logos.data.times.epochs import EPOCH_BANDS, likely_reading
from logos.data.times.reader import TimeReader, TimeRules
from logos.data.times.zones import ZoneClock, find_zone
from logos.errors import DataError

NEW_YORK = TimeRules("America/New_York")
HOUR_NS = 3_600_000_000_000


def read(rules: TimeRules, *texts: str, repeats: bool = False) -> list[str]:
    reader = TimeReader(rules, repeats=repeats)
    moments = [format_timestamp(reader.read(text)) for text in texts]
    assert reader.doubts(is_end=True) == []
    return moments


def refusal(text: str, rules: TimeRules | None = None) -> str:
    with pytest.raises(RowError) as caught:
        TimeReader(rules or TimeRules(), repeats=False).read(text)
    assert caught.value.kind == "bad_timestamp"
    return caught.value.detail


@pytest.mark.parametrize(
    ("text", "reads_as", "name"),
    [
        ("20240102", "YYYYMMDD, 2024-01-02", "yyyymmdd"),
        ("19870102", "YYYYMMDD, 1987-01-02", "yyyymmdd"),
        ("202401020930", "YYYYMMDDHHMM, 2024-01-02 09:30:00", "yyyymmddhhmm"),
        ("20240102093015", "YYYYMMDDHHMMSS, 2024-01-02 09:30:15", "yyyymmddhhmmss"),
        ("45293", "a spreadsheet's count of days", "excel"),
        ("45293.3958333333", "a spreadsheet's count of days", "excel"),
        ("638396640000000000", "a .NET count", "dotnet"),
        ("133483680000000000", "a Windows count", "filetime"),
        ("300000000", "no time from 1990", "epoch-s"),
        ("1.70419E+12", "written with an exponent", "as text"),
    ],
)
def test_a_number_that_is_no_epoch_is_refused_naming_what_it_seems_to_be(
    text: str, reads_as: str, name: str
) -> None:
    detail = refusal(text)
    assert reads_as in detail
    assert name in detail


@pytest.mark.parametrize(
    ("name", "text", "moment"),
    [
        ("yyyymmdd", "20240102", "2024-01-02T05:00:00Z"),
        ("yyyymmddhh", "2024010209", "2024-01-02T14:00:00Z"),
        ("yyyymmddhhmm", "202401020930", "2024-01-02T14:30:00Z"),
        ("yyyymmddhhmmss", "20240102093015", "2024-01-02T14:30:15Z"),
        ("excel", "45293.3958333333", "2024-01-02T14:30:00Z"),
        ("%d.%m.%Y %H:%M", "02.01.2024 09:30", "2024-01-02T14:30:00Z"),
        ("%Y-%m-%dT%H:%M%z", "2024-01-02T09:30+0100", "2024-01-02T08:30:00Z"),
        ("dotnet", "638397504000000000", "2024-01-02T05:00:00Z"),
        ("filetime", "133486272000000000", "2024-01-02T00:00:00Z"),
        ("epoch-s", "300000000", "1979-07-05T05:20:00Z"),
        ("epoch-ms", "300000000000.5", "1979-07-05T05:20:00.000500Z"),
    ],
)
def test_a_format_that_is_said_is_read_on_the_clock_of_the_zone(
    name: str, text: str, moment: str
) -> None:
    assert read(TimeRules("America/New_York", name), text) == [moment]


@pytest.mark.parametrize("text", ["2024010", "202401022", "2024-01-02", "20241301", "x", ""])
def test_a_format_takes_nothing_else(text: str) -> None:
    assert "yyyymmdd" in refusal(text, TimeRules("UTC", "yyyymmdd"))


def test_a_format_without_a_zone_asks_for_the_zone() -> None:
    assert "--timezone" in refusal("20240102", TimeRules("", "yyyymmdd"))


def test_the_sizes_of_the_four_units_do_not_touch() -> None:
    ends = [end for first, beyond, _ in EPOCH_BANDS for end in (first, beyond)]
    assert ends == sorted(set(ends))


@given(
    st.integers(645_000_000 * 10**9, 4_102_444_800 * 10**9 - 1),
    st.sampled_from([10**9, 10**6, 10**3, 1]),
)
def test_every_unit_with_decimals_reads_to_the_same_nanosecond(moment_ns: int, unit: int) -> None:
    whole, part = divmod(moment_ns, unit)
    digits = len(str(unit)) - 1
    text = f"{whole}.{part:0{digits}d}" if digits else str(whole)
    assert parse_timestamp(text) == moment_ns


@pytest.mark.long
@given(st.from_regex(r"[0-9]{1,19}(\.[0-9]{0,20})?", fullmatch=True))
def test_a_number_is_a_time_from_1990_to_2099_or_refused_with_a_reason(text: str) -> None:
    try:
        moment_ns = parse_timestamp(text)
    except RowError:
        assert likely_reading(text)
        return
    assert 1990 <= (datetime(1970, 1, 1) + timedelta(seconds=moment_ns // 10**9)).year < 2100


@pytest.mark.parametrize(
    "text", ["2024-03-08 09:30:00", "2024-03-08T09:30", "2024-03-08 09:30:00.5", "2024-03-08"]
)
def test_a_time_without_a_zone_is_refused_until_one_is_said(text: str) -> None:
    assert "--timezone" in refusal(text)
    assert read(TimeRules("UTC"), text)[0].startswith("2024-03-08T")


def test_a_time_with_its_zone_keeps_it() -> None:
    texts = ["2024-03-08T09:30:00Z", "2024-03-08T10:30:00+01:00", "1709890200"]
    assert read(NEW_YORK, *texts) == ["2024-03-08T09:30:00Z"] * 3


def test_the_second_pass_of_the_repeated_hour_is_the_later_one() -> None:
    texts = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    moments = read(NEW_YORK, *[f"2024-11-03 {text}:00" for text in texts])
    assert [moment[11:16] for moment in moments] == [
        "04:30", "05:00", "05:30", "06:00", "06:30", "07:00",
    ]  # fmt: skip


def test_an_hourly_bar_that_repeats_is_the_later_one_and_a_tick_that_repeats_is_not() -> None:
    texts = [f"2024-11-03 {text}" for text in ("00:00", "01:00", "01:00", "02:00")]
    assert read(NEW_YORK, *texts)[1:3] == ["2024-11-03T05:00:00Z", "2024-11-03T06:00:00Z"]
    ticks = [f"2024-11-03 {text}" for text in ("01:10", "01:10", "01:05", "02:00")]
    assert [each[11:16] for each in read(NEW_YORK, *ticks, repeats=True)] == [
        "05:10", "05:10", "06:05", "07:00",
    ]  # fmt: skip


def test_a_repeated_hour_that_no_row_settles_is_named() -> None:
    reader = TimeReader(NEW_YORK, repeats=False)
    for text in ("2024-11-03 00:30", "2024-11-03 01:30", "2024-11-03 02:30"):
        reader.read(text)
    (doubt,) = reader.doubts()
    assert "2024-11-03 01:30:00 comes twice in America/New_York" in doubt
    assert reader.doubts(is_end=True) == []


def test_a_repeated_hour_at_the_end_of_the_rows_is_named() -> None:
    reader = TimeReader(NEW_YORK, repeats=False)
    reader.read("2024-11-03 01:30")
    assert reader.doubts() == []
    assert len(reader.doubts(is_end=True)) == 1


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/New_York", "2024-03-10 02:30:00"),
        ("Europe/Berlin", "2024-03-31 02:00:00"),
        ("Australia/Lord_Howe", "2024-10-06 02:15:00"),
    ],
)
def test_a_time_that_does_not_exist_is_named(zone: str, text: str) -> None:
    assert f"{text} does not exist in {zone}" in refusal(text, TimeRules(zone))


@pytest.mark.long
@pytest.mark.parametrize(
    "zone",
    [
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "America/Sao_Paulo",
        "Africa/Casablanca",
    ],
)
@given(
    start=st.datetimes(datetime(1995, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    step_min=st.sampled_from([5, 15, 30]),
)
def test_rows_in_order_come_back_as_the_moments_they_were(
    zone: str, start: datetime, step_min: int
) -> None:
    """Any ten days on any zone's clock: the same moments, unless a doubt is named."""
    tz = ZoneInfo(zone)
    first = start.replace(minute=0, second=0, microsecond=0)
    moments = [first + timedelta(minutes=step_min * row) for row in range(10 * 24 * 60 // 30)]
    reader = TimeReader(TimeRules(zone), repeats=False)
    found = [reader.read(moment.astimezone(tz).strftime("%Y-%m-%d %H:%M:%S")) for moment in moments]
    assert found == [int(moment.timestamp()) * 10**9 for moment in moments] or reader.doubts(
        is_end=True
    )


def test_unknown_zones_and_formats_are_refused() -> None:
    with pytest.raises(DataError, match="no time zone 'Mars'"):
        TimeRules("Mars")
    with pytest.raises(DataError, match="time format 'sometimes'"):
        TimeRules("UTC", "sometimes")
    assert ZoneClock(find_zone("utc"), repeats=True).moment_ns(5) == 5


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        *(("", "9998-12-31 00:00:00"), ("", "0001-01-01"), ("yyyymmdd", "99991231")),
        *(("%d.%m.%Y", "01.01.1500"), ("%Y-%m-%d %z", "9999-12-31 -0900"), ("excel", "2958465")),
    ],
)
def test_times_that_no_int64_holds_are_refused(zone: str, time_format: str, text: str) -> None:
    with pytest.raises(RowError, match="outside of the years 1677 to 2262"):
        TimeReader(TimeRules(zone, time_format), repeats=True).read(text)
