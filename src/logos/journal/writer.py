"""Appends records to a session's journal, `state.jsonl`.

Durability. In cache replay nothing leaves the process, so records are written in groups: they reach
the operating system at every `flush`, which survives a killed process, and the disk at most
`SYNC_INTERVAL_S` later and at every `sync`, which survives a power cut. What could reach a real
venue must be synced before its first byte leaves.

The first failed write or fsync is reported as an OSError naming the file, and the writer refuses to
go on: after a failed fsync nobody knows what the disk holds.

A journal that is continued is not trusted but made again: the records of the session, run anew from
its beginning or from a verified position, must give the very lines that are there, and only what
lies beyond is appended.
"""

from __future__ import annotations

import os
import time
from binascii import hexlify
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol, Self

import msgspec

from logos.errors import LogosError
from logos.files import private_opener, sync
from logos.journal.codec import GENESIS, chain, encode_line, encode_lines
from logos.journal.lock import JournalLock, lock
from logos.journal.lock import SessionBusyError as SessionBusyError

_BUFFER_BYTES: Final = 1 << 18

_READ_BYTES: Final = 1 << 20
_HASH_BYTES: Final = 1024
"""So much is hashed at once: for a line alone most of the time would go into the call. Far less
than what `hashlib` lets other threads run for, which would have this one wait for its turn."""
_HEAD_BYTES_MAX: Final = 100

SYNC_INTERVAL_S: Final = 1.0


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place between two lines: records and bytes before it, and the chain's digest there."""

    sequence: int
    offset: int
    digest: bytes


START: Final = Position(0, 0, GENESIS)


class WriterFigures(msgspec.Struct, frozen=True, gc=False):
    """How much a journal holds, and what its fsyncs took in this process, nanoseconds."""

    records: int
    size_bytes: int
    syncs: int
    sync_ns: int
    sync_max_ns: int


class Content(Protocol):
    """A running SHA-256."""

    def update(self, data: bytes | bytearray, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """The hash so far."""

    def copy(self) -> Self:
        """The same, to go on with by itself."""


def content_of(lines: Lines, size: int) -> Content | None:
    """The running hash of the first `size` bytes; None where there are fewer. OSError."""
    content = sha256()
    lines.seek(0)
    while size and (block := lines.read(min(size, _READ_BYTES))):
        content.update(block)
        size -= len(block)
    return None if size else content


def ends_with(path: Path, position: Position) -> bool:
    """Whether the line before `position` bears its number and its part of the digest. OSError."""
    size = min(position.offset, _READ_BYTES)
    with open(path, "rb") as file:
        file.seek(position.offset - size)
        lines = file.read(size)
    if not lines.endswith(b"\n"):
        return False
    line = lines[lines.rfind(b"\n", 0, -1) + 1 :]
    return line.startswith(b'{"seq":%d,' % position.sequence) and (
        b'","hash":"%b","body":' % hexlify(position.digest[:8]) in line[:_HEAD_BYTES_MAX]
    )


class Lines(Protocol):
    """The bytes of a journal that is there, in one file or several."""

    def read(self, size_max: int, /) -> bytes:
        """Up to so many bytes."""

    def seek(self, offset: int, /) -> object:
        """Go to so many bytes behind the beginning."""

    def close(self) -> None:
        """Close what is open."""


class JournalDiffersError(LogosError):
    """What a session does now is not what its journal says it did."""

    def __init__(self, path: Path, sequence: int, offset: int) -> None:
        super().__init__(
            f"{path}: record {sequence} (at byte {offset}) is not what the session does when it is "
            "run again: the journal was changed, or the strategy is not deterministic"
        )
        self.sequence = sequence
        self.offset = offset


class JournalWriter:
    """Writes a journal; `sequence` counts its records from 1."""

    def __init__(self, path: Path) -> None:
        """Create `path` and lock it; raises FileExistsError when there is one already."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._begin(path, private_opener(str(path), flags), None, START)

    @classmethod
    def continuing(
        cls,
        journal: Path | JournalLock,
        whole_bytes: int,
        start: Position = START,
        there: Lines | None = None,
        before: int = 0,
        content: Content | None = None,
    ) -> Self:
        """Go on with a journal, of which the first `whole_bytes` are whole lines.

        Of one that lies in several files (see `segments`), this file is the last: `there` reads all
        of them as one, and the others hold the `before` first bytes.

        What follows them (a torn line, or the end of a stopped session) is cut off first. The lines
        after `start` must be made again; `content` is the hash of all bytes before it. A lock that
        is held already is taken over. Raises SessionBusyError when a running process has it, and
        OSError when it cannot be opened.
        """
        writer = cls.__new__(cls)
        held = JournalLock(journal) if isinstance(journal, Path) else journal
        path = held.path
        try:
            there = there or open(path, "rb")  # noqa: SIM115
        except OSError:
            held.close()
            raise
        descriptor = held.take()
        writer._begin(path, descriptor, there, start)
        writer.before, writer._whole_bytes = before, whole_bytes
        writer._content = content or sha256()
        try:
            there.seek(start.offset)
            os.ftruncate(descriptor, whole_bytes - before)
            os.fsync(descriptor)
            os.lseek(descriptor, 0, os.SEEK_END)
        except OSError as error:
            writer._release()
            raise OSError(error.errno, error.strerror, str(path)) from error
        return writer

    def _begin(self, path: Path, descriptor: int, there: Lines | None, start: Position) -> None:
        self.path = path
        self.sequence = start.sequence
        self.offset = start.offset
        """Bytes of the journal up to here."""
        self._digest = start.digest
        self._encode = msgspec.json.Encoder().encode
        self._buffer = bytearray()
        self._failed = False
        self._is_unsynced = True  # the disk may not have all that the operating system was handed
        self.before = 0
        """Bytes in the files before this one."""
        self._whole_bytes = 0  # of a journal that is continued, when that began
        self._content: Content = sha256()
        self._to_hash = bytearray()  # what the hash lacks, but for what was added last
        self._unhashed = b""  # what was added last: it may have to be left out of the hash
        self._there = there  # the lines that must come again, while a journal is continued
        self._descriptor = descriptor
        self._synced_s = time.monotonic()
        self._syncs = self._sync_ns = self._sync_max_ns = 0
        try:
            lock(descriptor, path)
        except BaseException:
            self._release()
            raise

    def append(self, *records: object) -> list[bytes]:
        """Add records (anything msgspec encodes as a JSON object): all of them, or none.

        Returns each record as the JSON that its line holds. Raises TypeError or ValueError for one
        that JSON cannot hold, JournalDiffersError when a continued journal says otherwise.
        """
        bodies = [self._encode(record) for record in records]
        if self._there is None:
            added, self._digest = encode_lines(self.sequence, self._digest, bodies)
            self._buffer += added
            self._hash(added)
            self.sequence += len(bodies)
            self.offset += len(added)
        else:
            for body in bodies:
                self._append_line(body)
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()
        return bodies

    def put(self, record: object) -> None:
        """Add one record and hand it over at once: `append` and `flush` in fewer steps.

        Raises as they do.
        """
        if self._there is None:
            body = self._encode(record)
            sequence = self.sequence + 1
            digest = chain(self._digest, body)
            line = encode_line(sequence, digest, body)
            self._buffer += line
            self._hash(line)
            self.sequence = sequence
            self._digest = digest
            self.offset += len(line)
        else:
            self.append(record)
        self.flush()

    def _hash(self, added: bytes) -> None:
        """This was added; what was added before it belongs into the hash from now on."""
        to_hash = self._to_hash
        to_hash += self._unhashed
        self._unhashed = added
        if len(to_hash) >= _HASH_BYTES:
            self._content.update(to_hash)
            to_hash.clear()

    def _append_line(self, body: bytes) -> None:
        """Add one line, or find it in the journal that is being continued."""
        sequence = self.sequence + 1
        digest = chain(self._digest, body)
        line = encode_line(sequence, digest, body)
        if self._there is None or not self._is_there(self._there, line, sequence):
            self._buffer += line
        self._hash(line)
        self.sequence = sequence
        self._digest = digest
        self.offset += len(line)

    @property
    def is_continuing(self) -> bool:
        """Whether there are lines left that the session has not made again."""
        return self._there is not None and self.offset < self._whole_bytes

    def cut_off_rest(self) -> int:
        """Drop the lines of a continued journal that have not come again; how many bytes that was.

        Only for a session whose inputs are gone, as a power cut can leave it: what it did because
        of them had not been promised to anybody. Raises OSError.
        """
        if self._there is None:
            return 0
        size = self.before + os.fstat(self._descriptor).st_size
        self._there.close()
        self._there = None
        os.ftruncate(self._descriptor, self.offset - self.before)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        self._fsync()
        return size - self.offset

    def _is_there(self, there: Lines, line: bytes, sequence: int) -> bool:
        found = there.read(len(line))
        if found == line:
            return True
        if found:
            raise JournalDiffersError(self.path, sequence, self.offset)
        there.close()
        self._there = None
        return False

    def flush(self) -> None:
        """Hand all records to the operating system, and now and then to the disk.

        Raises OSError, and then always again.
        """
        if self._failed:
            raise OSError(
                0, "an earlier write failed; the journal takes no more records", str(self.path)
            )
        if not self._buffer and not self._is_unsynced:
            return
        try:
            while self._buffer:
                self._is_unsynced = True
                written = os.write(self._descriptor, self._buffer)
                del self._buffer[:written]
            if time.monotonic() - self._synced_s >= SYNC_INTERVAL_S:
                self._fsync()
        except OSError as error:
            self._failed = True
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def sync(self) -> None:
        """Flush, and wait until the disk has it. Raises OSError."""
        self._synced_s = 0.0
        self.flush()

    def go_on_in(self, descriptor: int) -> None:
        """Write what comes next into another file, open and empty; `sync` came right before.

        Raises OSError when that file is locked, or this one cannot be closed.
        """
        lock(descriptor, self.path)
        old, self._descriptor = self._descriptor, descriptor
        self.before = self.offset
        self._is_unsynced = True
        os.close(old)

    def _fsync(self) -> None:
        began_ns = time.perf_counter_ns()
        sync(self._descriptor)
        self._is_unsynced = False
        took_ns = time.perf_counter_ns() - began_ns
        self._syncs += 1
        self._sync_ns += took_ns
        self._sync_max_ns = max(self._sync_max_ns, took_ns)
        self._synced_s = time.monotonic()

    def close(self) -> None:
        """Sync and close; closing again does nothing."""
        if self._descriptor < 0:
            return
        try:
            if not self._failed:
                self.sync()
        finally:
            self._release()

    def _release(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
        if self._there is not None:
            self._there.close()

    @property
    def measured(self) -> WriterFigures:
        """What was written, and how long the disk took for it in this process."""
        return WriterFigures(
            self.sequence, self.offset, self._syncs, self._sync_ns, self._sync_max_ns
        )

    @property
    def content_sha256(self) -> str:
        """The SHA-256 of all bytes of the journal up to the last record, as hex."""
        return self.sha256_at(self.position)

    def sha256_at(self, position: Position) -> str:
        """The SHA-256 of all bytes before this place, behind or before what was added last, as
        hex; "" for any other place."""
        content = self._content.copy()
        content.update(self._to_hash)
        if position.offset == self.offset:
            content.update(self._unhashed)
        elif position.offset != self.offset - len(self._unhashed):
            return ""
        return content.hexdigest()

    @property
    def position(self) -> Position:
        """Where the journal stands after the last record."""
        return Position(self.sequence, self.offset, self._digest)

    @property
    def digest(self) -> str:
        """The chain's digest after the last record, as hex."""
        return self._digest.hex()
