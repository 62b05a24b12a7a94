"""A session at a venue, stepped by hand: its quotes, what leaves, and what the venue says."""

from __future__ import annotations

from typing import Any

from scripted_bars import COIN

from logos.core.engine import TradingCore
from logos.core.messages import TimePassed
from logos.core.outbox import CancelOrder
from logos.core.records import Record, WarningRecord
from logos.core.strategy import Answer, market
from logos.core.types import NS_PER_SECOND, ReportKind, Side
from logos.session.recorded import RecordedSwitch
from logos.testing.builders import Scripted, quote
from logos.testing.venue_core import outbox_of, report, venue_core

S = NS_PER_SECOND
A_BRACKET = market(Side.BUY, 10, stop_loss=95, take_profit=105)


class Bench:
    """A session at a venue: its quotes, what leaves, and what the venue says."""

    def __init__(self, script: dict[int, Answer], traded: Any = COIN, **how: Any) -> None:
        self.traded = traded
        self.core: TradingCore = venue_core(Scripted(script), traded, **how)
        if isinstance(self.core.switch, RecordedSwitch):
            self.core.switch.attach(self.core.order_manager)
        self.records: list[Record] = self.core.start(1)
        self.now_ns = S

    def quote(self, bid: str, after_s: int = 1) -> list[tuple[Any, ...]]:
        """A quote at `bid`, the ask a cent above; what left because of it."""
        self.now_ns += after_s * S
        ask = f"{float(bid) + 0.01:.2f}"
        return self.step(quote(self.traded, self.now_ns, bid, ask))

    def says(self, kind: ReportKind, number: int, **how: Any) -> list[tuple[Any, ...]]:
        """The venue's word on the order of that number; what left because of it."""
        return self.step(report(kind, self.now_ns, f"test-{number}", **how))

    def fills(self, number: int, quantity: int, price: int = 10000) -> list[tuple[Any, ...]]:
        name = f"{number}:{len(self.records)}"
        how = {"quantity": quantity, "price": price, "fill_id": name}
        return self.says(ReportKind.FILLED, number, **how)

    def waits(self, seconds: int) -> list[tuple[Any, ...]]:
        self.now_ns += seconds * S
        return self.step(TimePassed(self.now_ns))

    def tells(self, command: Any) -> list[tuple[Any, ...]]:
        return self.step(command)

    def step(self, event: Any) -> list[tuple[Any, ...]]:
        self.core.run([event])
        self.records += self.core.take_effects()
        return [_shown(each) for each in outbox_of(self.core).take()]

    @property
    def working(self) -> list[tuple[int, str, int]]:
        """Number, status and remaining quantity of every open order."""
        [state] = self.core.order_manager.states.values()
        return [(each.order_id, each.status.value, each.remaining) for each in state.working]

    @property
    def warnings(self) -> list[str]:
        found = [each for each in self.records if isinstance(each, WarningRecord)]
        return [f"{each.code}: {each.detail}" for each in found]


def _shown(request: Any) -> tuple[Any, ...]:
    number = int(request.client_order_id.rpartition("-")[2])
    if isinstance(request, CancelOrder):
        return "cancel", number
    terms = request.terms
    price = (terms.limit_price,) if terms.limit_price else ()
    return terms.type.value, number, terms.side.value, terms.quantity, *price


def with_a_bracket(filled: int = 10, **how: Any) -> Bench:
    """Ten bought with a stop at 95 (order 2) and a target at 105 (order 3), filled so far."""
    bench = Bench({1: A_BRACKET}, **how)
    assert bench.quote("100") == [("MARKET", 1, "BUY", 10)]
    assert bench.fills(1, filled) == []
    return bench
