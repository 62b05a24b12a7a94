"""A bare number as a time: which unit it counts, or why it is none.

A number says nothing about its unit but its size. Between 1990 and 2100 the sizes of seconds,
milliseconds, microseconds and nanoseconds since 1970 do not touch, so a number in one of the four
bands has one reading. A number outside of all of them is something else, most often a date written
as digits or a spreadsheet's count of days; it is refused, and `likely_reading` says what it seems
to be and which `--time-format` reads it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from logos.core.types import NS_PER_SECOND

_FROM_S: Final = 631_152_000
"""1990-01-01 in seconds since 1970."""
_UNTIL_S: Final = 4_102_444_800
"""2100-01-01. What lies after next year is refused before a session begins, where a clock is."""

# The count of 100 ns since the year 1 that .NET writes for 2001 to 2043 would be January to June
# of 1990 in nanoseconds since 1970; nobody has nanoseconds of that half year.
_FROM_NS: Final = 645_000_000 * NS_PER_SECOND

EPOCH_BANDS: Final = (
    (_FROM_S, _UNTIL_S, NS_PER_SECOND),
    (_FROM_S * 10**3, _UNTIL_S * 10**3, 10**6),
    (_FROM_S * 10**6, _UNTIL_S * 10**6, 10**3),
    (_FROM_NS, _UNTIL_S * 10**9, 1),
)
"""(first number, first number beyond, nanoseconds of one) of seconds, ms, us and ns."""

_NUMBER: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]*))?", re.ASCII)
_SHORTENED: Final = re.compile(r"[0-9.]+[eE][+-]?[0-9]+", re.ASCII)
_WRITTEN: Final = (
    (8, "%Y%m%d", "YYYYMMDD", "yyyymmdd"),
    (10, "%Y%m%d%H", "YYYYMMDDHH", "yyyymmddhh"),
    (12, "%Y%m%d%H%M", "YYYYMMDDHHMM", "yyyymmddhhmm"),
    (14, "%Y%m%d%H%M%S", "YYYYMMDDHHMMSS", "yyyymmddhhmmss"),
)
_COUNTED: Final = (
    (20_000, 80_000, "a spreadsheet's count of days since 1900", "excel"),
    (620 * 10**15, 645 * 10**15, "a .NET count of 100 ns since the year 1", "dotnet"),
    (116 * 10**15, 160 * 10**15, "a Windows count of 100 ns since 1601", "filetime"),
)


def last_plausible_ns(now_ns: int) -> int:
    """The end of the year after the one of `now_ns`: no recorded number is a later time."""
    now = datetime(1970, 1, 1) + timedelta(seconds=now_ns // NS_PER_SECOND)
    end = datetime(now.year + 2, 1, 1) - datetime(1970, 1, 1)
    return end // timedelta(seconds=1) * NS_PER_SECOND - 1


def epoch_ns(text: str) -> int | None:
    """Nanoseconds since 1970 of a whole or decimal number in one of `EPOCH_BANDS`, else None.

    Decimals are exact to the nanosecond; a number with more of them is none.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    whole, fraction = int(match[1]), match[2] or ""
    for first, beyond, unit_ns in EPOCH_BANDS:
        if first <= whole < beyond:
            return counted_ns(whole, fraction, unit_ns)
    return None


def counted_ns(whole: int, fraction: str, unit_ns: int) -> int | None:
    """`whole.fraction` units of `unit_ns` in nanoseconds; None when that is not a whole number."""
    part, left = divmod(int(fraction or "0") * unit_ns, 10 ** len(fraction))
    return None if left else whole * unit_ns + part


def looks_like_number(text: str) -> bool:
    """Whether `text` is a number, so that `likely_reading` speaks of it."""
    return bool(_NUMBER.fullmatch(text) or _SHORTENED.fullmatch(text))


def likely_reading(text: str) -> str:
    """Why a number that is no time is refused, what it seems to be, and what reads it."""
    if _SHORTENED.fullmatch(text):
        return (
            "a number written with an exponent: a spreadsheet or a float cut its digits off; "
            "export the times as text or as whole numbers"
        )
    whole = text.partition(".")[0]
    for length, pattern, shape, name in _WRITTEN:
        if len(whole) == length and whole[:2] in ("19", "20"):
            try:
                moment = datetime.strptime(whole, pattern)
            except ValueError:
                continue
            shown = moment.date().isoformat() if length == 8 else moment.isoformat(" ")
            return f"it reads as {shape}, {shown}: say --time-format {name}"
    number = int(whole)
    for first, beyond, what, name in _COUNTED:
        if first <= number < beyond:
            return f"it reads as {what}: say --time-format {name}"
    return (
        "it is no time from 1990 to 2099 in seconds, ms, us or ns since 1970: say the unit with "
        "--time-format epoch-s, epoch-ms, epoch-us or epoch-ns"
    )
