"""Judges a session from its journal alone, with code of its own (docs/ARTIFACTS.md is its source).

It knows fewer rules than `logos verify`, and shares none with it: what this finds and `verify` does
not is a fault of `verify`.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attack_box import LIMITS, MAX_ORDERS, START, WINDOW_S

MINUTE_NS = 60_000_000_000
ENDS = frozenset({"FILLED", "CANCELLED", "REJECTED", "EXPIRED"})


def bodies(journal: Path) -> tuple[list[dict[str, Any]], str]:
    """The whole records up to the first bad line, and what is wrong with that ("": nothing)."""
    found: list[dict[str, Any]] = []
    digest = b"\0" * 32
    for number, line in enumerate(journal.read_bytes().split(b"\n")[:-1], 1):
        head, middle, rest = line.partition(b',"body":')
        body = rest[:-1]
        try:
            said = json.loads(head + b"}")
            value = json.loads(body)
        except ValueError as error:
            return found, f"record {number}: {error}"
        digest = hashlib.sha256(digest + body).digest()
        crc = format(zlib.crc32(body, number), "08x")
        if not middle or said != {"seq": number, "crc": crc, "hash": digest.hex()[:16]}:
            return found, f"record {number}: its number, CRC or hash do not fit"
        found.append(value)
    return found, ""


@dataclass
class Order:
    """An order as the journal speaks of it."""

    side: str
    quantity: int
    filled: int = 0
    may_fill: int = 0  # what its end says; an end comes before the fills that belong to it


@dataclass
class Judge:
    """Goes through the records in order and keeps what is wrong, in words."""

    bars: list[tuple[int, int, int, int]]
    wrong: list[str] = field(default_factory=list)
    orders: dict[int, Order] = field(default_factory=dict)
    open: dict[int, Order] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    position: int = 0
    is_engaged: bool = False
    made_at: deque[int] = field(default_factory=deque)

    def judge(self, records: list[dict[str, Any]]) -> list[str]:
        """What the records show that must not be."""
        for record in records:
            kind = record.get("kind", "")
            self.seen[kind] += 1
            look = getattr(self, f"_see_{kind}", None)
            if look is not None:
                look(record)
        return self.wrong

    def _see_switch(self, record: dict[str, Any]) -> None:
        self.is_engaged = record["state"] == "ENGAGED"

    def _see_order(self, record: dict[str, Any]) -> None:
        number, quantity = record["order_id"], record["quantity_units"]
        where = f"order {number}"
        if self.is_engaged:
            self._say(f"{where} was made while the switch was ENGAGED")
        if number != self.seen["order"]:
            self._say(f"{where} is order number {self.seen['order']}")
        if record["symbol"] != "ACME" or record["side"] not in ("BUY", "SELL"):
            self._say(f"{where}: {record['symbol']} {record['side']}")
        if not 0 < quantity <= LIMITS["max_order_quantity"]:
            self._say(f"{where}: quantity {quantity}")
        prices = [record[f"{kind}_price_units"] for kind in ("limit", "stop", "reference")]
        if min(prices) < 0 or prices[2] == 0:
            self._say(f"{where}: prices {prices}")
        named = [each for each in prices[:2] if each] or prices[2:]
        if quantity * min(*named, prices[2]) > LIMITS["max_order_notional"] * 100:
            self._say(f"{where}: {quantity} at {named} is worth too much")
        if len(self.open) >= LIMITS["max_open_orders"]:
            self._say(f"{where}: {len(self.open)} orders were open")
        self._rate(record["ts_ns"], where)
        order = Order(record["side"], quantity, may_fill=quantity)
        self.orders[number] = self.open[number] = order
        for side, sign in (("BUY", 1), ("SELL", -1)):
            rest = sum(
                each.quantity - each.filled for each in self.open.values() if each.side == side
            )
            could = sign * self.position + rest
            if side == record["side"] and could > LIMITS["max_position"]:
                self._say(f"{where}: the position could be {could}")

    def _rate(self, now_ns: int, where: str) -> None:
        while self.made_at and self.made_at[0] <= now_ns - WINDOW_S * 10**9:
            self.made_at.popleft()
        self.made_at.append(now_ns)
        if len(self.made_at) > MAX_ORDERS:
            self._say(f"{where}: {len(self.made_at)} orders in {WINDOW_S} s")

    def _see_order_update(self, record: dict[str, Any]) -> None:
        order = self.open.get(record["order_id"])
        if order is None:
            self._say(f"order {record['order_id']} has an update and is not open")
        elif record["status"] in ENDS:
            order.may_fill = record["filled_units"]
            del self.open[record["order_id"]]

    def _see_fill(self, record: dict[str, Any]) -> None:
        where = f"fill {record['fill_id']}"
        order = self.orders.get(record["order_id"])
        if order is None:
            self._say(f"{where} is of order {record['order_id']}, which was not made")
            return
        order.filled += record["quantity_units"]
        if order.filled > order.may_fill or record["quantity_units"] <= 0:
            self._say(f"{where}: {order.filled} filled of {order.may_fill}")
        if record["side"] != order.side:
            self._say(f"{where}: {record['side']} of an order to {order.side}")
        self.position += record["quantity_units"] * (1 if order.side == "BUY" else -1)
        if record["position_units"] != self.position:
            self._say(f"{where}: position {record['position_units']} and not {self.position}")
        self._price(record, where)

    def _price(self, record: dict[str, Any], where: str) -> None:
        """No fill lies outside of its bar by more than the one tick of slippage."""
        number = (record["ts_ns"] - int(START.timestamp()) * 10**9) // MINUTE_NS - 1
        if not 0 <= number < len(self.bars):
            self._say(f"{where} is of no bar")
            return
        _, high, low, _ = self.bars[number]
        if not low - 1 <= record["price_units"] <= high + 1:
            self._say(f"{where}: price {record['price_units']} in a bar of {low} to {high}")

    def _say(self, words: str) -> None:
        self.wrong.append(words)


def order_ids(records: list[dict[str, Any]]) -> list[int]:
    """The orders of a journal."""
    return [each["order_id"] for each in records if each["kind"] == "order"]
