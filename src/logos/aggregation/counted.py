"""Bars of a number of events, of a traded volume, or of a traded value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any, Self

from logos.core.fixed import parse_units
from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.prices.watch import can_be_prices, lowest_price
from logos.core.types import SIZE_UNKNOWN


class CountedBars(ABC):
    """A bar is closed by the event with which its measure is full, and takes it in whole.

    So what exceeds the measure is not carried over, and one large trade makes one bar. `opened_ns`
    is the time of the first event (of a bar: its open), `ts_ns` that of the last.
    """

    def __init__(self) -> None:
        self._opened_ns = 0
        self._measured = 0
        self._prices: list[int] = []
        """Open, high, low, close; of quotes those of the bid, then those of the ask."""
        self._volume = 0

    def add(self, event: MarketEvent) -> list[Bar | QuoteBar]:
        """Take one event in; the bar that it closes, if it closes one.

        Prices that cannot be prices are left out. Raises ValueError for an event that has not what
        is measured.
        """
        prices = _prices_of(event)
        measure = self._measure(event)
        if not prices:
            return []
        if not self._prices:
            self._opened_ns = event.opened_ns
            self._prices = prices
            self._volume = 0
        elif len(prices) != len(self._prices):
            raise ValueError(f"{event.symbol}: one-sided and two-sided events in one bar")
        else:
            self._prices = [
                figure
                for at in range(0, len(prices), 4)
                for figure in _joined(self._prices[at : at + 4], prices[at : at + 4])
            ]
        size = _size_of(event)
        is_known = size >= 0 and self._volume >= 0
        self._volume = self._volume + size if is_known else SIZE_UNKNOWN
        self._measured += measure
        if self._measured < self._full(event.instrument):
            return []
        return [self._finish(event)]

    @abstractmethod
    def _measure(self, event: MarketEvent) -> int:
        """How much of the measure the event is, in units. Raises ValueError."""

    @abstractmethod
    def _full(self, instrument: Instrument, /) -> int:
        """The measure of a whole bar, in units. Raises ValueError."""

    def _finish(self, event: MarketEvent) -> Bar | QuoteBar:
        prices: list[Any] = self._prices
        self._prices, self._measured = [], 0
        kind = Bar if len(prices) == 4 else QuoteBar
        length_ns = event.ts_ns - self._opened_ns
        figures = (*prices, self._volume, event.instrument)
        return kind(event.ts_ns, event.symbol, length_ns, *figures)

    def save(self) -> dict[str, Any]:
        """All that it remembers, as JSON data."""
        return {
            "opened_ns": self._opened_ns,
            "measured": self._measured,
            "prices": list(self._prices),
            "volume": self._volume,
        }

    def load(self, state: dict[str, Any]) -> Self:
        """Become what `save` told; of one made with the same measure. Returns itself.

        Raises KeyError for a state that lacks something.
        """
        self._opened_ns, self._measured = state["opened_ns"], state["measured"]
        self._prices, self._volume = list(state["prices"]), state["volume"]
        return self


class TickBars(CountedBars):
    """Bars of `count` trades or quotes. Raises ValueError for a count below 1."""

    def __init__(self, count: int) -> None:
        super().__init__()
        if type(count) is not int or count < 1:
            raise ValueError(f"a tick bar has at least 1 tick, not {count!r}")
        self.count = count

    def _measure(self, event: MarketEvent) -> int:
        if isinstance(event, Bar | QuoteBar):
            raise ValueError(f"{event.symbol}: how many ticks a bar is made of is not known")
        return 1

    def _full(self, _instrument: Instrument, /) -> int:
        return self.count


class VolumeBars(CountedBars):
    """Bars of at least `volume` units of the symbol, of trades or shorter bars.

    Raises ValueError for a volume that is not above 0.
    """

    def __init__(self, volume: int | str | Decimal) -> None:
        super().__init__()
        self.volume = _amount(volume)

    def _measure(self, event: MarketEvent) -> int:
        return _known_size(event)

    def _full(self, instrument: Instrument, /) -> int:
        return parse_units(self.volume, instrument.quantity_decimals)


class DollarBars(CountedBars):
    """Bars in which at least `value` of the quote currency was traded, of trades or shorter bars;
    a shorter bar is valued at its close.

    Raises ValueError for a value that is not above 0.
    """

    def __init__(self, value: int | str | Decimal) -> None:
        super().__init__()
        self.value = _amount(value)

    def _measure(self, event: MarketEvent) -> int:
        price = event.close_units if isinstance(event, Bar) else 0
        if isinstance(event, Trade):
            price = event.price_units
        return event.instrument.value(price, _known_size(event))

    def _full(self, instrument: Instrument, /) -> int:
        return parse_units(self.value, instrument.value_decimals)


def _amount(given: int | str | Decimal) -> Decimal:
    if isinstance(given, bool | float):
        raise ValueError(f"{given!r} is not exact: write a whole number, text or a Decimal")
    amount = Decimal(given)
    if not amount.is_finite() or amount <= 0:
        raise ValueError(f"a bar needs more than {given} to be full")
    return amount


def _prices_of(event: MarketEvent) -> list[int]:
    """Open, high, low and close of one side or both; empty for what cannot be prices."""
    if not can_be_prices(event, lowest_price(event.instrument)):
        return []
    if isinstance(event, Quote):
        return [event.bid_units] * 4 + [event.ask_units] * 4
    if isinstance(event, Trade):
        return [event.price_units] * 4
    if isinstance(event, Bar):
        return [event.open_units, event.high_units, event.low_units, event.close_units]
    return [
        *(event.bid_open_units, event.bid_high_units, event.bid_low_units, event.bid_close_units),
        *(event.ask_open_units, event.ask_high_units, event.ask_low_units, event.ask_close_units),
    ]


def _joined(early: list[int], late: list[int]) -> list[int]:
    return [early[0], max(early[1], late[1]), min(early[2], late[2]), late[3]]


def _size_of(event: MarketEvent) -> int:
    if isinstance(event, Trade):
        return event.size_units
    return event.volume_units if isinstance(event, Bar | QuoteBar) else SIZE_UNKNOWN


def _known_size(event: MarketEvent) -> int:
    size = _size_of(event)
    if isinstance(event, QuoteBar) or size < 0:
        raise ValueError(
            f"{event.symbol}: a {type(event).__name__} here has no traded volume to be counted"
        )
    return size
