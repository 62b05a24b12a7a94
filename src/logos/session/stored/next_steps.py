"""What an operator does next about a session that has ended, crashed or runs: commands to type."""

from __future__ import annotations

from typing import Final

from logos.core.types import SessionStatus

_LIVE: Final = " --live --i-acknowledge-risk"


ONLY_LOOK: Final = (
    "restored from what had been shipped of it, and its orders were real: it is only to be looked "
    "at. Close its orders and positions at the venue, and start a new session under another id"
)
"""Of a session that `stored.names.may_resume` refuses."""


def resume_command(session_id: str, *, is_real: bool = False) -> str:
    """What resumes a session, as it is to be typed. `is_real`: its orders go to a venue, which
    takes both words each time."""
    return f"logos resume {session_id}{_LIVE if is_real else ''}"


def next_steps(
    session_id: str,
    status: str,
    *,
    is_real: bool = False,
    by_switch: bool = False,
    is_to_look_at: bool = False,
) -> list[str]:
    """The commands that come next, the first one first.

    `status` is how it was sealed, or RUNNING or CRASHED. `is_real`: its orders went to a venue;
    `by_switch`: the kill switch halted it, not a guard of its own. `is_to_look_at`: `logos resume`
    refuses it for good (`stored.names.may_resume`).
    """
    if status == "RUNNING":
        return [f"logos status {session_id}", f"logos inspect {session_id} --follow"]
    if status in ("CRASHED", SessionStatus.STOPPED.value):
        if is_to_look_at:
            return [f"logos verify {session_id}", f"logos inspect {session_id}"]
        return [resume_command(session_id, is_real=is_real)]
    if status == SessionStatus.HALTED.value:
        why = ["logos kill status"] if by_switch else []
        return [*why, f"logos sessions show {session_id}", f"logos verify {session_id}"]
    return [f"logos verify {session_id}"]
