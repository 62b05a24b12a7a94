"""What a terminal tells of orders, deals and positions, read strictly into exact units.

Numbers come as JSON floats, read as Decimals from their text: one within a millionth of a step of
a multiple of the step is that multiple, anything else is refused. A field that is missing or of
another type makes the whole answer unreadable: half an answer about orders is worse than none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from logos.core.fixed import HALF_EVEN, divide
from logos.core.instrument import Instrument
from logos.core.types import OrderType, Side
from logos.venues.records import Unreadable

STEP_TOLERANCE: Final = Fraction(1, 1_000_000)
"""How far from a multiple of its step, in steps, a price or volume may be."""

_TYPES: Final = {
    "ORDER_TYPE_BUY": (Side.BUY, OrderType.MARKET),
    "ORDER_TYPE_SELL": (Side.SELL, OrderType.MARKET),
    "ORDER_TYPE_BUY_LIMIT": (Side.BUY, OrderType.LIMIT),
    "ORDER_TYPE_SELL_LIMIT": (Side.SELL, OrderType.LIMIT),
    "ORDER_TYPE_BUY_STOP": (Side.BUY, OrderType.STOP),
    "ORDER_TYPE_SELL_STOP": (Side.SELL, OrderType.STOP),
    "ORDER_TYPE_BUY_STOP_LIMIT": (Side.BUY, OrderType.STOP_LIMIT),
    "ORDER_TYPE_SELL_STOP_LIMIT": (Side.SELL, OrderType.STOP_LIMIT),
}
ACTION_TYPES: Final[dict[tuple[Side, OrderType], str]] = {
    (side, type): name for name, (side, type) in _TYPES.items() if type is not OrderType.STOP_LIMIT
}
"""The protocol's names of what can be sent."""

_POSITION_SIDES: Final = {"POSITION_TYPE_BUY": Side.BUY, "POSITION_TYPE_SELL": Side.SELL}
_DEAL_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_NO_TRADES: Final = frozenset(
    {
        "balance", "credit", "charge", "correction", "bonus", "commission", "commission_daily",
        "commission_monthly", "commission_agent_daily", "commission_agent_monthly", "interest",
        "dividend", "dividend_franked", "tax", "daily_commission", "monthly_commission",
        "daily_agent_commission", "monthly_agent_commission", "interest_rate",
    }
)  # fmt: skip
"""Entries of the account's history that move money only (`ENUM_DEAL_TYPE` of MQL5, and the words of
`CDealInfo::TypeDescription`, which the published Expert Advisor writes)."""

TICKET_BITS: Final = (1 << 32) - 1
"""What the published Expert Advisor leaves of a ticket in a trade's answer."""

_MAGIC_BYTES: Final = 6
_PLAIN_MAX: Final = 1 << 63


class Mark(msgspec.Struct, frozen=True):
    """What an entry carries to recognise an order by; None where the bridge does not tell it."""

    comment: str | None
    magic: int | None

    @property
    def is_blank(self) -> bool:
        """Whether it says nothing of whose it is. The published Expert Advisor sets no magic
        number, so that its 0 says nothing either; a comment that is told and empty does."""
        return self.comment is None and not self.magic


class OpenOrder(msgspec.Struct, frozen=True):
    """One entry of ORDERS, `price_units` being the limit or the stop."""

    ticket: str
    symbol: str
    side: Side
    type: OrderType
    volume_units: int
    price_units: int
    mark: Mark


class Deal(msgspec.Struct, frozen=True):
    """One entry of HISTORY TRADES. `order` is empty where the bridge does not tell it."""

    ticket: str
    order: str
    symbol: str
    side: Side
    volume_units: int
    price_units: int
    fee: Decimal
    time_s: int
    mark: Mark
    position: str = ""
    """The identifier of the position that it changed; empty where the bridge does not tell it."""

    @property
    def signed_units(self) -> int:
        """The volume, negative for a sale."""
        return self.volume_units if self.side is Side.BUY else -self.volume_units


class Ticket(msgspec.Struct, frozen=True):
    """One entry of POSITIONS: on a hedging account one of several of its symbol.

    `ticket` is what a request names; `identifier` is that of the order that opened it and stays
    when the server gives it another ticket.
    """

    ticket: str
    identifier: str
    symbol: str
    side: Side
    units: int
    time_s: int
    mark: Mark

    @property
    def signed_units(self) -> int:
        """The volume, negative for what was sold."""
        return self.units if self.side is Side.BUY else -self.units


def magic_of(client_order_id: str) -> int:
    """The magic number of an order: 48 bits of the SHA-256 of its id, never 0.

    A JSON number of that size is exact wherever numbers are doubles.
    """
    digest = hashlib.sha256(client_order_id.encode()).digest()
    return int.from_bytes(digest[:_MAGIC_BYTES], "big") | 1


def entries_of(reply: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list `name` of a reply, without the empty entry by which the bridge says "none"."""
    entries = reply.get(name)
    if not isinstance(entries, list):
        raise Unreadable(f"the answer has no list of {name}")
    found = [entry for entry in entries if entry not in (None, {}, [], "")]
    if not all(isinstance(entry, dict) for entry in found):
        raise Unreadable(f"an entry of {name} is no object")
    return found


def open_order(entry: Mapping[str, Any], instrument: Instrument) -> OpenOrder:
    """An entry of ORDERS. Raises Unreadable."""
    kind = _TYPES.get(str(entry.get("type")))
    if kind is None:
        raise Unreadable(f"an order of the type {str(entry.get('type'))[:40]!r}")
    return OpenOrder(
        ticket_of(entry, "id"),
        instrument.symbol,
        kind[0],
        kind[1],
        volume_units(entry.get("volume"), instrument),
        price_units(entry.get("open"), instrument),
        _mark(entry),
    )


def trades_from(reply: Mapping[str, Any], from_s: int) -> list[Mapping[str, Any]]:
    """Entries of HISTORY TRADES from a second of the terminal's clock on.

    Some terminals list the whole history of the account, whatever they were asked for. What is
    older is not read at all: it may be in words, symbols and steps that are none any more. Raises
    Unreadable for an entry whose time is none, and for one that names no symbol and whose type is
    not known to move money only.
    """
    found = []
    for entry in entries_of(reply, "trades"):
        if deal_time_s(entry) < from_s:
            continue
        if not entry.get("symbol") and not _moves_money_only(entry):
            raise Unreadable(f"a deal in no symbol, of the type {str(entry.get('type'))[:40]!r}")
        found.append(entry)
    return found


def deal_time_s(entry: Mapping[str, Any]) -> int:
    """When a deal was made, in whole seconds of the terminal's clock. Raises Unreadable."""
    time_s = entry.get("time")
    if type(time_s) is not int or time_s < 0:
        raise Unreadable("a deal without a time")
    return time_s


def _kind_of(entry: Mapping[str, Any]) -> str:
    """A deal's type in one spelling: "buy" for "Buy type", "DEAL_TYPE_BUY" and "buy"."""
    words = str(entry.get("type")).lower().removesuffix(" type").replace(" ", "_")
    return words.removeprefix("deal_type_").removeprefix("deal_")


def _moves_money_only(entry: Mapping[str, Any]) -> bool:
    return _kind_of(entry) in _NO_TRADES


def deal(entry: Mapping[str, Any], instrument: Instrument) -> Deal | None:
    """An entry of HISTORY TRADES; None for one that is no trade (a deposit). Raises Unreadable."""
    if _moves_money_only(entry):
        return None
    side = _DEAL_SIDES.get(_kind_of(entry))
    if side is None:
        # A cancelled deal among them: what it took back must be looked at by a person.
        raise Unreadable(f"a deal of the type {str(entry.get('type'))[:40]!r}")
    time_s = deal_time_s(entry)
    fee = -(_money(entry, "commission") + _money(entry, "fee") + _money(entry, "swap"))
    return Deal(
        ticket_of(entry, "ticket"),
        ticket_of(entry, "order") if entry.get("order") else "",
        instrument.symbol,
        side,
        volume_units(entry.get("volume"), instrument),
        price_units(entry.get("price"), instrument),
        fee,
        time_s,
        _mark(entry),
        ticket_of(entry, "position") if entry.get("position") else "",
    )


def held_ticket(entry: Mapping[str, Any], instrument: Instrument) -> Ticket:
    """An entry of POSITIONS. Raises Unreadable."""
    kind = str(entry.get("type"))
    side = _POSITION_SIDES.get(kind)
    if side is None:
        raise Unreadable(f"a position of the type {kind[:40]!r}")
    ticket = ticket_of(entry, "id")
    opened_s = entry.get("time_setup")
    return Ticket(
        ticket,
        ticket_of(entry, "identifier") if entry.get("identifier") else ticket,
        instrument.symbol,
        side,
        volume_units(entry.get("volume"), instrument),
        opened_s if type(opened_s) is int else 0,
        _mark(entry),
    )


def ticket_of(entry: Mapping[str, Any], name: str) -> str:
    """A ticket, which the bridge writes as a number or as text. Raises Unreadable."""
    value = entry.get(name)
    text = str(value) if type(value) is int or isinstance(value, str) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Unreadable(f"an entry without its {name}")
    return text


def answered_ticket(reply: Mapping[str, Any]) -> tuple[str, bool]:
    """The ticket in a trade's answer, and whether it is certain to be whole.

    The published Expert Advisor cuts it to 32 bits, its sign included, and names its function and
    no deal. Raises Unreadable.
    """
    is_whole = reply.get("function") != "TradingModule" or "deal" in reply
    value = reply.get("order")
    if not is_whole and type(value) is int and -(1 << 31) <= value < 1 << 31 and value:
        return str(value & TICKET_BITS), False
    return ticket_of(reply, "order"), is_whole


def volume_units(value: object, instrument: Instrument) -> int:
    """A volume in lots as quantity units, not negative. Raises Unreadable."""
    scale = instrument.quantity_scale
    return nearest(value, scale, instrument.lot, f"{instrument.symbol}: volume", "lot")


def price_units(value: object, instrument: Instrument) -> int:
    """A price as price units, not negative. Raises Unreadable."""
    scale = instrument.price_scale
    return nearest(value, scale, instrument.tick, f"{instrument.symbol}: price", "tick")


def nearest(value: object, scale: int, step: int, what: str, setting: str) -> int:
    """The multiple of `step` (in units of 1/`scale`) that `value` is within the tolerance of."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Unreadable(f"{what} is not a number")
    # A multiple to the last digit, as nearly all are. Decimal keeps 28 digits, so that below
    # 2**63 what it rounds off is far within the tolerance.
    units = value * scale
    if 0 <= units < _PLAIN_MAX:
        whole = int(units)
        if whole == units and whole % step == 0:
            return whole
    steps = Fraction(value) * scale / step
    count = divide(steps.numerator, steps.denominator, HALF_EVEN)
    if count < 0 or abs(steps - count) > STEP_TOLERANCE:
        raise Unreadable(
            f"{what} {value} is no multiple of the {setting}; if it is right, set a finer "
            f"{setting} for the instrument"
        )
    return count * step


def _mark(entry: Mapping[str, Any]) -> Mark:
    comment = entry.get("comment")
    magic = entry.get("magic")
    return Mark(
        comment if isinstance(comment, str) else None, magic if type(magic) is int else None
    )


def _money(entry: Mapping[str, Any], name: str) -> Decimal:
    value = entry.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Unreadable(f"a deal whose {name} is not a number")
    return Decimal(value)
