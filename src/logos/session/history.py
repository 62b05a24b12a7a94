"""What a session's journal says of its past: who it is, what came from outside, how it ended.

Every line is verified and every record read with its type, as `logos verify` does: what one of the
two calls torn or damaged, the other does too. A replay makes every line again, number, checksum and
chain with it, and compares: it needs only the few that prescribe something (`read_prescribed`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.config import ConfigError
from logos.core.types import SessionStatus
from logos.journal.entries import (
    DECODER,
    JOURNAL,
    Manifest,
    Sealed,
    SessionEntry,
    SessionRecord,
    Stopping,
    Stretch,
    open_journal,
    stretches,
)
from logos.journal.reader import Damaged, Entry, JournalError, JournalReader, TornTail
from logos.journal.writer import Content, Position, content_of, ends_with
from logos.session.artifacts.snapshots.gathered import Gathered
from logos.session.artifacts.snapshots.snapshot import Snapshot
from logos.session.recorded import Recording


class NothingHappenedError(ConfigError):
    """The session was ended before its first record was whole."""


JournalDamagedError = Damaged
"""A journal that was changed or destroyed further in than its last line."""


_MOVED_RECORDS: Final = 4096

_BLOCK_BYTES: Final = 1 << 18

_PRESCRIBING: Final = re.compile(rb'"body":\{"kind":"(?:switch|command|stopping|sealed)"')
"""The records by which a journal prescribes something to a replay, but for its manifest. No text in
a record can look like this: JSON has a backslash before each quote of a text."""


class Journal(msgspec.Struct, frozen=True):
    """What a session's journal says, up to its last whole line.

    `whole_bytes` is what a resumed session keeps: all whole lines before a stop or a seal,
    `records` of them; the file has `file_bytes`. `status` and `reason` are the seal's, None and ""
    for a session that was never sealed. `stopped_tick_id` is where a stop came. `middle` is the
    place that was asked for, with how many of the recording's `switches_before` and
    `commands_before` come before it.
    """

    path: Path
    manifest: dict[str, Any]
    recording: Recording
    whole_bytes: int
    is_torn: bool
    status: SessionStatus | None
    reason: str
    stopped_tick_id: int | None
    records: int
    file_bytes: int
    middle: Position | None
    switches_before: int
    commands_before: int
    content: Content | None = None
    """The running hash of the bytes before the middle; None: they were read line by line."""


class _Scan(msgspec.Struct):
    """What has been gathered so far of a journal; `middle_sequence` is a place to take note of."""

    middle_sequence: int = -1
    middle: Position | None = None
    switches_before: int = 0
    commands_before: int = 0
    records: int = 0
    manifest: dict[str, Any] | None = None
    gathered: Gathered = msgspec.field(default_factory=Gathered)
    status: SessionStatus | None = None
    reason: str = ""
    stopped_tick_id: int | None = None
    kept_bytes: int | None = None
    whole_bytes: int = 0
    is_torn: bool = False
    content: Content | None = None

    def see(self, path: Path, entry: SessionEntry) -> None:
        """Take note of one record. Raises Damaged for a seal that no session is given."""
        sequence, offset, _, _, _, record = entry
        kind = type(record)
        if kind is Manifest:
            self.manifest = msgspec.json.decode(entry.body)
        elif kind is Stopping:
            self.kept_bytes = offset
            self.stopped_tick_id = record.tick_id  # type: ignore[union-attr]
        elif kind is Sealed:
            self._see_seal(path, entry, record)  # type: ignore[arg-type]
        elif self.kept_bytes is None:
            self.gathered.see(record)  # type: ignore[arg-type]
        if self.kept_bytes is None:
            self.records = sequence
        if sequence == self.middle_sequence:
            self.middle = Position(entry.sequence, entry.offset + entry.size, entry.digest)
            self.switches_before = len(self.gathered.switches)
            self.commands_before = len(self.gathered.commands)

    def see_all(self, path: Path, stretch: Stretch) -> None:
        """Take note of the records of a stretch, where no place is to be noted. Raises as `see`."""
        first, offset, end, digest, bodies, records = stretch
        if len(records) == 1:
            self.see(path, Entry(first, offset, end - offset, digest, bodies[0], records[0]))
        elif self.kept_bytes is None:
            for record in records:
                self.gathered.see(record)  # type: ignore[arg-type]  # notes come alone
            self.records = first + len(records) - 1

    def _see_seal(self, path: Path, entry: SessionEntry, sealed: Sealed) -> None:
        try:
            self.status, self.reason = SessionStatus(sealed.status), sealed.reason
        except ValueError as error:
            raise Damaged(path, entry.sequence, entry.offset, f"not a seal: {error}") from None
        if self.kept_bytes is None:
            self.kept_bytes = entry.offset


def find_session(name: str, home: Path | None = None, *, may_be_path: bool = False) -> Path:
    """The folder of a session, by its id; where it `may_be_path`, also by the folder's own path.

    Raises ConfigError when there is no journal.
    """
    if may_be_path and ("/" in name or Path(name, JOURNAL).is_file()):
        folder = Path(name)
    else:
        try:
            folder = paths.within(home, paths.session_dir(name))
        except ValueError as error:
            hint = "; or give the path of a session's folder" if may_be_path else ""
            raise ConfigError(f"{error}{hint}") from None
    if not (folder / JOURNAL).is_file():
        raise ConfigError(f"no such session: there is no {folder / JOURNAL}")
    return folder


def read_session(
    folder: Path, found: Snapshot | None = None, moved: Callable[[], object] = lambda: None
) -> Journal:
    """Read a session's journal to its last whole line, checking every one.

    Of the lines before the snapshot that was `found` it is enough that all their bytes have the
    SHA-256 that it names. `moved` is called now and then.

    Raises JournalDamagedError for a line that is whole and wrong, NothingHappenedError for a
    journal without a manifest, ConfigError for one of another schema.
    """
    path = folder / JOURNAL
    read = None if found is None else _behind(path, found, moved)
    if read is None:
        scan = _Scan(-1 if found is None else found.sequence)
        with open_journal(path) as reader:
            read = _read_on(path, reader, scan, moved)
    return _journal_of(path, read)


def read_prescribed(folder: Path, moved: Callable[[], object] = lambda: None) -> Journal:
    """What a session's journal prescribes to its replay: manifest, switch, commands, stop and seal.

    For who makes every line again and compares it: no other line is looked at, and none but the
    manifest is verified. Of the recording only switches and commands are there. Whatever is unusual
    (no seal at its very end, a fleet, a line that is no record) has the whole journal read, and
    said what is wrong with it. Raises as `read_session`.
    """
    path = folder / JOURNAL
    scan = _Scan()
    with open_journal(path) as reader:
        try:
            scan.see(path, next(reader.entries()))
            is_usual = _find_prescribing(path, scan, moved)
        except (JournalError, LookupError, ValueError, StopIteration):
            is_usual = False
    if not is_usual or scan.manifest is None or scan.manifest.get("fleet") is not None:
        return read_session(folder, moved=moved)
    return _journal_of(path, scan)


def _find_prescribing(path: Path, scan: _Scan, moved: Callable[[], object]) -> bool:
    """Let `scan` see the lines that prescribe something; whether the last of them is a seal, and
    ends the file."""
    end = 0
    for sequence, offset, body in _prescribing(path, moved):
        if scan.status is not None:
            return False
        scan.see(path, Entry(sequence, offset, 0, b"", body, DECODER.decode(body)))
        end = offset
    if scan.status is None:
        return False
    with open(path, "rb") as file:
        file.seek(end)
        last = file.readline()
        scan.whole_bytes = end + len(last)
        return last.endswith(b"}\n") and not file.read(1)


def _prescribing(path: Path, moved: Callable[[], object]) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and body of those lines. Raises ValueError for one without a number."""
    offset, rest = 0, b""
    with open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            lines = rest + block
            whole = lines.rfind(b"\n") + 1
            for found in _PRESCRIBING.finditer(lines, 0, whole):
                start = lines.rfind(b"\n", 0, found.start()) + 1
                end = lines.index(b"\n", found.end())
                sequence = int(lines[start + len(b'{"seq":') : lines.index(b",", start)])
                body = lines[found.start() + len(b'"body":') : end - 1]
                yield sequence, offset + start, body
            offset, rest = offset + whole, lines[whole:]
            moved()


def _journal_of(path: Path, read: _Scan) -> Journal:
    if read.manifest is None:
        raise _nothing_happened(path)
    return Journal(
        path,
        read.manifest,
        _recording(read),
        read.whole_bytes if read.kept_bytes is None else read.kept_bytes,
        read.is_torn,
        read.status,
        read.reason,
        read.stopped_tick_id,
        read.records,
        path.stat().st_size,
        read.middle,
        read.switches_before,
        read.commands_before,
        read.content,
    )


def _behind(path: Path, found: Snapshot, moved: Callable[[], object]) -> _Scan | None:
    """What is to be known of a journal whose first bytes are those that a snapshot speaks of: it
    says what they hold, and only the lines behind them are read. None: read all of it."""
    with open(path, "rb") as file:
        content = content_of(file, found.offset)
    if content is None or content.hexdigest() != found.journal_sha256:
        return None
    scan = _Scan(content=content)
    try:
        if not ends_with(path, found.position):
            return None
        with open_journal(path) as reader:
            scan.see(path, next(reader.entries()))
            scan.gathered = msgspec.convert(found.projections["gathered"], Gathered)
            scan.middle, scan.records = found.position, found.sequence
            scan.switches_before = len(scan.gathered.switches)
            scan.commands_before = len(scan.gathered.commands)
            reader.go_back(found.sequence, found.offset, found.position.digest)
            return _read_on(path, reader, scan, moved)
    except (JournalError, LookupError, ValueError, StopIteration):
        return None  # whatever it is: the whole journal says it, from its first line


def _read_on(
    path: Path,
    reader: JournalReader[SessionRecord],
    scan: _Scan,
    moved: Callable[[], object],
) -> _Scan:
    try:
        if scan.middle_sequence < 0:
            for stretch in stretches(reader):
                scan.see_all(path, stretch)
                moved()
        else:
            for entry in reader.entries():
                scan.see(path, entry)
                if not entry.sequence % _MOVED_RECORDS:
                    moved()
    except TornTail:
        scan.is_torn = True
    scan.whole_bytes = reader.offset
    return scan


def read_manifest(folder: Path) -> dict[str, Any]:
    """The first record of a session's journal, and nothing behind it. Raises as `read_session`."""
    path = folder / JOURNAL
    with open_journal(path) as reader:
        try:
            for entry in reader.entries():
                manifest: dict[str, Any] = msgspec.json.decode(entry.body)
                return manifest
        except TornTail:
            pass
    raise _nothing_happened(path)


def _nothing_happened(path: Path) -> NothingHappenedError:
    return NothingHappenedError(
        f"{path}: the session ended before its first record was whole, so nothing had happened "
        f"yet: `logos resume {path.parent.name}` starts it anew"
    )


def _recording(scan: _Scan) -> Recording:
    stopped, gathered = scan.stopped_tick_id, scan.gathered
    return Recording(
        gathered.switches,
        gathered.commands,
        gathered.last_tick_id if stopped is None else stopped,
        gathered.last_ns,
        gathered.orders,
        is_whole=stopped is not None,
        epochs=gathered.epochs,
        last_order_id=gathered.last_order_id,
        fleet=None if scan.manifest is None else scan.manifest.get("fleet"),
    )
