"""Requests and answers of the published Expert Advisor, as `published` reads and writes them.

K, B, H, J, D and T are the sources that `published` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from logos.simulators.mt5.book import MONEY_DECIMALS
from logos.simulators.mt5.market import PERIODS_S
from logos.simulators.mt5.mql_json import Value, serialize, to_double, to_int, to_long, to_text
from logos.simulators.mt5.wire import DONE, PARTIAL, RETCODES, Request

CHART_TIMEFRAME: Final = "M1"
"""The timeframe of the chart that the Expert Advisor sits on: an unknown one means it (K 570)."""

ERR_DESERIALIZATION: Final = (65537, "ERR_DESERIALIZATION")
ERR_WRONG_ACTION: Final = (65538, "ERR_WRONG_ACTION")
ERR_NO_FILE: Final = (65542, "ERR_CVS_FILE_CREATION_FAILED")
UNKNOWN_SYMBOL: Final = (4301, "Unknown symbol")
DAMAGED: Final = (5040, "Damaged parameter of string type")
NO_POSITION: Final = (4753, "Position not found")
NO_ORDER: Final = (4754, "Order not found")
SUCCESS: Final = (0, "ERR_SUCCESS")

DEAL_WORDS: Final = {True: "Buy type", False: "Sell type"}
"""Of purchases and sales (H 283, D `CDealInfo::TypeDescription`)."""

_DEVIATION: Final = 10
"""CTrade's own (T, constructor): a request's is read and never used (B 120)."""

_TRADE_ACTIONS: Final = {
    "POSITION_MODIFY": "TRADE_ACTION_SLTP",
    "ORDER_MODIFY": "TRADE_ACTION_MODIFY",
    "ORDER_CANCEL": "TRADE_ACTION_REMOVE",
}


def trade_answer(result: Mapping[str, object]) -> bytes:
    """The answer to a trade: no deal, no comment, no request id (K 628-648)."""
    retcode = _whole(result.get("retcode", 0))
    return frame_of(
        {
            "error": retcode not in (DONE, PARTIAL),
            "retcode": retcode,
            "desription": RETCODES.get(retcode, f"TRADE_RETCODE_UNKNOWN={retcode}"),
            "order": to_int(_whole(result.get("order", 0))),
            "volume": _figure(result.get("volume", 0)),
            **_deal_prices(result, ("price", "bid", "ask")),
            "function": "TradingModule",
        }
    )


def transaction(request: Request, result: Mapping[str, object], request_id: int) -> bytes:
    """TRADE_TRANSACTION_REQUEST, of this Expert Advisor's requests alone (B 272-311)."""
    retcode = _whole(result["retcode"])
    is_waiting = request.action_type.endswith(("_LIMIT", "_STOP"))
    action = "TRADE_ACTION_PENDING" if is_waiting else "TRADE_ACTION_DEAL"
    order = to_int(_whole(result["order"]))
    asked = {
        "action": _TRADE_ACTIONS.get(request.action_type, action),
        "order": to_int(request.id) if request.action_type in _TRADE_ACTIONS else 0,
        "symbol": request.symbol,
        "volume": request.volume or Decimal(0),
        "price": request.price or Decimal(0),
        "stoplimit": Decimal(0),
        "sl": request.stop_loss or Decimal(0),
        "tp": request.take_profit or Decimal(0),
        "deviation": _DEVIATION,
        "type": request.action_type,
        "type_filling": "ORDER_FILLING_FOK",
        "type_time": "ORDER_TIME_GTC",
        "expiration": request.expiration_s,
        "comment": request.comment,
        "position": 0,
        "position_by": 0,
    }
    answered = {
        "retcode": retcode,
        "result": RETCODES.get(retcode, f"TRADE_RETCODE_UNKNOWN={retcode}"),
        "deal": order,
        "order": order,
        "volume": _figure(result.get("volume", 0)),
        **_deal_prices(result, ("price",)),
        "comment": "Request executed",
        "request_id": request_id,
        "retcode_external": 0,
    }
    return frame_of({"request": asked, "result": answered})


def read_request(fields: Mapping[str, object]) -> Request:
    """A request as the Expert Advisor takes it: what it cannot read is 0 or empty (J 250-265).

    `magic` and `deviation` are not used (B 115-121), `expiration` is, with ORDER_TIME_GTC beside
    it, which makes it mean nothing (B 123-130, 156).
    """
    return Request(
        to_text(fields.get("action")),
        to_text(fields.get("actionType")),
        to_text(fields.get("symbol")),
        to_text(fields.get("chartTF")),
        to_long(fields.get("fromDate")),
        to_long(fields.get("toDate")),
        to_int(to_long(fields.get("id"))),
        0,
        to_double(fields.get("volume")),
        to_double(fields.get("price")),
        to_double(fields.get("stoploss")) or None,
        to_double(fields.get("takeprofit")) or None,
        to_long(fields.get("expiration")),
        0,
        to_text(fields.get("comment")),
    )


def timeframe_of(name: str) -> str:
    return name if name in PERIODS_S else CHART_TIMEFRAME


def done_or_error(error: tuple[int, str], function: str) -> bytes:
    """A success carries its error code too: "0" (K 675-692)."""
    code, words = error
    return frame_of(
        {"error": code != 0, "lastError": str(code), "description": words, "function": function}
    )


def frame_of(value: Value) -> bytes:
    return serialize(value).encode()


def money(amount: int) -> Decimal:
    """Money in units of 10**-18."""
    return Decimal(amount).scaleb(-MONEY_DECIMALS)


def _deal_prices(result: Mapping[str, object], names: tuple[str, ...]) -> dict[str, Value]:
    """Prices that the broker confirms of a deal; 0 where none was made (MqlTradeResult)."""
    is_deal = bool(result.get("deal"))
    return {name: _figure(result.get(name, 0) if is_deal else 0) for name in names}


def _figure(value: object) -> Decimal:
    return Decimal(bytes(value).decode()) if isinstance(value, msgspec.Raw) else _decimal(value)


def _decimal(value: object) -> Decimal:
    return Decimal(value) if isinstance(value, (int, Decimal)) else Decimal(0)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
