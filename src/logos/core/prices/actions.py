"""Splits and dividends: what an owner of shares has after them, exactly.

An action is carried out before its symbol's first event that begins at or after its time. What came
before the session's first price of the symbol is in that price already.

A split of `new` for `old`
- Every lot becomes so many shares and keeps what it cost (`Inventory.apply_split`). What is left of
  the last share is paid in cash at the last price, rounded down, and realises its part of the cost.
- A spot wallet that holds more than the position is split as well, that part by itself.
- Open orders keep their place: what they may still fill is split and rounded down to the lot, a
  limit price is rounded to its passive side, a stop to its later side. An order with less than a
  lot left is cancelled (`CANCELLED_BY_VENUE`). At a real venue open orders are cancelled: it has
  rules of its own.
- A standing target quantity is split, rounded towards zero.

A dividend is paid for each unit that a spot wallet holds, or a margin position; a short pays it. It
is rounded down to the ledger's unit and booked as realised profit. Orders stay as they are.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.fixed import CEILING, DOWN, FLOOR, divide, format_units, power_of_ten, to_step
from logos.core.instrument_state import InstrumentState
from logos.core.intents import quantity_units
from logos.core.order_manager import OrderManager
from logos.core.orders import Order
from logos.core.prices.watch import CorporateAction
from logos.core.records import CorporateActionRecord, OrderUpdate
from logos.core.strategy import Target
from logos.core.types import Code, OrderStatus

_WARNING: Final = "CORPORATE_ACTION"


@final
class CorporateActions:
    """Carries out the splits and dividends of a session's symbols."""

    __slots__ = ("_order_manager",)

    def __init__(self, order_manager: OrderManager) -> None:
        self._order_manager = order_manager

    def apply_due(self, state: InstrumentState, opened_ns: int) -> None:
        """Carry out what is due before an event of the symbol that begins at `opened_ns`."""
        watch = state.watch
        while watch.next_action_ns <= opened_ns:
            action = watch.actions[watch.actions_done]
            watch.see_action_done()
            if state.bid == 0:
                continue  # the first price of the session has it in it
            if action.new:
                self._split(state, action)
            else:
                self._pay(state, action)
        watch.is_action_due = watch.next_action_ns <= self._order_manager.now_ns

    # ---- splits ----

    def _split(self, state: InstrumentState, action: CorporateAction) -> None:
        new, old = action.new, action.old
        inventory = state.inventory
        before = inventory.position
        wallet = state.base_wallet
        is_spot = state.instrument.settlement == "spot"
        own = wallet.balance - before * state.base_factor if is_spot else 0
        rest, cost = inventory.apply_split(new, old)
        price = state.ask if before < 0 else state.bid
        cash = divide(rest * price * state.unit_value, new, FLOOR)
        own_rest = own * new % old
        cash += divide(own_rest * state.bid * state.unit_value, new * state.base_factor, FLOOR)
        if is_spot:
            wallet.balance = inventory.position * state.base_factor + own * new // old
        bid = state.bid
        state.bid = max(state.bid * old // new, 1)
        state.ask = max(divide(state.ask * old, new, CEILING), 1)
        state.last_price = state.last_price * old // new
        state.see_calm()
        self._book(state, cash, cost)
        self._record(state, action, (price, bid), cash, cash - cost)
        for order in list(state.working):
            self._adjust(state, order, new, old)
        state.worst_buy_price = divide(state.worst_buy_price * old, new, CEILING)
        state.worst_sell_price = divide(state.worst_sell_price * old, new, CEILING)
        self._adjust_target(state, new, old)
        if state.ledger.limits.has_gross_limit:
            state.refresh_in_flight()
        if before == 0:
            return
        text = state.instrument.quantity_text
        words = f"split of {new} for {old}: {text(before)} became {text(inventory.position)}"
        self._order_manager.warn(state.instrument.symbol, _WARNING, words)

    def _book(self, state: InstrumentState, cash: int, cost: int) -> None:
        """Cash came in (or went out) for what cost `cost` and is no longer held."""
        ledger = state.ledger
        realised = cash - cost
        is_spot = state.instrument.settlement == "spot"
        ledger.wallet.balance += cash if is_spot else realised
        if not is_spot:
            state.rebind_margin()
        old_value = state.market_value
        state.market_value = state.value_at_mark
        state.realised += realised
        ledger.book(realised, 0, old_value, state.market_value, -cost)
        self._order_manager.is_unsettled = True

    def _adjust(self, state: InstrumentState, order: Order, new: int, old: int) -> None:
        """Split what an open order may still fill, and its prices."""
        order_manager = self._order_manager
        remaining = to_step(order.remaining * new // old, state.instrument.lot, DOWN)
        is_at_venue = order_manager.outbox is not None and order.status is not OrderStatus.HELD
        if remaining == 0 or is_at_venue:
            order_manager.cancel(order, Code.CANCELLED_BY_VENUE)
            return
        order_manager.count_in_flight(state, order, -1)
        passive, later = (FLOOR, CEILING) if order.is_buy else (CEILING, FLOOR)
        tick = state.instrument.tick
        order.limit_price = _split_price(order.limit_price, new, old, tick, passive)
        order.stop_price = _split_price(order.stop_price, new, old, tick, later)
        order.stop_loss = _split_price(order.stop_loss, new, old, tick, passive)
        order.take_profit = _split_price(order.take_profit, new, old, tick, later)
        order.judged_price = divide(order.judged_price * old, new, CEILING)
        order.quantity = order.filled + remaining
        order_manager.count_in_flight(state, order, 1)
        if order.locked and state.instrument.settlement == "spot" and not order.is_buy:
            locked = remaining * state.base_factor
            state.base_wallet.unlock(order.locked)
            state.base_wallet.lock(locked)
            order.locked = locked
        order_manager.effects.append(
            OrderUpdate(
                order_manager.now_ns,
                order_manager.tick_id,
                order.order_id,
                state.instrument.symbol,
                order.status,
                order.filled,
                order.fee,
                "",
                order.quantity,
                order.limit_price,
                order.stop_price,
            )
        )

    def _adjust_target(self, state: InstrumentState, new: int, old: int) -> None:
        target = state.target
        if target is None or not isinstance(target.request, Target):
            return
        asked = quantity_units(state, target.request.quantity, "target")
        quantity = divide(asked * new, old, DOWN)
        target.request = Target(state.instrument.quantity_decimal(quantity))
        target.wanted = None

    # ---- dividends ----

    def _pay(self, state: InstrumentState, action: CorporateAction) -> None:
        is_spot = state.instrument.settlement == "spot"
        held = state.base_wallet.balance if is_spot else state.inventory.position
        factor = state.base_factor if is_spot else 1
        scale = power_of_ten(state.instrument.price_decimals)
        cash = divide(
            held * action.amount * state.unit_value * scale,
            factor * power_of_ten(action.amount_decimals),
            FLOOR,
        )
        self._book(state, cash, 0)
        self._record(state, action, (0, 0), cash, cash)
        if cash:
            words = f"dividend: {format_units(cash, state.ledger.decimals)} {state.ledger.currency}"
            self._order_manager.warn(state.instrument.symbol, _WARNING, words)

    def _record(
        self,
        state: InstrumentState,
        action: CorporateAction,
        prices: tuple[int, int],
        cash: int,
        realised: int,
    ) -> None:
        order_manager = self._order_manager
        instrument = state.instrument
        order_manager.effects.append(
            CorporateActionRecord(
                order_manager.now_ns,
                order_manager.tick_id,
                instrument.symbol,
                action.ts_ns,
                action.new,
                action.old,
                action.amount,
                action.amount_decimals,
                prices[0],
                prices[1],
                cash,
                realised,
                state.inventory.position,
                state.realised,
                state.ledger.wallet.balance,
                instrument.price_decimals,
                instrument.quantity_decimals,
                state.ledger.decimals,
                state.base_wallet.decimals,
            )
        )


def _split_price(price: int, new: int, old: int, tick: int, mode: str) -> int:
    """A price after the split, on the tick by `mode`, at least one; 0 (none) stays 0."""
    if price == 0:
        return 0
    return max(to_step(divide(price * old, new, mode), tick, mode), tick)
