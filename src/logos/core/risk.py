"""The guards every intent passes before it may become an order, and the proof that it did.

`Approved` is that proof: only `check_intent` makes one, and the desk submits nothing else. The
checks run in a fixed order (quantity, price, limits, funds), so that an intent that breaks
several rules always gets the same code; each is a value, never an exception. What is already in
flight counts at its worst case: every open order of the same side filled, none of the other.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.book import Book
from logos.core.fixed import power_of_ten
from logos.core.instrument import RATE_DECIMALS
from logos.core.orders import OrderIntent
from logos.core.types import Code, Side

_RATE_SCALE: Final = 10**RATE_DECIMALS


@final
class Approved:
    """An intent that passed every guard, with what it must lock in the wallet it draws on."""

    __slots__ = ("intent", "lock")

    def __init__(self, intent: OrderIntent, lock: int) -> None:
        self.intent = intent
        self.lock = lock


@final
class Refused:
    """An intent that did not pass: the first code it broke, and the words for a person."""

    __slots__ = ("code", "detail")

    def __init__(self, code: Code, detail: str) -> None:
        self.code = code
        self.detail = detail


Verdict = Approved | Refused


def check_intent(intent: OrderIntent, book: Book) -> Verdict:
    """Judge an intent against the instrument, the limits and the funds of its symbol."""
    refused = _check_quantity(intent)
    if refused is not None:
        return refused
    price = judged_price(intent, book)
    refused = _check_price(intent, book, price)
    if refused is not None:
        return refused
    value = book.value(price, intent.quantity)
    refused = _check_limits(intent, book, price, value)
    if refused is not None:
        return refused
    return _check_funds(intent, book, value)


def judged_price(intent: OrderIntent, book: Book) -> int:
    """The price an intent is valued at: the worst one it names or meets.

    A limit bounds what a buy can cost. A sale may do better than its limit, and its notional with
    it, so the higher of limit and market is used there.
    """
    reference = book.reference_price(intent.side is Side.BUY)
    if intent.side is Side.BUY:
        return intent.limit_price or max(intent.stop_price, reference)
    return max(intent.limit_price, reference)


def _check_quantity(intent: OrderIntent) -> Refused | None:
    instrument = intent.instrument
    quantity = intent.quantity
    if quantity <= 0:
        return Refused(Code.ZERO_QUANTITY, f"nothing left to trade {intent.notes}".rstrip())
    if quantity < instrument.minimum_quantity:
        return Refused(
            Code.BELOW_MINIMUM_QUANTITY,
            f"{instrument.quantity_text(quantity)} is below the minimum of "
            f"{instrument.quantity_text(instrument.minimum_quantity)}",
        )
    if 0 < instrument.maximum_quantity < quantity:
        return Refused(
            Code.ABOVE_MAXIMUM_QUANTITY,
            f"{instrument.quantity_text(quantity)} is above the maximum of "
            f"{instrument.quantity_text(instrument.maximum_quantity)}",
        )
    return None


def _check_price(intent: OrderIntent, book: Book, judged: int) -> Refused | None:
    instrument = intent.instrument
    reference = book.reference_price(intent.side is Side.BUY)
    if reference <= 0:
        return Refused(Code.NO_REFERENCE_PRICE, f"{instrument.symbol} has shown no price yet")
    if instrument.value(judged, intent.quantity) < instrument.minimum_notional:
        return Refused(
            Code.BELOW_MINIMUM_NOTIONAL,
            f"{instrument.quantity_text(intent.quantity)} at "
            f"{instrument.price_text(judged)} is below the minimum notional",
        )
    collar = book.limits.collar_rate
    if collar:
        for price in (intent.limit_price, intent.stop_price):
            if price and abs(price - reference) * _RATE_SCALE > reference * collar:
                return Refused(
                    Code.PRICE_COLLAR,
                    f"price {instrument.price_text(price)} is too far from "
                    f"{instrument.price_text(reference)}",
                )
    return None


def _check_limits(intent: OrderIntent, book: Book, judged: int, value: int) -> Refused | None:
    limits = book.limits
    instrument = intent.instrument
    if 0 < limits.order_notional < value:
        return Refused(
            Code.MAX_ORDER_NOTIONAL,
            f"{instrument.quantity_text(intent.quantity)} at "
            f"{instrument.price_text(judged)} is above the limit",
        )
    if limits.position:
        if intent.side is Side.BUY:
            worst = book.inventory.position + book.open_buy + intent.quantity
        else:
            worst = book.open_sell + intent.quantity - book.inventory.position
        if worst > limits.position:
            return Refused(
                Code.MAX_POSITION,
                f"a position of {instrument.quantity_text(worst)} could result, "
                f"the limit is {instrument.quantity_text(limits.position)}",
            )
    return None


def _check_funds(intent: OrderIntent, book: Book, value: int) -> Verdict:
    """Funds for the whole order, worth `value` at its judged price, fees included."""
    instrument = intent.instrument
    if instrument.settlement == "spot" and intent.side is Side.SELL:
        base = intent.quantity * book.base_factor
        if base > book.base_wallet.available:
            return Refused(
                Code.INSUFFICIENT_BORROW,
                f"selling {instrument.quantity_text(intent.quantity)} {instrument.base} needs "
                "more than is held and may be borrowed",
            )
        return Approved(intent, base)
    fee_rule = book.fee_rule
    fee = fee_rule.order_fee(fee_rule.fill_base(intent.quantity, value, False))
    if instrument.settlement == "spot":
        spendable = book.ledger.spendable
        if value + fee > spendable:
            return Refused(Code.INSUFFICIENT_FUNDS, _short_of(book, value + fee, spendable))
        return Approved(intent, value + fee)
    ahead = book.open_buy if intent.side is Side.BUY else book.open_sell
    needed = margin_increase(book, intent.side is Side.BUY, intent.quantity, value, ahead)
    if needed == 0:
        return Approved(intent, 0)  # a closing order is never held up by a lack of margin
    if needed + fee > book.ledger.free_margin:
        return Refused(
            Code.INSUFFICIENT_FUNDS, _short_of(book, needed + fee, book.ledger.free_margin)
        )
    return Approved(intent, needed + fee)


def margin_increase(book: Book, is_buy: bool, quantity: int, value: int, ahead: int) -> int:
    """Initial margin that trading `quantity`, worth `value`, newly binds, in ledger units.

    Only the part beyond closing the position counts; `ahead` is what orders of the same side
    are taken to have closed already.
    """
    position = book.inventory.position if is_buy else -book.inventory.position
    closing = -position - ahead if position < 0 else 0
    increasing = quantity if closing <= 0 else quantity - closing
    if increasing <= 0:
        return 0
    return book.margin(value * increasing // quantity, book.instrument.initial_margin_rate)


def _short_of(book: Book, needed: int, available: int) -> str:
    wallet = book.ledger.wallet
    scale = power_of_ten(wallet.decimals)
    # Rounded for reading only: what is needed up, what there is down.
    return f"needs about {-(-needed // scale)} {wallet.asset}, {available // scale} available"
