"""A strategy that would hear nothing is refused by name, with what was probably meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.records import PaperFillRecord
from logos.core.strategy import Answer, Context, Strategy
from logos.strategies.heard import heard_events, never_called, unheard, why_deaf

BARS: Mapping[str, Sequence[str]] = {"ACME": ("bars",)}
QUOTES: Mapping[str, Sequence[str]] = {"ETHUSDT": ("quotes",)}


class OnBar(Strategy):
    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return None

    def helper(self) -> None:
        """A method of its own that resembles none of an event."""


class OnTicks(Strategy):
    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return None

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return None


class Misspelt(Strategy):
    def onbar(self, context: Context, bar: Bar) -> Answer:
        return None


class OfAnotherFramework(Strategy):
    def next(self) -> None:
        return None


class Inherits(OnBar):
    pass


class OnlyFills(Strategy):
    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        return None


class AtTheStart(Strategy):
    def on_start(self, context: Context) -> Answer:
        return None


class PreparesAndHearsBars(AtTheStart, OnBar):
    pass


class MakesBars(OnBar):
    timeframes = ("1m",)


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        (OnBar, BARS),
        (OnBar, {}),
        (OnBar, {"EURUSD": ("quote_bars",)}),
        (OnBar, {**BARS, **QUOTES}),
        (Inherits, BARS),
        (OnTicks, QUOTES),
        (OnTicks, {"ETHUSDT": ("trades",)}),
        (AtTheStart, QUOTES),
        (MakesBars, QUOTES),
        (Strategy, BARS),
    ],
)
def test_a_strategy_that_hears_something_is_let_through(
    kind: type[Strategy], kinds: Mapping[str, Sequence[str]]
) -> None:
    assert why_deaf(kind, "mine", kinds) == ""


@pytest.mark.parametrize(
    ("kind", "kinds", "words"),
    [
        (Misspelt, BARS, "mine hears no event: its onbar is never called: did you mean on_bar?"),
        (Misspelt, {}, "did you mean on_bar?"),
        (OfAnotherFramework, BARS, "its next is never called: did you mean on_bar?"),
        (OnlyFills, BARS, "mine hears no event but on_fill"),
        (OnBar, QUOTES, "hears only on_bar, and the data has no such events (ETHUSDT quotes)"),
        (
            OnBar,
            QUOTES,
            'write on_quote, set timeframes = ["1m"] so that bars are made of it, or give it other',
        ),
        (PreparesAndHearsBars, QUOTES, "hears only on_bar"),
        (OnTicks, {"EURUSD": ("quote_bars",)}, "(EURUSD quote bars): write on_bar"),
    ],
)
def test_a_strategy_that_hears_nothing_is_refused_in_words(
    kind: type[Strategy], kinds: Mapping[str, Sequence[str]], words: str
) -> None:
    assert words in why_deaf(kind, "mine", kinds)


def test_near_misses_are_named_and_helpers_are_not() -> None:
    assert never_called(OnBar) == {}
    assert never_called(Misspelt) == {"onbar": "on_bar"}
    assert heard_events(PreparesAndHearsBars) == ["on_start", "on_bar"]


def test_symbols_that_are_not_heard_are_named() -> None:
    assert unheard(OnBar, {**BARS, **QUOTES}) == ["ETHUSDT"]
    assert unheard(OnTicks, {**BARS, **QUOTES}) == ["ACME"]
    assert unheard(AtTheStart, {**BARS, **QUOTES}) == []
