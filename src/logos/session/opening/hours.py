"""The dated sessions of markets whose hours are not of UTC, put into the settings of a session.

They are worked out once, when the session is made. A session that is resumed or replayed finds them
in its settings.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from logos.config import Config, ConfigError, InstrumentSettings
from logos.core.instrument import instrument
from logos.core.types import NS_PER_DAY
from logos.data.check import CheckReport
from logos.data.market_sessions import sessions_of
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.errors import DataError

_LIVE_DAYS = 400
"""How long ahead a live session knows the hours of its markets; it trades nothing after them."""


def with_sessions(config: Config, reports: Sequence[CheckReport], *, is_live: bool) -> Config:
    """`config` with the sessions of every instrument that has a calendar or a time zone.

    Raises ConfigError for a zone or calendar that is not known, and where nothing says which days
    are meant.
    """
    wanted = {
        symbol: each
        for symbol, each in config.instruments.items()
        if each.sessions is msgspec.UNSET and (each.calendar or each.timezone)
    }
    if not wanted:
        return config
    first_ns, last_ns = _days(config, reports, next(iter(wanted)), is_live=is_live)
    found = dict(config.instruments)
    for symbol, each in wanted.items():
        found[symbol] = _with_sessions(symbol, each, first_ns, last_ns)
    return msgspec.structs.replace(config, instruments=found)


def _with_sessions(
    symbol: str, settings: InstrumentSettings, first_ns: int, last_ns: int
) -> InstrumentSettings:
    calendar = settings.calendar or ""
    zone = settings.timezone or ""
    try:
        made = instrument(symbol, tick="1", lot="1", quote="X", hours=settings.hours)
        sessions = sessions_of(calendar, zone, made, first_ns, last_ns)
    except (DataError, ValueError) as error:
        raise ConfigError(f"instruments.{symbol}: {error}") from None
    return msgspec.structs.replace(settings, sessions=sessions)


def _days(
    config: Config, reports: Sequence[CheckReport], symbol: str, *, is_live: bool
) -> tuple[int, int]:
    """The first and last moment that the session can come to."""
    if is_live:
        now_ns = time.time_ns()
        return now_ns - NS_PER_DAY, now_ns + _LIVE_DAYS * NS_PER_DAY
    firsts = [each.first_ns for each in reports if each.first_ns is not None]
    lasts = [each.last_ns for each in reports if each.last_ns is not None]
    try:
        start = parse_timestamp(config.data.start) if config.data.start else None
        end = parse_timestamp(config.data.end) if config.data.end else None
    except RowError as error:
        raise ConfigError(f"data.from, data.to: {error}") from None
    first = start if start is not None else min(firsts, default=None)
    last = end if end is not None else max(lasts, default=None)
    if first is None or last is None:
        raise ConfigError(
            f"instruments.{symbol}: its hours depend on the date, and nothing says which days the "
            "data holds: set data.from and data.to"
        )
    return first, max(first, last)
