"""A halted session whose books differ from its venue's is brought right, by a person's decision.

Problem: a difference halts a session, and a halted session has ended; what the venue filled in the
meantime is in no book, and nobody may trade on. Method: the session is run again elsewhere from
what it recorded, and its venue is asked, by our ids, about each order that its books take to be
open: fills and ends that the venue proves become the reports that were missing. What is left must
be nothing; or, if the operator says so, it is the account owner's and no part of the session's
books. Reports and decision are recorded as one batch of the session's inputs, so that a replay
gives the same bytes, a crash finds all of it or nothing, and `resume` goes on behind it.

Nothing is sent to the venue, and nothing is written before the operator wants it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from logos.core.clock import Clock
from logos.core.messages import Reconcile, Report
from logos.core.types import Code, ReportKind
from logos.execution.bounded import BoundedVenue
from logos.execution.clock import SystemClock
from logos.execution.doubts import Doubts
from logos.execution.order_match import (
    NO_SUCH_ORDER,
    is_fill_of,
    is_over,
    is_same,
    listed_as,
    mismatch,
)
from logos.execution.reconcile import Reconciler
from logos.execution.reporting import Reporter
from logos.execution.tracked import LinkRules, TrackedOrder, adopted
from logos.execution.venue_link import VenueLink
from logos.journal.entries import JOURNAL
from logos.journal.inputs import RecordedInputs
from logos.journal.lock import JournalLock
from logos.journal.surveys import Survey
from logos.session.connections import Outside, connect
from logos.session.history import find_session
from logos.session.open import open_session
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.outcome import SessionResult
from logos.session.presence.leftovers import leave_word
from logos.session.restoring import CannotResumeError
from logos.session.session import Session
from logos.session.source import BASELINE_FILE
from logos.session.venue.preflight import outside_of_loops
from logos.session.venue.taking_up import take_up
from logos.venues.contract import Venue, VenueFill, VenueOrder

_OVERLAP_NS: Final = 60 * 1_000_000_000
_BY_DIFFERENCE: Final = f"kill switch: guard {Code.RECONCILIATION.value} "


@dataclass(slots=True)
class Findings:
    """What a venue says of a session's open orders and holdings."""

    reports: list[Report] = field(default_factory=list)
    """What is to be booked."""
    booked: list[str] = field(default_factory=list)
    """The same in words, a line each."""
    obstacles: list[str] = field(default_factory=list)
    """What keeps it from being booked, and what to do about it."""
    left: dict[str, Decimal] = field(default_factory=dict)
    """By how much holdings differ all the same, by asset or symbol."""
    baseline: Mapping[str, Decimal] = field(default_factory=dict)
    """What the account holds besides the session."""

    symbols: frozenset[str] = frozenset()
    """The session's symbols: a position of one may be the owner's, of whatever sign."""

    def unsound(self) -> list[str]:
        """What no adjustment can bring right: money that the books have and the venue has not."""
        return [
            f"the books hold {-amount:f} {name} more than the account: nothing proves where it is; "
            "start a new session whose account.balances are what is there"
            for name, amount in sorted(self.adjusted().items())
            if amount < 0 and name in self.left and name not in self.symbols
        ]

    def adjusted(self) -> dict[str, Decimal]:
        """The baseline with which nothing is left."""
        names = {*self.baseline, *self.left}
        zero = Decimal(0)
        return {each: self.baseline.get(each, zero) + self.left.get(each, zero) for each in names}


class _NotBefore:
    """A clock that does not show a time before the session's last event."""

    def __init__(self, clock: Clock, least_ns: int) -> None:
        self._clock = clock
        self._least_ns = least_ns

    def now_ns(self) -> int:
        return max(self._clock.now_ns(), self._least_ns)

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


def look(spec: SessionSpec) -> Findings:
    """What there is to be booked in the session of `spec`; changes nothing, here or there.

    Raises CannotResumeError for a session that no difference has halted or that has no real venue,
    SessionBusyError for one that runs, what `resume` raises, and VenueError when the venue cannot
    be asked.
    """
    place = find_session(spec.session_id, spec.home)
    JournalLock(place / JOURNAL).close()
    recorded = RecordedInputs.of(place)
    if recorded is None:
        raise CannotResumeError(f"session {spec.session_id} had no real venue")
    with open_session(replace(spec, purpose=Purpose.LOOK)) as session:
        recorded.know(session.plan.instruments)
        for batch in recorded.batches():
            session.apply(batch)
        core = session.core
        if not core.is_halted or not core.trigger.startswith(_BY_DIFFERENCE):
            why = f"it was halted by {core.trigger}" if core.is_halted else "no guard halted it"
            raise CannotResumeError(
                f"session {spec.session_id} was not halted by a difference ({why}): there is "
                "nothing to reconcile. One that was stopped or crashed asks its venue by itself: "
                f"logos resume {spec.session_id}"
            )
        return outside_of_loops(_look(session, place, recorded.survey(), spec.outside))


async def _look(session: Session, place: Path, survey: Survey, outside: Outside | None) -> Findings:
    connections = connect(session.plan, outside)
    venue, terminal = connections.venue(session.session_id), connections.terminal
    if venue is None or session.core.order_manager.outbox is None:
        raise CannotResumeError(f"session {session.session_id} had no real venue")
    clock = _NotBefore(connections.clock, session.now_ns)
    baseline = _baseline(place)
    take_up(venue, session.view, baseline, survey)
    try:
        await venue.open()
        if terminal is not None:
            terminal.adopt(session.view.outstanding())
        return await _Look(session, venue, clock, survey, baseline).findings()
    finally:
        await venue.close()
        if terminal is not None:
            await terminal.close()


def _baseline(place: Path) -> dict[str, Decimal]:
    """What the account held besides the session when it began. Raises CannotResumeError."""
    path = place / BASELINE_FILE
    if not path.is_file():
        raise CannotResumeError(f"{path} is missing: nobody knows what the account held besides")
    found = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    return {name: Decimal(amount) for name, amount in found.items()}


class _Look:
    """Asks one venue about one session that was run again."""

    def __init__(
        self,
        session: Session,
        venue: Venue,
        clock: Clock,
        survey: Survey,
        baseline: Mapping[str, Decimal],
    ) -> None:
        self._session = session
        self._view = session.view
        self._found = Findings(baseline=baseline, symbols=frozenset(session.view.symbols))
        # It runs no task: it is the queue before the venue, and what the reconciler asks.
        random = Random(0)  # noqa: S311
        self._link = VenueLink(venue, self._view, session.core.switch, clock, random, self._take)
        self._venue = BoundedVenue(venue, clock, LinkRules().call_s, self._link.lane)
        self._reconciler = Reconciler(
            venue, self._view, self._link, clock, self._take, self._take_words, None, baseline
        )
        self._tell = Reporter(venue.name, self._view, clock, self._take, Doubts())
        self._since_ns = max(survey.first_ns - _OVERLAP_NS, 0)
        self._booked = {fill_id for _, fill_id in survey.fills}
        self._is_guessed = False

    async def findings(self) -> Findings:
        """Ask, and run what is to be booked. Raises VenueError."""
        found = self._found
        listed = await self._venue.open_orders()
        fills = sorted(await self._venue.fills_since(self._since_ns), key=lambda fill: fill.ts_ns)
        for outstanding in self._view.outstanding():
            terms = outstanding.terms
            there = await self._venue.find(terms.client_order_id, terms.symbol)
            kept = adopted(outstanding)
            if there is None:
                self._judge_denied(kept, listed, fills)
            else:
                self._judge(kept, there, fills)
        if found.reports:
            self._session.apply(found.reports)
        found.left = await self._reconciler.differing()
        if self._is_guessed and found.left:
            found.obstacles.append(
                "fills without a name were taken for ours, and holdings differ with them: find out "
                "at the venue whose they are"
            )
        return found

    def _judge(self, kept: TrackedOrder, there: VenueOrder, fills: Sequence[VenueFill]) -> None:
        """Of an order that the venue knows."""
        terms, name = kept.terms, kept.terms.client_order_id
        if is_same(terms, there):
            self._fill(kept, [fill for fill in fills if is_fill_of(terms, there, fill)], "")
        wrong = mismatch(terms, there, kept.reported_units, kept.is_accepted)
        if wrong:
            self._found.obstacles.append(f"{name}: {self._venue.name} {wrong}")
        elif is_over(there):
            self._tell.end(kept, there)
        else:
            words = f"is open at {self._venue.name}: cancel it there, then do this again"
            self._found.obstacles.append(f"{name} {words}")

    def _judge_denied(
        self, kept: TrackedOrder, listed: Sequence[VenueOrder], fills: Sequence[VenueFill]
    ) -> None:
        """Of an order that the venue does not find: by what it lists. What names nobody and looks
        like it is taken for it, which holdings must bear out."""
        terms, name = kept.terms, kept.terms.client_order_id
        mine = [f for f in fills if f.client_order_id == name and f.symbol == terms.symbol]
        words = ""
        if not mine:
            mine = [fill for fill in fills if self._looks_like(kept, fill)]
            self._is_guessed = self._is_guessed or bool(mine)
            words = " (it names nobody)"
        if rests := listed_as(terms, listed, (), (), ()):
            self._found.obstacles.append(
                f"{name}: {self._venue.name} lists {rests}: cancel it there, then do this again"
            )
            return
        self._fill(kept, mine, words)
        if kept.reported_units == terms.quantity:
            return
        is_there = kept.is_accepted or kept.reported_units > 0
        kind = ReportKind.CANCELLED if is_there else ReportKind.NOT_SENT
        what = "no longer lists it" if is_there else NO_SUCH_ORDER
        self._tell.say(kept, kind, f"{self._venue.name} {what}")

    def _looks_like(self, kept: TrackedOrder, fill: VenueFill) -> bool:
        terms = kept.terms
        return (
            not fill.client_order_id
            and fill.symbol == terms.symbol
            and fill.side is terms.side
            and fill.quantity_units <= terms.quantity
            and fill.ts_ns >= terms.created_ns - _OVERLAP_NS
        )

    def _fill(self, kept: TrackedOrder, fills: Sequence[VenueFill], words: str) -> None:
        for fill in fills:
            if fill.fill_id in self._booked:
                continue
            if kept.reported_units + fill.quantity_units > kept.terms.quantity:
                name = kept.terms.client_order_id
                self._found.obstacles.append(f"{name}: fill {fill.fill_id} is beyond its quantity")
                return
            self._booked.add(fill.fill_id)
            self._tell.fill(kept, fill)
            self._found.booked[-1] += words

    def _take(self, report: Report) -> None:
        name, words = report.client_order_id, report.detail
        if report.kind is ReportKind.DIFFERENCE:
            self._found.obstacles.append(f"{name}: {words}")
            return
        if report.kind is ReportKind.FILLED:
            terms = next(
                each.terms
                for each in self._view.outstanding()
                if each.terms.client_order_id == name
            )
            text = terms.instrument
            quantity, price = text.quantity_text(report.quantity_units), report.price_units
            words = f"{quantity} {terms.symbol} at {text.price_text(price)}, fill {report.fill_id}"
        self._found.reports.append(report)
        self._found.booked.append(f"{name} {report.kind.value} {words}".rstrip())

    def _take_words(self, words: str) -> None:
        self._found.obstacles.append(words)


def book(
    spec: SessionSpec, found: Findings, by: str, reason: str, clock: Clock | None = None
) -> SessionResult:
    """Write down what `look` found, all of it or nothing; the session is STOPPED after that.

    What is `left` is adjusted. Raises as `resume`, ValueError where there are obstacles.
    """
    if found.obstacles:
        raise ValueError(f"not to be booked: {'; '.join(found.obstacles)}")
    clock = SystemClock() if clock is None else clock
    with open_session(replace(spec, purpose=Purpose.RECONCILE)) as session:
        for batch in session.source.batches():
            session.apply(batch)
        session.folder.cut_off_rest()
        now_ns = max(clock.now_ns(), session.now_ns, *(each.ts_ns for each in found.reports), 0)
        adjusted = tuple((name, format(found.left[name], "f")) for name in sorted(found.left))
        session.apply([*found.reports, Reconcile(now_ns, reason, by, adjusted)])
        session.sync()
        if adjusted:
            baseline = {name: format(each, "f") for name, each in found.adjusted().items()}
            session.folder.write_json(BASELINE_FILE, baseline)
        session.supervisor.stop_requested = True
        while session.result is None:
            session.apply([])
    leave_word(spec.session_id, (), "", spec.home)
    return session.result
