"""The fills of the orders at a venue: each is reported once, from as few questions as will do."""

from __future__ import annotations

from collections.abc import Sequence

from logos.core.outbox import OrderTerms
from logos.core.types import NS_PER_SECOND
from logos.execution.looking.looks import Looks
from logos.execution.order_match import ENDS, is_fill_of, is_same
from logos.execution.reporting import Reporter
from logos.execution.tracked import LinkRules, TrackedOrder
from logos.venues.contract import VenueFill, VenueOrder


class Fills:
    """Reports the fills of one link's orders."""

    def __init__(self, looks: Looks, tell: Reporter, rules: LinkRules, since_ns: int) -> None:
        """An order's fills are asked for from a little before its making on, or from `since_ns`
        (0: not given) if that is earlier."""
        self._looks = looks
        self._tell = tell
        self._overlap_ns = round(rules.overlap_s * NS_PER_SECOND)
        self._since_ns = since_ns
        self.seen: set[tuple[str, str]] = set()
        """Client order id and fill id of all that were reported."""

    def since(self, terms: OrderTerms) -> int:
        """From when on an order's fills are asked for, nanoseconds since 1970."""
        since_ns = terms.created_ns
        if 0 < self._since_ns < since_ns:
            since_ns = self._since_ns
        return max(since_ns - self._overlap_ns, 0)

    async def report(self, kept: TrackedOrder, there: VenueOrder, step: int) -> None:
        """Report the fills the core has not heard of, if there can be any. Raises VenueError.

        A list that was asked for before will do if it explains all that the order says; one that is
        asked for now is asked for after `step`. An order that ended unfilled is looked at as well:
        its last fill may have come together with its end, and the order's own count may not have it
        yet.
        """
        terms = kept.terms
        missing = there.filled_units - kept.reported_units
        has_ended_short = there.status in ENDS and kept.reported_units < terms.quantity
        if not (missing > 0 or has_ended_short) or not is_same(terms, there):
            return
        news = self._news(kept, there, self._looks.latest_fills)
        if has_ended_short or sum(fill.quantity_units for fill in news) != missing:
            fills = await self._looks.fills_for(terms, self.since(terms), step)
            news = self._news(kept, there, fills)
        for fill in news:
            self.seen.add((terms.client_order_id, fill.fill_id))
            self._tell.fill(kept, fill)

    def report_told(
        self, kept: TrackedOrder, there: VenueOrder, fills: Sequence[VenueFill]
    ) -> bool:
        """Report the fills of an order that the venue has told of by itself; whether they are all
        that it says, so that nothing has to be asked."""
        if there.status in ENDS or not is_same(kept.terms, there):
            return False
        news = self._news(kept, there, fills)
        if sum(fill.quantity_units for fill in news) != there.filled_units - kept.reported_units:
            return False
        for fill in news:
            self.seen.add((kept.terms.client_order_id, fill.fill_id))
            self._tell.fill(kept, fill)
        return True

    def _news(
        self, kept: TrackedOrder, there: VenueOrder, fills: Sequence[VenueFill]
    ) -> list[VenueFill]:
        """The order's fills that were not reported yet, oldest first, each once."""
        name = kept.terms.client_order_id
        news: dict[str, VenueFill] = {}
        for fill in sorted(fills, key=lambda fill: fill.ts_ns):
            is_known = (name, fill.fill_id) in self.seen or fill.fill_id in news
            if not is_known and is_fill_of(kept.terms, there, fill):
                news[fill.fill_id] = fill
        return list(news.values())
