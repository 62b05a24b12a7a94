"""What a gateway told of orders and executions, kept over its connections.

- An execution is one fill. A correction (the same id, with another number behind its last period)
  takes its place until it was handed over; after that what was handed over stays, because it is
  booked, and the quantity of the order, or the holdings, will differ.
- Ended orders are listed on the day of their end only; what was heard of them before stays.
- A fill waits for its commission, which comes after it: interactivebrokers.github.io/tws-api/
  executions_commissions.html. Of orders of other clients no commission is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from logos.adapters.ib.codes import ENDS
from logos.adapters.ib.messages import Cost, Executed, Listed, Status


class Ledger:
    """Executions by id, with what they cost; what the broker said of an order."""

    def __init__(self) -> None:
        self._executions: dict[str, Executed] = {}
        self._costs: dict[str, Cost] = {}
        self._handed: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        """Why an order was refused or cancelled, by its reference."""
        self._orders: dict[str, Listed] = {}
        """Orders as they were last told, by their reference."""
        self._references: dict[int, str] = {}
        """The reference of an order by its `permId`."""

    def hear_order(self, order: Listed) -> None:
        if not order.order_ref:
            return
        before = self._orders.get(order.order_ref)
        if before is not None and order.filled is None:
            # What of it filled comes behind it, in a message of its own.
            order = msgspec.structs.replace(order, filled=before.filled)
        self._orders[order.order_ref] = order
        self._references[order.perm_id] = order.order_ref

    def hear_status(self, status: Status) -> None:
        order = self._orders.get(self._references.get(status.perm_id, ""))
        if order is not None:
            self._orders[order.order_ref] = msgspec.structs.replace(
                order, status=status.status, filled=status.filled
            )

    def hear_execution(self, execution: Executed) -> None:
        self._executions[execution.exec_id] = execution

    def hear_cost(self, cost: Cost) -> None:
        self._costs[cost.exec_id] = cost

    def hear_refusal(self, order_ref: str, words: str) -> None:
        self.refusals[order_ref] = words

    def cost_of(self, execution: Executed) -> Cost | None:
        """What it cost; None while that was not told."""
        return self._costs.get(execution.exec_id)

    def ended(self, order_ref: str, executed: Sequence[Executed]) -> Listed | None:
        """An order whose end was told, or whose executions make up all of it; None: neither."""
        told = self._orders.get(order_ref)
        if told is None or (told.status in ENDS and told.filled is not None):
            return told
        filled = sum((each.quantity for each in executed), Decimal(0))
        if filled != told.quantity:
            return None
        return msgspec.structs.replace(told, status="Filled", filled=filled)

    def executions(self) -> list[Executed]:
        """One revision of each, oldest first: the one that was handed over, or else the latest."""
        latest: dict[str, Executed] = {}
        for each in self._executions.values():
            before = latest.get(each.stem)
            if before is None or _revision(each) > _revision(before):
                latest[each.stem] = each
        found = [
            self._executions[self._handed[stem]] if stem in self._handed else each
            for stem, each in latest.items()
        ]
        return sorted(found, key=lambda each: (each.ts_ns, each.exec_id))

    def hand_over(self, executions: Iterable[Executed]) -> None:
        """Take note that these were told as fills: they stay as they are."""
        for each in executions:
            self._handed.setdefault(each.stem, each.exec_id)


def _revision(execution: Executed) -> int:
    text = execution.exec_id.rpartition(".")[2]
    return int(text) if text.isdecimal() else 0
