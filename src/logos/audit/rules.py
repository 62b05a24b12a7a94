"""What a session's settings allow, as whole numbers, read anew from the settings alone.

The core has limits of its own making, and whoever loosens those in a running process loosens
nothing here. Amounts become units of the journal's records: quantities of `10**-quantity_decimals`,
money of `10**-money_decimals`. A limit is rounded down and never to nothing, as it is where the
session is built; 0 is no limit.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from logos.config import BALANCE_DEFAULT, Config
from logos.config.settings import InstrumentSettings, RiskLimits, TotalLimits
from logos.core.types import MarkRule
from logos.errors import LogosError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RATE_DECIMALS: Final = 9
_NS_DECIMALS: Final = 9
_NS_PER_MINUTE: Final = 60 * 10**_NS_DECIMALS
_NS_PER_DAY: Final = 1440 * _NS_PER_MINUTE
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK_MINUTES: Final = 7 * 1440


class UnreadableRules(LogosError, ValueError):
    """Settings or records from which no limit can be made; the message says which."""


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """What one symbol's orders must keep to.

    Quantities are quantity units, `tick` price units, money ledger units; `unit_value` is the
    ledger units of one price unit times one quantity unit. `hours` are spans of minutes of the UTC
    week. Shares and the collar are in whole 10**-9; shares are parts of equity, to which `began`,
    what there was of a spot asset at the beginning, is added at the order's price.
    """

    symbol: str
    quote: str
    base: str
    is_spot: bool
    price_decimals: int
    quantity_decimals: int
    money_decimals: int
    unit_value: int
    tick: int
    lot: int
    quantity_min: int
    quantity_max: int
    notional_min: int
    """Rounded up."""
    hours: tuple[tuple[int, int], ...]
    order_quantity_max: int
    order_notional_max: int
    position_max: int
    order_share: int
    position_share: int
    began: int
    open_orders_max: int
    collar: int
    duplicate_window_ns: int
    allows_negative: bool
    is_inverse: bool
    """Whether it is settled in the coin: worth `unit_value` / price."""
    is_marked_at_touch: bool
    """Whether positions are valued at the price that would close them."""
    sessions: tuple[tuple[int, int], ...] | None
    """Opens and closes with their dates, nanoseconds, in order of time; None: `hours` count."""
    bar_days: int
    """How many days its bars are long; 0: shorter than a day."""

    def takes_orders(self, ts_ns: int) -> bool:
        """Whether orders may be made at `ts_ns`: it trades, or did in the bar of days before."""
        if self.is_open(ts_ns):
            return True
        since_ns = ts_ns - self.bar_days * _NS_PER_DAY
        if not self.bar_days:
            return False
        if self.sessions is not None:
            return any(opens < ts_ns and since_ns < closes for opens, closes in self.sessions)
        first = since_ns // _NS_PER_MINUTE + 3 * 1440
        minutes = (ts_ns - since_ns) // _NS_PER_MINUTE
        return self.is_open(since_ns) or any(
            (opens - first) % _WEEK_MINUTES < minutes for opens, _ in self.hours
        )

    def is_open(self, ts_ns: int) -> bool:
        """Whether the symbol trades at `ts_ns`, nanoseconds since 1970 UTC."""
        if self.sessions is not None:
            before = bisect.bisect(self.sessions, (ts_ns, 1 << 80))
            return before > 0 and ts_ns < self.sessions[before - 1][1]
        if not self.hours:
            return True
        minute = (ts_ns // _NS_PER_MINUTE + 3 * 1440) % _WEEK_MINUTES  # 1970 began on a Thursday
        return any(opens <= minute < closes for opens, closes in self.hours)

    @property
    def limits_shares(self) -> bool:
        """Whether parts of equity are limits."""
        return bool(self.order_share or self.position_share)

    def value(self, price: int, quantity: int) -> int:
        """Money of `quantity` at `price`, in ledger units."""
        if self.is_inverse:
            return round(Fraction(quantity * self.unit_value, price)) if price else 0
        return price * quantity * self.unit_value


@dataclass(frozen=True, slots=True)
class MoneyRules:
    """What one currency's ledger must keep to, in ledger units; shares in whole 10**-9."""

    gross_max: int
    gross_share: int
    net_max: int
    drawdown_max: int
    drawdown_share: int
    daily_loss_max: int
    initial: int

    @property
    def limits_exposure(self) -> bool:
        """Whether exposure has a limit."""
        return bool(self.gross_max or self.gross_share or self.net_max)

    def gross_allowance(self, equity: int) -> int:
        """What gross exposure may be at this `equity`, if it is limited."""
        if not self.gross_share:
            return self.gross_max
        share = share_of(equity, self.gross_share)
        return min(self.gross_max, share) if self.gross_max else share

    @property
    def limits_loss(self) -> bool:
        """Whether falls of equity have a limit."""
        return bool(self.drawdown_max or self.drawdown_share or self.daily_loss_max)

    def drawdown_allowance(self, high_water: int) -> int:
        """How far equity may fall below `high_water`; 0 for no limit."""
        allowance = self.drawdown_max
        if self.drawdown_share:
            share = max(share_of(high_water, self.drawdown_share), 1)
            allowance = min(allowance, share) if allowance else share
        return allowance


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What the session as a whole must keep to, and where the rules of symbols come from."""

    config: Config
    open_orders_max: int
    orders_max: int
    orders_window_ns: int
    losses_max: int

    @classmethod
    def of(cls, config: Config) -> SessionRules:
        """The rules of the settings `config`."""
        total = config.risk.total
        return cls(
            config,
            total.max_open_orders or 0,
            total.max_orders or 0,
            _floor(total.max_orders_window_s, _NS_DECIMALS),
            total.max_consecutive_losses,
        )

    def symbol(
        self, symbol: str, price_decimals: int, quantity_decimals: int, money_decimals: int
    ) -> SymbolRules:
        """The rules of `symbol` in the units of records with these decimals.

        Raises UnreadableRules for a symbol without an instrument, and for scales that the
        instrument cannot have.
        """
        settings = self.config.instruments.get(symbol)
        if settings is None:
            raise UnreadableRules(f"the settings have no instrument {symbol!r}")
        limits = self.config.risk.symbols.get(symbol, self.config.risk)
        scales = (price_decimals, quantity_decimals, money_decimals)
        began = self.config.account.balances.get(settings.base or symbol, Decimal(0))
        return _symbol_rules(symbol, settings, limits, scales, began)

    def money(self, currency: str, money_decimals: int) -> MoneyRules:
        """The rules of the ledger of `currency`, in units of `10**-money_decimals`."""
        total: TotalLimits = self.config.risk.total
        quotes = [each.quote for each in self.config.instruments.values()]
        balances: Mapping[str, Decimal] = self.config.account.balances or dict.fromkeys(
            quotes, BALANCE_DEFAULT
        )
        initial = Fraction(balances.get(currency, Decimal(0))) * 10**money_decimals
        return MoneyRules(
            gross_max=_floor(total.max_gross_exposure, money_decimals),
            gross_share=_rate(total.max_gross_share),
            net_max=_floor(total.max_net_exposure, money_decimals),
            drawdown_max=_floor(total.max_drawdown, money_decimals),
            drawdown_share=_rate(total.max_drawdown_share),
            daily_loss_max=_floor(total.max_daily_loss, money_decimals),
            initial=int(initial),
        )


def _symbol_rules(
    symbol: str,
    settings: InstrumentSettings,
    limits: RiskLimits,
    scales: tuple[int, int, int],
    began: Decimal,
) -> SymbolRules:
    prices, quantities, money = scales
    tick = Fraction(settings.tick) * 10**prices
    lot = Fraction(settings.lot) * 10**quantities
    scale = money - quantities + (prices if settings.settlement == "inverse" else -prices)
    unit_value = Fraction(settings.multiplier) * Fraction(10) ** scale
    if not tick.denominator == lot.denominator == unit_value.denominator == 1:
        raise UnreadableRules(
            f"{symbol} is counted in {prices} decimals of price, {quantities} of quantity and "
            f"{money} of money, in which its steps are no whole numbers"
        )
    return SymbolRules(
        symbol=symbol,
        quote=settings.quote,
        base=settings.base or symbol,
        is_spot=settings.settlement == "spot",
        price_decimals=prices,
        quantity_decimals=quantities,
        money_decimals=money,
        unit_value=int(unit_value),
        tick=int(tick),
        lot=int(lot),
        quantity_min=-int(-Fraction(settings.min_quantity) * 10**quantities // 1),
        quantity_max=int(Fraction(settings.max_quantity) * 10**quantities),
        notional_min=-int(-Fraction(settings.min_notional) * 10**money // 1),
        hours=tuple(span for text in settings.hours for span in _spans(text)),
        order_quantity_max=_floor(limits.max_order_quantity, quantities),
        order_notional_max=_floor(limits.max_order_notional, money),
        position_max=_floor(limits.max_position, quantities),
        open_orders_max=limits.max_open_orders,
        order_share=_rate(limits.max_order_share),
        position_share=_rate(limits.max_position_share),
        began=int(Fraction(began) * 10**quantities) if settings.settlement == "spot" else 0,
        collar=_rate(limits.price_collar),
        duplicate_window_ns=_floor(limits.duplicate_window_s, _NS_DECIMALS),
        is_marked_at_touch=settings.mark in (msgspec.UNSET, MarkRule.BID_ASK),
        sessions=_sessions(settings),
        bar_days=settings.bar_days or 0,
        allows_negative=bool(settings.allow_negative_prices),
        is_inverse=settings.settlement == "inverse",
    )


def _floor(amount: Decimal | None, decimals: int) -> int:
    """`amount` in units of `10**-decimals`, rounded down but never to 0; None is no limit."""
    return max(int(Fraction(amount) * 10**decimals), 1) if amount else 0


def _rate(rate: Decimal | None) -> int:
    """A rate as the core counts it, in whole 10**-9; 0 for none."""
    return _floor(rate, _RATE_DECIMALS)


def share_of(amount: int, rate: int) -> int:
    """The part of an amount that a rate in whole 10**-9 makes, rounded down."""
    return amount * rate // 10**_RATE_DECIMALS


def _spans(text: str) -> list[tuple[int, int]]:
    """`"mon-fri 13:30-20:00"` as minutes of the week. Raises UnreadableRules."""
    days, _, times = text.strip().lower().partition(" ")
    first, _, last = days.partition("-")
    opens, _, closes = times.strip().partition("-")
    try:
        numbers = range(_DAYS.index(first), _DAYS.index(last or first) + 1)
        start, end = (_minute(each) for each in (opens, closes))
    except ValueError:
        raise UnreadableRules(f"hours {text!r} are none") from None
    return [(day * 1440 + start, day * 1440 + end) for day in numbers]


def _sessions(settings: InstrumentSettings) -> tuple[tuple[int, int], ...] | None:
    """Opens and closes of `sessions`. Raises UnreadableRules."""
    if settings.sessions is msgspec.UNSET:
        return None
    found = []
    for text in settings.sessions:
        try:
            moments = [datetime.fromisoformat(each) for each in text.split("/")]
            seconds = [int((each - _EPOCH).total_seconds()) for each in moments]
        except (ValueError, TypeError):
            raise UnreadableRules(f"session {text!r} is none") from None
        found += [
            (opens * 10**_NS_DECIMALS, closes * 10**_NS_DECIMALS)
            for opens, closes in zip(seconds[::2], seconds[1::2], strict=False)
        ]
    return tuple(found)


def _minute(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    return int(hour) * 60 + int(minute)
