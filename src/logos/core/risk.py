"""The guards every intent passes before it may become an order, and the proof that it did.

`Approved` is that proof: only `check_intent` makes one, and the order manager submits nothing else.
Every guard is asked, and all that trip are reported in the order of `guards.table`; a refusal is a
value, never an exception. What is already in flight counts at its worst case: every open order of
the same side filled, none of the other.

What only reduces a position is not held up by gross exposure, drawdown, losses or margin. Net
exposure is no exception to its limit: closing one side of a hedge can pass it.
"""

from __future__ import annotations

from typing import final

from logos.core.fixed import power_of_ten, to_decimal
from logos.core.guards import SessionGuards
from logos.core.guards.own import ask_own_guards
from logos.core.instrument import RATE_SCALE
from logos.core.instrument_state import InstrumentState
from logos.core.orders import OrderIntent, order_shape
from logos.core.types import Code


@final
class Approved:
    """An intent that passed every guard, and what it puts in flight.

    `lock` is bound in the wallet it draws on; `judged_price` is what it was valued at.
    """

    __slots__ = ("intent", "judged_price", "lock")

    def __init__(self, intent: OrderIntent, lock: int, judged_price: int) -> None:
        self.intent = intent
        self.lock = lock
        self.judged_price = judged_price


@final
class Refused:
    """An intent that did not pass: every guard that tripped, with words for a person."""

    __slots__ = ("violations",)

    def __init__(self, violations: list[tuple[Code, str]]) -> None:
        self.violations = violations

    @property
    def lacks_funds(self) -> bool:
        """Whether too little money, or too little to borrow, is the first thing that is wrong."""
        code = self.violations[0][0]
        return code is Code.INSUFFICIENT_FUNDS or code is Code.INSUFFICIENT_BORROW


Verdict = Approved | Refused


def check_intent(
    intent: OrderIntent, state: InstrumentState, guards: SessionGuards, now_ns: int
) -> Verdict:
    """Judge an intent against its instrument, the limits and the funds of its symbol."""
    violations: list[tuple[Code, str]] = []
    if not _is_well_formed(intent, violations):
        return Refused(violations)
    check_market(intent, state, now_ns, violations)
    price = judged_price(intent, state)
    if not intent.instrument.can_be(price):
        return Refused(violations)  # without a price there is nothing more to judge
    price = abs(price)  # limits are about the size of what is bought or sold
    is_buy = intent.is_buy
    value = state.value(price, intent.quantity)
    increase = 0
    if not intent.exit.reduce_only:
        ahead = state.open_buy if is_buy else state.open_sell
        increase = increasing_quantity(state, is_buy, intent.quantity, ahead)
    check_order(intent, state, price, increase, violations)
    if intent.exit.reduce_only:
        return _check_reduce_only(intent, state, price, guards, now_ns, violations)
    check_in_flight(intent, state, guards, price if increase else 0, violations)
    # Guards that are not configured cost a look at their limit and no call.
    ledger_limits = state.ledger.limits
    if ledger_limits.has_gross_limit or ledger_limits.net_exposure:
        check_exposure(intent, state, price, value, violations)
    if guards.order_count or state.limits.duplicate_window_ns:
        check_activity(intent, state, guards, now_ns, violations)
    if increase and (ledger_limits.has_loss_limit or guards.consecutive_losses_limit):
        check_results(state, guards, violations)
    lock = check_funds(intent, state, value, increase, violations)
    if guards.own:
        check_own(intent, state, price, guards, now_ns, violations)
    return Refused(violations) if violations else Approved(intent, lock, price)


def _check_reduce_only(
    intent: OrderIntent,
    state: InstrumentState,
    price: int,
    guards: SessionGuards,
    now_ns: int,
    violations: list[tuple[Code, str]],
) -> Verdict:
    """What is left to ask of an order that can only shrink the position: it binds nothing."""
    check_open_orders(state, guards, violations)
    if guards.order_count or state.limits.duplicate_window_ns:
        check_activity(intent, state, guards, now_ns, violations)
    if guards.own:
        check_own(intent, state, price, guards, now_ns, violations)
    return Refused(violations) if violations else Approved(intent, 0, price)


def check_exit(intent: OrderIntent, lock: int = 0, price: int = 0) -> Verdict:
    """Judge by its instrument's rules of quantity alone: an exit of a bracket, or an order that
    was held back and is to be sent, with the `lock` and judged `price` that it has already.

    An exit shrinks a position that is held, and a limit that kept it away would leave that position
    without its stop. The kill switch is asked when it is submitted, as for any order.
    """
    violations: list[tuple[Code, str]] = []
    if not _is_well_formed(intent, violations):
        return Refused(violations)
    return Approved(intent, lock, price or intent.limit_price or intent.stop_price)


def judged_price(intent: OrderIntent, state: InstrumentState) -> int:
    """The price an intent is valued at: the worst one it names or meets; 0 when there is none.

    A limit bounds what a buy can cost. A sale may do better than its limit, and its notional with
    it, so the higher of limit and market is used there. An inverse contract is worth more the lower
    its price is: the lowest that is named or met counts.
    """
    reference = state.reference_price(intent.is_buy)
    if intent.instrument.is_inverse:
        named = state.dearer(intent.limit_price, intent.stop_price)
        return state.dearer(named, reference) if reference else 0
    if intent.is_buy:
        dearest = max(intent.stop_price, reference) if intent.stop_price else reference
        return intent.limit_price or dearest
    return max(intent.limit_price, reference) if intent.limit_price else reference


def increasing_quantity(state: InstrumentState, is_buy: bool, quantity: int, ahead: int) -> int:
    """How much of `quantity` could grow the position.

    What closes it does not; `ahead` is what orders of the same side are taken to have closed
    already.
    """
    position = state.inventory.position if is_buy else -state.inventory.position
    closing = -position - ahead if position < 0 else 0
    if closing <= 0:
        return quantity
    return quantity - closing if quantity > closing else 0


def _is_well_formed(intent: OrderIntent, violations: list[tuple[Code, str]]) -> bool:
    """The instrument's own rules of quantity; an intent that breaks them is no order at all."""
    instrument = intent.instrument
    quantity = intent.quantity
    if quantity <= 0:
        violations.append((Code.ZERO_QUANTITY, f"nothing left to trade {intent.notes}".rstrip()))
    elif quantity < instrument.minimum_quantity:
        text = instrument.quantity_text
        least = text(instrument.minimum_quantity)
        violations.append(
            (Code.BELOW_MINIMUM_QUANTITY, f"{text(quantity)}, the minimum is {least}")
        )
    elif 0 < instrument.maximum_quantity < quantity:
        text = instrument.quantity_text
        most = text(instrument.maximum_quantity)
        violations.append((Code.ABOVE_MAXIMUM_QUANTITY, f"{text(quantity)}, the maximum is {most}"))
    return not violations


def check_market(
    intent: OrderIntent, state: InstrumentState, now_ns: int, violations: list[tuple[Code, str]]
) -> None:
    """Is the market open, is its price there, fresh, and near what the intent names."""
    instrument = intent.instrument
    if not instrument.takes_orders(now_ns):
        violations.append((Code.MARKET_CLOSED, f"{instrument.symbol} does not trade at this hour"))
    if state.is_stale(now_ns):
        violations.append((Code.STALE_DATA, f"{instrument.symbol} has shown no price for too long"))
    reference = state.reference_price(intent.is_buy)
    if not instrument.can_be(reference):
        violations.append((Code.NO_REFERENCE_PRICE, f"{instrument.symbol} has shown no price yet"))
        return
    collar = state.limits.collar_rate
    if collar and (intent.limit_price or intent.stop_price):
        for price in (intent.limit_price, intent.stop_price):
            if price and abs(price - reference) * RATE_SCALE > abs(reference) * collar:
                text = instrument.price_text
                words = f"{text(price)} is too far from {text(reference)}"
                violations.append((Code.PRICE_COLLAR, words))
                return


def check_order(
    intent: OrderIntent,
    state: InstrumentState,
    price: int,
    increase: int,
    violations: list[tuple[Code, str]],
) -> None:
    """The order by itself: its notional and quantity.

    `increase` is how much of it could grow the position: that is what a part of equity bounds.
    """
    limits = state.limits
    instrument = intent.instrument
    least = instrument.minimum_notional
    if least and instrument.value(price, intent.quantity) < least:
        words = f"{_size(intent, price)} is below the minimum notional"
        violations.append((Code.BELOW_MINIMUM_NOTIONAL, words))
    if 0 < limits.order_quantity < intent.quantity:
        most = instrument.quantity_text(limits.order_quantity)
        violations.append((Code.MAX_ORDER_QUANTITY, f"{_size(intent, price)}, the limit is {most}"))
    if 0 < limits.order_notional < state.value(price, intent.quantity):
        violations.append((Code.MAX_ORDER_NOTIONAL, f"{_size(intent, price)} is above the limit"))
    elif increase and limits.order_share:
        allowed = _part_of_equity(state, price, limits.order_share)
        added = state.value(price, increase)
        if added > allowed:
            words = f"{_about(state, added)} would be added, the limit is {_about(state, allowed)}"
            violations.append((Code.MAX_ORDER_NOTIONAL, words))


def check_in_flight(
    intent: OrderIntent,
    state: InstrumentState,
    guards: SessionGuards,
    price: int,
    violations: list[tuple[Code, str]],
) -> None:
    """The position that could result, and how many orders are open.

    `price` is what the position is valued at; 0 for an order that can only reduce it.
    """
    limits = state.limits
    if limits.position or limits.position_share:
        if intent.is_buy:
            worst = state.inventory.position + state.open_buy + intent.quantity
        else:
            worst = state.open_sell + intent.quantity - state.inventory.position
        if 0 < limits.position < worst:
            text = intent.instrument.quantity_text
            words = f"{text(worst)} could result, the limit is {text(limits.position)}"
            violations.append((Code.MAX_POSITION, words))
        if price and limits.position_share:
            most = _part_of_equity(state, price, limits.position_share)
            worth = state.value(price, worst)
            if worth > most:
                words = f"{_about(state, worth)} could result, the limit is {_about(state, most)}"
                violations.append((Code.MAX_POSITION_NOTIONAL, words))
    check_open_orders(state, guards, violations)


def check_open_orders(
    state: InstrumentState, guards: SessionGuards, violations: list[tuple[Code, str]]
) -> None:
    """How many orders are open, in the symbol and in all."""
    if 0 < state.limits.open_orders <= len(state.working):
        violations.append((Code.MAX_OPEN_ORDERS, f"{len(state.working)} orders are open already"))
    if 0 < guards.open_orders_limit <= guards.open_orders:
        words = f"{guards.open_orders} orders are open in all symbols"
        violations.append((Code.MAX_TOTAL_OPEN_ORDERS, words))


def check_exposure(
    intent: OrderIntent,
    state: InstrumentState,
    price: int,
    value: int,
    violations: list[tuple[Code, str]],
) -> None:
    """The ledger's exposure, gross and net, if everything in flight were filled."""
    ledger = state.ledger
    limits = ledger.limits
    is_buy = intent.is_buy
    if limits.has_gross_limit:
        most = limits.gross_exposure
        if limits.gross_share:
            share = _part_of_equity(state, price, limits.gross_share)
            most = min(most, share) if most else share
        quantity = intent.quantity
        before = abs(state.market_value) + state.open_increase
        after = state.worst_exposure(quantity if is_buy else 0, 0 if is_buy else quantity, price)
        worst = ledger.gross_exposure + ledger.open_increase + after - before
        if after > before and worst > most:
            violations.append((Code.GROSS_EXPOSURE, f"{_about(state, worst)} could result"))
    if limits.net_exposure:
        if is_buy:
            worst = ledger.net_exposure + ledger.open_buy_value + value
        else:
            worst = ledger.open_sell_value + value - ledger.net_exposure
        if worst > limits.net_exposure:
            violations.append((Code.NET_EXPOSURE, f"{_about(state, worst)} one way could result"))


def check_activity(
    intent: OrderIntent,
    state: InstrumentState,
    guards: SessionGuards,
    now_ns: int,
    violations: list[tuple[Code, str]],
) -> None:
    """Too many orders, or the same one again."""
    if guards.is_rate_exceeded(now_ns):
        words = f"{guards.order_count} orders in the window already"
        violations.append((Code.ORDER_RATE, words))
    window_ns = state.limits.duplicate_window_ns
    if window_ns:
        made_ns = state.recent_orders.get(order_shape(intent), -1)
        if made_ns >= 0 and now_ns - made_ns < window_ns:
            violations.append((Code.DUPLICATE_ORDER, "the same order was made a moment ago"))


def check_results(
    state: InstrumentState, guards: SessionGuards, violations: list[tuple[Code, str]]
) -> None:
    """What the session has lost: nothing may grow while a loss limit is passed."""
    ledger = state.ledger
    if ledger.is_drawn_down:
        lost = ledger.track.high_water - ledger.equity
        violations.append((Code.MAX_DRAWDOWN, f"{_about(state, lost)} below the high-water mark"))
    if ledger.is_daily_loss_exceeded:
        lost = ledger.day_start - ledger.equity
        violations.append((Code.MAX_DAILY_LOSS, f"{_about(state, lost)} lost today"))
    if guards.has_too_many_losses:
        words = f"{guards.consecutive_losses} losses in a row"
        violations.append((Code.CONSECUTIVE_LOSSES, words))


def check_funds(
    intent: OrderIntent,
    state: InstrumentState,
    value: int,
    increase: int,
    violations: list[tuple[Code, str]],
) -> int:
    """Funds for the whole order, fees included; what it must lock."""
    instrument = intent.instrument
    if instrument.settlement == "spot" and not intent.is_buy:
        base = intent.quantity * state.base_factor
        if base > state.base_wallet.available:
            words = f"{instrument.base}: more than is held and may be borrowed"
            violations.append((Code.INSUFFICIENT_BORROW, words))
        return base
    fee = state.fee_rule.dearest(intent.quantity, value)
    if instrument.settlement == "spot":
        needed = value + fee
        available = state.ledger.spendable
    elif increase == 0:
        return 0  # a closing order is never held up by a lack of margin
    else:
        rate = instrument.initial_margin_rate
        needed = state.margin(value * increase // intent.quantity, rate) + fee
        available = state.ledger.free_margin
    if needed > available:
        words = f"needs {_about(state, needed)}, {_about(state, available)} available"
        violations.append((Code.INSUFFICIENT_FUNDS, words))
    return needed


def check_own(
    intent: OrderIntent,
    state: InstrumentState,
    price: int,
    guards: SessionGuards,
    now_ns: int,
    violations: list[tuple[Code, str]],
) -> None:
    """The guards that the user wrote; all of them speak with one code."""
    objection = ask_own_guards(intent, state, price, guards, now_ns)
    if objection:
        violations.append((Code.USER_GUARD, objection))


def check_storm(guards: SessionGuards, now_ns: int) -> tuple[Code, str] | None:
    """After a refusal: whether there were too many of them; None: there were not."""
    if not guards.see_refusal(now_ns):
        return None
    seconds = to_decimal(guards.refusal_window_ns, 9).normalize()
    return (Code.REFUSAL_STORM, f"more than {guards.refusal_count} refusals in {seconds:f} s")


def _part_of_equity(state: InstrumentState, price: int, share: int) -> int:
    """A part of equity, rounded down, in ledger units; `share` is in 10**-9."""
    return state.equity_for(price) * share // RATE_SCALE


def _size(intent: OrderIntent, price: int) -> str:
    instrument = intent.instrument
    return f"{instrument.quantity_text(intent.quantity)} at {instrument.price_text(price)}"


def _about(state: InstrumentState, units: int) -> str:
    """Money for reading, without its fraction."""
    return f"about {units // power_of_ten(state.ledger.decimals)} {state.ledger.currency}"
