"""Signals to a command that runs a session: held back until the session's handlers stand.

Problem: a command takes half a second to import what it needs, and a signal that comes in that time
would end the process as signals do by default: SIGUSR1 would leave the kill switch SAFE, SIGTERM
would end in silence. Method: the first thing such a command does is to block the three signals. The
session lets them through once its handlers stand (`SessionSupervisor`), and holds them back again
when it takes the handlers away. What is still held back when the command ends is settled here.

This module imports nothing heavy: it is loaded before anything else.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

HELD = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGUSR1})
SESSION_COMMANDS = ("trade", "resume", "flatten", "replay")


def command_of(arguments: Sequence[str]) -> str:
    """The command that the words of a command line name; "" when they name none."""
    return next((word for word in arguments if not word.startswith("-")), "")


def hold(arguments: Sequence[str]) -> None:
    """Block the signals, if the command line `arguments` runs a session."""
    if command_of(arguments) in SESSION_COMMANDS:
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


@contextmanager
def held() -> Iterator[None]:
    """Hold the signals back; at the end obey what came, and restore what was before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        _settle()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settle() -> None:
    """A SIGUSR1 that no session heard engages the switch all the same; a stop finds nothing."""
    came = set()
    while (found := signal.sigtimedwait(HELD, 0)) is not None:
        came.add(found.si_signo)
    if signal.SIGUSR1 in came:
        from logos.killswitch.breaker import CircuitBreaker

        breaker = CircuitBreaker()
        state = breaker.engage("SIGUSR1", "signal").state
        breaker.close()
        print(f"logos: SIGUSR1: the kill switch is {state.name}", file=sys.stderr)
