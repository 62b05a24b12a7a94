"""Whether the strategy will hear anything of the session's data, asked before it begins.

A session that could only end with nothing done is refused by name. What a session that does trade
will not hear (a symbol without events, or without such as the strategy has a method for) is a
warning of its record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from logos.config import Config, ConfigError
from logos.core.strategy import Strategy
from logos.data.check import CheckReport
from logos.session.bars.sources import Kinds
from logos.strategies.heard import METHODS, unheard, why_deaf
from logos.strategies.queued import Queued


class Notice(NamedTuple):
    """A warning that stands before the session begins; it is recorded as the session ends."""

    code: str
    symbol: str
    detail: str


def check_heard(
    strategy: Strategy,
    name: str,
    kinds: Kinds,
    reports: Sequence[CheckReport],
    in_range: Sequence[CheckReport],
) -> list[Notice]:
    """What the session will not hear. Raises ConfigError if its strategy would hear nothing.

    `kinds` is what data there will be, as far as it is known; `reports` are those of recorded data,
    `in_range` the ones with events between data.from and data.to; `name` is what messages call the
    strategy.
    """
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


def check_sizes(config: Config, in_range: Sequence[CheckReport]) -> list[Notice]:
    """A warning for each symbol whose fills the settings cap by sizes that its data does not have:
    the cap caps nothing."""
    if not config.paper.participation:
        return []
    with_sizes = {report.source.symbol for report in in_range if report.has_sizes}
    symbols = dict.fromkeys(report.source.symbol for report in in_range)
    words = (
        f"paper.participation = {config.paper.participation} caps nothing: no row of its data has a"
        " size or a volume"
    )
    return [Notice("NO_SIZES", each, words) for each in symbols if each not in with_sizes]
