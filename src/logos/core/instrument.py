"""What is traded: units of price and quantity, limits, margins and fees of one symbol.

A price is an integer count of `10**-price_decimals`, a quantity of `10**-quantity_decimals`;
valid prices of orders are multiples of `tick`, those of the market of `data_tick` (finer, or the
same), valid quantities multiples of `lot` (all in those units).
`value(price, quantity)` is money as a count of `10**-value_decimals` of the quote currency,
and is exact: the decimals of price, quantity and multiplier simply add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, final

from logos.core.fixed import UP, decimals_of, format_units, parse_units, to_decimal
from logos.core.terms.funding import FundingSchedule
from logos.core.terms.market_hours import MarketSessions, WeeklyHours, utc_day_end_ns
from logos.core.types import NS_PER_DAY, MarkRule

_MAGNITUDE_MAX = 30
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

COIN_DECIMALS: Final = 8
"""What a coin is counted in at least, where contracts are settled in it."""

RATE_DECIMALS: Final = 9
"""Fee rates, margin rates and basis points are counts of 10**-9."""
RATE_SCALE: Final = 10**RATE_DECIMALS
"""A rate of 1."""


@final
class FeeSchedule:
    """What a fill costs. Fees add up over an order and are rounded once, on the sum.

    After each fill the fee of the whole order so far is
    `rate * notional + per_unit * quantity + per_fill * fills`, at least `minimum` where one is
    set, rounded to `decimals` by `rounding`; the fill is charged what that adds to the fills
    before it. A maker or taker rate below zero is a rebate (see `fees`).

    Rates are counts of 10**-9; `per_unit`, `per_fill` and `minimum` are counts of 10**-9 of the
    quote currency.
    """

    __slots__ = (
        "decimals",
        "maker_rate",
        "minimum",
        "per_fill",
        "per_unit",
        "rounding",
        "taker_rate",
    )

    def __init__(
        self,
        maker_rate: int = 0,
        taker_rate: int = 0,
        per_unit: int = 0,
        per_fill: int = 0,
        minimum: int = 0,
        decimals: int = 8,
        rounding: str = UP,
    ) -> None:
        self.maker_rate = maker_rate
        self.taker_rate = taker_rate
        self.per_unit = per_unit
        self.per_fill = per_fill
        self.minimum = minimum
        self.decimals = decimals
        self.rounding = rounding


@final
class Instrument:
    """One tradable symbol. All integer fields are in the units the module docstring names.

    `settlement` is "spot" (the traded asset changes hands against cash), "margin" (only profit,
    loss and fees touch cash; margin is locked) or "inverse" (as margin, in the coin: `quote` is the
    coin, `multiplier` a contract's value in the currency of the price, and a quantity is worth
    quantity * multiplier / price). A limit of 0 means: no limit.
    """

    __slots__ = (
        "_weekly",
        "allows_negative",
        "bar_days",
        "base",
        "borrow_rate",
        "data_tick",
        "fees",
        "funding",
        "hours",
        "initial_margin_rate",
        "is_inverse",
        "leverage",
        "lot",
        "maintenance_margin_rate",
        "mark",
        "maximum_quantity",
        "minimum_notional",
        "minimum_quantity",
        "multiplier",
        "price_decimals",
        "price_scale",
        "quantity_decimals",
        "quantity_scale",
        "quote",
        "sessions",
        "settlement",
        "symbol",
        "tick",
        "value_decimals",
    )

    def __init__(
        self,
        symbol: str,
        base: str,
        quote: str,
        price_decimals: int,
        tick: int,
        quantity_decimals: int,
        lot: int,
        multiplier: Decimal,
        minimum_quantity: int,
        maximum_quantity: int,
        minimum_notional: Decimal,
        settlement: str,
        leverage: int,
        initial_margin_rate: int,
        maintenance_margin_rate: int,
        fees: FeeSchedule,
        hours: list[tuple[int, int]],
    ) -> None:
        multiplier_decimals = decimals_of(multiplier)
        self.symbol = symbol
        self.base = base
        self.quote = quote
        self.price_decimals = price_decimals
        self.price_scale: int = 10**price_decimals
        self.tick = tick
        self.data_tick: int = tick
        """The step of the market's prices, finer than the tick where `order_in` has been called."""
        self.quantity_decimals = quantity_decimals
        self.quantity_scale: int = 10**quantity_decimals
        self.lot = lot
        self.multiplier = parse_units(multiplier, multiplier_decimals)
        notional_decimals = decimals_of(minimum_notional)
        self.value_decimals = price_decimals + quantity_decimals + multiplier_decimals
        # A minimum finer than any value can be is rounded up to the next value that exists.
        if notional_decimals > self.value_decimals:
            excess = 10 ** (notional_decimals - self.value_decimals)
            self.minimum_notional = -(-parse_units(minimum_notional, notional_decimals) // excess)
        else:
            self.minimum_notional = parse_units(minimum_notional, self.value_decimals)
        self.minimum_quantity = minimum_quantity
        self.maximum_quantity = maximum_quantity
        self.settlement = settlement
        self.is_inverse: bool = settlement == "inverse"
        self.leverage = leverage
        self.initial_margin_rate = initial_margin_rate
        self.maintenance_margin_rate = maintenance_margin_rate
        self.fees = fees
        self.hours = hours
        """When it trades: spans [start, end) of minutes of the UTC week from Monday 00:00.

        Empty: always.
        """
        self.mark: MarkRule = MarkRule.BID_ASK
        """Which price a position is valued at; set apart."""
        self._weekly = WeeklyHours(hours) if hours else None
        self.sessions: MarketSessions | None = None
        """When it trades, with dates, where `hours` are not of UTC; set apart."""
        self.allows_negative: bool = False
        """Whether a price may be zero or less; set apart."""
        self.funding: FundingSchedule | None = None
        """When a perpetual contract pays funding; set apart."""
        self.borrow_rate: int = 0
        """What being short costs a year, of its value; set apart."""
        self.bar_days: int = 0
        """How many days its bars are long, where they are a day or longer; set apart."""

    def order_in(self, tick: str) -> None:
        """Let orders have a coarser tick than the market's prices, which keep theirs.

        Raises ValueError for one that is no multiple of it.
        """
        number = _number(self.symbol, "tick", tick)
        finer = to_decimal(self.data_tick, self.price_decimals)
        if number <= 0 or number % finer:
            raise ValueError(
                f"instrument {self.symbol}: tick {tick} is no multiple of data_tick {finer}"
            )
        self.tick = parse_units(tick, self.price_decimals)

    def can_be(self, price: int) -> bool:
        """Whether `price` can be one of it; 0 stands for a price that was not seen yet."""
        return price > 0 or (price != 0 and self.allows_negative)

    @property
    def mark_decimals(self) -> int:
        """The decimals of a mark: half of two prices takes one more than a price."""
        return self.price_decimals + (1 if self.mark is MarkRule.MID else 0)

    @property
    def money_decimals(self) -> int:
        """The decimals that money of it needs: those of a value, and of one at a mark."""
        if self.is_inverse:
            return max(COIN_DECIMALS, self.value_decimals - self.price_decimals)
        return self.value_decimals + self.mark_decimals - self.price_decimals

    @property
    def market(self) -> MarketSessions | WeeklyHours | None:
        """When it trades; None: always."""
        return self._weekly if self.sessions is None else self.sessions

    def is_open(self, ts_ns: int) -> bool:
        """Whether the instrument trades at `ts_ns`."""
        market = self.market
        return market is None or market.is_open(ts_ns)

    def takes_orders(self, ts_ns: int) -> bool:
        """Whether it trades at `ts_ns`; by bars of days whether it traded at any moment of the bar
        that ends there, for their close is known when the market has closed."""
        if self.is_open(ts_ns):
            return True
        return self.bar_days > 0 and self.is_open_in(ts_ns - self.bar_days * NS_PER_DAY, ts_ns)

    def is_open_in(self, since_ns: int, until_ns: int) -> bool:
        """Whether the instrument trades at any moment from `since_ns` on and before `until_ns`."""
        market = self.market
        return market is None or market.is_open_in(since_ns, until_ns)

    def has_been_open(self, since_ns: int, ts_ns: int) -> bool:
        """Whether the instrument has traded from `since_ns` to `ts_ns` without a break."""
        market = self.market
        return market is None or market.has_been_open(since_ns, ts_ns)

    def day_end_ns(self, ts_ns: int) -> int:
        """When a day order made at `ts_ns` ends: with its session, or the UTC day."""
        market = self.market
        return utc_day_end_ns(ts_ns) if market is None else market.day_end_ns(ts_ns)

    def value(self, price: int, quantity: int) -> int:
        """Money of `quantity` at `price`, in units of `10**-value_decimals`; signs carry over."""
        return self.multiplier * quantity * price

    def price_text(self, price: int) -> str:
        """`price` as decimal text."""
        return format_units(price, self.price_decimals)

    def quantity_text(self, quantity: int) -> str:
        """`quantity` as decimal text."""
        return format_units(quantity, self.quantity_decimals)

    def quantity_decimal(self, quantity: int) -> Decimal:
        """`quantity` as an exact Decimal."""
        return to_decimal(quantity, self.quantity_decimals)


def rate_units(text: str | Decimal) -> int:
    """A rate as a count of 10**-9: `rate_units("0.001")` is a million.

    Raises ValueError for more than nine decimals.
    """
    return parse_units(text, RATE_DECIMALS)


def instrument(
    symbol: str,
    *,
    tick: str,
    lot: str,
    quote: str,
    base: str = "",
    multiplier: str = "1",
    min_quantity: str = "0",
    max_quantity: str = "0",
    min_notional: str = "0",
    settlement: str = "spot",
    leverage: int = 1,
    initial_margin: str = "1",
    maintenance_margin: str = "0",
    fees: FeeSchedule | None = None,
    hours: Sequence[str] = (),
) -> Instrument:
    """Make an Instrument from decimal texts, as a person writes them.

    `base` defaults to the symbol. Raises ValueError naming the field that is wrong.
    """
    positive = {"tick": tick, "lot": lot, "multiplier": multiplier}
    others = {
        "min_quantity": min_quantity,
        "max_quantity": max_quantity,
        "min_notional": min_notional,
        "initial_margin": initial_margin,
        "maintenance_margin": maintenance_margin,
    }
    for name, text in (positive | others).items():
        number = _number(symbol, name, text)
        if number < 0 or (number == 0 and name in positive):
            raise ValueError(f"instrument {symbol}: {name} must be positive, not {text}")
    if settlement not in ("spot", "margin", "inverse"):
        raise ValueError(
            f"instrument {symbol}: settlement is 'spot', 'margin' or 'inverse', not {settlement!r}"
        )
    if settlement == "inverse" and _number(symbol, "min_notional", min_notional):
        raise ValueError(f"instrument {symbol}: an inverse contract has no min_notional")
    if leverage < 1:
        raise ValueError(f"instrument {symbol}: leverage must be 1 or more, not {leverage}")
    price_decimals = decimals_of(tick)
    quantity_decimals = decimals_of(lot)
    smallest = _units(symbol, "min_quantity", min_quantity, quantity_decimals)
    largest = _units(symbol, "max_quantity", max_quantity, quantity_decimals)
    if 0 < largest < smallest:
        raise ValueError(f"instrument {symbol}: min_quantity is above max_quantity")
    return Instrument(
        symbol=symbol,
        base=base or symbol,
        quote=quote,
        price_decimals=price_decimals,
        tick=parse_units(tick, price_decimals),
        quantity_decimals=quantity_decimals,
        lot=parse_units(lot, quantity_decimals),
        multiplier=Decimal(multiplier),
        minimum_quantity=smallest,
        maximum_quantity=largest,
        minimum_notional=Decimal(min_notional),
        settlement=settlement,
        leverage=leverage,
        initial_margin_rate=_units(symbol, "initial_margin", initial_margin, RATE_DECIMALS),
        maintenance_margin_rate=_units(
            symbol, "maintenance_margin", maintenance_margin, RATE_DECIMALS
        ),
        fees=fees or FeeSchedule(),
        hours=[span for text in hours for span in _week_minutes(symbol, text)],
    )


def _week_minutes(symbol: str, text: str) -> list[tuple[int, int]]:
    """`"mon-fri 13:30-20:00"` (UTC) as spans of minutes of the week, one for each day."""
    wrong = f"instrument {symbol}: hours: {text!r}; write them like 'mon-fri 13:30-20:00' (UTC)"
    days, _, times = text.strip().lower().partition(" ")
    first, _, last = days.partition("-")
    start, dash, end = times.strip().partition("-")
    if first not in _DAYS or (last or first) not in _DAYS or not dash:
        raise ValueError(wrong)
    opens, closes = _minute(start, wrong), _minute(end, wrong)
    numbers = range(_DAYS.index(first), _DAYS.index(last or first) + 1)
    if opens >= closes or not numbers:
        raise ValueError(wrong)
    return [(day * 1440 + opens, day * 1440 + closes) for day in numbers]


def _minute(text: str, wrong: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdigit() and minute.isdigit() and int(minute) < 60):
        raise ValueError(wrong)
    total = int(hour) * 60 + int(minute)
    if total > 1440:
        raise ValueError(wrong)
    return total


def _units(symbol: str, name: str, text: str, decimals: int) -> int:
    try:
        return parse_units(text, decimals)
    except ValueError as error:
        raise ValueError(f"instrument {symbol}: {name}: {error}") from None


def _number(symbol: str, name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"instrument {symbol}: {name} is not a number: {text!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAGNITUDE_MAX:
        raise ValueError(f"instrument {symbol}: {name} is out of range: {text!r}")
    return number
