"""Many symbols in one live session: a feed each, one breaker, pauses, figures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from logos.config import Config, make_config
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side, SwitchState
from logos.execution.metrics import MetricsSnapshot
from logos.feeds.contract import Sink
from logos.session import drive
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.drive import LiveEngine
from logos.session.entry import run_live
from logos.session.presence.page import metrics_path
from logos.session.presence.view import EngineSnapshot
from logos.testing.clock import START_NS


class StepClock:
    """Every look is a microsecond later; waiting moves it on."""

    def __init__(self) -> None:
        self._now_ns = START_NS

    def now_ns(self) -> int:
        self._now_ns += 1_000
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self._now_ns += round(seconds * 1e9)


class Alternating(Strategy):
    """Buys and sells by turns, at every quote of each symbol."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        seen = self._seen[quote.symbol] = self._seen.get(quote.symbol, 0) + 1
        return Side.BUY if seen % 3 else Side.SELL


class OneSymbolFeed:
    """Quotes of one symbol, with a turn of the loop after each."""

    def __init__(self, clock: StepClock, instrument: Instrument, count: int) -> None:
        self.name = f"feed {instrument.symbol}"
        self.symbols: Sequence[str] = (instrument.symbol,)
        self._clock = clock
        self._instrument = instrument
        self._count = count

    async def run(self, sink: Sink) -> None:
        for number in range(self._count):
            bid = 10_000 + number * 7 % 50
            now_ns = self._clock.now_ns()
            quote = Quote(now_ns, self.symbols[0], bid, bid + 3, -1, -1, self._instrument)
            while not sink.market(quote, now_ns):
                await sink.room()
            await asyncio.sleep(0)


def settings(symbols: Sequence[str], session_id: str = "many") -> Config:
    tables: Mapping[str, Any] = {
        "session": {"id": session_id, "seed": 5},
        "strategy": {"name": "unused"},
        "paper": {"fill": "bid_ask"},
        "instruments": {
            symbol: {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}
            for symbol in symbols
        },
    }
    return make_config(tables)


def run(home: Path, symbols: Sequence[str], count: int = 60) -> Path:
    """Run a session with a feed for each symbol; its folder."""
    config = settings(symbols)
    clock = StepClock()
    made = make_instruments(config.instruments)
    feeds = [OneSymbolFeed(clock, each, count) for each in made.values()]
    result = run_live(
        config,
        strategy=Alternating(),
        outside=Outside(feeds, None, clock),
        switch=InProcessSwitch(),
        tell=lambda _: None,
        home=home,
    )
    assert result.exit_code == 0
    return home / "runs" / "live" / "sessions" / "many"


@pytest.mark.long
def test_a_feed_for_each_symbol_is_heard_and_counted(tmp_path: Path) -> None:
    run(tmp_path, ("AAA", "BBB", "CCC"))
    text = metrics_path("many", tmp_path).read_bytes()
    figures = msgspec.json.decode(text, type=MetricsSnapshot)
    assert [each.name for each in figures.symbols] == ["AAA", "BBB", "CCC"]
    assert all(each.orders == each.answered == each.fills == 60 for each in figures.symbols)
    (usd,) = figures.currencies
    assert usd.fills == 180
    assert usd.gross_units == sum(each.gross_units for each in figures.symbols)


class Watched(LiveEngine):
    """Remembers itself, and does something while it runs."""

    made: Watched | None = None

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        Watched.made = self


class Acting(Alternating):
    """Does something through the engine at its 20th quote, and looks at its 40th."""

    def __init__(self, act: Any) -> None:
        super().__init__()
        self._act = act
        self._quotes = 0
        self.looked: EngineSnapshot | None = None
        self.after: list[str] = []

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._quotes += 1
        engine = Watched.made
        assert engine is not None
        if self._quotes == 20:
            self._act(engine)
        if self._quotes == 40:
            self.looked = engine.snapshot()
        if self._quotes > 21:
            self.after.append(quote.symbol)
        return super().on_quote(context, quote)


def act(home: Path, monkeypatch: pytest.MonkeyPatch, what: Any) -> tuple[Acting, InProcessSwitch]:
    monkeypatch.setattr(drive, "LiveEngine", Watched)
    config = settings(("AAA", "BBB"))
    clock = StepClock()
    made = make_instruments(config.instruments)
    strategy = Acting(what)
    switch = InProcessSwitch()
    run_live(
        config,
        strategy=strategy,
        outside=Outside([OneSymbolFeed(clock, each, 40) for each in made.values()], None, clock),
        switch=switch,
        tell=lambda _: None,
        home=home,
    )
    return strategy, switch


def orders_by_symbol(home: Path) -> dict[str, int]:
    text = metrics_path("many", home).read_bytes()
    figures = msgspec.json.decode(text, type=MetricsSnapshot)
    return {each.name: each.orders for each in figures.symbols}


@pytest.mark.long
def test_a_paused_symbol_orders_nothing_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategy, _ = act(tmp_path, monkeypatch, lambda engine: engine.pause("AAA", "news", "desk"))
    assert strategy.looked is not None
    assert strategy.looked.paused == ("AAA",)
    assert strategy.looked.switch == SwitchState.SAFE.name
    orders = orders_by_symbol(tmp_path)
    assert orders["AAA"] < 20 < orders["BBB"] == 40


def test_tripping_the_breaker_stops_every_symbol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategy, switch = act(tmp_path, monkeypatch, lambda engine: engine.trip("dead", "gateway"))
    assert switch.authority() is SwitchState.ENGAGED
    assert strategy.looked is None
    assert all(count <= 12 for count in orders_by_symbol(tmp_path).values())


@pytest.mark.long
def test_a_symbol_that_is_not_traded_cannot_be_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pause(engine: LiveEngine) -> None:
        with pytest.raises(KeyError):
            engine.pause("ZZZ", "typo", "desk")
        with pytest.raises(KeyError):
            engine.unpause("ZZZ", "typo", "desk")

    strategy, _ = act(tmp_path, monkeypatch, pause)
    assert strategy.looked is not None
    assert strategy.looked.paused == ()
    assert strategy.looked.market_events >= 40
    assert strategy.looked.conflated == 0
    assert strategy.looked.failure == ""
