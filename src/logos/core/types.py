"""The words of the domain: sides, order types, states and refusal codes.

Values are what the artifacts and the journal print, so they never change their spelling.
"""

from __future__ import annotations

import enum
from typing import Final

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_SECOND
NS_PER_DAY: Final = 86_400 * NS_PER_SECOND
NEVER_NS: Final = 1 << 63
"""A time that no event has."""

SIZE_UNKNOWN: Final = -1
"""A size or volume that the source did not report (zero is a real zero)."""


class Side(enum.Enum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(enum.Enum):
    """How an order names its price."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"


class TimeInForce(enum.Enum):
    """How long an order works: until cancelled, for the UTC day, at once in part, at once whole."""

    GTC = "GTC"
    DAY = "DAY"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(enum.Enum):
    """Where an order stands in its life; `orders.TRANSITIONS` says what may follow what."""

    # Identity is enough, and several times cheaper than Enum's hash of the name.
    __hash__ = object.__hash__

    NEW = "NEW"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"
    """Sent to a venue that has not said what became of it: it is asked, nothing is sent again."""
    HELD = "HELD"
    """Held back from a real venue until its price is reached; then it is NEW, and sent."""


class ReportKind(enum.Enum):
    """What a venue says of an order."""

    # Identity is enough, and several times cheaper than Enum's hash of the name.
    __hash__ = object.__hash__

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    FILLED = "FILLED"
    """One fill, of all or of a part."""
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"
    NOT_SENT = "NOT_SENT"
    """It never left this machine: a gate closed, or the venue cannot have seen it."""
    DIFFERENCE = "DIFFERENCE"
    """The venue's account and ours differ, and nobody can say why."""
    CHARGED = "CHARGED"
    """The venue took money for what was traded, and no fill says so: a fee of the day."""


class Liquidity(enum.Enum):
    """Whether a fill took the standing price or was the standing price."""

    __hash__ = object.__hash__  # as OrderStatus

    TAKER = "TAKER"
    MAKER = "MAKER"


class FillRule(enum.Enum):
    """At which price a market order fills in the paper market."""

    NEXT_OPEN = "next_open"
    DECISION_CLOSE = "decision_close"
    BID_ASK = "bid_ask"


class MarkRule(enum.Enum):
    """Which price a position is valued at."""

    BID_ASK = "bid_ask"
    """The one at which it would be closed: the bid of a long, the ask of a short."""
    MID = "mid"
    """Half way between bid and ask, to the last digit."""
    LAST = "last"
    """That of the last trade; before there was one, as BID_ASK."""


class BarPath(enum.Enum):
    """The order in which a bar is taken to have visited its four prices."""

    NEAREST_FIRST = "nearest_first"
    OPEN_HIGH_LOW_CLOSE = "open_high_low_close"
    OPEN_LOW_HIGH_CLOSE = "open_low_high_close"


class SwitchState(enum.IntEnum):
    """The kill switch, by severity; the numbers are those of the shared flag."""

    SAFE = 0
    REDUCE_ONLY = 1
    ENGAGED = 2


class Code(enum.Enum):
    """Why an intent was refused or an order ended unfilled."""

    # Identity is enough, and several times cheaper than Enum's hash of the name.
    __hash__ = object.__hash__

    KILL_SWITCH_ACTIVE = "KILL_SWITCH_ACTIVE"
    KILL_SWITCH_ACTIVATED_MID_PROCESSING = "KILL_SWITCH_ACTIVATED_MID_PROCESSING"
    REDUCE_ONLY = "REDUCE_ONLY"
    SYMBOL_PAUSED = "SYMBOL_PAUSED"
    SESSION_HALTED = "SESSION_HALTED"
    WARMING_UP = "WARMING_UP"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    NOT_FINITE = "NOT_FINITE"
    NEGATIVE_QUANTITY = "NEGATIVE_QUANTITY"
    ZERO_QUANTITY = "ZERO_QUANTITY"
    BELOW_MINIMUM_QUANTITY = "BELOW_MINIMUM_QUANTITY"
    ABOVE_MAXIMUM_QUANTITY = "ABOVE_MAXIMUM_QUANTITY"
    BELOW_MINIMUM_NOTIONAL = "BELOW_MINIMUM_NOTIONAL"
    INVALID_PRICE = "INVALID_PRICE"
    INVALID_TIME_IN_FORCE = "INVALID_TIME_IN_FORCE"
    MARKET_CLOSED = "MARKET_CLOSED"
    STALE_DATA = "STALE_DATA"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
    PRICE_COLLAR = "PRICE_COLLAR"
    MAX_ORDER_QUANTITY = "MAX_ORDER_QUANTITY"
    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    MAX_POSITION = "MAX_POSITION"
    MAX_POSITION_NOTIONAL = "MAX_POSITION_NOTIONAL"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    MAX_TOTAL_OPEN_ORDERS = "MAX_TOTAL_OPEN_ORDERS"
    GROSS_EXPOSURE = "GROSS_EXPOSURE"
    NET_EXPOSURE = "NET_EXPOSURE"
    ORDER_RATE = "ORDER_RATE"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS"
    CONSECUTIVE_LOSSES = "CONSECUTIVE_LOSSES"
    RECONCILIATION = "RECONCILIATION"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INSUFFICIENT_BORROW = "INSUFFICIENT_BORROW"
    USER_GUARD = "USER_GUARD"
    REFUSAL_STORM = "REFUSAL_STORM"
    NOTHING_TO_REDUCE = "NOTHING_TO_REDUCE"
    UNKNOWN_GROUP = "UNKNOWN_GROUP"
    EXIT_UNDER_WAY = "EXIT_UNDER_WAY"
    # Reasons of orders that were sent and then ended without (all of) their fill.
    IOC_REMAINDER = "IOC_REMAINDER"
    FOK_UNFILLABLE = "FOK_UNFILLABLE"
    DAY_ENDED = "DAY_ENDED"
    CANCELLED_BY_STRATEGY = "CANCELLED_BY_STRATEGY"
    CANCELLED_BY_OPERATOR = "CANCELLED_BY_OPERATOR"
    CANCELLED_BY_KILL_SWITCH = "CANCELLED_BY_KILL_SWITCH"
    CANCELLED_BY_GUARD = "CANCELLED_BY_GUARD"
    CANCELLED_BY_TARGET = "CANCELLED_BY_TARGET"
    GROUP_FILLED = "GROUP_FILLED"
    EXIT_REACHED = "EXIT_REACHED"
    POSITION_CLOSED = "POSITION_CLOSED"
    REPLACED = "REPLACED"
    SESSION_ENDED = "SESSION_ENDED"
    REJECTED_BY_VENUE = "REJECTED_BY_VENUE"
    CANCELLED_BY_VENUE = "CANCELLED_BY_VENUE"
    EXPIRED_AT_VENUE = "EXPIRED_AT_VENUE"
    NEVER_SENT = "NEVER_SENT"


class SessionStatus(enum.Enum):
    """How a session ended, as sealed in its journal."""

    ENDED = "ENDED"
    HALTED = "HALTED"
    STOPPED = "STOPPED"
    CRASHED_RECOVERED = "CRASHED_RECOVERED"
    """Crashed, and sealed at its last record without going on."""
    FAILED = "FAILED"
