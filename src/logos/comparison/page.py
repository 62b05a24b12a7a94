"""A comparison as one self-contained page in the style of the report.

No text of strangers is in the markup: all of it is one block of JSON, which the page's script shows
as text. Its policy names what may run and paint by its hash, and nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from logos.comparison.comparing import Compared, Comparison
from logos.comparison.differences import NONE, NOT_SET, Difference
from logos.comparison.figures import UNDEFINED
from logos.comparison.text_chart import Curve
from logos.comparison.words import difference
from logos.core.types import NS_PER_SECOND
from logos.pages import assets
from logos.pages.curves import thinned

POINTS_MAX: Final = 800
"""Points of each curve in the page at most."""

_OWN: Final = "logos.comparison"
_GAPS: Final = frozenset(("buy_and_hold_ratio", "max_drawdown", "cagr", "trips", "exposure"))
"""Figures that begin a group."""


def comparison_page(comparison: Comparison) -> str:
    """The page, HTML. The same sessions give the same bytes."""
    styles = [assets.text(name) for name in (assets.SHARED_CSS, assets.UPLOT_CSS)]
    styles.append(assets.text("page.css", _OWN))
    scripts = [assets.uplot(), assets.text(assets.CHARTS_JS), assets.text("page.js", _OWN)]
    body, data = assets.text("page.html", _OWN), page_data(comparison)
    return assets.whole_page("logos: sessions compared", body, data, styles=styles, scripts=scripts)


def page_data(comparison: Comparison) -> dict[str, Any]:
    """What the page shows, as plain data."""
    letters = [each.letter for each in comparison.sessions]
    is_pair = len(letters) == 2
    return {
        "sessions": [_session(each) for each in comparison.sessions],
        "notes": list(comparison.notes),
        "is_by_date": comparison.is_by_date,
        "curves": [_points(each.curve()) for each in comparison.sessions],
        "difference": f"{letters[1]} - {letters[0]}" if is_pair else "",
        "figures": [
            {
                "name": row.name,
                "cells": list(row.cells),
                "difference": difference(row, comparison) if is_pair else "",
                "begins": row.key in _GAPS,
            }
            for row in comparison.figures
        ],
        "settings": _differences(comparison.settings),
        "strategy": _differences(comparison.strategy),
        "data": _differences(comparison.data),
        "absent": [NOT_SET, NONE],
    }


def _session(each: Compared) -> dict[str, Any]:
    facts, of = each.analysis.facts, each.analysis.statistics
    is_well = facts.is_finished and not facts.exit_code
    code = f" ({facts.exit_code})" if facts.exit_code else ""
    net = f"{of.net:+,.2f} {of.currency}"
    if of.net_ratio is not None:
        net += f" ({of.net_ratio * 100:+,.2f} %)"
    fall = of.max_drawdown_ratio
    return {
        "letter": each.letter,
        "name": each.name,
        "strategy": facts.strategy,
        "outcome": f"{facts.outcome}{code}",
        "tone": "good" if is_well else "warn" if facts.outcome == "RUNNING" else "bad",
        "period": each.period,
        "net": net,
        "gains": None if not of.net else of.net > 0,
        "drawdown": UNDEFINED if fall is None else f"{fall * 100:,.2f} %",
        "trades": f"{of.trips.trips:,}",
    }


def _differences(found: Sequence[Difference]) -> list[dict[str, Any]]:
    return [{"name": each.name, "values": list(each.values)} for each in found]


def _points(curve: Curve) -> dict[str, list[float]]:
    """In seconds, and no more of them than a screen can show."""
    xs, ys = thinned(curve.xs, curve.ys, POINTS_MAX)
    return {"x": [x // NS_PER_SECOND for x in xs], "y": [round(y, 8) for y in ys]}
