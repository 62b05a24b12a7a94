"""What a session is and how it stands, as its journal's first record and its state.json say it."""

from __future__ import annotations

from typing import Any

from logos import __version__
from logos.core.engine import TradingCore
from logos.core.fixed import format_units
from logos.journal.codec import SCHEMA_VERSION
from logos.session.artifacts.summary import data_facts, session_uuid
from logos.session.plan import Plan


def manifest(plan: Plan, session_id: str) -> dict[str, Any]:
    """What a session is: the first record of its journal."""
    return {
        "schema": SCHEMA_VERSION,
        "session_id": session_id,
        "uuid": session_uuid(session_id, plan.config_hash, plan.fingerprints),
        "software": __version__,
        "strategy": plan.strategy_name,
        "strategy_fingerprint": plan.strategy_fingerprint,
        "seed": plan.seed,
        "config_hash": plan.config_hash,
        "config": plan.config,
        "data": data_facts(plan.reports),
    }


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
                "mark": state.instrument.price_text(state.mark),
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
