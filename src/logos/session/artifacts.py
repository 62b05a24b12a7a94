"""The CSV artifacts of a session: projections of its records, written as they come.

Every figure is plain decimal text with all its decimals, every time ISO-8601 UTC with nine
fraction digits. Cells that a person or a strategy wrote are neutralised when they begin with
what a spreadsheet would take for a formula; numbers stay numbers. docs/ARTIFACTS.md describes
every column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from logos.core.fixed import format_units
from logos.core.orders import TRANSITIONS
from logos.core.records import (
    AccountRecord,
    LotClosure,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
    Record,
)
from logos.core.types import NS_PER_SECOND, OrderStatus

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

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def text_cell(text: str) -> str:
    """Text as a spreadsheet may read it: never as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class Moments:
    """ISO-8601 text of event times; keeps what it last wrote, as events come in order."""

    def __init__(self) -> None:
        self._second = -1
        self._second_text = ""
        self._ts_ns = -1
        self._text = ""

    def text(self, ts_ns: int) -> str:
        """`ts_ns` as ISO-8601 UTC with nine fraction digits."""
        if ts_ns == self._ts_ns:
            return self._text
        second, fraction = divmod(ts_ns, NS_PER_SECOND)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        # Several times faster than the format `:09d`, which pads to the same text.
        text = f"{self._second_text}.{str(NS_PER_SECOND + fraction)[1:]}Z"
        self._ts_ns = ts_ns
        self._text = text
        return text


class _Table:
    """One CSV file. Every OSError names it."""

    def __init__(self, path: Path, columns: Sequence[str], *, is_there: bool) -> None:
        self._path = path
        mode = "a" if is_there else "x"
        # Buffered, so that a record costs no system call; `flush` hands the rows on.
        self.file: IO[str] = open(path, mode, newline="", encoding="utf-8", buffering=1 << 16)  # noqa: SIM115
        self._writer = csv.writer(self.file, lineterminator="\n")
        if not is_there:
            self.write(columns)

    def write(self, row: Sequence[Any]) -> None:
        with self._named_errors():
            self._writer.writerow(row)

    def flush(self) -> None:
        with self._named_errors():
            self.file.flush()

    def close(self) -> None:
        with self._named_errors():
            self.file.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error


class ArtifactWriter:
    """Writes orders.csv, trades.csv, positions.csv and account.csv into a new session folder.

    Each order is kept from its record to the update that ends it: then its row is written.
    """

    def __init__(
        self,
        folder: Path,
        notional_units: dict[str, int],
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        """`notional_units` maps a symbol to the ledger units of one price unit times one
        quantity unit. With `saved` (see `save`) the tables are gone on with where they end.

        Raises FileExistsError when an artifact of a new session is there already."""
        self._unit_values = notional_units
        self._moments = Moments()
        self._open_orders: dict[int, OrderRecord] = {}
        self._updates: dict[int, OrderUpdate] = {}
        with ExitStack() as opened:  # a file that cannot be made closes those before it

            def make(name: str, columns: Sequence[str]) -> _Table:
                table = _Table(folder / name, columns, is_there=saved is not None)
                opened.callback(table.close)
                return table

            self._orders = make("orders.csv", ORDER_COLUMNS)
            self._trades = make("trades.csv", TRADE_COLUMNS)
            self._positions = make("positions.csv", POSITION_COLUMNS)
            self._account = make("account.csv", ACCOUNT_COLUMNS)
            self._closing = opened.pop_all()
        self._tables = (self._orders, self._trades, self._positions, self._account)
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

    def flush(self) -> None:
        """Hand all rows to the operating system."""
        for table in self._tables:
            table.flush()

    def close(self) -> None:
        """Flush and close every file, even if one of them fails."""
        self._closing.close()

    def _end_order(self, update: OrderUpdate) -> None:
        """One row for each order, when it has ended."""
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
        self._orders.write(
            (
                order.order_id,
                order.client_order_id,
                self._moments.text(order.ts_ns),
                self._moments.text(update.ts_ns) if has_ended else "",
                order.tick_id,
                update.tick_id if has_ended else "",
                order.symbol,
                order.side.value,
                order.type.value,
                order.time_in_force.value,
                format_units(order.quantity_units, quantities),
                format_units(update.filled_units, quantities),
                format_units(limit_price, prices) if limit_price else "",
                format_units(stop_price, prices) if stop_price else "",
                format_units(order.reference_price_units, prices),
                update.status.value,
                update.reason,
                format_units(update.fee_units, order.money_decimals),
                text_cell(order.tag),
                text_cell(order.notes),
            )
        )

    def _write_fill(self, fill: PaperFillRecord) -> None:
        money = fill.money_decimals
        quantities = fill.quantity_decimals
        notional = fill.price_units * fill.quantity_units * self._unit_values[fill.symbol]
        opened = format_units(fill.opened_units, quantities) if fill.opened_units else ""
        self._trades.write(
            (
                fill.fill_id,
                self._moments.text(fill.ts_ns),
                fill.tick_id,
                fill.order_id,
                fill.client_order_id,
                fill.symbol,
                fill.side.value,
                format_units(fill.quantity_units, quantities),
                format_units(fill.price_units, fill.price_decimals),
                fill.liquidity.value,
                format_units(notional, money),
                format_units(fill.fee_units, money),
                fill.currency,
                format_units(fill.realised_units, money),
                ";".join(_closure_text(lot, fill) for lot in fill.lots),
                f"L{fill.opened_lot_id}:{opened}" if opened else "",
                format_units(fill.position_units, quantities),
                format_units(fill.symbol_realised_units, money),
                format_units(fill.symbol_fees_units, money),
                format_units(fill.wallet_units, money),
            )
        )

    def _write_position(self, position: PositionRecord) -> None:
        money = position.money_decimals
        self._positions.write(
            (
                self._moments.text(position.ts_ns),
                position.symbol,
                position.currency,
                format_units(position.position_units, position.quantity_decimals),
                format_units(position.mark_units, position.price_decimals),
                format_units(position.cost_units, money),
                format_units(position.realised_units, money),
                format_units(position.unrealised_units, money),
                format_units(position.fees_units, money),
                position.open_lots,
            )
        )

    def _write_account(self, account: AccountRecord) -> None:
        money = account.money_decimals
        self._account.write(
            (
                self._moments.text(account.ts_ns),
                account.currency,
                format_units(account.balance_units, money),
                format_units(account.locked_units, money),
                format_units(account.initial_units, money),
                format_units(account.realised_units, money),
                format_units(account.fees_units, money),
                format_units(account.unrealised_units, money),
                format_units(account.equity_units, money),
                format_units(account.high_water_units, money),
                format_units(account.max_drawdown_units, money),
            )
        )


def _closure_text(lot: LotClosure, fill: PaperFillRecord) -> str:
    """`L1:1000@1.07:10.00:2.00`: lot, quantity closed, its open price, profit, fees."""
    return (
        f"L{lot.lot_id}:{format_units(lot.quantity_units, fill.quantity_decimals)}"
        f"@{format_units(lot.open_price_units, fill.price_decimals)}"
        f":{format_units(lot.pnl_units, fill.money_decimals)}"
        f":{format_units(lot.fee_units, fill.money_decimals)}"
    )
