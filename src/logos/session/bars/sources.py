"""What the bars of a strategy are made of, found before a session begins.

Of the kinds of data that a symbol has, the first of `PREFERENCE` counts of which the finest
timeframe can be made; the others only move prices. So trade bars and two-sided bars of one symbol
never both feed a strategy that hears bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from logos.config import Config, ConfigError, FeedName
from logos.config.tables.live import FeedKind
from logos.core.bars.book import SOURCES
from logos.core.bars.spans import span_text
from logos.core.bars.wishes import Wishes, wishes_of
from logos.core.strategy import Strategy
from logos.data.source import DataSource, interval_from_text

PREFERENCE: Final = tuple(SOURCES)
"""Trade bars, two-sided bars, trades, quotes."""

_WITH_KINDS: Final = (FeedName.CCXT, FeedName.MT5, FeedName.ALPACA, FeedName.IB)
"""The feeds that deliver what `live.kind` says."""

Kinds = Mapping[str, Mapping[str, int]]
"""By symbol, which kinds of data there are, and how long the shortest bars are (0: no bars)."""


def wishes_in(strategy: Strategy) -> Wishes:
    """What the strategy's class asks for. Raises ConfigError."""
    try:
        return wishes_of(strategy)
    except ValueError as error:
        raise ConfigError(f"strategy {type(strategy).__qualname__}: {error}") from None


def recorded_kinds(sources: Iterable[DataSource]) -> Kinds:
    """What recorded data holds."""
    kinds: dict[str, dict[str, int]] = {}
    for source in sources:
        found = kinds.setdefault(source.symbol, {})
        length_ns = source.interval_ns or 0
        found[source.kind] = min(found.get(source.kind, length_ns), length_ns)
    return kinds


def shorter_lengths(sources: Iterable[DataSource]) -> dict[str, int]:
    """By symbol, the length of its shorter bars (ns), where recorded bars of one kind have two."""
    lengths: dict[tuple[str, str], set[int]] = {}
    for source in sources:
        if source.interval_ns:
            lengths.setdefault((source.symbol, source.kind), set()).add(source.interval_ns)
    return {symbol: min(found) for (symbol, _), found in lengths.items() if len(found) > 1}


def live_kinds(config: Config, symbols: Iterable[str]) -> Kinds:
    """What the live feed of the settings will deliver; nothing where they do not say."""
    live = config.live
    if live.feed is FeedName.YAHOO or (live.feed in _WITH_KINDS and live.kind is FeedKind.BARS):
        found = {"bars": interval_from_text(live.interval)}
    elif live.feed not in _WITH_KINDS:
        found = {}
    elif live.kind is FeedKind.BOTH:
        found = {"trades": 0, "quotes": 0}
    else:
        found = {live.kind.value: 0}
    return dict.fromkeys(symbols, found) if found else {}


def choose_sources(strategy: Strategy, kinds: Kinds) -> dict[str, str]:
    """By symbol, what its bars are made of, where a choice has to be made.

    Raises ConfigError for timeframes that the data of a symbol cannot give.
    """
    wishes = wishes_in(strategy)
    if wishes.timeframes:
        return {symbol: _source(wishes, symbol, found) for symbol, found in kinds.items()}
    if type(strategy).on_bar is Strategy.on_bar:
        return {}
    return {symbol: "bars" for symbol, found in kinds.items() if {"bars", "quote_bars"} <= {*found}}


def _source(wishes: Wishes, symbol: str, kinds: Mapping[str, int]) -> str:
    finest_ns = wishes.lengths_ns[0]
    for kind in PREFERENCE:
        length_ns = kinds.get(kind)
        if length_ns is not None and (length_ns == 0 or finest_ns % length_ns == 0):
            return kind
    lengths = sorted({span_text(length_ns) for length_ns in kinds.values()})
    raise ConfigError(
        f"timeframes: {symbol} has bars of {' and '.join(lengths)} only, of which no bar of "
        f"{wishes.timeframes[0]} can be made; name whole multiples of that, or give finer data"
    )
