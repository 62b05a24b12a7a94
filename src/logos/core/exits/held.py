"""Exits at real venues: the engine holds them back, and sends each when its price is reached.

No venue knows what only reduces, and few know what belongs together. So every reduce-only order and
every member of a group is HELD: it is in the session's books and nowhere else, until

    it is a                      its price is reached when             then it is sent as
    market order                 at once                               market order
    limit order, IOC or FOK      at once                               it is
    limit order                  a price is as good as its limit       limit order at its limit
    stop                         a price is at or beyond its stop      market order
    stop-limit                   a price is at or beyond its stop      limit order at its limit

Some venues refuse a limit order that could trade at once (`Outbox.limits_must_rest`; MetaTrader 5
does, 10015). There an exit that only reduces is sent as a market order where the latest price is as
good as its limit, as those venues' own take-profits are.

A price is a bid for a sale and an ask for a purchase, of any event of the session's data; of a bar
that was open before the order was made, the close alone. An order whose price was passed while no
data came is sent at the first price after that, with a warning.

Before it is sent its way is made free. Orders of the same side that only it may compete with (plain
ones, at the venue) are cancelled, and so is a limit order of its own group where the new one is a
stop: `EXIT_REACHED`. It waits until all these have ended, for a cancel that is asked for may be too
late. Orders on their way to the market are waited for. A limit order waits for what is at the venue
of its own group. So of one group at most one is at the venue, and all exits there together never
exceed what is held. Where both exits of a bracket are reached by one event, the stop goes first.

An exit that a venue did not fill whole (it refused or cancelled it, or it never left) is held again
for what is left, as a new order with a client id of its own: after 2 s, then 4, 8, up to a minute.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.exits.targets import is_on_the_way
from logos.core.gates import why_closed
from logos.core.instrument_state import InstrumentState
from logos.core.intents import closable
from logos.core.matching import Path, touches_stop, within_limit
from logos.core.order_manager import OrderManager
from logos.core.orders import ExitTerms, Order, OrderIntent
from logos.core.outbox import sent_as
from logos.core.risk import Approved, check_exit
from logos.core.safety import SafetyMonitor
from logos.core.types import (
    NS_PER_SECOND,
    Code,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from logos.errors import InvariantBroken

GAP_NS: Final = 10 * NS_PER_SECOND
"""How long no price may have come before a stop that is reached then is said to be late."""

WAIT_MAX_S: Final = 60

_AGAIN: Final = frozenset(
    (
        Code.REJECTED_BY_VENUE,
        Code.CANCELLED_BY_VENUE,
        Code.EXPIRED_AT_VENUE,
        Code.NEVER_SENT,
        Code.CANCELLED_BY_OPERATOR,
    )
)
"""Ends that were nobody's decision about the exit, or that of a session that is to be resumed."""

_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)


@final
class HeldExits:
    """The orders of one session that are held back from its venue."""

    __slots__ = ("_order_manager", "_safety")

    def __init__(self, order_manager: OrderManager, safety: SafetyMonitor) -> None:
        self._order_manager = order_manager
        self._safety = safety

    @property
    def is_over(self) -> bool:
        """Whether the session has come to its end, and holds nothing any more."""
        return self._safety.is_halted or self._order_manager.is_ending

    # ---- prices ----

    def watch(self, state: InstrumentState, path: Path) -> None:
        """Let an event's prices reach what is held in its symbol; send what can be sent."""
        if state.exit_orders == 0:
            return
        last = len(path.asks) - 1
        for step in range(last + 1):
            ask, bid = path.asks[step], path.bids[step]
            for order in state.working:
                if step == last or order.created_ns <= path.opened_ns:
                    self._meet(state, order, ask, bid)
        self.pursue(state, path.asks[last], path.bids[last])

    def begin(self, state: InstrumentState, order: Order) -> None:
        """An order is held from now on: the price may have reached it already."""
        if order.type is OrderType.MARKET or order.time_in_force in _AT_ONCE:
            order.triggered = True
        else:
            self._meet(state, order, state.ask, state.bid)
        if order.triggered:
            self.pursue(state)

    def _meet(self, state: InstrumentState, order: Order, ask: int, bid: int) -> None:
        """The order meets a price of 0 (none yet) or more."""
        price = ask if order.is_buy else bid
        if order.triggered or price <= 0 or order.status is not OrderStatus.HELD:
            return
        if order.stop_price:
            order.triggered = touches_stop(order, price)
        else:
            order.triggered = within_limit(order, price)
        silent_ns = self._order_manager.now_ns - max(state.last_ns, order.created_ns)
        if order.triggered and order.stop_price and silent_ns > GAP_NS:
            text = order.instrument.price_text
            words = (
                f"order {order.order_id}: its stop of {text(order.stop_price)} is reached at "
                f"{text(price)}, after {silent_ns // NS_PER_SECOND} s without a price"
            )
            self._order_manager.warn(order.instrument.symbol, "EXIT_LATE", words)

    # ---- sending ----

    def pursue_all(self) -> None:
        """As `pursue`, for every symbol: time has passed."""
        for state in self._order_manager.states.values():
            if state.exit_orders:
                self.pursue(state)

    def pursue(self, state: InstrumentState, ask: int = 0, bid: int = 0) -> None:
        """Send what was reached in the symbol and whose way is free; make way for the rest.

        The latest prices are `ask` and `bid`, where the symbol does not have them yet.
        """
        if state.exit_orders == 0 or state.is_paused or self.is_over or self._safety.is_suspended:
            return
        now_ns = self._order_manager.now_ns
        reached: list[tuple[bool, int, Order]] = []
        for order in list(state.working):
            if order.status is not OrderStatus.HELD:
                continue
            if 0 < order.day_ends_ns <= now_ns:
                self._order_manager.apply_end(order, OrderStatus.EXPIRED, Code.DAY_ENDED)
            elif order.triggered and order.arrival_ns <= now_ns:
                reached.append((order.type is OrderType.LIMIT, order.order_id, order))
        reached.sort(key=_stops_first)
        for _, _, order in reached:
            if order.status is OrderStatus.HELD and self._make_way(state, order):
                self._send(state, order, (ask or state.ask) if order.is_buy else (bid or state.bid))

    def _make_way(self, state: InstrumentState, order: Order) -> bool:
        """Cancel what is in the way of an order that was reached; whether nothing is."""
        is_free = True
        for other in list(state.working):
            if other is order or other.status is OrderStatus.HELD:
                continue
            is_mate = bool(order.group) and other.group == order.group
            is_rival = other.is_buy == order.is_buy and other.reduce_only != order.reduce_only
            if not (is_mate or is_rival):
                continue
            is_free = False
            may_cancel = order.type is not OrderType.LIMIT if is_mate else order.reduce_only
            if may_cancel and other.cancel_at_ns < 0 and not is_on_the_way(other):
                self._order_manager.cancel(other, Code.EXIT_REACHED)
        return is_free

    def _send(self, state: InstrumentState, order: Order, price: int) -> None:
        """Send an order whose way is free, for what may leave of it; the latest `price` of its
        side, 0 for none."""
        order_manager = self._order_manager
        quantity = order.quantity
        in_flight = (state.open_buy if order.is_buy else state.open_sell) - quantity
        if order.reduce_only:
            in_flight = under_way(state, order.is_buy)
            quantity = min(quantity, closable(state, order.is_buy) - in_flight)
            if quantity <= 0:
                return  # other exits are about to close the position
        order.at_market = self._must_trade_now(order, price)
        intent = self._intent(order, quantity, state.reference_price(order.is_buy))
        verdict = check_exit(intent, order.locked, order.judged_price)
        if not isinstance(verdict, Approved):
            if quantity == order.quantity:
                order_manager.refuse(state.instrument.symbol, verdict.violations)
                order_manager.apply_end(order, OrderStatus.CANCELLED, verdict.violations[0][0])
            return
        switch = order_manager.switch
        code = why_closed(
            switch.authority(), order.sign * quantity, state.inventory.position, in_flight
        )
        if code is not None:
            order_manager.refuse(state.instrument.symbol, [(code, switch.why())])
            self._safety.see_switch("order")
            if order.status is OrderStatus.HELD:
                code = Code.CANCELLED_BY_KILL_SWITCH
                order_manager.apply_end(order, OrderStatus.CANCELLED, code)
            return
        if quantity != order.quantity:
            order_manager.resize(order, quantity)
        if order_manager.outbox is None:
            raise InvariantBroken(f"order {order.order_id} was held, and there is no venue")
        order.advance(OrderStatus.NEW)
        order.arrival_ns = order_manager.now_ns
        order_manager.release_count += 1
        order_manager.record_update(order)
        order_manager.outbox.submit(order, verdict)

    def _must_trade_now(self, order: Order, price: int) -> bool:
        """Whether the venue would refuse an exit with a limit, for it could trade at once."""
        outbox = self._order_manager.outbox
        if outbox is None or not outbox.limits_must_rest or not order.reduce_only:
            return False
        is_lasting = order.limit_price > 0 and order.time_in_force not in _AT_ONCE
        return is_lasting and price > 0 and within_limit(order, price)

    def _intent(self, order: Order, quantity: int, reference: int) -> OrderIntent:
        """The order as it is sent."""
        type_, time_in_force, limit_price, stop_price = sent_as(order)
        return OrderIntent(
            order.instrument,
            order.side,
            quantity,
            type_,
            limit_price,
            stop_price,
            time_in_force,
            reference,
            order.notes,
            order.tag,
        )

    # ---- what a venue did not fill ----

    def after_end(self, state: InstrumentState, order: Order) -> Order | None:
        """An order has ended: hold what is left of an exit again, as a new order; returns it."""
        code = order.reason
        remaining = min(order.remaining, closable(state, order.is_buy))
        if not order.reduce_only or code not in _AGAIN or remaining <= 0 or self.is_over:
            return None
        if order.time_in_force is not TimeInForce.GTC:
            return None  # it has ended as it was to end
        if self._safety.is_flattening or (code is Code.CANCELLED_BY_OPERATOR and state.is_paused):
            return None  # an operator wants it gone, and not only the session stopped
        order_manager = self._order_manager
        wait_s = min(2 << min(order.tries, 10), WAIT_MAX_S)
        words = "" if code is None else code.value
        intent = exit_like(state, order, remaining, f"order {order.order_id} again: {words}")
        verdict = check_exit(intent)
        if not isinstance(verdict, Approved):
            order_manager.refuse(state.instrument.symbol, verdict.violations)
            return None
        again = order_manager.submit(verdict, wait_s * NS_PER_SECOND)
        if again is None:
            self._safety.see_switch("order")
            return None
        again.tries = order.tries + 1
        again.triggered = order.type is not OrderType.LIMIT
        size = order.instrument.quantity_text(remaining)
        words = (
            f"exit order {order.order_id} ended {words}: {size} are unprotected; held again as "
            f"order {again.order_id}, to be sent in {wait_s} s"
        )
        order_manager.warn(state.instrument.symbol, "EXIT_NOT_FILLED", words)
        return again


def exit_like(state: InstrumentState, order: Order, quantity: int, notes: str) -> OrderIntent:
    """One more exit as `order` is, for `quantity` units, in its place in the group."""
    intent = OrderIntent(
        order.instrument,
        order.side,
        quantity,
        order.type,
        order.limit_price,
        order.stop_price,
        order.time_in_force,
        state.reference_price(order.is_buy),
        notes,
        order.tag,
    )
    intent.exit = ExitTerms(True, order.group, follows=order.leg)
    return intent


def under_way(state: InstrumentState, is_buy: bool, besides: Order | None = None) -> int:
    """What exits of that side may fill that are at the venue, or on their way, in quantity units.

    `besides` is an order that does not count.
    """
    return sum(
        [
            order.remaining
            for order in state.working
            if order.reduce_only
            and order.is_buy == is_buy
            and order.status is not OrderStatus.HELD
            and order is not besides
        ]
    )


def is_exit_under_way(state: InstrumentState, intent: OrderIntent) -> bool:
    """Whether a plain order of that side would sell, or buy back, what an exit at the venue is
    about to."""
    if state.exit_orders == 0 or intent.exit.reduce_only or intent.exit.group:
        return False
    return under_way(state, intent.side is Side.BUY) > 0


def _stops_first(item: tuple[bool, int, Order]) -> tuple[bool, int]:
    return item[0], item[1]
