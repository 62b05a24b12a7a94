"""What a gateway told of orders and executions, kept over its connections.

- An execution is one fill. A correction (the same id, with another number behind its last period)
  takes its place until it was handed over; after that what was handed over stays, because it is
  booked, and the quantity of the order, or the holdings, will differ.
- A fill waits for its commission, which comes after it: interactivebrokers.github.io/tws-api/
  executions_commissions.html. Of orders of other clients no commission is told.
"""

from __future__ import annotations

from collections.abc import Iterable

from logos.adapters.ib.messages import Cost, Executed, Listed


class Ledger:
    """Executions by id, with what they cost; what the broker said of an order."""

    def __init__(self) -> None:
        self._executions: dict[str, Executed] = {}
        self._costs: dict[str, Cost] = {}
        self._handed: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        """Why an order was refused or cancelled, by its reference."""
        self.references: dict[int, str] = {}
        """The reference of an order by its `permId`."""

    def hear_order(self, order: Listed) -> None:
        if order.perm_id and order.order_ref:
            self.references[order.perm_id] = order.order_ref

    def hear_execution(self, execution: Executed) -> None:
        self._executions[execution.exec_id] = execution
        if execution.perm_id and execution.order_ref:
            self.references[execution.perm_id] = execution.order_ref

    def hear_cost(self, cost: Cost) -> None:
        self._costs[cost.exec_id] = cost

    def hear_refusal(self, order_ref: str, words: str) -> None:
        self.refusals[order_ref] = words

    def cost_of(self, execution: Executed) -> Cost | None:
        """What it cost; None while that was not told."""
        return self._costs.get(execution.exec_id)

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
