"""Was the exposure of a stress run ever above its limits? Followed through the journal."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from logos.core.fixed import to_decimal
from logos.core.records import OrderRecord, OrderUpdate
from logos.core.types import Side
from logos.stress.evidence import Evidence

OVER: Final = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED")
"""States of an order of which nothing more can come."""

_DRIFT: Final = Decimal("1.01")
"""The total exposure is valued here at the prices that orders were judged at, a moment older than
the marks the guard knows: that much they may have moved."""

_ZERO: Final = Decimal(0)


def check_exposure(evidence: Evidence) -> tuple[str, list[str]]:
    """At every order, with everything in flight filled; and at every deal of theirs."""
    risk = evidence.config["risk"]
    limits = {name: Decimal(each["max_position"]) for name, each in risk["symbols"].items()}
    book = _Exposure(evidence)
    total_max = Decimal(risk["total"]["max_gross_exposure"])
    problems = []
    peak = _ZERO
    for record in evidence.journal:
        if isinstance(record, OrderRecord):
            symbol = book.on_order(record)
            if book.worst(symbol) > limits[symbol]:
                problems.append(f"{record.client_order_id}: {symbol} may hold {book.worst(symbol)}")
            peak = max(peak, book.gross())
            if book.gross() > total_max * _DRIFT:
                problems.append(f"{record.client_order_id}: all may hold {book.gross()}")
        elif isinstance(record, OrderUpdate):
            book.on_update(record)
    held: dict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.their_fills:
        held[fill.symbol] += fill.quantity if fill.side == "BUY" else -fill.quantity
        if abs(held[fill.symbol]) > limits[fill.symbol]:
            problems.append(f"the simulator held {held[fill.symbol]} of {fill.symbol}")
    return f"at most {peak} of {total_max} in flight and held", problems


@dataclass(slots=True)
class _Open:
    """An order that is not over."""

    symbol: str
    is_buy: bool
    quantity: Decimal
    filled: Decimal = _ZERO


class _Exposure:
    """Positions and open orders, followed through the journal."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._open: dict[int, _Open] = {}
        self._held: dict[str, Decimal] = defaultdict(Decimal)
        self._price: dict[str, Decimal] = defaultdict(Decimal)
        self._buys: dict[str, Decimal] = defaultdict(Decimal)
        self._sells: dict[str, Decimal] = defaultdict(Decimal)

    def on_order(self, record: OrderRecord) -> str:
        """An order was made; its symbol."""
        symbol = record.symbol
        quantity = to_decimal(record.quantity_units, record.quantity_decimals)
        price = to_decimal(record.reference_price_units, record.price_decimals)
        self._price[symbol] = price or self._price[symbol]
        is_buy = record.side is Side.BUY
        self._open[record.order_id] = _Open(symbol, is_buy, quantity)
        (self._buys if is_buy else self._sells)[symbol] += quantity
        return symbol

    def on_update(self, record: OrderUpdate) -> None:
        """An order was filled, or is over."""
        order = self._open.get(record.order_id)
        if order is None:
            return
        symbol = order.symbol
        filled = to_decimal(record.filled_units, self._evidence.quantity_decimals(symbol))
        fresh, order.filled = filled - order.filled, filled
        self._held[symbol] += fresh if order.is_buy else -fresh
        ended = record.status.value in OVER
        left = self._buys if order.is_buy else self._sells
        left[symbol] -= fresh + (order.quantity - filled if ended else _ZERO)
        if ended:
            del self._open[record.order_id]

    def worst(self, symbol: str) -> Decimal:
        """The most that may be held, long or short, if one side is filled and not the other."""
        held = self._held[symbol]
        return max(abs(held + self._buys[symbol]), abs(held - self._sells[symbol]))

    def gross(self) -> Decimal:
        """What all symbols may hold, at the prices their orders were judged at."""
        return sum(
            (
                self.worst(symbol) * price * self._evidence.multiplier(symbol)
                for symbol, price in self._price.items()
            ),
            _ZERO,
        )
