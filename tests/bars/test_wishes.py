"""What a strategy's class may ask for, and what is refused in words that name it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from logos.core.instrument import instrument
from logos.core.messages import Bar, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.errors import StrategyError
from logos.testing.builders import run, trade, trading_core

S = 1_000_000_000
ONE = instrument("ONE", tick="0.01", lot="1", quote="USD", settlement="margin")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("timeframes", "1m", "is a list"),
        ("timeframes", ["60m"], "is written '1h'"),
        ("timeframes", ["1 h"], "no length of time"),
        ("timeframes", ["0m"], "above 0"),
        ("timeframes", [60], "no length of time"),
        ("timeframes", ["1m", "1m"], "named once"),
        ("timeframes", ["2m", "3m"], "no multiple"),
        ("history", -1, "number of bars"),
        ("history", 2.5, "number of bars"),
        ("history", True, "number of bars"),
        ("warmup", "2 days", "no length of time"),
        ("warmup", -1, "number of bars"),
        ("warmup", None, "number of bars"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_name(name: str, value: Any, words: str) -> None:
    kind = type("Wishing", (Strategy,), {name: value})
    with pytest.raises(ValueError, match=f"{name}.*{words}"):
        trading_core(kind(), ONE)


def test_what_an_object_has_and_its_class_does_not_declare_is_its_own() -> None:
    class Own(Strategy):
        def __init__(self) -> None:
            self.warmup = 20
            self.history: Any = {}

    trading_core(Own(), ONE)


@pytest.mark.parametrize(
    ("count", "field", "timeframe", "words"),
    [
        (4, "close", "", "4 bars were asked for, and 3 are kept"),
        (0, "close", "", "0 bars"),
        (1, "middle", "", "no field 'middle'"),
        (1, "close", "1h", "no timeframe '1h'"),
    ],
)
def test_history_that_there_is_not_is_refused_in_words(
    count: int, field: str, timeframe: str, words: str
) -> None:
    class Asking(Strategy):
        timeframes: Sequence[str] = ("2s", "6s")
        history = 3

        def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
            context.history("ONE", count, field, timeframe)
            return None

    core = trading_core(Asking(), ONE)
    with pytest.raises(StrategyError, match=words):
        run(core, [trade(ONE, 0, "10"), trade(ONE, 2 * S, "10")])


def test_without_the_wish_there_is_no_history() -> None:
    class Asking(Strategy):
        def on_trade(self, context: Context, trade: Trade) -> Answer:
            context.history("ONE", 1)
            return None

    core = trading_core(Asking(), ONE)
    with pytest.raises(StrategyError, match="set `history` in the strategy's class"):
        run(core, [trade(ONE, 0, "10")])
