"""What a session hears that is not for its core: how far feeds were read, and signals.

Both stand at the end of the batch they came with, on the record like all of it. How far a feed was
read is for whoever resumes the session (`journal.inputs.Survey`). Signals go to the strategy after
the market data of their batch, so a signal acts on what comes later, live and in a replay alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from logos.core.messages import Event, FeedOffset, ReceivedSignal
from logos.core.strategy import Strategy

ASIDE: Final = frozenset((FeedOffset, ReceivedSignal))
"""Kinds of events that are not for the core."""


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
