"""Whether the strategy will hear anything of the session's data, asked before it begins.

A session that could only end with nothing done is refused by name. What a session that does trade
will not hear (a symbol without events, or without such as the strategy has a method for) is a
warning of its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from logos.config import Config, ConfigError, FeedKind, FeedName
from logos.core.strategy import Strategy
from logos.data.check import CheckReport
from logos.strategies.heard import METHODS, unheard, why_deaf
from logos.strategies.queued import Queued

_OF_FEED: Final = {
    FeedKind.QUOTES: ("quotes",),
    FeedKind.TRADES: ("trades",),
    FeedKind.BOTH: ("quotes", "trades"),
    FeedKind.BARS: ("bars",),
}
"""The kinds of events that a live feed delivers."""


class Notice(NamedTuple):
    """A warning that stands before the session begins; it is recorded as the session ends."""

    code: str
    symbol: str
    detail: str


def check_heard(
    config: Config,
    symbols: Iterable[str],
    strategy: Strategy,
    name: str,
    reports: Sequence[CheckReport],
    in_range: Sequence[CheckReport],
) -> list[Notice]:
    """What the session will not hear. Raises ConfigError if its strategy would hear nothing.

    `reports` are those of its recorded data, `in_range` the ones with events between data.from and
    data.to; `name` is what messages call the strategy.
    """
    kinds: Mapping[str, Sequence[str]] = _kinds(config, symbols, reports)
    kind = type(strategy)
    why = why_deaf(kind, name, kinds)
    if why:
        raise ConfigError(why)
    if isinstance(strategy, Queued) and kinds and not strategy.unused.keys() & kinds.keys():
        raise ConfigError(
            f"{name}: all of it is for {', '.join(strategy.unused)}, and the session trades "
            f"{', '.join(kinds)}; correct the symbols, or give the data of those"
        )
    with_events = {report.source.symbol for report in in_range}
    silent = {report.source.symbol for report in reports} - with_events
    notices = [
        Notice("NO_EVENTS", symbol, "its data has no events between data.from and data.to")
        for symbol in kinds
        if symbol in silent
    ]
    for symbol in unheard(kind, kinds):
        methods = " or ".join(sorted({METHODS[each] for each in kinds[symbol]}))
        words = f"the strategy has no {methods}: it hears nothing in this symbol's data"
        notices.append(Notice("UNHEARD_DATA", symbol, words))
    return notices


def _kinds(
    config: Config, symbols: Iterable[str], reports: Sequence[CheckReport]
) -> dict[str, Sequence[str]]:
    """The kinds of data by symbol, as far as they are known before the first event."""
    live = config.live
    if live.feed is FeedName.YAHOO:
        return dict.fromkeys(symbols, ("bars",))
    if live.feed is FeedName.CCXT:
        return dict.fromkeys(symbols, _OF_FEED[live.kind])
    kinds: dict[str, list[str]] = {}
    for report in reports:
        kinds.setdefault(report.source.symbol, []).append(report.source.kind)
    return {symbol: tuple(of_symbol) for symbol, of_symbol in kinds.items()}
