"""Pages of figures of sessions that a test makes up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from logos.core.guards.uses import CurrencyRisk, SymbolRisk
from logos.files import replace_json
from logos.journal.writer import WriterFigures
from logos.session.presence.page import (
    SCHEMA,
    GuardFigures,
    MetricsPage,
    RiskPage,
    SwitchFigures,
    metrics_path,
)

MONEY = CurrencyRisk(
    currency="USD",
    equity_units=10_000_433,
    initial_units=10_000_000,
    realised_units=0,
    fees_units=0,
    unrealised_units=433,
    payments_units=0,
    gross_exposure_units=2_500,
    net_exposure_units=2_500,
    high_water_units=10_001_933,
    drawdown_units=1_500,
    max_drawdown_units=2_000,
    day_profit_units=-1_250,
    money_decimals=2,
)


def symbol(name: str, held: int, **fields: Any) -> SymbolRisk:
    """A symbol of which `held` whole units are held, entered at 10 and a third, now at 12.50."""
    risk = SymbolRisk(
        symbol=name,
        currency="USD",
        position_units=held,
        mark_units=1250,
        value_units=1250 * held,
        realised_units=0,
        unrealised_units=217 * held,
        fees_units=0,
        open_orders=0,
        price_age_ns=200_000_000,
        stale_after_ns=0,
        is_stale=False,
        is_paused=False,
        quantity_decimals=0,
        mark_decimals=2,
        money_decimals=2,
        entry_units=10_333_333_333 if held else None,
        entry_decimals=9,
    )
    return msgspec.structs.replace(risk, **fields)


def page(
    symbols: Sequence[SymbolRisk],
    guards: Sequence[GuardFigures] = (),
    session_id: str = "desk-1",
    **fields: Any,
) -> MetricsPage:
    """A page of this process; `fields` are others than those of a quiet session on paper."""
    nothing = WriterFigures(0, 0, 0, 0, 0)
    made = MetricsPage(
        schema=SCHEMA,
        session_id=session_id,
        software="0",
        strategy="sma_cross",
        mode="paper",
        is_live=True,
        pid=os.getpid(),
        began_ns=1,
        written_ns=1_700_000_000_000_000_000,
        status="RUNNING",
        exit_code=-1,
        last_event_ns=1,
        switch=SwitchFigures("SAFE", False, 1, 0),
        ticks=100,
        orders=0,
        fills=0,
        open_orders=0,
        blocked=0,
        refused=0,
        warnings=0,
        refusals={},
        guards={},
        risk=RiskPage((MONEY,), tuple(symbols), tuple(guards)),
        journal=nothing,
        inputs=None,
        market=None,
        feeds=[],
        latency={},
        overruns=0,
        stalls=0,
        version=0,
        symbols=(),
        currencies=(),
        total=None,
    )
    return msgspec.structs.replace(made, **fields)


def write_page(made: MetricsPage, home: Path) -> None:
    """Put the page where the workspace `home` has it."""
    path = metrics_path(made.session_id, home)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_json(path, made, durable=False)
