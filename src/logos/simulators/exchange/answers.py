"""Rows of an answer, spoilt as a fault says; shared by every shape."""

from __future__ import annotations

from typing import TypeVar

from logos.simulators.exchange.faults import Fault

_Row = TypeVar("_Row")


def spoil_rows(rows: list[_Row], fault: Fault | None) -> list[_Row]:
    """The rows of an answer as a fault leaves them."""
    third = max(1, len(rows) // 3)
    if fault is Fault.DUPLICATE:
        return [row for row in rows for _ in range(2)]
    if fault is Fault.REORDERED:
        return rows[::-1]
    if fault is Fault.LATE:
        return rows[:-third]
    if fault is Fault.GAP:
        return [*rows[:third], *rows[2 * third :]]
    return rows
