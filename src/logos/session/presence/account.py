"""One account at a venue is traded by one session at a time, whatever its workspace.

Problem: two sessions on one account each see orders, fills and balances that are not theirs, and
each takes the other's for a difference to be corrected. Method: a live session holds a lock on a
file in every place of the registry of running sessions, named by a hash of the venue and of the key
that it trades with. The kernel drops the lock when its process dies; the file names the session's
entry in the registry. That two keys are of one account cannot be told: the operator has to know.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from logos.files import make_folder, private_opener
from logos.journal.lock import SessionBusyError
from logos.killswitch.files import describe
from logos.session.presence.registry import RegistryError, make_place, places, read_registry

_TOKEN_BYTES_MAX: Final = 64
_DIGITS: Final = 32


class AccountBusyError(SessionBusyError):
    """Another session that runs trades the account; the message names it."""


class AccountLock:
    """The lock on one account; close it when nothing of the session can reach the venue."""

    __slots__ = ("_held",)

    def __init__(self, venue: str, key: str, token: str) -> None:
        """Take it. `venue` is in words; `key` tells its accounts apart, and only a hash is written.
        `token` is that of the session's entry in the registry.

        Raises AccountBusyError when a running session has it, RegistryError when no place of the
        registry can be written.
        """
        digest = hashlib.sha256(f"{venue}\0{key}".encode()).hexdigest()[:_DIGITS]
        self._held: list[tuple[Path, int]] = []
        problems = []
        for place in places():
            try:
                folder = make_place(place) / "accounts"
                make_folder(folder)
                path = folder / f"{digest}.lock"
                self._held.append((path, _lock(path, venue, token)))
            except AccountBusyError:
                self.close()
                raise
            except OSError as error:
                problems.append(describe(error, str(place.folder)))
        if not self._held:
            raise RegistryError(
                f"the lock on the account cannot be written ({'; '.join(problems)}); set "
                "LOGOS_REGISTRY to a folder that you may write to"
            )

    def close(self) -> None:
        """Let go of it. Closing again does nothing."""
        for path, descriptor in self._held:
            with suppress(OSError):  # the file without the lock hinders nobody
                path.unlink(missing_ok=True)
            os.close(descriptor)
        self._held = []


def budget_path(venue: str, account: str) -> Path | None:
    """Where all sessions on this machine count the requests of an account; see `AccountLock` for
    what the words mean. None where no place of the registry can be written."""
    digest = hashlib.sha256(f"requests\0{venue}\0{account}".encode()).hexdigest()[:_DIGITS]
    for place in places():
        with suppress(OSError):
            folder = make_place(place) / "accounts"
            make_folder(folder)
            return folder / f"{digest}.budget"
    return None


def _lock(path: Path, venue: str, token: str) -> int:
    """The descriptor that holds the lock on `path`. Raises AccountBusyError and OSError."""
    while True:
        descriptor = private_opener(str(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AccountBusyError(_words(venue, descriptor)) from None
            if _is_at(path, descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, token.encode() + b"\n", 0)
                return descriptor
            os.close(descriptor)  # its last holder removed it meanwhile: there is another one
        except BaseException:
            os.close(descriptor)
            raise


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether `path` still names the open file."""
    try:
        return os.lstat(path).st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _words(venue: str, descriptor: int) -> str:
    """Who trades the account, in words."""
    token = os.pread(descriptor, _TOKEN_BYTES_MAX, 0).decode("ascii", "replace").strip()
    who = "another session of yours"
    for sighting in read_registry():
        entry = sighting.entry
        if entry is not None and entry.token == token:
            name = f"session {entry.session_id}" if entry.session_id else "a session that starts"
            who = f"{name} of workspace {entry.workspace} (pid {entry.pid})"
    return (
        f"{who} trades this account at {venue} already, and two sessions must not share one: stop "
        "that one first (`logos status` shows it), or give this one the keys of another account"
    )
