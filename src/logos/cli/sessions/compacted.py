"""`logos sessions compact`: compress what live sessions recorded, as far as nobody writes to it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logos.errors import ConfigError
from logos.journal.compacting import Compacted
from logos.journal.lock import SessionBusyError
from logos.session.history import find_session
from logos.session.stored.compaction import compact_session
from logos.session.stored.sessions import StoredSession, stored_session, stored_sessions
from logos.session.stored.sizes import in_words


def compact_sessions(options: argparse.Namespace, workspace: Path) -> int:
    """Compress one session's recorded inputs, or all sessions'; 1 when one could not be.

    Raises ConfigError for a wrong command line and when there is no session of that id.
    """
    if bool(options.session_id) == options.all:
        raise ConfigError("compact takes the id of a session, or --all")
    if options.all:
        sessions = stored_sessions(workspace)
    else:
        sessions = [stored_session(find_session(options.session_id, workspace), workspace)]
    rows = [row for each in sessions if (row := _compact(each)) is not None]
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows)
    return 1 if any(row["problem"] for row in rows) else 0


def _compact(session: StoredSession) -> dict[str, Any] | None:
    """What became of one session; None when there was nothing to do."""
    problem = ""
    done: Sequence[Compacted] = ()
    try:
        done = compact_session(session)
    except (SessionBusyError, OSError) as error:
        problem = str(error)
        words = f"session {session.session_id} could not be compacted: {error}"
        print(f"logos sessions: {words}", file=sys.stderr)
    if not done and not problem:
        return None
    return {
        "session_id": session.session_id,
        "files": len(done),
        "before_bytes": sum(each.before_bytes for each in done),
        "after_bytes": sum(each.after_bytes for each in done),
        "problem": problem,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    done = [row for row in rows if row["files"]]
    for row in done:
        before, after = in_words(row["before_bytes"]), in_words(row["after_bytes"])
        files = f"{row['files']} file{'' if row['files'] == 1 else 's'}"
        print(f"compacted {row['session_id']}: {files}, {before} to {after}")
    if not done:
        print("nothing to compact: no closed file of recorded inputs is uncompressed")
        return
    freed = sum(row["before_bytes"] - row["after_bytes"] for row in done)
    print(f"freed {in_words(freed)} of {len(done)} session{'' if len(done) == 1 else 's'}")
