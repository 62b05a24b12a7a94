"""A session in figures: its manifest, its state.json, what session.md prints and `--json` gives.

Everything here follows from configuration, data and seed alone, so that two runs give the same
bytes. What depends on the machine and the hour (host, speed, wall time) is `host_facts`, which
goes to host.json and nowhere else.
"""

from __future__ import annotations

import os
import platform
import socket
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import util
from typing import Any

from logos import __version__
from logos.build import build_hash
from logos.config import Config
from logos.core.account import Account, EquityTrack, Ledger
from logos.core.engine import TradingCore
from logos.core.fixed import format_units
from logos.core.instrument import FeeSchedule, Instrument
from logos.core.instrument_state import InstrumentState
from logos.core.terms.payments import may_pay
from logos.core.types import OrderStatus
from logos.data.check import CheckReport
from logos.journal.codec import SCHEMA_VERSION
from logos.session.artifacts.averages import average_row
from logos.session.artifacts.counts import RecordCounts, trigger_figures
from logos.session.artifacts.rows import Moments
from logos.session.plan import Plan

_NO_SLIPPAGE = "no slippage: none is set, so what the data shows of a spread is all that fills pay"
_FREE_SYMBOLS_MAX = 5
"""Symbols without fees that are named."""


def session_uuid(session_id: str, config_hash: str, fingerprints: Sequence[str]) -> str:
    """A UUID that follows from what the session is, so that a replay has the same."""
    name = ":".join(("logos", session_id, config_hash, *fingerprints))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def manifest(plan: Plan, session_id: str, core: TradingCore | None = None) -> dict[str, Any]:
    """What a session is: the first record of its journal. `core` knows which fleet it is of."""
    fleet = None if core is None else core.order_manager.fleet
    return {
        "schema": SCHEMA_VERSION,
        "session_id": session_id,
        "uuid": session_uuid(session_id, plan.config_hash, plan.fingerprints),
        "software": __version__,
        "strategy": plan.strategy_name,
        "strategy_fingerprint": plan.strategy_fingerprint,
        "build": build_hash(),
        "modules": dict(plan.modules),
        "seed": plan.seed,
        "config_hash": plan.config_hash,
        "config": plan.written_config,
        "data": data_facts(plan.reports),
        **({} if fleet is None else {"fleet": fleet.joined}),
    }


def data_facts(reports: Sequence[CheckReport]) -> list[dict[str, Any]]:
    """What was read: files, fingerprints, rows, times, tolerated defects."""
    moments = Moments()
    return [
        {
            "symbol": report.source.symbol,
            "kind": report.source.kind,
            "files": {path.name: report.fingerprints[path] for path in report.source.paths},
            "rows": report.rows,
            "rows_dropped": report.dropped,
            "first": moments.text(report.first_ns) if report.first_ns is not None else "",
            "last": moments.text(report.last_ns) if report.last_ns is not None else "",
            "accepted_defects": dict(sorted(report.counts.items())),
        }
        for report in reports
    ]


def books_at_end(core: TradingCore) -> dict[str, Any]:
    """The books as state.json holds them: figures as decimal text, lots and orders oldest first."""
    order_manager = core.order_manager
    return {
        "tick_id": order_manager.tick_id,
        "now_ns": order_manager.now_ns,
        "next_order_id": order_manager.next_order_id,
        "next_fill_id": order_manager.next_fill_id,
        "wallets": {
            wallet.asset: format_units(wallet.balance, wallet.decimals)
            for wallet in order_manager.account.wallets
        },
        "positions": {
            symbol: {
                "position": state.instrument.quantity_text(state.inventory.position),
                "mark": format_units(state.exact_mark, state.instrument.mark_decimals),
                "lots": [
                    {
                        "lot": lot.lot_id,
                        "quantity": state.instrument.quantity_text(lot.quantity),
                        "price": state.instrument.price_text(lot.price),
                        "opened_ns": lot.opened_ns,
                    }
                    for lot in state.inventory.lots()
                ],
                "open_orders": [
                    {
                        "order_id": order.order_id,
                        "side": order.side.value,
                        "type": order.type.value,
                        "status": order.status.value,
                        "quantity": state.instrument.quantity_text(order.quantity),
                        "filled": state.instrument.quantity_text(order.filled),
                    }
                    for order in state.working
                ],
            }
            for symbol, state in order_manager.states.items()
        },
    }


def warm_ups(core: TradingCore, tally: RecordCounts) -> dict[str, Any]:
    """How long each symbol warmed up, under one key; nothing where the strategy asks for none."""
    moments = Moments()
    over = {each.symbol: each for each in tally.warm_ups}
    rows = []
    for symbol, state in core.order_manager.states.items():
        terms, record = state.bars, over.get(symbol)
        if record is None and not terms.is_warming:
            continue
        rows.append(
            {
                "symbol": symbol,
                "bars": terms.bars_seen if record is None else record.bars,
                "before": terms.past_bars_seen if record is None else record.past_bars,
                "since": moments.text(terms.warm_since_ns),
                "until": "not over" if record is None else moments.text(record.ts_ns),
            }
        )
    return {"warm_up": rows} if rows else {}


def figures(core: TradingCore, tally: RecordCounts) -> dict[str, Any]:
    """Counts and books at this moment, as plain JSON values; money as decimal text."""
    order_manager = core.order_manager
    account = order_manager.account
    has_payments = may_pay(order_manager.states.values())
    return {
        "ticks": order_manager.tick_id,
        "orders": sum(tally.orders.values()),
        "fills": sum(tally.fills.values()),
        "blocked": tally.blocked,
        "refused": tally.refused,
        "refusals": dict(sorted(tally.refusals.items())),
        "guards": dict(sorted(tally.guards.items())),
        "trigger": trigger_figures(tally.trigger),
        "orders_ended_by": dict(sorted(tally.ended_by.items())),
        "symbols": {
            symbol: _symbol_figures(instrument_state, tally.orders[symbol], tally.fills[symbol])
            for symbol, instrument_state in order_manager.states.items()
        },
        "average_cost": {
            symbol: average_row(
                tally.averages,
                symbol,
                state.unit_value,
                state.realised + state.unrealised,
                (state.instrument.price_decimals, state.ledger.decimals),
            )
            for symbol, state in order_manager.states.items()
            if symbol in tally.averages and not state.instrument.is_inverse
        },
        "currencies": {
            each.currency: _ledger_figures(each, has_payments) for each in account.ledgers
        },
        "balances": {
            wallet.asset: format_units(wallet.balance, wallet.decimals)
            for wallet in account.wallets
        },
        "total": _total_figures(account, has_payments),
        "warnings": [
            {"code": each.code, "symbol": each.symbol, "detail": each.detail}
            for each in tally.warnings
        ],
        "warning_count": tally.warning_count,
        "switch": [
            {"tick_id": each.tick_id, "state": each.state, "reason": each.reason}
            for each in tally.switch_changes
        ],
    }


def held_at_end(core: TradingCore) -> dict[str, Any]:
    """What is still held: positions by symbol, and orders that are open, by client id.

    Exits that the engine itself holds back are no orders that rest.
    """
    states = core.order_manager.states
    return {
        "positions": {
            symbol: state.instrument.quantity_text(state.inventory.position)
            for symbol, state in states.items()
            if not state.is_flat
        },
        "orders": [
            order.client_order_id
            for state in states.values()
            for order in state.working
            if order.status is not OrderStatus.HELD
        ],
    }


def _symbol_figures(instrument_state: InstrumentState, orders: int, fills: int) -> dict[str, Any]:
    money = instrument_state.ledger.decimals
    instrument = instrument_state.instrument
    return {
        "currency": instrument_state.ledger.currency,
        "orders": orders,
        "fills": fills,
        "position": instrument.quantity_text(instrument_state.inventory.position),
        "mark": format_units(instrument_state.exact_mark, instrument.mark_decimals),
        "realised": format_units(instrument_state.realised, money),
        "unrealised": format_units(instrument_state.unrealised, money),
        "fees": format_units(instrument_state.fees, money),
    }


def _ledger_figures(ledger: Ledger, has_payments: bool) -> dict[str, str]:
    money = ledger.decimals
    payments = {"payments": format_units(ledger.payments, money)} if has_payments else {}
    return {
        "initial": format_units(ledger.initial, money),
        "realised": format_units(ledger.realised, money),
        "unrealised": format_units(ledger.unrealised, money),
        "fees": format_units(ledger.fees, money),
        **payments,
        "equity": format_units(ledger.equity, money),
        "locked": format_units(ledger.wallet.locked + ledger.maintenance_margin, money),
        **_track_figures(ledger.track, money),
    }


def _total_figures(account: Account, has_payments: bool) -> dict[str, str] | None:
    """Totals in the reporting currency; None when none is configured and there are several."""
    if account.total is None:
        return None
    decimals = account.total_decimals

    def summed(name: str) -> str:
        units = sum(getattr(each, name) * each.total_factor for each in account.ledgers)
        return format_units(units, decimals)

    return {
        "currency": account.total_currency,
        **{name: summed(name) for name in ("initial", "realised", "unrealised", "fees")},
        **({"payments": summed("payments")} if has_payments else {}),
        "equity": format_units(account.total.equity, decimals),
        **_track_figures(account.total, decimals),
    }


def _track_figures(track: EquityTrack, decimals: int) -> dict[str, str]:
    return {
        "high_water": format_units(track.high_water, decimals),
        "max_drawdown": format_units(track.max_drawdown, decimals),
    }


def is_compiled() -> bool:
    """Whether the core runs as C extensions."""
    spec = util.find_spec("logos.core.engine")
    return spec is not None and not str(spec.origin).endswith(".py")


def host_facts(started_ns: int, ended_ns: int, run_ns: int, ticks: int) -> dict[str, Any]:
    """What depends on this machine and this hour. Times are wall-clock, nanoseconds UTC."""
    moments = Moments()
    seconds = Decimal(run_ns) / 1_000_000_000
    return {
        "started": moments.text(started_ns),
        "ended": moments.text(ended_ns),
        "run_seconds": f"{seconds:.6f}",
        "ticks_per_second": int(ticks / seconds) if seconds else 0,
        "host": socket.gethostname(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "software": __version__,
        "core": "compiled" if is_compiled() else "interpreted",
        "process": os.getpid(),
    }


def costs_left_out(
    config: Config, instruments: Mapping[str, Instrument], fills: Mapping[str, int]
) -> dict[str, str]:
    """What a paper session's fills did not cost although a market takes it: words under one key,
    where something was filled on paper without a fee or without slippage; else nothing.

    `fills` counts them by symbol. A real venue books its own fees.
    """
    if config.venue.live or not any(fills.get(symbol) for symbol in instruments):
        return {}
    has_slippage = bool(config.paper.slippage_ticks or config.paper.slippage_bps)
    traded = instruments.items()
    symbols = [symbol for symbol, each in traded if fills.get(symbol) and _is_free(each.fees)]
    if not symbols:
        return {} if has_slippage else {"without_costs": _NO_SLIPPAGE}
    named = ", ".join(symbols[:_FREE_SYMBOLS_MAX])
    left = len(symbols) - _FREE_SYMBOLS_MAX
    words = f"no fees on {named}{f' and {left} more' if left > 0 else ''}: none are set"
    if has_slippage:
        return {"without_costs": f"{words}. A real market takes some"}
    return {"without_costs": f"{words}; no slippage: none is set. A real market takes both"}


def _is_free(fees: FeeSchedule) -> bool:
    rates = (fees.maker_rate, fees.taker_rate, fees.per_unit, fees.per_fill, fees.minimum)
    return not any(rates)
