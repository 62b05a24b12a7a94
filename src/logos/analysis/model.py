"""The shapes of an analysis. Everything here is plain data, read from the files of one session.

Units. Money is an exact `Decimal` of the currency that stands beside it. A ratio is a float, 0.01
for one per cent, or None where it is not defined. Times are nanoseconds UTC of the session's
events, never of a clock on the wall; durations are nanoseconds. docs/RESULTS.md has the conventions
of every figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from logos.analysis.figures import Period, Slot, Statistics, SymbolFigures

POINTS_MAX: Final = 2_000
"""Points of an equity curve at most."""

BARS_MAX: Final = 20_000
"""Bars of a symbol's prices at most."""

TRIPS_MAX: Final = 20_000
"""Round trips that an analysis keeps at most, the last ones; its figures are of all."""

FILLS_MAX: Final = 20_000
"""Fills that an analysis keeps at most, the last ones."""

EVENTS_MAX: Final = 1_000
"""Refusals, guards and the like that an analysis keeps at most, the first ones."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Which session it is. Text that strangers wrote (strategy, symbols, reason) is as written."""

    session_id: str
    folder: Path
    strategy: str
    symbols: tuple[str, ...]
    """In the order of the settings."""
    mode: str
    """"paper", or "live" where orders go to a real venue."""
    data: str
    """"recorded", or the name of the live feed."""
    currencies: tuple[str, ...]
    """Of the books, in the order of the settings."""
    currency: str
    """That of `Analysis.statistics`."""
    begun_ns: int | None
    """Of the first event; None: there was none yet."""
    ended_ns: int | None
    """Of the last event that is known."""
    outcome: str
    """How it was sealed (ENDED, STOPPED, HALTED, FAILED, CRASHED_RECOVERED), else RUNNING, CRASHED
    or UNKNOWN."""
    is_finished: bool
    """Whether it was sealed and all its files are there."""
    reason: str
    """Why it ended, in words; empty while it is not finished."""
    exit_code: int | None
    """Of the process that ended it; None while it is not finished."""
    ticks: int | None
    """Events; None while it is not finished."""
    orders: int
    fills: int
    refused: int
    seed: int
    software: str
    """Version of logos that ran it."""
    config_hash: str
    data_files: Mapping[str, str] = {}
    """SHA-256 of each file of market data, by its name."""


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A round trip: what one entry order opened and one exit order closed, first in, first out.

    Fills of one order are together; an exit that closes what two orders had opened ends two trips.
    Prices are means by quantity. All money is in `currency`.
    """

    number: int
    """From 1, in the order in which trips ended."""
    symbol: str
    currency: str
    side: str
    """"LONG" or "SHORT"."""
    quantity: Decimal
    """Above 0."""
    entry_ns: int
    """Of the first fill of the entry that it has a part of."""
    entry_price: Decimal
    exit_ns: int
    """Of the last fill of the exit."""
    exit_price: Decimal
    gross: Decimal
    """Profit before fees."""
    fees: Decimal
    """Its share of the entry's fees, and the exit's."""
    net: Decimal
    """`gross - fees`."""
    ratio: float | None
    """`net` over what the quantity was worth at the entry."""
    mae: Decimal | None
    """Maximum adverse excursion: the deepest open loss between entry and exit, at the prices of
    the session, as an amount of 0 or more; None: the prices were not read."""
    mfe: Decimal | None
    """Maximum favourable excursion: the highest open profit, 0 or more."""
    entry_order_id: int
    exit_order_id: int
    entry_tag: str
    """The strategy's name for the order; may be empty."""
    exit_tag: str

    @property
    def duration_ns(self) -> int:
        """From the first fill of the entry to the last one of the exit."""
        return self.exit_ns - self.entry_ns


class OpenTrip(msgspec.Struct, frozen=True, kw_only=True):
    """What one order opened and nothing has closed yet, at the last known mark."""

    symbol: str
    currency: str
    side: str
    quantity: Decimal
    entry_ns: int
    entry_price: Decimal
    mark: Decimal
    """The price it is valued at; 0: none was seen yet."""
    unrealised: Decimal
    """Open profit before fees."""
    entry_order_id: int
    entry_tag: str


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One fill: a mark in the chart of its symbol."""

    fill_id: int
    time_ns: int
    order_id: int
    symbol: str
    side: str
    """"BUY" or "SELL"."""
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    realised: Decimal
    """Gross profit of what it closed."""
    position: Decimal
    """Signed, after it."""
    tag: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal, a guard, a warning, a command or a change of the switch, as the journal has it."""

    time_ns: int
    tick_id: int
    kind: str
    """"refusal", "guard", "warning", "command" or "switch"."""
    code: str
    """The code; of a command its action, of the switch its state."""
    symbol: str
    """Or the guard's subject; empty: the whole session."""
    detail: str


class Equity(msgspec.Struct, frozen=True, kw_only=True):
    """A curve of equity in one currency, at most POINTS_MAX points in order of time.

    Where samples had to be left out, the highest and the lowest of each stretch are kept. The
    highest equity and the deepest fall, which the session saw after any event, are among them, at
    the time of the sample that first showed them.
    """

    time_ns: tuple[int, ...] = ()
    equity: tuple[Decimal, ...] = ()
    drawdown: tuple[Decimal, ...] = ()
    """How far below the highest equity before, 0 or more."""
    drawdown_ratio: tuple[float | None, ...] = ()
    """The same over that highest equity."""


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of one symbol as bars, at most BARS_MAX; for charts, so floats.

    Of quotes, the middle of bid and ask. `interval_ns` is the length of a bar after decimation.
    """

    symbol: str
    interval_ns: int = 0
    time_ns: tuple[int, ...] = ()
    """When each bar closed."""
    open: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    close: tuple[float, ...] = ()
    problem: str = ""
    """Why there are none, in words: the data is no longer there, or has changed."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One currency, or all of them in the reporting currency."""

    name: str
    """The currency, or "total"."""
    currency: str
    statistics: Statistics
    equity: Equity = Equity()
    returns: tuple[tuple[str, float], ...] = ()
    """Daily returns as (date, ratio), what the figures for a year are made of."""
    by_hour: tuple[Slot, ...] = ()
    """Hours with trips, of the book's zone."""
    by_weekday: tuple[Slot, ...] = ()
    monthly: tuple[Period, ...] = ()
    yearly: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One session, read. `statistics`, `equity` and the like are those of its first book: the total
    in the reporting currency where there is one, else the first currency."""

    facts: Facts
    books: tuple[Book, ...]
    """The total first, where there is one; then each currency. Never empty."""
    by_symbol: tuple[SymbolFigures, ...] = ()
    trips: tuple[Trip, ...] = ()
    """The last TRIPS_MAX, in the order in which they ended."""
    open_trips: tuple[OpenTrip, ...] = ()
    fills: tuple[Fill, ...] = ()
    """The last FILLS_MAX, in order."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    """How many intents were refused by each code; one that several guards refused counts once."""
    events: tuple[Event, ...] = ()
    """The first EVENTS_MAX refusals, guards, warnings, commands and changes of the switch."""
    notes: tuple[str, ...] = ()
    """What could not be read or computed, a sentence each."""
    read_prices: Callable[[str, int], Bars] = field(repr=False)
    """What `prices` asks."""

    @property
    def statistics(self) -> Statistics:
        """All figures of the first book."""
        return self.books[0].statistics

    @property
    def equity(self) -> Equity:
        """The first book's curve."""
        return self.books[0].equity

    @property
    def by_hour(self) -> tuple[Slot, ...]:
        """The first book's trips by the hour of their entry."""
        return self.books[0].by_hour

    @property
    def by_weekday(self) -> tuple[Slot, ...]:
        """The first book's trips by the weekday of their entry."""
        return self.books[0].by_weekday

    @property
    def monthly(self) -> tuple[Period, ...]:
        """The first book's months."""
        return self.books[0].monthly

    @property
    def yearly(self) -> tuple[Period, ...]:
        """The first book's years."""
        return self.books[0].yearly

    def book(self, name: str) -> Book:
        """The book of a currency, or "total"; raises KeyError when there is none."""
        for each in self.books:
            if each.name == name:
                return each
        raise KeyError(name)

    def prices(self, symbol: str, bars_max: int = BARS_MAX) -> Bars:
        """The symbol's prices in the session, read from its data now, as at most `bars_max` bars;
        empty with a `problem` where they cannot be read."""
        return self.read_prices(symbol, bars_max)
