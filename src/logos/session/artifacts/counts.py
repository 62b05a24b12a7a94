"""Counts over a session's records: what the report says besides the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from logos.core.guards import Action
from logos.core.records import (
    BlockedRecord,
    CorporateActionRecord,
    GuardRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    Record,
    RefusalRecord,
    SwitchRecord,
    WarmUpRecord,
    WarningRecord,
)
from logos.core.types import SwitchState
from logos.session.artifacts.averages import AverageCosts
from logos.session.artifacts.rows import Moments

_STOPPING = (Action.HALT.value, Action.ENGAGE.value)
_LISTED_MAX = 100
"""Warnings and switch changes that are kept word for word; all are counted and journalled."""


class RecordCounts:
    """Running counts; `add` is called with every record once."""

    def __init__(self) -> None:
        self.orders: Counter[str] = Counter()
        self.fills: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.refused = 0
        self.guards: Counter[str] = Counter()
        self.ended_by: Counter[str] = Counter()
        self.blocked = 0
        self.warning_count = 0
        self.warnings: list[WarningRecord] = []
        self.warm_ups: list[WarmUpRecord] = []
        self.switch_changes: list[SwitchRecord] = []
        self.trigger: GuardRecord | SwitchRecord | None = None
        """What first halted the session or engaged the switch."""
        self.averages = AverageCosts()

    def save(self) -> dict[str, Any]:
        """All counts, as plain JSON data."""
        return {
            **{
                name: dict(value) if isinstance(value, Counter) else msgspec.to_builtins(value)
                for name, value in vars(self).items()
                if value is not self.averages
            },
            "averages": self.averages.save(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `save` told. Raises LookupError or ValueError for anything else."""
        averages = self.averages
        averages.load(state["averages"])
        for name, value in vars(self).items():
            setattr(self, name, Counter(state[name]) if isinstance(value, Counter) else state[name])
        self.warnings = msgspec.convert(state["warnings"], list[WarningRecord])
        self.warm_ups = msgspec.convert(state["warm_ups"], list[WarmUpRecord])
        self.switch_changes = msgspec.convert(state["switch_changes"], list[SwitchRecord])
        self.trigger = msgspec.convert(state["trigger"], GuardRecord | SwitchRecord | None)
        self.averages = averages

    def add(self, records: Iterable[Record]) -> None:
        """Count these records."""
        for record in records:
            kind = type(record)
            if kind is OrderRecord:
                self.orders[record.symbol] += 1  # type: ignore[union-attr]
            elif kind is OrderUpdate:
                if record.reason:  # type: ignore[union-attr]
                    self.ended_by[record.reason] += 1  # type: ignore[union-attr]
            elif kind is PaperFillRecord:
                self.fills[record.symbol] += 1  # type: ignore[union-attr]
                self.averages.add(record)  # type: ignore[arg-type]
            elif kind is CorporateActionRecord:
                self.averages.add_action(record)  # type: ignore[arg-type]
            elif kind is BlockedRecord:
                self.blocked += 1
            elif kind is RefusalRecord:
                self._add_refusal(record)  # type: ignore[arg-type]
            elif kind is GuardRecord:
                self._add_guard(record)  # type: ignore[arg-type]
            elif kind is WarningRecord:
                self.warning_count += 1
                if len(self.warnings) < _LISTED_MAX:
                    self.warnings.append(record)  # type: ignore[arg-type]
            elif kind is WarmUpRecord:
                self.warm_ups.append(record)  # type: ignore[arg-type]
            elif kind is SwitchRecord:
                self._add_switch(record)  # type: ignore[arg-type]

    def _add_guard(self, guard: GuardRecord) -> None:
        self.guards[guard.code.value] += 1
        if self.trigger is None and is_stopping(guard):
            self.trigger = guard

    def _add_switch(self, switch: SwitchRecord) -> None:
        if len(self.switch_changes) < _LISTED_MAX:
            self.switch_changes.append(switch)
        if self.trigger is None and is_stopping(switch):
            self.trigger = switch

    def _add_refusal(self, refusal: RefusalRecord) -> None:
        """One refusal, and one count for each guard that tripped on it."""
        self.refused += 1
        for code in (refusal.code, *refusal.also):
            self.refusals[code.value] += 1


def is_stopping(record: GuardRecord | SwitchRecord) -> bool:
    """Whether what it tells of halts the session or engages the switch."""
    if isinstance(record, GuardRecord):
        return record.action in _STOPPING
    return record.state == SwitchState.ENGAGED.name


def trigger_figures(first: GuardRecord | SwitchRecord | None) -> dict[str, Any] | None:
    """What first halted a session or engaged the switch, as JSON values; None: nothing did."""
    if first is None:
        return None
    when = {"time": Moments().text(first.ts_ns), "tick_id": first.tick_id}
    if isinstance(first, GuardRecord):
        what = {"guard": first.code.value, "action": first.action, "subject": first.subject}
        return {**when, **what, "detail": first.detail}
    return {**when, "guard": "", "action": "", "subject": "kill switch", "detail": first.reason}


def trigger_words(figures: Mapping[str, Any]) -> str:
    """The same in a line for people."""
    what = " ".join(filter(None, (figures["guard"], figures["subject"])))
    how = f", action {figures['action']}" if figures["action"] else ""
    return f"{what} at tick {figures['tick_id']}, {figures['time']}: {figures['detail']}{how}"
