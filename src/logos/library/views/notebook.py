"""A session's result as a notebook shows it: a few figures and the curve of its equity, as HTML.

Nothing in it can run: text of strangers is escaped, and the drawing is a picture. The colours
are those of the notebook; what was lost or won has a sign besides its colour.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.analysis import Analysis, Side, Statistics
from logos.library.views.picture import Chart
from logos.session.artifacts.cures import in_short
from logos.shown import html

_GAIN, _LOSS = "#1f7ac4", "#c2570c"
"""To be seen on white and on black; text has the notebook's own colour."""
_SOFT: Final = "opacity:.75"
_TILE: Final = "border:1px solid rgba(128,128,128,.35);border-radius:8px;padding:.4rem .6rem"
_TILES: Final = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(7.4rem,1fr));"
    "gap:.5rem;margin:.5rem 0"
)


def result_html(analysis: Analysis, summary: Mapping[str, Any]) -> str:
    """The result as a fragment of HTML, without script and stylesheet."""
    facts, of = analysis.facts, analysis.statistics
    tiles = "".join(
        f'<div style="{_TILE}{style}"><div style="{_SOFT};font-size:.8em">{html(name)}</div>'
        f'<div style="font-size:1.15em;font-weight:600">{html(value)}</div>'
        f'<div style="{_SOFT};font-size:.8em">{html(more)}</div></div>'
        for name, value, more, style in _tiles(analysis)
    )
    ended = "; ".join(filter(None, (facts.reason, str(summary.get("headline", "")))))
    picture = b64encode(Chart(analysis).svg.encode()).decode("ascii")
    alt = f"Equity of session {facts.session_id} from {of.initial:,.2f} to {of.final:,.2f}"
    return (
        '<div style="font-family:system-ui,sans-serif;max-width:820px">'
        f"<div><b>{html(facts.session_id)}</b> {html(facts.outcome)}: {html(facts.strategy)} on "
        f"{html(', '.join(facts.symbols))}</div>"
        f'<div style="{_SOFT}">{html(ended)}</div>'
        f'<div style="{_TILES}">{tiles}</div>'
        f'<img alt="{html(alt)}" style="max-width:100%" src="data:image/svg+xml;base64,{picture}">'
        f'<div style="{_SOFT};font-size:.8em">{html(facts.folder)}</div></div>'
    )


def figures_of(statistics: Statistics) -> dict[str, Decimal | None]:
    """Its figures by name, those of round trips as `trips.win_rate`; words are left out."""
    found: dict[str, Decimal | None] = {}
    for name, value in msgspec.structs.asdict(statistics).items():
        if isinstance(value, Side):
            parts = msgspec.structs.asdict(value).items()
            found |= {f"{name}.{part}": _number(each) for part, each in parts}
        elif not isinstance(value, str | bool):
            found[name] = _number(value)
    return found


def _number(value: Decimal | float | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _tiles(analysis: Analysis) -> Iterator[tuple[str, str, str, str]]:
    """Name, value, what stands below it, style of the tile."""
    of = analysis.statistics
    colour = _GAIN if of.net > 0 else _LOSS if of.net < 0 else ""
    edge = f";border-left:4px solid {colour}" if colour else ""
    yield "net", f"{of.net:+,.2f}", f"{of.currency}, {_percent(of.net_ratio, '+')}", edge
    hold = _percent(of.buy_and_hold_ratio, "+")
    yield "against hold", _points(of.against_hold_ratio), f"hold {hold}", ""
    yield (
        "max drawdown",
        _percent(of.max_drawdown_ratio),
        f"{of.max_drawdown:,.2f} {of.currency}",
        "",
    )
    trips = of.trips
    yield "trades", f"{trips.trips:,}", f"{_percent(trips.win_rate)} won", ""
    factor = "–" if trips.profit_factor is None else f"{trips.profit_factor:.2f}"
    expectancy = "–" if trips.expectancy is None else f"{trips.expectancy:+,.2f} a trade"
    yield "profit factor", factor, expectancy, ""
    yield "fees", f"{of.fees:,.2f}", f"slippage {of.slippage:,.2f}", ""
    if of.sharpe is not None and not of.is_short:
        sortino = "–" if of.sortino is None else f"{of.sortino:.2f}"
        yield "Sharpe", f"{of.sharpe:.2f}", f"Sortino {sortino}", ""
    if analysis.refusals:
        count = sum(analysis.refusals.values())
        yield "refused", f"{count:,}", in_short(analysis.refusals), ""


def _percent(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value * 100:{sign},.2f} %"


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:+,.2f} pp"
