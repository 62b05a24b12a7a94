"""From records to the JSON log: one line for each decision."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from logos.core.records import (
    BlockedRecord,
    CommandRecord,
    GuardRecord,
    NoteRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    Record,
    RefusalRecord,
    SwitchRecord,
    WarmUpRecord,
    WarningRecord,
)
from logos.core.types import Code, OrderStatus, SwitchState
from logos.journal.jsonlog import JsonLog

_ORDER_ACTIONS = {status: f"ORDER_{status.value}" for status in OrderStatus}


class DecisionLog:
    """Writes records as decisions, with the kill switch's state at that moment."""

    def __init__(self, log: JsonLog) -> None:
        self._log = log
        self.switch_state = SwitchState.SAFE

    def write(self, records: Sequence[Record], bodies: Sequence[bytes]) -> None:
        """Log those of `records` that are decisions; samples of the books are not.

        `bodies` are the records as the journal has them: an order is not encoded twice.
        """
        for record, body in zip(records, bodies, strict=True):
            # The most frequent first.
            if isinstance(record, OrderUpdate):
                action = "ORDER_RESIZED" if record.quantity_units else _ORDER_ACTIONS[record.status]
                self._write(record, action, record.reason, body)
            elif isinstance(record, OrderRecord):
                self._write(record, "ORDER", record.notes, body)
            elif isinstance(record, PaperFillRecord):
                self._write(record, "FILL", record.liquidity._value_, body)
            elif isinstance(record, RefusalRecord):
                if record.code is Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING:
                    self.switch_state = SwitchState.ENGAGED  # gate 2 saw it before the session did
                codes = ",".join(code.value for code in (record.code, *record.also))
                self._write(record, "REFUSED", f"{codes}: {record.detail}")
            elif isinstance(record, GuardRecord):
                self._log.decision(
                    record.ts_ns,
                    record.tick_id,
                    f"GUARD_{record.action.upper()}",
                    f"{record.code.value}: {record.detail}",
                    self.switch_state,
                    record.subject,
                )
            elif isinstance(record, BlockedRecord):
                self._write(record, "BLOCKED", record.code.value)
            elif isinstance(record, SwitchRecord):
                self.switch_state = SwitchState[record.state]
                self._log.decision(
                    record.ts_ns, record.tick_id, "SWITCH", record.reason, self.switch_state, ""
                )
            elif isinstance(record, CommandRecord):
                self._log.decision(
                    record.ts_ns,
                    record.tick_id,
                    f"COMMAND_{record.action.upper()}",
                    f"{record.reason} (by {record.by})",
                    self.switch_state,
                    "",
                )
            elif isinstance(record, WarmUpRecord):
                words = f"over after {record.bars} bars, {record.past_bars} of them from before"
                self._write(record, "WARM_UP", words)
            elif isinstance(record, WarningRecord):
                self._write(record, "WARNING", f"{record.code}: {record.detail}")
            elif isinstance(record, NoteRecord):
                self._write(record, "NOTE", record.text)

    def _write(
        self,
        record: OrderRecord
        | OrderUpdate
        | PaperFillRecord
        | RefusalRecord
        | BlockedRecord
        | WarmUpRecord
        | WarningRecord
        | NoteRecord,
        action: str,
        reason: str,
        body: bytes | None = None,
    ) -> None:
        order = None if body is None else msgspec.Raw(body)
        self._log.decision(
            record.ts_ns, record.tick_id, action, reason, self.switch_state, record.symbol, order
        )
