"""How far the machine's clock is from a time server's: one question of SNTP (RFC 4330)."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Final

PORT: Final = 123
ANSWER_S: Final = 2.0
_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900, where the protocol counts from, to 1970."""
_REQUEST: Final = b"\x23" + bytes(47)
"""Version 4, mode 3 (client), all else empty."""


def clock_offset_s(server: str, clock: Callable[[], float] = time.time) -> float:
    """How far `clock` (seconds since 1970 UTC) is behind the server's, in seconds; negative: ahead.

    `server` is HOST or HOST:PORT. Raises OSError without an answer, also for one that is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(ANSWER_S)
        asked.connect(address_of(server))
        sent_s = clock()
        asked.send(_REQUEST)
        answer = asked.recv(512)
        came_s = clock()
    if len(answer) < 48 or answer[0] & 7 != 4 or answer[1] == 0:
        raise OSError(0, "an answer that is no time", server)
    received_s, replied_s = (_seconds(answer, at) for at in (32, 40))
    return ((received_s - sent_s) + (replied_s - came_s)) / 2


def address_of(server: str) -> tuple[str, int]:
    """The host and the port of HOST or HOST:PORT. Raises ValueError for what is no port."""
    host, colon, text = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
    port = int(text) if colon else PORT
    if not 0 < port < 1 << 16:
        raise ValueError(f"{port} is no port")
    return host, port


def _seconds(answer: bytes, at: int) -> float:
    whole, fraction = struct.unpack_from("!II", answer, at)
    return float(whole - _EPOCH_S + fraction / 2**32)
