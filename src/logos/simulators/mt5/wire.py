"""Requests as the simulated terminal reads them: typed, bounded, and refused before they can trade.

A real Expert Advisor turns what it cannot read into zeros and goes on. The simulator is stricter,
so that a client's mistake shows: a field of the wrong type, a number out of range, an unknown field
with a value in it are refused with the protocol's own error reply, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from logos.core.fixed import parse_units
from logos.core.instrument import Instrument
from logos.errors import LogosError

REQUEST_BYTES_MAX: Final = 64 * 1024

DESERIALIZATION: Final = 65537
WRONG_ACTION: Final = 65538
WRONG_VALUE: Final = 65539
UNKNOWN_FIELD: Final = "a field that this terminal does not know has a value"

DONE, PARTIAL, REQUOTE, INVALID = 10009, 10010, 10004, 10013
INVALID_VOLUME, INVALID_PRICE, INVALID_STOPS = 10014, 10015, 10016
PRICE_OFF, NO_MONEY, NO_CONNECTION = 10021, 10019, 10031
INVALID_ORDER, POSITION_CLOSED, CLOSE_VOLUME = 10035, 10036, 10038

MARKET_TYPES: Final = ("ORDER_TYPE_BUY", "ORDER_TYPE_SELL")
PENDING_TYPES: Final = (
    "ORDER_TYPE_BUY_LIMIT",
    "ORDER_TYPE_SELL_LIMIT",
    "ORDER_TYPE_BUY_STOP",
    "ORDER_TYPE_SELL_STOP",
)
ACTION_TYPES: Final = (
    *MARKET_TYPES,
    *PENDING_TYPES,
    "POSITION_MODIFY",
    "POSITION_PARTIAL",
    "POSITION_CLOSE_ID",
    "POSITION_CLOSE_SYMBOL",
    "ORDER_MODIFY",
    "ORDER_CANCEL",
)
"""What a TRADE can ask for."""

RETCODES: Final = {
    10004: "TRADE_RETCODE_REQUOTE",
    10006: "TRADE_RETCODE_REJECT",
    10007: "TRADE_RETCODE_CANCEL",
    10008: "TRADE_RETCODE_PLACED",
    10009: "TRADE_RETCODE_DONE",
    10010: "TRADE_RETCODE_DONE_PARTIAL",
    10011: "TRADE_RETCODE_ERROR",
    10012: "TRADE_RETCODE_TIMEOUT",
    10013: "TRADE_RETCODE_INVALID",
    10014: "TRADE_RETCODE_INVALID_VOLUME",
    10015: "TRADE_RETCODE_INVALID_PRICE",
    10016: "TRADE_RETCODE_INVALID_STOPS",
    10017: "TRADE_RETCODE_TRADE_DISABLED",
    10018: "TRADE_RETCODE_MARKET_CLOSED",
    10019: "TRADE_RETCODE_NO_MONEY",
    10020: "TRADE_RETCODE_PRICE_CHANGED",
    10021: "TRADE_RETCODE_PRICE_OFF",
    10022: "TRADE_RETCODE_INVALID_EXPIRATION",
    10023: "TRADE_RETCODE_ORDER_CHANGED",
    10024: "TRADE_RETCODE_TOO_MANY_REQUESTS",
    10025: "TRADE_RETCODE_NO_CHANGES",
    10026: "TRADE_RETCODE_SERVER_DISABLES_AT",
    10027: "TRADE_RETCODE_CLIENT_DISABLES_AT",
    10028: "TRADE_RETCODE_LOCKED",
    10029: "TRADE_RETCODE_FROZEN",
    10030: "TRADE_RETCODE_INVALID_FILL",
    10031: "TRADE_RETCODE_CONNECTION",
    10032: "TRADE_RETCODE_ONLY_REAL",
    10033: "TRADE_RETCODE_LIMIT_ORDERS",
    10034: "TRADE_RETCODE_LIMIT_VOLUME",
    10035: "TRADE_RETCODE_INVALID_ORDER",
    10036: "TRADE_RETCODE_POSITION_CLOSED",
    10038: "TRADE_RETCODE_INVALID_CLOSE_VOLUME",
}
"""What the simulator can answer; the names are MetaTrader's."""

_TEXTS: Final = ("action", "actionType", "symbol", "chartTF")
_WHOLE: Final = ("fromDate", "toDate", "id", "magic", "expiration", "deviation")
_DATES: Final = frozenset(("fromDate", "toDate"))
"""Clients write fractions of a second too (ejtraderMT 1.0.5, api/platafrom.py, Shorthistory); an
Expert Advisor takes the whole part (json.mqh, ToInt)."""

_FRACTIONS: Final = ("volume", "price", "stoploss", "takeprofit")
_WHOLE_MAX: Final = 2**63
_TEXT_MAX: Final = 64
_EXTENSION: Final = ("rid", "fromTicket")
_FIELDS: Final = frozenset((*_TEXTS, *_WHOLE, *_FRACTIONS, *_EXTENSION, "comment"))
"""What the bridge reads of a request (docs/MT5.md); all of it may be null."""


class TradeRefusedError(Exception):
    """The broker does not do what was asked; `retcode` says why."""

    def __init__(self, retcode: int) -> None:
        super().__init__(RETCODES[retcode])
        self.retcode = retcode


def volume_units(instrument: Instrument, volume: Decimal | None) -> int:
    """A volume in lots as quantity units. Raises TradeRefusedError."""
    units = _units_or(volume, instrument.quantity_decimals, INVALID_VOLUME)
    most = instrument.maximum_quantity
    if units <= 0 or units % instrument.lot or units < instrument.minimum_quantity:
        raise TradeRefusedError(INVALID_VOLUME)
    if 0 < most < units:
        raise TradeRefusedError(INVALID_VOLUME)
    return units


def price_units(instrument: Instrument, price: Decimal | None, retcode: int = INVALID_PRICE) -> int:
    """A price as price units. Raises TradeRefusedError with that code."""
    units = _units_or(price, instrument.price_decimals, retcode)
    if units <= 0 or units % instrument.tick:
        raise TradeRefusedError(retcode)
    return units


def _units_or(number: Decimal | None, decimals: int, retcode: int) -> int:
    try:
        return parse_units(number if number is not None else "", decimals)
    except ValueError:
        raise TradeRefusedError(retcode) from None


_decoder = msgspec.json.Decoder(float_hook=Decimal)


class RequestError(LogosError):
    """A request that is not carried out; `code` is the bridge's own error number."""

    def __init__(self, code: int, words: str, token: str = "") -> None:
        super().__init__(words)
        self.code = code
        self.token = token

    def answer(self) -> dict[str, object]:
        """The protocol's own error reply."""
        return {
            "error": True,
            "lastError": str(self.code),
            "description": str(self),
            "function": "RequestHandler",
        }


class Request(msgspec.Struct, frozen=True):
    """One readable request; what was null is empty, 0 or None. Numbers are exact."""

    action: str
    action_type: str
    symbol: str
    timeframe: str
    from_s: int
    to_s: int
    id: int
    magic: int
    volume: Decimal | None
    price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    expiration_s: int
    deviation: int
    comment: str
    rid: str = ""
    """The request's own id, of logos' Expert Advisor only; so is `from_ticket`."""
    from_ticket: int = 0


def parse_request(frame: bytes) -> Request:
    """Read one request. Raises RequestError, saying what is wrong with it."""
    fields = _fields_of(frame)
    comment = fields.get("comment")
    token = comment if isinstance(comment, str) else ""
    try:
        return _typed(fields, token)
    except ValueError as error:
        raise RequestError(WRONG_VALUE, str(error), token) from None


def _fields_of(frame: bytes) -> dict[str, Any]:
    """The JSON object of a request, its fractions as Decimals. Raises RequestError."""
    if len(frame) > REQUEST_BYTES_MAX:
        words = f"a request of {len(frame)} bytes; at most {REQUEST_BYTES_MAX} are read"
        raise RequestError(DESERIALIZATION, words)
    try:
        value = _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
        words = f"a request that is not JSON ({type(error).__name__})"
        raise RequestError(DESERIALIZATION, words) from None
    if not isinstance(value, dict):
        raise RequestError(DESERIALIZATION, "a request that is JSON, but no object")
    return value


def _typed(fields: Mapping[str, Any], comment: str) -> Request:
    for name in fields:
        # Forks of the bridge have fields more; null ones do no harm.
        if name not in _FIELDS and fields[name] is not None:
            raise ValueError(UNKNOWN_FIELD)
    text = {name: _text(name, fields.get(name)) for name in _TEXTS}
    whole = {name: _whole(name, fields.get(name)) for name in _WHOLE}
    fraction = {name: _fraction(name, fields.get(name)) for name in _FRACTIONS}
    return Request(
        text["action"],
        text["actionType"],
        text["symbol"],
        text["chartTF"],
        whole["fromDate"],
        whole["toDate"],
        whole["id"],
        whole["magic"],
        fraction["volume"],
        fraction["price"],
        fraction["stoploss"],
        fraction["takeprofit"],
        whole["expiration"],
        whole["deviation"],
        comment,
        _text("rid", fields.get("rid")),
        _whole("fromTicket", fields.get("fromTicket")),
    )


def _text(name: str, value: object) -> str:
    if value is None:  # as most fields are, here and below
        return ""
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise ValueError(f"{name} is not a short text")
    return value


def _whole(name: str, value: object) -> int:
    if value is None:
        return 0
    if type(value) is int and 0 <= value < _WHOLE_MAX:
        return value
    number = _fraction(name, value)
    if number is None:
        return 0
    if name in _DATES:
        number = number.to_integral_value(ROUND_FLOOR)
    if number != number.to_integral_value() or not 0 <= number < _WHOLE_MAX:
        raise ValueError(f"{name} is not a whole number in range")
    return int(number)


def _fraction(name: str, value: object) -> Decimal | None:
    """A number, or the text of one: some clients write prices as text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError(f"{name} is not a number")
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        raise ValueError(f"{name} is not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30 or number < 0:
        raise ValueError(f"{name} is out of range")
    return number
