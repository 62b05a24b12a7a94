"""One bar in the making: fed with prices, quotes or shorter bars, in units."""

from __future__ import annotations

from typing import final

from logos.core.bars.grid import Grid
from logos.core.instrument import Instrument
from logos.core.messages import Bar, QuoteBar
from logos.core.types import SIZE_UNKNOWN


@final
class BarMaker:
    """The bars of one length of one symbol, one after the other.

    What is two-sided (quotes, two-sided bars) becomes a `QuoteBar`, the rest a `Bar`. A volume is
    known if that of every part is.
    """

    __slots__ = (
        "ask_close",
        "ask_high",
        "ask_low",
        "ask_open",
        "close",
        "end_ns",
        "grid",
        "high",
        "instrument",
        "is_open",
        "is_two_sided",
        "low",
        "open",
        "start_ns",
        "volume",
    )

    def __init__(self, length_ns: int, instrument: Instrument) -> None:
        self.grid = Grid(length_ns, instrument)
        self.instrument = instrument
        self.is_open: bool = False
        """Whether there is anything of a bar yet."""
        self.is_two_sided: bool = False
        self.start_ns: int = 0
        self.end_ns: int = 0
        """When the bar that is open ends."""
        self.open: int = 0
        self.high: int = 0
        self.low: int = 0
        self.close: int = 0
        self.ask_open: int = 0
        self.ask_high: int = 0
        self.ask_low: int = 0
        self.ask_close: int = 0
        self.volume: int = 0

    def add_price(self, ts_ns: int, price: int, size: int) -> bool:
        """A trade. False: it lies outside of the hours, or before the bar that is open."""
        if not self._take_in(ts_ns):
            return False
        if not self.is_open:
            self._begin(False, price, 0)
        self._see(price, price, price)
        self._add_volume(size)
        return True

    def add_quote(self, ts_ns: int, bid: int, ask: int) -> bool:
        """A quote; as `add_price`."""
        if not self._take_in(ts_ns):
            return False
        if not self.is_open:
            self._begin(True, bid, ask)
        self._see(bid, bid, bid)
        self._see_ask(ask, ask, ask)
        self.volume = SIZE_UNKNOWN
        return True

    def add_bar(self, opened_ns: int, bar: Bar | QuoteBar) -> bool:
        """A shorter bar that began at `opened_ns`; as `add_price`.

        Where both kinds meet in one bar, a price of a one-sided one counts as bid and as ask.
        """
        if not self._take_in(opened_ns):
            return False
        if type(bar) is QuoteBar:
            if not self.is_open:
                self._begin(True, bar.bid_open_units, bar.ask_open_units)
            self._become_two_sided()
            self._see(bar.bid_high_units, bar.bid_low_units, bar.bid_close_units)
            self._see_ask(bar.ask_high_units, bar.ask_low_units, bar.ask_close_units)
            self._add_volume(bar.volume_units)
        elif type(bar) is Bar:
            if not self.is_open:
                self._begin(False, bar.open_units, 0)
            self._see(bar.high_units, bar.low_units, bar.close_units)
            if self.is_two_sided:
                self._see_ask(bar.high_units, bar.low_units, bar.close_units)
            self._add_volume(bar.volume_units)
        return True

    def finish(self) -> Bar | QuoteBar:
        """The bar that was open, which is closed by this."""
        self.is_open = False
        symbol = self.instrument.symbol
        length_ns = self.end_ns - self.start_ns
        if not self.is_two_sided:
            return Bar(
                self.end_ns,
                symbol,
                length_ns,
                self.open,
                self.high,
                self.low,
                self.close,
                self.volume,
                self.instrument,
            )
        return QuoteBar(
            self.end_ns,
            symbol,
            length_ns,
            self.open,
            self.high,
            self.low,
            self.close,
            self.ask_open,
            self.ask_high,
            self.ask_low,
            self.ask_close,
            self.volume,
            self.instrument,
        )

    def _take_in(self, ts_ns: int) -> bool:
        """Whether the moment belongs to the bar that is open, or to one that can be begun."""
        if self.is_open:
            return self.start_ns <= ts_ns < self.end_ns
        if not self.grid.place(ts_ns):
            return False
        self.start_ns = self.grid.start_ns
        self.end_ns = self.grid.end_ns
        return True

    def _begin(self, is_two_sided: bool, price: int, ask: int) -> None:
        self.is_open = True
        self.is_two_sided = is_two_sided
        self.open = self.high = self.low = self.close = price
        self.ask_open = self.ask_high = self.ask_low = self.ask_close = ask
        self.volume = 0

    def _become_two_sided(self) -> None:
        if self.is_two_sided:
            return
        self.is_two_sided = True
        self.ask_open = self.open
        self.ask_high = self.high
        self.ask_low = self.low
        self.ask_close = self.close

    def _see(self, high: int, low: int, last: int) -> None:
        self.high = max(self.high, high)
        self.low = min(self.low, low)
        self.close = last

    def _see_ask(self, high: int, low: int, last: int) -> None:
        self.ask_high = max(self.ask_high, high)
        self.ask_low = min(self.ask_low, low)
        self.ask_close = last

    def _add_volume(self, size: int) -> None:
        if size < 0 or self.volume < 0:
            self.volume = SIZE_UNKNOWN
        else:
            self.volume += size
