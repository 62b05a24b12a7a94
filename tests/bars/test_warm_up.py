"""While a symbol warms up, its events are seen and nothing is ordered in it."""

from __future__ import annotations

from typing import Any

import pytest

from logos.core.instrument import instrument
from logos.core.messages import Bar, MarketEvent, QuoteBar, Trade
from logos.core.records import RefusalRecord
from logos.core.strategy import Answer, Context, Strategy, Target, market
from logos.core.types import Code, Side
from logos.testing.builders import bar, fills_in, orders_in, refusals_in, run, trade, trading_core

S = 1_000_000_000
ONE = instrument("ONE", tick="0.01", lot="1", quote="USD", settlement="margin")
TWO = instrument("TWO", tick="0.01", lot="1", quote="USD", settlement="margin")


class Buyer(Strategy):
    """Buys one at every bar."""

    warmup: int | str = 3

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.seen += 1
        return market(Side.BUY, 1)


def bars(count: int, *symbols: Any) -> list[MarketEvent]:
    return [
        bar(each, number, "10 11 9 10")
        for number in range(1, count + 1)
        for each in (symbols or (ONE,))
    ]


def test_orders_are_refused_until_so_many_bars_were_seen() -> None:
    strategy = Buyer()
    records = run(trading_core(strategy, ONE), bars(5))
    assert strategy.seen == 5
    assert refusals_in(records) == [Code.WARMING_UP] * 3
    assert [order.tick_id for order in orders_in(records)] == [4, 5]
    words = [each.detail for each in records if isinstance(each, RefusalRecord)]
    assert words == [f"{left} bars of the warm-up are left" for left in (3, 2, 1)]


def test_a_length_of_time_is_counted_from_the_first_event() -> None:
    class Patient(Buyer):
        warmup = "2m"

    records = run(trading_core(Patient(), ONE), bars(5))
    assert refusals_in(records) == [Code.WARMING_UP] * 2
    assert [order.tick_id for order in orders_in(records)] == [3, 4, 5]


def test_each_symbol_warms_up_by_itself() -> None:
    records = run(trading_core(Buyer(), ONE, TWO), [*bars(2), *bars(4, TWO)[2:], *bars(0)])
    assert refusals_in(records) == [Code.WARMING_UP] * 4
    strategy = Buyer()
    records = run(trading_core(strategy, ONE, TWO), [*bars(4)])
    assert [order.symbol for order in orders_in(records)] == ["ONE"]


@pytest.mark.parametrize("wish", [Target(1), [Target(1), market(Side.BUY, 1)], Side.BUY])
def test_what_is_wished_meanwhile_is_forgotten(wish: Answer) -> None:
    class Once(Buyer):
        def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
            self.seen += 1
            return wish if self.seen == 2 else None

    records = run(trading_core(Once(), ONE), bars(6))
    assert fills_in(records) == [] == orders_in(records)
    assert set(refusals_in(records)) == {Code.WARMING_UP}


def test_many_refusals_of_the_warm_up_are_no_storm() -> None:
    class Hasty(Buyer):
        warmup = 1
        timeframes = ("1m",)

        def on_trade(self, context: Context, trade: Trade) -> Answer:
            return market(Side.BUY, 1)

        def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
            return None

    core = trading_core(Hasty(), ONE)
    core.order_manager.guards.limit_refusals(5, 10 * S)
    events: list[MarketEvent] = [trade(ONE, number * S // 10, "10") for number in range(620)]
    records = run(core, events)
    assert not core.is_halted
    # The trade that closes the first bar is told after it, and may be answered.
    assert refusals_in(records) == [Code.WARMING_UP] * 600
    assert len(orders_in(records)) == 20
