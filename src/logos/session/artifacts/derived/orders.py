"""The orders of a session that were filled, as those need them who read its fills: from the rows of
orders.csv, all of them at once, or in turn as the fills come."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from logos.session.artifacts.derived.reading import Cells, Row, number, plain_text


class FilledOrder(msgspec.Struct, frozen=True, gc=False):
    """What of an order is needed to judge its fills."""

    type: str
    filled: Decimal
    reference_price: Decimal
    stop_price: Decimal
    tag: str


def filled_orders(rows: Iterable[Row]) -> dict[int, FilledOrder]:
    """The orders of orders.csv that were filled at least in part, by id."""
    found = {}
    for row in rows:
        filled = number(row["filled"])
        if filled:
            found[int(row["order_id"])] = FilledOrder(
                row["type"],
                filled,
                number(row["reference_price"]),
                number(row["stop_price"]),
                plain_text(row["tag"]),
            )
    return found


class EndedOrder(msgspec.Struct, frozen=True, gc=False):
    """What of an order is needed to make trips of its fills."""

    filled: Decimal
    tag: str


ORDER_CELLS: Final = ("order_id", "filled", "tag")
"""The columns of orders.csv that `OrdersInTurn` reads."""


class OrdersInTurn:
    """The orders that were filled, by id, from the `ORDER_CELLS` of orders.csv.

    Those come in the order in which orders ended, and no further ones are read than are asked for.
    So memory holds the orders whose fills are not all there yet, however many there were.
    """

    def __init__(self, rows: Iterable[Cells]) -> None:
        self._coming = iter(rows)
        self._waiting: dict[int, EndedOrder] = {}

    def get(self, order_id: int) -> EndedOrder | None:
        """The order; None: there is none. Raises ValueError for a row that is none of an order."""
        waiting = self._waiting
        while order_id not in waiting:
            row = next(self._coming, None)
            if row is None:
                return None
            number_, filled_text, tag = row
            filled = number(filled_text)
            if filled:
                waiting[int(number_)] = EndedOrder(filled, plain_text(tag))
        return waiting[order_id]

    def forget(self, order_id: int) -> None:
        """All its fills were seen."""
        self._waiting.pop(order_id, None)
