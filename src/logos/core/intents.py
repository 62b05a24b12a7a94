"""From what a strategy answers to quantised order intents.

Rules
- A quantity is rounded down to the lot, never up: an intent never asks for more than was asked.
- A limit price is rounded to the tick on its passive side (a buy down, a sell up), a stop price
  on its later side (a buy up, a sell down).
- A float is read by its shortest decimal text, and first rounded to four decimals past the tick,
  so that 100.1 + 0.2 is 100.3 and not a price a tick away.
- A target counts what is in flight: held plus everything open. Less than a lot away from it is
  there: fees that a venue takes in the asset can leave a position between two lots.
- A notional cap shrinks an intent before risk sees it, and the intent says so.

What cannot be translated is a refusal with a code, never an exception; an answer of a type
nobody knows is the strategy's bug and raises `StrategyError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from logos.core.fixed import (
    CEILING,
    DOWN,
    FLOOR,
    HALF_EVEN,
    divide,
    parse_units,
    power_of_ten,
    to_step,
)
from logos.core.instrument_state import InstrumentState
from logos.core.orders import OrderIntent
from logos.core.strategy import Number, OrderRequest, Request, Target, Weight
from logos.core.types import Code, OrderType, Side, TimeInForce
from logos.errors import StrategyError

ANSWERS_MAX = 10_000
"""Requests in one answer of a strategy; more are taken for a loop that does not end."""
_TEXT_MAX = 64
_MAGNITUDE_MAX = 10**60
_DIGITS_MAX = 100
"""What a strategy may write: numbers beyond are refused before they cost anything."""


class NotTranslatable(Exception):
    """Carries the code and the words of a refusal out of a nested helper."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def from_side(state: InstrumentState, side: Side) -> OrderIntent:
    """A bare side: a market order of the symbol's configured quantity."""
    return _market_intent(state, side, state.order_quantity, "")


def from_target(state: InstrumentState, target: Target) -> OrderIntent | None:
    """A market order from here to the target position; None when already there."""
    instrument = state.instrument
    wanted = _units(target.quantity, instrument.quantity_decimals, "target")
    return _towards(state, to_step(wanted, instrument.lot, DOWN))


def from_weight(state: InstrumentState, weight: Weight) -> OrderIntent | None:
    """A market order to the position worth `fraction` of the ledger's equity."""
    fraction = decimal_of(weight.fraction, "weight")
    price = state.mark
    if price <= 0:
        raise NotTranslatable(Code.NO_REFERENCE_PRICE, "no price to turn a weight into a quantity")
    sign, digits, exponent = fraction.as_tuple()
    assert isinstance(exponent, int)
    numerator = int("".join(map(str, digits))) * (-1 if sign else 1)
    denominator = price * state.unit_value
    if exponent >= 0:
        numerator *= power_of_ten(exponent)
    else:
        denominator *= power_of_ten(-exponent)
    wanted = divide(state.ledger.equity * numerator, denominator, DOWN)
    return _towards(state, to_step(wanted, state.instrument.lot, DOWN))


def from_request(state: InstrumentState, request: OrderRequest) -> OrderIntent:
    """An explicit order, quantised."""
    tag = _check_words(request)
    instrument = state.instrument
    asked = _units(request.quantity, instrument.quantity_decimals, "quantity")
    quantity = _positive_lots(state, asked, request.quantity)
    is_buy = request.side is Side.BUY
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
    quantity, notes = _capped(state, quantity, judged_at)
    return OrderIntent(
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


def _check_words(request: OrderRequest) -> str:
    """A word in place of an enumeration must not pass for another one; returns the tag."""
    words: Any = request  # compiled code would trust the annotations that are to be checked here
    for value, kind in (
        (words.side, Side),
        (words.type, OrderType),
        (words.time_in_force, TimeInForce),
    ):
        if not isinstance(value, kind):
            raise StrategyError(f"an order's {kind.__name__} cannot be {shown(value)}")
    return check_text(words.tag, "tag")


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


def _towards(state: InstrumentState, wanted: int) -> OrderIntent | None:
    held = state.inventory.position + state.open_buy - state.open_sell
    missing = wanted - held
    if missing > 0 and state.base_spare:
        missing -= 1  # of the last unit a part is there: fees took off more than they cost
    side = Side.BUY if missing > 0 else Side.SELL
    quantity = to_step(missing if missing > 0 else -missing, state.instrument.lot, DOWN)
    return _market_intent(state, side, quantity, "") if quantity else None


def _market_intent(state: InstrumentState, side: Side, quantity: int, tag: str) -> OrderIntent:
    reference = state.reference_price(side is Side.BUY)
    quantity, notes = _capped(state, quantity, reference)
    return OrderIntent(
        state.instrument,
        side,
        quantity,
        OrderType.MARKET,
        0,
        0,
        TimeInForce.GTC,
        reference,
        notes,
        tag,
    )


def _capped(state: InstrumentState, quantity: int, price: int) -> tuple[int, str]:
    """Shrink `quantity` to the notional cap at `price`; says so in the second value."""
    if state.cap_notional == 0 or price <= 0:
        return quantity, ""
    affordable = to_step(
        state.cap_notional // (price * state.unit_value), state.instrument.lot, DOWN
    )
    if quantity <= affordable:
        return quantity, ""
    return affordable, f"capped from {state.instrument.quantity_text(quantity)}"


def _positive_lots(state: InstrumentState, asked: int, text: Number) -> int:
    if asked < 0:
        raise NotTranslatable(
            Code.NEGATIVE_QUANTITY, f"quantity {plain(text)}: say the direction with the side"
        )
    quantity = to_step(asked, state.instrument.lot, DOWN)
    if quantity == 0:
        lot = state.instrument.quantity_text(state.instrument.lot)
        words = f"quantity {plain(text)} is less than one lot of {lot}"
        raise NotTranslatable(Code.ZERO_QUANTITY, words)
    return quantity


def _price(state: InstrumentState, value: Number | None, mode: str, name: str) -> int:
    """A named price in units, on the tick."""
    if value is None:
        raise NotTranslatable(Code.INVALID_PRICE, f"the {name} price is missing")
    instrument = state.instrument
    spare = 4
    if isinstance(value, float):
        scale = power_of_ten(spare)
        fine = _units(value, instrument.price_decimals + spare, f"{name} price", HALF_EVEN)
        price = to_step(fine, instrument.tick * scale, mode) // scale
    else:
        price = to_step(
            _units(value, instrument.price_decimals, f"{name} price", mode), instrument.tick, mode
        )
    if price <= 0:
        words = f"the {name} price {plain(value)} is not positive"
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


def quantity_units(state: InstrumentState, value: Number) -> int:
    """`value` as quantity units, rounded down. Raises as `decimal_of` does."""
    return _units(value, state.instrument.quantity_decimals, "quantity")


def _units(value: Number, decimals: int, name: str, mode: str = DOWN) -> int:
    """`value` as a count of 10**-decimals, rounded by `mode`."""
    number = decimal_of(value, name)
    _, _, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if -exponent <= decimals:
        return parse_units(number, decimals)
    exact = parse_units(number, -exponent)
    return divide(exact, power_of_ten(-exponent - decimals), mode)


def decimal_of(value: object, name: str) -> Decimal:
    """`value` as a finite Decimal; `name` is what the refusal calls it.

    Raises NotTranslatable for NaN, infinities and absurd magnitudes, StrategyError for what is
    no number at all.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise StrategyError(f"{name} must be a number, not {shown(value)}")
    value = plain(value)
    if isinstance(value, int):
        if not -_MAGNITUDE_MAX < value < _MAGNITUDE_MAX:
            raise NotTranslatable(Code.NOT_FINITE, f"{name} is out of range")
        return Decimal(value)
    try:
        number = Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise StrategyError(f"{name} is not a number: {str(value)[:40]!a}") from None
    if not number.is_finite():
        raise NotTranslatable(Code.NOT_FINITE, f"{name} is {number}")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) + abs(exponent) > _DIGITS_MAX:
        raise NotTranslatable(Code.NOT_FINITE, f"{name} is out of range")
    return number
