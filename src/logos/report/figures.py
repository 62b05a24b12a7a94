"""The sections of a report that are tables of figures: why it came out so, all figures, symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from logos.analysis import Analysis, Book, Side, Statistics, SymbolFigures
from logos.pages.markup import Content, Markup, tag
from logos.report import parts
from logos.report.words import (
    NONE,
    count,
    duration,
    moment,
    money,
    percent,
    plain_number,
)

Decimals = Mapping[str, int]
"""Decimals that money of a currency is shown with."""


def result(analysis: Analysis, decimals: Decimals) -> Markup:
    """From the result before costs to the net, by currency."""
    columns = (
        *("Book", "Before costs", "Fees", "Slippage", "Payments", "Net", "Net %"),
        *("Buy and hold", "Initial", "Final"),
    )

    def row(book: Book) -> Iterator[Content]:
        each, places = book.statistics, decimals[book.currency]
        yield f"total in {book.currency}" if each.is_total else book.currency
        yield money(each.before_costs, places, sign=True)
        yield money(-each.fees, places, sign=True)
        yield money(-each.slippage, places, sign=True)
        yield money(each.payments, places, sign=True)
        yield parts.number_cell(money(each.net, places, sign=True), parts.tone_of(each.net))
        yield parts.number_cell(percent(each.net_ratio, sign=True), parts.tone_of(each.net))
        yield percent(each.buy_and_hold_ratio, sign=True)
        yield money(each.initial, places)
        yield money(each.final, places)

    return parts.card(
        "Why it came out so",
        parts.table(
            "From the result before costs to the net", columns, map(row, analysis.books),
            numbers=columns[1:],
        ),
        name="result",
        note="What it would have come to without costs, what each cost took, and what is left.",
    )  # fmt: skip


def statistics(analysis: Analysis, decimals: Decimals) -> Markup:
    """Every figure, by book and by side."""
    books = analysis.books
    names = [
        f"total in {each.currency}" if each.statistics.is_total else each.name for each in books
    ]
    rows: list[list[Content]] = []
    for title, write in _FIGURES:
        rows.append([title, *(write(each.statistics, decimals[each.currency]) for each in books)])
    first = analysis.statistics
    sides = (("All", first.trips), ("Long", first.long), ("Short", first.short))
    places = decimals[first.currency]
    side_rows: list[list[Content]] = [
        [title, *(write(side, places) for _, side in sides)] for title, write in _SIDE_FIGURES
    ]
    calendar = (
        f"Figures for a year: {first.periods_a_year} days of {first.zone}; "
        "docs/RESULTS.md has the convention of each."
    )
    return parts.card(
        "All figures",
        parts.table("Figures by book", ["Figure", *names], rows, numbers=names),
        tag("h3", f"Round trips in {first.currency}"),
        parts.table(
            "Round trips by side", ["Figure", *(name for name, _ in sides)], side_rows,
            numbers=[name for name, _ in sides],
        ),
        name="statistics",
        note=calendar,
    )  # fmt: skip


def _fall_dates(each: Statistics) -> str:
    if each.drawdown_peak_ns is None or each.drawdown_trough_ns is None:
        return NONE
    back = each.drawdown_recovered_ns
    ended = "not recovered" if back is None else f"recovered {moment(back)}"
    return f"{moment(each.drawdown_peak_ns)} to {moment(each.drawdown_trough_ns)}, {ended}"


_FIGURES: Final[tuple[tuple[str, Callable[[Statistics, int], str]], ...]] = (
    ("Net", lambda s, d: money(s.net, d, sign=True)),
    ("Net %", lambda s, _: percent(s.net_ratio, sign=True)),
    ("Realised before fees", lambda s, d: money(s.realised, d, sign=True)),
    ("Open profit", lambda s, d: money(s.unrealised, d, sign=True)),
    ("Annual growth (CAGR)", lambda s, _: percent(s.cagr, sign=True)),
    ("Volatility a year", lambda s, _: percent(s.volatility)),
    ("Sharpe ratio", lambda s, _: plain_number(s.sharpe)),
    ("Sortino ratio", lambda s, _: plain_number(s.sortino)),
    ("Calmar ratio", lambda s, _: plain_number(s.calmar)),
    ("Deepest fall", lambda s, d: money(s.max_drawdown, d)),
    ("Deepest fall %", lambda s, _: percent(s.max_drawdown_ratio)),
    ("Deepest fall, when", lambda s, _: _fall_dates(s)),
    ("Average fall %", lambda s, _: percent(s.average_drawdown_ratio)),
    ("Longest time below a high", lambda s, _: duration(s.longest_drawdown_ns)),
    ("Time in the market", lambda s, _: f"{duration(s.exposure_ns)} ({percent(s.exposure, 1)})"),
    ("Traded", lambda s, d: money(s.traded, d)),
    ("Turnover", lambda s, _: plain_number(s.turnover)),
    ("Buy and hold", lambda s, _: percent(s.buy_and_hold_ratio, sign=True)),
    ("Against buy and hold", lambda s, _: percent(s.against_hold_ratio, sign=True)),
    ("Daily returns", lambda s, _: count(s.days)),
)

_SIDE_FIGURES: Final[tuple[tuple[str, Callable[[Side, int], str]], ...]] = (
    ("Round trips", lambda s, _: count(s.trips)),
    ("Won, lost", lambda s, _: f"{count(s.wins)}, {count(s.losses)}"),
    ("Win rate", lambda s, _: percent(s.win_rate, 1)),
    ("Net", lambda s, d: money(s.net, d, sign=True)),
    ("Fees", lambda s, d: money(s.fees, d)),
    ("Profit of the winners", lambda s, d: money(s.gross_profit, d)),
    ("Loss of the losers", lambda s, d: money(s.gross_loss, d)),
    ("Profit factor", lambda s, _: plain_number(s.profit_factor)),
    ("Expectancy", lambda s, d: money(s.expectancy, d, sign=True)),
    ("Expectancy %", lambda s, _: percent(s.expectancy_ratio, 3, sign=True)),
    ("Average win", lambda s, d: money(s.average_win, d)),
    ("Average loss", lambda s, d: money(s.average_loss, d)),
    ("Payoff", lambda s, _: plain_number(s.payoff)),
    ("Best", lambda s, d: money(s.best, d, sign=True)),
    ("Worst", lambda s, d: money(s.worst, d, sign=True)),
    ("System quality (SQN)", lambda s, _: plain_number(s.sqn)),
    ("Most won in a row", lambda s, _: count(s.win_streak)),
    ("Most lost in a row", lambda s, _: count(s.loss_streak)),
    ("Average duration", lambda s, _: duration(s.average_duration_ns)),
    ("Longest duration", lambda s, _: duration(s.longest_duration_ns)),
)


def symbols(analysis: Analysis, decimals: Decimals) -> Markup:
    """A row for each symbol."""
    found = analysis.by_symbol
    if not found:
        return parts.card("By symbol", parts.empty("The session has no symbol."), name="symbols")
    columns = (
        *("Symbol", "", "Net", "Currency", "Trips", "Won", "Fees", "Orders", "Fills", "Traded"),
        *("Position", "Open profit", "Price change"),
    )
    largest: dict[str, float] = {}
    for each in found:
        largest[each.currency] = max(largest.get(each.currency, 0.0), abs(float(each.net)))

    def row(each: SymbolFigures) -> Iterator[Content]:
        places = decimals[each.currency]
        yield each.symbol
        yield parts.bar_cell(float(each.net), largest[each.currency])
        yield parts.number_cell(money(each.net, places, sign=True), parts.tone_of(each.net))
        yield each.currency
        yield count(each.trips.trips)
        yield percent(each.trips.win_rate, 0)
        yield money(each.fees, places)
        yield count(each.orders)
        yield count(each.fills)
        yield money(each.traded, places)
        yield f"{each.position:,f}".replace("-", "−")
        yield money(each.unrealised, places)
        yield percent(each.hold_ratio, sign=True)

    numbers = tuple(name for name in columns if name not in ("Symbol", "", "Currency"))
    made = parts.table("By symbol", columns, map(row, found), numbers=numbers)
    return parts.card("By symbol", made, name="symbols")
