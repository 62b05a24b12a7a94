"""The metrics page over files that are damaged or of another version: counted, never fatal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from metrics_helpers import FIGURES, Desk


def errors(desk: Desk, source: str) -> float:
    key = ("logos_scrape_errors_total", frozenset({("source", source)}))
    return desk.scrape()[key]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"schema": 1, "session_id": "desk"',
        b'{"version": 3, "symbols": [], "currencies": [], "total": null}',
        json.dumps({**FIGURES, "schema": 2}).encode(),
        json.dumps({**FIGURES, "session_id": "other"}).encode(),
        json.dumps({**FIGURES, "ticks": "many"}).encode(),
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_figures_that_cannot_be_understood_are_counted_and_the_rest_is_shown(
    desk: Desk, content: bytes
) -> None:
    desk.begin(market_age_ns=0)
    desk.figures().write_bytes(content)
    assert errors(desk, "metrics") == 1
    page = desk.scrape()
    assert desk.value("logos_up", page) == 1
    assert desk.value("logos_open_orders", page) == 0
    assert desk.value("logos_equity", page, currency="USD") is None


def test_a_field_of_a_later_version_is_passed_over(desk: Desk) -> None:
    desk.begin(market_age_ns=0)
    desk.figures(colour="red")
    assert desk.value("logos_equity", currency="USD") == 999.5
    assert errors(desk, "metrics") == 0


def test_a_heartbeat_that_cannot_be_read_is_counted_and_its_session_is_up(desk: Desk) -> None:
    path = desk.begin().path
    path.write_bytes(b"{")
    assert errors(desk, "heartbeat") == 1
    assert desk.value("logos_session_state", state="unknown") == 1
    assert desk.value("logos_up") == 1


def test_a_symbol_that_stands_there_twice_is_an_error_and_not_a_page_that_is_refused(
    desk: Desk,
) -> None:
    desk.begin(market_age_ns=0)
    symbols = FIGURES["risk"]["symbols"]
    desk.figures(risk={**FIGURES["risk"], "symbols": symbols * 2})
    assert errors(desk, "metrics") == 1
    page = desk.scrape()
    assert desk.value("logos_up", page) == 1
    assert desk.value("logos_ticks_total", page) is None


def test_a_workspace_whose_name_is_no_text_is_shown(tmp_path: Path) -> None:
    home = tmp_path / os.fsdecode(b"des\xffk")
    home.mkdir()
    with Desk(home) as desk:
        desk.figures()
        name = str(home).encode("utf-8", "replace").decode()
        assert desk.value("logos_up", workspace=name) == 0


def test_figures_that_are_a_pipe_do_not_hold_up_the_page(desk: Desk) -> None:
    desk.begin(market_age_ns=0)
    path = desk.figures()
    path.unlink()
    os.mkfifo(path)
    assert errors(desk, "metrics") == 1


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value within a JSON value."""
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in items:
            yield from paths_of(below, (*path, key))


PLACES = [path for path in paths_of(FIGURES) if path]
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([10**400, -1, 2**63, 1e300, -0.0, "\ud800", "\x00", "A" * 5_000, [], {}]),
    st.text(max_size=5),
    st.lists(st.lists(st.integers(), max_size=3), max_size=3),
)


@pytest.mark.long
@given(place=st.sampled_from(PLACES), strange=STRANGE)
@example(place=("inputs", "syncs"), strange=10**400)
@example(place=("latency", "feed to strategy", "buckets"), strange=[[5, 2], [5, 3]])
@example(place=("latency", "feed to strategy", "buckets"), strange=[[5, 3], [6, 2]])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_file_holds_the_page_is_there_and_can_be_read(
    desk: Desk, place: tuple[Any, ...], strange: Any
) -> None:
    changed = json.loads(json.dumps(FIGURES))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = strange
    if not desk.has_begun():
        desk.begin(market_age_ns=0)
    path = desk.figures()
    path.write_text(json.dumps(changed))
    page = desk.scrape()
    assert desk.value("logos_up", page) == 1
