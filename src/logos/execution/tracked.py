"""One order in the care of its keeper, and how patient keepers are; see `venue_link`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from logos.core.clock import Clock
from logos.core.outbox import CancelOrder, OrderTerms, OutstandingOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderStatus

_TAKEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


async def sleep_unless(clock: Clock, seconds: float, event: asyncio.Event) -> None:
    """Wait so long by `clock`, or until `event` is set."""
    sleeper = asyncio.ensure_future(clock.sleep(seconds))
    waker = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((sleeper, waker), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeper.cancel()
        waker.cancel()


@dataclass(frozen=True, slots=True)
class LinkRules:
    """How patient the link is, in seconds."""

    poll_s: float = 0.5
    """Between two looks at an order that is open."""
    settle_s: float = 10.0
    """How long a venue may deny an order whose outcome is unknown before the denial counts, and
    how long fills may lag behind an order's status."""
    settle_looks: int = 3
    """How many looks must have said the same by then: a venue that bears few questions is asked
    seldom, and what it answers twice may be wrong for a moment twice."""
    send_again_s: float = 2.0
    """How old an order may be to be sent again after an attempt that had no effect, and how long
    it may wait for its turn, beyond what one request takes of the venue's budget."""
    overlap_s: float = 60.0
    """How far before an order's making its fills are asked for: the venue's clock may be behind."""
    call_s: float = 15.0
    """How long the venue may take for one answer; after that, none is expected any more."""
    cancel_again_s: float = 2.0
    """Between two requests to cancel the same order; after one that failed it is `poll_s`."""
    doubted_poll_s: float = 5.0
    """Between two looks at an order that was reported as a difference."""
    unfilled_s: float = 60.0
    """How long a market order may be at the venue without any fill."""

    def is_settled(self, doubted_ns: int, looks: int) -> bool:
        """Whether what did not fit for so many nanoseconds and looks is to be judged."""
        return looks >= self.settle_looks and doubted_ns >= self.settle_s * NS_PER_SECOND


@dataclass(slots=True)
class TrackedOrder:
    """One order in the care of its keeper."""

    terms: OrderTerms
    submit: SubmitOrder | None
    """None for an order from an earlier run of the session: never sent, only asked for."""
    reported_units: int = 0
    is_accepted: bool = False
    is_in_doubt: bool = False
    """Whether an earlier run may have sent it, and nobody knows."""
    cancel: CancelOrder | None = None
    """The cancel that is wanted, if one is."""
    is_over: bool = False
    """Whether the venue has said that it ended: there is nothing to cancel any more."""
    cancel_asked_ns: int = -1
    cancel_due_ns: int = 0
    """Not before this is a cancel asked for again."""
    is_cancel_taken: bool = False
    """Whether the venue has taken a cancel of it."""
    is_cancel_heard: bool = False
    """Whether the venue has answered the latest request to cancel it, with a refusal perhaps."""
    is_cancel_under_way: bool = False
    """Whether a cancel of it waits for its turn or its answer, beside a question."""
    acted_step: int = -1
    """When the venue took the order or its cancel, in steps of `looks`."""
    listed_step: int = -1
    found_step: int = -1
    """When the list that was last looked into was asked for, and when the order was, alone."""
    has_news: bool = False
    """Whether the venue told of it by itself since it was last asked for."""
    is_gone: bool = False
    """Whether there is evidence that it rests no more: its end, or a cancel that was taken and a
    list of open orders without it. Its last fills may still be on their way."""
    doubt: str = ""
    """In what way the venue's word does not fit, and since when."""
    doubted_ns: int = -1
    doubted_looks: int = 0
    fit_ns: int = -1
    """When the venue was asked the last time that its word did fit; -1: not yet."""
    found_ns: int = -1
    """When the venue was first seen to have it; -1: not yet."""
    waited_ns: int = -1
    """When the venue said the last time that it holds it back; -1: never."""
    is_denied: bool = False
    """Whether the venue has denied it for long enough for the denial to count."""
    denied_ns: int = -1
    """Since when a comparison of holdings is waited for, to believe the denial; -1: it is not."""
    is_difference: bool = False
    has_other_price: bool = False
    """Whether it was reported that it rests at a price that is not ours."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_unseen(self) -> bool:
        """Whether it may be there without having been seen: neither found, nor denied for long
        enough to count, nor told as a difference."""
        return self.found_ns < 0 and not (self.is_denied or self.is_difference)

    @property
    def is_missing(self) -> bool:
        """Whether it was never found, and the venue denies it or it is told as a difference."""
        return self.found_ns < 0 and (self.is_denied or self.is_difference)


def others_of(terms: OrderTerms, kept: Iterable[TrackedOrder]) -> list[TrackedOrder]:
    """The other orders of the same symbol."""
    name = terms.client_order_id
    return [
        each
        for each in kept
        if each.terms.symbol == terms.symbol and each.terms.client_order_id != name
    ]


def adopted(outstanding: OutstandingOrder) -> TrackedOrder:
    """The keeper's side of an order that an earlier run of the session left open."""
    terms, status = outstanding.terms, outstanding.status
    kept = TrackedOrder(terms, None, outstanding.filled, status in _TAKEN)
    kept.is_in_doubt = status is OrderStatus.NEW
    if outstanding.is_cancel_wanted:
        kept.cancel = CancelOrder(terms.client_order_id, terms.symbol)
    return kept
