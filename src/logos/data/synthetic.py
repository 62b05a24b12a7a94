"""Made-up markets from a seed: bars, quotes and trades for tests, fixtures and benchmarks.

The problem is sameness: one seed must give the same events on every Python, on every machine.
So everything here is integer arithmetic, driven by `random.Random.getrandbits` alone, and no
float is ever formed. A price is a walk in millionths of a tick: each step is a bell-shaped
integer (the number of ones among 64 random bits, less 32: standard deviation 4) times the price
times a volatility in parts per million; what is shown is the tick nearest to the walk, never
below one tick. Bars are eight such steps each, so their four prices belong together.

Nothing here is a model to trade on. The shapes are those that trading software trips over:
overnight gaps, volume that is high at both ends of the session, calm and wild spells, spreads
that widen at the daily roll, weekends, many events on one timestamp.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from logos.core.instrument import Instrument
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE

GENERATOR_VERSION: Final = 1
"""Raised whenever the same seed no longer gives the same events."""

MINUTES_PER_DAY: Final = 1440
SESSION_OPEN_MINUTE: Final = 13 * 60 + 30  # equities trade 13:30Z to 20:00Z
SESSION_MINUTES: Final = 390
ROLL_MINUTE: Final = 21 * 60  # the forex day and week turn over at 21:00Z
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6

_FINE: Final = 1_000_000  # the walk's units per tick
_STEPS_PER_BAR: Final = 8
_BELL_DEVIATION: Final = 4  # of bit_count(64 random bits) - 32
_BELL_DIVISOR: Final = _BELL_DEVIATION * 1_000_000


def generator_of(seed: int, label: str) -> random.Random:
    """The generator of one stream: independent for each label, the same for each seed.

    Raises ValueError for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"a seed is a whole number of 0 or more, not {seed}")
    # Text seeds go through SHA-512, so neither hash order nor the Python version matters.
    return random.Random(f"{seed}/{label}")  # noqa: S311 - reproducible, not secret


def weekday(ts_ns: int) -> int:
    """The UTC day of the week, Monday 0; 1970-01-01 was a Thursday."""
    return (ts_ns // NS_PER_DAY + 3) % 7


def minute_of_day(ts_ns: int) -> int:
    """Minutes since 00:00Z."""
    return ts_ns % NS_PER_DAY // NS_PER_MINUTE


class _Walk:
    """A price walk of one symbol. Volatility is per step, in parts per million of the price."""

    def __init__(self, generator: random.Random, start_ticks: int) -> None:
        if start_ticks < 1:
            raise ValueError(f"a price starts at one tick or more, not {start_ticks}")
        self._bits = generator.getrandbits
        self._fine = start_ticks * _FINE

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return self._bits(32) * limit >> 32

    def ticks(self) -> int:
        """The price now, in ticks, one or more."""
        return max(1, (self._fine + _FINE // 2) // _FINE)

    def step(self, volatility_ppm: int) -> int:
        """Move once and return the price in ticks."""
        bell = self._bits(64).bit_count() - 32
        # Half the divisor is added so that flooring has no drift.
        move = (bell * self._fine * volatility_ppm + _BELL_DIVISOR // 2) // _BELL_DIVISOR
        self._fine = max(_FINE, self._fine + move)
        return self.ticks()

    def path(self, volatility_ppm: int) -> list[int]:
        """The prices that one bar visits, in ticks."""
        return [self.step(volatility_ppm) for _ in range(_STEPS_PER_BAR)]


def _bar(instrument: Instrument, opened_ns: int, path: Sequence[int], volume_lots: int) -> Bar:
    tick = instrument.tick
    return Bar(
        ts_ns=opened_ns + NS_PER_MINUTE,
        symbol=instrument.symbol,
        interval_ns=NS_PER_MINUTE,
        open_units=path[0] * tick,
        high_units=max(path) * tick,
        low_units=min(path) * tick,
        close_units=path[-1] * tick,
        volume_units=volume_lots * instrument.lot,
        instrument=instrument,
    )


def equity_bars(
    instrument: Instrument,
    start_ns: int,
    count: int,
    seed: int,
    *,
    start_ticks: int,
    volatility_ppm: int = 280,
    gap_ppm: int = 6_000,
    volume_lots: int = 4_000,
) -> Iterator[Bar]:
    """`count` minute bars of regular sessions (weekdays, 13:30Z to 20:00Z) from `start_ns` on.

    `volatility_ppm` is per eighth of a minute at midday, `gap_ppm` the size of the overnight
    gap, `volume_lots` a typical midday minute. Volatility and volume follow a U over the session.
    """
    walk = _Walk(generator_of(seed, f"equity/{instrument.symbol}"), start_ticks)
    opened_ns = _next_minute(start_ns)
    made = 0
    while made < count:
        minute = minute_of_day(opened_ns) - SESSION_OPEN_MINUTE
        if weekday(opened_ns) >= SATURDAY or not 0 <= minute < SESSION_MINUTES:
            opened_ns += NS_PER_MINUTE
            continue
        if minute == 0 and made:
            walk.step(gap_ppm)
        shape = _u_shape_percent(minute)
        path = walk.path(volatility_ppm * (100 + shape) // 200)
        volume = volume_lots * shape * (50 + walk.below(101)) // 10_000
        yield _bar(instrument, opened_ns, path, volume)
        opened_ns += NS_PER_MINUTE
        made += 1


def _u_shape_percent(minute: int) -> int:
    """100 at midday, rising with the square of the distance to 400 at open and close."""
    edge = SESSION_MINUTES - 1
    return 100 + 300 * (2 * minute - edge) ** 2 // edge**2


def _next_minute(ts_ns: int) -> int:
    """The first whole minute at or after `ts_ns`."""
    return -(-ts_ns // NS_PER_MINUTE) * NS_PER_MINUTE


def crypto_bars(
    instrument: Instrument,
    start_ns: int,
    count: int,
    seed: int,
    *,
    start_ticks: int,
    volatility_ppm: int = 200,
    volume_lots: int = 900_000,
) -> Iterator[Bar]:
    """`count` minute bars around the clock from `start_ns` on, in calm and wild spells.

    The volatility of a minute (per eighth of it) is a tenth of its long-run level, most of the
    minute before, and a share of how far that minute went; one minute in 256 it jumps. Volume
    follows it.
    """
    walk = _Walk(generator_of(seed, f"crypto/{instrument.symbol}"), start_ticks)
    first_ns = _next_minute(start_ns)
    volatility = volatility_ppm
    previous = start_ticks
    for opened_ns in range(first_ns, first_ns + count * NS_PER_MINUTE, NS_PER_MINUTE):
        path = walk.path(volatility)
        volume = volume_lots * volatility * (25 + walk.below(151)) // (100 * volatility_ppm)
        yield _bar(instrument, opened_ns, path, volume)
        # A minute of eight steps goes 2.26 step volatilities far on average.
        moved_ppm = abs(path[-1] - previous) * 100_000_000 // (226 * previous)
        volatility = (10 * volatility_ppm + 75 * volatility + 15 * moved_ppm) // 100
        if walk.below(256) == 0:
            volatility *= 4
        volatility = max(1, min(volatility, 12 * volatility_ppm))
        previous = path[-1]


def forex_is_open(ts_ns: int) -> bool:
    """Whether forex trades: from Sunday 21:00Z to Friday 21:00Z."""
    day = weekday(ts_ns)
    if day == SUNDAY:
        return minute_of_day(ts_ns) >= ROLL_MINUTE
    if day == FRIDAY:
        return minute_of_day(ts_ns) < ROLL_MINUTE
    return day != SATURDAY


def forex_bars(
    instrument: Instrument,
    start_ns: int,
    count: int,
    seed: int,
    *,
    start_ticks: int,
    volatility_ppm: int = 25,
    gap_ppm: int = 800,
    spread_ticks: int = 8,
    volume_lots: int = 300,
) -> Iterator[QuoteBar]:
    """`count` two-sided minute bars of the forex week from `start_ns` on.

    `spread_ticks` is the usual spread; around the roll at 21:00Z it is up to eight times that.
    `gap_ppm` is the size of the gap over a weekend. The bid's walk starts at `start_ticks`.
    """
    walk = _Walk(generator_of(seed, f"forex/{instrument.symbol}"), start_ticks)
    opened_ns = _next_minute(start_ns)
    made = 0
    closed_since_last = False
    while made < count:
        if not forex_is_open(opened_ns):
            closed_since_last = made > 0
            opened_ns += NS_PER_MINUTE
            continue
        if closed_since_last:
            walk.step(gap_ppm)
            closed_since_last = False
        bids = walk.path(volatility_ppm)
        usual = spread_ticks * _roll_factor(minute_of_day(opened_ns))
        asks = [bid + max(1, usual * (75 + walk.below(51)) // 100) for bid in bids]
        volume = volume_lots * (50 + walk.below(101)) // 100
        yield _quote_bar(instrument, opened_ns, bids, asks, volume)
        opened_ns += NS_PER_MINUTE
        made += 1


def _roll_factor(minute: int) -> int:
    """How many times the usual spread: 8 at the roll, falling to 1 within 28 minutes."""
    distance = abs(minute - ROLL_MINUTE)
    return 1 + max(0, 28 - min(distance, MINUTES_PER_DAY - distance)) // 4


def _quote_bar(
    instrument: Instrument,
    opened_ns: int,
    bids: Sequence[int],
    asks: Sequence[int],
    volume_lots: int,
) -> QuoteBar:
    tick = instrument.tick
    return QuoteBar(
        ts_ns=opened_ns + NS_PER_MINUTE,
        symbol=instrument.symbol,
        interval_ns=NS_PER_MINUTE,
        bid_open_units=bids[0] * tick,
        bid_high_units=max(bids) * tick,
        bid_low_units=min(bids) * tick,
        bid_close_units=bids[-1] * tick,
        ask_open_units=asks[0] * tick,
        ask_high_units=max(asks) * tick,
        ask_low_units=min(asks) * tick,
        ask_close_units=asks[-1] * tick,
        volume_units=volume_lots * instrument.lot,
        instrument=instrument,
    )


_MOVES: Final = (-3, -2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3)
_SPREADS: Final = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 8)


def tick_events(
    instruments: Sequence[Instrument],
    count: int,
    seed: int,
    *,
    start_ns: int = 0,
    half_life_us: int = 1_000,
    start_ticks: int = 100_000,
    size_lots: int = 1_000,
    chunk_size: int = 4_096,
) -> Iterator[list[Quote]]:
    """`count` quotes over all `instruments`, mixed, in chunks of at most `chunk_size`.

    Time steps are irregular (whole microseconds; `half_life_us` is their median, one in sixteen
    is zero) and never go back. Only one chunk is in memory at a time. A move is a few hundred
    thousandths of `start_ticks`, sizes are 1 to `size_lots` lots. Raises ValueError when there
    are no instruments, or when a figure is out of range.
    """
    for name, figure in (
        ("half_life_us", half_life_us),
        ("start_ticks", start_ticks),
        ("size_lots", size_lots),
        ("chunk_size", chunk_size),
    ):
        if figure < 1:
            raise ValueError(f"{name} must be 1 or more, not {figure}")
    if not instruments:
        raise ValueError("tick events need at least one instrument")
    label = ",".join(instrument.symbol for instrument in instruments)
    bits = generator_of(seed, f"ticks/{label}").getrandbits
    return _tick_chunks(
        instruments, count, bits, start_ns, half_life_us, start_ticks, size_lots, chunk_size
    )


def _tick_chunks(
    instruments: Sequence[Instrument],
    count: int,
    bits: Callable[[int], int],
    ts_ns: int,
    half_life_us: int,
    start_ticks: int,
    size_lots: int,
    chunk_size: int,
) -> Iterator[list[Quote]]:
    """The loop of `tick_events`: one draw of 128 bits per quote, cut into its parts."""
    width = len(instruments)
    bids = [start_ticks] * width
    scale = max(1, start_ticks // 100_000)
    for first in range(0, count, chunk_size):
        chunk: list[Quote] = []
        for _ in range(min(chunk_size, count - first)):
            draw = bits(128)
            low, high = draw & 0xFFFFFFFFFFFFFFFF, draw >> 64
            if low & 15:
                # An exponential in straight pieces: so many half-lives, and a part of the next.
                halves = 32 - (high >> 32).bit_length()
                ts_ns += (half_life_us * (halves << 16 | high & 0xFFFF) >> 16) * 1_000
            index = (high >> 16 & 0xFFFF) * width >> 16
            move = _MOVES[low >> 4 & 15] * (1 + ((low >> 12 & 0xFFF) * scale >> 12))
            bid = max(1, bids[index] + move)
            bids[index] = bid
            instrument = instruments[index]
            tick = instrument.tick
            lot = instrument.lot
            chunk.append(
                Quote(
                    ts_ns,
                    instrument.symbol,
                    bid * tick,
                    (bid + _SPREADS[low >> 8 & 15]) * tick,
                    (1 + ((low >> 24 & 0xFFFF) * size_lots >> 16)) * lot,
                    (1 + ((low >> 40 & 0xFFFF) * size_lots >> 16)) * lot,
                    instrument,
                )
            )
        yield chunk


def trades_at(quotes: Iterable[Quote], seed: int, *, one_in: int = 3) -> Iterator[Trade]:
    """Trades that agree with `quotes`: about one for each `one_in` of them, at its moment.

    A buyer takes the ask, a seller the bid, and never more than is shown there; so the quotes
    must report sizes of a lot or more, as those of `tick_events` do.
    """
    bits = generator_of(seed, "trades").getrandbits
    for quote in quotes:
        draw = bits(64)
        if (draw & 0xFFFF) * one_in >> 16:
            continue
        buys = bool(draw >> 16 & 1)
        lot = quote.instrument.lot
        shown_lots = (quote.ask_size_units if buys else quote.bid_size_units) // lot
        yield Trade(
            quote.ts_ns,
            quote.symbol,
            quote.ask_units if buys else quote.bid_units,
            (1 + ((draw >> 32) * shown_lots >> 32)) * lot,
            "BUY" if buys else "SELL",
            quote.instrument,
        )
