"""What the scripts of a report draw: curves, prices with entries and exits, trips with orders.

All of it is bounded: a session of a year of minutes makes a page that a browser opens at once. What
had to be left out is said beside what is shown, and the session's tables have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from logos.analysis import Analysis, Fill, Trip
from logos.report.packing import Bars, packed, packed_bars, packed_figures, packed_times
from logos.report.tables import Extremes, Tables
from logos.session.artifacts.derived.reading import plain_text, time_ns
from logos.shown import plain

BARS_MAX: Final = 12_000
"""Bars of all charted symbols together."""
BARS_MIN: Final = 300
SYMBOLS_MAX: Final = 12
"""Symbols whose prices are charted: those with the most fills."""
TRIPS_MAX: Final = 2_000
"""Round trips in the table, the last ones."""
MARKS_MAX: Final = 4_000
"""Fills in the charts, the last ones."""
EVENTS_MAX: Final = 400
"""Refusals that are shown beside the trips, the first ones."""
CLOSE_UPS_MAX: Final = 120
"""Trips that have bars of their own where the chart's had to be joined: best, worst, and last."""
CLOSE_UP_BARS: Final = 60
TEXT_MAX: Final = 200
"""Characters of a text of a strategy or a rule; the tables have it whole."""

_DIGITS_MAX: Final = 10
_NS_PER_MS: Final = 1_000_000


class Texts:
    """Texts that come again and again, each told once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Where in `all` the text is, fit to be shown."""
        found = self._places.get(text)
        if found is None:
            found = self._places[text] = len(self.all)
            shown = plain(text)
            self.all.append(shown if len(shown) <= TEXT_MAX else shown[: TEXT_MAX - 1] + "…")
        return found


def drawn(analysis: Analysis, tables: Tables, decimals: Mapping[str, int]) -> dict[str, Any]:
    """Everything for the scripts, as plain data. Texts are places in `texts`."""
    texts = Texts()
    symbols = _charted(analysis)
    trips = analysis.trips[-TRIPS_MAX:]
    prices, close_ups = _prices(analysis, symbols, trips, texts)
    return {
        "books": [
            {
                "name": f"total in {each.currency}" if each.statistics.is_total else each.currency,
                "currency": each.currency,
                "decimals": decimals[each.currency],
                "times": packed_times(each.equity.time_ns),
                "equity": packed_figures(each.equity.equity, decimals[each.currency]),
                "fall": packed_figures([ratio or 0.0 for ratio in each.equity.drawdown_ratio], 6),
            }
            for each in analysis.books
        ],
        "prices": prices,
        "closeUps": close_ups,
        "marks": _marks(analysis.fills, symbols, texts),
        "trips": [_trip(each, texts, decimals) for each in trips],
        "tripCount": analysis.statistics.trips.trips,
        "orders": [_order(row, texts) for row in tables.orders],
        "orderCount": tables.order_count,
        "refusals": _refusals(analysis, texts),
        "exposure": [
            {"name": plain(currency), **_curve(curve, decimals.get(currency, 2))}
            for currency, curve in tables.exposure.items()
        ],
        "plots": [
            {"name": plain(name), "symbol": plain(symbol), **_curve(curve, None)}
            for (name, symbol), curve in tables.plots.items()
        ],
        "texts": texts.all,
    }


def _charted(analysis: Analysis) -> list[str]:
    """The symbols whose prices are shown, the most traded first; equal ones in their order."""
    order = {each.symbol: place for place, each in enumerate(analysis.by_symbol)}
    found = sorted(analysis.by_symbol, key=lambda each: (-each.fills, order[each.symbol]))
    return [each.symbol for each in found[:SYMBOLS_MAX]]


def _prices(
    analysis: Analysis, symbols: Sequence[str], trips: Sequence[Trip], texts: Texts
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The bars of each charted symbol, and of some trips by their number where bars were joined."""
    found, close_ups = [], {}
    chosen = _worth_a_close_up(trips)
    all_read = [analysis.prices(symbol) for symbol in symbols]
    is_all = sum(len(each.time_ns) for each in all_read) <= BARS_MAX
    most = max(BARS_MIN, BARS_MAX // max(1, len(symbols)))
    for symbol, read in zip(symbols, all_read, strict=True):
        bars = Bars(read.time_ns, read.open, read.high, read.low, read.close)
        shown = bars if is_all else bars.fewer(most)
        found.append(
            {
                "symbol": texts.place(symbol),
                "problem": plain(read.problem),
                "joined": -(-len(bars) // len(shown)) if len(shown) else 1,
                "interval": read.interval_ns // _NS_PER_MS,
                **packed_bars(shown),
            }
        )
        if len(shown) < len(bars):
            for trip in chosen:
                if trip.symbol == symbol:
                    close_ups[str(trip.number)] = packed_bars(_around(bars, trip))
    return found, close_ups


def _worth_a_close_up(trips: Sequence[Trip]) -> list[Trip]:
    """The best, the worst and the last trips, a third each."""
    third = CLOSE_UPS_MAX // 3
    by_result = sorted(trips, key=lambda each: (each.ratio or 0.0, each.number))
    wanted = {each.number for each in (*by_result[:third], *by_result[-third:], *trips[-third:])}
    return [each for each in trips if each.number in wanted]


def _around(bars: Bars, trip: Trip) -> Bars:
    """The bars of a trip with some before and after it."""
    first = _place(bars.time_ns, trip.entry_ns)
    last = _place(bars.time_ns, trip.exit_ns) + 1
    room = max(10, (CLOSE_UP_BARS - (last - first)) // 2)
    return bars.part(max(0, first - room), last + room).fewer(2 * CLOSE_UP_BARS)


def _place(times_ns: Sequence[int], at_ns: int) -> int:
    low, high = 0, len(times_ns)
    while low < high:
        middle = (low + high) // 2
        if times_ns[middle] < at_ns:
            low = middle + 1
        else:
            high = middle
    return low


def _marks(fills: Sequence[Fill], symbols: Sequence[str], texts: Texts) -> dict[str, Any]:
    """Fills as columns: when, at what price, whether bought, and whether it made the position
    smaller."""
    shown = [each for each in fills if each.symbol in symbols][-MARKS_MAX:]
    kinds = []
    for each in shown:
        signed = each.quantity if each.side == "BUY" else -each.quantity
        before = each.position - signed
        is_exit = before * signed < 0
        kinds.append((1 if each.side == "BUY" else 0) + (2 if is_exit else 0))
    return {
        "times": packed_times(each.time_ns for each in shown),
        "symbols": packed(texts.place(each.symbol) for each in shown),
        "kinds": packed(kinds),
        "prices": [_short(each.price) for each in shown],
        "left": len(fills) - len(shown),
    }


def _trip(trip: Trip, texts: Texts, decimals: Mapping[str, int]) -> list[Any]:
    """One row of the table, in the order that report.js names (`TRIP`)."""
    places = decimals[trip.currency]
    return [
        trip.number,
        texts.place(trip.symbol),
        1 if trip.side == "LONG" else -1,
        _short(trip.quantity),
        trip.entry_ns // _NS_PER_MS,
        _short(trip.entry_price),
        trip.exit_ns // _NS_PER_MS,
        _short(trip.exit_price),
        _rounded(trip.net, places),
        _rounded(trip.fees, places),
        texts.place(trip.currency),
        None if trip.ratio is None else round(trip.ratio, 6),
        None if trip.mae is None else _rounded(trip.mae, places),
        None if trip.mfe is None else _rounded(trip.mfe, places),
        trip.entry_order_id,
        trip.exit_order_id,
        texts.place(trip.entry_tag),
        texts.place(trip.exit_tag),
    ]


def _order(row: Mapping[str, str], texts: Texts) -> list[Any]:
    """One order, in the order that report.js names (`ORDER`)."""
    return [
        int(row["order_id"]),
        texts.place(row["symbol"]),
        time_ns(row["created"]) // _NS_PER_MS,
        time_ns(row["ended"]) // _NS_PER_MS if row["ended"] else None,
        *(texts.place(row[name]) for name in ("side", "type", "status", "reason")),
        *(row[name] for name in ("quantity", "filled", "limit_price", "stop_price")),
        *(texts.place(plain_text(row[name])) for name in ("tag", "notes")),
    ]


def _refusals(analysis: Analysis, texts: Texts) -> list[list[Any]]:
    found = [each for each in analysis.events if each.kind == "refusal"][:EVENTS_MAX]
    return [
        [each.time_ns // _NS_PER_MS, *map(texts.place, (each.symbol, each.code, each.detail))]
        for each in found
    ]


def _curve(curve: Extremes, decimals: int | None) -> dict[str, Any]:
    """Times and values; without `decimals` as many as tell the values apart."""
    times, values = curve.points()
    if decimals is None:
        largest = max((abs(each) for each in values), default=0.0)
        decimals = max(0, min(10, 7 - len(f"{largest:.0f}")))
    return {"times": packed_times(times), "values": packed_figures(values, decimals)}


def _rounded(amount: Decimal, places: int) -> float:
    return float(f"{amount:z.{places}f}")


def _short(figure: Decimal) -> str:
    """The figure without zeros at its end; one that has no end, as a mean price, in ten digits."""
    text = f"{figure:f}"
    if len(text.replace(".", "").lstrip("-0")) > _DIGITS_MAX:
        text = f"{figure:.{_DIGITS_MAX}g}"
        text = f"{Decimal(text):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
