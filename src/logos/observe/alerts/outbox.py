"""The durable outbox: which alerts were made, and which channel has which of them.

Problem: the sender may be killed at any instant, and no alert may be lost by that. Method: one file
of lines, only ever appended to. An alert is on the disk before the place in the journal that it was
read from is saved, and a delivery is noted after the channel has taken it. So a kill between two
steps makes the same alert once more (it has the same id and is dropped here), or delivers it once
more (it has the same id, and the receiver can drop it). A torn last line is cut off. While the disk
is full, notes wait in memory and alerts are delivered all the same; the places that were read from
are not saved meanwhile.

When the file is opened and has grown large, it is written anew with the latest alerts, and with all
that some channel has not got yet.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from logos import paths
from logos.errors import WorkspaceError
from logos.files import AppendFile, open_regular, replace_file, sync_file
from logos.observe.alerts.alert import Alert

OUTBOX_FILE: Final = "outbox.jsonl"
COMPACT_BYTES: Final = 4 << 20
UNWRITTEN_BYTES_MAX: Final = 1 << 20
"""How much may wait in memory for room on a full disk."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
KEPT_MAX: Final = 5_000
"""Alerts that are kept when the file is written anew."""

Outcome = Literal["sent", "summary", "gave up"]
"""How an alert came to a channel: by itself, within a summary, or not at all after a day."""


class Made(msgspec.Struct, frozen=True, tag="alert", tag_field="note"):
    """An alert was made."""

    alert: Alert


class Taken(msgspec.Struct, frozen=True, tag="taken", tag_field="note"):
    """A channel has these alerts, or will never have them; `time_ns` is when that was known."""

    channel: str
    ids: tuple[str, ...]
    outcome: Outcome
    time_ns: int
    error: str = ""


class Failed(msgspec.Struct, frozen=True, tag="failed", tag_field="note"):
    """A channel could not take this alert, for another reason than the last time."""

    channel: str
    id: str
    error: str
    time_ns: int


class Cleared(msgspec.Struct, frozen=True, tag="cleared", tag_field="note"):
    """A condition does not hold any more."""

    condition: str
    time_ns: int


Note = Made | Taken | Failed | Cleared

_DECODER: Final = msgspec.json.Decoder(Note)


class OutboxDamagedError(WorkspaceError):
    """The outbox does not read back; the message says where and what to do."""


def alerts_folder(workspace: Path) -> Path:
    """Where the sender of a workspace keeps what it must not forget."""
    return paths.state_dir(workspace) / "alerts"


class State:
    """What the notes of an outbox come to."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        """By id, oldest first."""
        self.taken: dict[str, dict[str, Taken]] = {}
        """By id and channel."""
        self.failed: dict[str, dict[str, Failed]] = {}
        """The latest failure, by id and channel; those that were delivered since stay."""
        self.active: dict[str, str] = {}
        """The alert of each condition that holds."""

    def see(self, note: Note) -> None:
        """Take note of one more line."""
        if isinstance(note, Made):
            self.alerts[note.alert.id] = note.alert
            if note.alert.condition:
                self.active[note.alert.condition] = note.alert.id
        elif isinstance(note, Taken):
            for each in note.ids:
                self.taken.setdefault(each, {})[note.channel] = note
        elif isinstance(note, Failed):
            self.failed.setdefault(note.id, {})[note.channel] = note
        else:
            self.active.pop(note.condition, None)

    def pending(self, channel: str) -> list[Alert]:
        """What `channel` has not got yet, oldest first."""
        return [
            alert
            for each, alert in self.alerts.items()
            if channel in alert.channels and channel not in self.taken.get(each, {})
        ]

    def is_pending(self, alert: Alert) -> bool:
        """Whether some channel has not got it yet."""
        return any(channel not in self.taken.get(alert.id, {}) for channel in alert.channels)

    def notes(self) -> list[Note]:
        """The notes that come to this, with the latest `KEPT_MAX` alerts and all pending ones."""
        old = list(self.alerts.values())[:-KEPT_MAX]
        active = set(self.active.values())
        dropped = {
            alert.id for alert in old if not self.is_pending(alert) and alert.id not in active
        }
        kept = {each: alert for each, alert in self.alerts.items() if each not in dropped}
        notes: list[Note] = [Made(alert) for alert in kept.values()]
        for each in kept:
            notes += self.failed.get(each, {}).values()
            for taken in self.taken.get(each, {}).values():
                notes.append(msgspec.structs.replace(taken, ids=(each,)))
        held = {alert.condition for alert in kept.values() if alert.condition}
        notes += [Cleared(each, 0) for each in held if each not in self.active]
        return notes


class Outbox:
    """The outbox of the one sender of a workspace. Its methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Read what is there. Raises OSError, and OutboxDamagedError for a line that is no note."""
        path = folder / OUTBOX_FILE
        self._file = AppendFile(path)
        self._file.cut_torn_line()
        self._lock = threading.Lock()
        self._unwritten = bytearray()
        self.problem = ""
        """Why the latest notes are not on the disk, in words; empty when they are."""
        self._state = read_state(folder)
        if os.stat(path).st_size > COMPACT_BYTES:
            self._compact(path)

    def _compact(self, path: Path) -> None:
        """Write the file anew with what is still of use."""
        encode = msgspec.json.Encoder().encode
        content = b"".join(encode(note) + b"\n" for note in self._state.notes())
        self._file.close()
        replace_file(path, content)
        self._file = AppendFile(path, is_new=False)
        self._state = read_state(path.parent)

    def add(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Keep `alerts`, durably; those that are new. Raises OSError, but not for a full disk:
        then they are kept in memory, and `problem` says so."""
        with self._lock:
            new = [alert for alert in alerts if alert.id not in self._state.alerts]
            self._write([Made(alert) for alert in new])
            return new

    def take(self, note: Taken | Failed | Cleared) -> None:
        """Note what became of alerts or of a condition, durably. Raises OSError."""
        with self._lock:
            self._write([note])

    def pending(self, channel: str) -> list[Alert]:
        """What `channel` has not got yet, oldest first."""
        with self._lock:
            return self._state.pending(channel)

    def has_pending(self, channels: Iterable[str]) -> bool:
        """Whether one of `channels` has not got something yet."""
        with self._lock:
            return any(self._state.pending(each) for each in channels)

    def deliveries(self, channel: str) -> list[tuple[Alert, Taken]]:
        """What `channel` got, in the order of the alerts."""
        with self._lock:
            return [
                (alert, note)
                for each, alert in self._state.alerts.items()
                if (note := self._state.taken.get(each, {}).get(channel)) is not None
            ]

    @property
    def active(self) -> dict[str, str]:
        """The alert of each condition that holds."""
        with self._lock:
            return dict(self._state.active)

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        with self._lock:
            self._file.close()

    def _write(self, notes: Sequence[Note]) -> None:
        """Take note, in memory first: with a full disk alerts matter most."""
        if not notes:
            return
        encode = msgspec.json.Encoder().encode
        for note in notes:
            self._state.see(note)
            self._unwritten += encode(note) + b"\n"
        try:
            self._file.write(self._unwritten)
            sync_file(self._file.path)
            self.problem = ""
        except OSError as error:
            if error.errno not in _FULL or len(self._unwritten) > UNWRITTEN_BYTES_MAX:
                raise
            self.problem = f"{self._file.path}: {error.strerror}"


def read_state(folder: Path) -> State:
    """What the outbox in `folder` says; nothing when there is none. A last line without its end is
    left out. Raises OSError, and OutboxDamagedError for a line that is no note."""
    path = folder / OUTBOX_FILE
    state = State()
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return state
    with file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            try:
                state.see(_DECODER.decode(line))
            except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
                raise OutboxDamagedError(
                    f"{path}:{number}: not a note of the alerts' outbox ({error}); move the file "
                    "away, and the sender begins a new one: what was pending in it is not sent"
                ) from None
    return state
