"""What sessions came to (`logos.analysis`), and several side by side (`logos.comparison`).

Both read whole sessions, so what was made is kept as long as the files it was made of are as they
were, and one is made at a time: whoever asks for the same waits for it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from logos.analysis import analyse
from logos.comparison.comparing import compare
from logos.comparison.figures import rows
from logos.comparison.page import comparison_page
from logos.errors import LogosError
from logos.observe.dashboard.view import SessionFiles

KEPT_MAX: Final = 8
_MADE_OF: Final = ("state.jsonl", "account.csv", "positions.csv", "trades.csv", "host.json")

Made = TypeVar("Made", dict[str, Any], bytes)
_Stamp = tuple[tuple[int, int], ...]


class CannotTell(Exception):
    """A session's files do not tell what was asked for; the message says why."""


class Results:
    """Figures and comparisons, made when they are asked for; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statistics: OrderedDict[str, tuple[_Stamp, dict[str, Any]]] = OrderedDict()
        self._comparisons: OrderedDict[str, tuple[_Stamp, bytes]] = OrderedDict()

    def statistics(self, files: SessionFiles) -> dict[str, Any]:
        """The figures of a session, in words. Raises CannotTell, OSError."""
        return self._kept(self._statistics, [files], lambda: _statistics(files))

    def comparison(self, sessions: Sequence[SessionFiles]) -> bytes:
        """The page that compares sessions, HTML. Raises CannotTell, OSError."""
        folders = [each.folder for each in sessions]
        return self._kept(
            self._comparisons, sessions, lambda: comparison_page(compare(folders)).encode()
        )

    def _kept(
        self,
        kept: OrderedDict[str, tuple[_Stamp, Made]],
        sessions: Sequence[SessionFiles],
        make: Callable[[], Made],
    ) -> Made:
        key = "\n".join(each.session_id for each in sessions)
        with self._lock:
            for each in sessions:
                each.check()
            stamp = tuple(_stamp(each.folder / name) for each in sessions for name in _MADE_OF)
            if key not in kept or kept[key][0] != stamp:
                kept[key] = stamp, _told(make)
            kept.move_to_end(key)
            while len(kept) > KEPT_MAX:
                kept.popitem(last=False)
            return kept[key][1]


def _told(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except (LogosError, ValueError, LookupError, RecursionError) as error:
        raise CannotTell(str(error)) from error


def _statistics(files: SessionFiles) -> dict[str, Any]:
    analysis = analyse(files.folder)
    return {
        "book": analysis.books[0].name,
        "books": len(analysis.books),
        "rows": [{"name": row.name, "value": row.cells[0]} for row in rows([analysis])],
        "notes": list(analysis.notes),
    }


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
