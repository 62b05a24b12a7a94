"""Lengths of time as text: "1m", "4h", "1d"; whole numbers of nanoseconds inside."""

from __future__ import annotations

from typing import Final

_SECOND: Final = 1_000_000_000
UNITS_NS: Final = (
    ("w", 604_800 * _SECOND),
    ("d", 86_400 * _SECOND),
    ("h", 3_600 * _SECOND),
    ("m", 60 * _SECOND),
    ("s", _SECOND),
    ("ms", 1_000_000),
)
"""Every unit that a length of time is written with, the longest first."""


def span_ns(text: object) -> int:
    """Nanoseconds of a length such as "30s", "1m", "4h", "1d" or "1w".

    It is written with its largest unit, "1h" and not "60m", so that each has one spelling.

    Raises ValueError for anything else.
    """
    words = text if isinstance(text, str) else ""
    digits = words.rstrip("dhmsw")
    scale = dict(UNITS_NS).get(words[len(digits) :], 0)
    if not scale or not digits.isascii() or not digits.isdigit() or len(digits) > 6:
        raise ValueError(f'{text!r} is no length of time; write it like "30s", "5m", "1h" or "1d"')
    length = int(digits) * scale
    if length == 0:
        raise ValueError(f"{text!r} is no length of time: it must be above 0")
    if span_text(length) != words:
        raise ValueError(f"{text!r} is written {span_text(length)!r}")
    return length


def span_text(length_ns: int) -> str:
    """The text of a length: with the largest unit of which it is a whole number."""
    for unit, scale in UNITS_NS:
        if length_ns % scale == 0:
            return f"{length_ns // scale}{unit}"
    return f"{length_ns}ns"
