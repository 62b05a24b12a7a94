"""Target positions: what stands between a position and the one that is wanted, and what is left.

A `Target` or `Weight` is a standing intention: it holds until it is reached, replaced by another
target or by an explicit order that is no exit, or given up with a word. What cannot be done now is
done when it can: at the next event of the symbol, after the next fill.

A target speaks of the position and of orders that are on their way to the market (market orders and
what works as one). Of the rest that is open in the symbol

    an order that            and the target is                     then
    could open or add        any                                   is cancelled
    shrinks the position     flat, or on the other side            is cancelled
    shrinks the position     on the same side, and smaller than    is cut to the target
                             the order
    shrinks the position     on the same side                      is kept

so that `Target(0)` leaves nothing held and nothing that could open a position again, and a stop
keeps what it protects. Nothing is sent while a cancel that the target asked for is under way, nor a
spot sale of what is still being bought.

Where there is too little money, or too little to borrow, for a turn to the other side, the position
is closed first.

A refusal ends a target that would open or add, unless it speaks of something that passes (`WAITS`).
A target that only shrinks the position stands against any refusal. A refusal is recorded once, as
long as its code stays the same. An order of a target that ended without its whole fill is made
again at most `TRIES_MAX` times, then a target that would open or add is given up, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from logos.core.fixed import CEILING, DOWN, divide, to_step
from logos.core.instrument import RATE_SCALE
from logos.core.instrument_state import InstrumentState
from logos.core.intents import NotTranslatable, decimal_of, market_intent, plain, quantity_units
from logos.core.matching import PaperRules
from logos.core.order_manager import OrderManager
from logos.core.orders import (
    BUY,
    FOK,
    IOC,
    MARKET,
    SELL,
    STOP,
    Order,
    OrderIntent,
    StandingTarget,
)
from logos.core.strategy import Target, Weight
from logos.core.types import Code
from logos.errors import InvariantBroken

TRIES_MAX: Final = 3

WAITS: Final = frozenset(
    (
        Code.MARKET_CLOSED,
        Code.STALE_DATA,
        Code.NO_REFERENCE_PRICE,
        Code.ORDER_RATE,
        Code.DUPLICATE_ORDER,
        Code.MAX_OPEN_ORDERS,
        Code.MAX_TOTAL_OPEN_ORDERS,
        Code.INSUFFICIENT_FUNDS,
        Code.INSUFFICIENT_BORROW,
        Code.EXIT_UNDER_WAY,
    )
)
"""Refusals that a target which would open or add outlives."""

ROOM_RATE: Final = RATE_SCALE // 200
"""By how much the price may move, in 10**-9 of itself, before a purchase sized by a weight that
takes all there is can no longer be paid for; fees and slippage are left room besides."""


def standing(state: InstrumentState, request: Target | Weight) -> StandingTarget:
    """The target as it stands in the symbol: its number without a class of its own.

    Raises NotTranslatable for a number of no use, StrategyError for what is none.
    """
    if isinstance(request, Target):
        wanted = quantity_units(state, request.quantity, "target")
        target = StandingTarget(Target(plain(request.quantity)))
        target.wanted = wanted
        return target
    decimal_of(request.fraction, "weight")
    return StandingTarget(Weight(plain(request.fraction)))


def wanted_position(state: InstrumentState, target: StandingTarget) -> int:
    """The position that is wanted, signed, in quantity units. Raises NotTranslatable.

    A weight is a fraction of equity at the mark, and what is bought for it at the price of buying:
    so the whole of equity is never less than what the position is judged to cost.
    """
    if target.wanted is not None:
        return target.wanted
    request = target.request
    if isinstance(request, Target):
        target.wanted = quantity_units(state, request.quantity, "target")
        return target.wanted
    fraction = decimal_of(request.fraction, "weight")
    price = state.mark
    if price <= 0:
        raise NotTranslatable(Code.NO_REFERENCE_PRICE, "no price to turn a weight into a quantity")
    wanted = _worth(state, fraction, price)
    position = state.inventory.position
    dearer = state.reference_price(True)
    if wanted > position and dearer > price:
        wanted = max(position, _worth(state, fraction, dearer))
    return wanted


def _worth(state: InstrumentState, fraction: Decimal, price: int) -> int:
    """The position that is worth `fraction` of equity at `price`: whole lots, towards flat."""
    numerator, denominator = fraction.as_integer_ratio()
    part, unit = state.ledger.equity * numerator, denominator * state.unit_value
    if state.inventory.is_inverse:
        wanted = divide(part * price, unit, DOWN)
    else:
        wanted = divide(part, unit * price, DOWN)
    return to_step(wanted, state.instrument.lot, DOWN)


def is_on_the_way(order: Order) -> bool:
    """Whether the order fills at what the market gives, and needs no price to come."""
    return (
        order.type is MARKET
        or (order.type is STOP and order.triggered)
        or order.time_in_force is IOC
        or order.time_in_force is FOK
    )


def on_the_way(state: InstrumentState) -> int:
    """What orders on their way will add to the position, signed, in quantity units."""
    return sum([order.sign * order.remaining for order in state.working if is_on_the_way(order)])


def in_the_way(state: InstrumentState, wanted: int) -> list[tuple[Order, int]]:
    """The open orders that the target does not leave as they are, and how much of each may remain
    (0: it is to be cancelled)."""
    position = state.inventory.position
    keeps_side = wanted * position > 0
    found: list[tuple[Order, int]] = []
    for order in state.working:
        if order.cancel_at_ns >= 0 or is_on_the_way(order):
            continue
        shrinks = order.reduce_only or order.sign * position < 0
        if not (shrinks and keeps_side):
            found.append((order, 0))
        elif not order.reduce_only and order.remaining > abs(wanted):
            found.append((order, abs(wanted)))  # one that only reduces is cut by the fills
    return found


def next_quantity(state: InstrumentState, target: StandingTarget, wanted: int) -> int:
    """What is to be ordered to get there, signed: whole lots, in quantity units."""
    position = state.inventory.position
    is_sized = target.order_id != 0 or (target.is_filled and wanted * position > 0)
    if is_sized and type(target.request) is Weight:
        return 0  # prices move while its order works, and after: it was sized when that was made
    missing = wanted - position - on_the_way(state)
    if missing > 0 and state.base_spare:
        missing -= 1  # of the last unit a part is there: fees took off more than they cost
    return to_step(missing, state.instrument.lot, DOWN)


def is_reached(state: InstrumentState, target: StandingTarget, quantity: int) -> bool:
    """Whether nothing is left to order, and nothing under way that could move the position."""
    if quantity != 0 or target.order_id:
        return False
    return all(order.cancel_at_ns < 0 and not is_on_the_way(order) for order in state.working)


def closing_part(state: InstrumentState, quantity: int) -> int:
    """The part of signed `quantity` that brings the position to flat; 0 where it is all or none."""
    position = state.inventory.position
    if quantity * position >= 0 or abs(quantity) <= abs(position):
        return 0
    return to_step(-position, state.instrument.lot, DOWN)


def must_wait(state: InstrumentState, quantity: int) -> bool:
    """Whether an order of signed `quantity` has to wait for orders that are under way."""
    if any(order.cancel_at_ns >= 0 for order in state.working):
        return True
    if quantity > 0 or state.instrument.settlement != "spot":
        return False
    is_short_of_it = -quantity * state.base_factor > state.base_wallet.available
    return is_short_of_it and any(order.is_buy for order in state.working)


def intent_of(state: InstrumentState, request: Target | Weight, quantity: int) -> OrderIntent:
    """A market order of signed `quantity`; one that a weight sized leaves room for what it costs.

    Raises NotTranslatable when nothing can be afforded.
    """
    side = BUY if quantity > 0 else SELL
    size = abs(quantity)
    if type(request) is Weight:
        size = min(size, _affordable(state, side is BUY, size))
        if size == 0:
            words = "too little money for a lot with its fees"
            raise NotTranslatable(Code.INSUFFICIENT_FUNDS, words)
    intent = market_intent(state, side, size, "")
    if size < abs(quantity) and not intent.notes:
        text = state.instrument.quantity_text
        intent.notes = f"cut from {text(abs(quantity))} to leave room for fees and price"
    return intent


def shrinks(state: InstrumentState, wanted: int) -> bool:
    """Whether the target only shrinks the position."""
    position = state.inventory.position
    return abs(wanted) < abs(position) and wanted * position >= 0


def leave_room(states: Iterable[InstrumentState], rules: PaperRules) -> None:
    """Set how much dearer purchases sized by a weight are taken to become."""
    for state in states:
        state.room_rate = ROOM_RATE + rules.slippage_rate
        state.room_price = rules.slippage_ticks * state.instrument.tick


def warn_of_unreached(order_manager: OrderManager) -> None:
    """Say of every target that stands at the end that it was not reached, and drop it.

    One whose first order simply came too late to fill on paper is `TARGET_PENDING`, which is no
    fault; everything else that stands is `TARGET_NOT_REACHED`.
    """
    for state in order_manager.targeted:
        target = state.target
        if target is None:
            raise InvariantBroken(f"{state.instrument.symbol} is listed without a target")
        request = target.request
        asked = (
            f"target {request.quantity}"
            if isinstance(request, Target)
            else f"weight {request.fraction}"
        )
        held = state.instrument.quantity_text(state.inventory.position)
        # The order that the end itself cancelled is counted as a try.
        if target.code is None and target.tries <= 1 and order_manager.outbox is None:
            code = "TARGET_PENDING"
            words = f"{asked} was on its way when the events ended, {held} held"
        else:
            code = "TARGET_NOT_REACHED"
            why = "its order was open" if target.code is None else target.code.value
            words = f"{asked} was not reached, {held} held: {why}"
        order_manager.warn(state.instrument.symbol, code, words)
    order_manager.drop_targets()


def _affordable(state: InstrumentState, is_buy: bool, size: int) -> int:
    """At most `size` units: what the ledger's money pays for, with fees and room for the price.

    What closes a position is not held back.
    """
    instrument = state.instrument
    price = state.reference_price(is_buy)
    is_spot = instrument.settlement == "spot"
    if price <= 0 or (is_spot and not is_buy):
        return size  # there is nothing to judge by; risk says so
    position = state.inventory.position if is_buy else -state.inventory.position
    closing = min(size, -position) if position < 0 else 0
    worst = divide(price * (RATE_SCALE + state.room_rate), RATE_SCALE, CEILING) + state.room_price
    fee = state.fee_rule.dearest(size, state.value(worst, size))
    if is_spot:
        money = state.ledger.spendable - fee
        unit = state.unit_value * worst
    else:
        freed = state.initial_margin if closing else 0
        money = (state.ledger.free_margin + freed - fee) * RATE_SCALE * instrument.leverage
        unit = state.unit_value * worst * instrument.initial_margin_rate
    if instrument.is_inverse:
        worst = max(1, divide(price * (RATE_SCALE - state.room_rate), RATE_SCALE, DOWN))
        money *= worst
        unit = state.unit_value * instrument.initial_margin_rate
    if unit <= 0:
        return size
    most = closing + (to_step(money // unit, instrument.lot, DOWN) if money > 0 else 0)
    return min(size, most)
