"""What an instrument's state says of bars: what they are made of, and how long it warms up."""

from __future__ import annotations

from typing import final

from logos.core.types import NS_PER_SECOND


@final
class BarTerms:
    """Of one symbol. While it warms up, nothing is ordered in it."""

    __slots__ = ("source", "warm_bars_left", "warm_until_ns")

    def __init__(self) -> None:
        self.source: str = ""
        """What its bars are made of, a name of `book.SOURCES`; empty: the first kind that comes."""
        self.warm_bars_left: int = 0
        self.warm_until_ns: int = 0

    def warming_words(self, now_ns: int) -> str:
        """How long the warm-up lasts yet; empty: it is over."""
        if self.warm_bars_left:
            return f"{self.warm_bars_left} bars of the warm-up are left"
        if now_ns < self.warm_until_ns:
            left_s = -((now_ns - self.warm_until_ns) // NS_PER_SECOND)
            return f"{left_s} s of the warm-up are left"
        return ""
