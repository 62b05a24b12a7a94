"""What a running session keeps on disk so that it can be resumed from the middle.

Running a session again from its beginning needs nothing but its journal, and is always right. It
also takes as long as the session did. So now and then the whole state is written down: the core's,
the strategy's (if it can), what the projections keep in memory, how far the feed was read, and the
place in the journal, the tables and the log at which all that was so.

A snapshot is a shortcut and is trusted with nothing. `read_snapshot` refuses one that is not whole,
`check_files` one that does not fit the journal (place and digest of the chain) or the tables and
the log (their sizes then, and the CRC-32 of as many bytes). What is refused costs time and nothing
else: the session is run again from its beginning.

The file is one line of JSON, `{"sha256":"...","state":{...}}`, and is replaced atomically after
all it speaks of has been synced.
"""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from logos import __version__
from logos.errors import LogosError
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.writer import Position
from logos.session.artifacts.notes import NOTE_TABLES

SNAPSHOT: Final = "snapshot.json"
"""In the session's folder, from the first snapshot to the session's end."""

INTERVAL_S: Final = 10.0

SnapshotDue = Callable[[], bool]
"""Asked between two pieces of work: whether it is time for a snapshot."""

_HEAD: Final = b'{"sha256":"'
_MIDDLE: Final = b'","state":'
_BLOCK_BYTES: Final = 1 << 20


class SnapshotError(LogosError):
    """A snapshot is not to be used; the message says why."""


class FileMark(msgspec.Struct, frozen=True):
    """The first `size` bytes of a file that only grows, and their CRC-32."""

    size: int = 0
    crc: int = 0


class Place(msgspec.Struct, frozen=True):
    """A place between two lines of a journal, its digest as hex; see `Position`."""

    sequence: int
    offset: int
    digest: str

    @classmethod
    def of(cls, position: Position) -> Self:
        """The same as a struct of plain values."""
        return cls(position.sequence, position.offset, position.digest.hex())

    @property
    def position(self) -> Position:
        """The same as the journal's writer has it."""
        return Position(self.sequence, self.offset, bytes.fromhex(self.digest))


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One moment between two events.

    `consumed` events of the feed had been run, the first of them at `first_ns`. `sequence`,
    `offset` and `digest` are the journal's, `files` the tables' and the log's by name. `inputs` is
    the place in the recorded inputs of a live session (None: the session has none).
    `inputs_sha256` is of the bytes before that place ("": not known).
    """

    schema: int = SCHEMA_VERSION
    software: str = __version__
    uuid: str
    consumed: int
    first_ns: int
    sequence: int
    offset: int
    digest: str
    journal_sha256: str
    """Of the journal's first `offset` bytes."""
    files: dict[str, FileMark]
    projections: dict[str, Any]
    core: dict[str, Any]
    strategy: dict[str, Any]
    inputs: Place | None = None
    inputs_sha256: str = ""

    @property
    def position(self) -> Position:
        """The place in the journal."""
        return Position(self.sequence, self.offset, bytes.fromhex(self.digest))


def every_seconds(interval_s: float = INTERVAL_S) -> SnapshotDue:
    """A snapshot whenever so many seconds of wall time have passed since the last one."""
    last_s = time.monotonic()

    def is_due() -> bool:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s < interval_s:
            return False
        last_s = now_s
        return True

    return is_due


def plain_copy(state: Mapping[str, Any]) -> dict[str, Any]:
    """`state` as it comes back from a file. Raises ValueError when that is not the same."""
    try:
        copy: dict[str, Any] = json.loads(json.dumps(state))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not JSON data: {error}") from None
    if copy != state:
        raise ValueError("not JSON data: it comes back as something else (a tuple, a key, a NaN?)")
    return copy


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The content of the file."""
    # Not msgspec: some numbers of the core have more than 64 bits.
    body = json.dumps(msgspec.to_builtins(snapshot), separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest().encode()
    return b"".join((_HEAD, digest, _MIDDLE, body, b"}\n"))


def read_snapshot(folder: Path) -> Snapshot | None:
    """The snapshot in a session's folder; None when there is none.

    Raises SnapshotError for one that is not whole, or of other software; OSError.
    """
    try:
        content = (folder / SNAPSHOT).read_bytes()
    except FileNotFoundError:
        return None
    digest = content[len(_HEAD) : len(_HEAD) + 64]
    body = content[len(_HEAD) + 64 + len(_MIDDLE) : -2]
    expected = b"".join((_HEAD, digest, _MIDDLE, body, b"}\n"))
    if content != expected or hashlib.sha256(body).hexdigest().encode() != digest:
        raise SnapshotError("it is damaged")
    try:
        state = json.loads(body)
        if (state["schema"], state["software"]) != (SCHEMA_VERSION, __version__):
            raise SnapshotError(f"it is of logos {state['software']}, schema {state['schema']}")
        return msgspec.convert(state, Snapshot)
    except (LookupError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise SnapshotError(f"it cannot be read: {error}") from None


def check_files(snapshot: Snapshot, projections: Mapping[str, Path]) -> None:
    """Whether the tables and the log begin with what they held then.

    Raises SnapshotError naming the file that does not.
    """
    if snapshot.files.keys() != projections.keys():
        raise SnapshotError("it speaks of other files")
    for name, path in projections.items():
        mark = snapshot.files[name]
        if mark == FileMark() and name in NOTE_TABLES:
            continue  # it had not been made
        try:
            found = marked(path, FileMark(), mark.size)
        except OSError as error:
            raise SnapshotError(f"{name} cannot be read: {error.strerror}") from None
        if found != mark:
            raise SnapshotError(f"{name} does not begin with what it held then")


def marked(path: Path, mark: FileMark, size_max: int | None = None) -> FileMark:
    """The mark of a file that has grown since `mark`, up to its end or `size_max`.

    Raises OSError when it cannot be read.
    """
    size, crc = mark.size, mark.crc
    with open(path, "rb") as file:
        file.seek(size)
        while size_max is None or size < size_max:
            wanted = _BLOCK_BYTES if size_max is None else min(_BLOCK_BYTES, size_max - size)
            block = file.read(wanted)
            if not block:
                break
            size += len(block)
            crc = zlib.crc32(block, crc)
    return FileMark(size, crc)
