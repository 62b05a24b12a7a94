"""How long bars are: the commonest step, and every other one explained or asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.data.readers.numbers import format_timestamp, parse_timestamp
from logos.data.times.lengths import BarLength, find_length, length_from_text, months_length
from logos.data.times.zones import find_zone
from logos.errors import DataError

MINUTE_NS = 60 * 10**9
DAY_NS = 24 * 60 * MINUTE_NS
NEW_YORK = find_zone("America/New_York")


def moments(*texts: str) -> list[int]:
    return [parse_timestamp(text if text.endswith("Z") else f"{text}Z") for text in texts]


def session(day: str, *times: str) -> list[str]:
    return [f"{day}T{time}" for time in times]


HOURS = ("14:30", "15:00", "16:00", "17:00", "18:00", "19:00", "20:00")


@pytest.mark.parametrize(
    ("text", "shown", "length_ns"),
    [
        ("1s", "1s", 10**9),
        ("5m", "5m", 5 * MINUTE_NS),
        ("90min", "90m", 90 * MINUTE_NS),
        ("60m", "1h", 60 * MINUTE_NS),
        ("4H", "4h", 240 * MINUTE_NS),
        ("1D", "1d", DAY_NS),
        ("1wk", "1w", 7 * DAY_NS),
        ("1M", "1mo", 31 * DAY_NS),
        ("3mo", "3mo", 93 * DAY_NS),
    ],
)
def test_a_length_is_read_as_vendors_write_it(text: str, shown: str, length_ns: int) -> None:
    length = length_from_text(text)
    assert (str(length), length.ns) == (shown, length_ns)


@pytest.mark.parametrize("text", ["", "soon", "0m", "m", "1y", "-5m", "1.5h", 0, -1])
def test_anything_else_is_no_length(text: str | int) -> None:
    with pytest.raises(DataError, match="not an interval"):
        length_from_text(text)


@pytest.mark.parametrize(
    ("texts", "length", "is_last_odd"),
    [
        # An exchange day that begins at 09:30 with hours on the hour.
        (session("2024-03-04", *HOURS) + session("2024-03-05", *HOURS), "1h", False),
        # The same day in hours from its beginning.
        (session("2024-03-04", "14:30", "15:30", "16:30", "20:30")
         + session("2024-03-05", "14:30", "15:30"), "1h", False),
        # A live row at the end.
        (session("2024-03-04", "14:30", "14:31", "14:32", "14:33", "14:33:41"), "1m", True),
        (session("2024-03-04", "14:30", "14:35", "14:40", "21:00:02"), "5m", True),
        # Minutes with holes.
        (session("2024-03-04", "14:30", "14:31", "14:34", "14:35", "14:45"), "1m", False),
        # Days of a zone whose clocks change, in both directions.
        (["2024-03-07T05:00", "2024-03-08T05:00", "2024-03-11T04:00", "2024-03-12T04:00"], "1d",
         False),
        (["2024-11-01T04:00", "2024-11-02T04:00", "2024-11-03T04:00", "2024-11-04T05:00",
          "2024-11-05T05:00"], "1d", False),
        (["2024-03-04T00:00", "2024-03-11T00:00", "2024-03-18T00:00"], "1w", False),
        (["2024-01-01T00:00", "2024-02-01T00:00", "2024-03-01T00:00", "2024-05-01T00:00"], "1mo",
         False),
        (["2024-01-01T00:00", "2024-04-01T00:00", "2024-07-01T00:00"], "3mo", False),
        (["2024-01-01T00:00", "2024-02-01T00:00", "2024-03-01T00:00", "2024-03-15T00:00"], "1mo",
         True),
        # Weekends and holidays, in few rows.
        (["2024-02-16T00:00", "2024-02-20T00:00", "2024-02-21T00:00"], "1d", False),
    ],
)  # fmt: skip
def test_the_commonest_step_is_the_length(texts: list[str], length: str, is_last_odd: bool) -> None:
    found = find_length(moments(*texts))
    assert (str(found.length), found.is_last_odd) == (length, is_last_odd)


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (["2024-03-04T14:30"], "from one row"),
        ([], "from one row"),
        # 2 minutes most often, but also 1 and 3.
        (session("2024-03-04", "14:30", "14:32", "14:34", "14:36", "14:37", "14:40", "14:41"),
         "comes 1m after"),
        # 2 and 3 minutes equally often.
        (session("2024-03-04", "14:30", "14:32", "14:35", "14:37", "14:40"), "2m and 3m apart"),
        # Two rows, and two bars a day of which the first is cut short.
        (session("2024-03-04", "14:30", "15:00"), "no three rows follow each other"),
        (session("2024-03-04", "06:00", "08:00") + session("2024-03-05", "06:00", "08:00"),
         "no three rows follow each other"),
        # A row in between.
        (session("2024-03-04", "14:00", "15:00", "16:00", "16:20", "17:00", "18:00"),
         "comes 20m after"),
    ],
)  # fmt: skip
def test_what_the_rows_do_not_show_is_asked_for(texts: list[str], what: str) -> None:
    with pytest.raises(DataError, match=f"{what}.*--interval"):
        find_length(moments(*texts))


def test_months_of_a_zone_close_at_its_midnight() -> None:
    opens = ["2024-01-01T05:00", "2024-02-01T05:00", "2024-03-01T05:00", "2024-04-01T04:00"]
    found = find_length(moments(*opens), NEW_YORK)
    assert str(found.length) == "1mo"
    closes = [found.length.close_of(each, NEW_YORK) for each in moments(*opens)]
    assert list(map(format_timestamp, closes[:3])) == [f"{each}:00Z" for each in opens[1:]]


@given(
    st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Tokyo", "UTC"]),
    st.sampled_from(["1d", "1w", "1mo", "3mo"]),
    st.dates(datetime(1995, 1, 1).date(), datetime(2030, 1, 1).date()),
)
def test_bars_of_the_calendar_meet_end_to_end(name: str, text: str, day: datetime) -> None:
    """A bar's close is the next one's open, over every change of the clocks."""
    zone, length = find_zone(name), length_from_text(text)
    local = datetime(day.year, day.month, 1 if length.months else day.day)
    opens = []
    for _ in range(30):
        opens.append(int(local.replace(tzinfo=zone).timestamp()) * 10**9)
        if length.months:
            month = local.month - 1 + length.months
            local = local.replace(year=local.year + month // 12, month=month % 12 + 1)
        else:
            local += timedelta(days=length.ns // DAY_NS)
    for opened_ns, next_ns in pairwise(opens):
        assert length.close_of(opened_ns, zone) == next_ns


def test_a_bar_that_begins_at_the_end_of_a_month_is_shown_late_not_early() -> None:
    (opened_ns,) = moments("2024-01-31T00:00")
    closed_ns = months_length(1).close_of(opened_ns)
    assert closed_ns >= opened_ns + 29 * DAY_NS
    assert datetime.fromtimestamp(closed_ns // 10**9, UTC) == datetime(2024, 3, 1, tzinfo=UTC)
    assert BarLength(DAY_NS).close_of(opened_ns) == opened_ns + DAY_NS
