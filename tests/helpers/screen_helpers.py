"""A terminal in memory, and pages of figures made up for what a person sees of them."""

from __future__ import annotations

import io
from typing import Any

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
    return {
        "symbol": name,
        "currency": "USD",
        "position_units": 0,
        "mark_units": 100_05,
        "value_units": 0,
        "realised_units": 0,
        "unrealised_units": 0,
        "fees_units": 0,
        "open_orders": 0,
        "price_age_ns": 12_000_000,
        "stale_after_ns": 30 * 10**9,
        "is_stale": False,
        "is_paused": False,
        "quantity_decimals": 1,
        "mark_decimals": 2,
        "money_decimals": 4,
        **changes,
    }


def currency(name: str = "USD", **changes: Any) -> dict[str, Any]:
    names = "realised fees unrealised payments gross_exposure net_exposure drawdown max_drawdown"
    figures = dict.fromkeys([*names.split(), "day_profit"], 0)
    return {
        "currency": name,
        **{f"{key}_units": value for key, value in figures.items()},
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
    writer = {"records": 1, "size_bytes": 1, "syncs": 0, "sync_ns": 0, "sync_max_ns": 0}
    market = {
        "events": 1,
        "conflated": 0,
        "waiting": 0,
        "peak_waiting": 0,
        "size": 1_000,
        "age_ns": 1,
    }
    fields: dict[str, Any] = {
        **dict.fromkeys(["orders", "fills", "open_orders", "blocked", "refused", "warnings"], 0),
        **dict.fromkeys(["overruns", "stalls", "version", "ticks"], 0),
        "schema": 1,
        "session_id": "desk",
        "software": "0.1.0",
        "strategy": "sma_cross",
        "mode": "paper",
        "is_live": True,
        "pid": 1,
        "status": "RUNNING",
        "exit_code": -1,
        "began_ns": NOW_NS,
        "written_ns": NOW_NS,
        "last_event_ns": NOW_NS,
        "switch": {"state": "SAFE", "is_engaged": False, "epoch": 1, "engaged_ns": 0},
        "refusals": {},
        "guards": {},
        "risk": risk,
        "journal": writer,
        "inputs": None,
        "market": market,
        "feeds": [],
        "latency": {},
        "symbols": [],
        "currencies": [],
        "total": None,
        **changes,
    }
    return msgspec.convert(fields, MetricsPage)
