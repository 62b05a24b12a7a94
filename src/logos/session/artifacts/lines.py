"""Lines of the CSV artifacts: a record as text.

Every order and every fill has one, so that this is compiled. A record is taken apart at once, as
compiled code looks each attribute of a struct up by its name; `docs/ARTIFACTS.md` has the columns.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from msgspec.structs import astuple

from logos.core.fixed import HALF_EVEN, divide, format_units
from logos.core.records import (
    AccountRecord,
    LotClosure,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
)
from logos.session.artifacts.rows import Moments, cell, words

# The fields of records, in order.
_Order = tuple[
    int,
    int,
    int,
    str,
    str,
    Any,
    Any,
    Any,
    int,
    int,
    int,
    int,
    str,
    str,
    int,
    int,
    int,
    Any,
    bool,
    str,
    int,
    int,
    int,
    int,
    int,
]
_Fill = tuple[
    int,
    int,
    int,
    int,
    str,
    str,
    Any,
    int,
    int,
    Any,
    int,
    str,
    int,
    tuple[LotClosure, ...],
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
]
_Update = tuple[int, int, int, str, Any, int, int, str, int, int, int]
_Position = tuple[int, str, str, int, int, int, int, int, int, int, int, int, int]
_Account = tuple[int, str, int, int, int, int, int, int, int, int, int, int, int]

_quantity_text = lru_cache(maxsize=4096)(format_units)
"""Quantities, and figures that are mostly 0, come again and again; prices and money do not."""


def order_line(
    order: OrderRecord, update: OrderUpdate, has_ended: bool, created: Moments, ended: Moments
) -> str:
    """Of orders.csv; `created` and `ended` say when it was made and when it ended."""
    fields: _Order = astuple(order)
    last: _Update = astuple(update)
    (
        ts_ns,
        tick_id,
        order_id,
        client_order_id,
        symbol,
        side,
        kind,
        time_in_force,
        quantity,
        limit_price,
        stop_price,
        reference_price,
        notes,
        tag,
        prices,
        quantities,
        money,
        _,
        is_reducing,
        group,
        _,
        _,
        _,
        _,
        _,
    ) = fields
    end_ns, end_tick_id, _, _, status, filled, fee, reason, _, _, _ = last
    side_text: str = side._value_
    kind_text: str = kind._value_
    time_in_force_text: str = time_in_force._value_
    status_text: str = status._value_
    filled_text: str = _quantity_text(filled, quantities)
    end, end_tick = "", ""
    if has_ended:
        end, end_tick = ended.text(end_ns), str(end_tick_id)
    return (
        f"{order_id},{client_order_id},{created.text(ts_ns)},{end},{tick_id},"
        f"{end_tick},{cell(symbol)},{side_text},{kind_text},{time_in_force_text},"
        f"{_quantity_text(quantity, quantities)},{filled_text},"
        f"{format_units(limit_price, prices) if limit_price else ''},"
        f"{format_units(stop_price, prices) if stop_price else ''},"
        f"{format_units(reference_price, prices)},{status_text},"
        f"{reason},{format_units(fee, money)},"
        f"{words(tag)},{words(notes)},{'yes' if is_reducing else ''},{words(group)}\n"
    )


def fill_line(fill: PaperFillRecord, unit_value: int, is_inverse: bool, moments: Moments) -> str:
    """Of trades.csv. `unit_value` is the ledger units of one price unit times one quantity unit,
    of an inverse contract *by* the price."""
    fields: _Fill = astuple(fill)
    (
        ts_ns,
        tick_id,
        fill_id,
        order_id,
        client_order_id,
        symbol,
        side,
        quantity,
        price,
        liquidity,
        fee,
        currency,
        realised,
        lots,
        opened_lot,
        opened,
        position,
        symbol_realised,
        symbol_fees,
        wallet,
        prices,
        quantities,
        money,
        base_fee,
        base_decimals,
    ) = fields
    side_text: str = side._value_
    liquidity_text: str = liquidity._value_
    worth = quantity * unit_value
    notional = divide(worth, price, HALF_EVEN) if is_inverse else worth * price
    lot = f"L{opened_lot}:{_quantity_text(opened, quantities)}" if opened else ""
    closed = ";".join([_closure_text(each, prices, quantities, money) for each in lots])
    return (
        f"{fill_id},{moments.text(ts_ns)},{tick_id},{order_id},{client_order_id},"
        f"{cell(symbol)},{side_text},{_quantity_text(quantity, quantities)},"
        f"{format_units(price, prices)},{liquidity_text},"
        f"{format_units(notional, money)},{format_units(fee, money)},{cell(currency)},"
        f"{format_units(realised, money)},{closed},{lot},"
        f"{_quantity_text(position, quantities)},{format_units(symbol_realised, money)},"
        f"{format_units(symbol_fees, money)},{format_units(wallet, money)},"
        f"{format_units(base_fee, base_decimals) if base_fee else ''}\n"
    )


def position_line(record: PositionRecord, moments: Moments) -> str:
    """Of positions.csv."""
    fields: _Position = astuple(record)
    (
        ts_ns,
        symbol,
        currency,
        position,
        mark,
        cost,
        realised,
        unrealised,
        fees,
        open_lots,
        prices,
        quantities,
        money,
    ) = fields
    return (
        f"{moments.text(ts_ns)},{cell(symbol)},{cell(currency)},"
        f"{_quantity_text(position, quantities)},{format_units(mark, prices)},"
        f"{format_units(cost, money)},{format_units(realised, money)},"
        f"{format_units(unrealised, money)},{format_units(fees, money)},{open_lots}\n"
    )


def account_line(account: AccountRecord, has_payments: bool, moments: Moments) -> str:
    """Of account.csv; `has_payments`: with their column."""
    fields: _Account = astuple(account)
    (
        ts_ns,
        currency,
        balance,
        locked,
        initial,
        realised,
        fees,
        unrealised,
        equity,
        high_water,
        max_drawdown,
        money,
        payments,
    ) = fields
    more = f",{format_units(payments, money)}" if has_payments else ""
    return (
        f"{moments.text(ts_ns)},{cell(currency)},{format_units(balance, money)},"
        f"{format_units(locked, money)},{format_units(initial, money)},"
        f"{format_units(realised, money)},{format_units(fees, money)},"
        f"{format_units(unrealised, money)},{format_units(equity, money)},"
        f"{format_units(high_water, money)},{format_units(max_drawdown, money)}{more}\n"
    )


def _closure_text(lot: LotClosure, prices: int, quantities: int, money: int) -> str:
    """`L1:1000@1.07:10.00:2.00`: lot, quantity closed, its open price, profit, fees. The decimals
    are those of prices, quantities and money."""
    fields: tuple[int, int, int, int, int] = astuple(lot)
    lot_id, quantity, open_price, pnl, fee = fields
    return (
        f"L{lot_id}:{_quantity_text(quantity, quantities)}@{format_units(open_price, prices)}"
        f":{format_units(pnl, money)}:{format_units(fee, money)}"
    )
