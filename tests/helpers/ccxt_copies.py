"""ccxt's clients for many stories: each a copy of one that was constructed, as good as new.

A constructor of ccxt reads every endpoint and every error of its exchange and takes tens of
milliseconds, more than a story. Its outcome is data, and the same every time: so it is called once,
and a copy of what it made is handed out. What a client may write into is copied through and
through; what it only reads (`_READ`) is shared, and `ccxt_copies` tests that it stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any, Final

import ccxt.async_support as ccxt

_READ: Final = frozenset({"api", "exceptions", "features", "fees", "httpExceptions"})
"""What describes an exchange: large, and only ever read."""

_made: dict[tuple[Any, str], Any] = {}


def copied(value: Any) -> Any:
    """A list or dictionary again, down to the ground; anything else as it is."""
    kind = type(value)
    if kind is dict:
        return {name: copied(inner) for name, inner in value.items()}
    return [copied(inner) for inner in value] if kind is list else value


def copy_of(kind: Any, settings: dict[str, Any]) -> Any:
    """A client as `kind(settings)` makes it."""
    key = (kind, repr(settings))
    if key not in _made:
        _made[key] = kind(copied(settings))
    first = _made[key]
    client: Any = kind.__new__(kind)
    for name, value in vars(first).items():
        assert not isinstance(value, MethodType) or value.__self__ is not first, name
        vars(client)[name] = value if name in _READ else copied(value)
    client.init_throttler()
    return client


@contextmanager
def constructed_once(exchange_id: str) -> Iterator[None]:
    """Within it, ccxt's class of an exchange gives such copies."""
    kind = getattr(ccxt, exchange_id)
    setattr(ccxt, exchange_id, lambda settings: copy_of(kind, settings))
    try:
        yield
    finally:
        setattr(ccxt, exchange_id, kind)
