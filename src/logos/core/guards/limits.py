"""Limits, and what follows when one is passed.

Guards before an order (see `risk`) judge the intent with everything in flight at its worst.
Guards on every tick compare a ledger's equity with a floor, which is the higher of what the
drawdown from the high-water mark and the loss of the day allow. Prices are watched by the passing
of time, and refusals by their number. `table` lists all guards.

What a guard does besides refusing is its action: nothing, REDUCE_ONLY, HALT the session, or ENGAGE
the switch, which halts every session of the workspace. There is no way to confirm past a limit. A
limit of 0 is none.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, Final, final

from logos.core.types import Code


class Action(enum.Enum):
    """What a tripped guard does besides refusing what it judged."""

    REFUSE = "refuse"
    REDUCE_ONLY = "reduce_only"
    HALT = "halt"
    """End this session in order: cancel what is open, ask the strategy nothing more."""
    ENGAGE = "engage"


DEFAULT_ACTIONS: Final = {
    Code.STALE_DATA: Action.HALT,
    Code.MAX_DRAWDOWN: Action.ENGAGE,
    Code.MAX_DAILY_LOSS: Action.ENGAGE,
    Code.CONSECUTIVE_LOSSES: Action.ENGAGE,
    Code.REFUSAL_STORM: Action.HALT,
}
"""Guards whose action is not just to refuse."""


@final
class Limits:
    """What risk allows for one symbol.

    `order_notional` is in ledger units; `order_quantity` and `position` in quantity units;
    `collar_rate` (how far a named price may be from the market) in 10**-9; times in nanoseconds.
    `order_share` and `position_share` are set apart: parts of equity, in 10**-9.
    """

    __slots__ = (
        "collar_rate",
        "duplicate_window_ns",
        "open_orders",
        "order_notional",
        "order_quantity",
        "order_share",
        "position",
        "position_share",
        "stale_after_ns",
    )

    def __init__(
        self,
        order_notional: int = 0,
        position: int = 0,
        collar_rate: int = 0,
        order_quantity: int = 0,
        open_orders: int = 0,
        stale_after_ns: int = 0,
        duplicate_window_ns: int = 0,
    ) -> None:
        self.order_notional = order_notional
        self.position = position
        self.collar_rate = collar_rate
        self.order_quantity = order_quantity
        self.open_orders = open_orders
        self.stale_after_ns = stale_after_ns
        self.duplicate_window_ns = duplicate_window_ns
        self.order_share: int = 0
        """What one order may add to a position, as a part of equity."""
        self.position_share: int = 0
        """What a position may come to be worth, as a part of equity."""


@final
class LedgerLimits:
    """What risk allows for one currency; money in ledger units, rates and shares in 10**-9.

    `drawdown_rate` is a share of the high-water mark; of it and `drawdown` the tighter counts. So
    it is with `gross_share`, a part of equity, and `gross_exposure`, which an operator may lower
    and raise again up to its `gross_ceiling` (0: there is none).
    """

    __slots__ = (
        "daily_loss",
        "drawdown",
        "drawdown_rate",
        "gross_ceiling",
        "gross_exposure",
        "gross_share",
        "has_gross_limit",
        "has_loss_limit",
        "net_exposure",
    )

    def __init__(
        self,
        gross_exposure: int = 0,
        net_exposure: int = 0,
        drawdown: int = 0,
        drawdown_rate: int = 0,
        daily_loss: int = 0,
        gross_share: int = 0,
    ) -> None:
        self.gross_exposure = gross_exposure
        self.gross_ceiling = gross_exposure
        self.gross_share = gross_share
        self.has_gross_limit: bool = bool(gross_exposure or gross_share)
        self.net_exposure = net_exposure
        self.drawdown = drawdown
        self.drawdown_rate = drawdown_rate
        self.daily_loss = daily_loss
        self.has_loss_limit: bool = bool(drawdown or drawdown_rate or daily_loss)

    def limit_gross(self, units: int) -> None:
        """Allow no more gross exposure than `units`, nor than the ceiling. 0 allows next to none:
        the smallest unit, as a limit of 0 would be no limit."""
        allowed = min(units, self.gross_ceiling) if self.gross_ceiling else units
        self.gross_exposure = max(allowed, 1)
        self.has_gross_limit = True


@final
class OwnGuard:
    """A guard that a user wrote: `function` takes an `own.OrderView`, `name` is for the record."""

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Callable[[Any], object]) -> None:
        self.name = name
        self.function = function


@final
class SessionGuards:
    """The guards that look at the session as a whole, those of the user, and every guard's action.

    `order_count` orders are allowed in any `order_window_ns` (sliding: the time of the order that
    many orders ago is kept, and nothing else). `limit_refusals` does the same for refusals.
    """

    __slots__ = (
        "_actions",
        "_order_times_ns",
        "_orders_seen",
        "_refusal_times_ns",
        "_refusals_seen",
        "consecutive_losses",
        "consecutive_losses_limit",
        "open_orders",
        "open_orders_limit",
        "order_count",
        "order_window_ns",
        "own",
        "refusal_count",
        "refusal_window_ns",
    )

    def __init__(
        self,
        open_orders_limit: int = 0,
        order_count: int = 0,
        order_window_ns: int = 0,
        consecutive_losses_limit: int = 0,
        actions: dict[Code, Action] | None = None,
        own: Sequence[OwnGuard] = (),
    ) -> None:
        self.own: list[OwnGuard] = list(own)
        """Asked about every order, in this order, after the guards of the table before it."""
        self.open_orders_limit = open_orders_limit
        self.open_orders: int = 0
        """Open orders of all symbols."""
        self.order_count = order_count
        self.order_window_ns = order_window_ns
        self._order_times_ns: list[int] = []
        self._orders_seen: int = 0
        self.consecutive_losses_limit = consecutive_losses_limit
        self.consecutive_losses: int = 0
        """Closing fills in a row that lost money, fees included."""
        self._actions: dict[Code, Action] = dict(DEFAULT_ACTIONS)
        if actions is not None:
            self._actions.update(actions)
        self.refusal_count: int = 0
        self.refusal_window_ns: int = 0
        self._refusal_times_ns: list[int] = []
        self._refusals_seen: int = 0

    def limit_refusals(self, count: int, window_ns: int) -> None:
        """Take more than `count` refusals in any `window_ns` for a storm; 0: never."""
        self.refusal_count = count
        self.refusal_window_ns = window_ns

    def action(self, code: Code) -> Action:
        """What the guard of `code` does besides refusing."""
        return self._actions.get(code, Action.REFUSE)

    def is_rate_exceeded(self, now_ns: int) -> bool:
        """Whether one more order now would be too many in the window."""
        if self.order_count == 0 or self._orders_seen < self.order_count:
            return False
        oldest_ns = self._order_times_ns[self._orders_seen % self.order_count]
        return now_ns - oldest_ns < self.order_window_ns

    def see_order(self, now_ns: int) -> None:
        """An order has been made."""
        self.open_orders += 1
        if self.order_count == 0:
            return
        if self._orders_seen < self.order_count:
            self._order_times_ns.append(now_ns)
        else:
            self._order_times_ns[self._orders_seen % self.order_count] = now_ns
        self._orders_seen += 1

    def see_refusal(self, now_ns: int) -> bool:
        """An order has been refused; whether that makes a storm, from which on it counts anew."""
        count = self.refusal_count
        if count == 0:
            return False
        times_ns = self._refusal_times_ns
        if self._refusals_seen < count:
            times_ns.append(now_ns)
        else:
            place = self._refusals_seen % count
            if now_ns - times_ns[place] < self.refusal_window_ns:
                times_ns.clear()
                self._refusals_seen = 0
                return True
            times_ns[place] = now_ns
        self._refusals_seen += 1
        return False

    def orders_in_window(self, now_ns: int) -> int:
        """Orders made in the sliding window that ends now; 0 without a limit on them."""
        window_ns = self.order_window_ns
        return len([made_ns for made_ns in self._order_times_ns if now_ns - made_ns < window_ns])

    def refusals_in_window(self, now_ns: int) -> int:
        """Refusals in the sliding window that ends now; 0 without a limit on them."""
        window_ns = self.refusal_window_ns
        return len([told_ns for told_ns in self._refusal_times_ns if now_ns - told_ns < window_ns])

    def see_result(self, profit: int) -> None:
        """A fill closed something and made `profit`, fees deducted."""
        self.consecutive_losses = self.consecutive_losses + 1 if profit < 0 else 0

    @property
    def has_too_many_losses(self) -> bool:
        """Whether the run of losses has reached its limit."""
        return 0 < self.consecutive_losses_limit <= self.consecutive_losses
