"""Files that must not be trusted: opened without following, blocking or believing.

Problem: the switch reads files that anyone may have replaced by a link, a FIFO, a directory or
garbage, and writes files that must survive a crash between any two system calls. Method: every
name is used relative to one open folder; opening never follows a link and never blocks; only a
regular file of bounded size is read; replacing is temporary -> write -> fsync -> rename -> fsync
of the folder. All system calls go through `OsLayer`, so that tests can make any of them fail.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from logos.errors import LogosError
from logos.files import FILE_MODE, make_folder, make_private
from logos.killswitch.records import SwitchBusyError

LOCK_POLL_S: Final = 0.002

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)
_PIECE_BYTES: Final = 1 << 18


class UntrustedFileError(LogosError, OSError):
    """There is something in the file's place that is not a file to believe."""


class OsLayer:
    """The system calls of the switch, one method each."""

    def open(self, name: str, flags: int, mode: int = FILE_MODE, *, dir_fd: int | None) -> int:
        descriptor = os.open(name, flags, mode, dir_fd=dir_fd)
        if flags & os.O_EXCL:
            make_private(descriptor)
        return descriptor

    def close(self, fd: int) -> None:
        os.close(fd)

    def fstat(self, fd: int) -> os.stat_result:
        return os.fstat(fd)

    def lstat(self, name: str, *, dir_fd: int | None) -> os.stat_result:
        return os.stat(name, dir_fd=dir_fd, follow_symlinks=False)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        return os.pread(fd, size, offset)

    def write(self, fd: int, data: bytes) -> int:
        return os.write(fd, data)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        return os.pwrite(fd, data, offset)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def allocate(self, fd: int, size: int) -> None:
        os.posix_fallocate(fd, 0, size)

    def fsync(self, fd: int) -> None:
        os.fsync(fd)

    def replace(self, source: str, target: str, *, dir_fd: int) -> None:
        os.replace(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)

    def unlink(self, name: str, *, dir_fd: int) -> None:
        os.unlink(name, dir_fd=dir_fd)

    def make_folder(self, path: str) -> None:
        make_folder(Path(path))

    def names(self, path: str) -> list[str]:
        return os.listdir(path)

    def try_lock(self, fd: int) -> bool:
        """Take the exclusive lock without waiting; False when somebody else has it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def describe(error: OSError, name: str) -> str:
    """An operating error in words, beginning with the name of the file."""
    if isinstance(error, UntrustedFileError):
        return f"{name} {error}"
    if error.errno == errno.ELOOP:
        return f"{name} is a symbolic link, not a file"
    reason = (error.strerror or str(error)).lower()
    code = errno.errorcode.get(error.errno or 0, "no code")
    return f"{name} cannot be used: {reason} ({code})"


def kind_of(mode: int) -> str:
    """What a directory entry is, in words; empty for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    return next((words for test, words in _KINDS if test(mode)), "a device")


class Folder:
    """One open folder; every name in it is reached through the same descriptor.

    Raises OSError when it cannot be opened, is no directory, or (unless `follow`) is a symbolic
    link itself. Its parents may be links: that is the operator's arrangement.
    """

    __slots__ = ("fd", "layer", "path")

    def __init__(self, layer: OsLayer, path: Path, *, follow: bool = False) -> None:
        self.layer = layer
        self.path = path
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        self.fd = layer.open(os.fspath(path), flags, dir_fd=None)

    @classmethod
    def borrowed(cls, layer: OsLayer, path: Path, fd: int) -> Folder:
        """The folder that `fd` already has open; its owner closes it."""
        folder = cls.__new__(cls)
        folder.layer, folder.path, folder.fd = layer, path, fd
        return folder

    def close(self) -> None:
        """Let go of the descriptor; the folder must not be used afterwards."""
        self.layer.close(self.fd)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self, name: str) -> os.stat_result | None:
        """What stands under `name`, links not followed; None when nothing does."""
        try:
            return self.layer.lstat(name, dir_fd=self.fd)
        except FileNotFoundError:
            return None

    def open_regular(self, name: str, flags: int = _READ) -> int:
        """A descriptor of a regular file. Raises OSError; UntrustedFileError when it is not one."""
        fd = self.layer.open(name, flags, dir_fd=self.fd)
        try:
            kind = kind_of(self.layer.fstat(fd).st_mode)
            if kind:
                raise UntrustedFileError(f"is {kind}, not a file")
        except BaseException:
            self.layer.close(fd)
            raise
        return fd

    def read(self, name: str, bytes_max: int) -> bytes | None:
        """The whole file, or None when there is none. Raises OSError, also when it is too long."""
        try:
            fd = self.open_regular(name)
        except FileNotFoundError:
            return None
        try:
            return self.read_open(fd, bytes_max)
        finally:
            self.layer.close(fd)

    def read_open(self, fd: int, bytes_max: int) -> bytes:
        """All bytes of an open file. Raises OSError when there are more than `bytes_max`."""
        pieces: list[bytes] = []
        done = 0
        while done <= bytes_max:
            # In pieces: the buffer of a read is as large as what is asked for, not as the file.
            wanted = min(bytes_max + 1 - done, _PIECE_BYTES)
            piece = self.layer.pread(fd, wanted, done)
            pieces.append(piece)
            done += len(piece)
            if len(piece) < wanted:
                return b"".join(pieces)
        raise UntrustedFileError(f"is larger than {bytes_max} bytes")

    def replace(self, name: str, content: bytes, *, durable: bool = True) -> None:
        """Put `content` under `name`, whole or not at all, durable on return. Raises OSError.

        One writer at a time: the temporary name is fixed, so that a crash leaves no litter.
        """
        temporary = f".{name}.tmp"
        if self.status(temporary) is not None:
            self.layer.unlink(temporary, dir_fd=self.fd)
        fd = self.layer.open(
            temporary,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
            dir_fd=self.fd,
        )
        try:
            self.write_all(fd, content)
            if durable:
                self.layer.fsync(fd)
        finally:
            self.layer.close(fd)
        found = self.status(name)
        if found is not None and stat.S_ISDIR(found.st_mode):
            # A rename cannot replace a directory; move it aside, a person may want to look.
            self.layer.replace(name, f"{name}.moved-{time.time_ns()}", dir_fd=self.fd)
        self.layer.replace(temporary, name, dir_fd=self.fd)
        if durable:
            self.sync()

    def create(self, name: str, content: bytes) -> None:
        """Make a new file with `content`, durable on return. FileExistsError when it is there.

        The name appears before the content does: for a marker the name is what counts.
        """
        fd = self.layer.open(
            name,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
            dir_fd=self.fd,
        )
        try:
            self.write_all(fd, content)
            self.layer.fsync(fd)
        finally:
            self.layer.close(fd)
        self.sync()

    def write_all(self, fd: int, content: bytes) -> None:
        """Write every byte at the descriptor's position. Raises OSError."""
        while content:
            content = content[self.layer.write(fd, content) :]

    def sync(self) -> None:
        """Make what changed among the names durable. Raises OSError."""
        self.layer.fsync(self.fd)

    @contextmanager
    def locked(self, name: str, wait_s: float) -> Iterator[None]:
        """Hold the writers' lock. Raises SwitchBusyError after `wait_s`, OSError when unusable.

        The lock belongs to the open file, so it holds between threads as well, and the kernel
        drops it when its holder dies.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        deadline = time.monotonic() + wait_s
        while True:
            fd = self.open_regular(name, flags)
            try:
                if self.layer.try_lock(fd):
                    found = self.status(name)
                    # Somebody may have removed the file meanwhile: then this lock guards nothing.
                    if found is not None and found.st_ino == self.layer.fstat(fd).st_ino:
                        yield
                        return
            finally:
                self.layer.close(fd)
            if time.monotonic() >= deadline:
                raise SwitchBusyError(
                    f"{self.path / name} is held by another process (see `fuser {name}`)"
                )
            time.sleep(LOCK_POLL_S)
