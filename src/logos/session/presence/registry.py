"""The registry of the user's running sessions: which ones there are, whatever their workspace.

Problem: `logos kill` typed in the wrong folder must not say that nothing runs while a session next
door trades on. Method: a session enters the registry before it does anything else, and leaves it
last of all. An entry is a small file that names the workspace, the session, its heartbeat and its
journal. The process that wrote it holds a lock on it as long as it lives; the kernel drops that
lock when the process dies, whoever looks and from whatever PID namespace. So the lock says whether
an entry is believed, and `/proc` is not asked.

Where: a folder must not depend on how a shell was started (cron and ssh set other variables than a
desktop does). The places are therefore fixed for a user: `/run/user/UID`, the state folder in the
home of the password database, and a folder of the user's own in /tmp. An entry is written in each
that can be written; readers take the union. `LOGOS_REGISTRY` replaces all of them with one folder:
for test suites, and for accounts that have none of the three.

An entry without its lock is stale and removed by whoever finds it. One that cannot be judged counts
as a session that runs. Readers make no folder.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from logos import paths
from logos.errors import LogosError
from logos.files import make_folder, private_opener
from logos.killswitch.files import Folder, OsLayer, describe
from logos.session.presence.heartbeat import heartbeat_path, is_in_use, read_heartbeat

VARIABLE: Final = "LOGOS_REGISTRY"
ENTRY_BYTES_MAX: Final = 1 << 16
_TRIES_MAX: Final = 8
_SUFFIX: Final = ".json"
_NEW: Final = ".new"
_NEW_AGE_MAX_S: Final = 60.0


class RegistryError(LogosError, OSError):
    """A session cannot be entered in the registry; the message says where and what to do."""


Kind = Literal["trade", "resume", "flatten", "seal", "replay", "trial", "sweep"]
"""What a session is opened for. One that is sealed or replayed sends no orders. A trial is one of
the many sessions of a sweep; the sweep is entered as well, so that it is found between two."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a session says of itself in the registry. Paths are absolute."""

    token: str
    """Names this life of the session; its heartbeat has it too."""
    kind: Kind
    workspace: str
    pid: int
    """As its own PID namespace counts."""
    since_ns: int
    """When it began, nanoseconds since 1970 UTC."""
    session_id: str = ""
    """Empty until the session has its id."""
    heartbeat: str = ""
    journal: str = ""


class Place(msgspec.Struct, frozen=True):
    """A folder for entries, and the folder above it that must be there already."""

    base: Path
    folder: Path


def places() -> list[Place]:
    """Where the entries of this user lie, in the order in which they are read."""
    configured = os.environ.get(VARIABLE, "")
    if configured:
        folder = Path(os.path.realpath(Path(configured).expanduser()))
        return [Place(folder.parent, folder)]
    user_id = os.getuid()
    runtime, temporary = Path(f"/run/user/{user_id}"), Path("/tmp")  # noqa: S108 - owner is checked
    found = [Place(runtime, runtime / "logos")]
    try:
        home = Path(pwd.getpwuid(user_id).pw_dir)
    except KeyError:  # a user id without an account, as in some containers
        pass
    else:
        found.append(Place(home, home / ".local" / "state" / "logos"))
    found.append(Place(temporary, temporary / f"logos-{user_id}"))
    return found


def make_place(place: Place) -> Path:
    """The folder of `place`, made where it is missing. Raises OSError when it cannot be used."""
    if not place.base.is_dir():
        raise FileNotFoundError(2, "no such folder", str(place.base))
    missing = [place.folder]
    while missing[-1].parent != place.base and not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        make_folder(folder)
    _check_owner(place.folder)
    return place.folder


def _check_owner(folder: Path) -> None:
    """Raise PermissionError unless `folder` is a folder of this user's, and no link."""
    found = os.lstat(folder)
    if not os.path.isdir(folder) or os.path.islink(folder) or found.st_uid != os.getuid():
        raise PermissionError(1, "is not a folder of this user", str(folder))


# ---- the writer ----


class Registration:
    """The entry of one running session; close it last of all."""

    __slots__ = ("_entry", "_held", "_is_closed")

    def __init__(self, entry: Entry, folders: list[Path]) -> None:
        """Write `entry` into each of `folders`, locked. RegistryError when none takes it."""
        self._entry = entry
        self._held: dict[Path, int] = {}
        self._is_closed = False
        problems = []
        for folder in folders:
            path = folder / f"{entry.token}{_SUFFIX}"
            try:
                self._held[path] = _write_locked(path, entry)
            except OSError as error:
                problems.append(describe(error, str(path)))
        if not self._held:
            raise RegistryError(_nowhere(problems))

    @property
    def token(self) -> str:
        """What the heartbeat of this life of the session has to name."""
        return self._entry.token

    def name(self, session_id: str, home: Path | None = None, folder: Path | None = None) -> None:
        """The session has its id. `folder`: where it lies, if not in the workspace `home`.

        Where the new entry cannot be written, the one without the id stays.
        """
        session_folder = folder or paths.within(home, paths.session_dir(session_id))
        self._entry = msgspec.structs.replace(
            self._entry,
            session_id=session_id,
            heartbeat=os.path.abspath(heartbeat_path(session_id, home)),
            journal=os.path.abspath(session_folder / "state.jsonl"),
        )
        for path, old in list(self._held.items()):
            try:
                self._held[path] = _write_locked(path, self._entry)
            except OSError:  # a full disk, or a folder that is gone: the old entry still counts
                continue
            os.close(old)

    def close(self) -> None:
        """The session is over. Closing again does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        for path, descriptor in self._held.items():
            try:
                path.unlink(missing_ok=True)
            except OSError:  # without its lock it is stale, and removed by whoever finds it
                pass
            finally:
                os.close(descriptor)


def enter(kind: Kind, home: Path | None = None, session_id: str = "") -> Registration:
    """Enter a session of the workspace `home` (None: the configured one): before all else of it.

    Raises RegistryError when no place can be written: a session that `logos kill` cannot find must
    not run.
    """
    folders, problems = [], []
    for place in places():
        try:
            folders.append(make_place(place))
        except OSError as error:
            problems.append(describe(error, str(place.folder)))
    if not folders:
        raise RegistryError(_nowhere(problems))
    workspace = os.path.abspath(home or paths.home())
    entry = Entry(os.urandom(8).hex(), kind, workspace, os.getpid(), time.time_ns(), session_id)
    return Registration(entry, folders)


def _nowhere(problems: list[str]) -> str:
    return (
        "the session cannot be entered in the registry of running sessions, where `logos kill` "
        f"finds it ({'; '.join(problems)}); set {VARIABLE} to a folder that you may write to"
    )


def _write_locked(path: Path, entry: Entry) -> int:
    """Put `entry` at `path`, locked from the moment it has its name; the descriptor that locks."""
    temporary = path.with_suffix(_NEW)
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = private_opener(str(temporary), flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        content = msgspec.json.encode(entry) + b"\n"
        while content:
            content = content[os.write(descriptor, content) :]
        os.replace(temporary, path)
    except BaseException:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)
        raise
    return descriptor


# ---- the reader ----


class Sighting(msgspec.Struct, frozen=True):
    """An entry that counts as a session that runs."""

    path: Path
    entry: Entry | None
    """None when it cannot be read."""
    problem: str
    """Why it cannot be judged, in words; empty when its process holds it locked."""


def read_registry() -> list[Sighting]:
    """Every session of this user that runs, in order of its beginning. Stale entries are removed.

    Never raises for what is on the disk; what cannot be judged is in the list.
    """
    found: dict[str, Sighting] = {}
    for place in places():
        for sighting in _read_place(place.folder):
            name = str(sighting.path) if sighting.entry is None else sighting.entry.token
            there = found.get(name)
            if there is None or there.problem or _is_newer(sighting, there):
                found[name] = sighting
    return sorted(
        found.values(),
        key=lambda each: (0 if each.entry is None else each.entry.since_ns, str(each.path)),
    )


def _is_newer(sighting: Sighting, there: Sighting) -> bool:
    """Whether `sighting` knows the id of the session, and the other one does not."""
    is_named = sighting.entry is not None and bool(sighting.entry.session_id)
    return is_named and there.entry is not None and not there.entry.session_id


def _read_place(folder: Path) -> list[Sighting]:
    try:
        _check_owner(folder)
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as error:
        if _is_foreign(folder):
            return []  # nothing of ours is in another user's folder
        return [Sighting(folder, None, describe(error, str(folder)))]
    except OSError as error:
        return [Sighting(folder, None, describe(error, str(folder)))]
    for name in names:
        if name.endswith(_NEW):
            _remove_old(folder / name)
    found = (_read_entry(folder / name) for name in names if name.endswith(_SUFFIX))
    return [sighting for sighting in found if sighting is not None]


def _remove_old(path: Path) -> None:
    """Remove what a process left that died while it wrote its entry."""
    with suppress(OSError):
        if time.time() - os.lstat(path).st_mtime > _NEW_AGE_MAX_S:
            path.unlink()


def _is_foreign(folder: Path) -> bool:
    try:
        _check_owner(folder)
    except OSError:
        return True
    return False


def _read_entry(path: Path) -> Sighting | None:
    """What the entry at `path` says; None when there is none, or it is stale."""
    for _ in range(_TRIES_MAX):
        try:
            with Folder(OsLayer(), path.parent) as folder:
                descriptor = folder.open_regular(path.name)
                try:
                    content = folder.read_open(descriptor, ENTRY_BYTES_MAX)
                    is_held = _is_held(descriptor)
                    there = folder.status(path.name)
                    is_current = there is not None and there.st_ino == os.fstat(descriptor).st_ino
                    if is_current and not is_held and not _journal_is_held(content):
                        # The lock of ours keeps its owner from having it: nobody has.
                        path.unlink(missing_ok=True)
                        return None
                finally:
                    os.close(descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Sighting(path, None, describe(error, str(path)))
        if is_current:
            return _sighting(path, content, is_held)
    return Sighting(path, None, f"{path} is replaced again and again")


def _is_held(descriptor: int) -> bool:
    """Whether another open file has the lock; if not, `descriptor` has a shared one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _journal_is_held(content: bytes) -> bool:
    """Whether the journal that an entry without a lock names is held locked, or cannot be asked."""
    entry, _ = _decode(content)
    if entry is None or not entry.journal:
        return False
    beat = read_heartbeat(Path(entry.heartbeat))
    if beat is None or beat.heartbeat is None or beat.heartbeat.entry != entry.token:
        return False  # another life of the session, which has an entry of its own
    try:
        return is_in_use(Path(entry.journal))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _decode(content: bytes) -> tuple[Entry | None, str]:
    try:
        return msgspec.json.decode(content, type=Entry), ""
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        return None, str(error)


def _sighting(path: Path, content: bytes, is_held: bool) -> Sighting:
    entry, error = _decode(content)
    if entry is None:
        return Sighting(path, None, f"{path} is not an entry of the registry: {error}")
    problem = "" if is_held else "its entry in the registry is not locked, its journal is"
    return Sighting(path, entry, problem)
