"""A terminal in memory, and pages of figures made up for what a person sees of them."""

from __future__ import annotations

import io
from typing import Any

import figures_pages
import msgspec

from logos.cli.screen.result import figures_of, result_lines
from logos.cli.screen.terminal import Terminal
from logos.session import SessionResult
from logos.session.presence.page import MetricsPage

NOW_NS = 1_800_000_000 * 10**9
"""2027-01-15 08:00:00 UTC."""


class Shown:
    """What a terminal of so many columns was given."""

    def __init__(self, columns: int = 80) -> None:
        self.stream = io.StringIO()
        self.terminal = Terminal(self.stream, {"COLUMNS": str(columns)})

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def table_of(result: SessionResult, columns: int = 300, *, is_verbose: bool = False) -> str:
    """What the terminal says at the end of a session."""
    terminal = Shown(columns).terminal
    return "\n".join(result_lines(result, figures_of(result), terminal, is_verbose=is_verbose))


def symbol(name: str = "AAA", **changes: Any) -> dict[str, Any]:
    """A symbol of which nothing is held, at 100.05."""
    return {
        **msgspec.to_builtins(figures_pages.symbol(name, held=0)),
        "mark_units": 100_05,
        "price_age_ns": 12_000_000,
        "stale_after_ns": 30 * 10**9,
        "quantity_decimals": 1,
        "money_decimals": 4,
        **changes,
    }


def currency(name: str = "USD", **changes: Any) -> dict[str, Any]:
    """A currency of which 100,000 are there, as in the beginning."""
    money = msgspec.to_builtins(figures_pages.MONEY)
    return {
        **{key: 0 for key in money if key.endswith("_units")},
        "currency": name,
        "equity_units": 100_000_0000,
        "initial_units": 100_000_0000,
        "high_water_units": 100_000_0000,
        "money_decimals": 4,
        **changes,
    }


def page(**changes: Any) -> MetricsPage:
    """A page of a session that is well; `symbols` and `currencies` are those of its risk."""
    risk = {
        "symbols": changes.pop("symbols", [symbol()]),
        "currencies": changes.pop("currencies", [currency()]),
        "guards": [],
    }
    market = {
        "events": 1,
        "conflated": 0,
        "waiting": 0,
        "peak_waiting": 0,
        "size": 1_000,
        "age_ns": 1,
    }
    fields = {
        **msgspec.to_builtins(figures_pages.page([], session_id="desk", pid=1, ticks=0)),
        **dict.fromkeys(["began_ns", "written_ns", "last_event_ns"], NOW_NS),
        "risk": risk,
        "market": market,
        **changes,
    }
    return msgspec.convert(fields, MetricsPage)
