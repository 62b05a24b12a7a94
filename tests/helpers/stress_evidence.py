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
from logos.stress.plan import StressPlan, StressSymbol

D = Decimal
BTC, ETH = "BTC.s", "ETH.s"
LOG_RULES = {
    "files", "EFSM", "lock pairs", "requests", "times", "silence", "latency", "signals",
}  # fmt: skip
"""Shown to fail in test_stress_log_rules; all others in test_stress_rules."""


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


def refused(symbol: str) -> Any:
    return {"kind": "refusal", "code": "ORDER_RATE", "symbol": symbol, "ts_ns": 3_500}


def fill_record(number: int, units: int, price: int) -> Any:
    return {
        "kind": "fill", "ts_ns": number * 1000 + 8, "client_order_id": f"s-{number}",
        "price_units": price, "price_decimals": 0, "quantity_units": units, "quantity_decimals": 2,
    }  # fmt: skip


def access(number: int, symbol: str, nth: int, times: tuple[int, int, int], **said: Any) -> Any:
    """An acquire and a release; `times` are when, after what wait, and how long it was held."""
    at_ns, wait_ns, hold_ns = times
    same = {"symbol": symbol, "lock_id": number, "access": f"access#{nth}"}
    outcome = said.pop("outcome", "answered")
    acquire = {"action": "ZMQ_LOCK_ACQUIRE", "ts_ns": at_ns, **same, **said, "wait_ns": wait_ns}
    release = {"action": "ZMQ_LOCK_RELEASE", "ts_ns": at_ns + hold_ns, **same, "outcome": outcome}
    return [acquire, release | {"hold_ns": hold_ns}]


def requested(number: int, symbol: str, ts_ns: int, sequence: int) -> Any:
    return {
        "kind": "request", "client_id": f"s-{number}", "symbol": symbol, "ts_ns": ts_ns,
        "action": "TRADE", "action_type": "ORDER_TYPE_BUY", "sequence": sequence,
    }  # fmt: skip


def asked(token: str, ts_ns: int, sequence: int) -> Any:
    return {
        "kind": "request", "client_id": token, "symbol": "", "ts_ns": ts_ns, "action": "ORDERS",
        "action_type": "", "sequence": sequence,
    }  # fmt: skip


REQUESTS: list[Any] = [
    requested(1, BTC, 1_100, 2), requested(2, BTC, 2_100, 3), requested(3, ETH, 3_100, 4),
    requested(4, ETH, 3_920, 5), requested(5, ETH, 4_020, 6), requested(5, ETH, 4_120, 7),
]  # fmt: skip


def sold(number: int, token: str = "") -> Any:
    return {"kind": "TRADE", "token": token or f"s-{number}"}


def some_symbol(name: str) -> StressSymbol:
    return StressSymbol(name, "1", "0.01", "1", "100", 10.0)


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
    "plan": StressPlan(
        symbols=(some_symbol(BTC), some_symbol(ETH)), signals=4, seconds=0.0, seed=1,
        dead_after_s=2.0,
    ),
    "texts": {"engine.err": "", "home/journal": "nothing", "simulator.jsonl": "{}"},
    "listed": {"engine.err": "aa", "simulator.jsonl": "bb"},
    "hashes": {"engine.err": "aa", "simulator.jsonl": "bb"},
    "gateway": [
        {"action": "GATEWAY_OPENED", "ts_ns": 0, "tokens": "q1"},
        *access(1, BTC, 1, (1_000, 5, 400), **sold(1)),
        *access(2, BTC, 2, (2_000, 9, 400), **sold(2)),
        access(3, ETH, 1, (3_000, 7, 800), **sold(3))[0],
        {"action": "ZMQ_REPLY_LOST", "ts_ns": 3_100},
        access(3, ETH, 1, (3_000, 7, 800), **sold(3), outcome="lost")[1],
        *access(4, ETH, 2, (3_900, 6, 50), **sold(4)),
        *access(5, ETH, 3, (4_000, 6, 50), **sold(5)),
        *access(6, ETH, 4, (4_100, 6, 50), **sold(5)),
        *access(7, "*", 1, (4_200, 6, 50), kind="ORDERS", token="q1.1"),
        {"action": "GATEWAY_CLOSED", "ts_ns": 9_000, "answered": 6},
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
        refused(BTC), refused(BTC), refused(ETH),
        journal_order(4, ETH, "SELL", 30, 12), update(4, ETH, 0, "CANCELLED"),
        journal_order(5, ETH, "SELL", 20, 12), update(5, ETH, 0, "REJECTED"),
        {"kind": "sealed", "ts_ns": 9_000},
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
        {
            "fill_id": str(n), "client_order_id": f"s-{n}", "quantity": quantity, "price": price,
            "realised": realised,
        }
        for n, quantity, price, realised in (
            (1, "0.02", "100", "0"), (2, "0.01", "110", "0.10"), (3, "0.50", "10", "0.00"),
        )
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
    "tickets": [],
    "requests": REQUESTS,
    "deals": [
        deal(1, BTC, True, "0.02", "100", "0.1"),
        deal(2, BTC, False, "0.01", "110", "0.05") | {"profit_money": "0.10"},
        deal(3, ETH, True, "0.50", "10", "0.2"),
    ],
    "audit": [
        asked("q0.1", 0, 1), *REQUESTS, asked("q1.1", 4_210, 8),
        {"kind": "removed", "ticket": 4},
        {"kind": "refused", "client_id": "s-5"},
        {
            "kind": "books", "open_orders": 0, "requests": 8, "repeated_client_ids": {},
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
