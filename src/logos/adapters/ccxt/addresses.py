"""The trees of addresses that ccxt keeps, moved to a server of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_ADDRESS: Final = re.compile(r"^(https?|wss?)://[^/]+")


def redirected(value: Any, host: str, *, is_secure: bool = False) -> Any:
    """Every address in a tree of addresses, moved to `host`, with encryption or without."""
    if isinstance(value, dict):
        return {key: redirected(each, host, is_secure=is_secure) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    scheme = ("ws" if value.startswith("ws") else "http") + ("s" if is_secure else "")
    return _ADDRESS.sub(f"{scheme}://{host}", value)


def texts(value: Any) -> Iterator[str]:
    """Every address in a tree of addresses."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, str):
        yield value
