"""Round trips: what a trader calls a trade, made of the fills and lots of a session.

A trip is what one entry order opened and one exit order closed, paired first in, first out as the
books pair their lots. Fills of one order are together, however many parts it was filled in: an
order is what the strategy decided, and its tag names the decision. An exit that closes what two
orders opened ends two trips, and an entry that two orders close is two trips. From flat to flat
would be fewer, but a strategy that is never flat would have none, and a trip would have many tags.

Profit and fees are those of the books: `lots_closed` of trades.csv. So the nets of all trips, what
is still open and what no fill made (payments, dividends) add up to the change of equity.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Final

import msgspec

from logos.config import Config
from logos.session.artifacts.derived.cells import EXACT, QUOTIENT, number
from logos.session.artifacts.rows import Moments, cell, text_cell

TRIPS: Final = "trips.csv"

TRIP_COLUMNS: Final = (
    "trip",
    "symbol",
    "currency",
    "side",
    "quantity",
    "entry_time",
    "entry_price",
    "exit_time",
    "exit_price",
    "gross",
    "fees",
    "net",
    "return",
    "mae",
    "mfe",
    "entry_order_id",
    "exit_order_id",
    "entry_tag",
    "exit_tag",
)

_MEAN_DECIMALS: Final = 6
"""A mean price may have so many decimals more than a price."""

_RATIO: Final = Decimal(1).scaleb(-10)


class Worth(msgspec.Struct, frozen=True):
    """What a quantity of a symbol is worth at a price."""

    multiplier: Decimal
    is_inverse: bool = False

    def of(self, price: Decimal, quantity: Decimal) -> Decimal:
        """In the quote currency, of an inverse contract in its coin; 0 without a price."""
        if not self.is_inverse:
            return EXACT.multiply(EXACT.multiply(price, quantity), self.multiplier)
        if not price:
            return Decimal(0)
        return QUOTIENT.divide(EXACT.multiply(quantity, self.multiplier), price)


class RoundTrip(msgspec.Struct, gc=False):
    """A round trip as it adds up. Money is exact, and in `currency`."""

    symbol: str
    currency: str
    is_long: bool
    entry_order_id: int
    exit_order_id: int
    entry_ns: int
    exit_ns: int
    quantity: Decimal = Decimal(0)
    entry_value: Decimal = Decimal(0)
    """Sum of price times quantity at the entry; `exit_value` at the exit."""
    exit_value: Decimal = Decimal(0)
    worth: Decimal = Decimal(0)
    """Of the quantity at the entry."""
    gross: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    price_exponent: int = 0
    money_exponent: int = 0
    entry_tag: str = ""
    exit_tag: str = ""
    mae: Decimal | None = None
    mfe: Decimal | None = None
    entry_level: Decimal | None = None
    """The price of all its entries, and `exit_level` of its exits; None: they differ."""
    exit_level: Decimal | None = None

    @property
    def entry_price(self) -> Decimal:
        """Mean by quantity, rounded half even six decimals behind the price's own."""
        return self._mean(self.entry_value, self.entry_level)

    @property
    def exit_price(self) -> Decimal:
        """As `entry_price`."""
        return self._mean(self.exit_value, self.exit_level)

    @property
    def net(self) -> Decimal:
        """Profit after fees."""
        return EXACT.subtract(self.gross, self.fees)

    @property
    def ratio(self) -> Decimal | None:
        """`net` over the worth at the entry, rounded half even to ten decimals."""
        if not self.worth:
            return None
        return QUOTIENT.divide(self.net, abs(self.worth)).quantize(_RATIO, context=EXACT)

    def _mean(self, value: Decimal, level: Decimal | None) -> Decimal:
        step = _unit(self.price_exponent)
        if level is not None and level.same_quantum(step):
            return level
        mean = QUOTIENT.divide(value, self.quantity)
        short = mean.quantize(step, context=EXACT)
        if short == mean:
            return short
        return mean.quantize(step.scaleb(-_MEAN_DECIMALS), context=EXACT)


class TakenLot(msgspec.Struct, frozen=True, gc=False):
    """A lot that was open when the session began; `left` has no sign."""

    lot_id: int
    opened_ns: int
    left: Decimal
    price: Decimal


def taken_lots(config: Config) -> dict[str, list[TakenLot]]:
    """What the session took over from another one, by symbol (see `[carry]`)."""
    if isinstance(config.carry, msgspec.UnsetType):
        return {}
    found = {}
    for symbol, carried in config.carry.symbols.items():
        words = [text.split(" ") for text in carried.lots]
        found[symbol] = [
            TakenLot(int(each[0]), int(each[4]), abs(number(each[1])), number(each[2]))
            for each in words
        ]
    return found


def trip_row(number_: int, trip: RoundTrip, moments: Moments) -> str:
    """A line of trips.csv."""
    ratio, money = trip.ratio, trip.money_exponent
    mae = "" if trip.mae is None else _plain(trip.mae.quantize(_unit(money), context=EXACT))
    mfe = "" if trip.mfe is None else _plain(trip.mfe.quantize(_unit(money), context=EXACT))
    return (
        f"{number_},{cell(trip.symbol)},{cell(trip.currency)},"
        f"{'LONG' if trip.is_long else 'SHORT'},{_plain(trip.quantity)},"
        f"{moments.text(trip.entry_ns)},{_plain(trip.entry_price)},"
        f"{moments.text(trip.exit_ns)},{_plain(trip.exit_price)},"
        f"{_plain(trip.gross)},{_plain(trip.fees)},{_plain(trip.net)},"
        f"{'' if ratio is None else _plain(ratio)},"
        f"{mae},{mfe},{trip.entry_order_id},{trip.exit_order_id},"
        f"{cell(text_cell(trip.entry_tag))},{cell(text_cell(trip.exit_tag))}\n"
    )


def _plain(figure: Decimal) -> str:
    """As plain digits. `str` has the same, in a third of the time, unless it takes to an `E`."""
    text = str(figure)
    return f"{figure:f}" if "E" in text else text


@cache
def _unit(exponent: int) -> Decimal:
    return Decimal(1).scaleb(exponent)
