"""How a running session stands against its limits, for `logos status`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from logos.core.fixed import format_units
from logos.session.presence.found import FoundSession
from logos.session.presence.page import (
    GuardFigures,
    MetricsPage,
    PageError,
    metrics_path,
    read_page,
)

_SHOWN_MAX: Final = 3


def page_of(session: FoundSession) -> MetricsPage | None:
    """The figures of a session; None where this process of it has written none that can be read.

    They are a help for people: what cannot be read here is the heartbeat's to report.
    """
    if session.workspace is None or not session.session_id:
        return None
    try:
        page = read_page(metrics_path(session.session_id, session.workspace))
    except (FileNotFoundError, PageError):
        return None
    return page if page.pid == session.pid else None


def risk_lines(page: MetricsPage) -> list[str]:
    """Money of each currency, and the limits of which most is used."""
    lines = []
    for each in page.risk.currencies:
        figures = {
            "equity": each.equity_units,
            "today": each.day_profit_units,
            "exposure": each.gross_exposure_units,
            "drawdown": each.drawdown_units,
        }
        text = {name: format_units(units, each.money_decimals) for name, units in figures.items()}
        lines.append(
            f"equity {text['equity']} {each.currency} (today {text['today']}, exposure "
            f"{text['exposure']}, drawdown {text['drawdown']})"
        )
    used = sorted(page.risk.guards, key=_used)[:_SHOWN_MAX]
    words = [
        f"{' '.join(filter(None, (each.guard, each.subject)))} "
        + ("passed" if each.ratio is None else f"{each.ratio:.1%}")
        for each in used
        if each.ratio != 0
    ]
    if words:
        lines.append(f"of its limits it uses most of: {', '.join(words)}")
    return lines


def _used(guard: GuardFigures) -> tuple[bool, float]:
    """To sort by: first what is passed where nothing is allowed, then the largest part."""
    return (guard.ratio is not None, -(guard.ratio or 0))


def risk_fields(page: MetricsPage | None) -> dict[str, Any]:
    """What `--json` says of it."""
    return {"risk": None if page is None else msgspec.to_builtins(page.risk)}
