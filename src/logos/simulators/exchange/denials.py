"""Why an exchange says no, whatever code and words it has for that."""

from __future__ import annotations

import enum

from logos.errors import LogosError


class Why(enum.Enum):
    """A reason to refuse a request; every dialect has its own code and words for each."""

    KEY = "the key is not known"
    SIGNATURE = "the signature is wrong"
    TIME = "the request is of another time"
    RIGHTS = "the key may not do this"
    MARKET = "no such market"
    CLOSED = "the market is closed"
    DUPLICATE = "the client id is in use"
    LOT = "a quantity beyond the rules"
    TICK = "a price beyond the rules"
    VALUE = "worth less than the least value"
    FUNDS = "more than is free"
    NO_ORDER = "no such order"
    NOT_OPEN = "the order has ended"
    ARGUMENTS = "the request is not of the right form"


class Denied(LogosError):
    """A refusal: the reason, and Binance's code and words for it, which other dialects replace."""

    def __init__(
        self, code: int = 0, words: str = "", status: int = 400, *, why: Why = Why.ARGUMENTS
    ) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status
        self.why = why
