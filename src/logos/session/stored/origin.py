"""Where and when a session began: `state/origins/ID.json` of its workspace.

Settings name files: market data, a strategy, signals, guards, funding rates. They are written in
the settings as a person wrote them, and so they stay in config.json and the journal, whose bytes
must not depend on a machine. Where such a name leads depends on the settings file and on the folder
in which the session was started; both are written down here once, so that the session can be
resumed and replayed from any folder. The session's own folder has only what another run of the
same session has too, host.json aside, so this lies beside it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final, Self

import msgspec

from logos import paths
from logos.errors import ConfigError
from logos.files import make_folder, read_whole, replace_json
from logos.session.artifacts.rows import Moments

_BYTES_MAX: Final = 1 << 16


class Origin(msgspec.Struct, frozen=True):
    """Where and when a session began. Paths are absolute; empty: not known, or none."""

    began: str = ""
    """Wall-clock time, ISO-8601 UTC."""
    folder: str = ""
    """The working directory of the process that began it."""
    settings: str = ""
    """The settings file."""

    @classmethod
    def here(cls, settings: str | Path | None = None) -> Self:
        """A session that begins now, in this folder, from the file `settings` (None: from none)."""
        try:
            folder = os.getcwd()
        except FileNotFoundError:  # it was removed while somebody was in it
            folder = ""
        return cls(
            Moments().text(time.time_ns()),
            folder,
            "" if settings is None else os.path.abspath(settings),
        )

    def find(self, text: str) -> str:
        """Where the file or folder is that settings name as `text`.

        Looked for beside the settings file, then in the folder in which the session began. As
        written where that is this folder, or where nothing is found: then it is meant as it always
        was, from the folder one is in.
        """
        if not text or os.path.isabs(text):
            return text
        for folder in self._folders():
            path = os.path.join(folder, text)
            if os.path.exists(path):
                return text if _is_here(folder) else path
        return text

    def find_code(self, name: str) -> str:
        """The same for `file.py:Class`; of a module's name the folders become places to import it
        from, the ones that were there before first."""
        where, colon, what = name.rpartition(":")
        if colon and where.endswith(".py"):
            return f"{self.find(where)}:{what}"
        if colon:
            sys.path += [each for each in self._folders() if each not in sys.path]
        return name

    def _folders(self) -> list[str]:
        beside = [os.path.dirname(self.settings)] if self.settings else []
        return [*beside, *([self.folder] if self.folder else [])]


def _is_here(folder: str) -> bool:
    try:
        return os.path.samefile(folder, os.curdir)
    except OSError:
        return False


NOT_KNOWN: Final = Origin()
"""The origin of a session that began before it was noted: files are found from here alone."""


def origin_path(session_id: str, home: Path | None = None) -> Path:
    """Where the origin of a session is, in the workspace `home` (None: the configured one)."""
    return paths.within(home, paths.state_dir()) / "origins" / f"{session_id}.json"


def write_origin(origin: Origin, session_id: str, home: Path | None = None) -> None:
    """Write down where a session begins. Raises OSError."""
    path = origin_path(session_id, home)
    make_folder(path.parent)
    replace_json(path, origin)


def read_origin(session_id: str, home: Path | None = None) -> Origin | None:
    """The origin of a session; None for one that began before this was noted.

    Raises ConfigError when the file is not what a session writes, OSError when it cannot be read.
    """
    path = origin_path(session_id, home)
    try:
        return msgspec.json.decode(read_whole(path, _BYTES_MAX), type=Origin)
    except FileNotFoundError:
        return None
    except ValueError as error:  # msgspec's errors are ValueErrors
        raise ConfigError(
            f"{path} does not say where the session began ({error}); without it, files that the "
            "settings name are looked for in the folder that you are in"
        ) from None


def origin_of(session_id: str, home: Path | None = None) -> Origin:
    """As `read_origin`; `NOT_KNOWN` where there is none. Raises as that."""
    return read_origin(session_id, home) or NOT_KNOWN
