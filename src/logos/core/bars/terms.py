"""What an instrument's state says of bars: what they are made of, and how long it warms up."""

from __future__ import annotations

from typing import final

from logos.core.types import NS_PER_SECOND


@final
class BarTerms:
    """Of one symbol. While it warms up, nothing is ordered in it."""

    __slots__ = (
        "bars_seen",
        "is_warming",
        "length_ns",
        "past_bars_seen",
        "source",
        "warm_bars_left",
        "warm_since_ns",
        "warm_until_ns",
    )

    def __init__(self) -> None:
        self.source: str = ""
        """What its bars are made of, a name of `book.SOURCES`; empty: the first kind that comes."""
        self.length_ns: int = 0
        """The shorter length, where the data has bars of two: what a longer bar says had been
        seen already. 0: bars have one length, or are not all of one (months)."""
        self.is_warming: bool = False
        self.warm_bars_left: int = 0
        self.warm_since_ns: int = 0
        self.warm_until_ns: int = 0
        self.bars_seen: int = 0
        self.past_bars_seen: int = 0
        """While it warmed up, and how many of them were from before the session."""

    def is_seen(self, opened_ns: int, interval_ns: int, last_ns: int) -> bool:
        """Whether shorter bars have shown what a bar shows; the last one ended at `last_ns`."""
        return self.length_ns not in (0, interval_ns) and opened_ns < last_ns

    def warming_words(self, now_ns: int) -> str:
        """How long the warm-up lasts yet; empty: it is over."""
        if not self.is_warming:
            return ""
        if self.warm_bars_left:
            return f"{self.warm_bars_left} bars of the warm-up are left"
        if now_ns < self.warm_until_ns:
            left_s = -((now_ns - self.warm_until_ns) // NS_PER_SECOND)
            return f"{left_s} s of the warm-up are left"
        return ""

    def begin_warm_up(self, now_ns: int, bars: int, length_ns: int) -> None:
        """Warm up from now on, for so many bars or so long; 0: for none."""
        self.is_warming = bars > 0 or length_ns > 0
        self.warm_bars_left = bars
        self.warm_since_ns = now_ns
        self.warm_until_ns = now_ns + length_ns if length_ns else 0

    def note_bar(self, opened_ns: int, is_past: bool) -> None:
        """One more bar was seen while it warms up."""
        self.bars_seen += 1
        if self.warm_bars_left:
            self.warm_bars_left -= 1
        if is_past:
            self.past_bars_seen += 1
            if opened_ns < self.warm_since_ns:
                if self.warm_until_ns:
                    self.warm_until_ns -= self.warm_since_ns - opened_ns
                self.warm_since_ns = opened_ns
