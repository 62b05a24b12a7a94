"""The ways in which logos makes files and folders, and reads what others made.

A file is replaced whole, or only ever appended to: a reader of a replaced file sees what was there
or what is there now, never anything between, and an appended file has one descriptor that is
written to its end. What is made is its owner's alone, files 0600 and folders 0700, whatever the
umask says. What is read is a regular file: a named pipe or a device could make a reader wait, or
never end. Every OSError names the file.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Final

import msgspec

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_TAIL_BYTES: Final = 65_536
_PACKED: Final = (".zip", ".xz", ".bz2", ".zst")
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


# ---- made for the owner alone ----


def make_folder(path: Path, *, is_new: bool = False) -> None:
    """Make a folder, and those above it that are missing, each for its owner alone.

    One that is there already stays as it is, unless it `is_new`: then FileExistsError. Raises
    OSError.
    """
    try:
        try:
            os.mkdir(path, FOLDER_MODE)
        except FileNotFoundError:
            if path.parent == path:
                raise
            make_folder(path.parent)
            os.mkdir(path, FOLDER_MODE)  # once: there are file systems that say so for ever
    except FileExistsError:
        if is_new or not path.is_dir():
            raise
    else:
        if stat.S_IMODE(os.stat(path).st_mode) != FOLDER_MODE:
            with suppress(PermissionError):  # a file system without modes
                os.chmod(path, FOLDER_MODE)


def make_private(descriptor: int) -> None:
    """Give an open file that was made just now the mode it is to have, whatever the umask."""
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != FILE_MODE:
        with suppress(PermissionError):  # a file system without modes
            os.fchmod(descriptor, FILE_MODE)


def private_opener(path: str, flags: int) -> int:
    """How `open` makes a new file, or one that is written anew: `open(..., opener=...)`."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, FILE_MODE)
    make_private(descriptor)
    return descriptor


def open_new(path: Path, mode: str = "wb", **words: Any) -> IO[Any]:
    """`open` for writing a file from its beginning ("w", "x"), for its owner alone. OSError."""
    return open(path, mode, opener=private_opener, **words)


# ---- read, if it is a file ----


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading its bytes. Raises OSError, also for what is no regular file.

    It never waits: not for a writer of a named pipe, nor for a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        words = next((words for test, words in _KINDS if test(kind)), "something else")
        raise OSError(errno.EINVAL, f"it is {words}, not a file", str(path))
    return open(descriptor, "rb")


def read_whole(path: Path, bytes_max: int) -> bytes:
    """All bytes of a regular file. Raises OSError, also when there are more than `bytes_max`."""
    with open_regular(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(errno.EFBIG, f"it is larger than {bytes_max:,} bytes", str(path))
    return content


def is_cut(text: str) -> bool:
    """Whether the last line of a text file, unless it is blank, lacks the end of its line."""
    return not text.endswith(("\n", "\r")) and bool(text[text.rfind("\n") + 1 :].strip())


def cut_words(path: str | Path) -> str:
    """What is wrong with a file that `is_cut`, and the way out."""
    name, word = str(path).lower(), shlex.quote(str(path))
    way = f"end the line: echo >> {word}"
    if name.endswith(".gz"):
        way = f"end the line: echo | gzip >> {word}"
    elif name.endswith(_PACKED):
        way = "unpack it and end the line"
    return (
        "the last line does not end in a newline, so the file may have been cut short, and a "
        f"number with it; get it again or, if it is whole, {way}"
    )


# ---- replaced whole ----


def replace_file(
    path: Path, content: bytes, *, durable: bool = True, mode: int = FILE_MODE
) -> None:
    """Make `path` hold `content`, or leave it as it was: never anything between.

    `mode` is another one than its owner's alone only where another user is meant to read the file.
    `durable` waits until the disk has it; not needed for what describes a running process and
    means nothing after a crash of the machine. Raises OSError naming the file.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open_new(temporary) as file:
            file.write(content)
            if mode != FILE_MODE:
                os.fchmod(file.fileno(), mode)
            if durable:
                file.flush()
                sync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    os.replace(temporary, path)
    if durable:
        sync_folder(path.parent)


def replace_json(path: Path, value: object, *, durable: bool = True) -> None:
    """Make `path` hold `value` as JSON: indented, for people, where it is durable.

    `value` is anything that msgspec makes plain values of. Raises as `replace_file`.
    """
    if durable:
        plain = msgspec.to_builtins(value)
        content = json.dumps(plain, indent=2, ensure_ascii=False).encode() + b"\n"
    else:
        content = msgspec.json.encode(value) + b"\n"
    replace_file(path, content, durable=durable)


_is_disposable: ContextVar[bool] = ContextVar("is_disposable", default=False)


@contextmanager
def disposable() -> Iterator[None]:
    """What is written within, by this thread, can be made again and is thrown away if the machine
    stops: nothing waits for the disk.

    For replays, and paper sessions on recorded data that a sweep runs; never around one whose
    orders could leave. The kill switch does not go by it.
    """
    before = _is_disposable.set(True)
    try:
        yield
    finally:
        _is_disposable.reset(before)


def sync(descriptor: int) -> None:
    """Wait until the disk has what was written, unless that is disposable. Raises OSError."""
    if not _is_disposable.get():
        os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """Wait until the disk has the content of a file, or the names in a folder.

    Raises OSError naming it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder`. Raises OSError naming it."""
    sync_file(folder)


def cut_file(path: Path, size: int) -> None:
    """Shorten a file to its first `size` bytes. Raises OSError naming it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, size)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)


class AppendFile:
    """A file that is written at its end. For one thread."""

    def __init__(self, path: Path, *, is_new: bool | None = None) -> None:
        """Open `path`; `is_new`: it must not be there yet (True), or must be (False).

        With None it may be there or not, and its folder is made. Raises OSError, FileExistsError
        and FileNotFoundError among them.
        """
        self.path = path
        how = {True: os.O_CREAT | os.O_EXCL, False: 0, None: os.O_CREAT}[is_new]
        if is_new is None:
            make_folder(path.parent)
        is_made = is_new is not False and not os.path.lexists(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | how, FILE_MODE)
        if is_made:
            make_private(self._descriptor)

    def write(self, buffer: bytearray) -> None:
        """Append `buffer`, and empty it; in one write, if the system takes it whole.

        Raises OSError naming the file; `buffer` then holds what was not written.
        """
        try:
            while buffer:
                del buffer[: os.write(self._descriptor, buffer)]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def cut_torn_line(self) -> None:
        """Take away what stands behind the last line feed: a crash left it. Raises OSError."""
        size = end = os.fstat(self._descriptor).st_size
        while end:
            start = max(0, end - _TAIL_BYTES)
            found = os.pread(self._descriptor, end - start, start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._descriptor, end)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._descriptor < 0

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class JsonLines:
    """Appends one JSON object a line to a file; call it with the object. For one thread at a time.

    Each line is one write, so a killed process leaves whole lines; what was added (`add`) is
    written with the next one, or by `flush`, in one write as well.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, making its folder. Raises OSError."""
        self._file = AppendFile(path)
        self._encode = msgspec.json.Encoder().encode
        self._kept = bytearray()

    def __call__(self, record: Mapping[str, object]) -> None:
        """Write one line. Raises OSError naming the file."""
        self.add(record)
        self.flush()

    def add(self, record: Mapping[str, object]) -> None:
        """Have one line written later."""
        self._kept += self._encode(record) + b"\n"

    def flush(self) -> None:
        """Write what was added. Raises OSError naming the file."""
        if self._kept:
            self._file.write(self._kept)

    def close(self) -> None:
        """Write what was added, and close the file; closing again does nothing. Raises OSError."""
        if not self._file.is_closed:
            self.flush()
        self._file.close()
