"""A session's equity and drawdown as a drawing (SVG), for notebooks and files; needs no library.

The drawing is a document of its own: it has its ground and colours, light and dark as the reader's
system is, so it can be read in every notebook and on every page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from math import ceil, floor, log10
from pathlib import Path
from typing import Final, NamedTuple

from logos.analysis import Analysis, Book
from logos.core.types import NS_PER_SECOND
from logos.errors import LogosError
from logos.files import open_new
from logos.pages import assets
from logos.pages.curves import thinned
from logos.shown import html

WIDTH, HEIGHT = 820, 352
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 16, 56, 28
_EQUITY_HEIGHT: Final = 176
_GAP: Final = 22
_COLOURS: Final = ("card", "ink", "soft", "rule", "grid", "series-1", "loss", "loss-wash")
_STEPS_S: Final = (
    *(1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200),
    *(86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_862_400, 31_536_000),
)
_POINTS_MAX: Final = 600
_TICKS_X: Final = 6
_TICKS_Y: Final = 5


class Chart:
    """The equity of a session over time, and below it how far it was under its highest.

    A notebook shows it by itself. `svg` is the drawing, `save` writes it.
    """

    def __init__(self, analysis: Analysis, book: str = "") -> None:
        """`book` is a currency or "total"; empty: the first. Raises LogosError for another."""
        try:
            self._book = analysis.book(book) if book else analysis.books[0]
        except KeyError:
            known = ", ".join(each.name for each in analysis.books)
            raise LogosError(f"no book {book!r}: there are {known}") from None
        facts = analysis.facts
        self._title = f"{facts.session_id}: {facts.strategy} on {', '.join(facts.symbols)}"

    @property
    def svg(self) -> str:
        """The drawing as text of SVG."""
        return _drawing(self._book, self._title)

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a file that ends with .svg or .html; gives its path.

        Raises LogosError for another ending and when it cannot be written.
        """
        place = Path(path)
        if place.suffix not in (".svg", ".html"):
            raise LogosError(f"{place}: a chart is saved as .svg or .html")
        content = self.svg if place.suffix == ".svg" else _page(self.svg)
        try:
            with open_new(place, "w", encoding="utf-8") as file:
                file.write(content)
        except OSError as error:
            raise LogosError(f"{place} cannot be written: {error.strerror}") from error
        return place

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        of = self._book.statistics
        return (
            f"<logos chart of {self._title}: {len(self._book.equity.time_ns)} points, "
            f"{of.net:+,.2f} {of.currency}>"
        )


class _Scale(NamedTuple):
    """From values to places: `low` lies at `begin`, `high` at `end`."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)


def _drawing(book: Book, title: str) -> str:
    of, equity = book.statistics, book.equity
    colour = "gain" if of.net > 0 else "loss" if of.net < 0 else "soft"
    share = "" if of.net_ratio is None else f" ({of.net_ratio * 100:+,.2f} %)"
    parts = [
        f'<text class="logos-title" x="16" y="26">{html(_cut(title))}</text>',
        f'<text class="logos-{colour} logos-end logos-title" x="{WIDTH - _RIGHT}" y="26">'
        f"{of.net:+,.2f} {html(of.currency)}{share}</text>",
    ]
    if len(equity.time_ns) > 1:
        parts += _panels(book)
    else:
        parts.append(
            f'<text class="logos-soft" x="16" y="{HEIGHT // 2}">no equity was sampled yet</text>'
        )
    words = f"{title}: equity from {of.initial:,.2f} to {of.final:,.2f} {of.currency}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'role="img" class="logos-chart"><title>{html(words)}</title><style>{_style()}</style>'
        f'<rect class="logos-ground" width="{WIDTH}" height="{HEIGHT}" rx="10"/>'
        f"{''.join(parts)}</svg>"
    )


def _panels(book: Book) -> Iterator[str]:
    equity = book.equity
    times, values = thinned(equity.time_ns, [float(each) for each in equity.equity], _POINTS_MAX)
    xs = [each / NS_PER_SECOND for each in times]
    across = _Scale(xs[0], max(xs[-1], xs[0] + 1), _LEFT, WIDTH - _RIGHT)
    initial = float(book.statistics.initial)
    low, high = min(*values, initial), max(*values, initial)
    room = (high - low) * 0.06 or abs(high) * 0.01 or 1.0
    middle = _TOP + _EQUITY_HEIGHT
    up = _Scale(low - room, high + room, middle, _TOP)
    all_falls = [-(each or 0.0) * 100 for each in equity.drawdown_ratio]
    fall_times, falls = thinned(equity.time_ns, all_falls, _POINTS_MAX)
    fall_xs = [each / NS_PER_SECOND for each in fall_times]
    down = _Scale(min(min(falls) * 1.06, -0.01), 0.0, HEIGHT - _BOTTOM, middle + _GAP)

    for value, label in _ticks(up.low, up.high):
        yield _across(up(value), label)
    for value, label in _ticks(down.low, 0.0, most=3):
        yield _across(down(value), f"{label} %")
    for second, label in _moments(across.low, across.high):
        x = f"{across(second):.1f}"
        anchor = "end" if across(second) > WIDTH - 3 * _RIGHT else "middle"
        yield (
            f'<line class="logos-grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>'
            f'<text class="logos-soft logos-{anchor}" x="{x}" y="{HEIGHT - 9}">{label}</text>'
        )
    y = f"{up(initial):.1f}"
    yield f'<line class="logos-begin" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
    line = _path(fall_xs, falls, across, down)
    floor_y = f"{down(0.0):.1f}"
    yield (
        f'<path class="logos-fall" d="{line} L{across(xs[-1]):.1f} {floor_y} '
        f'L{across(xs[0]):.1f} {floor_y} Z"/>'
        f'<path class="logos-equity" d="{_path(xs, values, across, up)}"/>'
        f'<text class="logos-soft" x="{_LEFT}" y="{_TOP - 7}">equity, '
        f"{html(book.statistics.currency)}</text>"
        f'<text class="logos-soft" x="{_LEFT}" y="{middle + _GAP - 5}">drawdown</text>'
    )


def _across(y: float, label: str) -> str:
    return (
        f'<line class="logos-grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="logos-soft logos-end" x="{_LEFT - 8}" y="{y + 4:.1f}">{label}</text>'
    )


def _path(xs: Sequence[float], ys: Sequence[float], across: _Scale, up: _Scale) -> str:
    """The points to a tenth of a pixel; those that fall together are drawn once."""
    points = [f"{across(x):.1f} {up(y):.1f}" for x, y in zip(xs, ys, strict=True)]
    kept = [each for at, each in enumerate(points) if not at or each != points[at - 1]]
    return "M" + " L".join(kept)


def _ticks(low: float, high: float, most: int = _TICKS_Y) -> Iterator[tuple[float, str]]:
    """Round values between `low` and `high`, and their words."""
    rough = (high - low) / most
    size = 10.0 ** floor(log10(rough))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= rough)
    decimals = max(0, -floor(log10(step)))
    number = floor(low / step)
    while number * step <= high:
        if number * step >= low:
            yield number * step, f"{number * step or 0.0:,.{decimals}f}"
        number += 1


def _moments(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round times between two, in seconds, and their words."""
    step = next((each for each in _STEPS_S if (high - low) / each <= _TICKS_X), _STEPS_S[-1])
    step *= max(1, ceil((high - low) / step / _TICKS_X))
    words = "%H:%M:%S" if step < 60 else "%H:%M" if high - low < 86_400 else "%m-%d %H:%M"
    if step >= 86_400:
        words = "%Y-%m-%d"
    second = -(-int(low) // step) * step
    while second <= high:
        yield second, datetime.fromtimestamp(second, UTC).strftime(words)
        second += step


def _cut(title: str) -> str:
    return title if len(title) <= 72 else f"{title[:71]}…"


@cache
def _style() -> str:
    """The drawing's own style, in the colours of the pages."""
    css = assets.text(assets.SHARED_CSS)
    light, _, rest = css.partition("@media (prefers-color-scheme: dark)")
    return (
        f".logos-chart{{{_colours(light)};max-width:100%;height:auto;"
        "font:12px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}"
        f"@media (prefers-color-scheme: dark){{.logos-chart{{{_colours(rest)}}}}}"
        ".logos-ground{fill:var(--lg-card);stroke:var(--lg-rule)}"
        ".logos-chart text{fill:var(--lg-ink);font-variant-numeric:tabular-nums}"
        ".logos-chart text.logos-soft{fill:var(--lg-soft)}"
        ".logos-chart text.logos-gain{fill:var(--lg-series-1)}"
        ".logos-chart text.logos-loss{fill:var(--lg-loss)}"
        ".logos-title{font-size:14px;font-weight:600}"
        ".logos-end{text-anchor:end}.logos-middle{text-anchor:middle}"
        ".logos-grid{stroke:var(--lg-grid)}"
        ".logos-begin{stroke:var(--lg-soft);stroke-dasharray:4 4}"
        ".logos-equity{fill:none;stroke:var(--lg-series-1);stroke-width:1.75;"
        "stroke-linejoin:round}"
        ".logos-fall{fill:var(--lg-loss-wash);stroke:var(--lg-loss);stroke-width:1}"
    )


def _colours(css: str) -> str:
    """The colours that a drawing needs, of the first rule of a stylesheet."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", css):
        found.setdefault(name, value)
    return ";".join(f"--lg-{name}:{found[name]}" for name in _COLOURS)


def _page(svg: str) -> str:
    """The drawing as a page of its own."""
    policy = assets.content_policy((), (_style(),))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>logos: a session's equity</title></head><body>{svg}</body></html>\n"
    )
