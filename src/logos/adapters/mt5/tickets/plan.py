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

from collections.abc import Sequence

import msgspec

from logos.adapters.mt5.records import Ticket
from logos.core.instrument import Instrument


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
        held = ", ".join(f"{each.ticket} with {text(each.units)}" for each in oldest_first)
        words = (
            f"{text(units)} lots of the tickets {held} cannot be closed without a part or a rest "
            f"below the smallest volume {text(smallest)}"
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


def _nearest(units: int, volumes: Sequence[int], smallest: int) -> list[int] | None:
    """The split, in steps, that closes the most of the oldest.

    `reach[i]` has a bit for each sum that the tickets from the i-th on can make.
    """
    mask = (1 << units + 1) - 1
    reach = [1]
    for volume in reversed(volumes):
        sums = reach[-1]
        sums |= (sums << volume) | _shifted(sums, smallest, volume - smallest)
        reach.append(sums & mask)
    reach.reverse()
    if not reach[0] >> units & 1:
        return None
    parts, left = [], units
    for place, volume in enumerate(volumes):
        for part in range(min(volume, left), -1, -1):
            if _is_fine(part, volume, smallest) and reach[place + 1] >> (left - part) & 1:
                parts.append(part)
                left -= part
                break
    return parts


def _shifted(sums: int, first: int, last: int) -> int:
    """All `sums` plus each number from `first` to `last`, as bits."""
    if last < first:
        return 0
    found, width, wanted = sums << first, 1, last - first + 1
    while width < wanted:
        more = min(width, wanted - width)
        found |= found << more
        width += more
    return found
