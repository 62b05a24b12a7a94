"""Moments and spans as a strategy writes them, in nanoseconds.

A moment is nanoseconds since 1970, a datetime with a time zone, or ISO-8601 text with one
(`2026-01-05T14:30:00Z`). A span is text like `15m`, seconds, or a timedelta. The core knows no
calendar of the standard library: that would bring a clock.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from logos.core.bars.spans import UNITS_NS
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND

_EPOCH_ORDINAL: Final = 719_163
"""What `date.toordinal` gives for 1970-01-01."""
_MOMENT_WORDS: Final = "give nanoseconds, a datetime with a zone, or text like 2026-01-05T14:30:00Z"


def moment_ns(value: object) -> int:
    """A moment as nanoseconds since 1970 UTC. Raises ValueError, TypeError for another type."""
    if isinstance(value, bool):
        raise TypeError(f"a time is no flag: {_MOMENT_WORDS}")
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return _parsed(value)
    known: Any = value
    if not hasattr(known, "toordinal") or not hasattr(known, "utcoffset"):
        raise TypeError(f"a time is no {type(value).__name__}: {_MOMENT_WORDS}")
    offset = known.utcoffset()
    if offset is None:
        raise ValueError(f"the time {value} has no zone: {_MOMENT_WORDS}")
    days: int = known.toordinal() - _EPOCH_ORDINAL - offset.days
    seconds: int = known.hour * 3600 + known.minute * 60 + known.second - offset.seconds
    micros: int = known.microsecond - offset.microseconds
    return days * NS_PER_DAY + seconds * NS_PER_SECOND + micros * 1_000


def span_ns(value: object) -> int:
    """A span as nanoseconds, above 0. Raises ValueError, TypeError for another type."""
    words = "give text like 30s, 15m, 1h or 1d, seconds, or a timedelta"
    if isinstance(value, bool):
        raise TypeError(f"a span is no flag: {words}")
    if isinstance(value, (int, float, Decimal)):
        found = _scaled(str(value), NS_PER_SECOND, words)
    elif isinstance(value, str):
        text = value.strip()
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = dict(UNITS_NS).get(text[len(number) :])
        if unit is None:
            raise ValueError(f"not a span: {value!r}; {words}")
        found = _scaled(number, unit, words)
    elif hasattr(value, "total_seconds"):
        known: Any = value
        micros: int = (known.days * 86_400 + known.seconds) * 1_000_000 + known.microseconds
        found = micros * 1_000
    else:
        raise TypeError(f"a span is no {type(value).__name__}: {words}")
    if found <= 0:
        raise ValueError(f"a span must be longer than nothing, not {value!r}")
    return found


def _scaled(number: str, unit: int, words: str) -> int:
    try:
        found = Decimal(number)
    except InvalidOperation:
        raise ValueError(f"not a span: {number!r}; {words}") from None
    if not found.is_finite():
        raise ValueError(f"not a span: {number!r}; {words}")
    numerator, denominator = found.as_integer_ratio()
    return numerator * unit // denominator


def _parsed(text: str) -> int:
    """`YYYY-MM-DD[THH:MM[:SS[.f]]]` with `Z` or `+HH:MM` at its end."""
    wrong = f"not a time: {text!r}; {_MOMENT_WORDS}"
    whole = text.strip().replace(" ", "T")
    date, _, clock = whole.partition("T")
    clock, offset_ns = _zone(clock, wrong)
    year, month, day = _numbers(date, "-", (4, 2, 2), wrong)
    time, _, fraction = clock.partition(".")
    if time.count(":") == 1:
        time += ":00"
    hour, minute, second = _numbers(time, ":", (2, 2, 2), wrong)
    if not (1 <= month <= 12 and 1 <= day <= _days_in(year, month)):
        raise ValueError(wrong)
    if hour > 23 or minute > 59 or second > 59 or len(fraction) > 9:
        raise ValueError(wrong)
    nanos = _number(fraction.ljust(9, "0"), wrong)
    seconds = hour * 3600 + minute * 60 + second
    return _days(year, month, day) * NS_PER_DAY + seconds * NS_PER_SECOND + nanos - offset_ns


def _zone(clock: str, wrong: str) -> tuple[str, int]:
    """The text before the zone, and the zone's distance from UTC in nanoseconds."""
    if clock.endswith(("Z", "z")):
        return clock[:-1], 0
    for sign, factor in (("+", 1), ("-", -1)):
        before, found, zone = clock.rpartition(sign)
        if found:
            hours, minutes = _numbers(zone, ":", (2, 2), wrong)
            return before, factor * (hours * 60 + minutes) * NS_PER_MINUTE
    raise ValueError(wrong)


def _numbers(text: str, mark: str, widths: tuple[int, ...], wrong: str) -> list[int]:
    parts = text.split(mark)
    if [len(part) for part in parts] != list(widths):
        raise ValueError(wrong)
    return [_number(part, wrong) for part in parts]


def _number(text: str, wrong: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(wrong)
    return int(text)


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the Gregorian calendar."""
    before = year - 1
    found = before * 365 + before // 4 - before // 100 + before // 400
    for each in range(1, month):
        found += _days_in(year, each)
    return found + day - _EPOCH_ORDINAL
