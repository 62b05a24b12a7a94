"""The page of figures of a session (`session.presence.page`) as the browser gets it.

Money and quantities are exact text, what is drawn is a number. Nothing is computed here but the
difference between equity and the money that the session began with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from logos.core.guards.uses import CurrencyRisk, SymbolRisk
from logos.core.types import NS_PER_SECOND
from logos.execution.metrics import Figures
from logos.journal.writer import WriterFigures
from logos.observe.dashboard.records import as_text, milliseconds
from logos.session.presence.page import GuardFigures, LatencyFigures, MarketFigures, MetricsPage

SYMBOLS_MAX: Final = 200
GUARDS_MAX: Final = 200
FEEDS_MAX: Final = 200

T = TypeVar("T")


def figures_of(page: MetricsPage) -> dict[str, Any]:
    """All that the browser shows of the page. Raises ValueError for figures that cannot be."""
    return {
        "status": page.status,
        "strategy": page.strategy,
        "software": page.software,
        "mode": page.mode,
        "is_live": page.is_live,
        "pid": page.pid,
        "began": milliseconds(page.began_ns),
        "written": milliseconds(page.written_ns),
        "last_event": milliseconds(page.last_event_ns),
        "exit_code": None if page.exit_code < 0 else page.exit_code,
        "switch": {
            "state": page.switch.state,
            "is_engaged": page.switch.is_engaged,
            "epoch": page.switch.epoch,
            "engaged": milliseconds(page.switch.engaged_ns),
        },
        "ticks": page.ticks,
        "orders": page.orders,
        "fills": page.fills,
        "open_orders": page.open_orders,
        "blocked": page.blocked,
        "refused": page.refused,
        "warnings": page.warnings,
        "refusals": _most(page.refusals),
        "guard_actions": _most(page.guards),
        "currencies": currencies_of(page),
        "symbols": [_symbol(each) for each in _busiest(page.risk.symbols)],
        "symbols_all": len(page.risk.symbols),
        "guards": [_guard(each) for each in _fullest(page.risk.guards)],
        "guards_all": len(page.risk.guards),
        "feeds": [
            {
                "feed": each.feed,
                "symbol": each.symbol,
                "state": each.state,
                "detail": each.detail,
                "since": milliseconds(each.since_ns),
            }
            for each in page.feeds[:FEEDS_MAX]
        ],
        "feeds_all": len(page.feeds),
        "market": None if page.market is None else _market(page.market),
        "latency": [_latency(stage, each) for stage, each in page.latency.items()],
        "journal": _disk(page.journal),
        "inputs": None if page.inputs is None else _disk(page.inputs),
        "overruns": page.overruns,
        "stalls": page.stalls,
        "trades": [_trades(each) for each in page.symbols[:SYMBOLS_MAX] if each.trades],
    }


def currencies_of(page: MetricsPage) -> list[dict[str, Any]]:
    """Its money alone. Raises ValueError for figures that cannot be."""
    return [_currency(each) for each in page.risk.currencies]


def points_of(page: MetricsPage) -> list[dict[str, Any]]:
    """The equity of now, a point for each currency, at the time of the last event."""
    if not page.last_event_ns:
        return []
    return [
        {
            "currency": each.currency,
            "time": page.last_event_ns / NS_PER_SECOND,
            "equity": float(as_text(each.equity_units, each.money_decimals)),
            "drawdown": float(as_text(each.drawdown_units, each.money_decimals)),
        }
        for each in page.risk.currencies
    ]


def _most(counts: dict[str, int]) -> list[dict[str, Any]]:
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{"code": code, "count": count} for code, count in ranked]


def _currency(each: CurrencyRisk) -> dict[str, Any]:
    net_units = each.equity_units - each.initial_units

    def money(units: int) -> str:
        return as_text(units, each.money_decimals)

    return {
        "currency": each.currency,
        "equity": money(each.equity_units),
        "initial": money(each.initial_units),
        "net": money(net_units),
        "net_ratio": _ratio(net_units, each.initial_units),
        "realised": money(each.realised_units),
        "unrealised": money(each.unrealised_units),
        "fees": money(each.fees_units),
        "payments": money(each.payments_units),
        "gross_exposure": money(each.gross_exposure_units),
        "net_exposure": money(each.net_exposure_units),
        "high_water": money(each.high_water_units),
        "drawdown": money(each.drawdown_units),
        "drawdown_ratio": _ratio(each.drawdown_units, each.high_water_units),
        "max_drawdown": money(each.max_drawdown_units),
        "day_profit": money(each.day_profit_units),
    }


def _symbol(each: SymbolRisk) -> dict[str, Any]:
    def money(units: int) -> str:
        return as_text(units, each.money_decimals)

    return {
        "symbol": each.symbol,
        "currency": each.currency,
        "position": as_text(each.position_units, each.quantity_decimals),
        "mark": as_text(each.mark_units, each.mark_decimals) if each.mark_units else "",
        "value": money(each.value_units),
        "realised": money(each.realised_units),
        "unrealised": money(each.unrealised_units),
        "fees": money(each.fees_units),
        "open_orders": each.open_orders,
        "age_s": _seconds(each.price_age_ns),
        "stale_after_s": _seconds(each.stale_after_ns) or None,
        "is_stale": each.is_stale,
        "is_paused": each.is_paused,
    }


def _guard(each: GuardFigures) -> dict[str, Any]:
    return {
        "guard": each.guard,
        "subject": each.subject,
        "used": as_text(each.used_units, each.decimals),
        "limit": as_text(each.limit_units, each.decimals),
        "unit": each.unit,
        "ratio": each.ratio,
        "action": each.action,
    }


def _market(each: MarketFigures) -> dict[str, Any]:
    return {
        "events": each.events,
        "conflated": each.conflated,
        "waiting": each.waiting,
        "peak_waiting": each.peak_waiting,
        "size": each.size,
        "age_s": _seconds(each.age_ns),
    }


def _latency(stage: str, each: LatencyFigures) -> dict[str, Any]:
    return {
        "stage": stage,
        "count": each.count,
        "p50": each.p50_ns,
        "p90": each.p90_ns,
        "p99": each.p99_ns,
        "p99_9": each.p99_9_ns,
        "max": each.max_ns,
    }


def _disk(each: WriterFigures) -> dict[str, Any]:
    return {
        "records": each.records,
        "size_bytes": each.size_bytes,
        "syncs": each.syncs,
        "sync_mean": each.sync_ns // each.syncs if each.syncs else 0,
        "sync_max": each.sync_max_ns,
    }


def _trades(each: Figures) -> dict[str, Any]:
    return {
        "symbol": each.name,
        "trades": each.trades,
        "wins": each.wins,
        "losses": each.losses,
        "net": as_text(each.net_units, each.money_decimals),
        "currency": each.currency,
    }


def _busiest(symbols: Iterable[SymbolRisk]) -> Sequence[SymbolRisk]:
    """Those with a position or an order first, then as they stand; as many as are shown."""
    ranked = sorted(symbols, key=lambda each: not (each.position_units or each.open_orders))
    return ranked[:SYMBOLS_MAX]


def _fullest(guards: Iterable[GuardFigures]) -> Sequence[GuardFigures]:
    """The nearest to their limits first; as many as are shown."""
    ranked = sorted(guards, key=lambda each: -(float("inf") if each.ratio is None else each.ratio))
    return ranked[:GUARDS_MAX]


def _seconds(nanoseconds: int) -> float | None:
    return None if nanoseconds < 0 else nanoseconds / NS_PER_SECOND


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None
