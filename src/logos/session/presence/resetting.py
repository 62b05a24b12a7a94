"""Trading is allowed again: a person's decision, after what can be seen from here was looked at.

Preconditions: no running session has orders that may rest at a venue, none has a difference with
its venue that nobody explained, and no session that ended left either. Then back in two steps. At
REDUCE_ONLY every running session takes note and its guards judge anew, while nothing can grow; only
when all have and nothing has engaged the switch again is it armed. What stands in the way is named;
`--force` overrules it, and what was overruled goes into the history with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import ResetRefusedError
from logos.killswitch.status import SwitchStatus
from logos.session.presence.heartbeat import SessionReport, read_sessions, sessions_folder
from logos.session.presence.leftovers import accept_leftovers, words_of_leftovers

GUARDS_S: Final = 5.0
"""How long running sessions may take to take note of REDUCE_ONLY."""
_LOOK_S: Final = 0.02


def reset(
    breaker: CircuitBreaker,
    by: str,
    reason: str,
    epoch: int,
    *,
    is_forced: bool = False,
    home: Path | None = None,
) -> SwitchStatus:
    """Turn the switch of the workspace `home` SAFE, as the module says; its status then.

    Raises ResetRefusedError with what stands in the way, and as `CircuitBreaker.reset`; OSError
    when the word of what was left cannot be taken back.
    """
    status = breaker.status()
    is_engaged = status.state is SwitchState.ENGAGED
    found = objections(home, is_engaged=is_engaged) if epoch == status.epoch else []
    if found and not is_forced:
        listed = "\n".join(f"  {words}" for words in found)
        raise ResetRefusedError(
            f"reset refused:\n{listed}\nLook at each; `--force` resets all the same, and the "
            "history says over what"
        )
    why = f"{reason} [--force over: {'; '.join(found)}]" if found else reason
    # What was never armed has nothing to come back to step by step.
    if is_engaged and status.epoch:
        epoch = breaker.step_down(by, why, epoch).epoch
        problem = _guards_object(breaker, epoch, home)
        if problem and not is_forced:
            raise ResetRefusedError(
                f"reset stopped half-way: {problem}. See `logos kill status`; `--force` arms it "
                "all the same"
            )
        if problem:
            why = f"{why} [--force over: {problem}]"
    after = breaker.reset(by, why, epoch)
    if found:
        accept_leftovers(home)
    return after


def objections(home: Path | None = None, *, is_engaged: bool = True) -> list[str]:
    """What stands in the way of allowing trade again, a text each. `is_engaged`: running sessions
    must be blocked and drained."""
    found = []
    for report in read_sessions(sessions_folder(home)):
        words = _objection(report, is_engaged)
        if words:
            found.append(words)
    return found + words_of_leftovers(home)


def _objection(report: SessionReport, is_engaged: bool) -> str:
    beat = report.heartbeat
    name = f"session {report.session_id}"
    if report.problem or beat is None:
        return f"{name} cannot be judged: {report.problem}"
    if not beat.is_real:
        return ""
    if not report.running:
        return f"{name} ended without saying that nothing rests at its venue: look there"
    if beat.differences:
        return f"{name}: {beat.differences} differences with its venue are not explained"
    if is_engaged and not beat.drained:
        names = ", ".join(beat.resting) or "it has not said which"
        return f"{name}: orders may still rest at its venue: {names}"
    return ""


def _guards_object(breaker: CircuitBreaker, epoch: int, home: Path | None) -> str:
    """Wait until all that run have taken note of `epoch`; what went wrong, if anything did."""
    until_s = time.monotonic() + GUARDS_S
    while True:
        if breaker.authority() is SwitchState.ENGAGED:
            return f"the switch was engaged again: {breaker.why()}"
        late = _not_there_yet(read_sessions(sessions_folder(home)), epoch)
        if not late:
            return ""
        if time.monotonic() >= until_s:
            return (
                f"it is REDUCE_ONLY, and within {GUARDS_S:g} s not everybody took note of that: "
                f"{', '.join(late)}"
            )
        time.sleep(_LOOK_S)


def _not_there_yet(reports: Sequence[SessionReport], epoch: int) -> list[str]:
    return [
        f"session {report.session_id}"
        for report in reports
        if report.running and (report.heartbeat is None or report.heartbeat.epoch < epoch)
    ]
