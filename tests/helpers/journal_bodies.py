"""Records of a journal as rehearsals judge them: only the fields that a check looks at."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

ENGAGED = {"kind": "switch", "state": "ENGAGED", "tick_id": 5, "reason": "drill"}
REDUCING = {**ENGAGED, "state": "REDUCE_ONLY"}
ENDED = {"kind": "sealed", "status": "ENDED", "reason": "all events processed"}
HALTED = {"kind": "sealed", "status": "HALTED", "reason": "kill switch: drill"}


def order(number: int, tick: int, side: str = "BUY", quantity: int = 1) -> Body:
    return {
        "kind": "order",
        "order_id": number,
        "tick_id": tick,
        "ts_ns": tick * 10**9,
        "symbol": "ACME",
        "side": side,
        "type": "MARKET",
        "quantity_units": quantity,
        "limit_price_units": 0,
        "stop_price_units": 0,
        "time_in_force": "GTC",
    }


def update(number: int, status: str = "FILLED", reason: str = "") -> Body:
    return {"kind": "order_update", "order_id": number, "status": status, "reason": reason}


def fill(number: int, tick: int, position: int, fee: int = 0) -> Body:
    return {
        "kind": "fill",
        "order_id": number,
        "tick_id": tick,
        "symbol": "ACME",
        "side": "BUY",
        "quantity_units": 1,
        "position_units": position,
        "currency": "USD",
        "fee_units": fee,
        "realised_units": 0,
    }


def account(equity: int, fees: int = 0) -> Body:
    return {
        "kind": "account",
        "ts_ns": 1,
        "currency": "USD",
        "initial_units": 100,
        "realised_units": 0,
        "fees_units": fees,
        "unrealised_units": 0,
        "equity_units": equity,
    }


def refusal(code: str, tick: int, *also: str) -> Body:
    return {"kind": "refusal", "code": code, "also": list(also), "tick_id": tick}


def blocked(tick: int) -> Body:
    return {"kind": "blocked", "tick_id": tick}


GUARD = {"kind": "guard", "code": "MAX_DRAWDOWN", "action": "engage", "tick_id": 6}
WARNING = {"kind": "warning", "code": "BAD_PRICE", "tick_id": 5}
BOTH = ["MAX_ORDER_QUANTITY", "MAX_ORDER_NOTIONAL"]
