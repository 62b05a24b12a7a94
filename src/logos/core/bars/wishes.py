"""What a strategy's class asks for besides events: timeframes, a history, a warm-up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from logos.core.bars.spans import span_ns, span_text
from logos.core.strategy import Strategy

TIMEFRAMES_MAX: Final = 16
HISTORY_MAX: Final = 100_000
"""Bars of each symbol and timeframe."""
WARMUP_MAX: Final = 100_000


class Wishes(NamedTuple):
    """Checked, and in whole numbers: `lengths_ns` are the timeframes, finest first."""

    timeframes: tuple[str, ...] = ()
    lengths_ns: tuple[int, ...] = ()
    history: int = 0
    warmup_bars: int = 0
    warmup_ns: int = 0

    @property
    def has_warmup(self) -> bool:
        """Whether there is any warm-up."""
        return self.warmup_bars > 0 or self.warmup_ns > 0

    @property
    def is_nothing(self) -> bool:
        """Whether the strategy asks for none of it."""
        return not (self.timeframes or self.history or self.has_warmup)


def wishes_of(strategy: Strategy) -> Wishes:
    """What the strategy asks for. Raises ValueError that names what is wrong.

    Only what its class declares counts (its `__init__` may then set it): an attribute of the object
    alone may mean anything.
    """
    timeframes, lengths_ns = _timeframes(_declared(strategy, "timeframes"))
    history = _count(_declared(strategy, "history"), "history", HISTORY_MAX)
    warmup = _declared(strategy, "warmup")
    if isinstance(warmup, str):
        try:
            return Wishes(timeframes, lengths_ns, history, 0, span_ns(warmup))
        except ValueError as error:
            raise ValueError(f"warmup: {error}, or a number of bars") from None
    return Wishes(timeframes, lengths_ns, history, _count(warmup, "warmup", WARMUP_MAX), 0)


def _declared(strategy: Strategy, name: str) -> object:
    for kind in type(strategy).__mro__:
        if kind is Strategy:
            break
        if name in vars(kind):
            found: object = getattr(strategy, name)
            return found
    base: object = getattr(Strategy, name)
    return base


def _timeframes(given: object) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValueError(f'timeframes is a list such as ["1m", "1h"], not {given!r}')
    try:
        lengths_ns = sorted(span_ns(each) for each in given)
    except ValueError as error:
        raise ValueError(f"timeframes: {error}") from None
    if len(set(lengths_ns)) != len(lengths_ns):
        raise ValueError("timeframes: each is named once")
    if len(lengths_ns) > TIMEFRAMES_MAX:
        raise ValueError(f"timeframes: {len(lengths_ns)} of them, at most {TIMEFRAMES_MAX}")
    for length_ns in lengths_ns:
        if length_ns % lengths_ns[0]:
            raise ValueError(
                f"timeframes: {span_text(length_ns)} is no multiple of the finest one, "
                f"{span_text(lengths_ns[0])}, of which it would be made"
            )
    return tuple(span_text(length_ns) for length_ns in lengths_ns), tuple(lengths_ns)


def _count(given: object, name: str, most: int) -> int:
    if type(given) is not int or not 0 <= given <= most:
        length = ' or a length of time such as "2d"' if name == "warmup" else ""
        raise ValueError(f"{name} is a number of bars from 0 to {most}{length}, not {given!r}")
    return given
