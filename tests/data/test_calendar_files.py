"""Files of calendars: explicit sessions that a session reads, hashes and goes no further than."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import calendar_library  # noqa: F401  skips all of this without the library
import pytest
from feed_helpers import BAR_HEADER, READERS, write

from logos import Side, Strategy, market, session
from logos.audit.verify import verify
from logos.cli.main import main
from logos.config import ConfigError
from logos.core.instrument import instrument
from logos.core.terms.market_hours import MarketSessions
from logos.data.beside.calendars import read_calendar, sessions_between, write_calendar
from logos.data.check import inspect_source
from logos.data.market_sessions import read_sessions, sessions_text
from logos.data.readers.numbers import parse_timestamp
from logos.data.source import discover
from logos.errors import DataError


class Each(Strategy):
    """Buys at every bar."""

    def on_bar(self, context: Any, bar: Any) -> Any:
        return market(Side.BUY, 1)


def made(path: Path, first: str, last: str, name: str = "XNYS") -> list[str]:
    write_calendar(name, date.fromisoformat(first), date.fromisoformat(last), path)
    return sessions_text(read_calendar(path).sessions)


# ---- the file ----


@pytest.mark.long
def test_it_has_holidays_half_days_and_clock_changes(tmp_path: Path) -> None:
    found = made(tmp_path / "c.toml", "2024-03-08", "2024-07-05")
    assert found[:2] == [
        "2024-03-08T14:30Z/2024-03-08T21:00Z",
        "2024-03-11T13:30Z/2024-03-11T20:00Z",
    ]
    assert found[-2:] == [
        "2024-07-03T13:30Z/2024-07-03T17:00Z",
        "2024-07-05T13:30Z/2024-07-05T20:00Z",
    ]
    assert not [each for each in found if each.startswith(("2024-03-29", "2024-05-27"))]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "day", "expected"),
    [
        ("XHKG", "2024-07-02", "01:30Z/T04:00Z/T05:00Z/T08:00Z"),  # a break at noon
        ("XTKS", "2024-12-30", "00:00Z/T02:30Z/T03:30Z/T06:30Z"),
        ("XLON", "2024-12-24", "08:00Z/T12:30Z"),  # a half day
        ("XASX", "2024-10-07", "23:00Z"),  # its day begins on the evening before, UTC
    ],
)
def test_the_days_are_those_of_the_exchange(
    tmp_path: Path, name: str, day: str, expected: str
) -> None:
    (found,) = made(tmp_path / "c.toml", day, day, name)
    clocks = "/".join(each[10:] for each in found.split("/")).removeprefix("T")
    assert clocks.startswith(expected)


@pytest.mark.long
def test_equal_calls_write_equal_files_and_nothing_is_overwritten(tmp_path: Path) -> None:
    made(tmp_path / "a.toml", "2024-01-01", "2024-01-31")
    made(tmp_path / "b.toml", "2024-01-01", "2024-01-31")
    assert (tmp_path / "a.toml").read_bytes() == (tmp_path / "b.toml").read_bytes()
    with pytest.raises(DataError, match="exists already"):
        made(tmp_path / "a.toml", "2024-01-01", "2024-01-31")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "first", "last", "words"),
    [
        ("XNOPE", "2024-01-01", "2024-01-31", "calendar 'XNOPE'"),
        ("XNYS", "2024-02-01", "2024-01-31", "is before --from"),
        ("XNYS", "2024-12-25", "2024-12-25", "has no session"),
    ],
)
def test_what_cannot_be_made_leaves_no_file(
    tmp_path: Path, name: str, first: str, last: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        made(tmp_path / "new" / "c.toml", first, last, name)
    assert not (tmp_path / "new" / "c.toml").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('from = "2024-01-02"', "", "from is missing"),
        ('from = "2024-01-02"', 'from = "soon"', "isoformat"),
        ('from = "2024-01-02"', 'from = "2024-01-03"', "is not between"),
        ('calendar = "XNYS"', 'calender = "XNYS"', "unknown key 'calender'"),
        ("2024-01-02T21:00Z", "2024-01-02T13:00Z", "sessions follow each other"),
        ("2024-01-02T21:00Z", "2024-01-02", "sessions"),
        ("sessions = [", "sessions = [ 7,", "list of texts"),
        ("]\n", "]", "newline"),
        ('21:00Z",\n]\n', "21:0", "no file of a calendar"),
    ],
)
def test_a_file_that_was_changed_is_refused_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    path = tmp_path / "c.toml"
    made(path, "2024-01-02", "2024-01-02")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=words):
        read_calendar(path)


@pytest.mark.long
def test_it_is_asked_for_no_day_that_it_does_not_have(tmp_path: Path) -> None:
    made(tmp_path / "c.toml", "2024-01-02", "2024-01-31")
    found = read_calendar(tmp_path / "c.toml")
    at = parse_timestamp
    assert len(sessions_between(found, "c", at("2024-01-09T00:00Z"), at("2024-01-10T00:00Z"))) > 3
    for first, last in (("2023-12-29", "2024-01-10"), ("2024-01-09", "2024-02-02")):
        with pytest.raises(DataError, match=f"logos data calendar XNYS --from {first} --to {last}"):
            sessions_between(found, "c", at(f"{first}T00:00Z"), at(f"{last}T00:00Z"))


# ---- the command, and sessions ----


def bars(path: Path, times: list[str], length: str = "1d") -> Path:
    return write(path / f"ACME_{length}.csv", BAR_HEADER, [f"{t},100,200,90,100,9" for t in times])


DAYS = [f"2024-03-{day:02d}T00:00:00Z" for day in (25, 26, 27, 28)] + ["2024-04-01T00:00:00Z"]
"""Good Friday is the 29th."""


def config(folder: Path, **words: object) -> dict[str, Any]:
    terms = {"tick": "0.01", "lot": "1", "quote": "USD", **words}
    return {
        "data": {"paths": [str(next(folder.glob("ACME_*.csv")))]},
        "instruments": {"ACME": terms},
        "session": {"id": "one"},
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.long
def test_the_command_writes_what_a_session_then_reads_and_hashes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data", "calendar", "XNYS", "--from", "2024-03-01", "--to", "2024-04-30"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("calendars/XNYS.toml  42 sessions")
    assert 'calendar = "calendars/XNYS.toml"' in said
    bars(home, DAYS)
    result = session.run(config(home, calendar="calendars/XNYS.toml"), strategy=Each())
    assert (result.summary["orders"], result.summary["refusals"]) == (5, {})
    assert verify(result.folder).findings == []
    kept = (result.folder / "config.json").read_text()
    assert hashlib.sha256((home / "calendars" / "XNYS.toml").read_bytes()).hexdigest() in kept
    assert '"bar_days": 1' in kept
    assert main(words) == 3  # not overwritten


@pytest.mark.long
def test_a_session_past_the_end_of_its_calendar_is_refused_with_the_way_out(home: Path) -> None:
    made(home / "c.toml", "2024-03-01", "2024-03-27")
    bars(home, DAYS)
    with pytest.raises(ConfigError, match=r"c.toml knows XNYS from 2024-03-01 to 2024-03-27"):
        session.run(config(home, calendar="c.toml"), strategy=Each())


@pytest.mark.long
def test_a_calendar_that_is_not_there_is_named(home: Path) -> None:
    bars(home, DAYS)
    with pytest.raises(ConfigError, match=r"nope\.toml: cannot be read"):
        session.run(config(home, calendar="nope.toml"), strategy=Each())


@pytest.mark.long
@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize(
    ("times", "gaps"),
    [
        (DAYS, 0),  # a holiday and a weekend
        ([*DAYS[:2], *DAYS[3:]], 1),  # a Wednesday is missing
        ([*DAYS[:4], "2024-04-02T00:00:00Z"], 1),  # Easter Monday is none at this exchange
    ],
)
def test_what_no_session_is_missing_from_is_no_gap(
    tmp_path: Path, times: list[str], gaps: int, fast: bool
) -> None:
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD")
    texts = made(tmp_path / "c.toml", "2024-03-01", "2024-04-30")
    acme.sessions = MarketSessions(read_sessions(texts))
    (source,) = discover(bars(tmp_path, times))
    report = inspect_source(source, acme, fast=fast)
    assert report.counts.get("gap", 0) == gaps


@pytest.mark.parametrize("fast", READERS)
def test_nights_and_weekends_are_no_gaps_within_hours(tmp_path: Path, fast: bool) -> None:
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD", hours=["mon-fri 14:30-21:00"])
    times = ["2024-03-07T20:59:00Z", "2024-03-08T14:30:00Z", "2024-03-08T14:32:00Z"]
    times += ["2024-03-08T20:59:00Z", "2024-03-11T14:31:00Z"]
    (source,) = discover(bars(tmp_path, times, "1m"))
    report = inspect_source(source, acme, fast=fast)
    assert [defect.line for defect in report.defects] == [4, 5, 6]


# ---- bars of days are judged by their day; hours have a zone (cases 45 and 46) ----


@pytest.mark.long
def test_orders_at_the_close_of_daily_bars_are_judged_by_the_day_of_the_bar(home: Path) -> None:
    bars(home, [f"2024-03-{day:02d}T00:00:00Z" for day in (4, 5, 6, 7, 8)])
    result = session.run(config(home, hours=["mon-fri 14:30-21:00"]), strategy=Each())
    assert (result.summary["fills"], result.summary["refusals"]) == (4, {})
    assert verify(result.folder).findings == []


@pytest.mark.long
def test_a_daily_bar_of_a_day_without_a_session_takes_no_orders(home: Path) -> None:
    times = [f"2024-03-{day:02d}T00:00:00Z" for day in (8, 9, 10, 11)]  # Friday to Monday
    bars(home, times)
    result = session.run(config(home, hours=["mon-fri 14:30-21:00"]), strategy=Each())
    assert result.summary["refusals"] == {"MARKET_CLOSED": 2}
    assert verify(result.folder).findings == []


@pytest.mark.long
def test_minute_bars_are_judged_by_the_minute(home: Path) -> None:
    bars(home, ["2024-03-08T20:58:00Z", "2024-03-08T20:59:00Z"], "1m")
    result = session.run(config(home, hours=["mon-fri 14:30-21:00"]), strategy=Each())
    assert result.summary["refusals"] == {"MARKET_CLOSED": 1}
    assert "bar_days" not in (result.folder / "config.json").read_text()


@pytest.mark.long
def test_hours_of_a_zone_follow_its_clock(home: Path) -> None:
    clocks = ["08T14:30", "08T14:31", "08T20:58", "08T20:59", "11T13:30", "11T13:31", "11T19:59"]
    bars(home, [f"2024-03-{each}:00Z" for each in clocks], "1m")
    terms = config(home, hours=["mon-fri 09:30-16:00"], timezone="America/New_York")
    terms["data"]["accept"] = ["gap"]
    result = session.run(terms, strategy=Each())
    assert result.summary["refusals"] == {"MARKET_CLOSED": 2}  # the last minute of each day
    assert result.summary["orders"] == 5


@pytest.mark.parametrize("days", [-1, 367])
def test_days_of_a_bar_are_a_number_of_them(home: Path, days: int) -> None:
    with pytest.raises(ConfigError, match=r"ACME\.bar_days is a number of days from 0 to 366"):
        session.run(
            {**config_of_one(days), "session": {"id": "one"}},
            strategy=Each(),
        )


def config_of_one(days: int) -> dict[str, Any]:
    terms = {"tick": "0.01", "lot": "1", "quote": "USD", "bar_days": days}
    return {"data": {"paths": ["nope.csv"]}, "instruments": {"ACME": terms}}
