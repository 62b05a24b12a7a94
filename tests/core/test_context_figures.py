"""What a strategy may ask of its context: every figure against the books, or a plain recount."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import FunctionType, MethodType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Quote, Trade
from logos.core.strategy import Answer, Context, Strategy, limit, market, stop
from logos.core.types import FillRule, Side
from logos.testing.builders import bar, fee_schedule, paper_rules, quote, trade, trading_core

COIN = instrument(
    "COIN", tick="0.01", lot="0.1", quote="USD", fees=fee_schedule(taker="0.001", decimals=4)
)
PERP = instrument(
    "PERP",
    tick="0.01",
    lot="0.1",
    quote="USD",
    settlement="margin",
    leverage=5,
    initial_margin="0.5",
    maintenance_margin="0.25",
)
FREE = instrument(
    "FREE", tick="0.01", lot="1", quote="USD", settlement="margin", initial_margin="0"
)


class Asking(Strategy):
    """Answers what it is told, and keeps its context."""

    def __init__(self) -> None:
        self.context: Any = None
        self.answer: Answer = None

    def on_start(self, context: Context) -> Answer:
        self.context = context
        return None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        answer, self.answer = self.answer, None
        return answer

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        answer, self.answer = self.answer, None
        return answer


def begun(*traded: Instrument, **options: Any) -> tuple[TradingCore, Asking]:
    strategy = Asking()
    options.setdefault("cash", {"USD": "1000"})
    rules = paper_rules(FillRule.BID_ASK)
    core = trading_core(strategy, *traded, rules=rules, **options)
    core.start(0)
    return core, strategy


def test_before_the_first_price_there_are_none() -> None:
    _, strategy = begun(COIN)
    context = strategy.context
    for figure in (context.bid, context.ask, context.spread, context.last_price):
        assert figure("COIN") is None
    assert context.entry_price("COIN") is None
    assert context.open_groups("COIN") == {}


def test_prices_are_the_latest_of_quotes_and_trades() -> None:
    core, strategy = begun(COIN)
    core.step(quote(COIN, 1, "9.98", "10.01"))
    core.step(trade(COIN, 2, "10.00"))
    context = strategy.context
    asked = [context.bid("COIN"), context.ask("COIN"), context.spread("COIN")]
    assert asked == [Decimal("9.98"), Decimal("10.01"), Decimal("0.03")]
    assert context.last_price("COIN") == Decimal("10.00")


def test_the_last_price_of_bars_is_their_close_and_a_price_that_cannot_be_one_changes_nothing() -> (
    None
):
    core, strategy = begun(COIN)
    core.step(bar(COIN, 1, "10 12 9 11"))
    core.step(trade(COIN, 60_000_000_001, "0"))
    assert strategy.context.last_price("COIN") == 11
    assert strategy.context.bid("COIN") == strategy.context.ask("COIN") == 11


def test_money_follows_the_fills_of_spot() -> None:
    core, strategy = begun(COIN)
    strategy.answer = market(Side.BUY, 10)
    core.step(quote(COIN, 1, "9.00", "10.00"))
    context = strategy.context
    assert context.entry_price("COIN") == 10
    assert context.fees("COIN") == Decimal("0.1")
    assert context.cash("USD") == context.buying_power("COIN") == Decimal("899.9")
    assert context.unrealised("COIN") == -10
    strategy.answer = [market(Side.SELL, 4), limit(Side.BUY, 10, "5")]
    core.step(quote(COIN, 2, "12.00", "12.01"))
    assert context.realised("COIN") == 8
    assert context.unrealised("COIN") == 12
    assert context.cash("USD") == Decimal("899.9") + 48 - Decimal("0.048")
    bound = context.cash("USD") - context.buying_power("COIN")
    assert Decimal(50) <= bound <= Decimal("50.1"), "an open order binds its value and its fee"
    assert context.equity("USD") == 1000 + 8 + 12 - context.fees("COIN")


def test_buying_power_on_margin_is_free_margin_by_the_initial_rate() -> None:
    core, strategy = begun(PERP, FREE)
    core.step(quote(PERP, 1, "10.00", "10.00"))
    context = strategy.context
    assert context.buying_power("PERP") == 10_000  # 1000 * 5 / 0.5
    assert context.buying_power("FREE") is None
    strategy.answer = market(Side.SELL, 100)
    core.step(quote(PERP, 2, "10.00", "10.00"))
    assert context.buying_power("PERP") == 9_000
    core.step(quote(PERP, 3, "20.00", "20.00"))
    assert context.buying_power("PERP") == 0, "never less than nothing"


def test_open_groups_hold_their_orders_oldest_first() -> None:
    core, strategy = begun(COIN)
    strategy.answer = market(Side.BUY, 10, stop_loss=5, take_profit=15)
    core.step(quote(COIN, 1, "10.00", "10.00"))
    strategy.answer = [
        limit(Side.SELL, 2, 12, reduce_only=True, group="half"),
        limit(Side.BUY, 1, 9),
        stop(Side.SELL, 2, 8, reduce_only=True, group="half"),
    ]
    core.step(quote(COIN, 2, "10.00", "10.00"))
    groups = strategy.context.open_groups("COIN")
    ids = {name: [each.order_id for each in orders] for name, orders in groups.items()}
    assert ids == {"#1": [2, 3], "half": [4, 6]}


FIGURES = (
    *("position", "entry_price", "unrealised", "realised", "fees", "buying_power", "bid", "ask"),
    *("spread", "last_price", "open_orders", "open_groups", "equity", "cash"),
)


@pytest.mark.parametrize("name", FIGURES)
def test_a_name_that_the_session_has_not_is_an_error(name: str) -> None:
    _, strategy = begun(COIN)
    ask: Callable[[str], object] = getattr(strategy.context, name)
    with pytest.raises(KeyError):
        ask("NOPE")


_PRICES = some.integers(1, 5_000)
_TRADES = some.lists(some.tuples(_PRICES, some.integers(-60, 60)), min_size=1, max_size=25)


@given(_TRADES)
@settings(max_examples=60, deadline=None)
def test_the_entry_price_is_the_average_of_the_lots_a_plain_recount_leaves_open(
    fills: list[tuple[int, int]],
) -> None:
    core, strategy = begun(PERP, cash={"USD": "100000000"})
    lots: list[list[int]] = []
    for number, (price, tenths) in enumerate(fills, start=1):
        text = str(Decimal(price) / 100)
        if tenths:
            side = Side.BUY if tenths > 0 else Side.SELL
            strategy.answer = market(side, Decimal(abs(tenths)) / 10)
        core.step(quote(PERP, number, text, text))
        left = tenths
        while left and lots and lots[0][0] * left < 0:
            closed = min(abs(left), abs(lots[0][0]))
            step = closed if left > 0 else -closed
            left -= step
            lots[0][0] += step
            if lots[0][0] == 0:
                lots.pop(0)
        if left:
            lots.append([left, price])
        held = sum(quantity for quantity, _ in lots)
        said = strategy.context.entry_price("PERP")
        if held == 0:
            assert said is None
            continue
        exact = Fraction(sum(quantity * at for quantity, at in lots), held * 100)
        assert abs(Fraction(said) - exact) <= Fraction(1, 2 * 10**10)


def test_a_strategy_that_follows_names_meets_no_object_of_the_core() -> None:
    core, strategy = begun(COIN)
    strategy.answer = market(Side.BUY, 10, stop_loss=5)
    core.step(quote(COIN, 1, "10.00", "10.00"))
    waiting: list[object] = [strategy.context]
    seen: set[int] = set()
    plain = (int, float, str, bytes, Decimal, type, type(None), FunctionType, MethodType)
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, plain) or callable(part):
            continue
        seen.add(id(part))
        kind = type(part)
        is_ours = kind.__module__.startswith("logos.")
        assert not is_ours or kind.__name__ in ("CoreContext", "Figures", "Tools"), kind
        if isinstance(part, (list, tuple)):
            waiting += list(part)
        names = [name for name in dir(part) if not name.startswith("__")] if is_ours else []
        waiting += [getattr(part, name) for name in names]
    assert len(seen) >= 3
