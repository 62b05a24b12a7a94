"""Times as other programs write them, into nanoseconds since 1970 UTC.

The form is decided once for a file, from all times of its first rows: 01/02/2024 is a day of
January in one file and of February in another. A later time of another form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, timedelta, timezone, tzinfo
from typing import Final

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.readers.numbers import RowError
from logos.data.times.epochs import epoch_ns as ns_of_number
from logos.data.times.epochs import likely_reading, looks_like_number
from logos.data.times.reader import NO_ZONE, TIME_FORMATS, TimeRules
from logos.data.times.reader import TimeReader as SaidTimeReader
from logos.data.times.zones import ZoneClock
from logos.data.times.zones import find_zone as find_named_zone
from logos.errors import DataError

EPOCH: Final = "epoch"
MIDNIGHT_MS: Final = "midnight-ms"
CLOCK_EPOCH: Final = "clock-epoch"
"""Numbers since 1970 of a clock that is not UTC's (MetaTrader's server)."""
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
    "z": r"(?P<z>Z|(?:UTC|GMT)?[+-][0-9]{2}:?(?:[0-9]{2})?|UTC|GMT)",
    "Z": r"(?P<Z>[A-Za-z]+(?:/[A-Za-z_+-]+[0-9]*)*)",
}
_GLUED: Final = {"m": r"(?P<m>[0-9]{2})", "d": r"(?P<d>[0-9]{2})", "H": r"(?P<H>[0-9]{2})"}
"""Between other digits a part has all of its own."""

_DATES: Final = (
    *("%Y.%m.%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%b %d %Y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y"),
    "%d.%m.%y",
)
_CLOCKS: Final = (
    *("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H%M%S", "%H%M"),
)
FORMATS: Final = (
    ISO,
    *(f"{day} {clock}".strip() for day in _DATES for clock in _CLOCKS),
    *("%Y%m%d %H%M%S", "%Y%m%d %H%M%S%3", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M:%S.%f"),
    *("%Y%m%d %H:%M", "%Y%m%d-%H:%M:%S", "%Y%m%d-%H:%M:%S.%f"),
    *("%Y%m%d %H%M", "%Y%m%d %H:%M:%S:%3", "%Y-%m-%dD%H:%M:%S.%f"),
    *("%d.%m.%Y %H:%M:%S.%f %z", "%d.%m.%Y %H:%M:%S %z", "%Y%m%d %H:%M:%S %Z"),
)
"""The forms that a time is tried for."""


class TimeError(ValueError):
    """Why a cell is no time."""


def find_formats(samples: Sequence[str]) -> list[str]:
    """The formats that all of these cells have; more than one where their days do not decide."""
    texts = [text.strip() for text in samples]
    if all(looks_like_number(text) for text in texts):
        return [EPOCH] if all(ns_of_number(text) is not None for text in texts) else []
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


def is_of_days(format: str, samples: Sequence[str]) -> bool:
    """Whether times of this format are dates without a time of day."""
    if format == ISO:
        return all(len(text.strip()) == 10 for text in samples)
    if "%" in format:
        return not re.search("%[HI]", format)
    return format == "yyyymmdd"


def find_zone(name: str) -> tzinfo:
    """The zone of an IANA name, of UTC, or of an offset such as -05:00. Raises DataError."""
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", name)
    if match is None:
        return find_named_zone(name)
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(offset if sign == "+" else -offset)


class TimeReader:
    """Reads the times of one file in the order of its rows, as nanoseconds since 1970 UTC.

    `zone` is that of times without an offset (None: such times are refused); `day` is that of the
    file's name, for MIDNIGHT_MS. `repeats`: whether two rows may share a time. `is_backwards`: rows
    run back in time, so that their order does not tell which pass of an hour that clocks showed
    twice is meant.
    """

    def __init__(
        self,
        format: str,
        zone: tzinfo | None,
        *,
        day: date | None = None,
        repeats: bool = True,
        is_backwards: bool = False,
    ) -> None:
        self.format = format
        self.zone = zone
        self._day = day
        self._repeats = repeats
        self._clock = None if zone is None else ZoneClock(zone, repeats=repeats)
        self._is_backwards = is_backwards
        self._named: dict[str, TimeReader] = {}
        self._days: dict[tuple[str | None, ...], int] = {}
        self._said: SaidTimeReader | None = None
        self._pattern: re.Pattern[str] | None = None
        self._day_ns = 0
        self._read: Callable[[str], int] = self._read_text
        if format == EPOCH:
            self._read = epoch_ns
        elif format == CLOCK_EPOCH:
            self._read = self._clock_number
        elif format == MIDNIGHT_MS:
            self._read = self._midnight
            self._day_ns = 0 if day is None else (day.toordinal() - _EPOCH_ORDINAL) * NS_PER_DAY
        elif format in TIME_FORMATS:
            name = "" if zone is None else ("UTC" if zone is UTC else str(zone))
            self._said = SaidTimeReader(TimeRules(name, format), repeats=repeats)
            self._read = self._read_said
        else:
            self._pattern = pattern_of(format)

    def again(self, *, is_backwards: bool = False) -> TimeReader:
        """A reader of the same times, from the first row."""
        return TimeReader(
            self.format,
            self.zone,
            day=self._day,
            repeats=self._repeats,
            is_backwards=is_backwards,
        )

    def __call__(self, text: str) -> int:
        """Nanoseconds since 1970 UTC. Raises TimeError."""
        return self._read(text.strip())

    def doubts(self) -> list[str]:
        """What the order of the rows did not settle, when all of them were read."""
        if self._said is not None:
            return self._said.doubts(is_end=True)
        named = [doubt for reader in self._named.values() for doubt in reader.doubts()]
        if self._clock is None:
            return named
        self._clock.finish()
        return [*self._clock.doubts, *named]

    @property
    def described(self) -> str:
        """The form, for a person."""
        if self.format == ISO:
            return "YYYY-MM-DD HH:MM:SS"
        words = {"Y": "YYYY", "y": "YY", "m": "MM", "d": "DD", "H": "HH", "I": "hh", "M": "MM"}
        words |= {"Z": "Area/City"}
        words |= {"S": "SS", "f": "fff", "3": "mmm", "p": "AM", "b": "Mon", "z": "+HH:MM"}
        return re.sub(r"%(.)", lambda match: words[match[1]], self.format)

    def _clock_number(self, text: str) -> int:
        return self._utc_ns(epoch_ns(text), text)

    def _midnight(self, text: str) -> int:
        whole, point, fraction = text.partition(".")
        is_number = whole.isascii() and whole.isdigit() and len(whole) < 10
        has_fraction = fraction.isascii() and fraction.isdigit() and len(fraction) <= 6
        if not is_number or has_fraction != bool(point) or int(whole) > 86_400_000:
            raise TimeError(f"not milliseconds since midnight: {text[:40]!r}")
        passed_ns = int(whole) * 1_000_000 + int(fraction.ljust(6, "0") or 0)
        return self._utc_ns(self._day_ns + passed_ns, text)

    def _read_said(self, text: str) -> int:
        assert self._said is not None
        try:
            return self._said.read(text)
        except RowError as error:
            raise TimeError(error.detail) from None

    def _read_text(self, text: str) -> int:
        assert self._pattern is not None
        match = self._pattern.fullmatch(text)
        if match is None:
            raise TimeError(f"not a time of the form {self.described}: {text[:40]!r}")
        parts = match.groupdict()
        key = (parts.get("Y"), parts.get("y"), parts.get("m"), parts.get("b"), parts["d"])
        try:
            day_ns = self._days.get(key)
            if day_ns is None:
                day_ns = self._days[key] = _day_of(parts) * NS_PER_DAY
            wall_ns = day_ns + _clock_ns(parts)
        except ValueError:
            raise TimeError(f"no such date or time: {text[:40]!r}") from None
        offset = parts.get("z")
        if offset:
            return wall_ns - _offset_ns(offset)
        name = parts.get("Z")
        return self._of_zone(name)._utc_ns(wall_ns, text) if name else self._utc_ns(wall_ns, text)

    def _of_zone(self, name: str) -> TimeReader:
        """The reader of times whose zone stands behind them."""
        reader = self._named.get(name)
        if reader is None:
            try:
                zone = find_zone(name)
            except DataError as error:
                raise TimeError(str(error)) from None
            reader = TimeReader(ISO, zone, repeats=self._repeats, is_backwards=self._is_backwards)
            self._named[name] = reader
        return reader

    def _utc_ns(self, wall_ns: int, text: str) -> int:
        """The moment at which clocks of the zone show `wall_ns` (since 1970 of that clock)."""
        if self._clock is None:
            raise TimeError(NO_ZONE.format(repr(text[:40])))
        try:
            moment_ns = self._clock.moment_ns(wall_ns)
        except RowError as error:
            raise TimeError(error.detail) from None
        if self._is_backwards and self._clock.in_repeated_hour:
            raise TimeError(
                f"{text[:40]!r} comes twice in {self.zone}, where the clocks go back, and rows"
                " that run backwards do not say which is meant: turn the file round, or give"
                " times with their offset"
            )
        return moment_ns


def epoch_ns(text: str) -> int:
    """Nanoseconds of a number since 1970, whose unit its size tells. Raises TimeError."""
    found = ns_of_number(text)
    if found is None:
        why = f": {likely_reading(text)}" if looks_like_number(text) else ""
        raise TimeError(f"not a time since 1970: {text[:40]!r}{why}")
    return found


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
    text = text.removeprefix("UTC").removeprefix("GMT")
    if text in ("", "Z"):
        return 0
    digits = text[1:].replace(":", "")
    offset_ns = (int(digits[:2]) * 60 + int(digits[2:4] or 0)) * NS_PER_MINUTE
    return offset_ns if text[0] == "+" else -offset_ns
