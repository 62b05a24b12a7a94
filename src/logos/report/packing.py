"""Many figures in few bytes: whole numbers as variable-length bytes, in base64.

A page holds tens of thousands of prices. As JSON each takes about eight characters, so packed: what
is told is the difference from the figure before, in units of the last decimal, seven bits a byte.
`report.js` unpacks them (`unpack`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

_DECIMALS_MAX: Final = 10
_NS_PER_MS: Final = 1_000_000


class Bars(msgspec.Struct, frozen=True):
    """Bars to be drawn: nanoseconds UTC of their close, and prices."""

    time_ns: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]

    def __len__(self) -> int:
        return len(self.time_ns)

    def part(self, first: int, last: int) -> Bars:
        """The bars from `first` up to and without `last`."""
        return Bars(*(getattr(self, name)[first:last] for name in self.__struct_fields__))

    def fewer(self, most: int) -> Bars:
        """At most `most` bars: neighbours are joined, so no extreme is lost."""
        size = -(-len(self) // most) if most > 0 else 1
        if size <= 1:
            return self
        starts = range(0, len(self), size)
        return Bars(
            [self.time_ns[min(start + size, len(self)) - 1] for start in starts],
            [self.open[start] for start in starts],
            [max(self.high[start : start + size]) for start in starts],
            [min(self.low[start : start + size]) for start in starts],
            [self.close[min(start + size, len(self)) - 1] for start in starts],
        )


def packed(numbers: Iterable[int]) -> str:
    """Whole numbers of any sign: the sign in the lowest bit, then seven bits a byte."""
    out = bytearray()
    for number in numbers:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return b64encode(out).decode("ascii")


def differences(numbers: Iterable[int]) -> Iterable[int]:
    """The first number, and then how much each is more than the one before."""
    before = 0
    for number in numbers:
        yield number - before
        before = number


def packed_times(times_ns: Iterable[int]) -> str:
    """Times, in milliseconds UTC: finer ones cannot be told apart in a chart."""
    return packed(differences(time_ns // _NS_PER_MS for time_ns in times_ns))


def packed_figures(values: Sequence[float | Decimal], decimals: int) -> dict[str, Any]:
    """Figures rounded to these decimals, in order: neighbours should be near each other."""
    scale = 10**decimals
    return {
        "decimals": decimals,
        "packed": packed(differences(round(value * scale) for value in values)),
    }


def packed_bars(bars: Bars) -> dict[str, Any]:
    """Bars to the last decimal of their prices. The open is told from the close before, the close
    from the open, and how far high and low go beyond both."""
    decimals = max(map(decimals_of, (bars.open, bars.high, bars.low, bars.close)), default=0)
    scale = 10**decimals
    numbers: list[int] = []
    before = 0
    for prices in zip(bars.open, bars.high, bars.low, bars.close, strict=True):
        first, high, low, last = (round(price * scale) for price in prices)
        numbers += (first - before, last - first, high - max(first, last), min(first, last) - low)
        before = last
    return {"decimals": decimals, "times": packed_times(bars.time_ns), "packed": packed(numbers)}


def decimals_of(values: Iterable[float]) -> int:
    """The most decimals that one of them has, at most ten."""
    most = 0
    for value in values:
        text = repr(float(value))
        if "e" in text:
            text = f"{value:.{_DECIMALS_MAX}f}".rstrip("0")
        found = text.partition(".")[2]
        if found != "0" and len(found) > most:
            most = len(found)
    return min(most, _DECIMALS_MAX)
