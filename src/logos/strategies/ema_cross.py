"""Crossing exponential averages: always in the market, long while fast >= slow, else short.

The averages are float64: `ema = alpha * close + (1 - alpha) * ema` with alpha = 2 / (n + 1), seeded
with the first close (of two spellings this is the one that never subtracts, and so never loses
digits). Every bar counts for them, but a bar that never moved (open = high = low = close) may
be skipped for decisions: such bars often mean that nobody traded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.declared.parameters import param
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.strategies.tools import position


class _Averages:
    """One symbol's two averages and how many bars they have seen."""

    __slots__ = ("count", "fast", "slow")

    def __init__(self, close: float) -> None:
        self.fast = close
        self.slow = close
        self.count = 0


class EmaCross(Strategy):
    """Long while the fast exponential average is at or above the slow one, else short.

    Decides from bar number `warmup` on (0: that is `slow`), when the side held is not wanted.
    `flip="close_then_open"` turns the position with two orders, "one_order" with one.
    """

    fast: int = param(10, 1, meaning="bars of the fast average")
    slow: int = param(20, 2, meaning="bars of the slow average")
    quantity: Decimal | None = param(None, 0, meaning="units to hold, instead of the weight")
    weight: Decimal = param(Decimal("0.2"), 0, meaning="fraction of equity to hold")
    skip_flat: bool = param(True, meaning="decide nothing at a bar that never moved")
    allow_short: bool = param(True, meaning="below the slow average: short instead of flat")
    flip: str = param(
        "close_then_open",
        choices=("close_then_open", "one_order"),
        meaning="how a position is turned round",
    )
    close_at_end: bool = param(True, meaning="ask to be flat at the end")

    def __init__(self, warmup: int = 0, **parameters: Any) -> None:
        """`warmup` is no attribute: the warm-up of the class would refuse orders (`Strategy`)."""
        super().__init__(**parameters)
        if warmup < 0:
            raise ValueError(f"warmup ({warmup}) cannot be negative")
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        self.alpha_fast = 2.0 / (self.fast + 1)
        self.alpha_slow = 2.0 / (self.slow + 1)
        self.first_decision = warmup or self.slow
        self.below = -1 if self.allow_short else 0
        self.averages: dict[str, _Averages] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        close = bar.close
        seen = self.averages.get(bar.symbol)
        if seen is None:
            seen = self.averages[bar.symbol] = _Averages(close)
        else:
            seen.fast = self.alpha_fast * close + (1.0 - self.alpha_fast) * seen.fast
            seen.slow = self.alpha_slow * close + (1.0 - self.alpha_slow) * seen.slow
        seen.count += 1
        if seen.count < self.first_decision:
            return None
        if self.skip_flat and bar.open == bar.high == bar.low == close:
            return None
        wanted = 1 if seen.fast >= seen.slow else self.below
        held = context.position(bar.symbol)
        side = (held > 0) - (held < 0)
        # While an earlier decision is in flight, what is held is not yet what was decided.
        if side == wanted or context.open_orders(bar.symbol):
            return None
        goal = position(wanted, self.quantity, self.weight, bar.symbol)
        if side and wanted and self.flip == "close_then_open":
            return [Target(0, bar.symbol), goal]
        return goal

    def on_stop(self, context: Context) -> Answer:
        return [Target(0, symbol) for symbol in context.symbols] if self.close_at_end else None

    def save(self) -> dict[str, Any]:
        # JSON holds every float exactly.
        return {
            symbol: {name: getattr(seen, name) for name in seen.__slots__}
            for symbol, seen in self.averages.items()
        }

    def load(self, context: Context, state: dict[str, Any]) -> None:
        for symbol, fields in state.items():
            seen = self.averages[symbol] = _Averages(0.0)
            for name in seen.__slots__:
                setattr(seen, name, fields[name])
