"""One line of text is what the kill switch believes: how it is written, read and refused.

Problem: arm record, history and witness must say the same thing, survive a crash between any two
writes, and never be half-believed. Method: a *transition* is one JSON line with a CRC. The arm
record and the witness hold the newest line, the history holds all of them, chained by SHA-256.
Agreement is then equality of bytes, and anything else is damage.

The CRC and the chain find accidents: torn writes, bad disks, old copies, hand edits. They are no
signature; whoever may write the folder can forge it. Keep the folder's permissions tight.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Final, Literal

import msgspec

from logos.core.types import SwitchState
from logos.errors import LogosError

SCHEMA: Final = "logos.kill-switch/1"
EPOCH_MAX: Final = 2**53
"""Beyond this JSON readers lose integers; no person resets that often."""
LINE_BYTES_MAX: Final = 8_192
WHO_CHARACTERS_MAX: Final = 120
WHY_CHARACTERS_MAX: Final = 600
NO_PREVIOUS: Final = "0" * 64
"""What the first line of a history names as its predecessor."""

Mode = Literal["paper", "live"]
StateName = Literal["SAFE", "REDUCE_ONLY", "ENGAGED"]


class SwitchError(LogosError):
    """The kill switch could not do what was asked. The message says what to do."""


class SwitchBusyError(SwitchError):
    """Another process holds the writers' lock and did not let go in time."""


class ResetRefusedError(SwitchError):
    """The reset did not happen; the switch stands where it stood, or is more severe."""


class StaleEpochError(ResetRefusedError):
    """The reset named an epoch that is not the current one, so it judged an older situation."""

    def __init__(self, given: int, current: int, why: str) -> None:
        super().__init__(
            f"reset refused: epoch {given} is not the current epoch, {current} is ({why}); "
            f"read `logos kill status`, and reset epoch {current} if that is still right"
        )
        self.given = given
        self.current = current


class RecordDamagedError(LogosError, ValueError):
    """A line is not a transition; the message says in which way."""


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change of the switch; the newest one is the arm record."""

    schema: str
    epoch: int
    """Counts transitions, from 1. Every transition, up or down, has its own."""
    state: StateName
    was: StateName | Literal["NEW"]
    who: str
    why: str
    time_ns: int
    mode: Mode
    """What a SAFE record permits: paper only, or live as well."""
    build: str
    host: str
    granted_epoch: int
    """The epoch of the newest transition by which a person allowed more, this one included: to
    SAFE, or from ENGAGED to REDUCE_ONLY. 0 when there was none."""
    engaged_epoch: int
    """The epoch of the newest transition to ENGAGED, this one included; 0 when there was none."""
    markers: str
    """Which marker files this transition took into account (`Marker.identity`)."""
    previous: str
    """SHA-256 of the line before this one in the history."""

    @property
    def severity(self) -> SwitchState:
        """The state as a number that compares."""
        return SwitchState[self.state]


_NAMES: Final[dict[SwitchState, StateName]] = {
    SwitchState.SAFE: "SAFE",
    SwitchState.REDUCE_ONLY: "REDUCE_ONLY",
    SwitchState.ENGAGED: "ENGAGED",
}


def state_name(state: SwitchState) -> StateName:
    """How a record spells a state."""
    return _NAMES[state]


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body: msgspec.Raw
    crc32: int


NOT_READABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a JSON reader may say to bytes of any kind; brackets without end make it recurse."""

_encode = msgspec.json.Encoder().encode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_body = msgspec.json.Decoder(Transition).decode


def encode_line(transition: Transition) -> bytes:
    """One line, newline included. Raises RecordDamagedError when it would not read back."""
    body = _encode(transition)
    line = _encode(_Envelope(msgspec.Raw(body), zlib.crc32(body))) + b"\n"
    if decode_line(line) != transition:
        raise RecordDamagedError("the line does not read back as what was written")
    return line


def decode_line(line: bytes) -> Transition:
    """Read one line back. Raises RecordDamagedError, in words, for anything not written here."""
    if not line:
        raise RecordDamagedError("is empty")
    if len(line) > LINE_BYTES_MAX:
        raise RecordDamagedError(f"is larger than {LINE_BYTES_MAX} bytes")
    if not line.endswith(b"\n") or line.count(b"\n") != 1:
        raise RecordDamagedError("is not one whole line (cut off, or written to by something else)")
    try:
        envelope = _decode_envelope(line)
    except NOT_READABLE as error:
        raise RecordDamagedError(f"is not a record of this switch ({error})") from None
    body = bytes(envelope.body)
    if zlib.crc32(body) != envelope.crc32:
        raise RecordDamagedError("fails its checksum")
    try:
        transition = _decode_body(body)
    except NOT_READABLE as error:
        raise RecordDamagedError(f"is not a record of this switch ({error})") from None
    if transition.schema != SCHEMA:
        raise RecordDamagedError(f"has the schema {transition.schema[:40]!r}, not {SCHEMA!r}")
    if not 1 <= transition.epoch <= EPOCH_MAX:
        raise RecordDamagedError(f"has the impossible epoch {transition.epoch}")
    if max(transition.granted_epoch, transition.engaged_epoch) > transition.epoch:
        raise RecordDamagedError("names epochs of its own future")
    return transition


def digest(line: bytes) -> str:
    """What the next line of the history names as `previous`."""
    return hashlib.sha256(line).hexdigest()


def clean_text(text: str, characters_max: int) -> str:
    """Make text of any origin fit one line of a terminal: no control characters, bounded."""
    flat = "".join(c if c.isprintable() else "?" for c in text.strip()[: characters_max + 1])
    return flat if len(flat) <= characters_max else flat[: characters_max - 3] + "..."


class MarkerNote(msgspec.Struct, frozen=True):
    """What a marker file may say about itself; anything else in it is ignored and still engages."""

    who: str = ""
    why: str = ""
    epoch: int = 0


def encode_marker(who: str, why: str, epoch: int) -> bytes:
    """The content of a marker made by the switch itself."""
    return _encode(MarkerNote(who, why, epoch)) + b"\n"


def decode_marker(content: bytes) -> MarkerNote:
    """What the marker says, or an empty note when it says nothing readable."""
    try:
        note = msgspec.json.decode(content, type=MarkerNote)
    except NOT_READABLE:
        return MarkerNote()
    return MarkerNote(
        clean_text(note.who, WHO_CHARACTERS_MAX), clean_text(note.why, WHY_CHARACTERS_MAX), 0
    )
