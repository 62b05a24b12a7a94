"""The contract of venues: what one is asked, what it answers, and what each failure means.

A venue is asked and answers; it decides nothing, keeps no books and never sends anything twice.
Prices and quantities are integers in the instrument's units, money in units of the ledger.

What matters most is what is known after a failure, so each kind has its own exception:

- `Refused`: the venue said no. The order does not exist there. Final.
- `NotSent`: nothing left this machine, or the venue turned it away unread (rate limit,
  maintenance). The order does not exist there; the same may be tried again.
- `OutcomeUnknown`: it may or may not exist there (timeout, connection lost after sending, an
  answer nobody can read). Ask with `find`; never send again blindly.
- `Unavailable`: a question could not be answered now. Ask again later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.errors import LogosError
from logos.venues.budget import Allowance, Budget


class VenueError(LogosError):
    """Something went wrong with a venue; no message of these ever holds a credential."""


class Refused(VenueError):
    """The venue refused the request for good; the order does not exist (or did not change)."""


class NotSent(VenueError):
    """The request had no effect; it may be tried again after `retry_after_s`.

    `demand_s` is given where the venue said that it is asked too much (429): for how long it wants
    to be left alone altogether, 0 when it did not say. None: it is about something else.
    """

    def __init__(
        self, message: str, retry_after_s: float = 0.0, demand_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.demand_s = demand_s


class OutcomeUnknown(VenueError):
    """The request may or may not have had its effect: ask before anything else."""


class Unavailable(VenueError):
    """A question could not be answered now. `retry_after_s` and `demand_s` as those of NotSent."""

    def __init__(
        self, message: str, retry_after_s: float = 0.0, demand_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.demand_s = demand_s


class VenueOrder(msgspec.Struct, frozen=True):
    """An order as the venue shows it. `client_order_id` is empty for one that
    the session did not place."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity_units: int
    filled_units: int
    limit_price_units: int
    status: OrderStatus
    reason: str = ""
    """The venue's words about a rejection or cancellation."""
    is_waiting: bool = False
    """Whether the venue says that it holds the order back for now, as before its market opens."""


class VenueCharge(msgspec.Struct, frozen=True):
    """What a venue took for what was traded, and that stands in no fill; `charge_id` is unique
    there, `amount` above 0, `words` the venue's own."""

    charge_id: str
    currency: str
    amount: Decimal
    words: str = ""


class VenueFill(msgspec.Struct, frozen=True):
    """One execution as the venue shows it; `fill_id` is unique at the venue within `symbol`.

    `fee` is exact text arithmetic in `fee_currency`. `client_order_id` may be empty where the
    venue's list of fills does not repeat it: `venue_order_id` says whose it is.
    """

    fill_id: str
    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    quantity_units: int
    price_units: int
    fee: Decimal
    fee_currency: str
    is_maker: bool
    ts_ns: int
    other_fees: tuple[tuple[str, Decimal], ...] = ()
    """What it cost besides, in further currencies, each with its amount."""
    no_fee_told: str = ""
    """Where the venue did not say what it cost and is not waited for any longer: those words, and
    `fee` is 0 without being known."""


class Capabilities(msgspec.Struct, frozen=True):
    """What a venue can do; an order beyond it is refused before it is sent."""

    order_types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    has_replace: bool
    is_sandbox: bool


class CheckLine(msgspec.Struct, frozen=True):
    """One line of a dry run: what was checked, whether it is well, and what to do if not."""

    name: str
    is_ok: bool
    detail: str


class DeadMan(Protocol):
    """A venue's promise to cancel our orders if it does not hear from us.

    A venue that has one shows it as `dead_man`, and None or nothing of that name otherwise.
    """

    async def cancel_all_after(self, seconds: int) -> None:
        """Have all orders cancelled unless this is asked again within `seconds`; 0 takes it back.

        Raises Unavailable when it is not known to have taken effect.
        """


Pace = Callable[[], Awaitable[None]]
"""Awaited before every HTTP request of a call; the first of each call has been let out already."""


class Budgeted(Protocol):
    """A venue that says how much it bears. Each of these may be missing (as None is): then there is
    no limit that we know of, no word of what is left, and only whole calls are counted."""

    @property
    def budget(self) -> Budget | None:
        """The counters of the exchange; asked before each request, so it may change in `open`."""

    @property
    def allowances(self) -> Sequence[Allowance]:
        """What the latest answers say is left, one for each pool that they speak of; asked after
        each request."""

    def use_pace(self, pace: Pace) -> None:
        """Await `pace` before every HTTP request, a second page or a second symbol included, in
        the task of the call. It makes questions wait for their turn; it never makes an order or a
        cancel wait, which waited before the call. From here on nothing else paces requests."""


class OrderNews(msgspec.Struct, frozen=True):
    """That something happened to an order: news, never the truth. Whoever hears it asks.

    An empty `client_order_id` is about an order that cannot be told, or a sign of life only.
    `is_sign_of_life`: nothing happened, but the stream is alive (a ping, a heartbeat).
    """

    client_order_id: str
    is_sign_of_life: bool = False


class Preparing(Protocol):
    """A venue that has to ask something before it can send an order; others lack `prepare`."""

    async def prepare(self, request: SubmitOrder) -> None:
        """Ask what `submit` of the same order needs; with no effect at the venue. Whoever sends
        looks at the kill switch once more behind it. Raises Refused or NotSent."""


class Streaming(Protocol):
    """A venue whose exchange tells of orders by itself; one that does not lacks `order_events`."""

    def order_events(self) -> AsyncIterator[OrderNews] | None:
        """News of orders from now on, as an async generator; None where there is no stream.

        The first item (a sign of life) comes when the subscription is confirmed, and from then on
        there is one at least every `SIGN_OF_LIFE_S`. It ends, or raises Unavailable, when the
        connection is lost; then it is asked for again. It does not reconnect by itself.
        """


class Telling(Protocol):
    """A venue that tells of fills by itself and remembers them; one that does not lacks `told`."""

    def told(self, client_order_id: str) -> tuple[VenueOrder, Sequence[VenueFill]] | None:
        """An order that is over, with all its fills, as the venue has told of it already; None
        where that is not so, or not certain: then it is to be asked for. Asks nothing itself."""


class LookingUp(Protocol):
    """A venue that finds an order's fills without going through all others'; most lack this."""

    async def fills_of(self, client_order_id: str, since_ns: int) -> Sequence[VenueFill]:
        """Those of `Venue.fills_since` that are this order's. Raises Unavailable."""


class Resuming(Protocol):
    """A venue that has to know what an earlier run of the session has booked; others lack this."""

    def resume_from(
        self, held: Mapping[str, Decimal], seen_fills: Collection[str], since_ns: int
    ) -> None:
        """Before `open`: by the session's books, its owner's part included, the account holds this
        by asset; these of its fills since `since_ns` are in the books."""


class Memory(msgspec.Struct, frozen=True):
    """How far back a venue's lists of what ended and of fills go for sure; `words` say why, and
    where else to look."""

    since_ns: int
    words: str


class Forgetting(Protocol):
    """A venue whose lists do not go back for ever; others lack `memory`. That an order made before
    stands in no list proves nothing."""

    @property
    def memory(self) -> Memory | None:
        """As of the latest answers; None before the first."""


class Speaking(Protocol):
    """A venue that has something to say while it is asked; others lack `on_words`."""

    on_words: Callable[[str], object]
    """Told what a person should know, once each."""


class Charging(Protocol):
    """A venue that charges for what was traded behind its fills; others lack `charges_since`."""

    async def charges_since(self, ts_ns: int) -> Sequence[VenueCharge]:
        """What it charged since then, as far as it is proved to be the session's alone. Raises
        Unavailable."""


SIGN_OF_LIFE_S: Final = 20.0
"""A stream that was silent for longer counts as dead, whatever its connection says."""


class Venue(Protocol):
    """A place where orders go. All methods raise `Unavailable` when a question stays open."""

    @property
    def name(self) -> str:
        """A short name for logs: "ccxt:binance (sandbox)"."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def open(self) -> None:
        """Connect and load what is needed of the market. Raises VenueError."""

    async def close(self) -> None:
        """Release every connection; closing again does nothing."""

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown."""

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel, once. Returns when the venue has taken the request.

        Raises Refused when there is nothing to cancel (it filled, or is unknown), NotSent or
        OutcomeUnknown. Whether the order ended is for `find` or `open_orders` to say.
        """

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the venue knows it; None when the venue says it has never seen it."""

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything open in the session's symbols, orders that it did not place included."""

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """All fills in the session's symbols from that moment on, oldest first."""

    async def positions(self) -> Mapping[str, int]:
        """Signed quantity units by symbol where the venue keeps positions; empty for spot."""

    async def balances(self) -> Mapping[str, Decimal]:
        """What is owned of each asset, what orders lock included."""

    async def check(self) -> Sequence[CheckLine]:
        """The dry run: credentials, permissions, clock skew, market rules; sends no order."""
