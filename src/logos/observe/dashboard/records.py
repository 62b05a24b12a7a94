"""The records of a journal as the page shows them: plain values, exact figures as text.

A line that cannot be read is counted, not shown: who reads a page is no judge of a journal, and
`logos verify` says what is wrong. A field that is not known here is passed over.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from logos.core.fixed import format_units
from logos.core.types import NS_PER_SECOND

HISTORY: Final = ("switch", "guard", "command")
"""The kinds of records of which a session's whole history is shown."""
SHOWN: Final = frozenset(
    (
        *HISTORY,
        *("order", "order_update", "fill", "refusal", "warning", "corporate_action", "warmup"),
        *("note", "payment", "account", "stopping", "sealed"),
    )
)
"""The kinds of records that are decoded; samples of positions are read from their table."""

_KIND: Final = re.compile(rb'"body":\{"kind":"([a-z_]+)"')
_HEAD_BYTES: Final = 160
"""Number, checksum and hash of a line come before its kind, and are no longer."""
DECIMALS_MAX: Final = 60


class Body(msgspec.Struct, frozen=True):
    """The fields that are shown, of all kinds."""

    kind: str
    ts_ns: int = 0
    tick_id: int = 0
    order_id: int = 0
    fill_id: int = 0
    symbol: str = ""
    currency: str = ""
    side: str = ""
    type: str = ""
    time_in_force: str = ""
    status: str = ""
    state: str = ""
    reason: str = ""
    code: str = ""
    action: str = ""
    subject: str = ""
    detail: str = ""
    by: str = ""
    text: str = ""
    tag: str = ""
    liquidity: str = ""
    seen_at: str = ""
    reduce_only: bool = False
    epoch: int = 0
    bars: int = 0
    quantity_units: int = 0
    filled_units: int = 0
    limit_price_units: int = 0
    stop_price_units: int = 0
    price_units: int = 0
    fee_units: int = 0
    realised_units: int = 0
    position_units: int = 0
    amount_units: int = 0
    equity_units: int = 0
    high_water_units: int = 0
    price_decimals: int = 0
    quantity_decimals: int = 0
    money_decimals: int = 0

    def money(self, units: int) -> str:
        """`units` of money as text."""
        return as_text(units, self.money_decimals)

    def price(self, units: int) -> str:
        """`units` of price as text; "" for 0, which names none."""
        return as_text(units, self.price_decimals) if units else ""

    def quantity(self, units: int) -> str:
        """`units` of quantity as text."""
        return as_text(units, self.quantity_decimals)


class _Line(msgspec.Struct, frozen=True):
    body: Body


_decode: Final = msgspec.json.Decoder(_Line).decode


def as_text(units: int, decimals: int) -> str:
    """Exact decimal text. Raises ValueError for decimals that no figure of a session has."""
    if not 0 <= decimals <= DECIMALS_MAX:
        raise ValueError(f"{decimals} decimals")
    return format_units(units, decimals)


def kind_of(line: bytes) -> str:
    """The kind of record in a line of a journal; "" when that cannot be told."""
    found = _KIND.search(line, 0, _HEAD_BYTES)
    return found[1].decode("ascii") if found else ""


def read_record(line: bytes) -> Body:
    """The record in a line. Raises ValueError when it cannot be read."""
    try:
        body = _decode(line).body
    except RecursionError as error:
        raise ValueError(str(error)) from None
    decimals = (body.price_decimals, body.quantity_decimals, body.money_decimals)
    if not all(0 <= each <= DECIMALS_MAX for each in decimals):
        raise ValueError(f"figures with decimals {decimals}")
    return body


def milliseconds(ts_ns: int) -> int:
    """A moment as JavaScript counts them."""
    return ts_ns * 1_000 // NS_PER_SECOND


def event_of(body: Body) -> dict[str, Any]:
    """A record as a line of the page's list of events."""
    return {
        "time": milliseconds(body.ts_ns),
        "kind": body.kind,
        "symbol": body.symbol or body.subject or body.currency,
        "what": _title(body),
        "text": _text(body),
    }


def history_of(body: Body) -> dict[str, Any]:
    """A record of the switch, of a guard or of an operator's command, for the history."""
    return {**event_of(body), "tick": body.tick_id, "epoch": body.epoch, "by": body.by}


def fill_of(body: Body) -> dict[str, Any]:
    """A fill as a row."""
    return {
        "time": milliseconds(body.ts_ns),
        "id": body.fill_id,
        "order": body.order_id,
        "symbol": body.symbol,
        "side": body.side,
        "quantity": body.quantity(body.quantity_units),
        "price": body.price(body.price_units),
        "liquidity": body.liquidity,
        "fee": body.money(body.fee_units),
        "realised": body.money(body.realised_units),
        "currency": body.currency,
    }


def point_of(body: Body) -> dict[str, Any]:
    """A sample of an account as a point of the curve."""
    scale = 10**body.money_decimals
    return {
        "currency": body.currency,
        "time": body.ts_ns / NS_PER_SECOND,
        "equity": body.equity_units / scale,
        "drawdown": (body.high_water_units - body.equity_units) / scale,
    }


def _title(body: Body) -> str:
    """What happened, in the words of the records."""
    match body.kind:
        case "order":
            return f"ORDER {body.side}"
        case "order_update":
            return f"ORDER {body.status}"
        case "fill":
            return f"FILL {body.side}"
        case "switch":
            return f"SWITCH {body.state}"
        case "guard":
            return f"GUARD {body.action}".upper()
        case "command":
            return f"COMMAND {body.action}".upper()
        case "sealed":
            return f"SEALED {body.status}"
    return body.kind.replace("_", " ").upper()


def _text(body: Body) -> str:
    """The particulars, in one line."""
    match body.kind:
        case "order":
            limit, stop = body.price(body.limit_price_units), body.price(body.stop_price_units)
            parts = [f"#{body.order_id}", body.quantity(body.quantity_units), body.type]
            parts += [f"limit {limit}"] if limit else []
            parts += [f"stop {stop}"] if stop else []
            return " ".join([*parts, body.time_in_force, body.tag]).rstrip()
        case "order_update":
            return f"#{body.order_id} {body.reason}".rstrip()
        case "fill":
            quantity, price = body.quantity(body.quantity_units), body.price(body.price_units)
            profit = f", profit {body.money(body.realised_units)}" if body.realised_units else ""
            fee = f"fee {body.money(body.fee_units)} {body.currency}"
            return f"#{body.order_id} {quantity} at {price}, {fee}{profit}"
        case "command":
            return f"by {body.by}: {body.reason}" if body.by else body.reason
        case "note":
            return body.text
        case "warmup":
            return f"{body.bars} bars"
        case "payment":
            return f"{body.type} {body.money(body.amount_units)} {body.currency}"
        case "account":
            return f"equity {body.money(body.equity_units)}"
    return " ".join(each for each in (body.code, body.detail or body.reason) if each)
