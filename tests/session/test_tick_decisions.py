"""Which events are ticks, also where the core halted among them."""

from __future__ import annotations

from typing import Any

from guard_helpers import A

from logos.core.messages import Engage, Report, TimePassed
from logos.core.types import ReportKind
from logos.session.artifacts.decisions import Tick, ticks_in
from logos.testing.builders import quote


def price(ts_ns: int) -> Any:
    return quote(A, ts_ns, "100", "100")


def report(ts_ns: int) -> Report:
    return Report(ts_ns, ReportKind.ACCEPTED, "x-1")


def test_every_event_is_a_tick_but_for_commands() -> None:
    events = [price(1), Engage(2, "r", "b"), TimePassed(3), price(4)]
    assert ticks_in(events, 5, 8) == [Tick(6, 1, "AAA"), Tick(7, 3, ""), Tick(8, 4, "AAA")]


def test_of_a_core_that_halted_only_reports_count_from_there_on() -> None:
    events = [price(1), report(2), price(3), price(4), report(5), price(6), report(7)]
    # It halted at the price of 3, and at once after the one of 4; then two reports came.
    assert [tick.ts_ns for tick in ticks_in(events, 0, 5)] == [1, 2, 3, 5, 7]
    assert [tick.ts_ns for tick in ticks_in(events, 0, 6)] == [1, 2, 3, 4, 5, 7]
    assert [tick.ts_ns for tick in ticks_in(events, 0, 0)] == []


def test_a_core_that_was_stopped_or_failed_got_so_far() -> None:
    events = [price(1), price(2), price(3)]
    assert [tick.ts_ns for tick in ticks_in(events, 0, 2)] == [1, 2]
