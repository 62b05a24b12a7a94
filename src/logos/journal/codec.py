"""One journal line, and how lines hang together.

A line is one JSON object:

    {"seq":7,"crc":"1a2b3c4d","hash":"0123456789abcdef","body":{...}}

`body` is the record. `crc` is the CRC-32 of the sequence number and the body's bytes: it tells a
torn or flipped line by itself. `hash` is the first 16 hex digits of SHA-256 over the previous
line's full digest and this body: it ties every line to all before it, so that nothing can be
removed, repeated or moved without showing.
"""

from __future__ import annotations

from binascii import crc32, hexlify
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

SCHEMA_VERSION: Final = 1

GENESIS: Final = b"\x00" * 32
"""What the first line is chained to."""

_BODY: Final = b'","body":'
_HEAD: Final = b'{"seq":%d,"crc":"%08x","hash":"%b' + _BODY
_LINE: Final = _HEAD + b"%b}\n"


class BadLine(Exception):
    """A line that is not what was written; the message says in what way."""


def chain(previous: bytes, body: bytes) -> bytes:
    """The digest of the chain after `body`."""
    return sha256(previous + body).digest()


def encode_line(sequence: int, digest: bytes, body: bytes) -> bytes:
    """The line of `body`, newline included; `digest` is the chain's after it."""
    crc = crc32(body, sequence & 0xFFFFFFFF)
    return _LINE % (sequence, crc, hexlify(digest[:8]), body)


def encode_lines(sequence: int, previous: bytes, bodies: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The lines of `bodies` after record `sequence`, and the chain's digest after the last.

    The same as `chain` and `encode_line` for each: this is where all of a session's writing goes.
    """
    digest = previous
    lines = []
    for body in bodies:
        sequence += 1
        digest = sha256(digest + body).digest()
        crc = crc32(body, sequence & 0xFFFFFFFF)
        lines.append(_LINE % (sequence, crc, hexlify(digest[:8]), body))
    return b"".join(lines), digest


def bodies_of(lines: bytes) -> list[bytes]:
    """The bodies of whole lines, each up to its newline. They are verified where `encode_lines`
    makes the very same `lines` of them; of what is no journal line it makes others."""
    split = lines.split(b"\n")
    split.pop()  # behind the last newline there is nothing
    bodies = []
    for line in split:
        start = line.find(_BODY)
        # Compiled, a slice that ends before it begins is an error.
        is_line = start >= 0 and line.endswith(b"}")
        bodies.append(line[start + len(_BODY) : -1] if is_line else b"")
    return bodies


def decode_line(line: bytes, sequence: int, previous: bytes) -> tuple[bytes, bytes]:
    """The body of `line` and the chain's digest after it.

    `line` is without its newline. Raises BadLine unless it is exactly what `encode_line` makes
    of that sequence number, that chain and its own body.
    """
    start = line.find(_BODY)
    if start < 0 or not line.endswith(b"}"):
        raise BadLine("not a journal line")
    body = line[start + len(_BODY) : -1]
    digest = sha256(previous + body).digest()
    crc = crc32(body, sequence & 0xFFFFFFFF)
    if line.startswith(_HEAD % (sequence, crc, hexlify(digest[:8]))):
        return body, digest
    head = line[:start].decode("ascii", "replace")
    if not head.startswith(f'{{"seq":{sequence},'):
        raise BadLine(f"expected record {sequence}, found {head[:30]}")
    if f'"crc":"{crc:08x}"' not in head:
        raise BadLine(f"record {sequence} does not match its checksum")
    raise BadLine(f"record {sequence} does not follow from the records before it")
