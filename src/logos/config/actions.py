"""Splits and dividends as a person writes them: `"2000-10-13 2:1"`, `"2000-10-26 0.02"`.

The first word is when prices begin to be without it: a day (its beginning, UTC) or a moment of
ISO-8601 with a zone. The second is new shares for old ones, or money a unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from logos.config.settings import InstrumentSettings
from logos.core.types import NS_PER_SECOND

_RATIO: Final = re.compile(r"([1-9]\d{0,5}):([1-9]\d{0,5})")
_DIGITS_MAX: Final = 12


class Split(NamedTuple):
    """`new` units for every `old`, from `ts_ns` (nanoseconds UTC) on."""

    ts_ns: int
    new: int
    old: int


class Dividend(NamedTuple):
    """`amount` of the quote currency for each unit, to who holds it at `ts_ns`."""

    ts_ns: int
    amount: Decimal


def actions_of(settings: InstrumentSettings) -> list[Split | Dividend]:
    """All of an instrument, in the order of their times; at one time splits first.

    Raises ValueError with what is wrong.
    """
    splits = [parse_split(text) for text in settings.splits]
    dividends = [parse_dividend(text) for text in settings.dividends]
    return sorted([*splits, *dividends], key=lambda each: each.ts_ns)


def problems_of(symbol: str, settings: InstrumentSettings) -> list[str]:
    """What is wrong with the splits and dividends of a symbol, in words."""
    parsers: tuple[tuple[str, Iterable[str], Callable[[str], object]], ...] = (
        ("splits", settings.splits, parse_split),
        ("dividends", settings.dividends, parse_dividend),
    )
    found = []
    for key, texts, parse in parsers:
        for text in texts:
            try:
                parse(text)
            except ValueError as error:
                found.append(f"instruments.{symbol}.{key}: {error}")
    return found


def parse_split(text: str) -> Split:
    """Raises ValueError for a text that is none."""
    moment, _, ratio = text.strip().partition(" ")
    match = _RATIO.fullmatch(ratio.strip())
    ts_ns = _moment_ns(moment)
    if match is None or ts_ns is None or match[1] == match[2]:
        raise ValueError(f"{text!r}; write a split like '2000-10-13 2:1', new shares for old ones")
    return Split(ts_ns, int(match[1]), int(match[2]))


def parse_dividend(text: str) -> Dividend:
    """Raises ValueError for a text that is none."""
    moment, _, amount = text.strip().partition(" ")
    ts_ns = _moment_ns(moment)
    try:
        number = Decimal(amount.strip())
    except InvalidOperation:
        number = Decimal(0)
    is_usable = number.is_finite() and number > 0 and abs(number.adjusted()) <= _DIGITS_MAX
    if ts_ns is None or not is_usable or len(number.as_tuple().digits) > _DIGITS_MAX:
        raise ValueError(f"{text!r}; write a dividend like '2000-10-26 0.02', money for each unit")
    return Dividend(ts_ns, number)


def _moment_ns(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        if len(text) != len("2000-10-13"):
            return None  # a clock without a zone says no moment
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS_PER_SECOND
