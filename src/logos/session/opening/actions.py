"""Splits and dividends: read from their files once, and held against the prices of the session.

Prices that were adjusted for a split do not show it. Carried out all the same, it would multiply
what is held by its ratio, at the same price. So each split that lies within the data must show.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.config import Config, ConfigError, InstrumentSettings
from logos.config.actions import Split, actions_of
from logos.data.check import CheckReport
from logos.data.readers.jumps import Around
from logos.files import cut_words, is_cut, read_whole

_BYTES_MAX: Final = 4 << 20
_KEYS: Final = frozenset(("symbol", "source", "splits", "dividends"))
_TELLING: Final = 1.4
"""Of smaller splits a price of the day may hide whether it shows them."""


def with_actions(config: Config, find: Callable[[str], str] = str) -> Config:
    """`config` with the splits and dividends of every file of them, which `find` finds.

    Raises ConfigError.
    """
    found = dict(config.instruments)
    for symbol, each in config.instruments.items():
        if each.actions and not each.actions_sha256:
            found[symbol] = _with_file(symbol, each, Path(find(each.actions)))
    return msgspec.structs.replace(config, instruments=found)


def _with_file(symbol: str, each: InstrumentSettings, path: Path) -> InstrumentSettings:
    name = f"instruments.{symbol}.actions"
    try:
        content = read_whole(path, _BYTES_MAX)
        text = content.decode()
        table = tomllib.loads(text + "\n")
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error}") from None
    if is_cut(text):
        raise ConfigError(f"{name}: {path}: {cut_words(path)}")
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise ConfigError(f"{name}: {path}: unknown key {unknown[0]!r}")
    if table.get("symbol") != symbol:
        raise ConfigError(f"{name}: {path} is of {table.get('symbol')!r}, not of {symbol!r}")
    read = msgspec.structs.replace(
        each,
        splits=_texts(table, "splits", f"{name}: {path}"),
        dividends=_texts(table, "dividends", f"{name}: {path}"),
        actions_sha256=hashlib.sha256(content).hexdigest(),
    )
    try:
        actions_of(read)
    except ValueError as error:
        raise ConfigError(f"{name}: {path}: {error}") from None
    return read


def _texts(table: dict[str, Any], key: str, where: str) -> list[str]:
    texts = table.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise ConfigError(f"{where}: {key} must be a list of texts")
    return texts


def action_times(settings: InstrumentSettings) -> list[int]:
    """When there are splits and dividends, nanoseconds UTC."""
    return [action.ts_ns for action in actions_of(settings)]


def check_splits(config: Config, reports: Sequence[CheckReport]) -> None:
    """Raise ConfigError for a split that the prices of the data do not show, unless the symbol's
    `split_check` is off."""
    for report in reports:
        symbol = report.source.symbol
        if not config.instruments[symbol].split_check:
            continue
        for action in actions_of(config.instruments[symbol]):
            around = report.around.get(action.ts_ns)
            if isinstance(action, Split) and around is not None and not _shows(around, action):
                raise ConfigError(
                    f"instruments.{symbol}.splits: the prices of {report.source.path} do not show"
                    f" the split of {action.new} for {action.old}: {around.text} there. They are"
                    " adjusted for it already, as those of yfinance always are: take it out, use"
                    " prices as they were traded, or set split_check = false if it is so"
                )


def _shows(around: Around, split: Split) -> bool:
    """Whether two prices are nearer to a split's ratio than to each other."""
    ratio = split.new / split.old
    if 1 / _TELLING < ratio < _TELLING:
        return True
    jump = math.log(around.before / around.after)
    return abs(jump - math.log(ratio)) < abs(jump)
