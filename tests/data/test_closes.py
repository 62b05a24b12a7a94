"""When bars are shown: at their close or later, never before, whatever the file is like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from feed_helpers import (
    BAR_HEADER,
    READERS,
    events_of,
    instruments_of,
    market_folder,
    traded,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.messages import Bar, QuoteBar
from logos.data.check import check, inspect_source
from logos.data.convert import repair
from logos.data.defects import KEEPING_KINDS, SAID_KINDS
from logos.data.readers.numbers import format_timestamp, parse_timestamp
from logos.data.readers.optional import arrow_available
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource, discover
from logos.data.times.reader import TimeRules
from logos.errors import DataError

SECOND_NS = 10**9
UNIT = traded("A")
HARMLESS = KEEPING_KINDS | SAID_KINDS


def file_of(folder: Path, times: list[str], name: str = "A.csv") -> Path:
    return write(
        folder / name, BAR_HEADER, [f"{each},10,12,9,11,{n}" for n, each in enumerate(times)]
    )


def shown(source: DataSource, *, fast: bool = False) -> list[tuple[str, str]]:
    """(when a bar is shown, when it opened) of every event, without seconds and zone."""
    report = inspect_source(source, traded("A"), fast=fast)
    assert report.counts.keys() <= HARMLESS, report.defects
    events = events_of(source, fast=fast, accept=KEEPING_KINDS, instrument=traded("A"))
    assert all(isinstance(event, Bar) for event in events)
    return [
        (format_timestamp(event.ts_ns)[:16], format_timestamp(event.opened_ns)[:16])
        for event in events
    ]


IB_HOURS = ("14:30", "15:00", "16:00", "17:00")


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("name", ["A.csv", "A_1h.csv"])
def test_the_first_bar_of_a_session_that_begins_within_the_hour_is_cut_short(
    tmp_path: Path, name: str, fast: bool
) -> None:
    times = [f"2024-03-0{day}T{time}:00Z" for day in (4, 5) for time in IB_HOURS]
    (source,) = discover(file_of(tmp_path, times, name))
    assert source.interval_ns == 3600 * SECOND_NS
    day = shown(source, fast=fast)[:4]
    assert [(late[11:], early[11:]) for late, early in day] == [
        ("15:00", "14:30"),
        ("16:00", "15:00"),
        ("17:00", "16:00"),
        ("18:00", "17:00"),
    ]


@pytest.mark.parametrize("fast", READERS)
def test_a_bar_in_between_is_an_overlap_and_not_a_session(tmp_path: Path, fast: bool) -> None:
    times = [f"2024-03-04T{time}:00Z" for time in ("13:00", "14:00", "14:20", "15:00", "16:00")]
    (source,) = discover(file_of(tmp_path, times), rules=TimeRules(interval="1h"))
    report = inspect_source(source, traded("A"), fast=fast)
    # 14:20 is followed by 15:00, as a session's first bar is, but 14:00 had not ended.
    assert report.counts == {"overlap": 1}


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("last", ["14:33:41", "20:00:02"])
def test_a_live_row_at_the_end_is_left_out_and_said(tmp_path: Path, last: str, fast: bool) -> None:
    times = [f"2024-03-04T14:{minute}:00Z" for minute in (30, 31, 32, 33)]
    (source,) = discover(file_of(tmp_path, [*times, f"2024-03-04T{last}Z"]))
    report = check(source, traded("A"), accept=frozenset({"gap"}), fast=fast)
    assert (report.rows, report.counts["odd_last_row"], report.dropped) == (4, 1, 1)
    assert report.defects[-1].line == 6
    assert shown(source, fast=fast)[-1] == ("2024-03-04T14:34", "2024-03-04T14:33")


@pytest.mark.parametrize("fast", READERS)
def test_months_go_by_the_calendar(tmp_path: Path, fast: bool) -> None:
    times = [f"2024-{month:02d}-01T00:00:00Z" for month in (1, 2, 3, 5)]
    for name in ("A.csv", "A_1mo.csv", "A_1M.csv"):
        (source,) = discover(file_of(tmp_path, times, name))
        assert source.months == 1
        assert [late[:10] for late, _ in shown(source, fast=fast)] == [
            "2024-02-01", "2024-03-01", "2024-04-01", "2024-06-01",
        ]  # fmt: skip
        report = inspect_source(source, traded("A"), fast=fast)
        assert report.counts == {"gap": 1}


@pytest.mark.parametrize("fast", READERS)
def test_days_of_a_zone_end_with_the_next_day_over_a_change_of_the_clocks(
    tmp_path: Path, fast: bool
) -> None:
    days = [
        *("2024-03-08T05:00", "2024-03-09T05:00", "2024-03-10T05:00", "2024-03-11T04:00"),
        *("2024-03-12T04:00", "2024-11-02T04:00", "2024-11-03T04:00", "2024-11-04T05:00"),
    ]
    (source,) = discover(file_of(tmp_path, [f"{day}:00Z" for day in days]))
    closes = [late for late, _ in shown(source, fast=fast)]
    assert closes[:4] == days[1:5]
    assert closes[5:7] == days[6:8]
    (said,) = discover(source.path, rules=TimeRules("America/New_York"))
    assert [late for late, _ in shown(said, fast=fast)][:4] == days[1:5]
    assert inspect_source(said, traded("A"), fast=fast).counts == {"gap": 1}


@pytest.mark.parametrize("fast", READERS)
def test_a_day_that_may_have_25_hours_is_shown_late_and_said(tmp_path: Path, fast: bool) -> None:
    days = ["2024-10-31T04:00", "2024-11-01T04:00", "2024-11-04T05:00", "2024-11-05T05:00"]
    (source,) = discover(file_of(tmp_path, [f"{day}:00Z" for day in days]))
    assert shown(source, fast=fast)[1] == ("2024-11-02T05:00", "2024-11-01T04:00")
    report = inspect_source(source, traded("A"), fast=fast)
    assert report.counts == {"shown_late": 1, "gap": 1}
    (said,) = discover(source.path, rules=TimeRules("America/New_York"))
    assert shown(said, fast=fast)[1] == ("2024-11-02T04:00", "2024-11-01T04:00")


@pytest.mark.parametrize("fast", READERS)
def test_bars_stamped_with_their_close_are_shown_at_it(tmp_path: Path, fast: bool) -> None:
    times = [f"2024-03-04T{time}:00Z" for time in ("15:00", "16:00", "17:00", "18:00")]
    path = file_of(tmp_path, times)
    (source,) = discover(path, rules=TimeRules(stamp="close"))
    assert shown(source, fast=fast)[0] == ("2024-03-04T15:00", "2024-03-04T14:00")
    out = repair(source, traded("A"), tmp_path / "B_1h.csv").paths[0]
    assert shown(discover(out)[0], fast=fast) == shown(source, fast=fast)


def test_a_name_that_the_rows_contradict_is_refused(tmp_path: Path) -> None:
    times = [f"2024-03-04T{hour:02d}:00:00Z" for hour in range(8)]
    path = file_of(tmp_path, times, "A_1m.csv")
    with pytest.raises(DataError, match="its name says bars of 1m, and its rows are 1h apart"):
        discover(path)
    (source,) = discover(path, rules=TimeRules(interval="1h"))
    assert source.interval_ns == 3600 * SECOND_NS


def test_what_is_said_of_one_file_stands_in_files_toml(tmp_path: Path) -> None:
    file_of(tmp_path, ["2024-03-08 09:30", "2024-03-08 09:31", "2024-03-08 09:32"])
    (tmp_path / "files.toml").write_text(
        '["A.csv"]\ntimezone = "America/New_York"\nstamp = "close"\n'
    )
    (source,) = discover(tmp_path)
    assert shown(source)[0] == ("2024-03-08T14:30", "2024-03-08T14:29")


@pytest.mark.parametrize("fast", READERS)
def test_a_repeated_hour_that_no_row_settles_refuses_the_file(tmp_path: Path, fast: bool) -> None:
    times = [f"2024-11-03 {time}" for time in ("00:30", "01:30", "02:30")]
    (source,) = discover(file_of(tmp_path, times, "A_1h.csv"), rules=TimeRules("America/New_York"))
    with pytest.raises(DataError, match=r"doubtful_time x1(?s:.)*cannot be accepted"):
        check(source, traded("A"), accept=frozenset({"gap"}), fast=fast)


@pytest.mark.parametrize("fast", READERS)
def test_a_number_after_next_year_is_refused_where_a_clock_is(tmp_path: Path, fast: bool) -> None:
    # Seconds since 1900, as NTP counts them.
    path = file_of(tmp_path, [str(3_913_056_000 + 60 * row) for row in range(3)])
    (source,) = discover(path)
    now_ns = parse_timestamp("2026-11-30T00:00:00Z")
    report = inspect_source(source, traded("A"), fast=fast, now_ns=now_ns)
    assert report.counts == {"doubtful_time": 3}
    later_ns = parse_timestamp("2092-01-01T00:00:00Z")
    assert inspect_source(source, traded("A"), fast=fast, now_ns=later_ns).rows == 3
    assert len(shown(source, fast=fast)) == 3, "a replay looks at no clock"


# --- Look-ahead, on generated files ---------------------------------------------------------


@dataclass(frozen=True)
class TrueBar:
    """Opens and closes of a bar as its maker knew them."""

    opened: datetime
    closed: datetime


ZONES = ("UTC", "America/New_York", "Europe/London", "Asia/Tokyo", "Australia/Lord_Howe")


def day_bars(
    day: datetime, minutes: int, hours: tuple[int, int], *, is_aligned: bool
) -> Iterator[TrueBar]:
    """Bars of one local day from hours[0] to hours[1] (minutes), cut short at both ends."""
    opens, closes = hours
    at = opens
    while at < closes:
        end = (at // minutes + 1) * minutes if is_aligned else at + minutes
        end = min(end, closes)
        early, late = (_moment(day, minute) for minute in (at, end))
        if early < late:
            yield TrueBar(early, late)
        at = end


def _moment(day: datetime, minute: int) -> datetime:
    return (day + timedelta(minutes=minute)).replace(tzinfo=day.tzinfo).astimezone(UTC)


def _written(at: datetime, form: str, zone: ZoneInfo) -> str:
    """A moment as a file of that form has it."""
    if form == "local":
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if form == "iso":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(at.timestamp()) * (1000 if form == "milliseconds" else 1))


@st.composite
def true_bars(draw: st.DrawFn) -> tuple[ZoneInfo, list[TrueBar]]:
    """A market's bars over some weeks, often over a change of the clocks, with holes."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    start = draw(st.sampled_from([(2024, 3, 1), (2024, 3, 25), (2024, 10, 1), (2024, 10, 28)]))
    day = datetime(*start, tzinfo=zone)
    kind = draw(st.sampled_from(["5", "30", "60", "240", "day", "week", "month"]))
    bars: list[TrueBar] = []
    if kind in ("day", "week", "month"):
        for _ in range(draw(st.integers(4, 14))):
            if kind == "month":
                after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=zone)
                day = day.replace(day=1)
            else:
                after = day + timedelta(days=1 if kind == "day" else 7)
            bars.append(TrueBar(day.astimezone(UTC), after.astimezone(UTC)))
            day = after
    else:
        hours = draw(st.sampled_from([(570, 960), (0, 1440), (555, 930)]))
        is_aligned = draw(st.booleans())
        for offset in range(draw(st.integers(1, 8))):
            local = day + timedelta(days=offset)
            if hours == (0, 1440) or local.weekday() < 5:
                bars += day_bars(local, int(kind), hours, is_aligned=is_aligned)
        bars = bars[: draw(st.integers(3, 300))]
    holes = draw(st.sets(st.integers(0, max(len(bars) - 1, 0)), max_size=len(bars) // 3))
    return zone, [bar for place, bar in enumerate(bars) if place not in holes]


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(
    market=true_bars(),
    form=st.sampled_from(["iso", "seconds", "milliseconds", "local"]),
    is_zone_said=st.booleans(),
    stamp=st.sampled_from(["", "open", "close"]),
    live_s=st.integers(0, 50),
)
def test_no_bar_is_shown_before_it_has_closed(
    market: tuple[ZoneInfo, list[TrueBar]],
    form: str,
    is_zone_said: bool,
    stamp: str,
    live_s: int,
) -> None:
    """Read, each event is at or after the last instant its prices come from; or refused."""
    zone, bars = market
    if live_s > 40 and bars:  # a live row at the end, of a bar that is not over
        last = bars[-1].closed
        bars.append(TrueBar(last + timedelta(seconds=live_s), last + timedelta(seconds=live_s)))
    moments = [bar.closed if stamp == "close" else bar.opened for bar in bars]
    is_said = is_zone_said or form == "local"
    rules = TimeRules(zone.key if is_said else "", stamp=stamp)
    with TemporaryDirectory() as folder:
        path = file_of(Path(folder), [_written(moment, form, zone) for moment in moments])
        try:
            (source,) = discover(path, rules=rules)
            check(source, traded("A"), accept=KEEPING_KINDS)
        except DataError:
            return
        events = events_of(source, fast=False, accept=KEEPING_KINDS, instrument=UNIT)
        if arrow_available():
            assert events == events_of(source, fast=True, accept=KEEPING_KINDS, instrument=UNIT)
        for event in events:
            assert isinstance(event, Bar)
            bar = bars[event.volume_units // 10_000]
            assert event.ts_ns >= int(bar.closed.timestamp()) * SECOND_NS
            assert event.opened_ns <= event.ts_ns
        assert [event.ts_ns for event in events] == sorted({event.ts_ns for event in events})


@pytest.mark.long
def test_no_bar_of_the_real_recordings_is_shown_before_it_has_closed() -> None:
    """All files, fast and careful: a bar at its open and the length its README names."""
    lengths = {"1m": 60 * SECOND_NS, "1d": 86_400 * SECOND_NS}
    sources = discover(market_folder())
    instruments = instruments_of(sources)
    for source in sources:
        feed = ReplayFeed([source], instruments, accept=KEEPING_KINDS)
        events = [event for chunk in feed.chunks() for event in chunk]
        lines = source.path.read_text().splitlines()[1:]
        written = {parse_timestamp(line.partition(",")[0]) for line in lines}
        if source.kind in ("quotes", "trades"):
            assert {event.ts_ns for event in events} == written
            continue
        length_ns = lengths["1d" if "_1d_" in source.path.name else "1m"]
        for event in events:
            assert isinstance(event, Bar | QuoteBar)
            assert event.opened_ns in written
            assert event.ts_ns == event.opened_ns + length_ns
