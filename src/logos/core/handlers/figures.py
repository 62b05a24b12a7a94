"""What a strategy may ask about its money, its positions and the market.

Each figure is a function that encloses what it reads, so that a strategy which holds it meets no
object of the core (see `context.CoreContext`). Amounts are exact decimals; `entry_price` alone is a
quotient, and is rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from logos.core.fixed import DOWN, HALF_EVEN, divide, power_of_ten, to_decimal
from logos.core.instrument import RATE_SCALE
from logos.core.instrument_state import InstrumentState
from logos.core.order_manager import OrderManager
from logos.core.orders import Order
from logos.core.strategy import OpenOrder

ENTRY_DECIMALS: Final = 8
"""How many decimals more than a price of the symbol `entry_price` has."""

Figure = TypeVar("Figure")

OfName = Callable[[str], Decimal]
MaybeOfName = Callable[[str], Decimal | None]


class Figures(NamedTuple):
    """One function for each method of the context of the same name; see `strategy.Context`."""

    position: OfName
    equity: OfName
    cash: OfName
    buying_power: MaybeOfName
    entry_price: MaybeOfName
    realised: OfName
    unrealised: OfName
    fees: OfName
    bid: MaybeOfName
    ask: MaybeOfName
    last_price: MaybeOfName
    spread: MaybeOfName
    open_orders: Callable[[str], list[OpenOrder]]
    open_groups: Callable[[str], dict[str, list[OpenOrder]]]


def make_figures(order_manager: OrderManager) -> Figures:
    """The figures of one session. Each raises KeyError for a name that the session has not."""
    states = order_manager.states
    account = order_manager.account

    def equity(currency: str) -> Decimal:
        ledger = account.ledger(currency)
        return to_decimal(ledger.equity, ledger.decimals)

    def cash(currency: str) -> Decimal:
        ledger = account.ledger(currency)
        return to_decimal(ledger.wallet.balance, ledger.decimals)

    return Figures(
        position=_of(states, _position),
        equity=equity,
        cash=cash,
        buying_power=_of(states, _buying_power),
        entry_price=_of(states, _entry_price),
        realised=_of(states, _realised),
        unrealised=_of(states, _unrealised),
        fees=_of(states, _fees),
        bid=_of(states, _bid),
        ask=_of(states, _ask),
        last_price=_of(states, _last_price),
        spread=_of(states, _spread),
        open_orders=_of(states, _open_orders),
        open_groups=_of(states, _open_groups),
    )


def _of(
    states: dict[str, InstrumentState], figure: Callable[[InstrumentState], Figure]
) -> Callable[[str], Figure]:
    """The figure as a function of the symbol, which holds the states and shows them to nobody."""

    def ask(symbol: str) -> Figure:
        return figure(states[symbol])

    return ask


def open_order(order: Order) -> OpenOrder:
    """An order as a strategy sees it: made once, and anew when it stands otherwise. A strategy may
    ask at every quote, with hundreds of orders open."""
    stands = (order.filled, order.quantity, order.limit_price, order.stop_price)
    shown = order.shown
    if shown is not None and shown[0] == stands:
        return shown[1]
    instrument = order.instrument
    decimals = instrument.price_decimals
    made = OpenOrder(
        order.order_id,
        order.tag,
        instrument.symbol,
        order.side,
        order.type,
        instrument.quantity_decimal(order.quantity),
        instrument.quantity_decimal(order.filled),
        to_decimal(order.limit_price, decimals) if order.limit_price else None,
        to_decimal(order.stop_price, decimals) if order.stop_price else None,
        order.reduce_only,
        order.group,
    )
    order.shown = (stands, made)
    return made


def _position(state: InstrumentState) -> Decimal:
    return state.instrument.quantity_decimal(state.inventory.position)


def _realised(state: InstrumentState) -> Decimal:
    return to_decimal(state.realised, state.ledger.decimals)


def _unrealised(state: InstrumentState) -> Decimal:
    return to_decimal(state.unrealised, state.ledger.decimals)


def _fees(state: InstrumentState) -> Decimal:
    return to_decimal(state.fees, state.ledger.decimals)


def _bid(state: InstrumentState) -> Decimal | None:
    return _price(state, state.bid)


def _ask(state: InstrumentState) -> Decimal | None:
    return _price(state, state.ask)


def _last_price(state: InstrumentState) -> Decimal | None:
    return _price(state, state.last_price)


def _spread(state: InstrumentState) -> Decimal | None:
    if state.bid == 0:
        return None
    return to_decimal(state.ask - state.bid, state.instrument.price_decimals)


def _open_orders(state: InstrumentState) -> list[OpenOrder]:
    return [open_order(order) for order in state.working]


def _open_groups(state: InstrumentState) -> dict[str, list[OpenOrder]]:
    found: dict[str, list[OpenOrder]] = {}
    for order in state.working:
        if order.group:
            found.setdefault(order.group, []).append(open_order(order))
    return found


def _price(state: InstrumentState, units: int) -> Decimal | None:
    return to_decimal(units, state.instrument.price_decimals) if units else None


def _entry_price(state: InstrumentState) -> Decimal | None:
    units = entry_units(state)
    decimals = state.instrument.price_decimals + ENTRY_DECIMALS
    return None if units is None else to_decimal(units, decimals)


def entry_units(state: InstrumentState) -> int | None:
    """The average price of the open lots, weighted by quantity, in units of `ENTRY_DECIMALS` more
    decimals than a price has; None with nothing held."""
    position = state.inventory.position
    if position == 0:
        return None
    sign = 1 if position > 0 else -1
    scale = power_of_ten(ENTRY_DECIMALS)
    cost, value = sign * state.inventory.cost, sign * position * state.unit_value
    if state.inventory.is_inverse:
        return divide(value * scale, cost, HALF_EVEN) if cost else 0
    return divide(cost * scale, value, HALF_EVEN)


def _buying_power(state: InstrumentState) -> Decimal | None:
    """What new positions in the symbol may be worth at most; None: margin sets no bound."""
    instrument = state.instrument
    ledger = state.ledger
    if instrument.settlement == "spot":
        units = ledger.spendable
    elif instrument.initial_margin_rate == 0:
        return None
    else:
        free = ledger.free_margin * RATE_SCALE * instrument.leverage
        units = divide(free, instrument.initial_margin_rate, DOWN)
    return to_decimal(units if units > 0 else 0, ledger.decimals)
