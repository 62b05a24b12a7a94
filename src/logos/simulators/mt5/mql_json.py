"""JSON as the published Expert Advisor writes and reads it (khramkov/MQL5-JSON-API, json.mqh).

Its library differs from JSON in ways that a client meets: a number with a fraction has always five
decimals (json.mqh:459), an empty text is null (:461-468), and a value that was never set leaves
nothing behind, not even a comma (:440), so that an object with one is no JSON at all. A whole
answer that was never set is an empty frame. What it reads as a number it cuts without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

import msgspec

DECIMALS: Final = Decimal("0.00001")
_INT_BITS: Final = 32
_LONG_BITS: Final = 64

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class _Unset:
    """The value of a field that nobody set."""


UNSET: Final = _Unset()

Value = object
"""UNSET, None, a bool, an int, a Decimal (a double there), a str, a list or a dict."""


def serialize(value: Value) -> str:
    """The text of a value. Raises TypeError for one that there is not in MQL5."""
    if isinstance(value, _Unset):
        return ""
    if value is None or value == "":
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value.quantize(DECIMALS, rounding=ROUND_HALF_UP):f}"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, Mapping):
        return "{" + _joined([(f'"{name}":', each) for name, each in value.items()]) + "}"
    if isinstance(value, Sequence):
        return "[" + _joined([("", each) for each in value]) + "]"
    raise TypeError(f"no JSON value: {type(value).__name__}")


def _joined(parts: list[tuple[str, Value]]) -> str:
    """Parts with a comma before each but the first; one that was never set leaves nothing."""
    written = ""
    for index, (key, value) in enumerate(parts):
        if not isinstance(value, _Unset):
            written += ("," if index else "") + key + serialize(value)
    return written


def deserialize(frame: bytes) -> dict[str, Any] | None:
    """The fields of a request; None for what is no JSON.

    The published library keeps what it had read before an error and goes on with it; here nothing
    is kept of such a request.
    """
    try:
        value = _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else {}


def to_text(value: object) -> str:
    """A field as text: empty for null, for a truth value and for what is no plain value."""
    if isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, (str, int, Decimal)) else ""


def to_double(value: object) -> Decimal:
    """A field as a number: 0 for whatever is none."""
    if isinstance(value, bool):
        return Decimal(int(value))
    if not isinstance(value, (str, int, Decimal)):
        return Decimal(0)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() and abs(number.adjusted()) <= 30 else Decimal(0)


def to_long(value: object) -> int:
    """A field as a whole number of 64 bits."""
    return _cut(int(to_double(value)), _LONG_BITS)


def to_int(value: int) -> int:
    """A whole number cut to the 32 bits of an `int`, its sign included (Broker.mqh:115)."""
    return _cut(value, _INT_BITS)


def _cut(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half
