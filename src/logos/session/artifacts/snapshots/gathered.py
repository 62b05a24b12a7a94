"""What a journal says of what came from outside, and how far its session got: added up as its
records come, by whoever writes or reads them, so that a snapshot can say it of all before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from logos.core.commands import RECONCILED
from logos.core.gates import NO_EPOCHS, Epochs
from logos.core.records import (
    AccountRecord,
    CommandRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
    Record,
    SwitchRecord,
)
from logos.core.types import OrderStatus


class Gathered(msgspec.Struct):
    """See `Recording`, whose fields these are; `epochs` are pairs."""

    switches: list[SwitchRecord] = []
    commands: list[CommandRecord] = []
    last_tick_id: int = 0
    last_ns: int = 0
    orders: int = 0
    epochs: list[tuple[int, Epochs]] = []
    last_order_id: int = 0

    def see_all(self, records: Sequence[Any]) -> None:
        """The same as `see` of each."""
        last_ns, last_tick_id, orders = self.last_ns, self.last_tick_id, 0
        for record in records:
            kind = type(record)
            # Most records, of which nothing else is to be noted. Each kind reads its own fields:
            # where one place reads those of several, the interpreter looks them up anew each time.
            if kind is OrderUpdate:
                ts_ns, tick_id = record.ts_ns, record.tick_id
                if record.status is OrderStatus.NEW and not record.quantity_units:
                    orders += 1  # it was held until now
            elif kind is PaperFillRecord:
                ts_ns, tick_id = record.ts_ns, record.tick_id
            elif kind is PositionRecord or kind is AccountRecord:
                ts_ns, tick_id = record.ts_ns, 0
            else:
                self.see(record)
                continue
            if tick_id > last_tick_id:
                last_tick_id = tick_id
            if ts_ns > last_ns:
                last_ns = ts_ns
        self.orders += orders
        self.last_ns = max(self.last_ns, last_ns)
        self.last_tick_id = max(self.last_tick_id, last_tick_id)

    def see(self, record: Record) -> None:
        """Take note of the next record."""
        kind = type(record)
        tick_id = getattr(record, "tick_id", 0)  # samples bear none
        if tick_id > self.last_tick_id:
            self.last_tick_id = tick_id
        if record.ts_ns > self.last_ns:
            self.last_ns = record.ts_ns
        # Fills and samples, which are most records.
        if kind is PaperFillRecord or kind is PositionRecord or kind is AccountRecord:
            return
        if isinstance(record, OrderUpdate):
            is_sent = record.status is OrderStatus.NEW and not record.quantity_units
            self.orders += is_sent  # it was held until now
        elif isinstance(record, OrderRecord):
            self.orders += 1
            self.last_order_id = record.order_id
            before = self.epochs[-1][1] if self.epochs else NO_EPOCHS
            epochs = Epochs(record.fleet_epoch, record.claim_epoch)
            if epochs != before:
                self.epochs.append((record.order_id, epochs))
        elif isinstance(record, SwitchRecord):
            self.switches.append(record)
        elif isinstance(record, CommandRecord) and record.action != RECONCILED:
            self.commands.append(record)
