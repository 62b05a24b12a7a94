"""What others may know of a running core: two windows on it that change nothing.

`CoreContext` is the strategy's, in decimals. `CoreView` is the edge's, in units. Whoever held the
core's own objects could change them, and would depend on how they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple, final

from logos.core.bars.book import NO_HISTORY, BarBook
from logos.core.exits.held import under_way
from logos.core.gates import Switch, lets_all_out, why_closed
from logos.core.guards.standing import RiskFigures, risk_figures
from logos.core.handlers.events import Timer
from logos.core.handlers.figures import Figures, make_figures
from logos.core.handlers.tools import Tools
from logos.core.instrument import Instrument
from logos.core.order_manager import OrderManager
from logos.core.orders import Order
from logos.core.outbox import OrderTerms, OutstandingOrder, terms_of
from logos.core.strategy import OpenOrder
from logos.core.types import Code


@final
class CoreContext:
    """The context of a running core; see `strategy.Context`.

    What it asks is enclosed in functions and no attribute of it: a strategy that follows names
    meets nothing of the core. That is a fence and no wall. Code in the same process can find every
    object of it (`gc`, frames); what it changes there, `logos verify` finds in the journal.
    """

    __slots__ = (
        "_figures",
        "_history",
        "_now_ns",
        "_timeframe",
        "_tools",
        "params",
        "random",
        "symbols",
    )

    def __init__(
        self,
        order_manager: OrderManager,
        tools: Tools,
        params: Mapping[str, object],
        random: Random,
        book: BarBook | None,
    ) -> None:
        def now_ns() -> int:
            return order_manager.now_ns

        def timeframe() -> str:
            return "" if book is None else book.timeframe

        def history(symbol: str, count: int, field: str, timeframe: str) -> list[float]:
            if book is None:
                raise ValueError(NO_HISTORY)
            return book.history(symbol, count, field, timeframe)

        self._now_ns: Callable[[], int] = now_ns
        self._figures: Figures = make_figures(order_manager)
        self._timeframe: Callable[[], str] = timeframe
        self._history: Callable[[str, int, str, str], list[float]] = history
        self._tools = tools
        self.params = params
        self.random = random
        self.symbols: Sequence[str] = list(order_manager.states)

    @property
    def now_ns(self) -> int:
        """The time of the event being handled, nanoseconds UTC."""
        return self._now_ns()

    # ---- of a symbol: each raises KeyError for one that the session does not trade ----

    def position(self, symbol: str) -> Decimal:
        """Signed quantity held, in units of the symbol."""
        return self._figures.position(symbol)

    def entry_price(self, symbol: str) -> Decimal | None:
        """The average price of the open lots; None with nothing held."""
        return self._figures.entry_price(symbol)

    def unrealised(self, symbol: str) -> Decimal:
        """Open profit at the latest mark, before fees, in the quote currency."""
        return self._figures.unrealised(symbol)

    def realised(self, symbol: str) -> Decimal:
        """Profit of what was closed, before fees, in the quote currency."""
        return self._figures.realised(symbol)

    def fees(self, symbol: str) -> Decimal:
        """All fees so far, in the quote currency."""
        return self._figures.fees(symbol)

    def buying_power(self, symbol: str) -> Decimal | None:
        """What may be bought of the symbol at most, in the quote currency, before fees."""
        return self._figures.buying_power(symbol)

    def bid(self, symbol: str) -> Decimal | None:
        """The latest best bid, or the last price where the source has one side only."""
        return self._figures.bid(symbol)

    def ask(self, symbol: str) -> Decimal | None:
        """The latest best ask; see `bid`."""
        return self._figures.ask(symbol)

    def spread(self, symbol: str) -> Decimal | None:
        """The latest ask minus the latest bid; None before the first price."""
        return self._figures.spread(symbol)

    def last_price(self, symbol: str) -> Decimal | None:
        """The price of the latest trade, or close of a bar of trades; None before the first."""
        return self._figures.last_price(symbol)

    def open_orders(self, symbol: str) -> list[OpenOrder]:
        """Orders of `symbol` that can still fill, oldest first."""
        return self._figures.open_orders(symbol)

    def open_groups(self, symbol: str) -> dict[str, list[OpenOrder]]:
        """The open orders of each group of `symbol`, oldest first."""
        return self._figures.open_groups(symbol)

    @property
    def timeframe(self) -> str:
        """The timeframe of the bar that is being told; see `strategy.Context`."""
        return self._timeframe()

    def history(
        self, symbol: str, count: int, field: str = "close", timeframe: str = ""
    ) -> list[float]:
        """Figures of the latest bars; see `strategy.Context`. Raises KeyError, ValueError."""
        return self._history(symbol, count, field, timeframe)

    # ---- timers, and what is written down: see `strategy.Context` ----

    def at(self, time: object, *, name: str = "", symbol: str = "") -> Timer:
        """Have `on_timer` called at `time`."""
        return self._tools.at(time, name, symbol)

    def every(
        self, interval: object, *, align: bool = True, name: str = "", symbol: str = ""
    ) -> Timer:
        """Have `on_timer` called each `interval`."""
        return self._tools.every(interval, align, name, symbol)

    def cancel_timer(self, timer: Timer | int) -> bool:
        """Let a timer fall due no more; whether it was set."""
        return self._tools.cancel_timer(timer)

    def log(self, text: object, *, symbol: object = "") -> None:
        """Write a note into the session's log and notes.csv."""
        self._tools.log(text, symbol)

    def plot(self, name: object, value: object, *, symbol: object = "") -> None:
        """Write a point of the curve `name` into plots.csv."""
        self._tools.plot(name, value, symbol)

    # ---- of a currency: each raises KeyError for one that nothing is quoted in ----

    def equity(self, currency: str) -> Decimal:
        """Equity of the ledger, in `currency`, at the latest marks."""
        return self._figures.equity(currency)

    def cash(self, currency: str) -> Decimal:
        """What the wallet of `currency` holds, money that open orders bind included."""
        return self._figures.cash(currency)


class SymbolScales(NamedTuple):
    """In what a symbol's amounts are counted: money of `currency` in units of 10**-money_decimals,
    the base asset in units of 10**-base_decimals. It does not change within a session."""

    instrument: Instrument
    currency: str
    money_decimals: int
    base_decimals: int


class Holding(NamedTuple):
    """What there is of one asset: `balance` in units of 10**-decimals, locked amounts included."""

    asset: str
    balance: int
    decimals: int


@final
class CoreView:
    """What the edge may ask of a running core: the link, the reconciliation, the live engine.

    It answers in numbers and frozen messages, as of the moment of the question. Ask it between two
    events, in the thread that steps the core.
    """

    __slots__ = ("_order_manager", "session_id", "symbols")

    def __init__(self, order_manager: OrderManager) -> None:
        self._order_manager = order_manager
        self.session_id: str = order_manager.session_id
        """What the client order ids of this session begin with, before the dash."""
        self.symbols: Mapping[str, SymbolScales] = {
            symbol: SymbolScales(
                state.instrument,
                state.ledger.currency,
                state.ledger.decimals,
                state.base_wallet.decimals,
            )
            for symbol, state in order_manager.states.items()
        }
        """Every symbol of the session, in its order."""

    # ---- positions and prices ----

    def position(self, symbol: str) -> int:
        """What is held, signed, in quantity units. Raises KeyError."""
        return self._order_manager.states[symbol].inventory.position

    def marks(self) -> dict[str, int]:
        """The price, in units, at which each position that is held is valued now; 0: none yet."""
        states = self._order_manager.states.items()
        return {symbol: state.mark for symbol, state in states if state.inventory.position}

    def paused(self) -> tuple[str, ...]:
        """The symbols in which an operator wants nothing ordered."""
        states = self._order_manager.states.items()
        return tuple(symbol for symbol, state in states if state.is_paused)

    def risk(self, now_ns: int) -> RiskFigures:
        """How the session stands against its limits at `now_ns`."""
        return risk_figures(self._order_manager, now_ns)

    def holdings(self) -> list[Holding]:
        """Every wallet of the account."""
        return [
            Holding(wallet.asset, wallet.balance, wallet.decimals)
            for wallet in self._order_manager.account.wallets
        ]

    # ---- orders at the venue ----

    def is_open(self, client_order_id: str) -> bool:
        """Whether the core takes this order to be open at its venue."""
        return client_order_id in self._open()

    def outstanding(self) -> list[OutstandingOrder]:
        """The orders that the core takes to be open at its venue, oldest first."""
        return [
            OutstandingOrder(
                terms_of(order),
                order.filled,
                order.status,
                order.cancel_at_ns >= 0,
            )
            for order in self._open().values()
        ]

    def in_flight(self, symbol: str, is_buy: bool, besides: str = "") -> int:
        """What open orders of a side may still fill, in quantity units, without the order whose
        client id is `besides`. Raises KeyError for an unknown symbol."""
        state = self._order_manager.states[symbol]
        quantity = state.open_buy if is_buy else state.open_sell
        order = self._open().get(besides)
        return quantity if order is None or order.reduce_only else quantity - order.remaining

    def why_closed(self, switch: Switch, terms: OrderTerms) -> Code | None:
        """Whether an order that the core has made may still leave: None, or the code of why not.

        The switch, the position and what else is open are those of now. See `gates.why_closed`.
        """
        state = switch.authority()
        if lets_all_out(state):
            return None
        in_flight = self.in_flight(terms.symbol, terms.is_buy, terms.client_order_id)
        order = self._open().get(terms.client_order_id)
        if order is not None and order.reduce_only:
            in_flight = under_way(self._order_manager.states[terms.symbol], order.is_buy, order)
        return why_closed(state, terms.signed_quantity, self.position(terms.symbol), in_flight)

    def _open(self) -> dict[str, Order]:
        outbox = self._order_manager.outbox
        return {} if outbox is None else outbox.open
