"""What a strategy may do through its context besides asking: set timers, write things down.

As with `figures`, each is a function that encloses what it works on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from logos.core.handlers.agenda import Agenda
from logos.core.handlers.events import Timer
from logos.core.handlers.notes import Notes
from logos.core.handlers.timekeeping import Timekeeper
from logos.core.handlers.times import moment_ns, span_ns
from logos.core.order_manager import OrderManager


class Tools(NamedTuple):
    """One function for each method of the context of the same name; see `strategy.Context`."""

    at: Callable[[object, str, str], Timer]
    every: Callable[[object, bool, str, str], Timer]
    cancel_timer: Callable[[object], bool]
    log: Callable[[object, object], None]
    plot: Callable[[object, object, object], None]


def make_tools(
    order_manager: OrderManager, agenda: Agenda, timekeeper: Timekeeper, notes: Notes
) -> Tools:
    """The tools of one session."""

    def check(name: str, symbol: str) -> None:
        if not isinstance(name, str) or not isinstance(symbol, str):
            raise TypeError("a timer's name and symbol are text")
        if symbol and symbol not in order_manager.states:
            raise KeyError(symbol)

    def at(time: object, name: str, symbol: str) -> Timer:
        check(name, symbol)
        timer = agenda.set_timer(moment_ns(time), 0, name, symbol)
        timekeeper.look_again()
        return timer

    def every(interval: object, is_aligned: bool, name: str, symbol: str) -> Timer:
        check(name, symbol)
        timer = agenda.set_interval(span_ns(interval), is_aligned, name, symbol)
        timekeeper.look_again()
        return timer

    def cancel_timer(timer: object) -> bool:
        if isinstance(timer, Timer):
            return agenda.cancel_timer(timer.timer_id)
        if not isinstance(timer, int) or isinstance(timer, bool):
            raise TypeError("cancel a timer by itself, or by its timer_id")
        return agenda.cancel_timer(timer)

    def log(text: object, symbol: object) -> None:
        notes.note(text, symbol)

    def plot(name: object, value: object, symbol: object) -> None:
        notes.plot(name, value, symbol)

    return Tools(at, every, cancel_timer, log, plot)
