"""The CSV artifacts of a session: projections of its records, written as they come.

Every figure is plain decimal text with all its decimals, every time ISO-8601 UTC with nine fraction
digits. Text that begins as a formula does is neutralised; docs/ARTIFACTS.md describes every column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from logos.core.fixed import HALF_EVEN, divide, format_units
from logos.core.orders import TRANSITIONS
from logos.core.records import (
    AccountRecord,
    LotClosure,
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
from logos.session.artifacts.notes import NoteTables
from logos.session.artifacts.payments import PAYMENT_COLUMNS, PAYMENTS, payment_row
from logos.session.artifacts.rows import Moments, Table, cell, text_cell

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


_quantity_text = lru_cache(maxsize=4096)(format_units)
"""Quantities, and figures that are mostly 0, come again and again; prices and money do not."""


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
                self._write_fill(record)  # type: ignore[arg-type]
            elif kind is PositionRecord:
                self._write_position(record)  # type: ignore[arg-type]
            elif kind is AccountRecord:
                self._write_account(record)  # type: ignore[arg-type]
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
            order = self._open_orders[update.order_id]
            self._open_orders[update.order_id] = msgspec.structs.replace(
                order,
                quantity_units=update.quantity_units,
                limit_price_units=update.limit_price_units or order.limit_price_units,
                stop_price_units=update.stop_price_units or order.stop_price_units,
            )
        if TRANSITIONS[update.status]:
            self._updates[update.order_id] = update
            return
        self._updates.pop(update.order_id, None)
        self._write_order(self._open_orders.pop(update.order_id), update, has_ended=True)

    def write_open_orders(self) -> None:
        """Rows for the orders that are open, as they stand; when they ended is empty."""
        for order_id, order in self._open_orders.items():
            unheard = OrderUpdate(
                order.ts_ns, order.tick_id, order_id, order.symbol, OrderStatus.NEW, 0, 0, ""
            )
            self._write_order(order, self._updates.get(order_id, unheard), has_ended=False)

    def _write_order(self, order: OrderRecord, update: OrderUpdate, *, has_ended: bool) -> None:
        prices = order.price_decimals
        quantities = order.quantity_decimals
        limit_price = order.limit_price_units
        stop_price = order.stop_price_units
        ended = self._moments.text(update.ts_ns) if has_ended else ""
        created = self._created.text(order.ts_ns)
        self._orders.add(
            f"{order.order_id},{order.client_order_id},{created},{ended},{order.tick_id},"
            f"{update.tick_id if has_ended else ''},{cell(order.symbol)},"
            f"{order.side._value_},{order.type._value_},{order.time_in_force._value_},"
            f"{_quantity_text(order.quantity_units, quantities)},"
            f"{_quantity_text(update.filled_units, quantities)},"
            f"{format_units(limit_price, prices) if limit_price else ''},"
            f"{format_units(stop_price, prices) if stop_price else ''},"
            f"{format_units(order.reference_price_units, prices)},{update.status._value_},"
            f"{update.reason},{format_units(update.fee_units, order.money_decimals)},"
            f"{cell(text_cell(order.tag))},{cell(text_cell(order.notes))},"
            f"{'yes' if order.reduce_only else ''},{cell(text_cell(order.group))}\n"
        )

    def _write_fill(self, fill: PaperFillRecord) -> None:
        money = fill.money_decimals
        quantities = fill.quantity_decimals
        base_fee = fill.base_fee_units
        worth, price = fill.quantity_units * self._unit_values[fill.symbol], fill.price_units
        is_inverse = fill.symbol in self._inverse
        notional = divide(worth, price, HALF_EVEN) if is_inverse else worth * price
        opened = fill.opened_units
        lot = f"L{fill.opened_lot_id}:{_quantity_text(opened, quantities)}" if opened else ""
        closed = ";".join([_closure_text(lot, fill) for lot in fill.lots])
        self._trades.add(
            f"{fill.fill_id},{self._moments.text(fill.ts_ns)},{fill.tick_id},{fill.order_id},"
            f"{fill.client_order_id},{cell(fill.symbol)},{fill.side._value_},"
            f"{_quantity_text(fill.quantity_units, quantities)},"
            f"{format_units(fill.price_units, fill.price_decimals)},{fill.liquidity._value_},"
            f"{format_units(notional, money)},{format_units(fill.fee_units, money)},"
            f"{cell(fill.currency)},{format_units(fill.realised_units, money)},{closed},{lot},"
            f"{_quantity_text(fill.position_units, quantities)},"
            f"{format_units(fill.symbol_realised_units, money)},"
            f"{format_units(fill.symbol_fees_units, money)},"
            f"{format_units(fill.wallet_units, money)},"
            f"{format_units(base_fee, fill.base_decimals) if base_fee else ''}\n"
        )

    def _write_position(self, position: PositionRecord) -> None:
        money = position.money_decimals
        self._positions.add(
            f"{self._moments.text(position.ts_ns)},{cell(position.symbol)},"
            f"{cell(position.currency)},"
            f"{_quantity_text(position.position_units, position.quantity_decimals)},"
            f"{format_units(position.mark_units, position.price_decimals)},"
            f"{format_units(position.cost_units, money)},"
            f"{format_units(position.realised_units, money)},"
            f"{format_units(position.unrealised_units, money)},"
            f"{format_units(position.fees_units, money)},{position.open_lots}\n"
        )

    def _write_account(self, account: AccountRecord) -> None:
        money = account.money_decimals
        figures = [
            account.balance_units,
            account.locked_units,
            account.initial_units,
            account.realised_units,
            account.fees_units,
            account.unrealised_units,
            account.equity_units,
            account.high_water_units,
            account.max_drawdown_units,
        ]
        if self._payments is not None:
            figures.append(account.payments_units)
        text = ",".join([format_units(figure, money) for figure in figures])
        self._account.add(f"{self._moments.text(account.ts_ns)},{cell(account.currency)},{text}\n")

    def _write_payment(self, payment: PaymentRecord) -> None:
        if self._payments is None:
            raise ValueError(f"a payment at {payment.ts_ns}, and the settings know of none")
        time, names = self._moments.text(payment.ts_ns), (payment.symbol, payment.currency)
        self._payments.add(payment_row(payment, time, *map(cell, names)))


def _closure_text(lot: LotClosure, fill: PaperFillRecord) -> str:
    """`L1:1000@1.07:10.00:2.00`: lot, quantity closed, its open price, profit, fees."""
    return (
        f"L{lot.lot_id}:{_quantity_text(lot.quantity_units, fill.quantity_decimals)}"
        f"@{format_units(lot.open_price_units, fill.price_decimals)}"
        f":{format_units(lot.pnl_units, fill.money_decimals)}"
        f":{format_units(lot.fee_units, fill.money_decimals)}"
    )
