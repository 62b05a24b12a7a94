"""Makes what sessions recorded smaller: closed segments of any session, and all of ended ones.

Resume, replay and verify read what was compressed as they read the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from logos.journal.compacting import Compacted, compact_closed, compact_last
from logos.journal.inputs import INPUTS_FILE
from logos.journal.segments import has_recording
from logos.session.stored.sessions import StoredSession


def compact_session(session: StoredSession) -> Sequence[Compacted]:
    """Compress the recorded inputs of a session; returns what was compressed.

    Of a session that has ended for good this is everything, of one that runs, may be resumed or
    cannot be judged the segments that are closed. A session on recorded data has none. Raises
    SessionBusyError when another process is compacting it, OSError.
    """
    path = session.folder / INPUTS_FILE
    if not has_recording(path):
        return []
    done = compact_closed(path)
    if session.has_ended:
        done += compact_last(path)
    return done
