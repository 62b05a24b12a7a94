"""Exits that cannot hurt: reduce-only orders, OCO groups, and the exits of a bracket.

After every fill of a symbol that has any of these, in this order
1. The fill of a bracket's entry brings its exits to life, a reduce-only stop at the stop loss and a
   reduce-only limit at the take profit, in a group of their own; a later fill of the same entry
   makes them grow by as much. They work from that moment on, within the same event.
2. The fill of a member of a group takes its quantity from the others, if all of them only reduce;
   else the first fill of one cancels the others. The fill of a bracket's exit also cancels what is
   still open of its entry.
3. Every reduce-only order is cut to what is held, and cancelled when nothing is.

A reduce-only order binds no funds and counts in no limit of what could be held: what it may sell is
held already, whoever else may sell it too. Exits of a bracket pass the kill switch and the
instrument's own rules; limits on the number and rate of orders do not keep them from a position.

At a real venue all this holds as well: such orders are held back (`held`) until their price is
reached, and what is at the venue by then is cancelled instead of cut.
"""

from __future__ import annotations

from typing import final

from logos.core.exits.held import HeldExits, exit_like
from logos.core.instrument_state import InstrumentState
from logos.core.intents import closable
from logos.core.order_manager import OrderManager
from logos.core.orders import (
    BRACKET_MARK,
    BUY,
    GTC,
    LIMIT,
    SELL,
    STOP,
    ExitTerms,
    Order,
    OrderIntent,
)
from logos.core.risk import Approved, check_exit
from logos.core.safety import SafetyMonitor
from logos.core.types import Code, OrderStatus, OrderType


@final
class Exits:
    """Carries out what the paper market decides, and keeps the exits in step with its fills."""

    __slots__ = ("_order_manager", "_safety", "born", "held", "was_gate_closed")

    def __init__(self, order_manager: OrderManager, safety: SafetyMonitor) -> None:
        self._order_manager = order_manager
        self._safety = safety
        self.held = HeldExits(order_manager, safety)
        """What is held back from a real venue."""
        self.born: list[Order] = []
        """Exits that came to life in this event and have not met its prices yet."""
        self.was_gate_closed: bool = False
        """Whether gate 2 refused an exit, so that the switch has to be looked at."""

    def apply_accept(self, order: Order) -> None:
        """The order reached the market."""
        self._order_manager.apply_accept(order)

    def apply_end(self, order: Order, status: OrderStatus, code: Code) -> None:
        """The order ended without (the rest of) its fill."""
        self._order_manager.apply_end(order, status, code)

    def apply_fill(self, order: Order, quantity: int, price: int, is_maker: bool) -> bool:
        """Book a fill, and do what follows from it for exits; see `OrderManager.apply_fill`."""
        if not self._order_manager.apply_fill(order, quantity, price, is_maker):
            return False
        state = self._order_manager.states[order.instrument.symbol]
        if state.exit_orders or order.has_exit_terms:
            self._follow(state, order, quantity)
        return True

    # ---- what a real venue reports ----

    def follow_fill(self, order: Order, quantity: int) -> None:
        """A real venue's fill of `quantity` units was booked: do what follows from it."""
        state = self._order_manager.states[order.instrument.symbol]
        if not (state.exit_orders or order.has_exit_terms) or self.held.is_over:
            return
        self._follow(state, order, quantity)
        while self.born:
            self.held.begin(state, self.born.pop(0))
        self._see_gate()
        self.held.pursue(state)

    def follow_end(self, order: Order) -> None:
        """A real venue's order has ended: what waited for that goes on."""
        state = self._order_manager.states[order.instrument.symbol]
        self.held.after_end(state, order)
        self.held.pursue(state)

    def _see_gate(self) -> None:
        if self.was_gate_closed:
            self.was_gate_closed = False
            self._safety.see_switch("order")

    # ---- what follows from a fill ----

    def _follow(self, state: InstrumentState, order: Order, quantity: int) -> None:
        """`quantity` units of `order` were just filled and booked."""
        if order.stop_loss or order.take_profit:
            self._protect(state, order)
        if order.group:
            self._take_from_group(state, order, quantity)
        for other in list(state.working):
            if other.reduce_only:
                self._cut(other, closable(state, other.is_buy), Code.POSITION_CLOSED)

    # ---- brackets ----

    def _protect(self, state: InstrumentState, entry: Order) -> None:
        """Give exits to what was filled of a bracket's entry and has none yet."""
        group = bracket_group(entry)
        held = closable(state, not entry.is_buy)  # nothing where it closed a position instead
        quantity = min(entry.filled - entry.covered, held)
        grown = quantity == 0
        exits = [each for each in state.working if each.group == group and each.reduce_only]
        for order in exits:
            grown = True
            if not self._is_beyond_reach(order):
                remaining = min(order.remaining + quantity, held)
                if remaining > order.remaining:
                    self._order_manager.resize(order, order.filled + remaining)
                continue
            is_alone = all(each.leg != order.leg or each is order for each in exits)
            more = exit_like(state, order, quantity, order.notes)
            if quantity and is_alone and not self._make(state, more):
                return
        if not grown:
            intents = (
                _exit_intent(state, entry, STOP, entry.stop_loss, quantity),
                _exit_intent(state, entry, LIMIT, entry.take_profit, quantity),
            )
            for intent in intents:
                if intent is not None and not self._make(state, intent):
                    return  # what refuses one refuses the other: both with the next fill
        entry.covered = entry.filled

    def _make(self, state: InstrumentState, intent: OrderIntent) -> bool:
        order_manager = self._order_manager
        verdict = check_exit(intent)
        if not isinstance(verdict, Approved):
            words = verdict.violations
            order_manager.refuse(state.instrument.symbol, words, intent.tag, intent.exit.group)
            return False
        order = order_manager.submit(verdict, 0)
        if order is None:
            self.was_gate_closed = True
            return False
        if order_manager.outbox is None:
            order_manager.apply_accept(order)
        self.born.append(order)
        return True

    # ---- groups ----

    def _take_from_group(self, state: InstrumentState, order: Order, quantity: int) -> None:
        others = [
            other
            for other in state.working
            if other.group == order.group and other.leg != order.leg
        ]
        only_reduce = order.reduce_only and all(other.reduce_only for other in others)
        for other in others:
            self._cut(other, other.remaining - quantity if only_reduce else 0, Code.GROUP_FILLED)
        if order.reduce_only and order.group.startswith(BRACKET_MARK):
            for other in list(state.working):
                if bracket_group(other) == order.group:
                    self._end(other, Code.GROUP_FILLED)

    # ---- sizes ----

    def _cut(self, order: Order, most: int, code: Code) -> None:
        """Let at most `most` units of an open order still fill; with none left it is cancelled."""
        if not order.is_open or order.remaining <= most:
            return
        if most <= 0 or self._is_beyond_reach(order):
            self._end(order, code)
        else:
            self._order_manager.resize(order, order.filled + most)

    def _end(self, order: Order, code: Code) -> None:
        self._order_manager.cancel(order, code)

    def _is_beyond_reach(self, order: Order) -> bool:
        """Whether the order is at a real venue, or on its way: it can be cancelled, not changed."""
        return self._order_manager.outbox is not None and order.status is not OrderStatus.HELD


def bracket_group(entry: Order) -> str:
    """The group of the exits of a bracket's entry."""
    return f"{BRACKET_MARK}{entry.order_id}"


def _exit_intent(
    state: InstrumentState, entry: Order, type_: OrderType, price: int, quantity: int
) -> OrderIntent | None:
    """The exit of a bracket at `price`; None where the bracket has none."""
    if price == 0:
        return None
    is_stop = type_ is STOP
    name = "stop" if is_stop else "target"
    intent = OrderIntent(
        entry.instrument,
        SELL if entry.is_buy else BUY,
        quantity,
        type_,
        0 if is_stop else price,
        price if is_stop else 0,
        GTC,
        state.reference_price(not entry.is_buy),
        f"exit of order {entry.order_id}",
        f"{entry.tag}.{name}" if entry.tag else name,
    )
    intent.exit = ExitTerms(True, bracket_group(entry))
    return intent
