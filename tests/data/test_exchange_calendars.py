"""Exchange calendars: holidays, half days and breaks at noon, as the library has them."""

from __future__ import annotations

from pathlib import Path

import calendar_library  # noqa: F401  skips all of this without the library
import pytest
from session_helpers import ListFeed, session_config

from logos import session
from logos.audit.verify import verify
from logos.core.instrument import instrument
from logos.core.strategy import market
from logos.core.terms.market_hours import MarketSessions
from logos.core.types import Side
from logos.data.market_sessions import calendar_sessions, read_sessions, sessions_text
from logos.data.readers.numbers import parse_timestamp
from logos.errors import DataError
from logos.testing.builders import Scripted, quote


def ns(text: str) -> int:
    return parse_timestamp(text if "T" in text else f"{text}T00:00Z")


@pytest.mark.long
def test_an_exchanges_calendar_knows_holidays_half_days_and_breaks() -> None:
    found = sessions_text(calendar_sessions("XNYS", ns("2024-07-02"), ns("2024-07-05")))
    assert "2024-07-03T13:30Z/2024-07-03T17:00Z" in found  # a half day
    assert not any(each.startswith("2024-07-04") for each in found)
    hong_kong = sessions_text(calendar_sessions("XHKG", ns("2024-07-02"), ns("2024-07-05")))
    assert "2024-07-02T01:30Z/2024-07-02T04:00Z/2024-07-02T05:00Z/2024-07-02T08:00Z" in hong_kong
    dated = MarketSessions(read_sessions(hong_kong))
    assert not dated.is_open(ns("2024-07-02T04:30Z"))
    assert dated.day_end_ns(ns("2024-07-02T02:00Z")) == ns("2024-07-02T08:00Z")


def test_an_unknown_calendar_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="calendar 'XNOPE'"):
        calendar_sessions("XNOPE", ns("2024-07-02"), ns("2024-07-05"))


@pytest.mark.long
def test_a_calendar_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD")
    config = session_config(session={"id": "calendar", "sample_interval_s": 0})
    config["instruments"]["ACME"]["calendar"] = "XNYS"
    config["data"] = {"from": "2024-07-03T00:00:00Z", "to": "2024-07-06T00:00:00Z"}
    moments = ["2024-07-03T16:59Z", "2024-07-03T17:00Z", "2024-07-04T15:00Z", "2024-07-05T15:00Z"]
    script = {number: market(Side.BUY, 1) for number in (1, 2, 3, 4)}
    feed = ListFeed([quote(acme, ns(each), "10", "10.01") for each in moments])
    result = session.run(config, strategy=Scripted(script), feed=feed)
    assert result.summary["refusals"] == {"MARKET_CLOSED": 2}
    assert verify(result.folder).findings == []
    [row] = [each for each in result.summary["limits"] if "calendar" in each["limit"]]
    assert row["limit"] == "ACME: calendar XNYS"
