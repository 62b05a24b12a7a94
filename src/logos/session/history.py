"""What a session's journal says of its past: who it is, what came from outside, how it ended.

Only what recovery needs is decoded, while every line is verified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from logos import paths
from logos.config import ConfigError
from logos.core.records import CommandRecord, SwitchRecord
from logos.core.types import SessionStatus
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.reader import Damaged, JournalReader, Line, TornTail
from logos.journal.writer import Position
from logos.session.recorded import Recording

JournalDamagedError = Damaged
"""A journal that was changed or destroyed further in than its last line."""


@dataclass(frozen=True, slots=True)
class Journal:
    """What a session's journal says, up to its last whole line.

    `whole_bytes` is what a resumed session keeps: all whole lines before a stop or a seal,
    `records` of them; the file has `file_bytes`. `status` is the seal's, None for a session that
    was never sealed. `stopped_tick_id` is where a stop came. `middle` is the place that was asked
    for, with how many of the recording's `switches_before` and `commands_before` come before it.
    """

    path: Path
    manifest: dict[str, Any]
    recording: Recording
    whole_bytes: int
    is_torn: bool
    status: SessionStatus | None
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
    switches: list[SwitchRecord] | None = None
    commands: list[CommandRecord] = field(default_factory=list)
    last_tick_id: int = 0
    last_ns: int = 0
    orders: int = 0
    status: SessionStatus | None = None
    stopped_tick_id: int | None = None
    kept_bytes: int | None = None

    def see(self, path: Path, line: Line) -> None:
        """Take note of one record. Raises Damaged for one that is none."""
        try:
            self._see(line.body, line.offset)
        except (msgspec.DecodeError, ValueError) as error:
            raise Damaged(path, line.sequence, line.offset, f"not a record: {error}") from None
        if self.kept_bytes is None:
            self.records = line.sequence
        if line.sequence == self.middle_sequence:
            self.middle = Position(line.sequence, line.offset + line.size, line.digest)
            self.switches_before = len(self.switches or [])
            self.commands_before = len(self.commands)

    def _see(self, body: bytes, offset: int) -> None:
        """Only what recovery needs is decoded."""
        if self.manifest is None:
            self.manifest = msgspec.json.decode(body)
            self.switches = []
            return
        head = _HEAD_DECODER.decode(body)
        if head.kind == "stopping":
            self.kept_bytes = offset
            self.stopped_tick_id = head.tick_id
        elif head.kind == "sealed":
            self.status = SessionStatus(head.status)
            if self.kept_bytes is None:
                self.kept_bytes = offset
        elif self.kept_bytes is None:
            self.last_tick_id = max(self.last_tick_id, head.tick_id)
            self.last_ns = max(self.last_ns, head.ts_ns)
            if head.kind == "order":
                self.orders += 1
            elif head.kind == "switch" and self.switches is not None:
                self.switches.append(msgspec.json.decode(body, type=SwitchRecord))
            elif head.kind == "command":
                self.commands.append(msgspec.json.decode(body, type=CommandRecord))


class _Head(msgspec.Struct):
    """The fields of any record that recovery looks at."""

    kind: str
    tick_id: int = 0
    ts_ns: int = 0
    status: str = ""


_HEAD_DECODER = msgspec.json.Decoder(_Head)


def find_session(session_id: str, home: Path | None = None) -> Path:
    """The folder of a session, by its id. Raises ConfigError when there is none."""
    try:
        folder = paths.within(home, paths.session_dir(session_id))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if not (folder / "state.jsonl").is_file():
        raise ConfigError(f"there is no session {session_id} in {folder.parent}")
    return folder


def read_session(folder: Path, middle_sequence: int = -1) -> Journal:
    """Read a session's journal to its last whole line, checking every one.

    `middle_sequence` is a record after which a snapshot claims to stand.

    Raises JournalDamagedError for a line that is whole and wrong, ConfigError for a journal
    without a manifest or of another schema.
    """
    path = folder / "state.jsonl"
    scan = _Scan(middle_sequence)
    is_torn = False
    with JournalReader(path) as reader:
        try:
            for line in reader.lines():
                scan.see(path, line)
        except TornTail:
            is_torn = True
        whole_bytes = reader.offset
    file_bytes = path.stat().st_size
    if scan.manifest is None or scan.switches is None:
        raise ConfigError(
            f"{path}: the session ended before its first record was whole, so nothing had happened "
            "yet: remove its folder and start it anew"
        )
    if scan.manifest.get("schema") != SCHEMA_VERSION:
        raise ConfigError(
            f"{path}: written in schema {scan.manifest.get('schema')}; this version reads schema "
            f"{SCHEMA_VERSION}: use logos {scan.manifest.get('software')}, which wrote it"
        )
    return Journal(
        path,
        scan.manifest,
        _recording(scan),
        whole_bytes if scan.kept_bytes is None else scan.kept_bytes,
        is_torn,
        scan.status,
        scan.stopped_tick_id,
        scan.records,
        file_bytes,
        scan.middle,
        scan.switches_before,
        scan.commands_before,
    )


def _recording(scan: _Scan) -> Recording:
    stopped = scan.stopped_tick_id
    return Recording(
        scan.switches or [],
        scan.commands,
        scan.last_tick_id if stopped is None else stopped,
        scan.last_ns,
        scan.orders,
        is_whole=stopped is not None,
    )
