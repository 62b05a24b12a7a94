"""What happens to a batch of events on its way through the core: taken apart, and cut in pieces.

What a session hears that is not for its core (how far feeds were read, and signals) stands at the
end of the batch it came with, on the record like all of it. How far a feed was read is for whoever
resumes the session (`journal.inputs.Survey`). Signals go to the strategy after the market data of
their batch, so a signal acts on what comes later, live and in a replay alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import length_hint
from typing import Final

from logos.core.messages import Event, FeedOffset, ReceivedSignal
from logos.core.strategy import Strategy
from logos.execution.latency import LatencyHistogram

ASIDE: Final = frozenset((FeedOffset, ReceivedSignal))
"""Kinds of events that are not for the core."""

Batch = Sequence[Event]
"""Events in order of time. An empty one says that no event has come."""

_PIECE_EVENTS: Final = 1024
_PIECE_EVENTS_MAX: Final = 1 << 20
_PIECE_NS_MAX: Final = 100_000_000

_LOT_EVENTS: Final = 1023
"""How many events of a piece the core is given together, between two that are timed. Timing each
would cost a recorded session a fifth of its speed; this costs less than a hundredth."""


TICK_TO_DECISION: Final = "tick to decision"
"""What is timed where no live loop is: from when the core is given an event to when it is done."""


class Aside:
    """Takes from each batch what is not for the core, and gives signals to the strategy."""

    def __init__(self, strategy: Strategy) -> None:
        self._receive: Callable[[ReceivedSignal], object] | None
        self._receive = getattr(strategy, "receive", None)
        self.waits: Sequence[Event] = ()
        """What `deliver` will give."""

    def take(self, batch: Sequence[Event]) -> Sequence[Event]:
        """The part of the batch that is for the core; the rest waits for `deliver`."""
        end = len(batch)
        while end and type(batch[end - 1]) in ASIDE:
            end -= 1
        self.waits = batch[end:]
        return batch[:end]

    def deliver(self) -> int:
        """Give the signals that wait to the strategy; how many events of the batch were aside."""
        events, self.waits = self.waits, ()
        if self._receive is not None:
            for event in events:
                if type(event) is ReceivedSignal:
                    self._receive(event)
        return len(events)


class Pieces:
    """Cuts batches into pieces that take a moment each, and ends a piece between two events.

    What is written down and what an operator wants is looked at between two pieces. A signal's
    handler need not wait for that: it runs in the thread that iterates, and empties the list that
    the core goes through, so that the core's loop is over before its next event. That costs the
    loop nothing.

    How long an event takes is measured of each that comes alone, and of one in 1,024 of those that
    come together, but for a live session: its loop knows since when an event has waited.
    """

    def __init__(self, *, are_timed: bool = True) -> None:
        self._are_timed = are_timed
        self.size = _PIECE_EVENTS
        """How many events the next piece should have."""
        self.run_ns = 0
        """What the core took for all pieces."""
        self.done_ns = 0
        """When it was done with the last one, in `perf_counter_ns`."""
        self.latency = LatencyHistogram()
        """How long the events took that were timed."""
        self._events: Batch = ()
        self._lot: tuple[int, list[Event], Iterator[Event]] = (0, [], iter(()))
        """What the core goes through now: its place in the piece, its events, and those to come."""
        self._consumed = 0
        self._is_cut = False

    def take(self, events: Batch) -> None:
        """These are the events of the next piece."""
        self._is_cut = False
        self._events = events
        self._consumed = len(events)
        self._lot = (0, [], iter(()))

    def cut_short(self) -> None:
        """End the piece before its next event. For a signal's handler."""
        place, lot, coming = self._lot
        self._is_cut = True
        self._consumed = place + len(lot) - length_hint(coming)
        lot.clear()

    def go(self, run: Callable[[Iterable[Event]], object]) -> int:
        """Let `run` go through the events of the piece; how many of them it took."""
        began_ns = self.done_ns = time.perf_counter_ns()
        events, self._events = self._events, ()
        if len(events) == 1:  # there is no place to cut it
            run(events)
            self._consumed = 1
            self.done_ns = time.perf_counter_ns()
            self.run_ns += self.done_ns - began_ns
            if self._are_timed:
                self.latency.add(self.done_ns - began_ns)
            return 1
        self._run_lots(events, run)
        took_ns = self.done_ns - began_ns
        self.run_ns += took_ns
        if took_ns > _PIECE_NS_MAX and self.size > 1:
            self.size //= 2
        elif took_ns < _PIECE_NS_MAX // 8 and self.size < _PIECE_EVENTS_MAX:
            self.size *= 2
        return self._consumed

    def _run_lots(self, events: Batch, run: Callable[[Iterable[Event]], object]) -> None:
        """Give the core one event and many by turns, to time the one; all if none is timed."""
        place, size = 0, 1 if self._are_timed else len(events)
        while place < len(events):
            lot = list(events[place : place + size])
            coming = iter(lot)
            self._lot = (place, lot, coming)
            if self._is_cut:  # before this lot was there to be emptied
                break
            run(coming)
            lot_began_ns, self.done_ns = self.done_ns, time.perf_counter_ns()
            if size == 1 and not self._is_cut:
                self.latency.add(self.done_ns - lot_began_ns)
            place += size
            size = _LOT_EVENTS if size == 1 else 1
