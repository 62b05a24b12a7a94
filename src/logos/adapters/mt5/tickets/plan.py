"""Which tickets an order closes, and how much of each: pure functions.

The problem: the session's books are net and first in, first out; a hedging account holds a position
for each order that opened one, and closes only what is named. A broker takes volumes of at least
its smallest (`min_quantity`), and what is left of a ticket must be closable too.

The method: the oldest tickets first, each wholly, the last in part; what exceeds them opens. Where
that would leave, or ask for, less than the smallest volume, the split nearest to it that does not
is looked for: of all that are possible, the one that closes the most of the oldest ticket, then of
the next. Where none is possible the order is not sent at all.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import msgspec

from logos.adapters.mt5.records import Ticket
from logos.core.instrument import Instrument

LOOKS: Final = 50_000
"""How many ranges of sums are looked at for one order, over all of its tickets."""

_RANGES_MIN: Final = 64
_NAMED_MAX: Final = 8
"""How many tickets a refusal names."""

_Ranges = list[tuple[int, int]]
"""Sums that can be made, as ranges (both ends among them) that neither meet nor overlap."""


class Plan(msgspec.Struct, frozen=True):
    """What an order comes to: units to close of each ticket, and units to open behind that.

    `words` says why it cannot be done; then there is nothing else.
    """

    closes: tuple[tuple[Ticket, int], ...] = ()
    opens: int = 0
    words: str = ""


def plan_of(units: int, against: Sequence[Ticket], instrument: Instrument) -> Plan:
    """The plan of an order of `units` (> 0) where tickets `against` its side are held."""
    oldest_first = sorted(against, key=lambda each: (each.time_s, int(each.identifier)))
    volumes = [each.units for each in oldest_first]
    smallest = max(instrument.minimum_quantity, instrument.lot)
    opens = max(0, units - sum(volumes))
    text = instrument.quantity_text
    if 0 < opens < smallest:
        words = (
            f"{text(units - opens)} lots would be closed and {text(opens)} opened, which is less "
            f"than the smallest volume {text(smallest)}"
        )
        return Plan(words=words)
    parts = split(units - opens, volumes, smallest, instrument.lot)
    if parts is None:
        named = [f"{each.ticket} with {text(each.units)}" for each in oldest_first[:_NAMED_MAX]]
        more = len(oldest_first) - len(named)
        held = ", ".join(named) + (f" and {more} more" if more else "")
        words = (
            f"{text(units)} lots of the tickets {held}: no way was found to close them without a "
            f"part or a rest below the smallest volume {text(smallest)}"
        )
        return Plan(words=words)
    closes = [(each, part) for each, part in zip(oldest_first, parts, strict=True) if part]
    return Plan(tuple(closes), opens)


def split(units: int, volumes: Sequence[int], smallest: int, step: int) -> list[int] | None:
    """`units` as parts of `volumes`, all in units, oldest first; None where there is no such split.

    A part is 0, the whole, or such that it and the rest are at least `smallest` and multiples of
    `step`.
    """
    parts = []
    left = units
    for volume in volumes:
        parts.append(min(volume, left))
        left -= parts[-1]
    if left:
        return None
    if all(_is_fine(*each, smallest) for each in zip(parts, volumes, strict=True)):
        return parts
    if units % step or any(volume % step for volume in volumes):
        return None
    found = _nearest(units // step, [volume // step for volume in volumes], -(-smallest // step))
    return None if found is None else [part * step for part in found]


def _is_fine(part: int, volume: int, smallest: int) -> bool:
    return part in (0, volume) or (part >= smallest and volume - part >= smallest)


def _nearest(
    units: int, volumes: Sequence[int], smallest: int, looks: int = LOOKS
) -> list[int] | None:
    """The split, in steps, that closes the most of the oldest.

    `reach[i]` are the sums that the tickets from the i-th on can make, of those with which the
    tickets before it can make up `units`. What a ticket can give is three ranges (nothing, a part,
    the whole), so sums are kept as ranges, however many steps they span. Which sums a set of small
    tickets can make is the subset sum problem, so the number of ranges is bounded: beyond
    `looks` in all, the widest of each set are kept and those that need the least of newer tickets.
    """
    ranges_max = max(_RANGES_MIN, looks // max(1, len(volumes)))
    before = list(itertools.accumulate(volumes, initial=0))
    reach: list[_Ranges] = [[(0, 0)]]
    for place in range(len(volumes) - 1, -1, -1):
        sums = _with(reach[-1], volumes[place], smallest, units - before[place], units)
        reach.append(_thinned(sums, ranges_max))
    reach.reverse()
    if not reach[0]:
        return None
    parts, left = [], units
    for volume, sums in zip(volumes, reach[1:], strict=True):
        parts.append(_most(left, volume, smallest, sums))
        left -= parts[-1]
    return parts


def _with(sums: _Ranges, volume: int, smallest: int, least: int, most: int) -> _Ranges:
    """`sums` with what one more ticket adds, from `least` to `most`."""
    adds = [(0, 0), (volume, volume)]
    if volume >= 2 * smallest:
        adds.append((smallest, volume - smallest))
    every = [[(low + add[0], high + add[1]) for low, high in sums] for add in adds]
    found: _Ranges = []
    for low, high in heapq.merge(*every):
        if high < least or low > most:
            continue
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], min(high, most)))
        else:
            found.append((max(low, least), min(high, most)))
    return found


def _thinned(sums: _Ranges, ranges_max: int) -> _Ranges:
    if len(sums) <= ranges_max:
        return sums
    least = ranges_max // 2
    widest = heapq.nlargest(ranges_max - least, sums[least:], key=lambda each: each[1] - each[0])
    return sums[:least] + sorted(widest)


def _most(left: int, volume: int, smallest: int, sums: _Ranges) -> int:
    """The most of a ticket that leaves, of `left`, one of `sums`; there is such a part."""
    if volume <= left and _least_in(sums, left - volume, left - volume) is not None:
        return volume
    rest = _least_in(sums, left - min(left, volume - smallest), left - smallest)
    return 0 if rest is None else left - rest


def _least_in(sums: _Ranges, low: int, high: int) -> int | None:
    """The least of `sums` from `low` to `high`."""
    place = bisect_left(sums, low, key=lambda each: each[1])
    if place == len(sums) or (least := max(low, sums[place][0])) > high:
        return None
    return least
