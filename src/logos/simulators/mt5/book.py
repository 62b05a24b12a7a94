"""The simulated terminal's own books: orders, deals and positions of one account, exactly.

Volumes and prices are integers in the instrument's units, money an integer count of 10**-18 of the
account's currency, so that nothing is ever rounded. A position (`holdings`) is a queue of lots,
first in first out; a deal against it closes the oldest first, and its profit is what they made.
Every order and every deal is written to the audit before anyone is told, and the audit is enough to
make the books again (`restore`): a broker's books outlive a terminal that is killed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.core.fixed import format_units, parse_units, power_of_ten
from logos.core.instrument import Instrument
from logos.simulators.mt5.holdings import IN, INOUT, Holdings, SimPosition

MONEY_DECIMALS: Final = 18
FIRST_TICKET: Final = 1001
COMMENT_MAX: Final = 31
"""Characters of an order's comment that MetaTrader keeps; what is longer is cut without a word."""

Audit = Callable[[Mapping[str, object]], None]


class SimOrder(msgspec.Struct):
    """An order that the broker took; `type` is MetaTrader's name of it."""

    ticket: int
    symbol: str
    type: str
    volume_units: int
    price_units: int
    stop_loss_units: int
    take_profit_units: int
    magic: int
    comment: str
    time_s: int
    position: int = 0
    """The identifier of the position that it closes, on a hedging account."""

    @property
    def is_buy(self) -> bool:
        return self.type.startswith("ORDER_TYPE_BUY")

    def is_reached(self, bid_units: int, ask_units: int) -> bool:
        """Whether the market has come to a pending order's price."""
        if self.type == "ORDER_TYPE_BUY_LIMIT":
            return ask_units <= self.price_units
        if self.type == "ORDER_TYPE_SELL_LIMIT":
            return bid_units >= self.price_units
        if self.type == "ORDER_TYPE_BUY_STOP":
            return ask_units >= self.price_units
        return bid_units <= self.price_units


class SimDeal(msgspec.Struct, frozen=True):
    """One execution. Money is in 10**-18 of the account's currency."""

    ticket: int
    order: int
    symbol: str
    is_buy: bool
    entry: int
    volume_units: int
    price_units: int
    profit: int
    commission: int
    magic: int
    comment: str
    time_s: int
    position: int = 0
    """The identifier of the position that it changed (DEAL_POSITION_ID)."""
    swap: int = 0


class SimBook:
    """One account. `instruments` maps terminal symbols, suffix and all, to what they are."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        balance: str,
        commission_per_lot: Mapping[str, str],
        audit: Audit,
        first_ticket: int = FIRST_TICKET,
        *,
        is_hedging: bool = False,
    ) -> None:
        self._instruments = instruments
        self._audit = audit
        self._commission = {
            symbol: Decimal(commission_per_lot.get(symbol, "0")) for symbol in instruments
        }
        self.initial_balance = parse_units(balance, MONEY_DECIMALS)
        self.balance = self.initial_balance
        self.orders: dict[int, SimOrder] = {}
        """Pending orders by ticket."""
        self.deals: list[SimDeal] = []
        self.holdings = Holdings(instruments, is_hedging=is_hedging)
        self.positions = self.holdings.netted
        """Of a netting account, by symbol."""
        self.client_ids: dict[str, int] = {}
        """How many new orders carried each comment; the stress judge looks for more than one."""
        self._next_ticket = first_ticket

    def take_order(
        self,
        symbol: str,
        type: str,
        volume_units: int,
        price_units: int,
        stops: tuple[int, int] | tuple[int, int, int],
        magic: int,
        comment: str,
        time_s: int,
    ) -> SimOrder:
        """Take a new order; it is pending until it is filled or removed.

        `stops` are its stop loss, its take profit and, on a hedging account, the identifier of the
        position that it closes.
        """
        order = SimOrder(
            self._next_ticket,
            symbol,
            type,
            volume_units,
            price_units,
            stops[0],
            stops[1],
            magic,
            comment[:COMMENT_MAX],
            time_s,
            *stops[2:],
        )
        self._next_ticket += 1
        self._audit({"kind": "order", **msgspec.to_builtins(order)})
        self._take(order)
        return order

    def _take(self, order: SimOrder) -> None:
        self.orders[order.ticket] = order
        if order.comment:
            self.client_ids[order.comment] = self.client_ids.get(order.comment, 0) + 1

    def fill(self, order: SimOrder, volume_units: int, price_units: int, time_s: int) -> SimDeal:
        """Execute `volume_units` of an order; the order is over."""
        position = self._target(order)
        instrument = self._instruments[order.symbol]
        # The deal is made from a copy first: the audit has it before the books do.
        trial = SimPosition()
        trial.lots = deque(position.lots)
        signed = volume_units if order.is_buy else -volume_units
        entry, made = trial.apply(signed, price_units)
        scale = power_of_ten(MONEY_DECIMALS - instrument.value_decimals)
        rate = parse_units(self._commission[order.symbol], MONEY_DECIMALS)
        deal = SimDeal(
            self._next_ticket,
            order.ticket,
            order.symbol,
            order.is_buy,
            entry,
            volume_units,
            price_units,
            made * instrument.multiplier * scale,
            -(rate * volume_units // instrument.quantity_scale),
            order.magic,
            order.comment,
            time_s,
            position.identifier or order.ticket,
            0 if entry == IN else position.swap_of(volume_units),
        )
        self._next_ticket += 1
        self._audit({"kind": "deal", **self._readable(deal), **msgspec.to_builtins(deal)})
        self._book(deal, order)
        return deal

    def _target(self, order: SimOrder) -> SimPosition:
        return self.holdings.target(order.symbol, order.position, order.ticket)

    def _book(self, deal: SimDeal, order: SimOrder) -> None:
        position = self._target(order)
        was_flat = not position.lots
        entry, _ = position.apply(
            deal.volume_units if deal.is_buy else -deal.volume_units, deal.price_units
        )
        if was_flat:
            position.identifier = deal.position
        if was_flat or entry == INOUT:
            position.ticket = deal.order
            position.magic = deal.magic
            position.comment = deal.comment
            position.time_s = deal.time_s
        if entry in (IN, INOUT):
            position.stop_loss_units = order.stop_loss_units
            position.take_profit_units = order.take_profit_units
        position.swap -= deal.swap
        self.holdings.forget_flat(position)
        self.balance += deal.profit + deal.commission + deal.swap
        self.deals.append(deal)
        self.orders.pop(order.ticket, None)

    def charge_swap(self, ticket: int, amount: int, *, reopens: bool = False) -> None:
        """The night's swap of a position, in 10**-18 of the currency, negative for a cost; with
        `reopens` the position has another ticket from then on. Raises KeyError."""
        self._audit({"kind": "swap", "ticket": ticket, "amount": amount, "reopens": reopens})
        self._charge(ticket, amount, reopens)

    def _charge(self, ticket: int, amount: int, reopens: bool) -> None:
        position = self.holdings.held_as(ticket)
        if position is None:
            raise KeyError(ticket)
        position.swap += amount
        if reopens:
            position.ticket = self._next_ticket
            self._next_ticket += 1

    def remove(self, ticket: int, reason: str) -> None:
        """A pending order is over without a fill."""
        self._audit({"kind": "removed", "ticket": ticket, "reason": reason})
        del self.orders[ticket]

    def profit(self, symbol: str, bid_units: int, ask_units: int) -> int:
        """Open profit of a symbol's positions at these prices."""
        instrument = self._instruments[symbol]
        made = 0
        for position in self.holdings.open(symbol):
            for volume, opened_at in position.lots:
                made += ((bid_units if volume > 0 else ask_units) - opened_at) * volume
        return (
            made * instrument.multiplier * power_of_ten(MONEY_DECIMALS - instrument.value_decimals)
        )

    def _readable(self, deal: SimDeal) -> dict[str, object]:
        instrument = self._instruments[deal.symbol]
        return {
            "client_id": deal.comment,
            "volume": instrument.quantity_text(deal.volume_units),
            "price": instrument.price_text(deal.price_units),
            "profit_money": money_text(deal.profit),
        }

    # ---- after a restart ----

    def restore(self, records: Iterable[Mapping[str, Any]]) -> int:
        """Make the books again from an audit, in its order; how many deals there were.

        Raises ValueError for records that do not fit together.
        """
        known: dict[int, SimOrder] = {}
        for record in records:
            kind = record.get("kind")
            if kind == "order":
                order = msgspec.convert(dict(record), SimOrder)
                if order.symbol not in self._instruments:
                    raise ValueError(f"the audit has orders of {order.symbol}, which is not here")
                known[order.ticket] = order
                self._take(order)
                self._next_ticket = max(self._next_ticket, order.ticket + 1)
            elif kind == "deal":
                deal = msgspec.convert(dict(record), SimDeal)
                if deal.order not in known:
                    raise ValueError(f"deal {deal.ticket} is of an order that the audit lacks")
                self._book(deal, known[deal.order])
                self._next_ticket = max(self._next_ticket, deal.ticket + 1)
            elif kind == "modified":
                known[int(record["ticket"])].price_units = int(record["price_units"])
            elif kind == "swap":
                self._charge(int(record["ticket"]), int(record["amount"]), bool(record["reopens"]))
            elif kind == "removed":
                self.orders.pop(int(record["ticket"]), None)
        # A market order whose deal was never written was never done.
        for ticket in [t for t, order in self.orders.items() if not _is_pending(order.type)]:
            self.remove(ticket, "the terminal was killed before it was filled")
        return len(self.deals)


def _is_pending(type: str) -> bool:
    return type.endswith(("_LIMIT", "_STOP"))


def money_text(amount: int) -> str:
    """Money as decimal text, without zeros at the end."""
    return format_units(amount, MONEY_DECIMALS).rstrip("0").rstrip(".")
