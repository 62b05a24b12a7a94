"""The sections of a report that show how returns and trips are spread: months, results, hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from logos.analysis import Analysis, Period, Slot, Trip
from logos.pages.markup import Content, Markup, tag
from logos.report import parts
from logos.report.words import (
    MONTHS,
    WEEKDAYS,
    count,
    money,
    percent,
)

_BINS: Final = 15
_HEATS: Final = 4

Decimals = Mapping[str, int]
"""Decimals that money of a currency is shown with."""


def returns(analysis: Analysis) -> Markup:
    """Months and years as a map of colours; a number stands in every cell."""
    book = analysis.books[0]
    if not book.monthly:
        words = parts.empty("No month to show: the session has no samples.")
        return parts.card("Returns by month", words, name="months")
    largest = max((abs(each.ratio or 0.0) for each in book.monthly), default=0.0)
    by_month = {(each.year, each.month): each for each in book.monthly}
    by_year = {each.year: each for each in book.yearly}
    rows: list[list[Content]] = []
    for year in sorted({each.year for each in book.monthly}):
        cells = [_heat(by_month.get((year, month)), largest) for month in range(1, 13)]
        whole = by_year.get(year)
        rows.append([str(year), *cells, _heat(whole, 0.0)])
    columns = ("Year", *MONTHS, "Year in all")
    made = parts.table("Returns by month", columns, rows, numbers=columns[1:], class_="heat")
    return parts.card("Returns by month", made, name="months")


def _heat(period: Period | None, largest: float) -> Markup:
    if period is None or period.ratio is None:
        return tag("td", "", class_="number")
    level = 0
    if largest and period.ratio:
        level = min(_HEATS, 1 + int(abs(period.ratio) / largest * (_HEATS - 0.001)))
    side = "up" if period.ratio > 0 else "down"
    text = percent(period.ratio, sign=True)
    return tag("td", text, class_=f"number heat-{side}-{level}" if level else "number")


def distributions(analysis: Analysis) -> Markup:
    """How the trips' results and durations are spread."""
    trips = analysis.trips
    ratios = [each.ratio for each in trips if each.ratio is not None]
    if len(ratios) < 2:
        words = parts.empty("Too few round trips to show how they are spread.")
        return parts.card("How the trips are spread", words, name="spread")
    low, high = min(ratios), max(ratios)
    edges = _edges(low, high)
    places = 2 if high - low >= 0.002 else 3
    bins = [0] * (len(edges) - 1)
    for ratio in ratios:
        at = next((at for at in range(len(bins)) if ratio < edges[at + 1]), len(bins) - 1)
        bins[at] += 1
    most = float(max(bins))
    rows: list[list[Content]] = [
        [
            " to ".join(percent(edge, places, sign=True) for edge in edges[at : at + 2]),
            parts.length_cell(number, most),
            count(number),
        ]
        for at, number in enumerate(bins)
    ]
    made = parts.table(
        "Round trips by their result", ("Result of a trip", "", "Trips"), rows, numbers=("Trips",)
    )
    held = Counter(_held_for(each) for each in trips)
    longest = float(max(held.values()))
    held_rows: list[list[Content]] = [
        [name, parts.length_cell(held[name], longest), count(held[name])]
        for name, _ in _HELD
        if held[name]
    ]
    both = tag(
        "div",
        tag("div", tag("h3", "By result"), made),
        tag(
            "div",
            tag("h3", "By duration"),
            parts.table(
                "Round trips by how long they were held",
                ("Held for", "", "Trips"),
                held_rows,
                numbers=("Trips",),
            ),
        ),
        class_="two",
    )
    return parts.card("How the trips are spread", both, name="spread")


_MINUTE: Final = 60_000_000_000
_HELD: Final = (
    ("under 1 min", _MINUTE),
    ("1 to 5 min", 5 * _MINUTE),
    ("5 to 15 min", 15 * _MINUTE),
    ("15 to 60 min", 60 * _MINUTE),
    ("1 to 4 h", 240 * _MINUTE),
    ("4 to 24 h", 1_440 * _MINUTE),
    ("1 to 7 days", 10_080 * _MINUTE),
    ("7 to 30 days", 43_200 * _MINUTE),
    ("over 30 days", 1 << 62),
)


def _held_for(trip: Trip) -> str:
    return next(name for name, below in _HELD if trip.duration_ns < below)


def _edges(low: float, high: float) -> list[float]:
    """Edges of bins of one round width from `low` to `high`, 0 being one of them."""
    rough = ((high - low) or abs(high) or 0.01) / _BINS
    unit = 10.0 ** int(f"{rough:.6e}".partition("e")[2])
    width = next(step * unit for step in (1, 2, 5, 10) if step * unit >= rough * 0.999)
    first, last = int(low // width), int(-(-high // width))
    return [number * width for number in range(first, max(last, first + 1) + 1)]


def slots(analysis: Analysis, decimals: Decimals) -> Markup:
    """Trips by hour and weekday of their entry."""
    book = analysis.books[0]
    if not book.by_hour:
        return parts.card("When it traded", parts.empty("No round trip has ended."), name="when")
    places, zone = decimals[book.currency], book.statistics.zone

    def half(title: str, found: Sequence[Slot], names: Mapping[int, str]) -> Markup:
        largest = float(max(abs(each.net) for each in found))
        rows: list[list[Content]] = [
            [
                names[each.slot],
                parts.bar_cell(float(each.net), largest),
                parts.number_cell(money(each.net, places, sign=True), parts.tone_of(each.net)),
                count(each.trips),
                percent(each.win_rate, 0),
            ]
            for each in found
        ]
        columns = (title, "", f"Net ({book.currency})", "Trips", "Won")
        return tag("div", parts.table(title, columns, rows, numbers=columns[2:]))

    hours = half("Hour", book.by_hour, {hour: f"{hour:02}:00" for hour in range(24)})
    days = half("Weekday", book.by_weekday, dict(enumerate(WEEKDAYS)))
    note = f"Round trips by when they were entered, {zone}."
    return parts.card(
        "When it traded", tag("div", hours, days, class_="two"), name="when", note=note
    )
