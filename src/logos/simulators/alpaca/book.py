"""What the local broker keeps: orders, executions and fees, and how they look in its answers.

Statuses and their meaning: "Order Lifecycle" of docs.alpaca.markets/docs/orders-at-alpaca. Fields
of an order: docs.alpaca.markets/reference/getallorders-1; of an activity:
docs.alpaca.markets/reference/getaccountactivitiesbytype-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from typing import Any, Final

from logos.errors import LogosError
from logos.simulators.account import BookOrder
from logos.simulators.exchange.market import Listing

NS: Final = 1_000_000_000
_CLIENT_ID_MAX: Final = 128

ENDED: Final = frozenset(("filled", "canceled", "expired", "replaced", "rejected"))
"""The statuses after which "no further updates will occur for the order"."""

WAITING: Final = frozenset(
    (
        "accepted_for_bidding",
        "calculated",
        "done_for_day",
        "held",
        "pending_cancel",
        "pending_new",
        "pending_replace",
        "pending_review",
        "stopped",
        "suspended",
    )
)
"""Open, and not to be filled before the status changes."""


class Denied(LogosError):
    """The broker's own status, code and words for a no."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.code = code
        self.words = words


@dataclass(slots=True, kw_only=True)
class BrokerOrder(BookOrder):
    """One order as the broker keeps it. With a `notional`, `quantity` is what that buys."""

    OPEN = WAITING | {"new", "accepted", "partially_filled"}

    order_id: str
    placed_ns: int
    status: str = "accepted"
    notional: Decimal = Decimal(0)
    trail: Decimal = Decimal(0)
    """In percent of the best price; 0: the stop does not trail."""
    spent: Decimal = Decimal(0)
    """What was paid or got for what filled."""
    changed_ns: int = 0
    replaced_by: str = ""
    replaces: str = ""

    @property
    def is_coin(self) -> bool:
        return is_coin(self.listing)

    @property
    def may_fill(self) -> bool:
        """Whether the market may fill it as it stands."""
        return self.is_open and self.status not in WAITING


@dataclass(frozen=True, slots=True)
class Activity:
    """One execution, or with an empty `order_id` one fee: `kind` is the activity's type then."""

    activity_id: str
    order_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    ts_ns: int
    kind: str
    filled: Decimal = Decimal(0)
    left: Decimal = Decimal(0)
    net: Decimal = Decimal(0)
    sub_kind: str = ""
    """Of a fee on shares REG, TAF or CAT."""
    words: str = ""
    day: str = ""
    """Of a fee on shares: which it is for, `YYYY-MM-DD`."""


def is_coin(listing: Listing) -> bool:
    return "/" in listing.market_id


def coin_fee(quantity: Decimal, rate: Decimal) -> Decimal:
    """The fee in the coin on so much of it: nine decimals, as quantities of coins have."""
    return (quantity * rate).quantize(Decimal("0.000000001"), ROUND_UP)


def read_order(
    body: Mapping[str, Any], listing: Listing, order_id: str, now_ns: int
) -> BrokerOrder:
    """The order that a request asks for. Raises Denied for one that cannot be."""
    has_quantity, has_notional = body.get("qty") is not None, body.get("notional") is not None
    if has_quantity == has_notional:
        raise Denied(422, 40010001, "only one of qty or notional is accepted")
    client_id = str(body.get("client_order_id") or order_id)
    if len(client_id) > _CLIENT_ID_MAX:
        raise Denied(422, 40010001, "client_order_id must be no more than 128 characters")
    return BrokerOrder(
        order_id=order_id,
        client_id=client_id,
        listing=listing,
        side=str(body["side"]),
        kind=str(body["type"]),
        time_in_force=str(body["time_in_force"]),
        quantity=Decimal(body.get("qty") or 0),
        notional=Decimal(body.get("notional") or 0),
        limit=Decimal(body.get("limit_price") or 0),
        stop=Decimal(body.get("stop_price") or 0),
        trail=Decimal(body.get("trail_percent") or 0),
        placed_ns=now_ns,
        changed_ns=now_ns,
        is_triggered=not body.get("stop_price") and not body.get("trail_percent"),
    )


def check_rules(order: BrokerOrder) -> None:
    """Refuse what Alpaca trades under no circumstances. Raises Denied.

    docs.alpaca.markets/docs/crypto-orders: coins have market, limit and stop_limit orders, GTC and
    IOC. docs.alpaca.markets/docs/fractional-trading: fractions of a share are traded by DAY orders.
    docs.alpaca.markets/docs/orders-at-alpaca, "Sub-penny increments".
    """
    if order.is_coin:
        if order.kind not in ("market", "limit", "stop_limit"):
            raise Denied(422, 40010001, "invalid order type for crypto order")
        if order.time_in_force not in ("gtc", "ioc"):
            raise Denied(422, 42210000, "invalid crypto time_in_force")
        return
    if (order.notional or order.quantity % 1) and order.time_in_force != "day":
        raise Denied(422, 42210000, "fractional orders must be DAY orders")
    if order.limit >= 1 and order.limit % Decimal("0.01"):
        words = "invalid limit_price. sub-penny increment does not fulfill minimum pricing"
        raise Denied(422, 42210000, words)


def order_row(order: BrokerOrder) -> dict[str, Any]:
    """An order as it stands in an answer; figures are text."""
    average = f"{order.spent / order.filled:f}" if order.filled else None
    is_filled, is_canceled = order.status == "filled", order.status == "canceled"
    changed = text_of(order.changed_ns)
    return {
        "id": order.order_id,
        "client_order_id": order.client_id,
        "created_at": text_of(order.placed_ns),
        "updated_at": changed,
        "submitted_at": text_of(order.placed_ns),
        "filled_at": changed if is_filled else None,
        "expired_at": changed if order.status == "expired" else None,
        "canceled_at": changed if is_canceled else None,
        "failed_at": changed if order.status == "rejected" else None,
        "replaced_at": changed if order.replaced_by else None,
        "replaced_by": order.replaced_by or None,
        "replaces": order.replaces or None,
        "symbol": order.listing.market_id,
        "asset_class": "crypto" if order.is_coin else "us_equity",
        "notional": f"{order.notional:f}" if order.notional else None,
        "qty": None if order.notional else f"{order.quantity:f}",
        "filled_qty": f"{order.filled:f}",
        "filled_avg_price": average,
        "order_class": "",
        "order_type": order.kind,
        "type": order.kind,
        "side": order.side,
        "time_in_force": order.time_in_force,
        "limit_price": f"{order.limit:f}" if order.limit else None,
        "stop_price": f"{order.stop:f}" if order.stop else None,
        "status": order.status,
        "extended_hours": False,
        "legs": None,
        "trail_percent": f"{order.trail:f}" if order.trail else None,
        "trail_price": None,
        "hwm": None,
    }


def activity_row(each: Activity) -> dict[str, Any]:
    """An execution or a fee as it stands in the list of activities.

    Of a fee on shares: a recorded list of 8 September 2026 (REG, TAF and CAT of one account); its
    `date` is the day that was traded on, and the id begins with it.
    """
    if each.sub_kind:
        return {
            "id": each.activity_id,
            "activity_type": each.kind,
            "activity_sub_type": each.sub_kind,
            "date": each.day,
            "created_at": text_of(each.ts_ns),
            "net_amount": f"{each.net:f}",
            "description": each.words,
            "status": "executed",
            "currency": "USD",
        }
    if not each.order_id:
        return {
            "id": each.activity_id,
            "activity_type": each.kind,
            "date": f"{datetime.fromtimestamp(each.ts_ns // NS, UTC):%Y-%m-%d}",
            "net_amount": f"{each.net:f}",
            "description": "Coin Pair Transaction Fee (Non USD)",
            "symbol": each.symbol.replace("/", ""),
            "qty": f"{each.quantity:f}",
            "price": f"{each.price:f}",
            "status": "executed",
        }
    return {
        "id": each.activity_id,
        "activity_type": "FILL",
        "transaction_time": text_of(each.ts_ns),
        "type": each.kind,
        "price": f"{each.price:f}",
        "qty": f"{each.quantity:f}",
        "side": each.side,
        "symbol": each.symbol,
        "leaves_qty": f"{each.left:f}",
        "order_id": each.order_id,
        "cum_qty": f"{each.filled:f}",
        "order_status": "partially_filled" if each.left else "filled",
    }


def text_of(ts_ns: int) -> str:
    """A moment as Alpaca writes it, with nanoseconds."""
    seconds, rest = divmod(ts_ns, NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def moment_ns(text: str) -> int:
    """A moment as a client writes it: a date, or RFC 3339 in UTC."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * NS + int(rest.ljust(9, "0") or "0")
