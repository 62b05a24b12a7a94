"""How much to trade: by risk and stop, by volatility, by weight, by Kelly with a cap.

Each function answers with a quantity, a positive Decimal of whole lots, or 0 where not even the
smallest order fits; the strategy says the direction. All of it is exact and rounds down, so that
what was asked for is never exceeded: fees are those of the instrument's schedule for a taker,
rounded up, and a purchase leaves room for the price to move by `room` until it is filled.

    quantity = by_risk(context, bar.instrument, risk="0.01", stop=bar.low)
    return market(Side.BUY, quantity, stop_loss=bar.low) if quantity else None

Numbers may be int, float, str or Decimal; a float is read as it prints. ValueError names what
cannot be used, an inverse contract among it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from logos.core.instrument import Instrument
from logos.core.strategy import Context, Number

ROOM: Final = Decimal("0.005")
"""By how much of itself a price may rise until a purchase is filled: that of `Weight` as well."""
_RATES: Final = 10**9


def by_risk(
    context: Context,
    instrument: Instrument,
    risk: Number,
    stop: Number,
    *,
    entry: Number | None = None,
    room: Number = ROOM,
) -> Decimal:
    """The most that loses at most `risk` of equity, fees of both sides included, at the stop.

    `risk` is a fraction of the ledger's equity above 0, `stop` the price of the stop loss, below
    the entry for a purchase and above it for a sale. `entry` is the price of the entry; by default
    the ask for a purchase and the bid for a sale. What a gap beyond the stop costs is not in it.
    """
    fraction, stop_at = _positive(risk, "risk"), _positive(stop, "stop")
    bid, ask = _market(context, instrument)
    market = ask if stop_at < ask else bid
    price = market if entry is None else _positive(entry, "entry")
    if not price:
        return Decimal(0)
    units = _within(context, instrument, fraction, price, stop_at)
    return _tradable(context, instrument, units, price, stop_at < price, room)


def by_volatility(
    context: Context,
    instrument: Instrument,
    risk: Number,
    volatility: Number,
    *,
    multiple: Number = 2,
    is_buy: bool = True,
    room: Number = ROOM,
) -> Decimal:
    """The most that loses at most `risk` of equity when the price moves `multiple` times as much.

    `volatility` is a distance in the price's own unit, such as an ATR: the stop is taken to be that
    many times `multiple` away from the market.
    """
    bid, ask = _market(context, instrument)
    distance = _positive(volatility, "volatility") * _positive(multiple, "multiple")
    price = ask if is_buy else bid
    if not price:
        return Decimal(0)
    stop = price - distance if is_buy else price + distance
    units = _within(context, instrument, _positive(risk, "risk"), price, stop)
    return _tradable(context, instrument, units, price, is_buy, room)


def by_weight(
    context: Context,
    instrument: Instrument,
    weight: Number,
    *,
    price: Number | None = None,
    is_buy: bool = True,
    room: Number = ROOM,
) -> Decimal:
    """The most that is worth at most `weight` of equity at `price`, and can be paid for.

    `weight` is a fraction of equity, 0 or more. `price` is by default the ask for a purchase and
    the bid for a sale.
    """
    fraction = _exact(weight, "weight")
    if fraction < 0:
        raise ValueError(f"weight ({weight}) is negative: say the direction with the side")
    bid, ask = _market(context, instrument)
    at = _positive(price, "price") if price is not None else ask if is_buy else bid
    if not at:
        return Decimal(0)
    budget = fraction * _equity(context, instrument)
    worth = at * _multiplier(instrument)
    lots = _most(instrument, budget / worth, lambda quantity: worth * quantity <= budget)
    return _tradable(context, instrument, lots, at, is_buy, room)


def by_kelly(
    context: Context,
    instrument: Instrument,
    win_rate: Number,
    payoff: Number,
    *,
    cap: Number = Decimal("0.25"),
    is_buy: bool = True,
    room: Number = ROOM,
) -> Decimal:
    """By the weight that `kelly` gives."""
    weight = kelly(win_rate, payoff, cap)
    return by_weight(context, instrument, weight, is_buy=is_buy, room=room)


def kelly(win_rate: Number, payoff: Number, cap: Number = Decimal("0.25")) -> Decimal:
    """Kelly's fraction of equity, `win_rate - (1 - win_rate) / payoff`, from 0 to `cap`.

    `win_rate` is the share of trades that gain, from 0 to 1; `payoff` what a gain is worth in units
    of a loss, above 0. Rounded down to nine decimals. Source: J. L. Kelly, A New Interpretation of
    Information Rate, 1956, for two outcomes. The cap is there because both numbers are estimates.
    """
    share = _exact(win_rate, "win_rate")
    if not 0 <= share <= 1:
        raise ValueError(f"win_rate ({win_rate}) is a share, from 0 to 1")
    best = share - (1 - share) / _positive(payoff, "payoff")
    most = _positive(cap, "cap")
    return Decimal(int(min(max(best, Fraction(0)), most) * _RATES)) / _RATES


def kelly_of(results: Sequence[Number], cap: Number = Decimal("0.25")) -> Decimal:
    """Kelly's fraction for trades that ended with these profits and losses; 0 without both.

    The share of gains and the mean gain over the mean loss are those of `results`, which are money
    in any one currency; trades that ended at 0 count as losses of 0.
    """
    exact = [_exact(each, "result") for each in results]
    gains = [each for each in exact if each > 0]
    losses = [-each for each in exact if each <= 0]
    if not gains or not sum(losses):
        return Decimal(0)
    share = Fraction(len(gains), len(exact))
    payoff = (sum(gains) / len(gains)) / (sum(losses) / len(losses))
    best = share - (1 - share) / payoff
    most = _positive(cap, "cap")
    return Decimal(int(min(max(best, Fraction(0)), most) * _RATES)) / _RATES


# ---- what can be traded ----


def _within(
    context: Context, instrument: Instrument, risk: Fraction, entry: Fraction, stop: Fraction
) -> int:
    """The most that loses at most `risk` of equity between the two prices, in quantity units.

    A stop below zero is a distance all the same; its fee is that of a price of 0.
    """
    budget = risk * _equity(context, instrument)
    worth = abs(entry - stop) * _multiplier(instrument)
    if not worth:
        return 0
    last = max(stop, Fraction(0))

    def is_within(quantity: Fraction) -> bool:
        fees = _fee(instrument, quantity, entry) + _fee(instrument, quantity, last)
        return worth * quantity + fees <= budget

    return _most(instrument, budget / worth, is_within)


def _tradable(
    context: Context,
    instrument: Instrument,
    units: int,
    price: Fraction,
    is_buy: bool,
    room: Number,
) -> Decimal:
    """At most `units` that can be paid for; 0 where the instrument does not allow so little."""
    dearer = price * (1 + _exact(room, "room")) if is_buy else price
    power = context.buying_power(instrument.symbol)
    if power is not None and (is_buy or instrument.settlement != "spot"):
        money = max(Fraction(power), Fraction(0))
        worth = dearer * _multiplier(instrument)
        scale = _scale(instrument)

        def is_affordable(quantity: Fraction) -> bool:
            return worth * quantity + _fee(instrument, quantity, dearer) <= money

        units = min(units, _most(instrument, Fraction(units, scale), is_affordable))
    if instrument.maximum_quantity:
        units = min(units, instrument.maximum_quantity // instrument.lot * instrument.lot)
    notional = price * _multiplier(instrument) * Fraction(units, _scale(instrument))
    least = Fraction(instrument.minimum_notional, 10**instrument.value_decimals)
    if units < instrument.minimum_quantity or notional < least:
        return Decimal(0)
    return instrument.quantity_decimal(units)


def _most(instrument: Instrument, bound: Fraction, fits: Callable[[Fraction], bool]) -> int:
    """The largest whole number of lots up to `bound` that fits, in quantity units.

    `fits` must hold for everything below a quantity that it holds for.
    """
    scale, lot = _scale(instrument), instrument.lot
    low, high = 0, max(int(bound * scale) // lot, 0)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(Fraction(middle * lot, scale)):
            low = middle
        else:
            high = middle - 1
    return low * lot


def _fee(instrument: Instrument, quantity: Fraction, price: Fraction) -> Fraction:
    """What a taker's order of one fill costs, rounded up; a rebate counts as nothing.

    See `instrument.FeeSchedule`.
    """
    if not quantity:
        return Fraction(0)
    fees = instrument.fees
    notional = price * quantity * _multiplier(instrument)
    fixed = fees.per_unit * quantity + fees.per_fill
    whole = max(Fraction(fees.minimum), fees.taker_rate * notional + fixed) / _RATES
    unit = 10**fees.decimals
    return Fraction(max(math.ceil(whole * unit), 0), unit)


def _multiplier(instrument: Instrument) -> Fraction:
    """Money per price unit and quantity unit."""
    decimals = instrument.value_decimals - instrument.price_decimals - instrument.quantity_decimals
    return Fraction(instrument.multiplier, 10**decimals)


def _scale(instrument: Instrument) -> int:
    return instrument.quantity_scale


# ---- what is known ----


def _market(context: Context, instrument: Instrument) -> tuple[Fraction, Fraction]:
    """Bid and ask; 0 for both before the first price. Raises ValueError for an inverse contract."""
    if instrument.is_inverse:
        raise ValueError(
            f"{instrument.symbol} is an inverse contract, whose loss is no multiple of a distance "
            "in price: size it in contracts"
        )
    bid, ask = context.bid(instrument.symbol), context.ask(instrument.symbol)
    return Fraction(bid or 0), Fraction(ask or 0)


def _equity(context: Context, instrument: Instrument) -> Fraction:
    return max(Fraction(context.equity(instrument.quote)), Fraction(0))


def _positive(value: Number, name: str) -> Fraction:
    number = _exact(value, name)
    if number <= 0:
        raise ValueError(f"{name} ({value}) must be above 0")
    return number


def _exact(value: Number, name: str) -> Fraction:
    """The number as it is written; raises ValueError for what is none."""
    try:
        number = Decimal(repr(float(value)) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"{name} is not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"{name} is {number}")
    return Fraction(number)
