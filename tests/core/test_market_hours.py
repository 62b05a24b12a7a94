"""Hours with a time zone, exchange calendars, and the end of day orders, each by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.instrument import Instrument, instrument
from logos.core.strategy import limit, market
from logos.core.terms.market_hours import MarketSessions, WeeklyHours
from logos.core.types import NS_PER_DAY, Code, Side, TimeInForce
from logos.data.market_sessions import (
    read_sessions,
    sessions_of,
    sessions_text,
    time_zone,
    zoned_sessions,
)
from logos.data.readers.numbers import parse_timestamp
from logos.errors import DataError
from logos.testing.builders import Scripted, ends_in, quote, refusals_in, run, trading_core

NEW_YORK = ["mon-fri 09:30-16:00"]


def ns(text: str) -> int:
    return parse_timestamp(text if "T" in text else f"{text}T00:00Z")


def traded(*hours: str) -> Instrument:
    return instrument("X", tick="0.01", lot="1", quote="USD", hours=hours)


@pytest.mark.parametrize(
    ("hours", "made", "ends"),
    [
        (["mon-fri 13:30-20:00"], "2024-01-02T15:00Z", "2024-01-02T20:00Z"),
        (["mon-fri 13:30-20:00"], "2024-01-05T21:00Z", "2024-01-08T20:00Z"),  # closed: the next
        (["mon-fri 01:30-04:00", "mon-fri 05:00-08:00"], "2024-01-02T02:00Z", "2024-01-02T08:00Z"),
        (["mon-fri 01:30-04:00", "mon-fri 05:00-08:00"], "2024-01-02T04:30Z", "2024-01-02T08:00Z"),
        (["sun 22:00-24:00", "mon-fri 00:00-22:00"], "2024-01-07T23:00Z", "2024-01-08T22:00Z"),
        (["sun 23:00-24:00", "mon-thu 00:00-22:00", "mon-thu 23:00-24:00", "fri 00:00-22:00"],
         "2024-01-08T10:00Z", "2024-01-08T22:00Z"),
        (["sun 23:00-24:00", "mon-thu 00:00-22:00", "mon-thu 23:00-24:00", "fri 00:00-22:00"],
         "2024-01-08T23:30Z", "2024-01-09T22:00Z"),
        (["mon-sun 00:00-24:00"], "2024-01-02T15:00Z", "2024-01-03T00:00Z"),  # it never closes
        (["sat-sun 10:00-12:00"], "2024-01-01T00:00Z", "2024-01-06T12:00Z"),
    ],
)  # fmt: skip
def test_a_day_order_ends_with_the_session_of_its_market(
    hours: list[str], made: str, ends: str
) -> None:
    assert traded(*hours).day_end_ns(ns(made)) == ns(ends)
    dated = traded()
    weeks = [(start, end) for start, end in traded(*hours).hours]
    sessions = zoned_sessions(weeks, ZoneInfo("UTC"), ns(made) - 9 * NS_PER_DAY, ns(ends))
    dated.sessions = MarketSessions(sessions)
    if len(hours) > 1 or hours[0][0:7] != "mon-sun":
        assert dated.day_end_ns(ns(made)) == ns(ends)
        assert dated.sessions.moments() == sessions


def test_a_day_order_without_hours_ends_with_the_utc_day() -> None:
    assert traded().day_end_ns(ns("2024-01-02T15:00Z")) == ns("2024-01-03")


def test_a_day_order_expires_at_the_close_and_not_at_midnight() -> None:
    share = traded("mon-fri 13:30-20:00")
    order = limit(Side.BUY, 1, "9", time_in_force=TimeInForce.DAY)
    core = trading_core(Scripted({1: order}), share)
    moments = ["2024-01-02T15:00Z", "2024-01-02T19:59Z", "2024-01-02T20:00Z"]
    records = run(core, [quote(share, ns(each), "10", "10.01") for each in moments])
    assert ends_in(records) == {1: "EXPIRED DAY_ENDED"}
    night = traded("sun 22:00-24:00", "mon-fri 00:00-22:00")
    moments = ["2024-01-07T23:00Z", "2024-01-08T00:30Z"]
    core = trading_core(Scripted({1: order}), night)
    assert ends_in(run(core, [quote(night, ns(each), "10", "10.01") for each in moments])) == {
        1: "CANCELLED SESSION_ENDED"
    }


def test_new_york_opens_an_hour_earlier_in_utc_in_summer() -> None:
    made = traded(*NEW_YORK)
    found = sessions_of("", "America/New_York", made, ns("2024-03-08"), ns("2024-03-11"))
    assert "2024-03-08T14:30Z/2024-03-08T21:00Z" in found
    assert "2024-03-11T13:30Z/2024-03-11T20:00Z" in found
    assert sessions_text(read_sessions(found)) == found


def test_orders_are_refused_by_the_clock_of_the_market() -> None:
    share = traded()
    found = sessions_of(
        "", "America/New_York", traded(*NEW_YORK), ns("2024-03-08"), ns("2024-03-11")
    )
    share.sessions = MarketSessions(read_sessions(found))
    core = trading_core(Scripted({n: market(Side.BUY, 1) for n in (1, 2, 3)}), share)
    moments = ["2024-03-08T14:00Z", "2024-03-08T14:30Z", "2024-03-11T14:00Z", "2024-03-11T14:01Z"]
    records = run(core, [quote(share, ns(each), "10", "10.01") for each in moments])
    assert refusals_in(records) == [Code.MARKET_CLOSED]  # 14:00 is too early in winter only


def test_hours_that_a_change_of_the_clock_leaves_out_or_repeats_are_taken_wide() -> None:
    night = traded("sun 01:30-02:30")
    zone = time_zone("America/New_York")
    [spring] = zoned_sessions(night.hours, zone, ns("2024-03-10T12:00Z"), ns("2024-03-10T12:00Z"))
    assert sessions_text([spring]) == ["2024-03-10T06:30Z/2024-03-10T07:30Z"]
    [autumn] = zoned_sessions(night.hours, zone, ns("2024-11-03T12:00Z"), ns("2024-11-03T12:00Z"))
    assert sessions_text([autumn]) == ["2024-11-03T05:30Z/2024-11-03T07:30Z"]


def test_what_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="no time zone 'America/Neverwhere' is known here"):
        time_zone("America/Neverwhere")
    with pytest.raises(DataError, match=r"no time zone '\.\./etc/passwd'"):
        time_zone("../etc/passwd")
    with pytest.raises(DataError, match=r"sessions: .*write each like 2024-01-02T14:30Z/"):
        read_sessions(["2024-01-02 to 2024-01-03"])


@pytest.mark.parametrize(
    "sessions", [[[1]], [[1, 2, 3]], [[2, 2]], [[2, 1]], [[1, 5], [4, 6]], [[1, 4, 3, 6]]]
)
def test_sessions_that_are_none_are_refused(sessions: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="session"):
        MarketSessions(sessions)


steps = some.lists(some.integers(0, 4), min_size=2, max_size=14)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(steps, some.integers(-3, 40), some.integers(0, 8))
def test_dated_sessions_answer_as_a_list_that_is_searched_through(
    gaps: list[int], moment: int, later: int
) -> None:
    spans, now = [], 0
    for opens, closes in zip(gaps[::2], gaps[1::2], strict=False):
        spans.append((now + opens, now + opens + closes + 1))
        now = spans[-1][1]
    dated = MarketSessions([list(span) for span in spans])

    def is_open(at: int) -> bool:
        return any(opens <= at < closes for opens, closes in spans)

    assert dated.is_open(moment) == is_open(moment)
    whole = all(is_open(at) for at in range(moment, moment + later + 1))
    assert dated.has_been_open(moment, moment + later) == whole
    some_of_it = any(is_open(at) for at in range(moment, moment + later))
    assert dated.is_open_in(moment, moment + later) == (is_open(moment) or some_of_it)


@settings(max_examples=150, deadline=None)
@given(
    some.sampled_from(["America/New_York", "Europe/London", "Asia/Hong_Kong", "Australia/Sydney"]),
    some.integers(0, 364),
    some.integers(0, 1439),
)
def test_a_moment_is_open_when_the_clock_on_the_wall_says_so(
    name: str, day: int, minute: int
) -> None:
    zone = ZoneInfo(name)
    moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
    moment_ns = int(moment.timestamp()) * 10**9
    sessions = MarketSessions(zoned_sessions(traded(*NEW_YORK).hours, zone, moment_ns, moment_ns))
    wall = moment.astimezone(zone)
    is_open = wall.weekday() < 5 and (9, 30) <= (wall.hour, wall.minute) < (16, 0)
    assert sessions.is_open(moment_ns) == is_open


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(some.integers(0, 7 * 1440 - 1), some.sampled_from(
    [["mon-fri 13:30-20:00"], ["mon-fri 01:30-04:00", "mon-fri 05:00-08:00"],
     ["sun 22:00-24:00", "mon-fri 00:00-22:00"], ["tue 00:00-24:00", "wed 10:00-11:00"]],
))  # fmt: skip
def test_a_session_ends_when_its_market_is_closing(minute: int, hours: list[str]) -> None:
    share = traded(*hours)
    made_ns = ns("2024-01-01") + minute * 60 * 10**9
    end_ns = WeeklyHours(share.hours).day_end_ns(made_ns)
    assert end_ns > made_ns
    assert share.is_open(end_ns - 1)
    assert not share.is_open(end_ns)
