"""What a running session holds and how it stands against its limits, for `logos status`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from logos.session.presence.found import FoundSession
from logos.session.presence.now import money_words, now_of, position_lines
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
    """Positions, money of each currency, and the limits of which most is used."""
    now = now_of(page)
    lines = [*position_lines(now), *map(money_words, now.money)]
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
    if page is None:
        return {"risk": None, "now": None}
    return {"risk": msgspec.to_builtins(page.risk), "now": msgspec.to_builtins(now_of(page))}
