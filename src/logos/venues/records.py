"""A venue's records, read exactly or not at all: numbers, times, and whose order it is.

What does not hold what it should, or not in numbers that can be exact here, is `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeGuard

from logos.core.fixed import parse_units
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND
from logos.errors import LogosError
from logos.venues.contract import VenueOrder

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


class Unreadable(LogosError):
    """A venue's answer does not hold what it should, or not in numbers that can be exact here."""


def is_record(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether an answer, or a part of one, is one record (a JSON object)."""
    return isinstance(value, dict)


def rows(answer: object) -> list[Mapping[str, Any]]:
    """An answer that is a list of records. Raises Unreadable."""
    if not isinstance(answer, list):
        raise Unreadable("the answer is no list")
    found = [row for row in answer if is_record(row)]
    if len(found) != len(answer):
        raise Unreadable("the answer's list holds something else than records")
    return found


def asked_for(order: VenueOrder, client_order_id: str) -> VenueOrder:
    """`order`, when it is the one that was asked for. Raises Unreadable."""
    if order.client_order_id != client_order_id:
        raise Unreadable("the answer is about another order")
    return order


def quantity_units(instrument: Instrument, text: object, what: str) -> int:
    """Decimal text of a venue as quantity units. Raises Unreadable when that is not exact."""
    return _units(instrument, text, instrument.quantity_decimals, what, "lot")


def price_units(instrument: Instrument, text: object, what: str) -> int:
    """Decimal text of a venue as price units. Raises Unreadable when that is not exact."""
    return _units(instrument, text, instrument.price_decimals, what, "tick")


def _units(instrument: Instrument, text: object, decimals: int, what: str, step: str) -> int:
    if not isinstance(text, str):
        raise Unreadable(f"{instrument.symbol}: {what} is missing")
    try:
        return parse_units(text, decimals)
    except ValueError as error:
        raise Unreadable(
            f"{instrument.symbol}: {what}: {str(error)[:80]}; if the number is right, set a finer "
            f"{step} for the instrument"
        ) from None


def decimal_of(text: object, what: str) -> Decimal:
    """Decimal text of a venue, exactly. Raises Unreadable."""
    try:
        number = Decimal(text) if isinstance(text, str) else None
    except ArithmeticError:
        number = None
    if number is None or not number.is_finite():
        raise Unreadable(f"{what} is not a decimal number")
    return number


def text_of(record: Mapping[str, object], name: str) -> str:
    """A field of a venue's record that must be there. Raises Unreadable."""
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"the answer has no {name}")
    return value


def time_ns(text: object) -> int:
    """An ISO-8601 moment with up to nine decimals of a second, exactly. Raises Unreadable."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Unreadable("the answer holds no time that can be read")
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
    except ValueError:
        raise Unreadable("the answer holds no time that can be read") from None
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = span.days * 86_400 + span.seconds
    return seconds * NS_PER_SECOND + int((fraction or "").ljust(9, "0"))


def iso_time(ts_ns: int) -> str:
    """Nanoseconds since 1970 as an ISO-8601 moment in UTC, exactly."""
    seconds, rest = divmod(ts_ns, NS_PER_SECOND)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
