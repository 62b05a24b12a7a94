"""Orders and executions of a gateway as those of a venue; what cannot be read is Unreadable.

Statuses: interactivebrokers.github.io/tws-api/order_submission.html, "Order Status Message".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from logos.adapters.ib.messages import Cost, Executed, Listed
from logos.core.instrument import Instrument
from logos.core.types import OrderStatus, OrderType, Side
from logos.venues.contract import VenueFill, VenueOrder
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, price_units, quantity_units

TYPES: Final = {
    OrderType.MARKET: "MKT",
    OrderType.LIMIT: "LMT",
    OrderType.STOP: "STP",
    OrderType.STOP_LIMIT: "STP LMT",
}
_KINDS: Final = {word: kind for kind, word in TYPES.items()}
_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL, "BOT": Side.BUY, "SLD": Side.SELL}
_AT_A_PRICE: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)

_OPEN: Final = frozenset(
    ("ApiPending", "PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel")
)
_UNHEARD: Final = frozenset(("ApiPending", "PendingSubmit"))
"""Of the gateway alone: the broker may never get it."""
_CANCELLED: Final = frozenset(("Cancelled", "ApiCancelled"))


class Records:
    """Reads what is told of the session's contracts; `symbols` by the contract's number."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        symbols: Mapping[int, str],
        ids: ClientIds,
    ) -> None:
        self._instruments = instruments
        self._symbols = symbols
        self._ids = ids

    def order(self, listed: Listed, *, is_open: bool, refusal: str = "") -> VenueOrder:
        """An order of the session. Raises Unreadable.

        `is_open`: it stands in the list of open orders; `refusal` is what the broker said of it.
        """
        symbol = self._symbols[listed.con_id]
        instrument = self._instruments[symbol]
        ours = self._ids.to_ours(listed.order_ref)
        if listed.filled is None:
            raise Unreadable(f"{symbol}: what of order {listed.perm_id} filled was not told")
        if ours and listed.status in _UNHEARD:
            raise Unreadable(f"{symbol}: the broker has not said yet that it has order {ours}")
        kind, side = _KINDS.get(listed.kind), _SIDES.get(listed.action)
        if not ours and (kind is None or side is None):
            return self._strangers(listed, symbol)
        if kind is None or side is None:
            raise Unreadable(f"{symbol}: {listed.action[:20]!r} {listed.kind[:20]!r} is unknown")
        quantity = quantity_units(instrument, f"{listed.quantity:f}", "quantity")
        filled = quantity_units(instrument, f"{listed.filled:f}", "filled quantity")
        limit = 0
        if kind in _AT_A_PRICE:
            limit = price_units(instrument, f"{listed.limit:f}", "limit price")
        return VenueOrder(
            client_order_id=ours,
            venue_order_id=str(listed.perm_id),
            symbol=symbol,
            side=side,
            type=kind,
            quantity_units=quantity,
            filled_units=filled,
            limit_price_units=limit,
            status=_status(listed, filled, quantity, is_open=is_open, is_refused=bool(refusal)),
            reason=refusal or listed.words,
        )

    def _strangers(self, listed: Listed, symbol: str) -> VenueOrder:
        """An order of a kind that we have not; it must not keep ours from being seen."""
        return VenueOrder(
            client_order_id="",
            venue_order_id=str(listed.perm_id),
            symbol=symbol,
            side=_SIDES.get(listed.action, Side.BUY),
            type=OrderType.MARKET,
            quantity_units=0,
            filled_units=0,
            limit_price_units=0,
            status=OrderStatus.ACCEPTED,
            reason=f"{listed.action[:20]} {listed.kind[:20]} {listed.quantity:f}",
        )

    def fill(self, execution: Executed, cost: Cost | None) -> VenueFill:
        """An execution in the session's contracts. Raises Unreadable.

        A commission is what was paid; a rebate is negative. Without a cost it is a stranger's.
        """
        symbol = self._symbols[execution.con_id]
        instrument = self._instruments[symbol]
        side = _SIDES.get(execution.side)
        if side is None:
            raise Unreadable(f"{symbol}: the side {execution.side[:20]!r} is unknown")
        quantity = quantity_units(instrument, f"{execution.quantity:f}", "quantity")
        price, rest = _price_and_rest(instrument, side, quantity, execution.price)
        fee = Decimal(0) if cost is None else cost.commission
        currency = instrument.quote if cost is None else cost.currency
        in_quote = currency == instrument.quote
        return VenueFill(
            fill_id=execution.exec_id,
            client_order_id=self._ids.to_ours(execution.order_ref),
            venue_order_id=str(execution.perm_id),
            symbol=symbol,
            side=side,
            quantity_units=quantity,
            price_units=price,
            fee=(fee + rest if in_quote else fee).normalize() + 0,
            fee_currency=currency,
            is_maker=execution.is_maker,
            ts_ns=execution.ts_ns,
            other_fees=((instrument.quote, rest),) if rest and not in_quote else (),
        )


def _price_and_rest(
    instrument: Instrument, side: Side, quantity: int, price: Decimal
) -> tuple[int, Decimal]:
    """A fill's price in units, and the money by which the units make it better than it was.

    Shares fill at fractions of a cent. Such a price is taken to the next unit in our favour, and
    what that is too good is a fee: the money of the fill is exact.
    """
    exact = price.scaleb(instrument.price_decimals)
    units = int(exact.to_integral_value(ROUND_FLOOR if side is Side.BUY else ROUND_CEILING))
    apart = abs(exact - units) * quantity * instrument.multiplier
    return units, apart.scaleb(-instrument.value_decimals)


def _status(
    listed: Listed, filled: int, quantity: int, *, is_open: bool, is_refused: bool
) -> OrderStatus:
    status = listed.status
    if status == "Filled":
        return OrderStatus.FILLED
    if status in _CANCELLED:
        return OrderStatus.CANCELLED
    if status == "Inactive" and not is_open:
        # A FOK order that did not fill ends so as well, without a word of a rejection.
        return OrderStatus.REJECTED if is_refused and not filled else OrderStatus.CANCELLED
    if status in _OPEN or (status == "Inactive" and is_open):
        return OrderStatus.PARTIALLY_FILLED if 0 < filled < quantity else OrderStatus.ACCEPTED
    raise Unreadable(f"order {listed.perm_id}: the status {status[:40]!r} is unknown")
