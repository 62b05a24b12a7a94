"""A sweep as one self-contained page: heat map, table, and what may be luck.

No text of strangers is in the markup: all of it is one block of JSON, which the page's script shows
as text. Its policy names what may run and paint by its hash, and nothing is loaded.
"""

from __future__ import annotations

from typing import Any, Final

from logos.pages import assets
from logos.sweeps.outcome import LOWER_IS_BETTER, Outcome
from logos.sweeps.ranking import LIKELY, ranked
from logos.sweeps.run import Finished
from logos.sweeps.tables import luck, plain

ROWS_MAX: Final = 5_000
"""Rows that the page has at most, the best ones."""
FIGURES: Final = (
    *("net_ratio", "sharpe", "sortino", "max_drawdown_ratio", "trips.trips", "trips.win_rate"),
    *("trips.profit_factor", "exposure", "fees"),
)
"""Figures that the page shows besides the one that was searched by."""

_OWN: Final = "logos.sweeps"


def sweep_page(finished: Finished) -> str:
    """The page, HTML. The same rows give the same bytes."""
    styles = [assets.text(assets.SHARED_CSS), assets.text("page.css", _OWN)]
    scripts = [assets.text("page.js", _OWN)]
    body, data = assets.text("page.html", _OWN), page_data(finished)
    return assets.whole_page("logos: a sweep", body, data, styles=styles, scripts=scripts)


def page_data(finished: Finished) -> dict[str, Any]:
    """What the page shows, as plain data."""
    spec, whole = finished.spec, plain(finished)
    inside = [each for each in finished.outcomes if each.trial.sample == "in"]
    best = {each.row: place for place, each in enumerate(ranked(inside, spec.by))}
    rows = sorted(inside, key=lambda each: (best.get(each.row, len(inside)), each.row))
    figures = list(dict.fromkeys((spec.by, *FIGURES)))
    found = luck(finished)
    return {
        "strategy": spec.strategy,
        "method": spec.method,
        "by": spec.by,
        "lower_is_better": sorted(LOWER_IS_BETTER.intersection(figures)),
        "software": spec.software,
        "folder": finished.folder.name,
        "planned": spec.rows,
        "done": len(finished.outcomes),
        "stopped": finished.stopped,
        "again_is_same": finished.same,
        "axes": [
            {"name": axis.name, "values": list(axis.values), "varies": not axis.is_fixed}
            for axis in spec.axes
        ],
        "figures": figures,
        "folds": [
            {
                "inside": [fold.inside.start, fold.inside.end],
                "outside": None if fold.outside is None else [fold.outside.start, fold.outside.end],
                "best": _row(finished.best(number), figures),
                "result": _row(finished.outside(number), figures),
            }
            for number, fold in enumerate(spec.folds, start=1)
        ],
        "rows": [_row(each, figures) for each in rows[:ROWS_MAX]],
        "rows_left_out": max(0, len(rows) - ROWS_MAX),
        "overfitting": whole["overfitting"],
        "is_likely": found is not None and found.is_likely,
        "likely": LIKELY,
        "walk_forward": whole["walk_forward"],
    }


def _row(outcome: Outcome | None, figures: list[str]) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        "row": outcome.row,
        "fold": outcome.trial.fold,
        "params": list(outcome.trial.params.values()),
        "status": outcome.status,
        "reason": outcome.reason if outcome.status != "ENDED" else "",
        "orders": outcome.orders,
        "figures": [outcome.value(name) for name in figures],
        "hash": outcome.artifact_hash,
    }
