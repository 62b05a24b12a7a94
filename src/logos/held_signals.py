"""Signals to a command that runs a session: held back until the session's handlers stand.

Problem: a command takes half a second to import what it needs, and a signal that comes in that time
would end the process as signals do by default: SIGUSR1 would leave the kill switch SAFE, SIGTERM
would end in silence. Method: the first thing such a command does is to block the three signals. The
session lets them through once its handlers stand (`SessionSupervisor`), and holds them back again
when it takes the handlers away. A thread that a library started meanwhile does not hold them back:
so there is a handler beneath the session's that takes note of them. What came outside of a session
is settled when the command ends.

This module imports nothing heavy: it is loaded before anything else.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

HELD = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGUSR1})
SESSION_COMMANDS = ("trade", "run", "resume", "flatten", "replay", "reconcile")

_came: set[int] = set()
"""What came while no session heard it."""


def runs_session(arguments: Sequence[str]) -> bool:
    """Whether the words of a command line run a session."""
    command = command_of(arguments)
    return command in SESSION_COMMANDS or (command == "fleet" and "start" in arguments)


def command_of(arguments: Sequence[str]) -> str:
    """The command that the words of a command line name; "" when they name none."""
    return next((word for word in arguments if not word.startswith("-")), "")


def hold(arguments: Sequence[str]) -> None:
    """Block the signals, if the command line `arguments` runs a session."""
    if runs_session(arguments):
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


@contextmanager
def held(switch: Path | None = None) -> Iterator[None]:
    """Hold the signals back; at the end obey what came, and restore what was before.

    `switch` is the folder of the kill switch that SIGUSR1 engages (None: that of the configured
    workspace). Signals are the main thread's: in another one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    _came.clear()
    handlers = {number: signal.signal(number, _note) for number in HELD}
    try:
        yield
    finally:
        _settle(switch)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _note(number: int, _frame: FrameType | None) -> None:
    _came.add(number)


def has_come() -> bool:
    """Whether a signal came that no session has heard yet: for who waits before one begins."""
    return bool(_came or signal.sigpending() & HELD)


def _settle(switch: Path | None) -> None:
    """A SIGUSR1 that no session heard engages the switch all the same; a stop finds nothing."""
    while (found := signal.sigtimedwait(HELD, 0)) is not None:
        _came.add(found.si_signo)
    if signal.SIGUSR1 in _came:
        from logos.killswitch.breaker import CircuitBreaker

        breaker = CircuitBreaker(switch)
        state = breaker.engage("SIGUSR1", "signal").state
        breaker.close()
        print(f"logos: SIGUSR1: the kill switch is {state.name}", file=sys.stderr)
