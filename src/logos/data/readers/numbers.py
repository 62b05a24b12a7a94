"""Text of market data into integers: times, prices, sizes, sides.

Times become nanoseconds since 1970 UTC, prices exact integer units of the instrument, sizes
units truncated towards zero to the instrument's quantity decimals: recorded sizes carry the
noise of somebody's binary floats (8.880099999999999), and a size rounded up would promise
liquidity that was not there. Prices are never rounded: one that is no multiple of the tick is
a defect.

The readers of prices, sizes and sides are dictionaries that parse what they have not met yet.
Prices repeat a great deal, so most cells cost one lookup; the dictionary starts afresh when it
has grown large, so memory stays bounded.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND, SIZE_UNKNOWN
from logos.data.defects import (
    BAD_NUMBER,
    BAD_SIDE,
    BAD_TIMESTAMP,
    NON_POSITIVE_PRICE,
    NOT_A_NUMBER,
    OFF_TICK,
    OTHER_SYMBOL,
)
from logos.data.names import same_symbol
from logos.data.terms.currencies import currencies_of
from logos.data.times.epochs import epoch_ns, likely_reading, looks_like_number

UNITS_LIMIT: Final = 10**18
"""Prices and sizes must be below this many units: what 18 digits, and so an int64, can hold."""

TIME_LIMIT_NS: Final = 2**63

_CACHE_ENTRIES_MAX: Final = 200_000
_POWERS: Final = [10**power for power in range(40)]
_NUMBER: Final = re.compile(
    r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]{1,4}))?"
)
_NOT_FINITE: Final = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?"
    r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")
_WALL: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?)?",
    re.ASCII,
)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


class RowError(Exception):
    """Why one row cannot be used: a kind of `logos.data.defects` and the particulars."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class _DayNs(dict[str, int]):
    """ "2024-01-31" -> nanoseconds since 1970 of its midnight; raises ValueError for no date."""

    def __missing__(self, text: str) -> int:
        if _DATE.fullmatch(text) is None:
            raise ValueError(text)
        day_ns = (date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL) * 86_400 * NS_PER_SECOND
        self[text] = day_ns
        return day_ns


class _ClockNs(dict[str, int]):
    """ "23:59:59" -> nanoseconds since midnight; raises ValueError for no time of day."""

    def __missing__(self, text: str) -> int:
        match = _CLOCK.fullmatch(text)
        if match is None:
            raise ValueError(text)
        hours, minutes, seconds = match.groups()
        clock_ns = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * NS_PER_SECOND
        self[text] = clock_ns
        return clock_ns


# There are only so many days and seconds of a day: these two cannot grow without bound.
_DAY_NS: Final = _DayNs()
_CLOCK_NS: Final = _ClockNs()


def parse_timestamp(text: str) -> int:
    """Nanoseconds since 1970 UTC of ISO-8601 with Z or an offset, or of an epoch number.

    ISO text may leave out seconds and minutes and have up to nine decimals. An epoch number
    is seconds, ms, us or ns by its size (`EPOCH_BANDS`), whole or with decimals. Raises RowError
    (bad_timestamp), also for a time without a zone.
    """
    try:
        if text[10] == "T" and text[-1] == "Z":
            moment_ns = _DAY_NS[text[:10]] + _CLOCK_NS[text[11:19]]
            fraction = text[19:-1]
            if not fraction:
                return in_range(moment_ns, text)
            digits = fraction[1:]
            if fraction[0] == "." and len(digits) <= 9 and digits.isascii() and digits.isdigit():
                return in_range(moment_ns + int(digits.ljust(9, "0")), text)
    except (IndexError, ValueError):
        pass
    return in_range(_parse_unusual_timestamp(text.strip()), text)


def in_range(moment_ns: int, text: str) -> int:
    """The moment, where 64 bits hold it. Raises RowError (bad_timestamp)."""
    if not -TIME_LIMIT_NS <= moment_ns < TIME_LIMIT_NS:
        raise RowError(BAD_TIMESTAMP, f"outside of the years 1677 to 2262: {text[:40]!r}")
    return moment_ns


def _parse_unusual_timestamp(text: str) -> int:
    found = epoch_ns(text)
    if found is not None:
        return found
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        if looks_like_number(text):
            raise RowError(BAD_TIMESTAMP, f"not a timestamp: {text[:40]!r}: {likely_reading(text)}")
        if _WALL.fullmatch(text):
            raise RowError(
                BAD_TIMESTAMP, f"not a timestamp: {text!r} names no time zone (Z is UTC)"
            )
        hint = "" if text.endswith("Z") else " (UTC with Z, or an epoch number, is expected)"
        raise RowError(BAD_TIMESTAMP, f"not a timestamp: {text[:40]!r}{hint}")
    day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        moment_ns = _DAY_NS[day] + _CLOCK_NS[f"{hour}:{minute or '00'}:{second or '00'}"]
        moment_ns += int((fraction or "0").ljust(9, "0"))
        if sign:
            offset_ns = _CLOCK_NS[f"{offset_hours}:{offset_minutes or '00'}:00"]
            moment_ns += -offset_ns if sign == "+" else offset_ns
    except ValueError:
        raise RowError(BAD_TIMESTAMP, f"no such date or time: {text[:40]!r}") from None
    return moment_ns


def parse_wall(text: str) -> int | None:
    """Nanoseconds since 1970 on the wall's clock of ISO-8601 without a zone (a date alone is its
    midnight); None for any other text. Raises RowError (bad_timestamp) for no such date or time.
    """
    match = _WALL.fullmatch(text)
    if match is None:
        return None
    day, hour, minute, second, fraction = match.groups()
    try:
        wall_ns = _DAY_NS[day] + _CLOCK_NS[f"{hour or '00'}:{minute or '00'}:{second or '00'}"]
    except ValueError:
        raise RowError(BAD_TIMESTAMP, f"no such date or time: {text[:40]!r}") from None
    return wall_ns + int((fraction or "0").ljust(9, "0"))


def _scaled(text: str, decimals: int) -> tuple[int, bool]:
    """(units truncated towards zero, whether nothing was cut off) of a decimal number.

    Raises RowError (not_a_number, bad_number).
    """
    whole, _, fraction = text.partition(".")
    plain = whole + fraction
    # The usual spelling, digits with a point among them, without the cost of the pattern.
    if (
        len(fraction) <= decimals
        and whole
        and len(plain) + decimals < 36
        and plain.isdigit()
        and plain.isascii()
    ):
        units = int(plain) * _POWERS[decimals - len(fraction)]
        if units < UNITS_LIMIT:
            return units, True
    return _scaled_unusual(text, decimals)


def _scaled_unusual(text: str, decimals: int) -> tuple[int, bool]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        if _NOT_FINITE.fullmatch(text):
            raise RowError(NOT_A_NUMBER, f"not a finite number: {text!r}")
        raise RowError(BAD_NUMBER, f"not a decimal number: {text[:40]!r}" if text else "empty")
    sign, whole, decimal_part, bare_part, exponent = match.groups()
    fraction = (decimal_part or "") + (bare_part or "")
    digits = ((whole or "") + fraction).lstrip("0")
    shift = decimals - len(fraction) + int(exponent or 0)
    if not digits:
        return 0, True
    if len(digits) + shift > 18:
        raise RowError(BAD_NUMBER, f"out of range: {text[:40]!r}")
    if shift >= 0:
        units, exact = int(digits) * 10**shift, True
    else:
        kept, cut = digits[:shift], digits[shift:]
        units, exact = int(kept or 0), not cut.strip("0")
    return (-units if sign == "-" else units), exact


class PriceReader(dict[str, int]):
    """Text -> price units: `reader[text]` is a multiple of the instrument's tick, and positive
    unless the instrument allows prices below zero.

    Raises RowError (not_a_number, bad_number, non_positive_price, off_tick).
    """

    def __init__(self, instrument: Instrument) -> None:
        super().__init__()
        self._decimals = instrument.price_decimals
        self._tick = instrument.data_tick
        self._is_any_sign = instrument.allows_negative

    def __missing__(self, text: str) -> int:
        units, exact = _scaled(text.strip(" \t"), self._decimals)
        if not self._is_any_sign and (units < 0 or (units == 0 and exact)):
            raise RowError(NON_POSITIVE_PRICE, f"price {text} is not positive")
        if not exact or units % self._tick:
            tick = format_units(self._tick, self._decimals)
            raise RowError(OFF_TICK, f"price {text} is not a multiple of the tick {tick}")
        if len(self) >= _CACHE_ENTRIES_MAX:
            self.clear()
        self[text] = units
        return units


class SizeReader(dict[str, int]):
    """Text -> quantity units, truncated; empty text is SIZE_UNKNOWN.

    Raises RowError (not_a_number, bad_number).
    """

    def __init__(self, instrument: Instrument) -> None:
        super().__init__()
        self._decimals = instrument.quantity_decimals

    def __missing__(self, text: str) -> int:
        stripped = text.strip(" \t")
        units = _scaled(stripped, self._decimals)[0] if stripped else SIZE_UNKNOWN
        if units < 0 and stripped:
            raise RowError(BAD_NUMBER, f"negative size {text}")
        if len(self) >= _CACHE_ENTRIES_MAX:
            self.clear()
        self[text] = units
        return units


class SideReader(dict[str, str]):
    """Text -> "BUY", "SELL" or "" (not reported). Raises RowError (bad_side)."""

    def __missing__(self, text: str) -> str:
        side = {"buy": "BUY", "b": "BUY", "sell": "SELL", "s": "SELL", "": ""}.get(
            text.strip().lower()
        )
        if side is None:
            raise RowError(BAD_SIDE, f"aggressor {text[:40]!r} is neither buy nor sell")
        # Spellings differ in case and blanks only, but blanks have no end.
        if len(self) < 64:
            self[text] = side
        return side


class SymbolReader(dict[str, str]):
    """The cells of a symbol column; only spellings of the file's symbol are in it.

    `is_free`: the column may call it something else, but the same throughout. Raises RowError
    (other_symbol).
    """

    def __init__(self, symbol: str, *, is_free: bool) -> None:
        super().__init__()
        self._symbol = symbol
        self._is_free = is_free
        self._first = ""

    def __missing__(self, text: str) -> str:
        found = text.strip()
        if found and not self._first and self._is_the_files(found):
            self._first = found
        if found and not (self._first and same_symbol(found, self._first)):
            known = self._first or self._symbol
            raise RowError(OTHER_SYMBOL, f"a row of {found[:40]!r} in a file of {known}")
        if len(self) < 64:
            self[text] = found
        return found

    def _is_the_files(self, found: str) -> bool:
        # A number is a vendor's own key of the instrument.
        if self._is_free or not any(map(str.isalpha, found)):
            return True
        pair = currencies_of(found)[:2]
        return same_symbol(found, self._symbol) or (
            bool(pair[0]) and pair == currencies_of(self._symbol)[:2]
        )


def format_timestamp(moment_ns: int) -> str:
    """ISO-8601 UTC with Z and as many decimals as needed: none, three, six or nine."""
    seconds, fraction_ns = divmod(moment_ns, NS_PER_SECOND)
    days, clock = divmod(seconds, 86_400)
    day = date.fromordinal(days + _EPOCH_ORDINAL).isoformat()
    text = f"{day}T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}"
    if not fraction_ns:
        return text + "Z"
    digits = f"{fraction_ns:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z"
