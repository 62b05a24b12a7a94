"""One pass over the fills of a session: round trips, what was traded and what it cost, exposure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce

from logos.analysis.model import FILLS_MAX, TRIPS_MAX, Fill, OpenTrip, Trip
from logos.session.artifacts.derived.orders import FilledOrder
from logos.session.artifacts.derived.pairing import TripMaker
from logos.session.artifacts.derived.reading import EXACT, Row, number, time_ns
from logos.session.artifacts.derived.trips import RoundTrip, TakenLot, Worth


class Exposure:
    """For how long something was held."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._since_ns = 0
        self._total_ns = 0

    def see(self, symbol: str, position: Decimal, ts_ns: int) -> None:
        """A fill left `position` of `symbol`."""
        was_held = bool(self._held)
        if position:
            self._held.add(symbol)
        else:
            self._held.discard(symbol)
        if self._held and not was_held:
            self._since_ns = ts_ns
        elif was_held and not self._held:
            self._total_ns += ts_ns - self._since_ns

    def until(self, ts_ns: int) -> int:
        """Nanoseconds up to `ts_ns`, the end."""
        return self._total_ns + (max(ts_ns - self._since_ns, 0) if self._held else 0)


class SymbolFills:
    """What the fills of one symbol add up to, in its quote currency."""

    def __init__(self) -> None:
        self.count = 0
        self.traded = self.slippage = self.position = Decimal(0)
        self.realised = self.fees = Decimal(0)
        self.exposure = Exposure()


class Fills:
    """Takes the rows of trades.csv in order."""

    def __init__(
        self,
        orders: Mapping[int, FilledOrder],
        worths: Mapping[str, Worth],
        taken: Mapping[str, Sequence[TakenLot]] = {},
    ) -> None:
        self._orders = orders
        self._worths = worths
        self.maker = TripMaker(orders, worths, taken)
        self.symbols: dict[str, SymbolFills] = {}
        self.exposures: dict[str, Exposure] = {}
        """By currency."""
        self.exposure = Exposure()
        self.last: deque[Fill] = deque(maxlen=FILLS_MAX)

    def begin(self, symbol: str, currency: str, position: Decimal, ts_ns: int) -> None:
        """What the session held when it began: it took that over from another one."""
        self.symbols.setdefault(symbol, SymbolFills()).position = position
        self._expose(symbol, currency, position, ts_ns)

    def see(self, row: Row) -> Iterable[RoundTrip]:
        """The next fill; the trips it ended. Raises ValueError for what is no row of fills."""
        symbol, currency = row["symbol"], row["currency"]
        ts_ns, position, price = time_ns(row["time"]), number(row["position"]), number(row["price"])
        of_symbol = self.symbols.setdefault(symbol, SymbolFills())
        of_symbol.count += 1
        of_symbol.traded = EXACT.add(of_symbol.traded, number(row["notional"]))
        order = self._orders.get(int(row["order_id"]))
        slippage = self._slippage(row, price, order)
        of_symbol.slippage = EXACT.add(of_symbol.slippage, slippage)
        of_symbol.realised = number(row["symbol_realised"])
        of_symbol.fees = number(row["symbol_fees"])
        of_symbol.position = position
        self._expose(symbol, currency, position, ts_ns)
        self.last.append(
            Fill(
                fill_id=int(row["fill_id"]),
                time_ns=ts_ns,
                order_id=int(row["order_id"]),
                symbol=symbol,
                side=row["side"],
                quantity=number(row["quantity"]),
                price=price,
                fee=number(row["fee"]),
                currency=currency,
                realised=number(row["realised"]),
                position=position,
                tag="" if order is None else order.tag,
            )
        )
        return self.maker.see(row)

    def _expose(self, symbol: str, currency: str, position: Decimal, ts_ns: int) -> None:
        for exposure in (
            self.symbols[symbol].exposure,
            self.exposures.setdefault(currency, Exposure()),
            self.exposure,
        ):
            exposure.see(symbol, position, ts_ns)

    def _slippage(self, row: Row, price: Decimal, order: FilledOrder | None) -> Decimal:
        """What the fill was worse than its order's price: for a market order the one it met when it
        was decided, for a stop the one it was triggered at; a limit order has none."""
        if order is None or row["liquidity"] != "TAKER" or order.type == "LIMIT":
            return Decimal(0)
        wanted = order.reference_price if order.type == "MARKET" else order.stop_price
        if not wanted:
            return Decimal(0)
        worth, quantity = self._worths[row["symbol"]], number(row["quantity"])
        more = EXACT.subtract(worth.of(price, quantity), worth.of(wanted, quantity))
        if worth.is_inverse:
            more = more.copy_negate().quantize(number(row["notional"]), context=EXACT)
        return more if row["side"] == "BUY" else more.copy_negate()


def trip_of(number_: int, trip: RoundTrip) -> Trip:
    """A round trip as an analysis has it."""
    of_worth = trip.ratio
    return Trip(
        number=number_,
        symbol=trip.symbol,
        currency=trip.currency,
        side="LONG" if trip.is_long else "SHORT",
        quantity=trip.quantity,
        entry_ns=trip.entry_ns,
        entry_price=trip.entry_price,
        exit_ns=trip.exit_ns,
        exit_price=trip.exit_price,
        gross=trip.gross,
        fees=trip.fees,
        net=trip.net,
        ratio=None if of_worth is None else float(of_worth),
        mae=trip.mae,
        mfe=trip.mfe,
        entry_order_id=trip.entry_order_id,
        exit_order_id=trip.exit_order_id,
        entry_tag=trip.entry_tag,
        exit_tag=trip.exit_tag,
    )


def open_trips(
    fills: Fills,
    orders: Mapping[int, FilledOrder],
    worths: Mapping[str, Worth],
    held: Mapping[str, Row],
) -> tuple[OpenTrip, ...]:
    """What is still held, by the order that opened it; `held` is each symbol's last row of
    positions.csv. Behind a split, which changes lots without a fill, all of a symbol is one."""
    found: list[OpenTrip] = []
    for symbol, row in held.items():
        position = number(row["position"])
        if not position:
            continue
        lots = fills.maker.open_lots(symbol)
        if EXACT.abs(position) != reduce(EXACT.add, [left for _, _, left, _ in lots], Decimal(0)):
            since = lots[0] if lots else (0, time_ns(row["time"]), Decimal(0), Decimal(0))
            cost = _unit_cost(worths[symbol], number(row["cost"]), position)
            lots = [(since[0], since[1], abs(position), cost)]
        for order_id in dict.fromkeys(lot[0] for lot in lots):
            of_order = [lot for lot in lots if lot[0] == order_id]
            found.append(_open_trip(row, position > 0, order_id, of_order, worths[symbol], orders))
    return tuple(found)


def _unit_cost(worth: Worth, cost: Decimal, position: Decimal) -> Decimal:
    """The price at which `position` is worth `cost`, to 16 digits."""
    size = EXACT.multiply(position, worth.multiplier)
    if worth.is_inverse:
        return _ROUGH.divide(size, cost) if cost else Decimal(0)
    return _ROUGH.divide(cost, size)


_ROUGH = EXACT.copy()
_ROUGH.prec = 16


def _open_trip(
    row: Row,
    is_long: bool,
    order_id: int,
    lots: list[tuple[int, int, Decimal, Decimal]],
    worth: Worth,
    orders: Mapping[int, FilledOrder],
) -> OpenTrip:
    mark = number(row["mark"])
    quantity = value = unrealised = Decimal(0)
    for _, _, left, price in lots:
        quantity = EXACT.add(quantity, left)
        value = EXACT.add(value, EXACT.multiply(left, price))
        gain = EXACT.subtract(worth.of(mark, left), worth.of(price, left))
        unrealised = EXACT.add(unrealised, gain)
    if is_long == worth.is_inverse:
        unrealised = unrealised.copy_negate()
    money = number(row["unrealised"])
    return OpenTrip(
        symbol=row["symbol"],
        currency=row["currency"],
        side="LONG" if is_long else "SHORT",
        quantity=quantity,
        entry_ns=lots[0][1],
        entry_price=_ROUGH.divide(value, quantity),
        mark=mark,
        unrealised=unrealised.quantize(money, context=EXACT) if mark else Decimal(0),
        entry_order_id=order_id,
        entry_tag=orders[order_id].tag if order_id in orders else "",
    )


class LastTrips:
    """The last TRIPS_MAX round trips, and the excursions that trips.csv has of them."""

    def __init__(self, rows: Iterator[Row]) -> None:
        """`rows` are those of trips.csv; none where it was not made."""
        self._trips: deque[RoundTrip] = deque(maxlen=TRIPS_MAX)
        self._count = 0
        self._rows = rows

    def add(self, trip: RoundTrip) -> None:
        """The next one."""
        self._count += 1
        self._trips.append(trip)
        row = next(self._rows, None)
        if row is not None and row["exit_order_id"] == str(trip.exit_order_id) and row["mae"]:
            trip.mae, trip.mfe = number(row["mae"]), number(row["mfe"])

    @property
    def unread(self) -> list[RoundTrip]:
        """Those whose excursions are not known."""
        return [trip for trip in self._trips if trip.mae is None]

    def trips(self) -> tuple[Trip, ...]:
        """Them, in order."""
        first = self._count - len(self._trips) + 1
        return tuple(trip_of(number_, trip) for number_, trip in enumerate(self._trips, first))
