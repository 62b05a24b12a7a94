"""What a session's journal says now: open orders, latest orders and fills, and its history.

A journal is followed, so nothing is read twice and a session that runs costs its new lines. Of a
long one only the end is taken in whole: what comes before is looked through for the few records
that belong to the session's history (the switch, guards, commands). Every list has a bound.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Any, Final

from logos.core.orders import TRANSITIONS
from logos.core.types import OrderStatus
from logos.observe.dashboard.records import (
    HISTORY,
    SHOWN,
    Body,
    event_of,
    fill_of,
    history_of,
    kind_of,
    milliseconds,
    read_record,
)
from logos.observe.following import Follower, LostPlace, OpenFile

END_BYTES: Final = 32 << 20
"""About how much of a journal's end is taken in whole."""
ORDERS_MAX: Final = 300
OPEN_ORDERS_MAX: Final = 1_000
FILLS_MAX: Final = 300
EVENTS_MAX: Final = 200
HISTORY_MAX: Final = 500
_BYTES_AT_ONCE: Final = 1 << 20
_ENDED: Final = frozenset(status.value for status in OrderStatus if not TRANSITIONS[status])


class JournalView:
    """The journal at `path`, as far as it was read. For one thread at a time."""

    def __init__(self, path: Path, open_file: OpenFile, end_bytes: int = END_BYTES) -> None:
        """`end_bytes` is how much of its end is taken in whole."""
        self._path = path
        self._open_file = open_file
        self._end_bytes = end_bytes
        self._begin()

    def _begin(self) -> None:
        self._follower = Follower(self._path, open_file=self._open_file)
        self._whole_from: int | None = None
        self._orders: dict[int, dict[str, Any]] = {}
        self._decimals: dict[int, Body] = {}
        self._ended: deque[dict[str, Any]] = deque(maxlen=ORDERS_MAX)
        self._fills: deque[dict[str, Any]] = deque(maxlen=FILLS_MAX)
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS_MAX)
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY_MAX)
        self.unreadable = 0
        """Lines that are no records."""

    @property
    def place(self) -> tuple[int, str]:
        """Up to which byte the journal was read, and the mark of the line before it."""
        return self._follower.offset, self._follower.mark

    @property
    def is_partial(self) -> bool:
        """Whether only the journal's end was taken in whole."""
        return bool(self._whole_from)

    def read(self) -> None:
        """Take in what is new. A journal that was cut back is read anew. Raises OSError."""
        try:
            self._read()
        except LostPlace:
            self.close()
            self._begin()
            self._read()

    def _read(self) -> None:
        try:
            if self._whole_from is None:
                size = os.stat(self._path).st_size
                self._whole_from = max(0, size - self._end_bytes)
            while lines := self._follower.lines(_BYTES_AT_ONCE):
                wanted = SHOWN if self._follower.offset > self._whole_from else HISTORY
                for line in lines:
                    if kind_of(line) in wanted:
                        self._take(line)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file; `read` opens it again."""
        self._follower.close()

    def _take(self, line: bytes) -> None:
        try:
            self._see(read_record(line))
        except ValueError:
            self.unreadable += 1

    def _see(self, body: Body) -> None:
        if body.kind == "account":
            return
        if body.kind in HISTORY:
            self._history.append(history_of(body))
        elif body.kind == "order":
            self._see_order(body)
        elif body.kind == "order_update":
            self._see_update(body)
        elif body.kind == "fill":
            self._fills.append(fill_of(body))
        self._events.append(event_of(body))

    def _see_order(self, body: Body) -> None:
        self._orders[body.order_id] = {
            "id": body.order_id,
            "time": milliseconds(body.ts_ns),
            "ended": 0,
            "symbol": body.symbol,
            "side": body.side,
            "type": body.type,
            "time_in_force": body.time_in_force,
            "quantity": body.quantity(body.quantity_units),
            "filled": body.quantity(0),
            "limit_price": body.price(body.limit_price_units),
            "stop_price": body.price(body.stop_price_units),
            "status": "NEW",
            "reason": "",
            "fee": body.money(0),
            "tag": body.tag,
            "reduce_only": body.reduce_only,
        }
        self._decimals[body.order_id] = body
        if len(self._orders) > OPEN_ORDERS_MAX:  # whoever has so many open sees the latest
            oldest = next(iter(self._orders))
            del self._orders[oldest], self._decimals[oldest]

    def _see_update(self, body: Body) -> None:
        order = self._orders.get(body.order_id)
        if order is None:
            return  # it was made before what was taken in whole
        made = self._decimals[body.order_id]
        order["status"] = body.status
        order["reason"] = body.reason
        order["filled"] = made.quantity(body.filled_units)
        order["fee"] = made.money(body.fee_units)
        for name in ("limit_price", "stop_price"):
            if units := getattr(body, f"{name}_units"):
                order[name] = made.price(units)
        if body.quantity_units:
            order["quantity"] = made.quantity(body.quantity_units)
        if body.status in _ENDED:
            order["ended"] = milliseconds(body.ts_ns)
            self._ended.append(order)
            del self._orders[body.order_id], self._decimals[body.order_id]

    def orders(self) -> dict[str, Any]:
        """Open orders and the latest that ended, and the latest fills; the newest first."""
        return {
            "open": list(self._orders.values())[::-1],
            "ended": list(self._ended)[::-1],
            "fills": list(self._fills)[::-1],
            "is_partial": self.is_partial,
        }

    def history(self) -> list[dict[str, Any]]:
        """What switch, guards and operators did, the newest first."""
        return list(self._history)[::-1]

    def events(self) -> list[dict[str, Any]]:
        """The latest records, the newest first."""
        return list(self._events)[::-1]
