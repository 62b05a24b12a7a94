"""The lines of the screen: always of its width, whatever is shown, and readable without colours."""

from __future__ import annotations

from typing import Any

import pytest
from figures_pages import page
from rich.cells import cell_len
from watch_views import NOW_NS, everything, guard, row, shown, view, watched

from logos.observe.watching.curve import Curve, Point, sparkline
from logos.observe.watching.events import Event
from logos.observe.watching.screen import PLAIN, UNICODE, Glyphs, fit
from logos.observe.watching.sessions import View
from logos.session.presence.heartbeat import Heartbeat

ENDED, STOPPED, HALTED = (
    page([], status=status, exit_code=code)
    for status, code in (("ENDED", 0), ("STOPPED", 0), ("HALTED", 4))
)


@pytest.mark.parametrize("glyphs", [UNICODE, PLAIN])
@pytest.mark.parametrize(
    ("columns", "rows"), [(80, 23), (40, 12), (41, 13), (200, 60), (79, 23), (39, 11), (3, 1)]
)
@pytest.mark.parametrize("seen", [None, view(), view(watched()), everything()])
def test_every_line_has_exactly_the_width_and_there_are_as_many_as_rows(
    seen: View | None, columns: int, rows: int, glyphs: Glyphs
) -> None:
    lines = shown(seen, columns, rows, glyphs)
    assert [cell_len(line) for line in lines] == [columns] * rows
    assert not any("\x1b" in line or "\u202e" in line for line in lines)


def test_a_window_that_is_too_small_says_so() -> None:
    lines = shown(view(watched()), 30, 7)
    assert lines[0].startswith("30x8 is too small")
    assert "".join(lines[1:]).strip() == ""


def test_an_operator_finds_what_matters_within_80x24() -> None:
    lines = shown(view(watched(), events=(Event(NOW_NS, "FILL", "1 ETH BUY 2 at 12.50"),)))
    assert lines[0].startswith(" logos watch   1 running")
    assert lines[0].endswith("22:13:20 UTC ")
    assert lines[1].rstrip() == (
        "▸ desk-1                 running   paper    today -12.50 USD  drawdown 15.00"
    )
    assert row(lines, "session").rstrip() == ("session  process 7   heartbeat 0.4 s   switch SAFE")
    assert row(lines, "money").rstrip() == (
        "money    equity 100,004.33 USD  today -12.50  drawdown 15.00  exposure 25.00"
    )
    assert row(lines, "position").rstrip() == (
        "position ETH 2 at 12.50, average entry 10.3333, unrealised +4.34 USD"
    )
    assert row(lines, "limits").split() == ["limits", "ORDER_RATE", "████████████··", "90.0%",
                                            "9", "of", "10", "orders"]  # fmt: skip
    assert row(lines, "events").rstrip() == "events   22:13:20 FILL      1 ETH BUY 2 at 12.50"


def test_a_limit_is_a_word_too_when_it_is_passed() -> None:
    guards = [guard("ORDER_RATE", 1, 2), guard("MAX_POSITION", 3, 0)]
    lines = shown(view(watched(page=page([], guards))))
    limits = [line for line in lines if "ORDER_RATE" in line or "MAX_POSITION" in line]
    assert limits[0].startswith("limits   MAX_POSITION")
    assert "██████████████  passed" in limits[0]
    assert "███████·······   50.0%" in limits[1]


def test_without_unicode_all_is_ascii() -> None:
    points = tuple(Point(at * 10**9, at % 7) for at in range(50))
    lines = shown(view(watched(), curve=points), glyphs=PLAIN)
    assert all(line.isascii() for line in lines)
    assert "############.." in row(lines, "limits")
    assert lines[1].startswith("> desk-1")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "dead"}, "next     logos resume desk-1"),
        (
            {"state": "dead", "mode": "live"},
            "next     logos resume desk-1 --live --i-acknowledge-risk",
        ),
        ({"state": "ended", "page": ENDED}, "next     logos verify desk-1"),
        ({"state": "ended", "page": STOPPED}, "next     logos resume desk-1"),
        ({"state": "ended", "page": HALTED}, "next     logos sessions show desk-1"),
        ({"page": None}, "it has written no figures yet"),
    ],
)
def test_what_is_the_matter_and_the_next_command_are_said(
    fields: dict[str, Any], words: str
) -> None:
    assert any(line.strip() == words for line in shown(view(watched(**fields))))


def test_how_a_session_ended_stands_in_the_list() -> None:
    over = page([], status="HALTED", exit_code=4)
    lines = shown(view(watched(), watched("old", "ended", page=over)))
    assert "  old                    HALTED    paper" in lines[2]


def test_a_pause_and_code_that_does_not_return_cannot_be_overlooked() -> None:
    beat = Heartbeat("desk-1", 7, 9, written_ns=NOW_NS, is_live=True, switch="SAFE",
                     suspended=True, stuck="strategy x:Y in on_bar")  # fmt: skip
    lines = shown(view(watched(state="stalled", beat=beat)))
    assert "stalled" in lines[1]
    assert any("strategy x:Y in on_bar" in line for line in lines)
    assert any("PAUSED by an operator: the strategy is not asked" in line for line in lines)
    assert "PAUSED" in shown(view(watched(beat=beat)))[1]


def test_the_chosen_session_stays_in_sight_among_many() -> None:
    many = view(*(watched(f"s{at:02}") for at in range(40)))
    for at in range(40):
        lines = shown(many, at=at)
        assert sum(line.startswith("▸ ") for line in lines) == 1
        assert any(line.startswith(f"▸ s{at:02} ") for line in lines)
    assert "37 more sessions in the list" in "".join(shown(many))


def test_text_is_cut_by_the_columns_that_it_takes() -> None:
    assert [fit("abc", 5), fit("abcdef", 5), fit("漢字漢字", 5)] == ["abc  ", "abcd~", "漢字~"]


# ---- the curve ----


def test_a_curve_shows_its_lowest_and_highest_and_the_last_of_each_column() -> None:
    points = [Point(at, units) for at, units in enumerate((0, 10, 5, 7))]
    assert sparkline(points, 4) == "▁█▄▅"
    assert sparkline([Point(0, 5), Point(10, 5)], 3) == "▁▁▁"
    assert sparkline([Point(0, 0), Point(9, 9)], 4) == "▁▁▁█", "the last value stands until then"
    assert sparkline(points[:1], 4) == sparkline(points, 0) == ""


def test_a_long_curve_keeps_its_span_in_a_bounded_number_of_points() -> None:
    curve = Curve()
    for second in range(50_000):
        curve.add(second, second)
    assert len(curve) < 5_000
    assert (curve.points()[0].units, curve.points()[-1].units) == (0, 49_999)


def test_a_session_that_begins_again_draws_no_line_back() -> None:
    curve = Curve()
    for time_ns in (5, 6, 6, 3, 7):
        curve.add(time_ns, time_ns * 10)
    assert [point.time_ns for point in curve.points()] == [5, 6, 7]


def test_what_lies_far_before_the_rest_is_left_out() -> None:
    curve = Curve()
    curve.add(0, 1)
    for second in range(1_000, 1_020):
        curve.add(second, 2)
    assert curve.points()[0].time_ns == 1_000
