"""How a workspace stands besides its running sessions: its kill switch, and what ended lately."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from logos.cli.running.stopping import switch_folder
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, SwitchState
from logos.data.readers.numbers import parse_timestamp
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.status import SwitchStatus, sentence
from logos.session.stored.next_steps import ONLY_LOOK, next_steps
from logos.session.stored.sessions import RUNNING, StoredSession, stored_sessions
from logos.shown import plain

LATELY_NS: Final = NS_PER_DAY
"""How long ago a session may have ended that is still shown."""
_WITNESS: Final = ".state-kill-switch.witness"


class Standing(NamedTuple):
    """One workspace: its switch, its sessions on the disk, and those that ended lately."""

    workspace: Path
    switch: SwitchStatus | None
    """None: the workspace has none, as no session ever ran there."""
    ended: list[StoredSession]
    """Those that ended or crashed within the last day and do not run, in order of their end."""
    sessions: list[StoredSession]
    problem: str
    """Why the folder of its sessions cannot be read; empty when it can."""

    @property
    def is_safe(self) -> bool:
        """Whether its switch lets orders pass."""
        return self.switch is None or self.switch.state is SwitchState.SAFE

    @property
    def bad_end(self) -> StoredSession | None:
        """The session that ended last, if it ended badly and none has begun since."""
        last = self.ended[-1] if self.ended else None
        if last is None or not last.ended_badly:
            return None
        is_attended = any(ns(each.began) > ns(last.ended) for each in self.sessions)
        return None if is_attended else last


def standing(workspace: Path, running: Sequence[str], now_ns: int) -> Standing:
    """How `workspace` stands now. `running` are the ids of sessions that are shown as such."""
    problem = ""
    sessions: list[StoredSession] = []
    try:
        sessions = stored_sessions(workspace)
    except OSError as error:
        problem = f"{error.filename} cannot be read: {error.strerror}"
    ended = [
        each
        for each in sessions
        if each.session_id not in running
        and each.status != RUNNING
        and each.ended
        and now_ns - ns(each.ended) <= LATELY_NS
    ]
    ended.sort(key=lambda each: (each.ended, each.session_id))
    return Standing(workspace, read_switch(workspace), ended, sessions, problem)


def read_switch(workspace: Path) -> SwitchStatus | None:
    """The kill switch of `workspace`; None where there is none, and none is made."""
    folder = switch_folder(workspace)
    if not (os.path.lexists(folder) or os.path.lexists(workspace / _WITNESS)):
        return None
    breaker = CircuitBreaker(folder)
    try:
        return breaker.status()
    finally:
        breaker.close()


def ns(moment: str) -> int:
    """Nanoseconds since 1970 UTC of a time in a session's files; 0 when it has none."""
    return parse_timestamp(moment) if moment else 0


def ago(moment: str, now_ns: int) -> str:
    """How long ago that was, as hours, minutes and seconds."""
    return clock(max(0, now_ns - ns(moment)) // NS_PER_SECOND)


def clock(seconds: int) -> str:
    """A length of time as hours, minutes and seconds."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def switch_line(switch: SwitchStatus | None) -> str:
    """The switch in one line."""
    return f"switch {sentence(switch)}" if switch else "switch never used: no session ran here yet"


def ended_lines(found: Standing, now_ns: int) -> list[str]:
    """What ended lately, a line for each; nothing when nothing did."""
    lines = [
        f"  {each.session_id}: {each.status} {ago(each.ended, now_ns)} ago{how_it_ended(each)}"
        for each in found.ended
    ]
    if found.problem:
        lines.append(f"  {found.problem}")
    return ["ended in the last day:", *lines] if lines else []


def how_it_ended(session: StoredSession) -> str:
    """Exit code, reason, and what is still held, to be put behind a session's status."""
    code = "" if session.exit_code is None else f", exit code {session.exit_code}"
    held = f"; holds {session.held.words()}" if session.held else ""
    why = session.problem or session.reason
    if session.is_resumable:
        is_real = session.mode == "live"
        why = f"`{next_steps(session.session_id, session.status, is_real=is_real)[0]}`"
    elif session.is_to_look_at:
        why = ONLY_LOOK
    return code + (f": {plain(why)}" if why else "") + held


def as_json(found: Standing) -> dict[str, Any]:
    """The same as plain JSON values."""
    switch = found.switch
    return {
        "workspace": str(found.workspace),
        "switch": None
        if switch is None
        else {**msgspec.structs.asdict(switch), "state": switch.state.name},
        "ended": [session_as_json(each) for each in found.ended],
        "bad_end": None if found.bad_end is None else found.bad_end.session_id,
        "problem": found.problem,
    }


def session_as_json(session: StoredSession) -> dict[str, Any]:
    """One session on the disk as plain JSON values."""
    fields: dict[str, Any] = msgspec.to_builtins(session, builtin_types=(), enc_hook=str)
    sizes = fields.pop("sizes")
    sizes.pop("written")
    return {**fields, "bytes": {**sizes, "total": session.sizes.total}}
