"""What a journal's records come to at its end: counts, last samples, the switch.

Counted anew for the files that repeat them, by code that shares nothing with what wrote them.
"""

from __future__ import annotations

from collections import Counter

from logos.audit.money.averages import AverageBooks
from logos.audit.money.carried import carry_of
from logos.config import make_config
from logos.core.records import (
    AccountRecord,
    BlockedRecord,
    CorporateActionRecord,
    GuardRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
    RefusalRecord,
    SwitchRecord,
    WarningRecord,
)
from logos.journal.entries import Manifest, SessionRecord


class Figures:
    """Give it every record of a journal, in order."""

    def __init__(self) -> None:
        self.orders: Counter[str] = Counter()
        self.fills: Counter[str] = Counter()
        """By symbol."""
        self.refusals: Counter[str] = Counter()
        self.guards: Counter[str] = Counter()
        self.ended_by: Counter[str] = Counter()
        """By code."""
        self.refused = 0
        self.blocked = 0
        self.warnings = 0
        self.switch: list[str] = []
        """The states that the session saw, in order."""
        self.positions: dict[str, PositionRecord] = {}
        self.accounts: dict[str, AccountRecord] = {}
        """The last sample of each symbol and currency."""
        self.averages = AverageBooks()
        self.last_tick_id = 0
        """The latest that a record bears: later ticks may have left none."""

    def see(self, record: SessionRecord) -> None:
        """Take in the next record."""
        self.last_tick_id = max(self.last_tick_id, getattr(record, "tick_id", 0))
        if isinstance(record, OrderUpdate):
            if record.reason:
                self.ended_by[record.reason] += 1
        elif isinstance(record, OrderRecord):
            self.orders[record.symbol] += 1
        elif isinstance(record, PaperFillRecord):
            self.fills[record.symbol] += 1
            self.averages.see(record)
        elif isinstance(record, Manifest):
            carry = carry_of(make_config(record.config))
            if carry is not None:
                self.averages.take_over(carry)
        elif isinstance(record, CorporateActionRecord):
            self.averages.see_action(record)
        elif isinstance(record, PositionRecord):
            self.positions[record.symbol] = record
        elif isinstance(record, AccountRecord):
            self.accounts[record.currency] = record
        elif isinstance(record, RefusalRecord):
            self.refused += 1
            self.refusals.update(code.value for code in (record.code, *record.also))
        elif isinstance(record, GuardRecord):
            self.guards[record.code.value] += 1
        elif isinstance(record, BlockedRecord):
            self.blocked += 1
        elif isinstance(record, WarningRecord):
            self.warnings += 1
        elif isinstance(record, SwitchRecord):
            self.switch.append(record.state)
