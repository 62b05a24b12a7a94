"""What would cure each refusal and each order that ended without its fill, and what most of it was.

A session whose orders were refused must not end like one that had nothing to do: its first line
says so, and every code stands beside what a person can do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from logos.core.types import Code, SessionStatus

CURES: Final[Mapping[Code, str]] = {
    Code.KILL_SWITCH_ACTIVE: "find out why with `logos kill status`, then reset the switch",
    Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING: (
        "find out why with `logos kill status`, then reset the switch"
    ),
    Code.REDUCE_ONLY: (
        "only orders that shrink a position pass; `logos kill status` says why, a reset ends it"
    ),
    Code.SYMBOL_PAUSED: "`logos pause ID --undo` if it was paused; give the split if it had one",
    Code.WARMING_UP: "it passes with the warm-up that the strategy's class asks for",
    Code.SESSION_HALTED: "the session had halted; its trigger says what to correct",
    Code.UNKNOWN_SYMBOL: "name a symbol of the session, or add it to data.symbols",
    Code.UNKNOWN_ORDER: (
        "the order had ended, or never had that tag; look at context.open_orders first"
    ),
    Code.NOT_FINITE: "the strategy computed NaN or infinity; answer None until it has seen enough",
    Code.NEGATIVE_QUANTITY: "say the direction with the side, the quantity is positive",
    Code.ZERO_QUANTITY: "ask for at least one lot: a larger quantity, weight or account",
    Code.BELOW_MINIMUM_QUANTITY: "ask for at least the instrument's min_quantity",
    Code.ABOVE_MAXIMUM_QUANTITY: "ask for less than the instrument's max_quantity, or split",
    Code.BELOW_MINIMUM_NOTIONAL: (
        "trade more at once: set orders.quantity, or a larger quantity or weight"
    ),
    Code.INVALID_PRICE: "name a price the order's type has, on the right side of the market",
    Code.INVALID_TIME_IN_FORCE: "use GTC or DAY for stops; IOC and FOK are for limits",
    Code.MARKET_CLOSED: "trade within the instrument's hours, or correct instruments.SYMBOL.hours",
    Code.STALE_DATA: "wait for a fresh price, or raise risk.stale_after_s",
    Code.NO_REFERENCE_PRICE: (
        "wait for the symbol's first price; paper.fill = 'bid_ask' needs data with bid and ask"
    ),
    Code.PRICE_COLLAR: "name a price nearer to the market, or widen risk.price_collar",
    Code.MAX_ORDER_QUANTITY: "order less at once, or raise risk.max_order_quantity",
    Code.MAX_ORDER_NOTIONAL: (
        "order less at once, or raise risk.max_order_notional or risk.max_order_share"
    ),
    Code.MAX_POSITION: "hold less, or raise risk.max_position",
    Code.MAX_POSITION_NOTIONAL: "hold less, or raise risk.max_position_share",
    Code.MAX_OPEN_ORDERS: "cancel what rests before ordering more, or raise risk.max_open_orders",
    Code.MAX_TOTAL_OPEN_ORDERS: (
        "cancel what rests before ordering more, or raise risk.total.max_open_orders"
    ),
    Code.GROSS_EXPOSURE: "hold less in all, or raise risk.total.max_gross_share",
    Code.NET_EXPOSURE: "hold less on one side, or raise risk.total.max_net_exposure",
    Code.ORDER_RATE: "order less often (a Target orders once), or raise risk.total.max_orders",
    Code.DUPLICATE_ORDER: (
        "the same order came again: use a Target, or lower risk.duplicate_window_s"
    ),
    Code.MAX_DRAWDOWN: "the loss limit risk.total.max_drawdown was reached: look at the trades",
    Code.MAX_DAILY_LOSS: "the loss limit risk.total.max_daily_loss was reached: look at the trades",
    Code.CONSECUTIVE_LOSSES: ("risk.total.max_consecutive_losses was reached: look at the trades"),
    Code.RECONCILIATION: "the venue's account differs from the books: see docs/RECONCILIATION.md",
    Code.INSUFFICIENT_FUNDS: (
        "order less, or raise account.balances; a Weight leaves room for fees by itself"
    ),
    Code.INSUFFICIENT_BORROW: (
        "sell at most what is held (a Target does), or allow it in account.borrow"
    ),
    Code.USER_GUARD: "your own guard refused it: see risk.guards",
    Code.REFUSAL_STORM: "correct what was refused before it; the limit is risk.total.max_refusals",
    Code.NOTHING_TO_REDUCE: "a reduce-only order needs a position; for an entry use a bracket",
    Code.UNKNOWN_GROUP: "name groups of your own; those of brackets end with their exits",
    Code.EXIT_UNDER_WAY: "wait for the end of the exit that is at the venue, or ask for a target",
    Code.IOC_REMAINDER: "what was not there at the limit at once is gone; use GTC to wait",
    Code.FOK_UNFILLABLE: "the whole was not there at once; use IOC for a part, GTC to wait",
    Code.DAY_ENDED: "the price was not reached that day; use GTC, or a nearer price",
    Code.CANCELLED_BY_STRATEGY: "nothing: the strategy cancelled it",
    Code.CANCELLED_BY_OPERATOR: "nothing: an operator cancelled it",
    Code.CANCELLED_BY_KILL_SWITCH: "find out why with `logos kill status`, then reset the switch",
    Code.CANCELLED_BY_GUARD: "a guard cancelled it; its trigger says what to correct",
    Code.CANCELLED_BY_TARGET: "nothing: a target took its place; use reduce_only for exits",
    Code.GROUP_FILLED: "nothing: another order of its group was filled",
    Code.EXIT_REACHED: "nothing: the stop of its group was reached, and is sent instead",
    Code.POSITION_CLOSED: "nothing: there was no position left to protect",
    Code.REPLACED: "nothing: another order took its place",
    Code.SESSION_ENDED: (
        "the data ended before its price came; name a nearer price, or give more data"
    ),
    Code.REJECTED_BY_VENUE: "the venue's own words stand in orders.csv and the session's log",
    Code.CANCELLED_BY_VENUE: "the venue's own words stand in orders.csv and the session's log",
    Code.EXPIRED_AT_VENUE: "it waited longer than the venue lets it; order anew",
    Code.NEVER_SENT: "it never left this machine: a gate closed, or the connection was down",
}
"""By code, what a person can do about it. One entry for every code."""

_BY_CODE: Final = {code.value: words for code, words in CURES.items()}
_NAMED_MAX: Final = 3


def cure(code: str) -> str:
    """What would cure the code as artifacts print it; "" for one that is none of logos."""
    return _BY_CODE.get(code, "")


def most_frequent(counts: Mapping[str, int], most: int = _NAMED_MAX) -> list[tuple[str, int]]:
    """The codes that were counted most often, at most `most` of them; equal ones by name."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most]


def in_short(counts: Mapping[str, int]) -> str:
    """The most frequent codes with their counts, in one line."""
    named = most_frequent(counts)
    words = ", ".join(f"{code} {count:,}" for code, count in named)
    return words if len(named) == len(counts) else f"{words} and others"


def headline(summary: Mapping[str, Any]) -> str:
    """What the first line must say besides how the session ended, "" for a usual one.

    That most of what was asked was refused, that no order was filled, or that nothing was asked.
    `summary` is a session's.
    """
    orders, fills, refused = summary["orders"], summary["fills"], summary["refused"]
    warming = summary["refusals"].get(Code.WARMING_UP.value, 0)  # on purpose, as a rule
    if refused - warming > orders or (refused and not orders):
        asked = orders + refused
        return f"{refused:,} of {asked:,} requests were refused ({in_short(summary['refusals'])})"
    if orders and not fills:
        ended = summary["orders_ended_by"]
        why = f" ({in_short(ended)})" if ended else ""
        if orders == 1:
            return f"its only order was not filled{why}"
        return f"none of its {orders:,} orders was filled{why}"
    if not orders and not refused and summary["status"] == SessionStatus.ENDED.value:
        return "the strategy asked for nothing"
    return ""
