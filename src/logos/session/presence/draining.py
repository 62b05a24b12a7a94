"""What `logos kill` says of a session that has not shown that nothing of it rests: in words.

A session is drained when it is blocked and there is evidence that none of its orders rests at a
venue. Until then its orders are named, and what to do depends on whether its loop turns: a loop
that turns goes on cancelling, and to end its process would only leave the orders alone.
"""

from __future__ import annotations

from typing import Final

from logos.session.presence.heartbeat import Heartbeat, SessionReport

HANGS_S: Final = 5.0
"""A session without a sign of life for so long may be taken to hang."""


def complaint(
    report: SessionReport,
    granted_epoch: int,
    since_ns: int,
    now_ns: int,
    *,
    name: str = "",
    is_elsewhere: bool = False,
) -> str:
    """Why the session of `report` does not count as stopped at `now_ns`, and what to do; its orders
    by name. `since_ns` is when it was asked to stop. Both are nanoseconds since 1970. `name` is the
    session in words; "": its id and process id. `is_elsewhere`: it runs in another PID namespace,
    where its process id is of use."""
    name = name or f"session {report.session_id} (pid {report.pid})"
    if report.problem:
        return f"session {report.session_id}: NOT KNOWN TO BE BLOCKED: {report.problem}"
    if not report.running:
        return (
            f"{name}: BLOCKED ({'its process is gone' if report.process_is_gone else 'it ended'}), "
            f"NOT DRAINED: it ended without saying that nothing rests; {_look(report.heartbeat)}"
        )
    beat = report.heartbeat
    is_blocked = beat is not None and beat.epoch >= granted_epoch and beat.blocked
    blocked = "BLOCKED" if is_blocked else "NOT BLOCKED"
    hangs = "end it where it runs, in another PID namespace"
    if not is_elsewhere:
        hangs = f"end it: kill -9 {report.pid}"
    what_to_do = _what_to_do(beat, is_blocked, since_ns, now_ns, hangs)
    return f"{name}: {blocked}, NOT DRAINED: {_look(beat)}; {what_to_do}"


def _what_to_do(
    beat: Heartbeat | None, is_blocked: bool, since_ns: int, now_ns: int, hangs: str
) -> str:
    if beat is not None and beat.written_ns >= since_ns:
        does = "goes on cancelling" if is_blocked else "has not seen the engagement yet"
        return f"its loop turns, and it {does}: leave it running, repeat `logos kill`"
    age_s = HANGS_S if beat is None else beat.age_s(now_ns)
    if age_s < HANGS_S:
        return f"its last sign of life is {age_s:.0f} s old: repeat `logos kill`"
    return f"no sign of life for {age_s:.0f} s; if it hangs, {hangs}"


def _look(beat: Heartbeat | None) -> str:
    """Which orders may rest, as far as it was said."""
    if beat is None or not beat.resting:
        return "look at the venue"
    more = beat.resting_count - len(beat.resting)
    names = ", ".join(beat.resting) + (f" and {more} more" if more > 0 else "")
    return f"may still rest at the venue: {names}"
