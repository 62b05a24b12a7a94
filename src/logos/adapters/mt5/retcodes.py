"""What MetaTrader's return codes say about an order, sorted by what is known after each.

Names and numbers are those of `ENUM_TRADE_RETCODE` in the MQL5 reference. A code that is not in
this table proves nothing, so its order is UNKNOWN.
"""

from __future__ import annotations

from typing import Final

from logos.venues.failures import Failure, Knowledge

PLACED: Final = 10008
DONE: Final = 10009
DONE_PARTIAL: Final = 10010

TAKEN: Final = frozenset((PLACED, DONE, DONE_PARTIAL))
"""The broker took the order."""

_REFUSED: Final = {
    10006: "the broker rejected it",
    10007: "it was cancelled by the trader",
    10013: "the request is invalid",
    10014: "the volume is invalid: check the instrument's lot, minimum and maximum",
    10015: "the price is invalid: a limit must wait on its side of the market, on a tick",
    10016: "stop loss or take profit is on the wrong side, or too near",
    10017: "trading is disabled for this account or symbol",
    10018: "the market is closed",
    10019: "not enough money",
    10022: "the expiration is invalid",
    10023: "the order has changed meanwhile",
    10025: "nothing would change",
    10026: "the server has disabled automatic trading: ask the broker",
    10027: "the terminal has disabled automatic trading: switch Algo Trading on",
    10029: "the order or position is frozen, too near the market to be changed",
    10030: "the filling type is not supported for this symbol",
    10032: "this is allowed for live accounts only",
    10033: "the broker's limit of pending orders is reached",
    10034: "the broker's limit of volume in this symbol is reached",
    10035: "there is no such order, or its type is not allowed",
    10036: "the position is closed already",
    10038: "more would be closed than is held",
    10039: "an order to close this position exists already",
    10040: "the broker's limit of open positions is reached",
    10041: "the order is being cancelled",
    10042: "only buying is allowed in this symbol",
    10043: "only selling is allowed in this symbol",
    10044: "only closing is allowed in this symbol",
    10045: "positions must be closed first in, first out",
    10046: "opposite positions are not allowed on this account",
}
_NOT_SENT: Final = {
    10004: ("the price has moved (requote)", 0.0),
    10020: ("the price has changed", 0.0),
    10021: ("there is no price to trade at", 1.0),
    10024: ("too many requests", 1.0),
}
_UNKNOWN: Final = {
    10011: "the request failed while it was processed",
    10012: "the request ran out of time at the broker",
    10028: "the request is locked, being processed",
    10031: "the terminal has no connection to its broker",
}


def failure_of(retcode: int) -> Failure:
    """What is known after a return code that is not in TAKEN."""
    if retcode in _REFUSED:
        return Failure(Knowledge.REFUSED, f"{retcode}: {_REFUSED[retcode]}")
    if retcode in _NOT_SENT:
        words, retry_after_s = _NOT_SENT[retcode]
        return Failure(Knowledge.NOT_SENT, f"{retcode}: {words}", retry_after_s)
    words = _UNKNOWN.get(retcode, "a return code that is not known here")
    return Failure(Knowledge.UNKNOWN, f"{retcode}: {words}")


def documented() -> list[tuple[int, Knowledge, str]]:
    """The whole table, by code: what is known after each, and why."""
    rows = [(code, Knowledge.REFUSED, words) for code, words in _REFUSED.items()]
    rows += [(code, Knowledge.NOT_SENT, words) for code, (words, _) in _NOT_SENT.items()]
    rows += [(code, Knowledge.UNKNOWN, words) for code, words in _UNKNOWN.items()]
    return sorted(rows)
