"""Frames of the TWS API: four bytes of length, then fields of text, each ended by a zero byte.

The first thing a client sends is `API` and a zero byte, then a frame with the versions it speaks
(`v157..178`); the gateway answers with its version and the time. Source: `Client.connectAsync`,
`Client._prefix` and `Client._onSocketHasData` of ib-api-reloaded/ib_async (`ib_async/client.py`).
"""

from __future__ import annotations

import asyncio
import re
import struct
from typing import Final

from logos.errors import LogosError

HELLO: Final = b"API\0"
FRAME_MAX: Final = 0xFFFFFF
"""The most bytes a frame may have; what says more is no frame (`MAX_MSG_LEN` of IB's `common.py`,
InteractiveBrokers/tws-api)."""

_VERSIONS: Final = re.compile(r"v(\d+)(?:\.\.(\d+))?(?: .*)?", re.ASCII)


class NoFrame(LogosError):
    """What came is not of this protocol, or the other end is gone."""


def frame(*fields: object) -> bytes:
    """Fields as one frame."""
    body = "".join(f"{_text(field)}\0" for field in fields).encode()
    return struct.pack(">I", len(body)) + body


def _text(field: object) -> str:
    if isinstance(field, bool):
        return "1" if field else "0"
    return "" if field is None else str(field)


async def read_frame(reader: asyncio.StreamReader) -> list[str]:
    """The fields of the next frame. Raises NoFrame."""
    body = await _read_body(reader)
    if not body.endswith(b"\0"):
        raise NoFrame("the last field has no end")
    return body[:-1].decode(errors="backslashreplace").split("\0")


async def read_hello(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The lowest and the highest version that a client speaks. Raises NoFrame."""
    try:
        hello = await reader.readexactly(len(HELLO))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise NoFrame("the other end is gone") from None
    if hello != HELLO:
        raise NoFrame(f"it does not begin with {HELLO!r}")
    match = _VERSIONS.fullmatch((await _read_body(reader)).decode(errors="backslashreplace"))
    if match is None:
        raise NoFrame("no range of versions")
    return int(match[1]), int(match[2] or match[1])


async def _read_body(reader: asyncio.StreamReader) -> bytes:
    try:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        if not 0 < length <= FRAME_MAX:
            raise NoFrame(f"a frame of {length} bytes")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        raise NoFrame("the other end is gone") from None
