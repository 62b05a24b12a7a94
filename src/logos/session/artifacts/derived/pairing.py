"""Makes round trips of the rows of a session's tables; what a trip is, `trips` says.

It goes through every fill, so that this is compiled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from logos.session.artifacts.derived.cells import EXACT, number, time_ns
from logos.session.artifacts.derived.orders import FilledOrder, OrdersInTurn
from logos.session.artifacts.derived.reading import Cells, Row
from logos.session.artifacts.derived.trips import RoundTrip, TakenLot, Worth

_add: Final = EXACT.add
_multiply: Final = EXACT.multiply


TRADE_CELLS: Final = (
    *("fill_id", "time", "order_id", "symbol", "side", "quantity", "price", "fee", "currency"),
    *("lots_closed", "lot_opened", "position"),
)
"""The columns of trades.csv that `TripMaker` reads."""


class _Lot:
    """A lot that is open; `left` has no sign, `tag` is that of the order that opened it."""

    def __init__(
        self, lot_id: int, order_id: int, opened_ns: int, left: Decimal, price: Decimal, tag: str
    ) -> None:
        self.lot_id = lot_id
        self.order_id = order_id
        self.opened_ns = opened_ns
        self.left = left
        self.price = price
        self.tag = tag


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
                _Lot(each.lot_id, 0, each.opened_ns, each.left, each.price, "") for each in lots
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


def _exponent(text: str) -> int:
    """Minus the decimals of a figure's text."""
    _, point, decimals = text.partition(".")
    return -len(decimals) if point else 0
