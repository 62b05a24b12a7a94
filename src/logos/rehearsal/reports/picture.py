"""A small picture of a session, drawn from its journal: prices, orders, the trip, the switch.

One SVG element, with nothing from outside: it can stand in any HTML page. Time runs to the right.
Prices are those that the journal holds (fills, orders' references, sampled marks), of the symbol
that most of it is about. What falls on the same pixel is drawn once, so that a picture of a million
orders is as small as one of ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from logos.core import records
from logos.core.fixed import format_units
from logos.core.types import Side
from logos.journal.entries import SessionRecord
from logos.rehearsal.evidence import JournalView
from logos.shown import html

_WIDTH: Final = 720
_HEIGHT: Final = 178
_LEFT: Final = 84
_RIGHT: Final = _WIDTH - 12
_TOP: Final = 12
_BOTTOM: Final = 104
"""The prices lie between these two."""
_REFUSED: Final = 119
_BAND: Final = 132
_BAND_HEIGHT: Final = 10
_STATE_CLASSES: Final = {"SAFE": "safe", "REDUCE_ONLY": "reduce", "ENGAGED": "engaged"}

STYLE: Final = """\
svg.session{width:100%;max-width:1000px;height:auto;background:#fff;font:10px sans-serif}
.session .frame{fill:none;stroke:#ccd}.session .price{fill:none;stroke:#567;stroke-width:1}
.session .buy{stroke:#06a}.session .sell{stroke:#a50}.session .no{stroke:#c00}
.session .trip{stroke:#c00;stroke-width:1.5}.session .injected{stroke:#e80;stroke-dasharray:4 3}
.session .safe{fill:#8c8}.session .reduce{fill:#fb4}.session .engaged{fill:#d44}
.session text{fill:#445}.session text.trip{fill:#c00;stroke:none}
.session text.injected{fill:#b60;stroke:none}
"""


def picture(journal: JournalView, injected_ns: int) -> str:
    """The SVG element; `injected_ns` is when the last injection came (0: never)."""
    timed = [record for record in journal.records if hasattr(record, "ts_ns")]
    if not timed:
        return ""
    first_ns, last_ns = timed[0].ts_ns, max(record.ts_ns for record in timed)
    last_ns = max(last_ns, injected_ns, first_ns + 1)
    canvas = _Canvas(first_ns, last_ns)
    symbol = _symbol_of(timed)
    canvas.prices(symbol, timed)
    canvas.orders(timed)
    trip = _trip(timed)
    if injected_ns:
        canvas.mark(injected_ns, "injected", "injected", 40)
    if trip is not None:
        canvas.mark(trip.ts_ns, "trip", _words(trip), 51)
    canvas.switch(timed)
    return canvas.element(f"{symbol}: prices, orders, refusals, and the kill switch")


def _symbol_of(timed: Iterable[SessionRecord]) -> str:
    """What most orders and refusals are about; without any, the first symbol sampled."""
    counts = Counter(
        record.symbol
        for record in timed
        if isinstance(record, records.OrderRecord | records.RefusalRecord)
    )
    if counts:
        return counts.most_common(1)[0][0]
    sampled = [each.symbol for each in timed if isinstance(each, records.PositionRecord)]
    return sampled[0] if sampled else ""


def _trip(timed: Iterable[SessionRecord]) -> records.GuardRecord | records.SwitchRecord | None:
    """The first guard that acted, or change of the switch to something but SAFE."""
    for record in timed:
        is_change = isinstance(record, records.SwitchRecord) and (
            _STATE_CLASSES.get(record.state) != "safe"
        )
        if is_change or isinstance(record, records.GuardRecord):
            assert isinstance(record, records.GuardRecord | records.SwitchRecord)
            return record
    return None


def _words(trip: records.GuardRecord | records.SwitchRecord) -> str:
    if isinstance(trip, records.GuardRecord):
        return f"{trip.code.value}: {trip.action}"
    return trip.state


class _Canvas:
    """Collects the elements; `first_ns` is at the left, `last_ns` at the right."""

    def __init__(self, first_ns: int, last_ns: int) -> None:
        self._first_ns = first_ns
        self._span_ns = last_ns - first_ns
        self._parts: list[str] = [
            f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_RIGHT - _LEFT}" '
            f'height="{_BOTTOM - _TOP}"/>'
        ]

    def _x(self, ts_ns: int) -> int:
        return _LEFT + (ts_ns - self._first_ns) * (_RIGHT - _LEFT) // self._span_ns

    def prices(self, symbol: str, timed: Iterable[SessionRecord]) -> None:
        """The line of prices: at each pixel the last, and the range before it."""
        columns: dict[int, list[int]] = {}
        decimals = 0
        for record in timed:
            if getattr(record, "symbol", "") != symbol:
                continue
            if isinstance(record, records.PaperFillRecord):
                units = record.price_units
            elif isinstance(record, records.OrderRecord):
                units = record.reference_price_units
            elif isinstance(record, records.PositionRecord):
                units = record.mark_units
            else:
                continue
            if units > 0:
                decimals = record.price_decimals
                columns.setdefault(self._x(record.ts_ns), []).append(units)
        if not columns:
            self._text(_LEFT + 6, (_TOP + _BOTTOM) // 2, "no price in the journal")
            return
        low = min(map(min, columns.values()))
        high = max(map(max, columns.values()))
        span = max(1, high - low)
        points = []
        for x, seen in sorted(columns.items()):
            for units in dict.fromkeys((min(seen), max(seen), seen[-1])):
                y = _BOTTOM - 6 - (units - low) * (_BOTTOM - _TOP - 12) // span
                points.append(f"{x},{y}")
        self._parts.append(f'<polyline class="price" points="{" ".join(points)}"/>')
        self._text(_LEFT - 4, _TOP + 9, format_units(high, decimals), end=True)
        self._text(_LEFT - 4, _BOTTOM - 2, format_units(low, decimals), end=True)

    def orders(self, timed: Iterable[SessionRecord]) -> None:
        """A stroke for each order at the edge of the prices, a cross below for each refusal."""
        buys: dict[int, None] = {}
        sells: dict[int, None] = {}
        refused: dict[int, None] = {}
        counts: Counter[str] = Counter()
        for record in timed:
            if isinstance(record, records.OrderRecord):
                (buys if record.side is Side.BUY else sells)[self._x(record.ts_ns)] = None
                counts["orders"] += 1
            elif isinstance(record, records.RefusalRecord):
                refused[self._x(record.ts_ns)] = None
                counts["refused"] += 1
        self._strokes("buy", buys, _BOTTOM - 8, _BOTTOM)
        self._strokes("sell", sells, _TOP, _TOP + 8)
        crosses = "".join(
            f"M{x - 3} {_REFUSED - 3}l6 6M{x + 3} {_REFUSED - 3}l-6 6" for x in refused
        )
        if crosses:
            self._parts.append(f'<path class="no" d="{crosses}"/>')
        self._text(_LEFT - 4, _REFUSED + 3, f"refused {counts['refused']}", end=True)
        self._text(_LEFT - 4, (_TOP + _BOTTOM) // 2 + 3, f"orders {counts['orders']}", end=True)

    def _strokes(self, kind: str, places: Iterable[int], top: int, bottom: int) -> None:
        strokes = "".join(f"M{x} {top}V{bottom}" for x in places)
        if strokes:
            self._parts.append(f'<path class="{kind}" d="{strokes}"/>')

    def mark(self, ts_ns: int, kind: str, words: str, y: int) -> None:
        """An upright line with words beside it."""
        x = self._x(ts_ns)
        self._parts.append(f'<path class="{kind}" d="M{x} {_TOP}V{_BAND + _BAND_HEIGHT}"/>')
        is_left = x > (_LEFT + _RIGHT) // 2
        self._text(x - 4 if is_left else x + 4, y, words, kind=kind, end=is_left)

    def switch(self, timed: Iterable[SessionRecord]) -> None:
        """The band of the switch's states as the session saw them."""
        changes = [(self._first_ns, "SAFE")]
        changes += [
            (record.ts_ns, record.state)
            for record in timed
            if isinstance(record, records.SwitchRecord)
        ]
        ends = [ts_ns for ts_ns, _ in changes[1:]] + [self._first_ns + self._span_ns]
        for (start_ns, state), end_ns in zip(changes, ends, strict=True):
            x = self._x(start_ns)
            width = max(2 if state != changes[0][1] else 0, self._x(end_ns) - x)
            kind = _STATE_CLASSES.get(state, "engaged")
            self._parts.append(
                f'<rect class="{kind}" x="{x}" y="{_BAND}" width="{width}" '
                f'height="{_BAND_HEIGHT}"><title>{html(state)}</title></rect>'
            )
        self._text(_LEFT - 4, _BAND + 9, "switch", end=True)
        legend = "blue: buys  ·  brown: sells  ·  red crosses: refusals  ·  switch: "
        legend += "green SAFE, amber REDUCE_ONLY, red ENGAGED"
        self._text(_LEFT, _HEIGHT - 6, legend)

    def _text(self, x: int, y: int, words: str, *, kind: str = "", end: bool = False) -> None:
        anchor = ' text-anchor="end"' if end else ""
        group = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text{group} x="{x}" y="{y}"{anchor}>{html(words)}</text>')

    def element(self, title: str) -> str:
        """The whole picture."""
        return (
            f'<svg class="session" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'xmlns="http://www.w3.org/2000/svg"><title>{html(title)}</title>'
            + "".join(self._parts)
            + "</svg>"
        )
