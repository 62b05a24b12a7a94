"""What a session's journal says of its past: who it is, what came from outside, how it ended.

Every line is verified and every record read with its type, as `logos verify` does: what one of the
two calls torn or damaged, the other does too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.config import ConfigError
from logos.core.commands import RECONCILED
from logos.core.records import CommandRecord, OrderRecord, OrderUpdate, Record, SwitchRecord
from logos.core.types import OrderStatus, SessionStatus
from logos.journal.entries import (
    JOURNAL,
    Manifest,
    Sealed,
    SessionEntry,
    Stopping,
    open_journal,
)
from logos.journal.reader import Damaged, TornTail
from logos.journal.writer import Position
from logos.session.recorded import Recording


class NothingHappenedError(ConfigError):
    """The session was ended before its first record was whole."""


JournalDamagedError = Damaged
"""A journal that was changed or destroyed further in than its last line."""


_MOVED_RECORDS: Final = 4096


@dataclass(frozen=True, slots=True)
class Journal:
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


@dataclass(slots=True)
class _Scan:
    """What has been gathered so far of a journal; `middle_sequence` is a place to take note of."""

    middle_sequence: int = -1
    middle: Position | None = None
    switches_before: int = 0
    commands_before: int = 0
    records: int = 0
    manifest: dict[str, Any] | None = None
    switches: list[SwitchRecord] = field(default_factory=list)
    commands: list[CommandRecord] = field(default_factory=list)
    last_tick_id: int = 0
    last_ns: int = 0
    orders: int = 0
    epochs: list[tuple[int, int]] = field(default_factory=list)
    last_order_id: int = 0
    status: SessionStatus | None = None
    reason: str = ""
    stopped_tick_id: int | None = None
    kept_bytes: int | None = None

    def see(self, path: Path, entry: SessionEntry) -> None:
        """Take note of one record. Raises Damaged for a seal that no session is given."""
        record = entry.record
        if type(record) is Manifest:
            self.manifest = msgspec.json.decode(entry.body)
        elif type(record) is Stopping:
            self.kept_bytes = entry.offset
            self.stopped_tick_id = record.tick_id
        elif type(record) is Sealed:
            self._see_seal(path, entry, record)
        elif self.kept_bytes is None:
            self._see_record(record)  # type: ignore[arg-type]
        if self.kept_bytes is None:
            self.records = entry.sequence
        if entry.sequence == self.middle_sequence:
            self.middle = Position(entry.sequence, entry.offset + entry.size, entry.digest)
            self.switches_before = len(self.switches)
            self.commands_before = len(self.commands)

    def _see_seal(self, path: Path, entry: SessionEntry, sealed: Sealed) -> None:
        try:
            self.status, self.reason = SessionStatus(sealed.status), sealed.reason
        except ValueError as error:
            raise Damaged(path, entry.sequence, entry.offset, f"not a seal: {error}") from None
        if self.kept_bytes is None:
            self.kept_bytes = entry.offset

    def _see_record(self, record: Record) -> None:
        tick_id = getattr(record, "tick_id", 0)  # samples bear none
        if tick_id > self.last_tick_id:
            self.last_tick_id = tick_id
        if record.ts_ns > self.last_ns:
            self.last_ns = record.ts_ns
        if type(record) is OrderRecord:
            self.orders += 1
            self.last_order_id = record.order_id
            before = self.epochs[-1][1] if self.epochs else 0
            if record.fleet_epoch != before:
                self.epochs.append((record.order_id, record.fleet_epoch))
        elif type(record) is OrderUpdate:
            is_sent = record.status is OrderStatus.NEW and not record.quantity_units
            self.orders += is_sent  # it was held until now
        elif type(record) is SwitchRecord:
            self.switches.append(record)
        elif type(record) is CommandRecord and record.action != RECONCILED:
            self.commands.append(record)


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
    folder: Path, middle_sequence: int = -1, moved: Callable[[], object] = lambda: None
) -> Journal:
    """Read a session's journal to its last whole line, checking every one.

    `middle_sequence` is a record after which a snapshot claims to stand; `moved` is called now and
    then.

    Raises JournalDamagedError for a line that is whole and wrong, NothingHappenedError for a
    journal without a manifest, ConfigError for one of another schema.
    """
    path = folder / JOURNAL
    scan = _Scan(middle_sequence)
    is_torn = False
    with open_journal(path) as reader:
        try:
            for entry in reader.entries():
                scan.see(path, entry)
                if not entry.sequence % _MOVED_RECORDS:
                    moved()
        except TornTail:
            is_torn = True
        whole_bytes = reader.offset
    file_bytes = path.stat().st_size
    if scan.manifest is None:
        raise _nothing_happened(path)
    return Journal(
        path,
        scan.manifest,
        _recording(scan),
        whole_bytes if scan.kept_bytes is None else scan.kept_bytes,
        is_torn,
        scan.status,
        scan.reason,
        scan.stopped_tick_id,
        scan.records,
        file_bytes,
        scan.middle,
        scan.switches_before,
        scan.commands_before,
    )


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
    stopped = scan.stopped_tick_id
    return Recording(
        scan.switches,
        scan.commands,
        scan.last_tick_id if stopped is None else stopped,
        scan.last_ns,
        scan.orders,
        is_whole=stopped is not None,
        epochs=scan.epochs,
        last_order_id=scan.last_order_id,
        fleet=None if scan.manifest is None else scan.manifest.get("fleet"),
    )
