"""Funding rates: read from their file once, and from then on in the settings of the session."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from logos.config import Config, ConfigError, FundingSettings
from logos.core.instrument import rate_units
from logos.core.terms.funding import FundingSchedule
from logos.core.types import NS_PER_MINUTE
from logos.data.readers.numbers import RowError, format_timestamp, parse_timestamp
from logos.files import cut_words, is_cut, read_whole

_COLUMNS = ["time", "rate"]
_BYTES_MAX = 16 << 20
"""Some hundred thousand rates."""


def with_funding(config: Config, find: Callable[[str], str] = str) -> Config:
    """`config` with the rates of every file of funding in it, which `find` finds by its name.

    Raises ConfigError.
    """
    found = dict(config.instruments)
    for symbol, each in config.instruments.items():
        funding = each.funding
        if funding is not msgspec.UNSET and funding.file and not funding.rates:
            rates = _read(Path(find(funding.file)), f"instruments.{symbol}.funding.file")
            funding = msgspec.structs.replace(funding, rates=rates)
            found[symbol] = msgspec.structs.replace(each, funding=funding)
    return msgspec.structs.replace(config, instruments=found)


def _read(path: Path, name: str) -> list[str]:
    """The rows of a file as `rates`."""
    try:
        text = read_whole(path, _BYTES_MAX).decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error}") from None
    if is_cut(text):
        raise ConfigError(f"{name}: {path}, line {len(rows)}: {cut_words(path)}")
    if not rows or rows[0] != _COLUMNS:
        raise ConfigError(f"{name}: {path}: the first line must be time,rate")
    if len(rows) == 1:
        raise ConfigError(f"{name}: {path} has no rates")
    found = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(_COLUMNS):
            raise ConfigError(f"{name}: {path}, line {number}: a time and a rate, not {row}")
        try:
            moment_ns, _ = _pair(" ".join(row))
        except ValueError as error:
            raise ConfigError(f"{name}: {path}, line {number}: {error}") from None
        found.append(f"{format_timestamp(moment_ns)} {row[1].strip()}")
    return found


def schedule_of(funding: FundingSettings, symbol: str) -> FundingSchedule:
    """The schedule as the core knows it. Raises ConfigError."""
    try:
        moments, rates = _pairs(funding.rates)
        times = [] if moments else [_minutes(each) * NS_PER_MINUTE for each in funding.times]
        return FundingSchedule(rate_units(funding.rate), times, moments, rates)
    except ValueError as error:
        raise ConfigError(f"instruments.{symbol}.funding: {error}") from None


def _pairs(texts: Sequence[str]) -> tuple[list[int], list[int]]:
    pairs = [_pair(text) for text in texts]
    return [moment for moment, _ in pairs], [rate for _, rate in pairs]


def _pair(text: str) -> tuple[int, int]:
    """`TIME RATE` as nanoseconds and 10**-9. Raises ValueError."""
    moment, _, rate = text.strip().partition(" ")
    try:
        return parse_timestamp(moment), rate_units(Decimal(rate.strip()))
    except (RowError, InvalidOperation) as error:
        words = str(error) if isinstance(error, RowError) else f"not a rate: {rate!r}"
        raise ValueError(words) from None


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
