"""What the core is told of the orders at a venue: every report of the link is made here."""

from __future__ import annotations

from collections.abc import Callable

from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.messages import Report
from logos.core.types import NS_PER_SECOND, ReportKind
from logos.execution.doubts import Doubts
from logos.execution.order_match import (
    ENDS,
    base_fee_units,
    fee_units,
    is_unfilled,
    other_price,
    plain,
    unbookable_fee,
)
from logos.execution.tracked import TrackedOrder
from logos.venues.contract import VenueFill, VenueOrder


class Reporter:
    """Makes the reports of one link; what is a difference also holds its symbol (`doubts`)."""

    def __init__(
        self,
        venue: str,
        view: CoreView,
        clock: Clock,
        put: Callable[[Report], object],
        doubts: Doubts,
    ) -> None:
        """`venue` is the venue's name, `put` takes the reports."""
        self._venue = venue
        self._view = view
        self._clock = clock
        self._put = put
        self._doubts = doubts
        self.fill_count = 0
        """Fills reported."""

    def say(self, kept: TrackedOrder, kind: ReportKind, detail: str) -> None:
        """Report a change of the order, in the venue's words."""
        now_ns = self._clock.now_ns()
        self._put(Report(now_ns, kind, kept.terms.client_order_id, plain(detail)))

    def accept(self, kept: TrackedOrder) -> None:
        """Report that the venue has the order, once."""
        if not kept.is_accepted:
            kept.is_accepted = True
            self.say(kept, ReportKind.ACCEPTED, "")

    def end(self, kept: TrackedOrder, there: VenueOrder) -> None:
        """Report the end of an order whose fills are all reported; the last fill is its own."""
        kind = ENDS.get(there.status)
        if kind is None or kept.reported_units == kept.terms.quantity:
            return
        if kind is ReportKind.REJECTED and kept.is_accepted:
            kind = ReportKind.CANCELLED  # it was taken first: for us it was open, and is not now
        self.say(kept, kind, there.reason)

    def fill(self, kept: TrackedOrder, fill: VenueFill) -> None:
        """Report a fill; a fee that cannot be booked is a difference."""
        scales = self._view.symbols[kept.terms.symbol]
        fee = fee_units(scales, fill)
        base_fee = base_fee_units(scales, fill) if fee is None else 0
        if fill.no_fee_told:
            words = f"fill {fill.fill_id} is booked without its fee, whose amount is not known"
            self._difference(kept, f"{self._venue}: {words}: {fill.no_fee_told}")
        elif base_fee is None or fill.other_fees:
            self._difference(kept, unbookable_fee(scales, fill))
        kept.is_accepted = True
        kept.reported_units += fill.quantity_units
        self.fill_count += 1
        self._put(
            Report(
                self._clock.now_ns(),
                ReportKind.FILLED,
                kept.terms.client_order_id,
                "",
                fill.quantity_units,
                fill.price_units,
                fee or 0,
                fill.is_maker,
                fill.fill_id,
                base_fee or 0,
            )
        )

    def found(self, kept: TrackedOrder, there: VenueOrder) -> None:
        """Take note that the venue knows the order by our id; a price at which it rests and that
        is not ours is a difference, said once."""
        self._doubts.note_found(kept.terms.symbol)
        self._doubts.know(there.venue_order_id)
        if kept.found_ns < 0:
            kept.found_ns = self._clock.now_ns()
        words = other_price(kept.terms, there)
        if words and not kept.has_other_price:
            kept.has_other_price = True
            self._difference(kept, f"{self._venue} {words}")

    def expect_fills(self, kept: TrackedOrder, there: VenueOrder, unfilled_s: float) -> None:
        """A market order that nothing fills for so long is a difference: it is none there, or its
        fills are hidden. While the venue says that it holds it back, nothing is expected."""
        now_ns = self._clock.now_ns()
        if there.is_waiting:
            kept.waited_ns = now_ns
        there_s = (now_ns - max(kept.found_ns, kept.waited_ns)) / NS_PER_SECOND
        if there_s > unfilled_s and is_unfilled(kept.terms, there):
            words = f"has taken a market order and lists no fill of it after {there_s:.0f} s"
            self.differ(kept, words)

    def differ(self, kept: TrackedOrder, words: str) -> None:
        """Report that the order cannot be explained, once."""
        if not kept.is_difference:
            kept.is_difference, kept.is_denied = True, False
            self._difference(kept, f"{self._venue} {words}")

    def _difference(self, kept: TrackedOrder, words: str) -> None:
        now_ns, terms = self._clock.now_ns(), kept.terms
        self._doubts.hold(terms.symbol, now_ns)
        self._put(Report(now_ns, ReportKind.DIFFERENCE, terms.client_order_id, plain(words)))
