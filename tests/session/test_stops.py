"""A stop is heard between two events, whatever the size of the batch.

The strategy sends the signal itself, so that it comes at a known event of one long batch.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest
from guard_helpers import A
from session_helpers import ListFeed

from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import SessionStatus
from logos.execution.incoming.batches import Pieces
from logos.session.entry import resume, run
from logos.testing.builders import quote

CONFIG = {
    "session": {"id": "stopped"},
    "instruments": {"AAA": {"quote": "USD", "tick": "1", "lot": "1", "settlement": "margin"}},
}


def events(count: int) -> list[Event]:
    return [quote(A, number, "100", "100") for number in range(1, count + 1)]


class Signalled(Strategy):
    """Sends its own process a signal at one event."""

    def __init__(self, at: int, number: signal.Signals) -> None:
        self.at = at
        self.number = number
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), self.number)
        return None


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("at", [1, 700, 1023, 1024])
def test_a_signal_ends_the_session_after_the_event_that_it_came_in(
    logos_home: Path, at: int, number: signal.Signals
) -> None:
    strategy = Signalled(at, number)
    feed = ListFeed(events(1500), size=1500)
    result = run(CONFIG, strategy=strategy, feed=feed, switch=InProcessSwitch())
    assert result.status is SessionStatus.STOPPED
    assert strategy.seen == result.summary["ticks"] == at


@pytest.mark.long
def test_a_session_that_was_cut_short_goes_on_with_the_very_next_event(logos_home: Path) -> None:
    feed = ListFeed(events(1500), size=1500)
    run(CONFIG, strategy=Signalled(700, signal.SIGTERM), feed=feed, switch=InProcessSwitch())
    again = Signalled(0, signal.SIGTERM)
    result = resume("stopped", strategy=again, feed=feed, switch=InProcessSwitch())
    assert result.status is SessionStatus.ENDED
    assert result.summary["ticks"] == again.seen == 1500


class Runs:
    """Takes events as a core does; cuts the piece at its `cut_at`th event."""

    def __init__(self, pieces: Pieces, cut_at: int = 0) -> None:
        self.pieces = pieces
        self.cut_at = cut_at
        self.taken: list[Event] = []

    def __call__(self, coming: Iterable[Event]) -> None:
        for event in coming:
            self.taken.append(event)
            if len(self.taken) == self.cut_at:
                self.pieces.cut_short()


@pytest.mark.parametrize("at", [1, 2, 4, 1023, 1024, 1025, 1026, 2600])
def test_a_piece_that_is_cut_says_how_many_events_were_taken(at: int) -> None:
    pieces = Pieces()
    runs, given = Runs(pieces, at), events(2600)
    pieces.take(given)
    assert pieces.go(runs) == at
    assert runs.taken == given[:at]
    pieces.cut_short()
    pieces.take(events(3))
    assert pieces.go(Runs(pieces)) == 3


def test_a_piece_that_is_cut_before_its_first_event_takes_none() -> None:
    pieces = Pieces()
    pieces.take(events(10))
    pieces.cut_short()
    runs = Runs(pieces)
    assert pieces.go(runs) == 0
    assert runs.taken == []


def test_untimed_pieces_are_cut_just_so_and_time_nothing() -> None:
    pieces = Pieces(are_timed=False)
    pieces.take(events(2600))
    assert pieces.go(Runs(pieces, 1500)) == 1500
    pieces.take(events(1))
    assert pieces.go(Runs(pieces)) == 1
    assert pieces.latency.count == 0


def test_however_many_small_pieces_came_the_next_one_has_a_bounded_size() -> None:
    pieces = Pieces()
    for _ in range(200):
        pieces.take(events(2))
        pieces.go(Runs(pieces))
    assert 1024 <= pieces.size <= 1 << 20


def test_events_are_timed_that_come_alone_and_one_in_1024_of_the_others() -> None:
    pieces = Pieces()
    for count, timed in ((1, 1), (1, 2), (1024, 3), (1025, 5), (10, 6)):
        pieces.take(events(count))
        assert pieces.go(Runs(pieces)) == count
        assert pieces.latency.count == timed
