"""The side of a live session that faces a real venue: the link, the reconciler, their connection.

Orders and cancels go out through the link, what the venue says comes back through the inbox as
reports; the reconciler compares holdings with the session's books on a timer.
"""

from __future__ import annotations

from logos.config import OnExternal
from logos.execution.reconcile import Reconciler, ReconcileRules
from logos.execution.venue_link import VenueLink
from logos.session.session import Session
from logos.session.source import BASELINE_FILE, LiveSource
from logos.venues.contract import Venue


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
        self.tasks = {"reconciliation": self._reconciler.run, "venue": self._link.run}
        """What runs beside the loop, by name."""
        self.dispatch = self._link.dispatch
        """Sends requests, once. They must be durable."""

    async def open(self) -> None:
        """Connect, and settle what a resumed session left open. Raises VenueError and OSError."""
        await self._venue.open()
        terminal, past = self._source.connections.terminal, self._source.past
        if terminal is not None:
            terminal.adopt(self._session.view.outstanding())
        self._link.adopt([] if past is None else past.survey.fills)
        if self._link.open_count == 0 or self._reconciler.baseline is None:
            await self._reconciler.start()
        # Otherwise fills from an earlier run are not in the books yet: nobody takes reports before
        # the session is live, so the first comparison is the timer's.
        held = self._reconciler.baseline or {}
        baseline = {name: format(amount, "f") for name, amount in held.items()}
        self._session.folder.write_json(BASELINE_FILE, baseline)

    async def close(self) -> None:
        """Disconnect."""
        await self._venue.close()
