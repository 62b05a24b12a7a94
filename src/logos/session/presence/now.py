"""Position and profit of a running session as of now: what its page of figures says, as text.

The page has whole numbers with their decimals beside them. Whoever shows it to people, or prints
it as JSON, makes decimal text of it in this one place.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from logos.core.fixed import format_units
from logos.core.guards.uses import CurrencyRisk, SymbolRisk
from logos.core.types import NS_PER_SECOND
from logos.session.artifacts.rows import Moments
from logos.session.presence.page import MetricsPage

_MUCH: Final = 1_000
_SOME: Final = 10
_ALL_SHOWN_MAX: Final = 6
_HELD_SHOWN_MAX: Final = 12


class PositionNow(msgspec.Struct, frozen=True):
    """One symbol. Amounts are decimal text; None: there is none."""

    symbol: str
    currency: str
    position: str
    entry_price: str | None
    """The average of the open lots; None with nothing held."""
    mark: str | None
    """None: it has shown no price yet."""
    value: str
    unrealised: str
    realised: str
    fees: str
    open_orders: int
    price_age_s: float | None
    is_stale: bool
    is_paused: bool
    is_held: bool
    """Whether the position is not zero."""


class MoneyNow(msgspec.Struct, frozen=True):
    """One currency: decimal text in it. `today` is what the UTC day has brought so far."""

    currency: str
    equity: str
    today: str
    unrealised: str
    realised: str
    fees: str
    exposure: str
    drawdown: str
    max_drawdown: str
    initial: str
    """What the session began with."""


class Now(msgspec.Struct, frozen=True):
    """All of it. `time` is when the page was written, ISO-8601 UTC."""

    time: str
    positions: tuple[PositionNow, ...]
    money: tuple[MoneyNow, ...]


def now_of(page: MetricsPage) -> Now:
    """What `page` says of positions and money."""
    return Now(
        Moments().text(page.written_ns),
        tuple(_position(each) for each in page.risk.symbols),
        tuple(_money(each) for each in page.risk.currencies),
    )


def _position(risk: SymbolRisk) -> PositionNow:
    money, has_price = risk.money_decimals, risk.price_age_ns >= 0
    entry = risk.entry_units
    return PositionNow(
        symbol=risk.symbol,
        currency=risk.currency,
        position=format_units(risk.position_units, risk.quantity_decimals),
        entry_price=None if entry is None else _trimmed(format_units(entry, risk.entry_decimals)),
        mark=format_units(risk.mark_units, risk.mark_decimals) if has_price else None,
        value=format_units(risk.value_units, money),
        unrealised=format_units(risk.unrealised_units, money),
        realised=format_units(risk.realised_units, money),
        fees=format_units(risk.fees_units, money),
        open_orders=risk.open_orders,
        price_age_s=round(risk.price_age_ns / NS_PER_SECOND, 3) if has_price else None,
        is_stale=risk.is_stale,
        is_paused=risk.is_paused,
        is_held=risk.position_units != 0,
    )


def _money(risk: CurrencyRisk) -> MoneyNow:
    def text(units: int) -> str:
        return format_units(units, risk.money_decimals)

    return MoneyNow(
        currency=risk.currency,
        equity=text(risk.equity_units),
        today=text(risk.day_profit_units),
        unrealised=text(risk.unrealised_units),
        realised=text(risk.realised_units),
        fees=text(risk.fees_units),
        exposure=text(risk.gross_exposure_units),
        drawdown=text(risk.drawdown_units),
        max_drawdown=text(risk.max_drawdown_units),
        initial=text(risk.initial_units),
    )


def _trimmed(text: str) -> str:
    """Decimal text without the zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _apart(text: str) -> str:
    """Decimal text with its thousands apart."""
    return f"{Decimal(text):,f}"


def position_words(position: PositionNow) -> str:
    """One symbol for people."""
    mark = "no price yet" if position.mark is None else f"at {_apart(position.mark)}"
    if not position.is_held:
        words = f"{position.symbol} nothing held, {mark}"
    else:
        entry = f", average entry {entry_words(position)}" if position.entry_price else ""
        profit = f", unrealised {amount_words(position.unrealised, sign=True)} {position.currency}"
        words = f"{position.symbol} {_apart(_trimmed(position.position))} {mark}{entry}{profit}"
    orders = position.open_orders
    words += f", {orders} open order{'' if orders == 1 else 's'}" if orders else ""
    return words + (", price too old" if position.is_stale else "")


def entry_words(position: PositionNow) -> str:
    """The average entry for people: two decimals more than a price has, at most; "" of none."""
    if position.entry_price is None:
        return ""
    digits = len((position.mark or "").partition(".")[2]) + 2
    rounded = round(Decimal(position.entry_price), digits)
    return _trimmed(f"{rounded:,f}")


def position_lines(now: Now) -> list[str]:
    """A line for each symbol; of many symbols, those that hold something, and how many do not."""
    shown = now.positions
    if len(shown) > _ALL_SHOWN_MAX:
        shown = tuple(each for each in shown if each.is_held)[:_HELD_SHOWN_MAX]
    lines = [position_words(each) for each in shown]
    held = sum(each.is_held for each in now.positions)
    if held > sum(each.is_held for each in shown):
        lines.append(f"and {held - len(shown)} more that hold something")
    if len(now.positions) > _ALL_SHOWN_MAX and held < len(now.positions):
        lines.append(f"{len(now.positions) - held} symbols hold nothing")
    return lines


def money_words(money: MoneyNow) -> str:
    """One currency for people."""
    equity, today = amount_words(money.equity), amount_words(money.today, sign=True)
    exposure, drawdown = amount_words(money.exposure), amount_words(money.drawdown)
    return (
        f"equity {equity} {money.currency} (today {today}, exposure {exposure}, drawdown "
        f"{drawdown})"
    )


def money_decimals(initial: Decimal) -> int:
    """Decimals in which money is shown of a currency that a session began with so much of: two,
    and more where amounts are small, as in BTC."""
    size = abs(initial)
    if size >= _MUCH or not size:
        return 2
    return 4 if size >= _SOME else 8


def brief_words(text: str, money: MoneyNow, *, sign: bool = False) -> str:
    """An amount of this currency rounded for a glance, to its `money_decimals`."""
    digits = money_decimals(Decimal(money.initial))
    return amount_words(f"{round(Decimal(text), digits):f}", sign=sign)


def amount_words(text: str, *, sign: bool = False) -> str:
    """An amount of money for people: separators, two decimals or as many as it needs. With `sign`
    a gain has its plus."""
    whole, point, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if point:
        decimals = decimals.ljust(2, "0")
    words = f"{int(whole.lstrip('-')):,}" + (f".{decimals}" if decimals else "")
    is_zero = not text.strip("-0.")
    if text.startswith("-"):
        return f"-{words}"
    return f"+{words}" if sign and not is_zero else words
