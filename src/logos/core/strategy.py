"""What a strategy is, what it may answer, and what it may know.

A strategy is a class with any of the methods of `Strategy`. Each of them answers with what should
happen: nothing (None), a `Side`, a `Target` position, a target `Weight` of equity, an
`OrderRequest` (see `market`, `limit`, `stop`, `stop_limit`), a `Cancel`, a `Replace`, or a list
of these, taken in order. Whatever it answers goes the one road: intents, risk, gates, venue.

This module stays interpreted, because strategies are.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, Unpack

import msgspec

from logos.core.declared.parameters import parameters_of, take_parameters
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.types import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from logos.core.handlers.events import OrderEvent, Timer
    from logos.core.records import PaperFillRecord

Number = int | float | str | Decimal
"""How a strategy may write a price or quantity. Floats are read by their shortest decimal text."""


class Target(msgspec.Struct, frozen=True):
    """Be at this position (negative is short). It stands until it is reached or replaced."""

    quantity: Number
    symbol: str = ""


class Weight(msgspec.Struct, frozen=True):
    """Hold this fraction of equity in the symbol: 0.5 is half long, -1 is wholly short.

    It is sized once, stands as a `Target` does, and does not follow the price afterwards.
    """

    fraction: Number
    symbol: str = ""


class OrderRequest(msgspec.Struct, frozen=True):
    """One explicit order. An empty symbol means that of the event being answered.

    `tag` is the strategy's own name for the order; `Cancel` and `Replace` find it by that.
    `reduce_only`: it can only shrink the position, is cut to it when it shrinks, and is cancelled
    when nothing is held. `group`: orders of one symbol and group are OCO: what one of them fills is
    taken from the others, if all of them only reduce; else the others are cancelled. `stop_loss`
    and `take_profit` are prices of exits that come to life with each fill of the order.
    """

    side: Side
    quantity: Number
    type: OrderType = OrderType.MARKET
    limit_price: Number | None = None
    stop_price: Number | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    symbol: str = ""
    tag: str = ""
    reduce_only: bool = False
    group: str = ""
    stop_loss: Number | None = None
    take_profit: Number | None = None


class Cancel(msgspec.Struct, frozen=True):
    """Cancel an open order, by its number or by the strategy's tag."""

    order_id: int = 0
    tag: str = ""


class Replace(msgspec.Struct, frozen=True):
    """Cancel an open order and, if it was still open, send it anew with what is given changed.

    `quantity` is the new total, fills included. The new order is a new order: it goes through
    risk and both gates, and keeps the tag, the group and whether it only reduces.
    """

    order_id: int = 0
    tag: str = ""
    quantity: Number | None = None
    limit_price: Number | None = None
    stop_price: Number | None = None


Request = Side | Target | Weight | OrderRequest | Cancel | Replace
Answer = Request | Sequence[Request] | None


class OrderOptions(TypedDict, total=False):
    """What any order may say besides its side, quantity and prices; see `OrderRequest`."""

    symbol: str
    tag: str
    reduce_only: bool
    group: str
    stop_loss: Number | None
    take_profit: Number | None


class LastingOrderOptions(OrderOptions, total=False):
    """And of an order that may wait: how long it works."""

    time_in_force: TimeInForce


def market(side: Side, quantity: Number, **options: Unpack[OrderOptions]) -> OrderRequest:
    """Trade now, at what the market gives."""
    return OrderRequest(side, quantity, **options)


def limit(
    side: Side, quantity: Number, price: Number, **options: Unpack[LastingOrderOptions]
) -> OrderRequest:
    """Trade at `price` or better."""
    return OrderRequest(side, quantity, OrderType.LIMIT, limit_price=price, **options)


def stop(
    side: Side, quantity: Number, price: Number, **options: Unpack[LastingOrderOptions]
) -> OrderRequest:
    """Become a market order once the market trades at `price` or worse."""
    return OrderRequest(side, quantity, OrderType.STOP, stop_price=price, **options)


def stop_limit(
    side: Side,
    quantity: Number,
    stop_price: Number,
    limit_price: Number,
    **options: Unpack[LastingOrderOptions],
) -> OrderRequest:
    """Become a limit order at `limit_price` once the market trades at `stop_price` or worse."""
    return OrderRequest(
        side,
        quantity,
        OrderType.STOP_LIMIT,
        limit_price=limit_price,
        stop_price=stop_price,
        **options,
    )


class OpenOrder(msgspec.Struct, frozen=True):
    """An order that is still working, as a strategy sees it."""

    order_id: int
    tag: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    filled: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    reduce_only: bool = False
    group: str = ""


class Context(Protocol):
    """What a strategy may know and use. Asking never changes anything; timers can be set."""

    params: Mapping[str, object]
    """The parameters of the session, as configured."""
    random: random.Random
    """The session's seeded generator: the only randomness a strategy may use."""
    symbols: Sequence[str]

    @property
    def now_ns(self) -> int:
        """The time of the event being handled, nanoseconds UTC."""

    # ---- of a symbol: each raises KeyError for one that the session does not trade ----

    def position(self, symbol: str) -> Decimal:
        """Signed quantity held."""

    def entry_price(self, symbol: str) -> Decimal | None:
        """The average price of the open lots, to 8 decimals more than a price of the symbol has;
        None with nothing held."""

    def unrealised(self, symbol: str) -> Decimal:
        """Open profit at the latest mark, before fees, in the quote currency."""

    def realised(self, symbol: str) -> Decimal:
        """Profit of what was closed, before fees, in the quote currency."""

    def fees(self, symbol: str) -> Decimal:
        """All fees so far, in the quote currency."""

    def buying_power(self, symbol: str) -> Decimal | None:
        """What may be bought of the symbol at most, in the quote currency, before fees.

        Free money at spot; on margin free margin by the initial rate, None where that is 0.
        """

    def bid(self, symbol: str) -> Decimal | None:
        """The latest best bid, or the last price where the source has one side only.

        None before the first price.
        """

    def ask(self, symbol: str) -> Decimal | None:
        """The latest best ask; see `bid`."""

    def spread(self, symbol: str) -> Decimal | None:
        """The latest ask minus the latest bid; None before the first price."""

    def last_price(self, symbol: str) -> Decimal | None:
        """The price of the latest trade, or close of a bar of trades; None before the first."""

    def open_orders(self, symbol: str) -> list[OpenOrder]:
        """Orders of `symbol` that can still fill, oldest first."""

    def open_groups(self, symbol: str) -> dict[str, list[OpenOrder]]:
        """The open orders of each group of `symbol`, oldest first."""

    # ---- timers ----

    def at(self, time: object, *, name: str = "", symbol: str = "") -> Timer:
        """Have `on_timer` called at `time`: nanoseconds UTC, a datetime with a zone, or ISO-8601.

        `name` is for the strategy to know it by; `symbol` is what its answers are about unless
        they name another. Raises ValueError or TypeError for what is no time, KeyError for a symbol
        that the session does not trade.
        """

    def every(
        self, interval: object, *, align: bool = True, name: str = "", symbol: str = ""
    ) -> Timer:
        """Have `on_timer` called each `interval`: text like `15m`, seconds, or a timedelta.

        `align`: at multiples of it since 1970 UTC, else counted from now. Raises as `at`.
        """

    def cancel_timer(self, timer: Timer | int) -> bool:
        """Let a timer, or the one of that `timer_id`, fall due no more; whether it was set."""

    # ---- what is written down ----

    def log(self, text: object, *, symbol: str = "") -> None:
        """Write a note into the session's log and notes.csv, with the time of the event.

        At most 1,000 characters; those that a terminal would obey are spelled out, secrets among
        the parameters are masked. At most 100 notes and points a tick, 100,000 notes a session.
        """

    def plot(self, name: str, value: object, *, symbol: str = "") -> None:
        """Write a point of the curve `name` into plots.csv, with the time of the event.

        None, and a float that is no finite number, is no point. At most 1,000,000 a session.
        Raises TypeError for what is no number.
        """

    # ---- of a currency: each raises KeyError for one that nothing is quoted in ----

    def equity(self, currency: str) -> Decimal:
        """Equity of the ledger in `currency`, marked at the latest prices."""

    def cash(self, currency: str) -> Decimal:
        """What the wallet of `currency` holds, money that open orders bind included."""

    @property
    def timeframe(self) -> str:
        """In `on_bar`, the name in `Strategy.timeframes` of the bar's length; empty elsewhere, and
        where no timeframes are asked for."""

    def history(
        self, symbol: str, count: int, field: str = "close", timeframe: str = ""
    ) -> list[float]:
        """`open`, `high`, `low`, `close` or `volume` of the latest `count` closed bars, oldest
        first; fewer while there are fewer.

        Without a `timeframe`: that of the bar that is being handled, which is the last of them,
        else the finest. Raises ValueError for more bars than `Strategy.history` keeps.
        """


class Strategy:
    """Base of strategies. Override what you need; each answer may be None.

    An exception raised in here ends the session with its artifacts written and exit code 5.
    A class may declare parameters (`window: int = param(14, 2, 200)`), which are also the keyword
    arguments that it is made with.
    """

    timeframes: Sequence[str] = ()
    """Lengths of the bars that `on_bar` is to be told, such as ["1m", "1h"]; they are made of what
    the data has. Empty: the data's own bars. It is set in the class, as are the next two."""
    history: int = 0
    """How many bars `context.history` keeps, of each symbol and timeframe."""
    warmup: int | str = 0
    """For how many bars of the finest timeframe (30), or for how long ("2d"), events are only to be
    seen: every order is refused with WARMING_UP until then."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        take_parameters(cls)

    def __init__(self, **values: Any) -> None:
        """What is left of `values` here is no parameter. Raises TypeError for it."""
        if values:
            known = ", ".join(parameters_of(type(self))) or "none"
            raise TypeError(
                f"{type(self).__name__} has no parameter {', '.join(values)}: it takes {known}"
            )

    def on_start(self, context: Context) -> Answer:
        """Once, before the first event."""

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        """A bar has closed."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        """The best bid or ask has changed."""

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        """Somebody traded."""

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        """One of our orders was filled, wholly or in part."""

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        """Something became of an order other than a fill, or of a wish for one."""

    def on_timer(self, context: Context, timer: Timer) -> Answer:
        """A timer fell due that was set with `context.at` or `context.every`."""

    def on_session_open(self, context: Context, symbol: str) -> Answer:
        """The market of a symbol that has hours is open from here on."""

    def on_session_close(self, context: Context, symbol: str) -> Answer:
        """The market of a symbol that has hours is closed from here on."""

    def on_stop(self, context: Context) -> Answer:
        """Once, after the last event. Answers still go through risk and gates."""

    # ---- going on without living through everything again (optional: override both, or none) ----

    def save(self) -> Mapping[str, Any]:
        """All that the strategy remembers, as JSON data: tables, lists, text, numbers, flags, None.

        Called between two events, whenever the session likes: it must change nothing.
        """
        raise NotImplementedError(f"{type(self).__qualname__} does not save itself")

    def load(self, context: Context, state: dict[str, Any]) -> None:
        """Become what `save` told; called instead of `on_start`, on a strategy made anew."""
        raise NotImplementedError(f"{type(self).__qualname__} does not load itself")


def can_save(strategy: Strategy) -> bool:
    """Whether the strategy's own class says how it is saved and loaded."""
    return can_be_saved(type(strategy))


def can_be_saved(kind: type[Strategy]) -> bool:
    """Whether the class itself says how its strategies are saved and loaded.

    What it inherits does not count: its parent cannot know what it remembers besides.
    """
    return kind is not Strategy and {"save", "load"} <= vars(kind).keys()
