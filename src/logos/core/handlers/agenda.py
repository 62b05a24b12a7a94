"""When a strategy is called without an event: its timers, and the hours of its markets.

Time passes with events. What is due at a time falls due at the first event at or after it, and is
called when all events of that moment have been handled: so it sees the prices of every symbol then,
and nothing later. An interval that passed several times between two events is called once, and says
how many calls it missed. What is set in such a call, for a time that has passed, falls due at the
next moment: no call can follow another without end.

A live session has a clock of its own, whose times are among its inputs (`TimePassed`). There each
of them calls what is due, and market data do not: a call never acts on a time that is long gone,
also not the first one after a crash.

Opening and closing come before timers of the same moment. While nobody may be asked (the kill
switch is engaged, an operator suspended the session), what falls due is passed over.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.handlers.events import MarketHoursEvent, Timer
from logos.core.handlers.hours import MarketHours
from logos.core.order_manager import OrderManager
from logos.core.types import NEVER_NS, NS_PER_SECOND
from logos.errors import StrategyError

TIMERS_MAX: Final = 1_000
"""Timers of one strategy at a time."""

INTERVAL_MIN_NS: Final = NS_PER_SECOND
"""The shortest interval: a live session's own clock ticks about once a second."""


@final
class Agenda:
    """What one session's strategy is to be called for, and when."""

    __slots__ = (
        "_is_calling",
        "_next_id",
        "_order_manager",
        "due_ns",
        "hours",
        "is_clocked",
        "timers",
    )

    def __init__(self, order_manager: OrderManager) -> None:
        self._order_manager = order_manager
        self._next_id: int = 1
        self._is_calling: bool = False
        self.timers: list[Timer] = []
        """Those that are set, in the order in which they were set."""
        self.hours = MarketHours(order_manager)
        self.due_ns: int = NEVER_NS
        """When something is due next; it may lie in the past."""
        self.is_clocked: bool = False
        """Whether a clock of the session's own calls what is due."""

    # ---- what the strategy sets ----

    def set_timer(self, due_ns: int, interval_ns: int, name: str, symbol: str) -> Timer:
        """Set a timer for `due_ns`, and each `interval_ns` (0: never) again after that.

        Raises ValueError for an interval that is too short, StrategyError for too many timers.
        """
        if interval_ns and interval_ns < INTERVAL_MIN_NS:
            raise ValueError(f"a timer's interval is at least 1 s, not {interval_ns} ns")
        if len(self.timers) >= TIMERS_MAX:
            raise StrategyError(f"the strategy has set {TIMERS_MAX} timers, and wants one more")
        now_ns = self._order_manager.now_ns + int(self._is_calling)
        timer = Timer(self._next_id, name, symbol, max(due_ns, now_ns), interval_ns)
        self._next_id += 1
        self.timers.append(timer)
        self._look()
        return timer

    def set_interval(self, interval_ns: int, is_aligned: bool, name: str, symbol: str) -> Timer:
        """Set a timer for each `interval_ns`: at multiples of it since 1970, or counted from now.

        Raises as `set_timer`.
        """
        if interval_ns < INTERVAL_MIN_NS:
            return self.set_timer(0, interval_ns, name, symbol)  # which refuses it
        now_ns = self._order_manager.now_ns
        first_ns = now_ns + interval_ns
        if is_aligned:
            first_ns -= first_ns % interval_ns
        return self.set_timer(first_ns, interval_ns, name, symbol)

    def cancel_timer(self, timer_id: int) -> bool:
        """Let a timer fall due no more; whether there was one of that number."""
        before = len(self.timers)
        self.timers = [timer for timer in self.timers if timer.timer_id != timer_id]
        self._look()
        return len(self.timers) != before

    # ---- what the engine does with it ----

    def begin(self, hears_hours: bool) -> None:
        """The session begins at the present time; `hears_hours`: of the markets' too."""
        self.hours.begin(hears_hours)
        self._look()

    def is_due(self, now_ns: int) -> bool:
        """Whether calls are due before an event at `now_ns`: the moment before it is over."""
        moment_ns = self._order_manager.now_ns
        return self.due_ns <= moment_ns < now_ns and not self.is_clocked

    def next_look_ns(self, now_ns: int) -> int:
        """When the engine has to look again, as of an event at `now_ns`."""
        if self.is_clocked:
            return NEVER_NS
        return self.due_ns if self.due_ns > now_ns else now_ns + 1

    def take(self) -> MarketHoursEvent | Timer | None:
        """The next call that is due at the present moment; None: no more is."""
        now_ns = self._order_manager.now_ns
        if self.due_ns > now_ns:
            self._is_calling = False
            return None
        self._is_calling = True
        change = self.hours.take(now_ns)
        if change is not None:
            self._look()
            return change
        due = [timer for timer in self.timers if timer.due_ns <= now_ns]
        if not due:
            self._look()
            self._is_calling = False
            return None
        first = min(due, key=_due_ns)
        missed = 0
        if first.interval_ns == 0:
            self.timers.remove(first)
        else:
            missed = (now_ns - first.due_ns) // first.interval_ns
            self._put_off(first, first.due_ns + (missed + 1) * first.interval_ns)
        self._look()
        return Timer(
            first.timer_id, first.name, first.symbol, first.due_ns, first.interval_ns, missed
        )

    def pass_over(self) -> None:
        """Nobody may be asked: let what is due at the present moment fall due unheard."""
        while self.take() is not None:
            pass

    def _put_off(self, timer: Timer, due_ns: int) -> None:
        later = Timer(timer.timer_id, timer.name, timer.symbol, due_ns, timer.interval_ns)
        self.timers[self.timers.index(timer)] = later

    def _look(self) -> None:
        """Find out when something is due next."""
        due_ns = self.hours.next_ns
        for timer in self.timers:
            due_ns = min(due_ns, timer.due_ns)
        self.due_ns = due_ns


def _due_ns(timer: Timer) -> int:
    return timer.due_ns
