"""From what a strategy answers to quantised order intents.

Rules
- A quantity is rounded down to the lot, never up: an intent never asks for more than was asked.
- A limit price is rounded to the tick on its passive side (a buy down, a sell up), a stop price
  on its later side (a buy up, a sell down).
- A float within a millionth of a step of a tick or a lot, or within its own precision of one, is
  that step: 100.1 + 0.2 is 100.3 and 0.7 - 0.4 is 0.3. Any other is read by its shortest decimal
  text and rounded as an exact number is.
- Target positions are the matter of `targets`.
- A notional cap shrinks an intent before risk sees it, and the intent says so.

What cannot be translated is a refusal with a code, never an exception; an answer of a type
nobody knows is the strategy's bug and raises `StrategyError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from logos.core.fixed import (
    CEILING,
    DOWN,
    FLOOR,
    HALF_EVEN,
    divide,
    power_of_ten,
    to_decimal,
    to_step,
)
from logos.core.instrument import Instrument
from logos.core.instrument_state import InstrumentState
from logos.core.orders import BRACKET_MARK, BUY, GTC, MARKET, ExitTerms, Order, OrderIntent
from logos.core.strategy import Number, OrderRequest, Replace, Request
from logos.core.types import Code, OrderType, Side, TimeInForce
from logos.errors import StrategyError

ANSWERS_MAX = 10_000
"""Requests in one answer of a strategy; more are taken for a loop that does not end."""
_TEXT_MAX = 64
_MAGNITUDE_MAX = 10**60
_DIGITS_MAX = 100
"""What a strategy may write: numbers beyond are refused before they cost anything."""
_NOISE: Final = 1_000_000
_FLOAT_BITS: Final = 49
"""A float within a millionth of a step, or within 2**-49 of itself (eight of the smallest
differences that a float can show), is taken to be on the step."""


class NotTranslatable(Exception):
    """Carries the code and the words of a refusal out of a nested helper."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def not_an_answer(request: object) -> StrategyError:
    """The error of an answer of a type that nobody knows."""
    return StrategyError(
        f"a strategy answers with None, a Side, Target, Weight, OrderRequest, Cancel, Replace or "
        f"a list of these, not {shown(request)}"
    )


def from_side(state: InstrumentState, side: Side) -> OrderIntent:
    """A bare side: a market order of the symbol's configured quantity, or of the smallest one.

    The smallest is worth twice the minimum notional at the price of the first bare side, and stays
    what it is then: a sale is as large as the purchase before it.
    """
    quantity = state.order_quantity
    if quantity == 0:
        price = state.reference_price(side is BUY)
        quantity = smallest_quantity(state.instrument, price)
        if price != 0:
            state.order_quantity = quantity
    return market_intent(state, side, quantity, "")


def smallest_quantity(instrument: Instrument, price: int) -> int:
    """The smallest order that the instrument allows at `price`, whole lots, in quantity units.

    Worth twice its minimum notional, so that it stays valid while the price falls by half.
    """
    quantity = max(instrument.lot, instrument.minimum_quantity)
    if price != 0:
        worth = abs(price) * instrument.multiplier
        quantity = max(quantity, divide(2 * instrument.minimum_notional, worth, CEILING))
    return to_step(quantity, instrument.lot, CEILING)


def from_request(state: InstrumentState, request: OrderRequest) -> OrderIntent:
    """An explicit order, quantised."""
    tag, group = _check_words(request)
    instrument = state.instrument
    quantity = _positive_lots(state, request.quantity)
    is_buy = request.side is BUY
    limit_price = 0
    stop_price = 0
    wants_limit = request.type is OrderType.LIMIT or request.type is OrderType.STOP_LIMIT
    wants_stop = request.type is OrderType.STOP or request.type is OrderType.STOP_LIMIT
    if wants_limit:
        limit_price = _price(state, request.limit_price, FLOOR if is_buy else CEILING, "limit")
    elif request.limit_price is not None:
        raise NotTranslatable(
            Code.INVALID_PRICE, f"a {request.type.value} order has no limit price"
        )
    if wants_stop:
        stop_price = _price(state, request.stop_price, CEILING if is_buy else FLOOR, "stop")
    elif request.stop_price is not None:
        raise NotTranslatable(Code.INVALID_PRICE, f"a {request.type.value} order has no stop price")
    if wants_stop and request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        raise NotTranslatable(
            Code.INVALID_TIME_IN_FORCE, "a stop waits for its price: use GTC or DAY"
        )
    judged_at = limit_price or stop_price or state.reference_price(is_buy)
    if request.reduce_only:
        quantity, notes = _cut_to_holding(state, is_buy, quantity)
    else:
        quantity, notes = _capped(state, quantity, judged_at)
    intent = OrderIntent(
        instrument,
        request.side,
        quantity,
        request.type,
        limit_price,
        stop_price,
        request.time_in_force,
        state.reference_price(is_buy),
        notes,
        tag,
    )
    if request.reduce_only or group or has_exits(request):
        intent.exit = _exit_terms(state, request, group, judged_at)
    return intent


def from_replace(state: InstrumentState, order: Order, new: Replace) -> OrderRequest:
    """The successor of an order that was cancelled for it. Raises NotTranslatable."""
    instrument = order.instrument
    total = order.quantity
    if new.quantity is not None:
        total = quantity_units(state, new.quantity)
    return OrderRequest(
        order.side,
        instrument.quantity_decimal(total - order.filled),
        order.type,
        kept(new.limit_price, order.limit_price, instrument.price_decimals),
        kept(new.stop_price, order.stop_price, instrument.price_decimals),
        order.time_in_force,
        instrument.symbol,
        order.tag,
        order.reduce_only,
        order.group,
        kept(None, order.stop_loss, instrument.price_decimals),
        kept(None, order.take_profit, instrument.price_decimals),
    )


def kept(new: Number | None, old_units: int, decimals: int) -> Number | None:
    """A replaced order's price: the new one if named, else the old one, if there was one."""
    if new is not None:
        return new
    return to_decimal(old_units, decimals) if old_units else None


def has_exits(request: OrderRequest) -> bool:
    """Whether it is the entry of a bracket."""
    return request.stop_loss is not None or request.take_profit is not None


def closable(state: InstrumentState, is_buy: bool) -> int:
    """How much an order of that side can shrink the position by: whole lots, in quantity units."""
    position = state.inventory.position
    size = -position if is_buy else position
    return to_step(size, state.instrument.lot, DOWN) if size > 0 else 0


def _cut_to_holding(state: InstrumentState, is_buy: bool, quantity: int) -> tuple[int, str]:
    """A reduce-only quantity, at most what is held; says so in the second value."""
    held = closable(state, is_buy)
    if held == 0:
        words = f"a reduce-only {'buy' if is_buy else 'sale'} needs a position that it could shrink"
        raise NotTranslatable(Code.NOTHING_TO_REDUCE, words)
    if quantity <= held:
        return quantity, ""
    return held, f"cut from {state.instrument.quantity_text(quantity)} to what is held"


def _exit_terms(
    state: InstrumentState, request: OrderRequest, group: str, entry_price: int
) -> ExitTerms:
    """What makes the request an exit, ties it to others, or gives it exits of its own."""
    is_buy = request.side is BUY
    stop_loss = take_profit = 0
    if has_exits(request) and request.reduce_only:
        raise NotTranslatable(Code.INVALID_PRICE, "a reduce-only order has no exits of its own")
    if request.stop_loss is not None:
        stop_loss = _price(state, request.stop_loss, FLOOR if is_buy else CEILING, "stop loss")
        if entry_price and (stop_loss >= entry_price if is_buy else stop_loss <= entry_price):
            words = f"the stop loss of a {'buy' if is_buy else 'sale'} lies "
            words += "below its entry" if is_buy else "above its entry"
            raise NotTranslatable(Code.INVALID_PRICE, words)
    if request.take_profit is not None:
        mode = CEILING if is_buy else FLOOR
        take_profit = _price(state, request.take_profit, mode, "take profit")
        if entry_price and (take_profit <= entry_price if is_buy else take_profit >= entry_price):
            words = f"the take profit of a {'buy' if is_buy else 'sale'} lies "
            words += "above its entry" if is_buy else "below its entry"
            raise NotTranslatable(Code.INVALID_PRICE, words)
    return ExitTerms(request.reduce_only, group, stop_loss, take_profit)


def check_group(state: InstrumentState, group: str) -> None:
    """Raise NotTranslatable for a strategy's order in the group of a bracket that is not open."""
    if group.startswith(BRACKET_MARK) and all(order.group != group for order in state.working):
        words = f"no open order is in {group}: such names are those of brackets"
        raise NotTranslatable(Code.UNKNOWN_GROUP, words)


def _check_words(request: OrderRequest) -> tuple[str, str]:
    """A word in place of an enumeration must not pass for another one; returns tag and group."""
    words: Any = request  # compiled code would trust the annotations that are to be checked here
    for value, kind in (
        (words.side, Side),
        (words.type, OrderType),
        (words.time_in_force, TimeInForce),
    ):
        if not isinstance(value, kind):
            raise StrategyError(f"an order's {kind.__name__} cannot be {shown(value)}")
    if type(words.reduce_only) is not bool:
        raise StrategyError(f"reduce_only is True or False, not {shown(words.reduce_only)}")
    return check_text(words.tag, "tag"), check_text(words.group, "group")


def listed(answer: list[Request] | tuple[Request, ...]) -> Sequence[Request]:
    """The requests of one answer, as they stand in it. Raises StrategyError for too many.

    A class derived from list or tuple is read as what it holds: its own methods are not called.
    """
    count = list.__len__(answer) if isinstance(answer, list) else tuple.__len__(answer)
    if count > ANSWERS_MAX:
        raise StrategyError(
            f"{count} requests are answered to one event; at most {ANSWERS_MAX} are taken"
        )
    if isinstance(answer, list):
        return list.copy(answer)
    return tuple.__getitem__(answer, slice(None))


def shown(value: object) -> str:
    """A value as an error may print it: plain ones as they are, of the rest only the type.

    The default repr of an object holds its address, which differs from run to run.
    """
    if type(value) in (str, int, bool, float, Decimal):
        return f"{type(value).__name__} {value!a:.80}"
    return type(value).__name__


def check_reference(order_id: object, tag: object) -> str:
    """The tag as a plain str. Raises StrategyError unless the two can name an order: a whole
    number and a text."""
    if type(order_id) is not int:
        raise StrategyError(f"an order_id is a whole number, not {shown(order_id)}")
    return check_text(tag, "tag")


def check_text(text: object, name: str) -> str:
    """`text` as a plain str, whatever class it is of: its methods are not a stranger's then.

    Raises StrategyError unless it is short and printable: it ends up in every artifact.
    """
    if not isinstance(text, str):
        raise StrategyError(f"a {name} is a str, not {shown(text)}")
    text = str.__str__(text)
    if len(text) > _TEXT_MAX or not text.isprintable():
        raise StrategyError(f"a {name} is at most {_TEXT_MAX} printable characters: {text[:80]!a}")
    return text


def market_intent(state: InstrumentState, side: Side, quantity: int, tag: str) -> OrderIntent:
    """A market order of `quantity` units, shrunk to the notional cap."""
    reference = state.reference_price(side is BUY)
    quantity, notes = _capped(state, quantity, reference)
    return OrderIntent(state.instrument, side, quantity, MARKET, 0, 0, GTC, reference, notes, tag)


def _capped(state: InstrumentState, quantity: int, price: int) -> tuple[int, str]:
    """Shrink `quantity` to the notional cap at `price`; says so in the second value."""
    if state.cap_notional == 0 or price == 0:
        return quantity, ""
    if state.inventory.is_inverse:
        most = state.cap_notional * price // state.unit_value
    else:
        most = state.cap_notional // (abs(price) * state.unit_value)
    affordable = to_step(most, state.instrument.lot, DOWN)
    if quantity <= affordable:
        return quantity, ""
    return affordable, f"capped from {state.instrument.quantity_text(quantity)}"


def _positive_lots(state: InstrumentState, asked: Number) -> int:
    quantity = quantity_units(state, asked)
    if quantity <= 0 and decimal_of(asked, "quantity") < 0:
        raise NotTranslatable(
            Code.NEGATIVE_QUANTITY, f"quantity {plain(asked)}: say the direction with the side"
        )
    if quantity == 0:
        lot = state.instrument.quantity_text(state.instrument.lot)
        words = f"quantity {plain(asked)} is less than one lot of {lot}"
        raise NotTranslatable(Code.ZERO_QUANTITY, words)
    return quantity


def _price(state: InstrumentState, value: Number | None, mode: str, name: str) -> int:
    """A named price in units, on the tick."""
    if value is None:
        raise NotTranslatable(Code.INVALID_PRICE, f"the {name} price is missing")
    instrument = state.instrument
    price = _on_step(value, instrument.price_decimals, instrument.tick, mode, f"{name} price")
    if not instrument.can_be(price):
        is_zero = instrument.allows_negative
        words = f"the {name} price {plain(value)} is {'zero' if is_zero else 'not positive'}"
        raise NotTranslatable(Code.INVALID_PRICE, words)
    return price


def plain(value: Number) -> Number:
    """A number without the class of its own that it may have (NumPy's, say), and its methods."""
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    return Decimal(value)


def quantity_units(state: InstrumentState, value: Number, name: str = "quantity") -> int:
    """`value` as quantity units, rounded down to the lot. Raises as `decimal_of` does."""
    instrument = state.instrument
    return _on_step(value, instrument.quantity_decimals, instrument.lot, DOWN, name)


def _on_step(value: Number, decimals: int, step: int, mode: str, name: str) -> int:
    """`value` in units of 10**-decimals, as a multiple of `step` of them, rounded by `mode`.

    A float that noise alone keeps from a step is that step.
    """
    if type(value) is int and -_MAGNITUDE_MAX < value < _MAGNITUDE_MAX:
        numerator, denominator = value, 1
    else:
        numerator, denominator = decimal_of(value, name).as_integer_ratio()
    numerator *= power_of_ten(decimals)
    denominator *= step
    if isinstance(value, float):
        nearest = divide(numerator, denominator, HALF_EVEN)
        off = abs(numerator - nearest * denominator)
        if off * _NOISE <= denominator or off << _FLOAT_BITS <= abs(numerator):
            return nearest * step
    return divide(numerator, denominator, mode) * step


def decimal_of(value: object, name: str) -> Decimal:
    """`value` as a finite Decimal; `name` is what the refusal calls it.

    Raises NotTranslatable for NaN, infinities and absurd magnitudes, StrategyError for what is
    no number at all.
    """
    if type(value) is not Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
            raise StrategyError(f"{name} must be a number, not {shown(value)}")
        value = plain(value)
    if isinstance(value, int):
        if not -_MAGNITUDE_MAX < value < _MAGNITUDE_MAX:
            raise NotTranslatable(Code.NOT_FINITE, f"{name} is out of range")
        return Decimal(value)
    try:
        if isinstance(value, float):
            number = Decimal(float.__repr__(value))
        else:
            number = value if type(value) is Decimal else Decimal(value)
    except InvalidOperation:
        raise StrategyError(f"{name} is not a number: {str(value)[:40]!a}") from None
    if not number.is_finite():
        raise NotTranslatable(Code.NOT_FINITE, f"{name} is {number}")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) + abs(exponent) > _DIGITS_MAX:
        raise NotTranslatable(Code.NOT_FINITE, f"{name} is out of range")
    return number
