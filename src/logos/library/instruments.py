"""Instruments as a caller gives them, and as the settings of a session hold them.

A session's settings must hold the whole instrument, or its journal could not say what was traded:
so an `Instrument` that was made in Python is written back as the table that would make it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

import msgspec

from logos.config import InstrumentSettings, make_config
from logos.core.fixed import format_units
from logos.core.instrument import RATE_DECIMALS, Instrument
from logos.core.types import MarkRule
from logos.data.market_sessions import sessions_text

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_OF_DAY: Final = 1440


class InstrumentFields(TypedDict, total=False):
    """The fields of `[instruments.SYMBOL]` (docs/CONFIGURATION.md); figures are exact text."""

    tick: str
    lot: str
    quote: str
    base: str
    multiplier: str
    min_quantity: str
    max_quantity: str
    min_notional: str
    settlement: str
    leverage: int
    initial_margin: str
    maintenance_margin: str
    hours: Sequence[str]
    mark: str
    calendar: str
    sessions: Sequence[str]
    allow_negative_prices: bool
    borrow_rate: str
    data_tick: str
    funding: Mapping[str, Any]
    fees: Mapping[str, Any]


def exact(value: Any) -> Any:
    """`value` with every float in it as the decimal text that Python shows for it."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(key): exact(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    return value


def instrument_table(given: Instrument | InstrumentSettings | Mapping[str, Any]) -> dict[str, Any]:
    """The table `[instruments.SYMBOL]` of an instrument, however it is given."""
    if isinstance(given, Instrument):
        return _table_of(given)
    if isinstance(given, InstrumentSettings):
        fields = {name: getattr(given, name) for name in given.__struct_fields__}
        return {name: value for name, value in fields.items() if value is not msgspec.UNSET}
    table: dict[str, Any] = exact(given)
    return table


def instrument_settings(symbol: str, table: Mapping[str, Any]) -> InstrumentSettings:
    """The settings of one instrument. Raises ConfigError for what is missing or wrong."""
    return make_config({"instruments": {symbol: table}}, "instrument").instruments[symbol]


def _table_of(each: Instrument) -> dict[str, Any]:
    fees = each.fees
    multiplier_decimals = each.value_decimals - each.price_decimals - each.quantity_decimals
    return {
        "quote": each.quote,
        "base": each.base,
        "tick": each.price_text(each.tick),
        **({} if each.data_tick == each.tick else {"data_tick": each.price_text(each.data_tick)}),
        "lot": each.quantity_text(each.lot),
        "multiplier": format_units(each.multiplier, multiplier_decimals),
        "min_quantity": each.quantity_text(each.minimum_quantity),
        "max_quantity": each.quantity_text(each.maximum_quantity),
        "min_notional": format_units(each.minimum_notional, each.value_decimals),
        "settlement": each.settlement,
        "leverage": each.leverage,
        "initial_margin": format_units(each.initial_margin_rate, RATE_DECIMALS),
        "maintenance_margin": format_units(each.maintenance_margin_rate, RATE_DECIMALS),
        **({} if each.mark is MarkRule.BID_ASK else {"mark": each.mark.value}),
        **_hours_of(each),
        **({"allow_negative_prices": True} if each.allows_negative else {}),
        "fees": {
            "maker": format_units(fees.maker_rate, RATE_DECIMALS),
            "taker": format_units(fees.taker_rate, RATE_DECIMALS),
            "per_unit": format_units(fees.per_unit, RATE_DECIMALS),
            "per_fill": format_units(fees.per_fill, RATE_DECIMALS),
            "minimum": format_units(fees.minimum, RATE_DECIMALS),
            "decimals": fees.decimals,
            "rounding": fees.rounding,
        },
    }


def _hours_of(each: Instrument) -> dict[str, list[str]]:
    if each.sessions is not None:
        return {"sessions": sessions_text(each.sessions.moments())}
    return {"hours": [_span_text(start, end) for start, end in each.hours]}


def _span_text(start: int, end: int) -> str:
    """Minutes of the week as `mon 13:30-20:00`; a span lies within one day."""
    day = start // _MINUTES_OF_DAY
    opens, closes = start - day * _MINUTES_OF_DAY, end - day * _MINUTES_OF_DAY
    return f"{_DAYS[day]} {_clock(opens)}-{_clock(closes)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
