"""An order's intent, its approval and its life.

    OrderIntent --risk--> Approved --gate 2--> Order --venue--> reports

`TRANSITIONS` is the whole life of an order; `Order.advance` is the only way through it, and a
step outside the table is a broken invariant, not an error to handle.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.instrument import Instrument
from logos.core.strategy import OpenOrder, Replace, Target, Weight
from logos.core.types import Code, OrderStatus, OrderType, Side, TimeInForce
from logos.errors import InvariantBroken

# What is compared for every order, as plain names: a member that is looked up in its enumeration
# costs as much as two calls on CPython 3.11, and a hundred times a name's cost in compiled code.
BUY: Final = Side.BUY
SELL: Final = Side.SELL
MARKET: Final = OrderType.MARKET
LIMIT: Final = OrderType.LIMIT
STOP: Final = OrderType.STOP
STOP_LIMIT: Final = OrderType.STOP_LIMIT
GTC: Final = TimeInForce.GTC
DAY: Final = TimeInForce.DAY
IOC: Final = TimeInForce.IOC
FOK: Final = TimeInForce.FOK
NEW: Final = OrderStatus.NEW
ACCEPTED: Final = OrderStatus.ACCEPTED
PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
FILLED: Final = OrderStatus.FILLED
HELD: Final = OrderStatus.HELD
_DEFAULT_CODE: Final = Code.CANCELLED_BY_STRATEGY

TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.NEW: frozenset(
        (
            OrderStatus.ACCEPTED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
            OrderStatus.UNKNOWN,
            OrderStatus.HELD,
        )
    ),
    OrderStatus.HELD: frozenset((OrderStatus.NEW, OrderStatus.CANCELLED, OrderStatus.EXPIRED)),
    OrderStatus.UNKNOWN: frozenset(
        (
            OrderStatus.ACCEPTED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        )
    ),
    OrderStatus.ACCEPTED: frozenset(
        (
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        )
    ),
    OrderStatus.PARTIALLY_FILLED: frozenset(
        (
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        )
    ),
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}


@final
class ExitTerms:
    """What makes an order an exit, ties it to others, or gives it exits of its own.

    `reduce_only`: it may only shrink the position, and never exceeds it. `group`: of the open
    orders of a symbol that share it, a fill of one takes from the others (see `exits`). A
    `stop_loss` and a `take_profit` (price units; 0: none) make it the entry of a bracket: each
    fill of it brings exits at these prices to life. `follows` is the number of the exit in whose
    place or beside which it stands, as that one could not be changed at a real venue; 0: none.
    """

    __slots__ = ("follows", "group", "reduce_only", "stop_loss", "take_profit")

    def __init__(
        self,
        reduce_only: bool,
        group: str = "",
        stop_loss: int = 0,
        take_profit: int = 0,
        follows: int = 0,
    ) -> None:
        self.follows = follows
        self.reduce_only = reduce_only
        self.group = group
        self.stop_loss = stop_loss
        self.take_profit = take_profit


BRACKET_MARK: Final = "#"
"""What the group of a bracket's exits begins with; the number of its entry follows."""

NO_EXIT: Final = ExitTerms(False)
"""The terms of an order that stands by itself."""


@final
class OrderIntent:
    """What is to be ordered: quantised, positive, and not yet judged.

    Prices and quantities are in the instrument's units; a price of 0 means none is named.
    `reference_price` is the price the quantity was judged at (0 when there is none yet).
    """

    __slots__ = (
        "exit",
        "instrument",
        "is_buy",
        "limit_price",
        "notes",
        "quantity",
        "reference_price",
        "side",
        "stop_price",
        "tag",
        "time_in_force",
        "type",
    )

    def __init__(
        self,
        instrument: Instrument,
        side: Side,
        quantity: int,
        type: OrderType,
        limit_price: int,
        stop_price: int,
        time_in_force: TimeInForce,
        reference_price: int,
        notes: str,
        tag: str,
    ) -> None:
        self.instrument = instrument
        self.side = side
        self.is_buy: bool = side is BUY
        self.quantity = quantity
        self.type = type
        self.limit_price = limit_price
        self.stop_price = stop_price
        self.time_in_force = time_in_force
        self.reference_price = reference_price
        self.notes = notes
        self.tag = tag
        self.exit: ExitTerms = NO_EXIT


def order_shape(intent: OrderIntent) -> tuple[object, ...]:
    """What makes two orders duplicates of each other."""
    return (
        intent.side,
        intent.type,
        intent.quantity,
        intent.limit_price,
        intent.stop_price,
        intent.time_in_force,
    )


@final
class Order:
    """An order that passed risk and both gates."""

    __slots__ = (
        "arrival_ns",
        "at_market",
        "cancel_at_ns",
        "cancel_code",
        "client_order_id",
        "covered",
        "created_ns",
        "day_ends_ns",
        "fee",
        "fee_base",
        "filled",
        "follows",
        "group",
        "held_in",
        "instrument",
        "is_buy",
        "is_open",
        "is_resting",
        "judged_price",
        "limit_price",
        "locked",
        "notes",
        "order_id",
        "quantity",
        "reason",
        "reduce_only",
        "reference_price",
        "replacement",
        "shown",
        "side",
        "sign",
        "status",
        "stop_loss",
        "stop_price",
        "tag",
        "take_profit",
        "tick_id",
        "time_in_force",
        "tries",
        "triggered",
        "type",
    )

    def __init__(
        self,
        order_id: int,
        client_order_id: str,
        intent: OrderIntent,
        created_ns: int,
        arrival_ns: int,
        tick_id: int,
        locked: int,
        judged_price: int,
    ) -> None:
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.instrument = intent.instrument
        self.side = intent.side
        self.is_buy = intent.is_buy
        self.sign: int = 1 if self.is_buy else -1
        self.type = intent.type
        self.time_in_force = intent.time_in_force
        self.quantity = intent.quantity
        self.limit_price = intent.limit_price
        self.stop_price = intent.stop_price
        self.reference_price = intent.reference_price
        self.notes = intent.notes
        self.tag = intent.tag
        self.reduce_only: bool = intent.exit.reduce_only
        self.group = intent.exit.group
        self.stop_loss: int = intent.exit.stop_loss
        self.take_profit: int = intent.exit.take_profit
        self.follows: int = intent.exit.follows
        """See `ExitTerms`."""
        self.tries: int = 0
        """How many orders before it a real venue did not fill whole, whose place it took."""
        self.at_market: bool = False
        """Whether an exit with a limit was sent as a market order: the price was as good as its
        limit, and its venue takes a limit order only to rest."""
        self.covered: int = 0
        """How much of the fills of a bracket's entry has exits, in quantity units."""
        self.created_ns = created_ns
        self.arrival_ns = arrival_ns
        self.day_ends_ns: int = 0
        """When a day order ends; 0 for any other."""
        if intent.time_in_force is DAY:
            self.day_ends_ns = intent.instrument.day_end_ns(created_ns)
        self.tick_id = tick_id
        self.locked = locked
        """What the order still binds: quote money for a buy, base quantity for a spot sale."""
        self.judged_price = judged_price
        """The price its value was judged at; see risk.judged_price."""
        self.filled: int = 0
        self.triggered: bool = False
        """Whether a stop has been touched; from then on it works as a market or limit order."""
        self.is_resting: bool = False
        """Whether the order has met the market once and stayed."""
        self.status: OrderStatus = NEW
        self.is_open: bool = True
        """Whether the order can still fill or be cancelled."""
        self.reason: Code | None = None
        self.fee: int = 0
        self.fee_base: int = 0
        """Unrounded fees so far, in 10**-9 of a ledger unit; see `fees.order_fee`."""
        self.cancel_at_ns: int = -1
        """When a requested cancel reaches the venue; -1 while none is under way."""
        self.cancel_code: Code = _DEFAULT_CODE
        self.replacement: Replace | None = None
        self.held_in: int = 0
        """In which episode of its symbol's `PriceWatch` it was last held back; 0: in none."""
        self.shown: tuple[tuple[int, int, int, int], OpenOrder] | None = None
        """How it stood when its strategy saw it last, and as what (`figures.open_order`)."""

    @property
    def has_exit_terms(self) -> bool:
        """Whether a fill of it, or of another order, may concern its exits or itself as one."""
        return self.reduce_only or bool(self.group or self.stop_loss or self.take_profit)

    @property
    def leg(self) -> int:
        """Orders of a group that share this number are one exit, in parts or one after another."""
        return self.follows or self.order_id

    @property
    def waits_for_price(self) -> bool:
        """Whether the engine holds it back from a real venue until its price is reached."""
        return self.reduce_only or bool(self.group)

    @property
    def remaining(self) -> int:
        """Quantity still to fill."""
        return self.quantity - self.filled

    def advance(self, status: OrderStatus) -> None:
        """Move to `status`; raises InvariantBroken when the lifecycle does not allow it."""
        if status not in TRANSITIONS[self.status]:
            raise InvariantBroken(
                f"order {self.order_id}: {self.status.value} cannot become {status.value}"
            )
        self.status = status
        self.is_open = bool(TRANSITIONS[status])


@final
class StandingTarget:
    """A target position that stands: the request, and what became of it so far."""

    __slots__ = ("code", "is_filled", "order_id", "request", "tries", "wanted")

    def __init__(self, request: Target | Weight) -> None:
        self.request = request
        self.wanted: int | None = None
        """The position that a `Target` asks for, in quantity units, once that was worked out."""
        self.order_id: int = 0
        """The order that was sent for it last and is still open; 0: none is."""
        self.is_filled: bool = False
        """Whether such an order was filled whole."""
        self.tries: int = 0
        """How many such orders ended otherwise."""
        self.code: Code | None = None
        """Why it was refused last."""


@final
class Execution:
    """One fill of an order: quantity and price in the instrument's units.

    `quote_fee` is in ledger units. `base_fee` is what a spot venue kept of the traded asset, in
    units of the base wallet.
    """

    __slots__ = ("base_fee", "is_maker", "price", "quantity", "quote_fee")

    def __init__(
        self, quantity: int, price: int, is_maker: bool, quote_fee: int, base_fee: int = 0
    ) -> None:
        self.quantity = quantity
        self.price = price
        self.is_maker = is_maker
        self.quote_fee = quote_fee
        self.base_fee = base_fee
