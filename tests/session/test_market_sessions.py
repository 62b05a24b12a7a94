"""A market with a time zone or a calendar: the settings of its session hold the sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from session_helpers import ListFeed, session_config

from logos import session
from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.strategy import market
from logos.core.types import Side
from logos.data import market_sessions
from logos.data.readers.numbers import parse_timestamp
from logos.library.instruments import instrument_settings, instrument_table
from logos.session.build import make_instruments
from logos.session.opening.hours import with_sessions
from logos.testing.builders import Scripted, quote

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
MOMENTS = ["2024-03-08T14:00Z", "2024-03-08T14:30Z", "2024-03-11T14:00Z", "2024-03-11T20:30Z"]
DAYS = {"from": "2024-03-08T00:00:00Z", "to": "2024-03-12T00:00:00Z"}


def settings(**hours: Any) -> dict[str, Any]:
    config = session_config(session={"id": "zoned", "sample_interval_s": 0})
    config["instruments"]["ACME"] |= hours
    return config


def events() -> list[Event]:
    return [quote(ACME, parse_timestamp(each), "10", "10.01") for each in MOMENTS]


def traded(config: dict[str, Any]) -> session.SessionResult:
    script = {n: market(Side.BUY, 1) for n in (1, 2, 3, 4)}
    return session.run(config, strategy=Scripted(script), feed=ListFeed(events()))


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))


@pytest.mark.long
def test_sessions_are_recorded_and_neither_zones_nor_calendars_are_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = {"hours": ["mon-fri 09:30-16:00"], "timezone": "America/New_York"}
    result = traded({**settings(**hours), "data": DAYS})
    assert result.summary["refusals"] == {"MARKET_CLOSED": 2}
    assert verify(result.folder).findings == []
    written = json.loads((result.folder / "config.json").read_text(encoding="utf-8"))
    assert "2024-03-11T13:30Z/2024-03-11T20:00Z" in written["instruments"]["ACME"]["sessions"]
    [row] = [each for each in result.summary["limits"] if "America/New_York" in each["limit"]]
    assert row["limit"] == "ACME: mon-fri 09:30-16:00 America/New_York"

    def gone(name: str) -> None:
        raise AssertionError(f"{name} was asked again")

    monkeypatch.setattr(market_sessions, "time_zone", gone)
    again = make_config({**written, "session": {"id": "again"}})
    assert again.instruments["ACME"].sessions == written["instruments"]["ACME"]["sessions"]
    made = make_instruments(with_sessions(again, [], is_live=False).instruments)["ACME"]
    assert made.sessions is not None
    table = instrument_table(made)
    assert make_instruments({"ACME": instrument_settings("ACME", table)})["ACME"].is_open(
        parse_timestamp("2024-03-11T13:30Z")
    )


@pytest.mark.long
def test_verify_finds_an_order_made_outside_of_the_sessions() -> None:
    result = traded({**settings(sessions=["2024-03-08T00:00Z/2024-03-12T00:00Z"])})
    assert result.summary["fills"] == 3
    assert verify(result.folder).findings == []


def test_live_sessions_know_the_next_year() -> None:
    hours = {"hours": ["mon-fri 09:30-16:00"], "timezone": "America/New_York"}
    config = with_sessions(make_config(settings(**hours)), [], is_live=True)
    count = len(list(config.instruments["ACME"].sessions or ()))
    assert 280 < count < 310


@pytest.mark.parametrize(
    ("hours", "problem"),
    [
        ({"timezone": "Europe/Nowhere", "hours": ["mon 10:00-11:00"]},
         "instruments.ACME: no time zone 'Europe/Nowhere' is known here"),
        ({"timezone": "Europe/London"}, "instruments.ACME.timezone is that of hours; set hours"),
        ({"calendar": "XNYS", "hours": ["mon 10:00-11:00"]},
         "instruments.ACME.calendar: leave hours and timezone out: the calendar has them"),
        ({"sessions": ["2024-03-08T00:00Z/2024-03-12T00:00Z"], "hours": ["mon 10:00-11:00"]},
         "instruments.ACME.sessions: leave hours out: sessions take their place"),
        ({"sessions": ["2024-03-08T00:00Z"]},
         "instruments.ACME.sessions: a session is an open and a close"),
        ({"sessions": ["soon/later"]}, "instruments.ACME.sessions: sessions: not a timestamp"),
    ],
)  # fmt: skip
def test_hours_that_make_no_sense_are_refused(hours: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        make_instruments(
            with_sessions(make_config({**settings(**hours), "data": DAYS}), [], is_live=False)
            .instruments
        )  # fmt: skip


def test_without_days_there_are_no_sessions_to_work_out() -> None:
    hours = {"hours": ["mon-fri 09:30-16:00"], "timezone": "America/New_York"}
    with pytest.raises(ConfigError, match=r"set data\.from and data\.to"):
        with_sessions(make_config(settings(**hours)), [], is_live=False)
