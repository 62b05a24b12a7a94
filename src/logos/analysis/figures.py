"""The figures of a book, a symbol, a side, a stretch of time: units as `model` has them.

Money is an exact `Decimal` of the currency that stands beside it, a ratio a float (0.01 is one per
cent) or None where it is not defined, a time nanoseconds UTC, a duration nanoseconds.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips of one kind: all, the long ones, the short ones."""

    trips: int = 0
    wins: int = 0
    """With a net above 0."""
    losses: int = 0
    """With a net below 0; the rest came to nothing."""
    net: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    gross_profit: Decimal = Decimal(0)
    """Sum of the nets of the winners."""
    gross_loss: Decimal = Decimal(0)
    """Sum of the nets of the losers, 0 or more."""
    win_rate: float | None = None
    """Winners over all."""
    profit_factor: float | None = None
    """`gross_profit / gross_loss`; None without a loser."""
    expectancy: Decimal | None = None
    """Mean net of a trip, rounded half even to the decimals of the money."""
    expectancy_ratio: float | None = None
    """Mean of the trips' ratios."""
    average_win: Decimal | None = None
    average_loss: Decimal | None = None
    """0 or more."""
    payoff: float | None = None
    """`average_win / average_loss`."""
    best: Decimal | None = None
    worst: Decimal | None = None
    sqn: float | None = None
    """System quality number: root of the trips times mean net over its deviation (ddof 1)."""
    win_streak: int = 0
    """The most winners in a row, in the order of their exits."""
    loss_streak: int = 0
    average_duration_ns: int | None = None
    longest_duration_ns: int | None = None


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one book (a currency), or of all of them in the reporting currency."""

    currency: str
    is_total: bool = False
    """Whether it adds up several currencies at the rates of the settings."""

    begun_ns: int | None = None
    ended_ns: int | None = None
    duration_ns: int = 0
    exposure_ns: int = 0
    """For how long a position was open in any of its symbols."""
    exposure: float | None = None
    """`exposure_ns / duration_ns`."""

    initial: Decimal = Decimal(0)
    final: Decimal = Decimal(0)
    """Equity at the end."""
    net: Decimal = Decimal(0)
    """`final - initial`, after all costs."""
    net_ratio: float | None = None
    """`net / initial`."""
    realised: Decimal = Decimal(0)
    """Before fees; as fees and payments without what a session before earned (`[carry]`)."""
    unrealised: Decimal = Decimal(0)
    """Open profit at the end."""
    fees: Decimal = Decimal(0)
    """What fees took; below 0 where rebates were more."""
    slippage: Decimal = Decimal(0)
    """What fills were worse than the price their order named or met when it was decided; below 0:
    better. Of market and stop orders only."""
    payments: Decimal = Decimal(0)
    """Funding, borrowing and interest: received above 0."""
    before_costs: Decimal = Decimal(0)
    """`net + fees + slippage - payments`: what it would have come to without them."""

    days: int = 0
    """Daily returns that the figures for a year are made of."""
    periods_a_year: int = 365
    zone: str = "UTC"
    """In which a day begins."""
    cagr: float | None = None
    volatility: float | None = None
    """Of daily returns, for a year."""
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    is_short: bool = True
    """Fewer than 30 daily returns: figures for a year say little."""

    max_drawdown: Decimal = Decimal(0)
    """The deepest fall of equity below its highest before, after any event; 0 or more."""
    max_drawdown_ratio: float | None = None
    """The same over that highest equity."""
    drawdown_peak_ns: int | None = None
    """The sample that first showed the high before the deepest fall."""
    drawdown_trough_ns: int | None = None
    """The sample that first showed the deepest fall."""
    drawdown_recovered_ns: int | None = None
    """The first sample back at that high; None: it was not reached again."""
    drawdown_length_ns: int | None = None
    """From the high to the recovery, or to the end."""
    longest_drawdown_ns: int | None = None
    """The longest time below a high."""
    average_drawdown_ratio: float | None = None
    """Mean of the deepest fall of each time below a high, as a ratio."""

    trips: Side = Side()
    long: Side = Side()
    short: Side = Side()
    traded: Decimal = Decimal(0)
    """Notional of all fills."""
    turnover: float | None = None
    """`traded` over the mean of the sampled equity."""
    buy_and_hold_ratio: float | None = None
    """The same money spread evenly over the symbols at their first price, at their last one."""
    against_hold_ratio: float | None = None
    """`net_ratio - buy_and_hold_ratio`."""


class SymbolFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol. Money in `currency`."""

    symbol: str
    currency: str
    trips: Side
    orders: int = 0
    fills: int = 0
    net: Decimal = Decimal(0)
    """`realised + unrealised - fees + payments`, less the open profit that was taken over from
    another session (`[carry]`)."""
    realised: Decimal = Decimal(0)
    unrealised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    payments: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    traded: Decimal = Decimal(0)
    position: Decimal = Decimal(0)
    """Signed, at the end."""
    exposure_ns: int = 0
    first_price: float | None = None
    last_price: float | None = None
    hold_ratio: float | None = None


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips that were entered in one hour of the day (0 to 23) or weekday (0 is Monday)."""

    slot: int
    trips: int = 0
    wins: int = 0
    net: Decimal = Decimal(0)
    win_rate: float | None = None


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar month, or a year (`month` 0), of the book's zone."""

    year: int
    month: int
    net: Decimal
    """Change of equity."""
    ratio: float | None
    """Over the equity at its beginning."""
