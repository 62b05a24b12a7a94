"""The line that says every ten seconds how a live session stands.

It is made from the page of figures that the session shows once a second anyway; nothing is asked
of the session for it. Each part keeps the width that it once had, so that lines below each other
read like a table, and what does not fit into the terminal's width continues on a next line, between
two parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from logos.cli.screen.figures import amount, clock, exact, lasted, percent, price
from logos.cli.screen.terminal import Colour, Terminal, cut, width_of, wrapped
from logos.core.fixed import to_decimal
from logos.core.guards.uses import CurrencyRisk, SymbolRisk
from logos.session.presence.now import money_decimals
from logos.session.presence.page import MetricsPage
from logos.shown import plain

SYMBOLS_MAX: Final = 4
"""Symbols that have a part of their own; where there are more, those with a position go first."""
CURRENCIES_MAX: Final = 3
_NAME_COLUMNS: Final = 20
_LATE_NS: Final = 5_000_000_000
_GAP: Final = "  "


class StatusLine:
    """Makes the lines of one session; remembers how wide each part was."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._widths: dict[str, int] = {}

    def lines(self, page: MetricsPage, now_ns: int) -> list[str]:
        """How the session of `page` stands at `now_ns`, a line or a few."""
        parts = [self._padded(name, text) for name, text in _parts(page, now_ns)]
        return wrapped(parts, self._terminal.columns, f"{clock(now_ns)}{_GAP}", _GAP)

    def _padded(self, name: str, text: str) -> str:
        width = max(self._widths.get(name, 0), width_of(text))
        self._widths[name] = width
        return text + " " * (width - width_of(text))


def _parts(page: MetricsPage, now_ns: int) -> Iterator[tuple[str, str]]:
    """What the line consists of: each part's name, and its words."""
    if page.switch.state != "SAFE":
        yield "switch", f"switch {page.switch.state}"
    symbols = list(page.risk.symbols)
    if len(symbols) > SYMBOLS_MAX:
        symbols.sort(key=lambda each: not each.position_units)
    for each in symbols[:SYMBOLS_MAX]:
        yield each.symbol, _symbol(each)
    if len(symbols) > SYMBOLS_MAX:
        yield "more symbols", f"and {len(symbols) - SYMBOLS_MAX} more symbols"
    yield "lag", _lag(page, now_ns)
    for ledger in page.risk.currencies[:CURRENCIES_MAX]:
        yield f"day {ledger.currency}", _day(ledger)
    if len(page.risk.currencies) > CURRENCIES_MAX:
        count = len(page.risk.currencies) - CURRENCIES_MAX
        yield "more currencies", f"and {count} more currencies"
    yield "drawdown", f"drawdown {_drawdown(page)}"
    counts = [f"orders {page.orders:,}" + _open(page.open_orders), f"fills {page.fills:,}"]
    blocked = [f"blocked ticks {page.blocked:,}"] if page.blocked else []
    yield "counts", ", ".join([*counts, f"refused {page.refused:,}", *blocked])
    if page.market is not None and page.market.waiting * 100 > page.market.size:
        yield "queued", f"queued {page.market.waiting:,}"


def _symbol(each: SymbolRisk) -> str:
    """A symbol's price and what is held of it."""
    name = cut(plain(each.symbol), _NAME_COLUMNS)
    shown = price(each.mark_units, each.mark_decimals) if each.mark_units else "no price yet"
    held = each.position_units
    position = ""
    if held:
        side = "long" if held > 0 else "short"
        position = f" {side} {exact(abs(held), each.quantity_decimals)}"
    paused = " paused" if each.is_paused else ""
    return f"{name} {shown}{position}{paused}"


def _lag(page: MetricsPage, now_ns: int) -> str:
    """How old the oldest of the last prices is, and whose; of a loop that stands still, that."""
    since_shown_ns = now_ns - page.written_ns
    if since_shown_ns > _LATE_NS:
        return f"no heartbeat for {lasted(since_shown_ns)}"
    symbols = [each for each in page.risk.symbols if each.price_age_ns >= 0]
    if not symbols:
        return "lag -"
    oldest = max(symbols, key=lambda each: each.price_age_ns)
    is_named = len(page.risk.symbols) > 1 and oldest.price_age_ns > _LATE_NS
    name = f" ({cut(plain(oldest.symbol), _NAME_COLUMNS)})" if is_named else ""
    return f"lag {lasted(oldest.price_age_ns)}{name}"


def _day(ledger: CurrencyRisk) -> str:
    decimals = ledger.money_decimals
    shown = money_decimals(to_decimal(ledger.initial_units, decimals))
    day = amount(to_decimal(ledger.day_profit_units, decimals), shown, sign=True)
    return f"day {day} {plain(ledger.currency)}"


def _drawdown(page: MetricsPage) -> str:
    """How far the currency that is furthest below its high-water mark is below it."""
    parts = [
        Decimal(each.drawdown_units) / each.high_water_units
        for each in page.risk.currencies
        if each.high_water_units > 0
    ]
    return percent(max(parts)) if parts else "-"


def _open(count: int) -> str:
    return f" ({count:,} open)" if count else ""


def colour_of(page: MetricsPage, now_ns: int) -> Colour:
    """The colour of the line: what is not as it should be stands out."""
    if page.switch.state == "ENGAGED" or now_ns - page.written_ns > _LATE_NS:
        return Colour.ALARM
    if page.switch.state != "SAFE" or any(each.is_stale for each in page.risk.symbols):
        return Colour.NOTICE
    return Colour.NONE
