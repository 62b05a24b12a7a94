"""What the tests of the guards share: two plain symbols, and a core fed prices one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logos.core.engine import TradingCore
from logos.core.guards import Action
from logos.core.instrument import Instrument, instrument, rate_units
from logos.core.records import Record, RefusalRecord
from logos.core.strategy import Answer
from logos.core.types import Code, FillRule, Side
from logos.testing.builders import Scripted, paper_rules, quote, trading_core

BUY = Side.BUY
SELL = Side.SELL
AT_ONCE = paper_rules(FillRule.DECISION_CLOSE)


def contract(symbol: str = "AAA", **terms: Any) -> Instrument:
    """A contract on margin: a unit of it is worth its price, and either side can be opened."""
    plain = {"tick": "1", "lot": "1", "quote": "USD", "settlement": "margin", "leverage": 100}
    return instrument(symbol, **{**plain, **terms})


REFUSE = dict.fromkeys(
    (Code.MAX_DRAWDOWN, Code.MAX_DAILY_LOSS, Code.CONSECUTIVE_LOSSES), Action.REFUSE
)
"""The loss guards without their actions."""

A = contract("AAA")
B = contract("BBB")


def limit_core(
    core: TradingCore,
    order_share: str = "0",
    position_share: str = "0",
    gross_share: str = "0",
    max_refusals: int = 0,
    refusals_window_ns: int = 1,
) -> None:
    """Limit what a core may do besides, by parts of equity and by refusals."""
    for state in core.order_manager.states.values():
        state.limits.order_share = rate_units(order_share)
        state.limits.position_share = rate_units(position_share)
        limits = state.ledger.limits
        limits.gross_share = rate_units(gross_share)
        limits.has_gross_limit = bool(limits.gross_exposure or limits.gross_share)
    core.order_manager.guards.limit_refusals(max_refusals, refusals_window_ns)


_BESIDES = ("order_share", "position_share", "gross_share", "max_refusals", "refusals_window_ns")


class Rig:
    """A core of AAA and BBB whose market orders fill at once, at the price that is shown.

    `how` are limits and rules as `trading_core` and `limit_core` take them.
    """

    def __init__(self, *instruments: Instrument, **how: Any) -> None:
        besides = {name: how.pop(name) for name in _BESIDES if name in how}
        self.instruments = {each.symbol: each for each in instruments or (A, B)}
        self.script: dict[int, Answer] = {}
        self.strategy = Scripted()
        self.strategy.script = self.script
        self.core: TradingCore = trading_core(
            self.strategy, *self.instruments.values(), **{"rules": AT_ONCE, **how}
        )
        limit_core(self.core, **besides)
        self.records: list[Record] = self.core.start(0)
        self.ts_ns = 0
        self.events = 0

    def show(
        self,
        price: int | str,
        answer: Answer = None,
        *,
        symbol: str = "AAA",
        at_ns: int | None = None,
        sizes: str | None = None,
    ) -> list[Record]:
        """One price, a nanosecond later unless `at_ns` says when; answered with `answer`."""
        self.ts_ns = self.ts_ns + 1 if at_ns is None else at_ns
        self.script[len(self.strategy.seen) + 1] = answer
        text = str(price)
        event = quote(self.instruments[symbol], self.ts_ns, text, text, sizes, sizes)
        new = self.core.step(event)
        self.records += new
        return new


def trips_in(records: Sequence[Record]) -> list[list[Code]]:
    """For each refusal, every guard that tripped, as recorded."""
    return [[each.code, *each.also] for each in records if isinstance(each, RefusalRecord)]
