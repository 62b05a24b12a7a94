"""What an operator does next about a session that has ended, crashed or runs: commands to type."""

from __future__ import annotations

from logos.core.types import SessionStatus

_LIVE = " --live --i-acknowledge-risk"


def next_steps(
    session_id: str, status: str, *, is_real: bool = False, by_switch: bool = False
) -> list[str]:
    """The commands that come next, the first one first.

    `status` is how it was sealed, or RUNNING or CRASHED. `is_real`: its orders went to a venue;
    `by_switch`: the kill switch halted it, not a guard of its own.
    """
    if status == "RUNNING":
        return [f"logos status {session_id}", f"logos inspect {session_id} --follow"]
    if status in ("CRASHED", SessionStatus.STOPPED.value):
        return [f"logos resume {session_id}{_LIVE if is_real else ''}"]
    if status == SessionStatus.HALTED.value:
        why = ["logos kill status"] if by_switch else []
        return [*why, f"logos sessions show {session_id}", f"logos verify {session_id}"]
    return [f"logos verify {session_id}"]
