"""Every guard: its code, what it judges, when it applies, and the function that judges.

docs/GUARDS.md shows this table (tools/make_guard_table.py writes it there). The order is the one in
which guards that trip together are recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from logos.core import risk
from logos.core.types import Code

_HELD_UP: Final = "held up"
_PASSES: Final = "passes"


class Guard(msgspec.Struct, frozen=True):
    """One guard. `keys` are its settings under `[risk]`, none: always on.

    `closing` says what happens to an order that can only reduce its position. `is_on_ticks`:
    it is judged on every tick too, not only before an order.
    """

    code: Code
    judges: str
    keys: tuple[str, ...]
    closing: str
    function: Callable[..., object]
    is_on_ticks: bool = False


TABLE: Final = (
    Guard(
        Code.MARKET_CLOSED,
        "the hour, against the instrument's hours",
        ("instruments.SYMBOL.hours",),
        _HELD_UP,
        risk.check_market,
    ),
    Guard(
        Code.STALE_DATA,
        "the age of the symbol's last price, also as time passes",
        ("stale_after_s",),
        _HELD_UP,
        risk.check_market,
    ),
    Guard(
        Code.NO_REFERENCE_PRICE,
        "whether the symbol has shown a price",
        (),
        _HELD_UP,
        risk.check_market,
    ),
    Guard(
        Code.PRICE_COLLAR,
        "how far a named price is from the market",
        ("price_collar",),
        _HELD_UP,
        risk.check_market,
    ),
    Guard(
        Code.MAX_ORDER_QUANTITY,
        "the order's quantity",
        ("max_order_quantity",),
        _HELD_UP,
        risk.check_order,
    ),
    Guard(
        Code.MAX_ORDER_NOTIONAL,
        "the order's worth",
        ("max_order_notional", "max_order_share"),
        "held up, passes a share",
        risk.check_order,
    ),
    Guard(
        Code.MAX_POSITION,
        "the position that could result",
        ("max_position",),
        _PASSES,
        risk.check_in_flight,
    ),
    Guard(
        Code.MAX_POSITION_NOTIONAL,
        "what that position would be worth",
        ("max_position_share",),
        _PASSES,
        risk.check_in_flight,
    ),
    Guard(
        Code.MAX_OPEN_ORDERS,
        "open orders of the symbol",
        ("max_open_orders",),
        _HELD_UP,
        risk.check_open_orders,
    ),
    Guard(
        Code.MAX_TOTAL_OPEN_ORDERS,
        "open orders of all symbols",
        ("total.max_open_orders",),
        _HELD_UP,
        risk.check_open_orders,
    ),
    Guard(
        Code.GROSS_EXPOSURE,
        "the currency's exposure without signs that could result",
        ("total.max_gross_exposure", "total.max_gross_share"),
        _PASSES,
        risk.check_exposure,
    ),
    Guard(
        Code.NET_EXPOSURE,
        "the currency's exposure with signs that could result",
        ("total.max_net_exposure",),
        _HELD_UP,
        risk.check_exposure,
    ),
    Guard(
        Code.ORDER_RATE,
        "orders made in a sliding window",
        ("total.max_orders", "total.max_orders_window_s"),
        _HELD_UP,
        risk.check_activity,
    ),
    Guard(
        Code.DUPLICATE_ORDER,
        "whether the same order was made a moment ago",
        ("duplicate_window_s",),
        _HELD_UP,
        risk.check_activity,
    ),
    Guard(
        Code.MAX_DRAWDOWN,
        "equity against its high-water mark",
        ("total.max_drawdown", "total.max_drawdown_share"),
        _PASSES,
        risk.check_results,
        is_on_ticks=True,
    ),
    Guard(
        Code.MAX_DAILY_LOSS,
        "equity against the start of the UTC day",
        ("total.max_daily_loss",),
        _PASSES,
        risk.check_results,
        is_on_ticks=True,
    ),
    Guard(
        Code.CONSECUTIVE_LOSSES,
        "closing fills in a row that lost money",
        ("total.max_consecutive_losses",),
        _PASSES,
        risk.check_results,
        is_on_ticks=True,
    ),
    Guard(
        Code.INSUFFICIENT_FUNDS,
        "free money or margin, fees included",
        (),
        "passes on margin",
        risk.check_funds,
    ),
    Guard(
        Code.INSUFFICIENT_BORROW,
        "what a spot sale may sell",
        (),
        _HELD_UP,
        risk.check_funds,
    ),
    Guard(
        Code.USER_GUARD,
        "what your own function judges",
        ("guards",),
        "as you write it",
        risk.check_own,
    ),
    Guard(
        Code.REFUSAL_STORM,
        "refusals in a sliding window, after each",
        ("total.max_refusals", "total.max_refusals_window_s"),
        _HELD_UP,
        risk.check_storm,
    ),
)

GUARDS: Final = tuple(each.code for each in TABLE)
"""The code of every guard, in the order in which those that trip together are recorded."""
