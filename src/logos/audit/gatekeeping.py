"""Whether each order may have been made in the state that the kill switch had, and in its symbol.

The journal holds every state of the switch that the session took note of. An order made while it
was ENGAGED, or one that did more than reduce a position while it was REDUCE_ONLY, went round the
gate; a guard that was to engage the switch and was not followed by that change had its switch
taken away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from logos.audit.open_orders import OpenOrder, SymbolBook
from logos.core.records import (
    CommandRecord,
    GuardRecord,
    OrderRecord,
    OrderUpdate,
    SwitchRecord,
)
from logos.core.types import Code, SwitchState
from logos.journal.entries import SessionRecord

Found = Callable[[int, str], None]
"""Takes the number of a record and what is wrong with it."""

_DEMANDS: Final = {"engage": SwitchState.ENGAGED, "reduce_only": SwitchState.REDUCE_ONLY}


class SwitchJudge:
    """Follows the switch and the paused symbols of one session."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._state = SwitchState.SAFE
        self._paused: set[str] = set()
        self._is_halted = False
        self._demanded: SwitchState | None = None
        self._demanded_at = 0
        self._has_differed = False
        self._waiting: list[tuple[int, int, str]] = []
        """Record, tick and words of orders that only a reset in the same tick would explain."""

    def see(self, sequence: int, record: SessionRecord) -> None:
        """Take in the record with this number, before any order in it is judged."""
        if self._demanded is not None:
            is_met = isinstance(record, SwitchRecord) and _state(record) >= self._demanded
            if not is_met:
                name = self._demanded.name
                self._found(self._demanded_at, f"a guard was to make the switch {name}; it did not")
            self._demanded = None
        kind = type(record)
        if kind is OrderUpdate or kind is OrderRecord:
            return  # nearly every record is of an order
        if isinstance(record, SwitchRecord):
            self._see_switch(sequence, record)
        elif isinstance(record, GuardRecord):
            self._is_halted = self._is_halted or record.action == "halt"
            self._has_differed = self._has_differed or record.code is Code.RECONCILIATION
            demanded = _DEMANDS.get(record.action)
            if demanded is not None and demanded > self._state:
                self._demanded, self._demanded_at = demanded, sequence
        elif isinstance(record, CommandRecord):
            self._see_command(sequence, record)

    def judge(
        self, sequence: int, order: OpenOrder, record: OrderRecord | OrderUpdate, book: SymbolBook
    ) -> None:
        """Judge an order that is not open yet, or one that was held and is sent now."""
        name = f"order {order.order_id} of {record.symbol}"
        done = "sent" if isinstance(record, OrderUpdate) else "made"
        if record.symbol in self._paused and not (order.is_exit and done == "made"):
            self._found(sequence, f"{name}: {done} while an operator had paused the symbol")
        if self._is_halted:
            self._found(sequence, f"{name}: {done} after a guard had halted the session")
        words = ""
        if self._state is SwitchState.ENGAGED:
            words = f"{name}: {done} while the kill switch was ENGAGED"
        elif self._state is SwitchState.REDUCE_ONLY and not _only_reduces(order, book):
            words = f"{name}: grows the position, {done} while the kill switch was REDUCE_ONLY"
        if words:
            self._waiting.append((sequence, record.tick_id, words))

    def close(self) -> None:
        """There are no more records."""
        for sequence, _, words in self._waiting:
            self._found(sequence, words)
        self._waiting.clear()

    def _see_switch(self, sequence: int, record: SwitchRecord) -> None:
        if record.state not in SwitchState.__members__:
            self._found(sequence, f"{record.state!r} is no state of a kill switch")
            return
        state = _state(record)
        # A person may reset the switch between gate 1 and gate 2; gate 1 notes it at the next tick.
        is_reset = state is SwitchState.SAFE
        for at, tick_id, words in self._waiting:
            if not (is_reset and record.tick_id <= tick_id + 1):
                self._found(at, words)
        self._waiting.clear()
        self._state = state

    def _see_command(self, sequence: int, record: CommandRecord) -> None:
        if record.action == "pause":
            self._paused.add(record.symbol)
        elif record.action == "unpause":
            self._paused.discard(record.symbol)
        elif record.action == "flatten":
            self._paused.clear()
        elif record.action == "reconcile" and not self._has_differed:
            self._found(sequence, "it was reconciled, and no difference had been found")


def _state(record: SwitchRecord) -> SwitchState:
    """The state; one that nobody knows counts as the worst."""
    return SwitchState.__members__.get(record.state, SwitchState.ENGAGED)


def _only_reduces(order: OpenOrder, book: SymbolBook) -> bool:
    """Whether the order can only shrink the position, even after what is open of its side."""
    if order.reduce_only:
        return book.shrinks(order, order.quantity)
    if order.sign * book.position >= 0:
        return False
    ahead = book.in_flight(order.is_buy)
    if order.order_id in book.open:
        ahead -= order.remaining
    return order.quantity + ahead <= abs(book.position)
