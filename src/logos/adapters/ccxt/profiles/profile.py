"""What an exchange does in its own way, as plain data: the one place where exchanges differ.

A profile says how one exchange takes a client order id, how an order is found and cancelled there,
how its lists are asked for in whole, how fees are told, and which of its error codes leave an
outcome open. Nothing else in this adapter knows an exchange by its name. Each field that differs
from its default names its source in `sources`: documentation, or ccxt's own code.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from logos.core.types import OrderType, Side, TimeInForce
from logos.venues.budget import Budget
from logos.venues.ids import IdRule

DAY_MS: Final = 86_400_000
QUANTITY: Final = "{quantity}"
"""Stands for the order's quantity, as text, in parameters of an order."""


class By(enum.Enum):
    """What an order is named by in a request."""

    CLIENT = "our id"
    VENUE = "the exchange's id"
    LIST = "a whole list"


class Answer(enum.Enum):
    """How a new order is answered."""

    FULL = "the whole order"
    ID = "its id"
    """At least an id; without a status the order is taken for accepted, as it was sent."""


class Pages(enum.Enum):
    """How a list that is longer than a page goes on."""

    WHOLE = "one answer"
    """The exchange documents no pages: the answer is the whole list, whatever its length."""
    NUMBER = "from a number on, oldest first"
    """Rows are numbered; `parameter` asks from a number on (Binance)."""
    FORWARD = "from a time on, oldest first"
    BACKWARD = "up to a time, newest first"
    """`parameter` asks for rows up to a moment (milliseconds)."""
    OFFSET = "after so many rows, newest first"
    """`parameter` is how many rows to pass over."""
    PAGE = "by page number, newest first"
    """`parameter` is the number of the page, from 1."""
    CURSOR = "by cursor"
    """The field `cursor` of any row of a page is `parameter` of the next; without it, the end."""
    LAST_ID = "after a row's id, newest first"
    """The field `cursor` of the oldest row of a page is `parameter` of the next."""


class Paging(msgspec.Struct, frozen=True):
    """How one list of the exchange is read in whole. Defaults: it comes in one answer."""

    pages: Pages = Pages.WHOLE
    size: int = 0
    """Rows of a full page; a shorter one is the last."""
    parameter: str = ""
    cursor: str = ""
    """A field of the exchange's own record (ccxt's `info`)."""
    asks_for_size: bool = True
    """Whether `size` is asked for; False where the exchange takes no such wish."""
    window_ms: int = 0
    """The longest span that one request may cover, bounded by ccxt's `until`; 0: any."""
    early_ms: int = 0
    """How much earlier than wanted to ask, where the first moment is left out or is rounded."""
    rows_max: int = 0
    """How many of the newest rows the exchange keeps: as many may not be all; 0: all of them."""
    kept_ms: int = 0
    """How far back the exchange's list reaches; 0: without end."""
    is_of_account: bool = False
    """Asked for without a market: pages then count the rows of every market."""
    parameters: Mapping[str, Any] = {}
    """What every request for this list holds besides."""


class Look(msgspec.Struct, frozen=True):
    """One way of asking for one order: a method of ccxt, and what names the order in it."""

    method: str
    by: By
    parameter: str = ""
    """The parameter that holds the id; empty: it is ccxt's argument `id`, or none for a list."""
    paging: Paging = Paging()
    """For lists."""


class Cancel(msgspec.Struct, frozen=True):
    """How a cancel names its order. By the exchange's id, it is looked up first."""

    by: By
    parameter: str = ""
    """The parameter that holds our id; empty: it is ccxt's argument `id`."""
    id_beside: str | None = None
    """ccxt's argument `id` where a parameter names the order."""


class DeadMan(msgspec.Struct, frozen=True):
    """The exchange's promise to cancel if it does not hear from us."""

    ask: Callable[[Any, int, str], Awaitable[Any]]
    """Takes ccxt's exchange, seconds, and the exchange's name of a market."""
    is_by_market: bool = False


class Stream(msgspec.Struct, frozen=True):
    """What the messages of an exchange's private stream of orders look like. A message holds
    fields: names joined by dots, and what stands there; None is anything."""

    confirmed: Mapping[str, Any]
    """What the message holds that confirms the subscription."""
    about: Mapping[str, Any]
    """What messages about orders hold."""
    rows: str
    """Where in them the orders stand: records, or lists of them, in lists on the way too."""
    names: tuple[str, ...]
    """The fields of an order that name it by our id (names joined by dots, too); the first that is
    not empty counts."""
    number: str = ""
    """The field with the exchange's id, where some messages name an order by that alone."""
    always_names: bool = False
    """Whether every message about an order of ours holds our id, so that one without it is about a
    stranger's; else it may be about any of ours."""
    ended: Mapping[str, Any] = {}
    """What the message holds with which the exchange ends the stream."""
    parameters: Mapping[str, Any] = {}
    """What ccxt's `watch_orders` is called with."""


class Reset(enum.Enum):
    """How a header says when the exchange counts anew. A moment that has passed says nothing."""

    MS_LEFT = "milliseconds from now"
    MS_SINCE_1970 = "milliseconds since 1970"
    S_SINCE_1970 = "seconds since 1970"


class Left(msgspec.Struct, frozen=True):
    """Which header of which answers tells what is left of a pool of the budget, or what is used."""

    pool: str
    requests: tuple[str, ...]
    """Pieces of "METHOD /path" of the requests whose answers are about that pool."""
    header: str
    window_s: int
    """Over how many seconds the exchange counts."""
    used_of: int = 0
    """Of so many the header tells how many are used; 0: it tells how many are left."""
    is_aligned: bool = False
    """Whether its windows begin at whole multiples of their length, rather than at any moment."""
    reset_header: str = ""
    reset: Reset = Reset.MS_LEFT
    stops_all: bool = False
    """Whether cancels are counted there as well, so that nothing may leave before the reset once
    the exchange has said that it is asked too much."""
    refusal: str = ""
    """Words of a refusal that says that this pool alone is empty: nothing that it counts may leave
    for as long as `Retry-After` says, other requests may."""


class Counter(msgspec.Struct, frozen=True):
    """A question by which the exchange tells how much it still bears, where no header does. It is
    asked after each question for what the account holds."""

    pool: str
    ask: Callable[[Any], Awaitable[Any]]
    """Takes ccxt's exchange."""
    limit: str
    used: str
    """The fields of the answer with the most there may be, and with what was used."""
    holds_s: int
    """How long an answer counts."""
    empty_s: int
    """Every how many seconds one request is let through once all of it is used."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange. See the module's words; `sources` cites every field that is not a default."""

    exchange_id: str
    ids: IdRule
    create_parameter: str = "clientOrderId"
    """The parameter of a new order that holds our id."""
    market_buy_parameters: Mapping[str, Any] = {}
    """What a market order to buy holds besides, so that its quantity is in base."""
    priced: frozenset[Side] = frozenset()
    """Sides whose market orders go out as limit orders that do not rest (IOC), somewhat beyond the
    best price: the exchange takes such an order by its cost, or not at all."""
    new_order: Answer = Answer.FULL
    looks: tuple[Look, ...]
    """How one order is asked for, in this order, until one knows it. An order that none knows has
    never been there; so the last of them must not need the exchange's id."""
    cancel: Cancel
    open_orders: Paging = Paging()
    fills: Paging
    order_types: frozenset[OrderType] = frozenset((OrderType.MARKET, OrderType.LIMIT))
    times_in_force: frozenset[TimeInForce] = frozenset(
        (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
    )
    fill_client_id: str = ""
    """The field of a fill's own record that names our id of its order, where ccxt drops it."""
    fee_currency: str = ""
    """The field of a fill's own record that names the fee's currency, where ccxt guesses it."""
    fee_extras: tuple[str, ...] = ()
    """Fields of a fill's own record that must be empty or zero, for they name fees that no record
    here can hold."""
    fill_holds: Mapping[str, str] = {}
    """Fields of a fill's own record and what each must hold: other rows undo or mend a fill."""
    not_ours: Mapping[str, Any] = {}
    """Fields of a fill's own record, with what they hold, that no order of ours brings about: such
    fills are passed over, for their quantity may be no multiple of the step."""
    unknown: tuple[str, ...] = ()
    """Codes and words after which a request may have been carried out."""
    exists: tuple[str, ...] = ()
    """Codes and words that say that an order with this client id is there already."""
    absent: Mapping[str, tuple[str, ...]] = {}
    """By a piece of a path: words of an answer, whatever its status, that say that there is no
    such order, or none that can be cancelled, where ccxt does not know them for that."""
    statuses: Mapping[str, str] = {}
    """The exchange's words for how an order stands that ccxt lets pass, and ccxt's own for each."""
    refused: tuple[str, ...] = ()
    """Codes and words of a plain no that ccxt sorts as an error of no kind."""
    shapes: Mapping[str, str] = {}
    """By the end of a path: what a good answer must hold, as names joined by dots; empty: it is a
    list. ccxt would make an empty list of an answer without it."""
    credentials: Mapping[str, str] = msgspec.field(
        default_factory=lambda: {"apiKey": "key", "secret": "secret", "password": "password"}
    )
    """ccxt's names of all that may sign a request, and which of ours each is: key, secret or
    password. What an exchange needs of them, ccxt knows."""
    market_lacks: tuple[str, ...] = ()
    """Fields of a market's own record that must be empty; a market with one is not traded here."""
    market_parameters: Mapping[str, Any] = {}
    """What the question for the markets holds besides."""
    options: Mapping[str, Any] = {}
    """Options of ccxt: signed extras off, one kind of markets."""
    switched_off: tuple[str, ...] = ()
    """Methods of ccxt that do nothing here, for they sign what nobody asked for."""
    forbidden: tuple[str, ...] = ()
    """Names that no request that changes something may hold."""
    asset_endings: tuple[str, ...] = ()
    """Ends of asset names that count as the asset before them (`BTC.F` is BTC)."""
    asset_names: Mapping[str, str] = {}
    """Assets that have another name in balances than in markets."""
    dead_man: DeadMan | None = None
    has_demo: bool = False
    """Whether the sandbox is a mode at the live address, which ccxt knows."""
    budget: Budget | None = None
    """The counters of requests that ours meet; None: what ccxt knows of rate and cost counts."""
    left: tuple[Left, ...] = ()
    """Where answers tell what is left of which of them."""
    counter: Counter | None = None
    """How the exchange is asked what is left, where it tells by no header."""
    stream: Stream | None = None
    """How the exchange tells of orders by itself; None: that was not shown, and it is asked."""
    stream_off: str = ""
    """Why its stream is not listened to, where it has one."""
    test_place: str
    """Where orders can be tried without money, in words."""
    sources: Mapping[str, str]

    def __post_init__(self) -> None:
        if all(look.by is By.VENUE for look in self.looks):
            raise ValueError(f"{self.exchange_id}: no way to ask for an order without its id there")


_NEED_NO_SOURCE: Final = ("exchange_id", "sources")


def uncited(profile: Profile) -> list[str]:
    """Fields of a profile that differ from their defaults and name no source."""
    told = []
    for field in msgspec.structs.fields(profile):
        is_default = (
            field.default is not msgspec.NODEFAULT and getattr(profile, field.name) == field.default
        ) or (
            field.default_factory is not msgspec.NODEFAULT
            and getattr(profile, field.name) == field.default_factory()
        )
        if not is_default and field.name not in (*_NEED_NO_SOURCE, *profile.sources):
            told.append(field.name)
    return told
