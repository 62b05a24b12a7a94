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

_KINDS: Final = frozenset((FeedOffset, ReceivedSignal))


class Aside:
    """Takes from each batch what is not for the core, and gives signals to the strategy."""

    def __init__(self, strategy: Strategy) -> None:
        self._receive: Callable[[ReceivedSignal], object] | None
        self._receive = getattr(strategy, "receive", None)
        self._events: Sequence[Event] = ()

    def take(self, batch: Sequence[Event]) -> Sequence[Event]:
        """The part of the batch that is for the core; the rest waits for `deliver`."""
        if not batch or type(batch[-1]) not in _KINDS:
            return batch
        end = len(batch)
        while end and type(batch[end - 1]) in _KINDS:
            end -= 1
        self._events = batch[end:]
        return batch[:end]

    def deliver(self) -> int:
        """Give the signals that wait to the strategy; how many events of the batch were aside."""
        events, self._events = self._events, ()
        if self._receive is not None:
            for event in events:
                if type(event) is ReceivedSignal:
                    self._receive(event)
        return len(events)
