"""Evidence of a stress run made by hand: two symbols, five orders, everything in order."""

from __future__ import annotations

import stress_helpers  # noqa: F401 - needs the extra first

# isort: split

import copy
from decimal import Decimal
from typing import Any

import msgspec
from rehearsal_helpers import whole

from logos.journal.entries import SessionRecord
from logos.stress.evidence import Evidence, Fill, OurOrder

D = Decimal
BTC, ETH = "BTC.s", "ETH.s"


def our_order(number: int, symbol: str, side: str, quantity: str, status: str = "FILLED") -> Any:
    filled = quantity if status == "FILLED" else "0"
    name = f"s-{number}"
    return OurOrder(name, name, symbol, side, "MARKET", D(quantity), D(filled), status, "")


def deal(number: int, symbol: str, is_buy: bool, volume: str, price: str, fee: str) -> Any:
    return {
        "kind": "deal", "comment": f"s-{number}", "order": number, "symbol": symbol,
        "is_buy": is_buy, "volume": volume, "price": price,
        "commission": -int(D(fee).scaleb(18)), "profit_money": "0",
    }  # fmt: skip


def journal_order(number: int, symbol: str, side: str, units: int, price: int) -> Any:
    return {
        "kind": "order", "order_id": number, "client_order_id": f"s-{number}", "symbol": symbol,
        "side": side, "type": "MARKET", "quantity_units": units, "quantity_decimals": 2,
        "reference_price_units": price, "price_decimals": 0, "ts_ns": number * 1000,
    }  # fmt: skip


def update(number: int, symbol: str, filled: int, status: str) -> Any:
    return {
        "kind": "order_update", "order_id": number, "symbol": symbol, "filled_units": filled,
        "status": status, "ts_ns": number * 1000 + (7 if status == "FILLED" else 3),
    }  # fmt: skip


def fill_record(number: int, units: int, price: int) -> Any:
    return {
        "kind": "fill", "client_order_id": f"s-{number}", "price_units": price,
        "price_decimals": 0, "quantity_units": units, "quantity_decimals": 2,
    }  # fmt: skip


def lock(action: str, number: int, symbol: str, ts_ns: int, **more: Any) -> Any:
    name = f"ZMQ_LOCK_{action}"
    return {"action": name, "symbol": symbol, "lock_id": number, "ts_ns": ts_ns, **more}


def requested(number: int, symbol: str, ts_ns: int) -> Any:
    return {"kind": "request", "client_id": f"s-{number}", "symbol": symbol, "ts_ns": ts_ns}


SOUND: dict[str, Any] = {
    "config": {
        "risk": {
            "symbols": {BTC: {"max_position": "0.03"}, ETH: {"max_position": "0.50"}},
            "total": {"max_gross_exposure": "60.5"},
        },
        "instruments": {
            BTC: {"multiplier": "1", "lot": "0.01"}, ETH: {"multiplier": "10", "lot": "0.01"},
        },
    },
    "gateway": [
        {"action": "GATEWAY_OPENED", "ts_ns": 0},
        lock("ACQUIRE", 1, BTC, 1_000, wait_ns=5),
        lock("RELEASE", 1, BTC, 1_400, hold_ns=400),
        lock("ACQUIRE", 2, BTC, 2_000, wait_ns=9),
        lock("RELEASE", 2, BTC, 2_400, hold_ns=400),
        lock("ACQUIRE", 3, ETH, 3_000, wait_ns=7),
        {"action": "ZMQ_REPLY_LOST", "ts_ns": 3_100},
        lock("RELEASE", 3, ETH, 3_800, hold_ns=800),
        {"action": "GATEWAY_CLOSED", "ts_ns": 9_000},
    ],
    "switch": [{"state": "SAFE", "time_ns": 1}],
    "errors": "",
    "journal": [
        journal_order(1, BTC, "BUY", 2, 100), update(1, BTC, 0, "ACCEPTED"),
        update(1, BTC, 2, "FILLED"), fill_record(1, 2, 100),
        journal_order(2, BTC, "SELL", 1, 110), update(2, BTC, 0, "ACCEPTED"),
        update(2, BTC, 1, "FILLED"), fill_record(2, 1, 110),
        journal_order(3, ETH, "BUY", 50, 10), update(3, ETH, 0, "UNKNOWN"),
        update(3, ETH, 50, "FILLED"), fill_record(3, 50, 10),
        {"kind": "refusal", "code": "ORDER_RATE"}, {"kind": "refusal", "code": "ORDER_RATE"},
        journal_order(4, ETH, "SELL", 30, 12), update(4, ETH, 0, "CANCELLED"),
        journal_order(5, ETH, "SELL", 20, 12), update(5, ETH, 0, "REJECTED"),
        {"kind": "sealed"},
    ],
    "orders": {
        each.comment: each
        for each in (
            our_order(1, BTC, "BUY", "0.02"), our_order(2, BTC, "SELL", "0.01"),
            our_order(3, ETH, "BUY", "0.50"), our_order(4, ETH, "SELL", "0.30", "CANCELLED"),
            our_order(5, ETH, "SELL", "0.20", "REJECTED"),
        )
    },
    "fills": [
        Fill("s-1", BTC, "BUY", D("0.02"), D(100), D("0.1")),
        Fill("s-2", BTC, "SELL", D("0.01"), D(110), D("0.05")),
        Fill("s-3", ETH, "BUY", D("0.50"), D(10), D("0.2")),
    ],
    "trades": [
        {"fill_id": str(n), "client_order_id": f"s-{n}", "quantity": quantity, "price": price}
        for n, quantity, price in ((1, "0.02", "100"), (2, "0.01", "110"), (3, "0.50", "10"))
    ],
    "account": {
        "initial": "1000", "realised": "0.10", "fees": "0.35", "unrealised": "10.2",
        "equity": "1009.95",
    },
    "positions": {
        BTC: {"position": "0.01", "realised": "0.10", "fees": "0.15"},
        ETH: {"position": "0.50", "realised": "0", "fees": "0.2"},
    },
    "taken": [
        {"comment": f"s-{n}", "symbol": symbol, "ticket": n}
        for n, symbol in ((1, BTC), (2, BTC), (3, ETH), (4, ETH))
    ],
    "requests": [
        requested(1, BTC, 1_100), requested(2, BTC, 2_100), requested(3, ETH, 3_100),
        requested(4, ETH, 3_200), requested(5, ETH, 3_300), requested(5, ETH, 3_400),
    ],
    "deals": [
        deal(1, BTC, True, "0.02", "100", "0.1"),
        deal(2, BTC, False, "0.01", "110", "0.05") | {"profit_money": "0.10"},
        deal(3, ETH, True, "0.50", "10", "0.2"),
    ],
    "audit": [
        {"kind": "removed", "ticket": 4},
        {"kind": "refused", "client_id": "s-5"},
        {
            "kind": "books", "open_orders": 0, "repeated_client_ids": {},
            "balance": "999.75", "initial_balance": "1000",
            "symbols": {
                BTC: {
                    "realised": "0.10", "commission": "-0.15", "open_profit": "0.20",
                    "volume": "0.01", "bid": "120", "ask": "121",
                },
                ETH: {
                    "realised": "0", "commission": "-0.2", "open_profit": "10",
                    "volume": "0.50", "bid": "12", "ask": "13",
                },
            },
        },
    ],
}  # fmt: skip


def evidence() -> Any:
    """The sound evidence, one's own to change; what is derived from it is derived for real."""
    made = Evidence.__new__(Evidence)
    for name, value in copy.deepcopy(SOUND).items():
        setattr(made, name, value)
    made.journal = [record(body) for body in made.journal]
    return made


def record(body: Any) -> SessionRecord:
    """A record of the journal; fields that are not named are made up."""
    return msgspec.convert(whole(body), SessionRecord)  # type: ignore[no-any-return]


def books(each: Any) -> Any:
    """The simulator's own last account of itself."""
    return each.audit[-1]


def put(fields: Any, **changes: object) -> Any:
    """Give a record of the evidence other fields."""
    fields.update(changes)
