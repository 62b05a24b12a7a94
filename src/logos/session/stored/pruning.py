"""Which sessions may be deleted, and deleting them.

A session is more than its figures: one that was stopped or crashed is a position that somebody
meant to continue, and one whose account was not seen to agree with its venue is a question that is
open. Neither is deleted unless a person insists, and one that runs never is.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from logos.core.types import NS_PER_SECOND
from logos.data.readers.numbers import parse_timestamp
from logos.files import read_whole
from logos.journal.entries import JOURNAL, Manifest
from logos.journal.lock import JournalLock
from logos.killswitch.breaker import user_name
from logos.session.artifacts.rows import Moments
from logos.session.presence.leftovers import leftovers_folder
from logos.session.presence.page import metrics_path
from logos.session.stored.names import log_path
from logos.session.stored.origin import origin_path
from logos.session.stored.pruned import Pruned, note_pruned
from logos.session.stored.sessions import RUNNING, UNKNOWN, StoredSession

_STATE_BYTES_MAX: Final = 64 << 20


class Rule(NamedTuple):
    """Which sessions to delete. At least one of the first three is given."""

    older_than_s: int | None = None
    """Those that ended longer ago than that."""
    keep: int | None = None
    """Never the newest so many; alone: all others."""
    bytes_max: int | None = None
    """The oldest, until what is left takes no more."""
    is_forced: bool = False
    """Also those that could be resumed, or are not reconciled."""


class Choice(NamedTuple):
    """One session that the rule names: to be deleted, or why not."""

    session: StoredSession
    kept_because: str
    """Empty: it may be deleted."""
    is_held_back: bool = False
    """Whether `--force` would delete it."""


def choose(
    sessions: Sequence[StoredSession], rule: Rule, now_ns: int, workspace: Path
) -> list[Choice]:
    """What `rule` comes to for `sessions`, which are in order of their beginning."""
    spared = {each.session_id for each in sessions[-rule.keep :]} if rule.keep else set()
    wanted = [each for each in sessions if each.session_id not in spared]
    total = sum(each.sizes.total for each in sessions)
    choices: list[Choice] = []
    for session in wanted:
        is_old = rule.older_than_s is not None and _age_s(session, now_ns) > rule.older_than_s
        is_over = rule.bytes_max is not None and total > rule.bytes_max
        is_beyond = rule.older_than_s is None and rule.bytes_max is None
        if not (is_old or is_over or is_beyond):
            continue
        why = why_kept(session, workspace)
        can_be_forced = session.status != RUNNING
        if why and not (rule.is_forced and can_be_forced):
            choices.append(Choice(session, why, can_be_forced))
            continue
        choices.append(Choice(session, ""))
        total -= session.sizes.total
    return choices


def why_kept(session: StoredSession, workspace: Path) -> str:
    """Why a session is not deleted without `--force`; "" when nothing stands against it."""
    if session.status == RUNNING:
        return "it runs"
    if session.status == UNKNOWN:
        return f"it cannot be judged: {session.problem}"
    if session.is_to_look_at:
        return f"it is what was shipped of a session whose end is not known ({session.status})"
    if session.is_resumable:
        return f"it can be resumed ({session.status})"
    if os.path.lexists(leftovers_folder(workspace) / f"{session.session_id}.json"):
        return "its account was not seen to agree with its venue (`logos kill status --mode live`)"
    return ""


def _age_s(session: StoredSession, now_ns: int) -> int:
    """Seconds since it ended; one whose end is not known is new."""
    moment = session.ended or session.began
    return (now_ns - parse_timestamp(moment)) // NS_PER_SECOND if moment else 0


def prune(session: StoredSession, workspace: Path) -> int:
    """Delete a session's folder, its log and its figures; what is freed, in bytes.

    A line of it is kept (see `Pruned`), and comes first. Raises SessionBusyError when it runs,
    OSError when a file cannot be deleted: what is left then goes with the next start of a session.
    """
    folder = session.folder
    lock = JournalLock(folder / JOURNAL)  # nobody resumes it meanwhile
    try:
        note_pruned(_summary(session), workspace)
        # A name with a dot is no session: whatever happens now, no half of one is left.
        doomed = folder.with_name(f".{folder.name}.pruned-{os.getpid()}-{time.monotonic_ns()}")
        os.rename(folder, doomed)
    finally:
        lock.close()
    shutil.rmtree(doomed)
    name = folder.name
    for path in (
        log_path(name, workspace),
        metrics_path(name, workspace),
        origin_path(name, workspace),
    ):
        path.unlink(missing_ok=True)
    return session.sizes.total


def _summary(session: StoredSession) -> Pruned:
    manifest = _manifest(session.folder)
    held = {} if session.held is None else session.held.positions
    return Pruned(
        session.session_id,
        Moments().text(time.time_ns()),
        user_name() or "unknown",
        session.status,
        session.reason,
        session.exit_code,
        session.began,
        session.ended,
        session.ticks,
        held,
        "" if manifest is None else manifest.software,
        "" if manifest is None else manifest.config_hash,
        "" if manifest is None else manifest.uuid,
        _journal_hash(session.folder),
        session.sizes.journal,
        session.sizes.total,
    )


def _manifest(folder: Path) -> Manifest | None:
    """The first record of the journal; None when there is none that can be read."""
    with suppress(OSError, ValueError), open(folder / JOURNAL, "rb") as file:
        line = msgspec.json.decode(file.readline(_STATE_BYTES_MAX), type=_Line)
        return msgspec.json.decode(line.body, type=Manifest)
    return None


class _Line(msgspec.Struct):
    body: msgspec.Raw


def _journal_hash(folder: Path) -> str:
    with suppress(OSError, ValueError):
        state = msgspec.json.decode(read_whole(folder / "state.json", _STATE_BYTES_MAX))
        return str(state.get("journal_hash", "")) if isinstance(state, dict) else ""
    return ""
