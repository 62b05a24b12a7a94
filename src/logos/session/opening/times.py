"""What the settings say of times: of those in files of market data, and of which are wanted."""

from __future__ import annotations

import msgspec

from logos.config import Config, ConfigError
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.times.reader import TimeRules
from logos.errors import DataError

_NAMES = ("timezone", "time_format", "stamp", "interval")


def time_rules(config: Config) -> TimeRules:
    """`[data]` timezone, time_format, stamp and interval. Raises ConfigError."""
    said = {name: getattr(config.data, name) for name in _NAMES}
    try:
        return TimeRules(**{name: text for name, text in said.items() if text is not msgspec.UNSET})
    except DataError as error:
        raise ConfigError(f"data: {error}") from None


def signal_zone(config: Config) -> str:
    """The zone of times of signals that name none: what is said of the data, else that of the
    market, where all that are traded have the same; "" where neither is there."""
    if config.data.timezone is not msgspec.UNSET and config.data.timezone:
        return config.data.timezone
    zones = {each.timezone or "" for each in config.instruments.values()}
    return zones.pop() if len(zones) == 1 else ""


def data_range(config: Config) -> tuple[int | None, int | None]:
    """The wanted first and last moment of the data; None: from its beginning, to its end."""
    return _moment(config.data.start, "data.from"), _moment(config.data.end, "data.to")


def _moment(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        return parse_timestamp(text)
    except RowError as error:
        raise ConfigError(f"{name}: {error}; write it like 2024-01-31T13:30:00Z") from None
