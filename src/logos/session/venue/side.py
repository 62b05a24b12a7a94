"""The side of a live session that faces a real venue: the link, the reconciler, their connection.

Orders and cancels go out through the link, what the venue says comes back through the inbox as
reports; the reconciler compares holdings with the session's books on a timer.
"""

from __future__ import annotations

from typing import Final

from logos.config import OnExternal
from logos.core.types import NS_PER_SECOND
from logos.execution.reconcile import Reconciler, ReconcileRules
from logos.execution.venue_link import VenueLink
from logos.session.outcome import AGREED, CANCELS, HOLDINGS
from logos.session.presence.leftovers import leave_word
from logos.session.session import Session
from logos.session.source import BASELINE_FILE, LiveSource
from logos.session.venue.dead_man import DeadManKeeper
from logos.session.venue.last_look import LastLook
from logos.session.venue.taking_up import take_up
from logos.venues.contract import DeadMan, Unavailable, Venue

LAST_LOOK_S: Final = 30.0
"""What the comparison at the end may take beyond the time that a stop waits for cancels."""


CANCELS_S: Final = 30.0
"""How long an end waits for cancels that have not left our own queue, beyond the time that a stop
waits for a venue to confirm (`live.drain_timeout_s`)."""


class VenueSide:
    """One session's way to one venue."""

    def __init__(self, session: Session, source: LiveSource, venue: Venue) -> None:
        settings = session.plan.config.live
        connections, past = source.connections, source.past
        self._session = session
        self._source = source
        self._venue = venue
        self._link = VenueLink(
            venue,
            session.view,
            session.core.switch,
            connections.clock,
            connections.random,
            source.inbox.put,
            None if connections.terminal is None else connections.terminal.link_rules,
            since_ns=0 if past is None else past.survey.first_ns,
        )
        session.supervisor.may_rest = self._link.may_rest
        self._link.on_gone = session.supervisor.report
        self._reconciler = Reconciler(
            venue,
            session.view,
            self._link,
            connections.clock,
            source.inbox.put,
            source.tell,
            ReconcileRules(
                every_s=float(settings.reconcile_every_s),
                stop_on_external=settings.on_external is OnExternal.HALT,
            ),
            None if past is None else past.baseline(),
        )
        if past is not None and past.survey.first_ns:
            self._reconciler.charges.adopt(past.survey.charges, past.survey.first_ns)
        self.last_look = LastLook(
            self._compare_at_end,
            connections.clock,
            source.inbox.wake,
            source.tell,
            float(settings.drain_timeout_s) + LAST_LOOK_S,
        )
        """The comparison without which the session does not end."""
        session.may_stop = self.may_end
        self._link.on_stream = source.tell
        if hasattr(venue, "on_words"):
            venue.on_words = source.tell
        self._link.lane.short.tell = source.tell
        self._cancels_until_ns = 0
        session.supervisor.differences = lambda: self._reconciler.difference_count
        self.tasks = {"reconciliation": self._reconciler.run, "venue": self._link.run}
        """What runs beside the loop, by name."""
        dead_man: DeadMan | None = getattr(venue, "dead_man", None)
        self._dead_man: DeadManKeeper | None = None
        if dead_man is not None:
            switch, now_ns = session.core.switch, lambda: session.now_ns
            self._dead_man = DeadManKeeper(
                dead_man, connections.clock, switch.authority, now_ns, source.tell
            )
            self.tasks["dead man's switch"] = self._dead_man.run
        self.dispatch = self._link.dispatch
        """Sends requests, once. They must be durable."""

    def may_end(self) -> bool:
        """Whether the session may end now, as far as its venue goes: no cancel waits in our own
        queue (for `CANCELS_S`, from the first time that this is asked), and the last comparison was
        made."""
        now_ns = self._source.connections.clock.now_ns()
        if not self._cancels_until_ns:
            self._cancels_until_ns = now_ns + round(CANCELS_S * NS_PER_SECOND)
        if self._link.has_waiting_cancels and now_ns < self._cancels_until_ns:
            return False
        return self.last_look.is_over()

    async def open(self) -> None:
        """Connect, and settle what a resumed session left open. Raises VenueError and OSError."""
        terminal, past = self._source.connections.terminal, self._source.past
        if past is not None:
            take_up(self._venue, self._session.view, past.baseline(), past.survey)
        await self._venue.open()
        fills = [] if past is None else past.survey.fills
        if terminal is not None:
            terminal.adopt(self._session.view.outstanding(), fills)
        self._link.adopt(fills)
        if self._link.open_count == 0 or self._reconciler.baseline is None:
            await self._reconciler.start()
        # Otherwise fills from an earlier run are not in the books yet: nobody takes reports before
        # the session is live, so the first comparison is the timer's.
        held = self._reconciler.baseline or {}
        baseline = {name: format(amount, "f") for name, amount in held.items()}
        self._session.folder.write_json(BASELINE_FILE, baseline)

    async def _compare_at_end(self) -> list[str]:
        """What differs now. Raises Unavailable for a session that never came to know its venue."""
        if self._reconciler.baseline is None:
            raise Unavailable("the session did not come to begin")
        return await self._reconciler.once()

    def facts(self) -> dict[str, str]:
        """What was found at the end."""
        unheard = ", ".join(self._link.unheard_cancels)
        return {HOLDINGS: self.last_look.outcome, **({CANCELS: unheard} if unheard else {})}

    async def close(self) -> None:
        """Disconnect, and leave word of what a person has to look at before trading goes on."""
        await self.last_look.close()
        if self._dead_man is not None:
            await self._dead_man.end(has_orders=self._session.is_at_venue)
        outbox = self._session.core.order_manager.outbox
        orders = () if outbox is None else tuple(outbox.open)
        outcome = self.last_look.outcome
        holdings = "" if outcome == AGREED or self._reconciler.baseline is None else outcome
        try:
            leave_word(self._session.session_id, orders, holdings, self._source.home)
        except OSError as error:
            self._source.tell(f"cannot write down what is left at the venue: {error}")
        await self._venue.close()
