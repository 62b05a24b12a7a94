"""The ways in which logos writes a file: replaced whole, or only ever appended to.

A reader of a replaced file sees what was there or what is there now, never anything between. An
appended file has one descriptor that is written to its end. Every OSError names the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

_TAIL_BYTES: Final = 65_536


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Make `path` hold `content`, or leave it as it was: never anything between.

    `durable` waits until the disk has it; not needed for what describes a running process and
    means nothing after a crash of the machine. Raises OSError naming the file.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
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


def sync_file(path: Path) -> None:
    """Wait until the disk has the content of a file, or the names in a folder.

    Raises OSError naming it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
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
            path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | how, 0o644)

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
    """Appends one JSON object a line to a file; call it with the object. For one thread.

    Each line is one write, so a killed process leaves whole lines.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, making its folder. Raises OSError."""
        self._file = AppendFile(path)
        self._encode = msgspec.json.Encoder().encode

    def __call__(self, record: Mapping[str, object]) -> None:
        """Write one line. Raises OSError naming the file."""
        self._file.write(bytearray(self._encode(record) + b"\n"))

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._file.close()
