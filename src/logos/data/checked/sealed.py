"""Small records in files, each with a hash of itself.

What is not wholly as it was written is no record.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from logos.files import read_whole, replace_file

_BYTES_MAX: Final = 1 << 20
_HEAD: Final = b'{"sha256":"'
_MIDDLE: Final = b'","record":'

T = TypeVar("T")


def write_sealed(path: Path, record: msgspec.Struct) -> None:
    """Make `path` hold `record`. Raises OSError."""
    body = msgspec.json.encode(record)
    digest = hashlib.sha256(body).hexdigest().encode()
    replace_file(path, b"".join((_HEAD, digest, _MIDDLE, body, b"}\n")), durable=False)


def read_sealed(path: Path, kind: type[T]) -> T | None:
    """What `path` holds, if every byte is as it was written. Raises OSError."""
    content = read_whole(path, _BYTES_MAX)
    digest = content[len(_HEAD) : len(_HEAD) + 64]
    body = content[len(_HEAD) + 64 + len(_MIDDLE) : -2]
    if content != b"".join((_HEAD, digest, _MIDDLE, body, b"}\n")):
        return None
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, msgspec.MsgspecError):
        return None
