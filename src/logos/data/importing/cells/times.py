"""Times as other programs write them, into nanoseconds since 1970 UTC.

The form is decided once for a file, from all times of its first rows: 01/02/2024 is a day of
January in one file and of February in another. A later time of another form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.readers.numbers import EPOCH_BANDS

EPOCH: Final = "epoch"
MIDNIGHT_MS: Final = "midnight-ms"
ISO: Final = "iso"

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_ISO: Final = re.compile(
    r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
    r"(?:[T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r"(?: ?(?P<z>Z|UTC|[+-][0-9]{2}:?(?:[0-9]{2})?(?::00)?))?)?"
)
_PARTS: Final = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "b": r"(?P<b>[A-Za-z]{3})[a-z]*\.?",
    "H": r"(?P<H>[0-9]{1,2})",
    "I": r"(?P<I>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{2})",
    "S": r"(?P<S>[0-9]{2})",
    "f": r"(?P<f>[0-9]{1,9})",
    "3": r"(?P<f>[0-9]{3})",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "z": r"(?P<z>Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)",
}
_GLUED: Final = {"m": r"(?P<m>[0-9]{2})", "d": r"(?P<d>[0-9]{2})", "H": r"(?P<H>[0-9]{2})"}
"""Between other digits a part has all of its own."""

_DATES: Final = (
    *("%Y.%m.%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%b %d %Y", "%m/%d/%y", "%d/%m/%y"),
)
_CLOCKS: Final = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H%M%S")
FORMATS: Final = (
    ISO,
    *(f"{day} {clock}".strip() for day in _DATES for clock in _CLOCKS),
    *("%Y%m%d %H%M%S", "%Y%m%d %H%M%S%3", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M:%S.%f"),
    *("%Y%m%d %H:%M", "%Y%m%d-%H:%M:%S", "%Y%m%d-%H:%M:%S.%f"),
)
"""The forms that a time is tried for."""


class TimeError(ValueError):
    """Why a cell is no time."""


def find_formats(samples: Sequence[str]) -> list[str]:
    """The formats that all of these cells have; more than one where their days do not decide."""
    texts = [text.strip() for text in samples]
    if all(re.fullmatch(r"[0-9]{1,19}(\.[0-9]+)?", text) for text in texts):
        return [EPOCH]
    return [
        name
        for name in FORMATS
        if all(pattern_of(name).fullmatch(text) for text in texts)
        and all(_is_day(name, text) for text in texts)
    ]


def _is_day(name: str, text: str) -> bool:
    match = pattern_of(name).fullmatch(text)
    try:
        return match is not None and _day_of(match.groupdict()) is not None
    except ValueError:
        return False


_PATTERNS: Final[dict[str, re.Pattern[str]]] = {ISO: _ISO}


def pattern_of(name: str) -> re.Pattern[str]:
    """The pattern of a format. Raises ValueError for a part that is not known."""
    if name not in _PATTERNS:
        parts: list[str] = []
        pieces = re.split(r"%(.)", name)
        for place, piece in enumerate(pieces):
            if place % 2 == 0:
                parts.append(re.escape(piece).replace(r"\ ", "[ T]+"))
                continue
            if piece not in _PARTS:
                raise ValueError(f"not a format of times: %{piece} in {name!r}")
            is_glued = (not pieces[place + 1] and place + 2 < len(pieces)) or not pieces[place - 1]
            glued = _GLUED.get(piece) if is_glued and (place > 1 or not pieces[place + 1]) else None
            parts.append(glued or _PARTS[piece])
        _PATTERNS[name] = re.compile("".join(parts))
    return _PATTERNS[name]


def _day_of(parts: dict[str, str | None]) -> int:
    """Days since 1970. Raises ValueError for no date."""
    year = int(parts.get("Y") or f"20{parts['y']}")
    name = parts.get("b")
    month = _MONTHS.index(name.lower()) + 1 if name else int(parts["m"] or 0)
    return date(year, month, int(parts["d"] or 0)).toordinal() - _EPOCH_ORDINAL


def find_zone(name: str) -> tzinfo:
    """The zone of an IANA name, of UTC, or of an offset such as -05:00. Raises TimeError."""
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", name)
    if match:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(offset if sign == "+" else -offset)
    if name in ("UTC", "GMT", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeError(f"unknown timezone {name!r}; use a name such as America/New_York") from None


class TimeReader:
    """Reads the times of one file: `reader(text)` is nanoseconds since 1970 UTC.

    `zone` is that of times without an offset; without one they are refused. `day` is the midnight
    of the file's name, for MIDNIGHT_MS. Raises TimeError.
    """

    def __init__(self, format: str, zone: tzinfo | None, day: date | None = None) -> None:
        self.format = format
        self.zone = zone
        self._days: dict[str, int] = {}
        self._offsets: dict[int, int] = {}
        read: dict[str, Callable[[str], int]] = {EPOCH: epoch_ns, MIDNIGHT_MS: self._midnight}
        self._read = read.get(format, self._read_text)
        self._pattern = None if format in read else pattern_of(format)
        self._day_ns = 0
        if day is not None:
            self._day_ns = (day.toordinal() - _EPOCH_ORDINAL) * NS_PER_DAY

    def __call__(self, text: str) -> int:
        """Nanoseconds since 1970 UTC. Raises TimeError."""
        return self._read(text.strip())

    def _midnight(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= 86_400_000):
            raise TimeError(f"not milliseconds since midnight: {text[:40]!r}")
        return self.utc_ns(self._day_ns + int(text) * 1_000_000, text)

    def _read_text(self, text: str) -> int:
        assert self._pattern is not None
        match = self._pattern.fullmatch(text)
        if match is None:
            raise TimeError(f"not a time of the form {self.described}: {text[:40]!r}")
        parts = match.groupdict()
        try:
            wall_ns = _day_of(parts) * NS_PER_DAY + _clock_ns(parts)
        except ValueError:
            raise TimeError(f"no such date or time: {text[:40]!r}") from None
        offset = parts.get("z")
        if offset:
            return wall_ns - _offset_ns(offset)
        return self.utc_ns(wall_ns, text)

    @property
    def described(self) -> str:
        """The form, for a person."""
        words = {"Y": "YYYY", "y": "YY", "m": "MM", "d": "DD", "H": "HH", "I": "hh", "M": "MM"}
        words |= {"S": "SS", "f": "fff", "3": "mmm", "p": "AM", "b": "Mon", "z": "+HH:MM"}
        named = re.sub(r"%(.)", lambda match: words[match[1]], self.format)
        return "YYYY-MM-DD HH:MM:SS" if self.format == ISO else named

    def utc_ns(self, wall_ns: int, text: str) -> int:
        """The moment at which clocks of the zone show `wall_ns` (since 1970 of that clock)."""
        if self.zone is None:
            raise TimeError(
                f"a time without a zone: {text[:40]!r}; say which with --timezone, such as UTC or"
                " America/New_York"
            )
        quarter = wall_ns // (15 * NS_PER_MINUTE)
        offset_ns = self._offsets.get(quarter)
        if offset_ns is None:
            offset_ns = self._offset_at(quarter, text)
            if len(self._offsets) > 100_000:
                self._offsets.clear()
            self._offsets[quarter] = offset_ns
        return wall_ns - offset_ns

    def _offset_at(self, quarter: int, text: str) -> int:
        wall = datetime(1970, 1, 1) + timedelta(minutes=15 * quarter)
        early, late = (wall.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        first, second = early.utcoffset(), late.utcoffset()
        assert first is not None
        assert second is not None
        if first < second:
            raise TimeError(f"no such time in {self.zone}: the clocks went past {text[:40]!r}")
        if first != second:
            raise TimeError(
                f"{text[:40]!r} was shown twice by the clocks of {self.zone} in that night;"
                " import a file whose times have an offset"
            )
        return first // timedelta(microseconds=1) * 1000


def epoch_ns(text: str) -> int:
    """Nanoseconds of a number since 1970, whose unit its size tells. Raises TimeError."""
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 20):
        raise TimeError(f"not a time since 1970: {text[:40]!r}")
    number = int(whole)
    unit_ns = next((unit_ns for limit, unit_ns in EPOCH_BANDS if number < limit), 0)
    if not unit_ns:
        raise TimeError(f"not a time since 1970: {text[:40]!r}")
    moment_ns = number * unit_ns
    if fraction:
        digits = len(str(unit_ns)) - 1
        if not (fraction.isascii() and fraction.isdigit()) or fraction[digits:].strip("0"):
            raise TimeError(f"not a time since 1970, or finer than nanoseconds: {text[:40]!r}")
        moment_ns += int(fraction[:digits].ljust(digits, "0") or 0)
    return moment_ns


def _clock_ns(parts: dict[str, str | None]) -> int:
    """Nanoseconds since midnight. Raises ValueError for no time of day."""
    hour = int(parts.get("H") or parts.get("I") or 0)
    half = parts.get("p")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half in "Pp" else 0)
    minute, second = int(parts.get("M") or 0), int(parts.get("S") or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(hour)
    clock_ns = (hour * 3600 + minute * 60 + second) * NS_PER_SECOND
    return clock_ns + int((parts.get("f") or "0").ljust(9, "0"))


def _offset_ns(text: str) -> int:
    if text in ("Z", "UTC", "GMT"):
        return 0
    digits = text[1:].replace(":", "")
    offset_ns = (int(digits[:2]) * 60 + int(digits[2:4] or 0)) * NS_PER_MINUTE
    return offset_ns if text[0] == "+" else -offset_ns
