"""The kill switch of this machine as a session has it: opened, armed, or refused while engaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from logos import paths
from logos.core.types import SwitchState
from logos.errors import LogosError
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import SwitchError


class SwitchEngagedError(LogosError):
    """The kill switch does not allow a session to start; the message says how to clear it."""


class SessionSwitch(CircuitBreaker):
    """The machine's switch, whose reasons leave out when it happened.

    They go into the journal, where the time that counts is the event's.
    """

    __slots__ = ()

    def why(self) -> str:
        status = self.status()
        reason = status.why or "; ".join(status.causes)
        return f"{reason} (by {status.who})" if status.who else reason


def open_switch(
    tell: Callable[[str], object],
    home: Path | None = None,
    *,
    may_be_engaged: bool = False,
    is_real: bool = False,
) -> SessionSwitch:
    """The kill switch of the workspace `home` (None: the machine's), ready for a session.

    A machine with no history is armed for paper, and `tell` hears of it. `is_real`: for orders that
    leave this process; a person must have armed the switch for them (`logos kill reset --mode
    live`), on this machine and for this version.

    Raises SwitchEngagedError when the switch is engaged or cannot be judged, unless it
    `may_be_engaged` because the session to be resumed was ending on that account.
    """
    breaker = session_switch(home, is_real=is_real)
    try:
        if breaker.arm_if_new():
            tell(f"kill switch: first use of this workspace; armed for paper in {breaker.folder}")
    except SwitchError as error:
        breaker.close()
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None  # nothing engaged it: the folder cannot be written
        raise SwitchEngagedError(str(error)) from None
    if not may_be_engaged:
        try:
            refuse_engaged(breaker)
        except SwitchEngagedError:
            breaker.close()
            raise
    return breaker


def session_switch(home: Path | None = None, *, is_real: bool = False) -> SessionSwitch:
    """The kill switch of the workspace `home` (None: the machine's) as it is."""
    folder = paths.within(home, paths.state_dir()) / "kill-switch"
    return SessionSwitch(folder, mode="live" if is_real else "paper")


def refuse_engaged(switch: SessionSwitch) -> None:
    """Raise SwitchEngagedError, with the command that clears it, when `switch` is engaged."""
    if switch.authority() is SwitchState.ENGAGED:
        status = switch.status()
        raise SwitchEngagedError(
            f"{CircuitBreaker.why(switch)}\nNothing is traded until a person clears it:\n  "
            f"{status.clear_command}"
        )
