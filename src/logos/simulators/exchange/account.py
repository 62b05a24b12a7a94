"""A spot account and its orders, as a large exchange keeps them, in exact Decimals.

An order fills at the best price of the market when it crosses it, whole, or by `fill` as a test
wishes. As at Binance, a client id may be used again once its order has ended. Who asks, and how,
is the business of `orders`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from logos.simulators.account import BookOrder, order_of
from logos.simulators.exchange.market import NS_PER_MS, Listing, Market

UNIT: Final = Decimal("0.00000001")
_STOPS: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT")


class Denied(Exception):
    """The exchange's own code and words for a no."""

    def __init__(self, code: int, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status


@dataclass(slots=True, kw_only=True)
class PlacedOrder(BookOrder):
    """One order as the exchange keeps it."""

    OPEN = frozenset(("NEW", "PARTIALLY_FILLED"))

    order_id: int
    placed_ms: int
    status: str = "NEW"
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill; `fee` is in `fee_asset`."""

    trade_id: int
    order: PlacedOrder
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    time_ms: int


@dataclass(slots=True)
class Holding:
    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)


class SpotAccount:
    """Balances by asset, and orders in a market. `orders` and `executions` hold all there were."""

    def __init__(self, market: Market, balances: Mapping[str, str], fee_rate: str) -> None:
        self.market = market
        self.may_trade = True
        self.orders: list[PlacedOrder] = []
        self.executions: list[Execution] = []
        self.holdings = {asset: Holding(Decimal(text)) for asset, text in balances.items()}
        self._fee_rate = Decimal(fee_rate)

    @property
    def now_ms(self) -> int:
        """The exchange's time as it says it."""
        return (self.market.now_ns + self.market.skew_ns) // NS_PER_MS

    # ---- what a test does ----

    def order(self, client_id: str) -> PlacedOrder:
        """The latest order of that client id. Raises KeyError."""
        return order_of(self.orders, client_id)

    def fill(
        self, client_id: str, quantity: str, price: str = "", is_maker: bool = True
    ) -> Execution:
        """Fill part or all of an open order, at its own price unless another is given."""
        order = self.order(client_id)
        return self._fill(order, order.part(quantity), Decimal(price or order.limit), is_maker)

    def place_by_hand(
        self, market_id: str, side: str, quantity: str, price: str, client_id: str = "web_1"
    ) -> PlacedOrder:
        """A limit order of the account's owner, made elsewhere."""
        asked = {
            "symbol": market_id,
            "side": side,
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": quantity,
            "price": price,
            "newClientOrderId": client_id,
        }
        return self.take(asked)

    def total(self, asset: str) -> Decimal:
        """What the account has of an asset, what orders lock included."""
        holding = self.holdings.get(asset, Holding())
        return holding.free + holding.locked

    def listing(self, asked: Mapping[str, str]) -> Listing:
        """The market that a request is about, or the exchange's refusal."""
        listing = self.market.listings.get(asked.get("symbol", ""))
        if listing is None:
            raise Denied(-1121, "Invalid symbol.")
        return listing

    # ---- the book ----

    def take(self, asked: Mapping[str, str]) -> PlacedOrder:
        """Take an order, or raise the exchange's refusal."""
        listing = self.listing(asked)
        client_id = asked["newClientOrderId"]
        if any(each.is_open and each.client_id == client_id for each in self.orders):
            raise Denied(-2010, "Duplicate order sent.")
        if not listing.is_trading:
            raise Denied(-1013, "Market is closed.")
        order = PlacedOrder(
            order_id=len(self.orders) + 1001,
            client_id=client_id,
            listing=listing,
            side=asked["side"],
            kind=asked["type"],
            time_in_force=asked.get("timeInForce", "GTC"),
            quantity=Decimal(asked["quantity"]),
            limit=Decimal(asked.get("price", "0")),
            stop=Decimal(asked.get("stopPrice", "0")),
            placed_ms=self.now_ms,
        )
        order.is_triggered = order.kind not in _STOPS
        self._check_filters(order)
        self._lock(order)
        self.orders.append(order)
        self._match(order, is_new=True)
        return order

    def _check_filters(self, order: PlacedOrder) -> None:
        listing = order.listing
        lot, tick = Decimal(listing.lot), Decimal(listing.tick)
        least, most = Decimal(listing.minimum_quantity), Decimal(listing.maximum_quantity)
        if not least <= order.quantity <= most or order.quantity % lot:
            raise Denied(-1013, "Filter failure: LOT_SIZE")
        if order.limit % tick or order.stop % tick:
            raise Denied(-1013, "Filter failure: PRICE_FILTER")
        if order.quantity * self._value_price(order) < Decimal(listing.minimum_notional):
            raise Denied(-1013, "Filter failure: NOTIONAL")

    def _value_price(self, order: PlacedOrder) -> Decimal:
        """What a unit of the order is worth: its own price, else the market's."""
        if order.limit or order.stop:
            return order.limit or order.stop
        best = order.best(self.market.now_ns)
        if best is None:
            raise Denied(-1013, "Market is closed.")
        return best

    def _lock(self, order: PlacedOrder) -> None:
        listing = order.listing
        is_buy = order.is_buy
        holding = self.holdings.setdefault(listing.quote if is_buy else listing.base, Holding())
        amount = order.quantity * (self._value_price(order) if is_buy else 1)
        if holding.free < amount:
            raise Denied(-2010, "Account has insufficient balance for requested action.")
        holding.free -= amount
        holding.locked += amount

    def _unlock(self, order: PlacedOrder, quantity: Decimal) -> None:
        is_buy = order.is_buy
        holding = self.holdings[order.listing.quote if is_buy else order.listing.base]
        amount = min(holding.locked, quantity * (self._value_price(order) if is_buy else 1))
        holding.locked -= amount
        holding.free += amount

    def _match(self, order: PlacedOrder, is_new: bool = False) -> None:
        """Fill an order at the market's best price if it crosses it; end it if it may not rest."""
        best = order.best(self.market.now_ns)
        if best is not None and order.meets(best):
            self._fill(order, order.remaining, best, is_maker=not is_new)
        if order.is_open and is_new and order.time_in_force in ("IOC", "FOK"):
            self.end(order, "EXPIRED")

    def match_all(self) -> None:
        """Let every open order meet the market as it stands."""
        for order in self.orders:
            if order.is_open:
                self._match(order)

    def _fill(
        self, order: PlacedOrder, quantity: Decimal, price: Decimal, is_maker: bool
    ) -> Execution:
        listing = order.listing
        self._unlock(order, quantity)
        base = self.holdings.setdefault(listing.base, Holding())
        quote = self.holdings.setdefault(listing.quote, Holding())
        sign = 1 if order.is_buy else -1
        base.free += sign * quantity
        quote.free -= sign * quantity * price
        is_buy = order.is_buy
        received, holding = (quantity, base) if is_buy else (quantity * price, quote)
        fee = (received * self._fee_rate).quantize(UNIT, rounding=ROUND_DOWN)
        holding.free -= fee
        order.filled += quantity
        order.spent += quantity * price
        order.status = "FILLED" if order.filled == order.quantity else "PARTIALLY_FILLED"
        execution = Execution(
            trade_id=len(self.executions) + 1,
            order=order,
            quantity=quantity,
            price=price,
            fee=fee,
            fee_asset=listing.base if is_buy else listing.quote,
            is_maker=is_maker,
            time_ms=self.now_ms,
        )
        self.executions.append(execution)
        return execution

    def end(self, order: PlacedOrder, status: str) -> None:
        """End an open order with this status."""
        self._unlock(order, order.remaining)
        order.status = status
