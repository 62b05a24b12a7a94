"""How far a round trip was against its owner, and how far for him: MAE and MFE.

Problem: the books know a trip's beginning and end; what its price did in between is in the data of
the session. Method: the data is read once more, column by column, and of every block the lowest and
the highest between a trip's entry and exit is looked up, in spans of 64 rows, so that long trips
cost no more than short ones.

Rules. A long trip is valued at bids, a short one at asks. A bar counts whole: where orders fill at
the open of a bar the entry's bar is in, and the exit's is not; where they fill at its close it is
the other way round. A quote or a trade at either end is in. The exit's own price always counts. The
whole quantity of the trip counts from its first fill. Prices that the instrument cannot have, of 0
and less, are left out. A trip over a split has neither, as prices on both sides are not the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from logos.core.instrument import Instrument
from logos.session.artifacts.derived.prices import PriceBlock
from logos.session.artifacts.derived.reading import EXACT
from logos.session.artifacts.derived.trips import RoundTrip, Worth

_SPAN: Final = 64
_HIGH, _LOW = 1, 2


class _Extreme:
    """The lowest or the highest of any stretch of one column."""

    def __init__(self, column: Sequence[int], best: Callable[..., int]) -> None:
        self._column = column
        self._best = best
        self._spans = [best(column[i : i + _SPAN]) for i in range(0, len(column), _SPAN)]

    def between(self, start: int, end: int) -> int:
        """Of rows `start` to `end` (not included), at least one."""
        best, first, last = self._best, -(-start // _SPAN), end // _SPAN
        if first >= last:
            return best(self._column[start:end])
        found = [best(self._spans[first:last])]
        if start < first * _SPAN:
            found.append(best(self._column[start : first * _SPAN]))
        if last * _SPAN < end:
            found.append(best(self._column[last * _SPAN : end]))
        return best(found)


class _Watched:
    """A trip, and the lowest and highest price of its side so far."""

    __slots__ = ("high", "low", "trip")

    def __init__(self, trip: RoundTrip) -> None:
        self.trip = trip
        self.low: int | None = None
        self.high: int | None = None

    def see(self, low: int, high: int) -> None:
        """Prices between its ends."""
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)


class _Symbol:
    """The trips of one symbol while one stream of its prices is read."""

    def __init__(self, watched: Iterable[_Watched], at_close: bool) -> None:
        self._pending = deque(sorted(watched, key=lambda each: each.trip.entry_ns))
        self._open: list[_Watched] = []
        self._at_close = at_close

    def see(self, block: PriceBlock) -> None:
        """The next block of prices."""
        times = block.ts_ns
        while self._pending and self._pending[0].trip.entry_ns <= times[-1]:
            self._open.append(self._pending.popleft())
        if not self._open:
            return
        sides = {
            True: (_Extreme(block.bid[_LOW], min), _Extreme(block.bid[_HIGH], max)),
            False: (_Extreme(block.ask[_LOW], min), _Extreme(block.ask[_HIGH], max)),
        }
        after = bisect_right if block.are_bars and self._at_close else bisect_left
        until = bisect_left if block.are_bars and not self._at_close else bisect_right
        left = []
        for each in self._open:
            start, end = after(times, each.trip.entry_ns), until(times, each.trip.exit_ns)
            if start < end:
                lows, highs = sides[each.trip.is_long]
                each.see(lows.between(start, end), highs.between(start, end))
            if each.trip.exit_ns >= times[-1]:
                left.append(each)
        self._open = left


def add_excursions(
    trips: Sequence[RoundTrip],
    streams: Iterable[tuple[str, Iterable[PriceBlock]]],
    instruments: Mapping[str, Instrument],
    worths: Mapping[str, Worth],
    splits_ns: Mapping[str, Sequence[int]],
    *,
    at_close: bool,
) -> None:
    """Give every trip its `mae` and `mfe`. `streams` as `price_streams` has them, `splits_ns` the
    times of each symbol's splits, `at_close` whether orders fill at the close of a bar."""
    watched = [_Watched(trip) for trip in trips if not _is_split(trip, splits_ns)]
    by_symbol: dict[str, list[_Watched]] = {}
    for each in watched:
        by_symbol.setdefault(each.trip.symbol, []).append(each)
    for name, blocks in streams:
        if name and name not in by_symbol:
            continue
        symbols = {
            symbol: _Symbol(of_symbol, at_close)
            for symbol, of_symbol in by_symbol.items()
            if not name or symbol == name
        }
        for block in _usable(blocks, instruments):
            if block.symbol in symbols:
                symbols[block.symbol].see(block)
    for each in watched:
        instrument = instruments[each.trip.symbol]
        _settle(each, worths[each.trip.symbol], instrument.price_decimals)


def _is_split(trip: RoundTrip, splits_ns: Mapping[str, Sequence[int]]) -> bool:
    return any(trip.entry_ns < each <= trip.exit_ns for each in splits_ns.get(trip.symbol, ()))


def _usable(
    blocks: Iterable[PriceBlock], instruments: Mapping[str, Instrument]
) -> Iterable[PriceBlock]:
    """Blocks without rows whose lowest price is none."""
    for block in blocks:
        if not block.ts_ns:
            continue
        lows = block.bid[_LOW]
        if instruments[block.symbol].allows_negative or min(lows) > 0:
            yield block
            continue
        rows = [row for row, low in enumerate(lows) if low > 0]
        if rows:
            bid, ask = (
                tuple([column[row] for row in rows] for column in side)
                for side in (block.bid, block.ask)
            )
            times = [block.ts_ns[row] for row in rows]
            yield PriceBlock(block.symbol, times, bid, ask, block.are_bars)  # type: ignore[arg-type]


def _settle(watched: _Watched, worth: Worth, price_decimals: int) -> None:
    trip, zero = watched.trip, EXACT.subtract(watched.trip.gross, watched.trip.gross)
    gains = [trip.gross, zero]
    for units in (watched.low, watched.high):
        if units is not None:
            price = Decimal(units).scaleb(-price_decimals, context=EXACT)
            gains.append(_gain(trip, worth, price))
    trip.mae = min(gains).copy_abs()
    trip.mfe = max(gains)


def _gain(trip: RoundTrip, worth: Worth, price: Decimal) -> Decimal:
    """What the trip's whole quantity would have gained at `price`, in the decimals of its money."""
    gain = EXACT.subtract(worth.of(price, trip.quantity), trip.worth)
    if trip.is_long == worth.is_inverse:
        gain = gain.copy_negate()
    return gain.quantize(Decimal(1).scaleb(trip.money_exponent), context=EXACT)
