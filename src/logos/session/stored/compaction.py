"""Makes what sessions recorded smaller: closed segments of any session, and all of ended ones.

Resume, replay and verify read what was compressed as they read the rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from logos.core.types import SessionStatus
from logos.journal.compacting import Compacted, compact_closed, compact_last
from logos.journal.inputs import INPUTS_FILE
from logos.journal.segments import has_recording
from logos.session.artifacts.folder import is_finished


def compact_session(folder: Path) -> Sequence[Compacted]:
    """Compress the recorded inputs of the session in `folder`; returns what was compressed.

    Of a session that has ended for good this is everything, of one that runs or may be resumed the
    segments that are closed. A session on recorded data has none. Raises SessionBusyError when
    another process is compacting it, OSError.
    """
    path = folder / INPUTS_FILE
    if not has_recording(path):
        return []
    done = compact_closed(path)
    if _is_over(folder):
        done += compact_last(path)
    return done


def _is_over(folder: Path) -> bool:
    """Whether the session has ended and cannot be resumed."""
    if not is_finished(folder):
        return False
    state = json.loads((folder / "state.json").read_bytes())
    return bool(state["status"] != SessionStatus.STOPPED.value)
