"""A spot account and its orders, as a large exchange keeps them, in exact Decimals.

An order fills at the best price of the market when it crosses it, whole, or by `fill` as a test
wishes. As at Binance and Kraken, a client id may be used again once its order has ended, unless
`ids_are_unique` says that this exchange never takes one again. Who asks, and how, is the business
of a dialect (`orders` for Binance, `dialects` for others).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from logos.simulators.account import BookOrder, order_of
from logos.simulators.exchange.denials import Denied as Denied
from logos.simulators.exchange.denials import Why
from logos.simulators.exchange.market import NS_PER_MS, Listing, Market

UNIT: Final = Decimal("0.00000001")
_STOPS: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT")


Fee = tuple[str, Decimal]
"""An asset, and how much of it."""


@dataclass(slots=True, kw_only=True)
class PlacedOrder(BookOrder):
    """One order as the exchange keeps it."""

    OPEN = frozenset(("NEW", "PARTIALLY_FILLED"))

    order_id: int
    placed_ms: int
    status: str = "NEW"
    spent: Decimal = Decimal(0)
    ended_ms: int = 0


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill; `fee` is in `fee_asset`, and `more_fees` is what it cost in further assets."""

    trade_id: int
    order: PlacedOrder
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    time_ms: int
    more_fees: tuple[Fee, ...] = ()


@dataclass(slots=True)
class Holding:
    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)


class SpotAccount:
    """Balances by asset, and orders in a market. `orders` and `executions` hold all there were."""

    def __init__(self, market: Market, balances: Mapping[str, str], fee_rate: str) -> None:
        self.market = market
        self.may_trade = True
        self.ids_are_unique = False
        """Whether a client id is never taken again, even once its order has ended."""
        self.takes_fee_of_quote = False
        """Whether fees are always in the quote asset; else in what was received."""
        self.fee_unit = UNIT
        self.fees_of: Callable[[PlacedOrder, Decimal, Decimal], list[Fee]] | None = None
        """By order, quantity and price: what a fill costs, in place of the usual."""
        self.on_change: list[Callable[[PlacedOrder, str, Execution | None], None]] = []
        """Told of each order that was taken (NEW), of its fills (TRADE) and of its end."""
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

    def deposit(self, asset: str, amount: str) -> None:
        """Put some of an asset into the account."""
        self.holdings.setdefault(asset, Holding()).free += Decimal(amount)

    def total(self, asset: str) -> Decimal:
        """What the account has of an asset, what orders lock included."""
        holding = self.holdings.get(asset, Holding())
        return holding.free + holding.locked

    def listing(self, asked: Mapping[str, str]) -> Listing:
        """The market that a request is about, or the exchange's refusal."""
        listing = self.market.listings.get(asked.get("symbol", ""))
        if listing is None:
            raise Denied(-1121, "Invalid symbol.", why=Why.MARKET)
        return listing

    # ---- the book ----

    def take(self, asked: Mapping[str, str]) -> PlacedOrder:
        """Take an order, or raise the exchange's refusal."""
        listing = self.listing(asked)
        client_id = asked["newClientOrderId"]
        same = [each for each in self.orders if each.client_id == client_id and client_id]
        if any(self.ids_are_unique or each.is_open for each in same):
            raise Denied(-2010, "Duplicate order sent.", why=Why.DUPLICATE)
        if not listing.is_trading:
            raise Denied(-1013, "Market is closed.", why=Why.CLOSED)
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
        self._tell(order, "NEW")
        self._match(order, is_new=True)
        return order

    def _check_filters(self, order: PlacedOrder) -> None:
        listing = order.listing
        lot, tick = Decimal(listing.lot), Decimal(listing.tick)
        least, most = Decimal(listing.minimum_quantity), Decimal(listing.maximum_quantity)
        if not least <= order.quantity <= most or order.quantity % lot:
            raise Denied(-1013, "Filter failure: LOT_SIZE", why=Why.LOT)
        if order.limit % tick or order.stop % tick:
            raise Denied(-1013, "Filter failure: PRICE_FILTER", why=Why.TICK)
        if order.quantity * self._value_price(order) < Decimal(listing.minimum_notional):
            raise Denied(-1013, "Filter failure: NOTIONAL", why=Why.VALUE)

    def _value_price(self, order: PlacedOrder) -> Decimal:
        """What a unit of the order is worth: its own price, else the market's."""
        if order.limit or order.stop:
            return order.limit or order.stop
        best = order.best(self.market.now_ns)
        if best is None:
            raise Denied(-1013, "Market is closed.", why=Why.CLOSED)
        return best

    def _lock(self, order: PlacedOrder) -> None:
        listing = order.listing
        is_buy = order.is_buy
        holding = self.holdings.setdefault(listing.quote if is_buy else listing.base, Holding())
        amount = order.quantity * (self._value_price(order) if is_buy else 1)
        if holding.free < amount:
            words = "Account has insufficient balance for requested action."
            raise Denied(-2010, words, why=Why.FUNDS)
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
        fees = self._fees(order, quantity, price)
        for asset, paid in fees:
            self.holdings.setdefault(asset, Holding()).free -= paid
        (fee_asset, fee), *more = fees
        order.filled += quantity
        order.spent += quantity * price
        is_whole = order.filled == order.quantity
        order.status = "FILLED" if is_whole else "PARTIALLY_FILLED"
        order.ended_ms = self.now_ms if is_whole else 0
        execution = Execution(
            trade_id=len(self.executions) + 1,
            order=order,
            quantity=quantity,
            price=price,
            fee=fee,
            fee_asset=fee_asset,
            is_maker=is_maker,
            time_ms=self.now_ms,
            more_fees=tuple(more),
        )
        self.executions.append(execution)
        self._tell(order, "TRADE", execution)
        return execution

    def _fees(self, order: PlacedOrder, quantity: Decimal, price: Decimal) -> list[Fee]:
        if self.fees_of is not None:
            return self.fees_of(order, quantity, price)
        is_of_base = order.is_buy and not self.takes_fee_of_quote
        asset = order.listing.base if is_of_base else order.listing.quote
        received = quantity if is_of_base else quantity * price
        return [(asset, (received * self._fee_rate).quantize(self.fee_unit, rounding=ROUND_DOWN))]

    def end(self, order: PlacedOrder, status: str) -> None:
        """End an open order with this status."""
        self._unlock(order, order.remaining)
        order.status = status
        order.ended_ms = self.now_ms
        self._tell(order, status)

    def _tell(self, order: PlacedOrder, event: str, execution: Execution | None = None) -> None:
        for listener in self.on_change:
            listener(order, event, execution)
