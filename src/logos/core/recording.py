"""Makes the records of orders, fills, positions and ledgers, as they stand at that moment.

They are what the journal, orders.csv, trades.csv, positions.csv and account.csv are made of. All
integers are those of the core; each record names its decimals.
"""

from __future__ import annotations

from typing import Final

from logos.core.account import Ledger
from logos.core.gates import NO_EPOCHS, Epochs
from logos.core.instrument_state import InstrumentState
from logos.core.inventory import Booking
from logos.core.orders import Execution, Order
from logos.core.records import (
    AccountRecord,
    LedgerAtOrder,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
)
from logos.core.types import Liquidity

_MAKER: Final = Liquidity.MAKER
_TAKER: Final = Liquidity.TAKER


def order_record(
    order: Order, now_ns: int, tick_id: int, state: InstrumentState, epochs: Epochs = NO_EPOCHS
) -> OrderRecord:
    """A new order, whole, before it leaves; `state` is that of its symbol, `epochs` those of
    the fleet's switch and of the claim to the shard."""
    instrument = order.instrument
    ledger, own = state.ledger, state.limits
    limits = ledger.limits
    at_order: LedgerAtOrder | None = None
    is_of_ledger = limits.has_gross_limit or limits.net_exposure or limits.has_loss_limit
    if is_of_ledger or own.order_share or own.position_share:
        at_order = LedgerAtOrder(ledger.gross_exposure, ledger.net_exposure, ledger.track.equity)
    return OrderRecord(
        now_ns,
        tick_id,
        order.order_id,
        order.client_order_id,
        instrument.symbol,
        order.side,
        order.type,
        order.time_in_force,
        order.quantity,
        order.limit_price,
        order.stop_price,
        order.reference_price,
        order.notes,
        order.tag,
        instrument.price_decimals,
        instrument.quantity_decimals,
        ledger.decimals,
        at_order,
        order.reduce_only,
        order.group,
        order.stop_loss,
        order.take_profit,
        order.follows,
        epochs.fleet,
        epochs.claim,
    )


def order_update(order: Order, now_ns: int, tick_id: int, quantity: int = 0) -> OrderUpdate:
    """What may change about an order, after a change of it; `quantity` if that has changed."""
    return OrderUpdate(
        now_ns,
        tick_id,
        order.order_id,
        order.instrument.symbol,
        order.status,
        order.filled,
        order.fee,
        "" if order.reason is None else order.reason.value,
        quantity,
    )


def fill_record(
    state: InstrumentState,
    order: Order,
    execution: Execution,
    fee: int,
    booking: Booking,
    fill_id: int,
    now_ns: int,
    tick_id: int,
) -> PaperFillRecord:
    """A fill that was just booked; `fee` is all of it, in ledger units."""
    instrument = order.instrument
    return PaperFillRecord(
        now_ns,
        tick_id,
        fill_id,
        order.order_id,
        order.client_order_id,
        instrument.symbol,
        order.side,
        execution.quantity,
        execution.price,
        _MAKER if execution.is_maker else _TAKER,
        fee,
        state.ledger.currency,
        booking.realised,
        tuple(booking.closures),
        booking.opened_lot_id,
        booking.opened_quantity,
        state.inventory.position,
        state.realised,
        state.fees,
        state.ledger.wallet.balance,
        instrument.price_decimals,
        instrument.quantity_decimals,
        state.ledger.decimals,
        execution.base_fee,
        state.base_wallet.decimals,
    )


def position_record(state: InstrumentState, ts_ns: int) -> PositionRecord:
    """One symbol's position as it stands."""
    instrument = state.instrument
    return PositionRecord(
        ts_ns,
        instrument.symbol,
        state.ledger.currency,
        state.inventory.position,
        state.exact_mark,
        state.inventory.cost,
        state.realised,
        state.unrealised,
        state.fees,
        len(state.inventory.lots()),
        instrument.mark_decimals,
        instrument.quantity_decimals,
        state.ledger.decimals,
    )


def account_record(ledger: Ledger, ts_ns: int) -> AccountRecord:
    """One currency's ledger as it stands. Raises InvariantBroken when it does not add up."""
    ledger.check()
    return AccountRecord(
        ts_ns,
        ledger.currency,
        ledger.wallet.balance,
        ledger.wallet.locked + ledger.maintenance_margin,
        ledger.initial,
        ledger.realised,
        ledger.fees,
        ledger.unrealised,
        ledger.equity,
        ledger.track.high_water,
        ledger.track.max_drawdown,
        ledger.decimals,
        ledger.payments,
    )
