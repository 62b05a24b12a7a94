"""The trees of addresses that ccxt keeps, moved to a server of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_ADDRESS: Final = re.compile(r"^(https?|wss?)://[^/]+")


def redirected(value: Any, host: str) -> Any:
    """Every address in a tree of addresses, moved to `host` without encryption."""
    if isinstance(value, dict):
        return {key: redirected(each, host) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    is_stream = value.startswith("ws")
    return _ADDRESS.sub(f"{'ws' if is_stream else 'http'}://{host}", value)


def texts(value: Any) -> Iterator[str]:
    """Every address in a tree of addresses."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, str):
        yield value
