"""The frames of the MT5 bridge as the client writes and reads them.

The problem is trust: a frame comes from another process, perhaps not the one that was expected. So
it is bounded in size and depth before it means anything, its numbers are read as `Decimal` from
their text (no float is ever formed), and it answers a question only if it has the shape of an
answer to that question.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.errors import LogosError

FIELDS: Final = (
    "action",
    "actionType",
    "symbol",
    "chartTF",
    "fromDate",
    "toDate",
    "id",
    "magic",
    "volume",
    "price",
    "stoploss",
    "takeprofit",
    "expiration",
    "deviation",
    "comment",
)
"""Every request has all of them; those that are not used are null."""

EXTENSION_FIELDS: Final = ("rid", "fromTicket")
"""Only a terminal that has said so knows them: they are left out where they are not used."""

_ALL_FIELDS: Final = frozenset((*FIELDS, *EXTENSION_FIELDS))
_NULLS: Final[dict[str, object]] = dict.fromkeys(FIELDS)

DEPTH_MAX: Final = 6
"""No frame of the protocol is nested deeper than four; a frame beyond this is refused."""

_WHOLE_MAX: Final = 1 << 128

EXPONENT_MAX: Final = 40
"""Numbers beyond 10**40, or finer than 10**-40, are no prices and would only cost memory."""

TRADE: Final = "TRADE"
TRADES: Final = "TRADES"
DATA: Final = "DATA"

_NEW_ORDERS: Final = frozenset(
    (
        "ORDER_TYPE_BUY",
        "ORDER_TYPE_SELL",
        "ORDER_TYPE_BUY_LIMIT",
        "ORDER_TYPE_SELL_LIMIT",
        "ORDER_TYPE_BUY_STOP",
        "ORDER_TYPE_SELL_STOP",
        # What closes is an order at the broker as well, and meets the kill switch.
        "POSITION_PARTIAL",
        "POSITION_CLOSE_ID",
        "POSITION_CLOSE_SYMBOL",
    )
)
_DISTINCTIVE: Final = {
    "POSITIONS": "positions",
    "ORDERS": "orders",
    TRADES: "trades",
    DATA: "data",
    TRADE: "retcode",
}
_FUNCTIONS: Final = {
    "ScriptConfiguration": ("CONFIG",),
    "ResetSubscriptionsAndIndicators": ("RESET",),
    "HistoryInfo": (TRADES, DATA),
    "TradingModule": (TRADE,),
    "GetPositions": ("POSITIONS",),
    "GetOrders": ("ORDERS",),
}
"""Which questions are answered by each function of the published Expert Advisor: its answers and
errors carry the function's name."""

_GOES_ON: Final = frozenset(("TradingModule", "GetPositions", "GetOrders"))
"""Functions that tell an error and answer all the same, in the next frame (Broker.mqh:44-50, 92-99,
113, 253-258)."""

_WORDS_MAX: Final = 100
_NEVER_SET: Final = b"{,"
"""How an object begins whose first value was never set (json.mqh:440)."""

ERRORS_BEFORE: Final = "errors before"
"""Where a reply keeps the errors that came before it, as "5040: words"; no frame's own field."""

_ACCOUNT_WORDS: Final = ("currency", "server", "broker")

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encode = msgspec.json.Encoder().encode

Reply = dict[str, Any]


class FrameError(LogosError):
    """A frame that cannot be used; the message says why, and never repeats its content."""


def decode_frame(frame: bytes, bytes_max: int) -> Reply:
    """A frame as a dict whose fractions are Decimals.

    Raises FrameError when it is too long or too deep, not JSON, not an object, or holds a number
    that is out of range.
    """
    if len(frame) > bytes_max:
        raise FrameError(f"a frame of {len(frame)} bytes; at most {bytes_max} are read")
    try:
        value = _decoder.decode(frame)
    except RecursionError:
        raise FrameError(f"a frame nested deeper than {DEPTH_MAX}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
        raise FrameError(f"a frame that is not JSON ({type(error).__name__})") from None
    if not isinstance(value, dict):
        raise FrameError("a frame that is JSON, but no object")
    value.pop(ERRORS_BEFORE, None)
    _check_values(value)
    return value


def _check_values(value: Reply) -> None:
    """Bound depth and numbers, level by level, without recursion."""
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        deeper: list[Any] = []
        for container in level:
            for item in container.values() if type(container) is dict else container:
                kind = type(item)
                if kind is str or item is None:
                    continue
                if kind is Decimal:
                    if not -EXPONENT_MAX <= item.adjusted() <= EXPONENT_MAX:
                        raise FrameError("a frame with a number out of range")
                elif kind is int:
                    if not -_WHOLE_MAX < item < _WHOLE_MAX:
                        raise FrameError("a frame with a number out of range")
                elif kind is dict or kind is list:
                    deeper.append(item)
        if not deeper:
            return
        level = deeper
    raise FrameError(f"a frame nested deeper than {DEPTH_MAX}")


def number(text: str) -> msgspec.Raw:
    """Decimal text as a JSON number, digit for digit. Raises ValueError for anything else."""
    if not Decimal(text).is_finite() or "_" in text:
        raise ValueError(f"not a JSON number: {text!r}")
    return msgspec.Raw(f"{Decimal(text):f}".encode())


class Outcome(enum.Enum):
    """What came of a request, in the words of the gateway's log."""

    NOT_SENT = "not sent"
    CONFIRMED = "confirmed"
    """Read by the terminal; its answer, which carries its id, is awaited without the lock."""
    LOST = "lost"
    ANSWERED = "answered"


class Question:
    """One request, encoded, and what its answer must look like.

    `kind` is the action, or the type of a HISTORY; `token` is the comment it carries, which a
    terminal that echoes comments puts into the answer.
    """

    __slots__ = (
        "frame",
        "is_fence",
        "is_new_order",
        "kind",
        "outcome",
        "rid",
        "symbol",
        "timeframe",
        "token",
    )

    def __init__(self, fields: Mapping[str, object], token: str) -> None:
        """Raises ValueError for a field the protocol does not have."""
        if not fields.keys() <= _ALL_FIELDS:
            unknown = sorted(set(fields) - _ALL_FIELDS)
            raise ValueError(f"the protocol has no field {', '.join(unknown)}")
        action = str(fields.get("action", ""))
        action_type = str(fields.get("actionType") or "")
        self.kind = action_type if action == "HISTORY" else action
        self.is_new_order = action == TRADE and action_type in _NEW_ORDERS
        self.is_fence = False
        """Whether only its being answered counts, not what the answer says."""
        self.rid = ""
        """Its id, for a terminal that knows ids; empty: matched in another way."""
        self.outcome = Outcome.NOT_SENT
        self.token = token
        self.symbol = fields.get("symbol")
        self.timeframe = fields.get("chartTF")
        self.frame = _encode({**_NULLS, **fields, "comment": token})

    def identify(self, rid: str) -> None:
        """Give the request an id of its own, which its answer will carry. It has none yet."""
        self.rid = rid
        self.frame = b'%b,"rid":%b}' % (self.frame[:-1], _encode(rid))

    def is_shape_of(self, reply: Reply) -> bool:
        """Whether `reply` could be the answer to this question by what is in it."""
        kinds = _FUNCTIONS.get(str(reply.get("function")))
        if kinds is not None and self.kind not in kinds:
            return False
        if is_plain_error(reply):
            return True
        if self.kind in ("ACCOUNT", "BALANCE"):
            is_account = any(word in reply for word in _ACCOUNT_WORDS)
            return "balance" in reply and is_account == (self.kind == "ACCOUNT")
        wanted = _DISTINCTIVE.get(self.kind)
        if wanted is None:  # CONFIG: success says nothing but that
            return "balance" not in reply and not any(w in reply for w in _DISTINCTIVE.values())
        if wanted not in reply:
            return False
        if self.kind == DATA:
            # Older terminals name neither.
            names = (reply.get("symbol", self.symbol), reply.get("timeframe", self.timeframe))
            return names == (self.symbol, self.timeframe)
        return True

    def is_before_answer(self, reply: Reply) -> bool:
        """Whether `reply` is an error that the answer to this question still follows."""
        function = str(reply.get("function"))
        is_ours = self.kind in _FUNCTIONS.get(function, ())
        return is_ours and function in _GOES_ON and is_plain_error(reply)


def unset_answer(question: Question, frame: bytes) -> Reply | None:
    """What a frame means that the published Expert Advisor made of values that it never set.

    An empty one says that there are no deals, or that a list could not be read at all; one that
    begins like an object and is none says that a history could not be had.
    """
    if frame == b"" and question.kind == TRADES:
        return {"trades": []}
    if frame == b"" and question.kind in ("POSITIONS", "ORDERS"):
        return {"error": True, "description": f"no entry of {question.kind} could be read"}
    if frame.startswith(_NEVER_SET) and question.kind == DATA:
        return {"error": True, "description": "the terminal does not have this history"}
    return None


def error_words(reply: Reply) -> str:
    """An error as its number and words."""
    return f"{str(reply.get('lastError'))[:20]}: {str(reply.get('description'))[:_WORDS_MAX]}"


def is_plain_error(reply: Reply) -> bool:
    """Whether `reply` says only that something failed, and nothing of a trade."""
    return reply.get("error") is True and "retcode" not in reply
