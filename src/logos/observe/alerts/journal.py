"""Which lines of a session's journal are alerts.

Only two kinds of lines are: a guard that tripped, and the seal. Lines are looked through as bytes
first, so a journal that grows by a million records costs little. A field that is not known here is
passed over: a sender of one version reads the journals of another.
"""

from __future__ import annotations

from binascii import crc32
from typing import Final

import msgspec

from logos.config.tables.alerts import AlertKind

_GUARD: Final = b'"body":{"kind":"guard"'
_SEALED: Final = b'"body":{"kind":"sealed"'

_KINDS: Final = {
    "STALE_DATA": AlertKind.FEED,
    "RECONCILIATION": AlertKind.DIFFERENCE,
    "REFUSAL_STORM": AlertKind.REFUSALS,
}
_DISK: Final = "DISK"
"""What the reasons of a session that stopped for want of room begin with."""
_OTHERS: Final = ("halt", "engage", "reduce_only")
"""Actions that are told by what follows: the seal, or a transition of the switch."""


class _Line(msgspec.Struct):
    seq: int
    crc: str
    body: msgspec.Raw


class _Body(msgspec.Struct):
    """The fields of both kinds of lines."""

    kind: str
    ts_ns: int = 0
    code: str = ""
    action: str = ""
    subject: str = ""
    detail: str = ""
    status: str = ""
    reason: str = ""
    failure: list[str] = []


_decode_line: Final = msgspec.json.Decoder(_Line).decode
_decode_body: Final = msgspec.json.Decoder(_Body).decode


class Found(msgspec.Struct, frozen=True):
    """What a line says that people should know; `name` is the line's within its journal."""

    name: str
    kind: AlertKind
    cause: str
    text: str
    event_ns: int


def is_seal(line: bytes) -> bool:
    """Whether a line of a journal is its seal."""
    return _SEALED in line


def found_in(line: bytes) -> Found | None:
    """What `line` says; None when that is nothing for people. Raises ValueError when the line is
    not what its checksum says, or cannot be read."""
    if _GUARD not in line and _SEALED not in line:
        return None
    envelope = _decode_line(line)
    raw = bytes(envelope.body)
    if f"{crc32(raw, envelope.seq & 0xFFFFFFFF):08x}" != envelope.crc:
        raise ValueError(f"record {envelope.seq} does not match its checksum")
    body = _decode_body(raw)
    told = _of_seal(body) if body.kind == "sealed" else _of_guard(body)
    if told is None:
        return None
    kind, cause, text = told
    return Found(f"{envelope.seq}:{envelope.crc}", kind, cause, text, body.ts_ns)


def _of_guard(body: _Body) -> tuple[AlertKind, str, str] | None:
    subject = f" {body.subject}" if body.subject else ""
    text = f"guard {body.code}{subject}: {body.detail} (action: {body.action})"
    kind = _KINDS.get(body.code)
    if kind is None and body.action in _OTHERS:
        return None
    return kind or AlertKind.REFUSALS, f"{body.code}{subject}", text


def _of_seal(body: _Body) -> tuple[AlertKind, str, str] | None:
    if body.status == "STOPPED" and body.reason.startswith(_DISK):
        return AlertKind.DISK, "disk", f"STOPPED: {body.reason}"
    if body.status == "HALTED":
        return AlertKind.HALT, "halt", f"HALTED: {body.reason}"
    if body.status != "FAILED":
        return None
    is_strategy = bool(body.failure) or "strategy" in body.reason.partition(":")[0]
    kind = AlertKind.STRATEGY if is_strategy else AlertKind.FAILED
    return kind, "failed", f"FAILED: {body.reason}"
