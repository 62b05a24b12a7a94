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

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final

import msgspec

from logos.config import Config
from logos.session.artifacts.derived.orders import FilledOrder, OrdersInTurn
from logos.session.artifacts.derived.reading import EXACT, QUOTIENT, Cells, Row, number, time_ns
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

_add: Final = EXACT.add
_multiply: Final = EXACT.multiply

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


TRADE_CELLS: Final = (
    *("fill_id", "time", "order_id", "symbol", "side", "quantity", "price", "fee", "currency"),
    *("lots_closed", "lot_opened", "position"),
)
"""The columns of trades.csv that `TripMaker` reads."""


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


class _Lot(msgspec.Struct, gc=False):
    lot_id: int
    order_id: int
    opened_ns: int
    left: Decimal
    price: Decimal
    tag: str = ""
    """Of the order that opened it."""


class TripMaker:
    """Makes round trips of the rows of trades.csv, in order.

    A trip is given out when its exit order has all its fills; `finish` gives those whose order may
    still be filled. With `OrdersInTurn` memory holds what is open, and nothing of what has ended.
    """

    def __init__(
        self,
        orders: Mapping[int, FilledOrder] | OrdersInTurn,
        worths: Mapping[str, Worth],
        taken: Mapping[str, Sequence[TakenLot]] = {},
    ) -> None:
        """`taken` are lots that the session took over from another one, oldest first: their entry
        is order 0, which no session has."""
        self._orders = orders
        self._worths = worths
        self._lots: dict[str, deque[_Lot]] = {
            symbol: deque(
                _Lot(each.lot_id, 0, each.opened_ns, each.left, each.price) for each in lots
            )
            for symbol, lots in taken.items()
        }
        self._pairs: dict[int, dict[int, RoundTrip]] = {}
        """By exit order, then by entry order."""
        self._filled: dict[int, Decimal] = {}

    def see(self, row: Row) -> list[RoundTrip]:
        """Take the next fill; the trips that it ended. Raises as `take`."""
        return self.take(tuple([row[column] for column in TRADE_CELLS]))

    def take(self, cells: Cells) -> list[RoundTrip]:
        """The same by the `TRADE_CELLS` of the fill's row. Raises ValueError for one that does not
        follow from those before it."""
        _, time, order_text, symbol, _, quantity_text, price_text, _, _, *rest = cells
        closed, opened, position = rest
        order_id, ts_ns, price = int(order_text), time_ns(time), number(price_text)
        lots = self._lots.get(symbol)
        if lots is None:
            lots = self._lots[symbol] = deque()
        order = self._orders.get(order_id)
        tag = "" if order is None else order.tag
        if closed:
            for closure in closed.split(";"):
                self._close(cells, closure, lots, price, ts_ns, tag)
            if opened or not number(position):
                lots.clear()  # a split may have changed what was left of them
        if opened:
            lot, text = opened.split(":")
            lots.append(_Lot(int(lot[1:]), order_id, ts_ns, abs(number(text)), price, tag))
        filled = number(quantity_text)
        before = self._filled.pop(order_id, None)
        if before is not None:
            filled = EXACT.add(before, filled)
        if order is None or filled < order.filled:
            self._filled[order_id] = filled
            return []
        if isinstance(self._orders, OrdersInTurn):
            self._orders.forget(order_id)
        pairs = self._pairs.pop(order_id, None)
        return [] if pairs is None else list(pairs.values())

    def finish(self) -> list[RoundTrip]:
        """The trips whose exit order may still be filled, as they are now."""
        left = [trip for pairs in self._pairs.values() for trip in pairs.values()]
        self._pairs.clear()
        return left

    def open_lots(self, symbol: str) -> list[tuple[int, int, Decimal, Decimal]]:
        """What no fill has closed: order, time, quantity and price of each lot, oldest first.

        A split changes lots without a fill: behind one these are not the books' any more.
        """
        lots = [each for each in self._lots.get(symbol, ()) if each.left > 0]
        return [(each.order_id, each.opened_ns, each.left, each.price) for each in lots]

    def _close(
        self, cells: Cells, closure: str, lots: deque[_Lot], price: Decimal, ts_ns: int, tag: str
    ) -> None:
        fill_id, _, order_text, symbol, side, _, price_text, fee_text, currency, *_ = cells
        name, rest, gross_text, fees_text = closure.split(":")
        quantity_text, _, entry_text = rest.partition("@")
        quantity, entry_price, lot_id = number(quantity_text), number(entry_text), int(name[1:])
        while lots and lots[0].lot_id < lot_id:
            lots.popleft()
        if not lots or lots[0].lot_id != lot_id:
            raise ValueError(f"fill {fill_id} closes {name}, which no fill opened")
        lot, exit_id = lots[0], int(order_text)
        lot.left = EXACT.subtract(lot.left, quantity)  # it goes when the next one is met
        entry_value, exit_value = _multiply(entry_price, quantity), _multiply(price, quantity)
        worth = self._worths[symbol].of(entry_price, quantity)
        gross, fees = number(gross_text), number(fees_text)
        pairs = self._pairs.setdefault(exit_id, {})
        trip = pairs.get(lot.order_id)
        if trip is None:
            pairs[lot.order_id] = RoundTrip(
                *(symbol, currency, side == "SELL", lot.order_id, exit_id, lot.opened_ns, ts_ns),
                *(quantity, entry_value, exit_value, worth, gross, fees),
                price_exponent=_exponent(price_text),
                money_exponent=_exponent(fee_text),
                entry_tag=lot.tag,
                exit_tag=tag,
                entry_level=entry_price,
                exit_level=price,
            )
            return
        if trip.entry_level != entry_price:
            trip.entry_level = None
        if trip.exit_level != price:
            trip.exit_level = None
        trip.exit_ns = ts_ns
        trip.quantity = _add(trip.quantity, quantity)
        trip.entry_value = _add(trip.entry_value, entry_value)
        trip.exit_value = _add(trip.exit_value, exit_value)
        trip.worth = _add(trip.worth, worth)
        trip.gross = _add(trip.gross, gross)
        trip.fees = _add(trip.fees, fees)


def round_trips(
    order_rows: Iterable[Cells],
    trade_rows: Iterable[Cells],
    worths: Mapping[str, Worth],
    taken: Mapping[str, Sequence[TakenLot]] = {},
) -> Iterator[RoundTrip]:
    """All round trips of a session, from the `ORDER_CELLS` and `TRADE_CELLS` of its tables. Raises
    ValueError as `TripMaker.take`."""
    maker = TripMaker(OrdersInTurn(order_rows), worths, taken)
    for row in trade_rows:
        yield from maker.take(row)
    yield from maker.finish()


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


def _exponent(text: str) -> int:
    """Minus the decimals of a figure's text."""
    _, point, decimals = text.partition(".")
    return -len(decimals) if point else 0
