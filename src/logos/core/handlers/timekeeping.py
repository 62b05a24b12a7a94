"""What is to be done as time passes: payments, days that begin, samples, prices that grow old.

Each event compares its time once with `next_check_ns`, the first time at which any of this can be
due; nothing else is asked of it.
"""

from __future__ import annotations

from typing import final

from logos.core.guards.standing import risk_figures
from logos.core.handlers.agenda import Agenda
from logos.core.order_manager import OrderManager
from logos.core.records import RiskRecord
from logos.core.safety import SafetyMonitor
from logos.core.terms.payments import Payments
from logos.core.types import NEVER_NS, NS_PER_DAY
from logos.errors import InvariantBroken


@final
class Timekeeper:
    """Sees to what depends on time alone in one session.

    `sample_ns` is how much event time lies between two samples; 0: only at start and end.
    """

    __slots__ = (
        "_agenda",
        "_day",
        "_next_look_ns",
        "_next_risk_ns",
        "_next_sample_ns",
        "_order_manager",
        "_safety",
        "_sample_ns",
        "carried_ns",
        "carried_words",
        "next_check_ns",
        "payments",
        "risk_ns",
    )

    def __init__(
        self, order_manager: OrderManager, safety: SafetyMonitor, agenda: Agenda, sample_ns: int
    ) -> None:
        self._order_manager = order_manager
        self._safety = safety
        self._agenda = agenda
        self._sample_ns = sample_ns
        self.payments = Payments(order_manager, safety)
        self._next_sample_ns: int = NEVER_NS
        self._next_risk_ns: int = NEVER_NS
        self._next_look_ns: int = 0
        self._day: int = 0
        """Days since 1970 of the latest event, UTC."""
        self.next_check_ns: int = 0
        """The time of an event from which on `check` has to be called before it."""
        self.carried_ns: int = 0
        """When the session ended whose positions this one took over; 0: it took over none."""
        self.carried_words: list[str] = []
        """What is warned of then, at the start."""
        self.risk_ns: int = 0
        """How much event time lies between two records of the risk; 0: there are none."""

    def begin(self, ts_ns: int) -> None:
        """The session begins at `ts_ns` (nanoseconds UTC): take the first samples."""
        self._order_manager.now_ns = ts_ns
        self._day = ts_ns // NS_PER_DAY
        if self._sample_ns:
            self._next_sample_ns = (ts_ns // self._sample_ns + 1) * self._sample_ns
        if self.risk_ns:
            self._next_risk_ns = (ts_ns // self.risk_ns + 1) * self.risk_ns
        if self.carried_ns:
            self._pass_gap(ts_ns)
        else:
            self.payments.begin(ts_ns)
        self._order_manager.sample(ts_ns)

    def _pass_gap(self, ts_ns: int) -> None:
        """What was carried over was held until now: book what was due, and begin the day."""
        order_manager = self._order_manager
        for words in self.carried_words:
            order_manager.warn("", "CARRIED", words)
        self.payments.begin(self.carried_ns)
        if self.carried_ns // NS_PER_DAY != self._day:
            self.payments.pay_until(self._day * NS_PER_DAY - 1)
            for ledger in order_manager.account.ledgers:
                ledger.start_day()
        self.payments.pay_until(ts_ns)
        order_manager.now_ns = ts_ns

    def pass_to(self, now_ns: int) -> None:
        """It is `now_ns`, and no event says so: book the payments that were due by then."""
        self.payments.pay_until(now_ns)
        self._order_manager.now_ns = now_ns

    def look_again(self) -> None:
        """Something may be due earlier than it was: check at the next event."""
        self.next_check_ns = 0

    def see_lag(self) -> None:
        """A price is older than it seemed: look for old prices at the next event."""
        self._next_look_ns = self.next_check_ns = 0

    def check(self, now_ns: int, symbol: str = "") -> None:
        """Refuse time that runs back; see to payments, days, samples and the age of prices.

        `symbol` is what the event at `now_ns` is about; the session may halt.
        """
        order_manager = self._order_manager
        if now_ns < order_manager.now_ns:
            raise InvariantBroken(f"time ran back from {order_manager.now_ns} to {now_ns}")
        if now_ns // NS_PER_DAY != self._day:
            self._day = now_ns // NS_PER_DAY
            self.payments.pay_until(self._day * NS_PER_DAY - 1)
            for ledger in order_manager.account.ledgers:
                ledger.start_day()
        if now_ns >= self._next_sample_ns or now_ns >= self._next_risk_ns:
            self._record(now_ns)
        self.payments.pay_until(now_ns)
        if now_ns >= self._next_look_ns:
            order_manager.now_ns = now_ns
            self._next_look_ns = self._safety.see_time(now_ns, symbol)
        next_day_ns = (self._day + 1) * NS_PER_DAY
        self.next_check_ns = min(
            self._next_sample_ns,
            self._next_risk_ns,
            next_day_ns,
            self._next_look_ns,
            self.payments.next_ns,
            self._agenda.next_look_ns(now_ns),
        )

    def _record(self, now_ns: int) -> None:
        """Record what is due on the last boundaries before `now_ns`, the earlier one first."""
        sample_at = risk_at = NEVER_NS
        if now_ns >= self._next_sample_ns:
            sample_at = now_ns // self._sample_ns * self._sample_ns
            self._next_sample_ns = sample_at + self._sample_ns
        if now_ns >= self._next_risk_ns:
            risk_at = now_ns // self.risk_ns * self.risk_ns
            self._next_risk_ns = risk_at + self.risk_ns
        if risk_at < sample_at:
            self._record_risk(risk_at)
        if sample_at != NEVER_NS:
            self.payments.pay_until(sample_at)
            self._order_manager.sample(sample_at)
        if sample_at <= risk_at != NEVER_NS:
            self._record_risk(risk_at)

    def _record_risk(self, ts_ns: int) -> None:
        """How the session stands against its limits at `ts_ns`."""
        self.payments.pay_until(ts_ns)
        manager = self._order_manager
        figures = risk_figures(manager, ts_ns)
        parts = (figures.currencies, figures.symbols, figures.guards)
        manager.effects.append(RiskRecord(ts_ns, manager.tick_id, *parts))
