"""The CSV artifacts of a session: projections of its records, written as they come.

Every figure is plain decimal text with all its decimals, every time ISO-8601 UTC with nine fraction
digits. Text that begins as a formula does is neutralised; docs/ARTIFACTS.md describes every column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from logos.core.orders import TRANSITIONS
from logos.core.records import (
    AccountRecord,
    NoteRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PaymentRecord,
    PlotRecord,
    PositionRecord,
    Record,
)
from logos.core.types import OrderStatus
from logos.session.artifacts.lines import account_line, fill_line, order_line, position_line
from logos.session.artifacts.notes import NoteTables
from logos.session.artifacts.payments import PAYMENT_COLUMNS, PAYMENTS, payment_row
from logos.session.artifacts.rows import Moments, Table, cell

ORDER_COLUMNS = (
    "order_id",
    "client_order_id",
    "created",
    "ended",
    "tick_id",
    "ended_tick_id",
    "symbol",
    "side",
    "type",
    "time_in_force",
    "quantity",
    "filled",
    "limit_price",
    "stop_price",
    "reference_price",
    "status",
    "reason",
    "fee",
    "tag",
    "notes",
    "reduce_only",
    "group",
)
TRADE_COLUMNS = (
    "fill_id",
    "time",
    "tick_id",
    "order_id",
    "client_order_id",
    "symbol",
    "side",
    "quantity",
    "price",
    "liquidity",
    "notional",
    "fee",
    "currency",
    "realised",
    "lots_closed",
    "lot_opened",
    "position",
    "symbol_realised",
    "symbol_fees",
    "wallet",
    "base_fee",
)
POSITION_COLUMNS = (
    "time",
    "symbol",
    "currency",
    "position",
    "mark",
    "cost",
    "realised",
    "unrealised",
    "fees",
    "open_lots",
)
ACCOUNT_COLUMNS = (
    "time",
    "currency",
    "balance",
    "locked",
    "initial",
    "realised",
    "fees",
    "unrealised",
    "equity",
    "high_water",
    "max_drawdown",
)

TABLES = ("orders.csv", "trades.csv", "positions.csv", "account.csv")


def tables_of(has_payments: bool) -> tuple[str, ...]:
    """The tables of a session, by whether time alone may bring or cost something in it."""
    return (*TABLES, PAYMENTS) if has_payments else TABLES


class ArtifactWriter:
    """Writes orders.csv, trades.csv, positions.csv and account.csv into a new session folder.

    Each order is kept from its record to the update that ends it: then its row is written.
    """

    def __init__(
        self,
        folder: Path,
        notional_units: dict[str, int],
        saved: Mapping[str, Any] | None = None,
        *,
        has_payments: bool = False,
        inverse: Collection[str] = (),
    ) -> None:
        """`notional_units` maps a symbol to the ledger units of one price unit times one
        quantity unit. With `saved` the tables are continued where they end. `has_payments` adds
        payments.csv and a column of account.csv; `inverse` symbols are worth that *by* the price.

        Raises FileExistsError when an artifact of a new session is there already."""
        self._unit_values = notional_units
        self._inverse = frozenset(inverse)
        self._moments = Moments()
        self._created = Moments()  # orders were made at other times than those that now are
        self._open_orders: dict[int, OrderRecord] = {}
        self._updates: dict[int, OrderUpdate] = {}
        with ExitStack() as opened:  # a file that cannot be made closes those before it

            def make(name: str, columns: Sequence[str]) -> Table:
                table = Table(folder / name, columns, is_there=saved is not None)
                opened.callback(table.close)
                return table

            self._orders = make("orders.csv", ORDER_COLUMNS)
            self._trades = make("trades.csv", TRADE_COLUMNS)
            self._positions = make("positions.csv", POSITION_COLUMNS)
            more = ("payments",) if has_payments else ()
            self._account = make("account.csv", (*ACCOUNT_COLUMNS, *more))
            self._payments = make(PAYMENTS, PAYMENT_COLUMNS) if has_payments else None
            self._notes = NoteTables(folder)
            opened.callback(self._notes.close)
            self._closing = opened.pop_all()
        tables = (self._orders, self._trades, self._positions, self._account, self._payments)
        self._tables = [table for table in tables if table is not None]
        if saved is not None:
            for order in msgspec.convert(saved["orders"], list[OrderRecord]):
                self._open_orders[order.order_id] = order
            for update in msgspec.convert(saved["updates"], list[OrderUpdate]):
                self._updates[update.order_id] = update

    def save(self) -> dict[str, Any]:
        """What is kept for rows to come, as plain JSON data."""
        return {
            "orders": msgspec.to_builtins(list(self._open_orders.values())),
            "updates": msgspec.to_builtins(list(self._updates.values())),
        }

    def write(self, records: Iterable[Record]) -> None:
        """Add the rows that these records make."""
        for record in records:
            kind = type(record)
            if kind is OrderUpdate:
                self._end_order(record)  # type: ignore[arg-type]
            elif kind is OrderRecord:
                self._open_orders[record.order_id] = record  # type: ignore[union-attr,assignment]
            elif kind is PaperFillRecord:
                fill: PaperFillRecord = record  # type: ignore[assignment]
                symbol = fill.symbol
                worth, is_inverse = self._unit_values[symbol], symbol in self._inverse
                self._trades.add(fill_line(fill, worth, is_inverse, self._moments))
            elif kind is PositionRecord:
                self._positions.add(position_line(record, self._moments))  # type: ignore[arg-type]
            elif kind is AccountRecord:
                account: AccountRecord = record  # type: ignore[assignment]
                has_payments = self._payments is not None
                self._account.add(account_line(account, has_payments, self._moments))
            elif kind is NoteRecord or kind is PlotRecord:
                self._notes.write(record)  # type: ignore[arg-type]
            elif kind is PaymentRecord:
                self._write_payment(record)  # type: ignore[arg-type]

    def flush(self) -> None:
        """Hand all rows to the operating system."""
        for table in self._tables:
            table.flush()
        self._notes.flush()

    def close(self) -> None:
        """Flush and close every file, even if one of them fails."""
        self._closing.close()

    def _end_order(self, update: OrderUpdate) -> None:
        """One row for each order, when it has ended."""
        if update.quantity_units:
            before = self._open_orders[update.order_id]
            self._open_orders[update.order_id] = msgspec.structs.replace(
                before,
                quantity_units=update.quantity_units,
                limit_price_units=update.limit_price_units or before.limit_price_units,
                stop_price_units=update.stop_price_units or before.stop_price_units,
            )
        if TRANSITIONS[update.status]:
            self._updates[update.order_id] = update
            return
        self._updates.pop(update.order_id, None)
        order = self._open_orders.pop(update.order_id)
        self._orders.add(order_line(order, update, True, self._created, self._moments))

    def write_open_orders(self) -> None:
        """Rows for the orders that are open, as they stand; when they ended is empty."""
        for order_id, order in self._open_orders.items():
            unheard = OrderUpdate(
                order.ts_ns, order.tick_id, order_id, order.symbol, OrderStatus.NEW, 0, 0, ""
            )
            update = self._updates.get(order_id, unheard)
            self._orders.add(order_line(order, update, False, self._created, self._moments))

    def _write_payment(self, payment: PaymentRecord) -> None:
        if self._payments is None:
            raise ValueError(f"a payment at {payment.ts_ns}, and the settings know of none")
        time, names = self._moments.text(payment.ts_ns), (payment.symbol, payment.currency)
        self._payments.add(payment_row(payment, time, *map(cell, names)))
