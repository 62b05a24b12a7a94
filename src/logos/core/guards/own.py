"""Guards that users write: a function that is asked about every order, and may refuse it.

    def only_small_shorts(order: OrderView) -> str | None:
        after = order.position - order.quantity if order.side is Side.SELL else order.position
        return "short by more than 100" if after < -100 else None

It gets a read-only view of the order, its instrument and the account, and answers None (no
objection) or the text of a refusal, whose code is USER_GUARD. All such guards are asked, in the
order in which they are configured, also where other guards object already.

A guard decides on the view alone: no clock, no file, no network, and nothing that it remembers of
earlier orders. Then a session that is replayed or resumed refuses the same orders.

A guard that raises, or answers anything but None or a text, refuses the order: it fails closed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, final

from logos.core.fixed import to_decimal
from logos.core.guards.limits import SessionGuards
from logos.core.instrument_state import InstrumentState
from logos.core.orders import OrderIntent
from logos.core.types import OrderType, Side, TimeInForce
from logos.errors import StrategyError, error_words

_TEXT_MAX: Final = 200


@final
class OrderView:
    """What a guard sees of an order that was not made yet. Figures are Decimals, times UTC.

    `quantity`, `position`, `open_buy` and `open_sell` are in units of the symbol; prices, `value`
    and the account's figures in `currency`.
    """

    __slots__ = ("_intent", "_now_ns", "_price", "_state")

    def __init__(
        self, intent: OrderIntent, state: InstrumentState, price: int, now_ns: int
    ) -> None:
        self._intent = intent
        self._state = state
        self._price = price
        self._now_ns = now_ns

    @property
    def now_ns(self) -> int:
        """The time of the event that is being handled, nanoseconds since 1970 UTC."""
        return self._now_ns

    # ---- the order ----

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self._intent.instrument.symbol

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self._intent.side

    @property
    def type(self) -> OrderType:
        """Market, limit, stop or stop limit."""
        return self._intent.type

    @property
    def time_in_force(self) -> TimeInForce:
        """How long the order would work."""
        return self._intent.time_in_force

    @property
    def tag(self) -> str:
        """The strategy's name for the order; empty for none."""
        return self._intent.tag

    @property
    def quantity(self) -> Decimal:
        """What the order would trade; never 0 or negative."""
        return self._quantity(self._intent.quantity)

    @property
    def limit_price(self) -> Decimal | None:
        """The limit; None where the order names none."""
        return self._price_or_none(self._intent.limit_price)

    @property
    def stop_price(self) -> Decimal | None:
        """The stop; None where the order names none."""
        return self._price_or_none(self._intent.stop_price)

    @property
    def value(self) -> Decimal:
        """Quantity times multiplier times the worst price that the order names or meets."""
        return self._money(self._state.value(self._price, self._intent.quantity))

    # ---- its instrument ----

    @property
    def bid(self) -> Decimal:
        """The price that a sale would meet now."""
        return to_decimal(self._state.bid, self._intent.instrument.price_decimals)

    @property
    def ask(self) -> Decimal:
        """The price that a buy would meet now."""
        return to_decimal(self._state.ask, self._intent.instrument.price_decimals)

    @property
    def price_ns(self) -> int:
        """When the symbol last showed a price, nanoseconds since 1970 UTC."""
        return self._state.last_ns

    @property
    def position(self) -> Decimal:
        """Signed quantity held."""
        return self._quantity(self._state.inventory.position)

    @property
    def open_buy(self) -> Decimal:
        """What open orders may still buy."""
        return self._quantity(self._state.open_buy)

    @property
    def open_sell(self) -> Decimal:
        """What open orders may still sell, without sign."""
        return self._quantity(self._state.open_sell)

    @property
    def open_orders(self) -> int:
        """How many orders of the symbol are open."""
        return len(self._state.working)

    # ---- the account ----

    @property
    def currency(self) -> str:
        """The currency that the symbol is quoted in, and that the account's figures are in."""
        return self._state.ledger.currency

    @property
    def equity(self) -> Decimal:
        """Cash plus the worth of all positions in the currency, marked at the latest prices."""
        return self._money(self._state.ledger.equity)

    @property
    def initial_equity(self) -> Decimal:
        """Equity when the session began."""
        return self._money(self._state.ledger.initial)

    @property
    def high_water(self) -> Decimal:
        """The highest equity so far."""
        return self._money(self._state.ledger.track.high_water)

    @property
    def day_start_equity(self) -> Decimal:
        """Equity when the UTC day began."""
        return self._money(self._state.ledger.day_start)

    @property
    def gross_exposure(self) -> Decimal:
        """The worth of all positions in the currency without their signs."""
        return self._money(self._state.ledger.gross_exposure)

    @property
    def net_exposure(self) -> Decimal:
        """The worth of all positions in the currency with their signs."""
        return self._money(self._state.ledger.net_exposure)

    def _quantity(self, units: int) -> Decimal:
        return self._intent.instrument.quantity_decimal(units)

    def _price_or_none(self, units: int) -> Decimal | None:
        return to_decimal(units, self._intent.instrument.price_decimals) if units else None

    def _money(self, units: int) -> Decimal:
        return to_decimal(units, self._state.ledger.decimals)


def ask_own_guards(
    intent: OrderIntent, state: InstrumentState, price: int, guards: SessionGuards, now_ns: int
) -> str:
    """What the user's guards say against the order, valued at `price` units; empty for nothing."""
    view = OrderView(intent, state, price, now_ns)
    objections: list[str] = []
    for guard in guards.own:
        try:
            answer = guard.function(view)
        except KeyboardInterrupt as error:
            # It may be an operator's, who wants the session to end: the edge looks at the cause.
            raise StrategyError(f"guard {guard.name} raised {error_words(error)}") from error
        except BaseException as error:
            answer = f"raised {error_words(error)}; refused for safety"
        if answer is None:
            continue
        if not isinstance(answer, str):
            answer = f"answered a {type(answer).__name__}, not None or a text; refused for safety"
        objections.append(f"{guard.name}: {_plain(answer)}")
    return "; ".join(objections)


def _plain(text: str) -> str:
    """A text of a user's as artifacts may hold it: on one line, printable, not endless."""
    short = "".join([each if each.isprintable() else " " for each in text[:_TEXT_MAX]]).strip()
    return short or "refused, without a reason"
