"""A new session takes its id: its folder appears whole, with its settings and its journal.

Problem: a session may be killed at any instant of its start, and must then be started anew under
its id, from its settings. Method: the folder is made under another name, the journal is opened and
locked in it, the settings are written, and only then does it get its name. So a session's folder
always holds what it takes to begin again, and a journal whose lock says whether it runs.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Container
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.config import Config, ConfigError
from logos.config.making import masked_config
from logos.files import make_folder, replace_json, sync_folder
from logos.journal.entries import JOURNAL
from logos.journal.writer import JournalWriter
from logos.session.presence.heartbeat import is_in_use
from logos.session.stored.names import SETTINGS as SETTINGS
from logos.session.stored.origin import Origin, origin_path, write_origin
from logos.session.stored.pruned import pruned_ids

_LITTER_AGE_S: Final = 60.0


class Claim(msgspec.Struct, frozen=True):
    """The id of a session, its folder, and its journal, empty and locked."""

    session_id: str
    folder: Path
    journal: JournalWriter
    origin: Path | None = None
    """The file that says where it began; None: it was written by an earlier start."""

    def give_back(self) -> None:
        """Nothing has happened: remove the folder, so that the id is free again, and what was made
        above it if it holds nothing else."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.origin is not None:
            with suppress(OSError):
                self.origin.unlink(missing_ok=True)
                self.origin.parent.rmdir()
        with suppress(OSError):  # another session is there
            for above in (self.folder.parent, *self.folder.parent.parents[:2]):
                above.rmdir()
        _let_go(self.journal)


def clear(folder: Path) -> None:
    """Remove what a session left that was killed before its first record, but what it needs.

    Raises OSError.
    """
    for path in folder.iterdir():
        if path.name not in (SETTINGS, JOURNAL):
            path.unlink()


def claim_folder(config: Config, home: Path | None = None, origin: Origin | None = None) -> Claim:
    """Take the id that `config` names; an empty one takes the next free `session-NNNN`.

    `home` is the workspace (None: the configured one), `origin` where the session begins (None: in
    the working directory).

    Raises ConfigError for an id that is malformed or taken, OSError when it cannot be made.
    """
    session_id = config.session.id
    sessions = paths.within(home, paths.sessions_dir())
    taken = pruned_ids(home)
    if session_id:
        try:
            folder = paths.within(home, paths.session_dir(session_id))
        except ValueError as error:
            raise ConfigError(str(error)) from None
        if os.path.lexists(folder):
            raise _taken(folder)
        if session_id in taken:
            raise ConfigError(
                f"session {session_id} existed and was pruned; choose another --session-id (a "
                "venue may still know orders under that one)"
            )
    make_folder(sessions)
    with suppress(FileNotFoundError):  # a start that was refused took the empty folder away
        _remove_litter(sessions)
    folder = making = sessions / f".{session_id or 'session'}.{os.getpid()}-{time.monotonic_ns()}"
    make_folder(making, is_new=True)
    with ExitStack() as undo:
        try:
            journal = JournalWriter(making / JOURNAL)
            undo.callback(_let_go, journal)
            replace_json(making / SETTINGS, masked_config(config))
            folder = _place(making, sessions, session_id, taken)
            journal.path = folder / JOURNAL
            sync_folder(sessions)
            write_origin(origin or Origin.here(), folder.name, home)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        undo.pop_all()
    return Claim(folder.name, folder, journal, origin_path(folder.name, home))


def _let_go(journal: JournalWriter) -> None:
    with suppress(OSError):  # the error that brought it here is the one to be told
        journal.close()


def _place(making: Path, sessions: Path, session_id: str, taken: Container[str]) -> Path:
    """Give the folder its name, none of `taken`. Raises ConfigError when it is taken."""
    if session_id:
        folder = sessions / session_id
        if not _rename(making, folder):
            raise _taken(folder)
        return folder
    for number in count(1):
        folder = sessions / f"session-{number:04d}"
        if folder.name not in taken and _rename(making, folder):
            break
    return folder


def _taken(folder: Path) -> ConfigError:
    return ConfigError(
        f"session {folder.name} exists already in {folder}; "
        "choose another --session-id (a session is never overwritten)"
    )


def _rename(making: Path, folder: Path) -> bool:
    """Whether the folder has its name now. A rename would take the place of an empty folder."""
    if os.path.lexists(folder):
        return False
    try:
        os.replace(making, folder)
    except (FileExistsError, NotADirectoryError):
        return False
    except OSError:
        if os.path.lexists(folder):
            return False  # another session took it in between
        raise
    return True


def _remove_litter(sessions: Path) -> None:
    """Remove what starts left that were killed before their folder had its name."""
    with os.scandir(sessions) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(".")]
    for folder in left:
        with suppress(OSError):
            is_old = time.time() - folder.stat().st_mtime > _LITTER_AGE_S
            if is_old and not _is_locked(folder / JOURNAL):
                shutil.rmtree(folder)


def _is_locked(journal: Path) -> bool:
    try:
        return is_in_use(journal)
    except FileNotFoundError:
        return False
