"""What adds up at the terminal is asked for once, after a RESET, in each of its lives."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import Hand, HandClock, bench, quiet
from waiting import until

from logos.adapters.mt5.feed import TICK, Mt5Feed, Mt5FeedSymbol
from logos.adapters.mt5.links import SymbolLinks
from logos.adapters.mt5.subscriptions import Subscriptions
from logos.core.messages import MarketEvent, Quote
from logos.feeds.contract import FeedNews
from logos.simulators.mt5.simulator import SimOptions

SYMBOL = "BTCUSD.s"
TICKS = {"action": "CONFIG", "chartTF": TICK}


class Terminal:
    """What was asked for, and the answers that are lost."""

    def __init__(self) -> None:
        self.lives = 0
        self.asked: list[str] = []
        self.lost: list[str] = []

    async def request(self, symbol: str, fields: Mapping[str, object]) -> dict[str, Any]:
        word = symbol or str(fields["action"])
        self.asked.append(word)
        await asyncio.sleep(0)
        if word in self.lost:
            raise OSError("no answer")
        return {"error": word == "WRONG"}


class Desk:
    def __init__(self) -> None:
        self.terminal = Terminal()
        self.now_s = 100.0
        self.woken = 0
        self.subscriptions = Subscriptions(self.terminal, lambda: self.now_s, self.on_reset)

    def on_reset(self) -> None:
        self.woken += 1

    def make(self, *symbols: str, silence_s: float = 10.0) -> list[dict[str, Any]]:
        self.subscriptions._resetting = asyncio.Lock()  # of this loop

        async def all_of_them() -> list[Any]:
            made = (self.subscriptions.make(symbol, TICKS, silence_s) for symbol in symbols)
            return await asyncio.gather(*made)

        return asyncio.run(all_of_them())


def test_the_first_subscription_of_a_life_comes_after_a_reset_and_each_is_made_once() -> None:
    desk = Desk()
    desk.make("A", "B")
    desk.make("A", "B", "A")
    assert desk.terminal.asked == ["RESET", "A", "B"]
    desk.terminal.lives += 1
    desk.make("B", "A")
    assert desk.terminal.asked == ["RESET", "A", "B", "RESET", "B", "A"]
    assert (desk.subscriptions.resets, desk.woken) == (2, 2)


def test_a_symbol_that_is_silent_while_others_are_told_is_not_asked_for_again() -> None:
    desk = Desk()
    desk.make("A", "B")
    desk.now_s += 9.0
    desk.subscriptions.heard()
    desk.now_s += 9.0
    desk.make("A")
    assert desk.terminal.asked == ["RESET", "A", "B"]


def test_when_nothing_is_told_all_are_ended_and_asked_for_anew() -> None:
    desk = Desk()
    desk.make("A", "B")
    desk.now_s += 10.0
    desk.make("A")
    assert desk.terminal.asked[3:] == ["RESET", "A"]
    desk.make("B")
    assert desk.terminal.asked[5:] == ["B"]


def test_what_was_refused_or_lost_is_asked_for_again() -> None:
    desk = Desk()
    desk.make("WRONG", "WRONG")
    assert desk.terminal.asked == ["RESET", "WRONG", "WRONG"]
    desk.terminal.lost = ["A"]
    with pytest.raises(OSError, match="no answer"):
        desk.make("A")
    desk.subscriptions.made("A", TICKS)
    desk.make("A")
    assert desk.terminal.asked.count("A") == 1


def test_a_reset_that_is_lost_is_asked_for_again_before_anything_else() -> None:
    desk = Desk()
    desk.terminal.lost = ["RESET"]
    with pytest.raises(OSError, match="no answer"):
        desk.make("A")
    desk.terminal.lost = []
    desk.make("A")
    assert desk.terminal.asked == ["RESET", "RESET", "A"]


class Collected:
    """A sink that keeps the bids."""

    def __init__(self) -> None:
        self.quotes: list[int] = []

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        assert isinstance(event, Quote)
        self.quotes.append(event.bid_units)
        return True

    async def room(self) -> None: ...

    def news(self, news: FeedNews) -> None: ...


def test_a_price_that_two_subscriptions_tell_is_had_once_and_leftovers_are_ended() -> None:
    async def scenario() -> None:
        hand = Hand()
        options = SimOptions(ea="published", timer_s=0.001)
        async with bench(options, quiet(), clock=hand) as box:
            expert = box.simulator._expert
            assert expert is not None
            for _ in range(3):  # of a client before this one
                await box.gateway.request(SYMBOL, {**TICKS, "symbol": SYMBOL})
            links = SymbolLinks(box.gateway, [SYMBOL])
            known = {SYMBOL: Mt5FeedSymbol(quiet().instrument, SYMBOL)}
            feed = Mt5Feed(
                links.links[SYMBOL], known, TICK, HandClock(hand), Random(1), silence_s=60.0
            )
            sink = Collected()
            pump = asyncio.create_task(links.run())
            running = asyncio.create_task(feed.run(sink))
            await until(lambda: len(expert._subscriptions) == 1, "leftovers to be ended", running)
            # Twice, as after an answer that was lost.
            await box.gateway.request(SYMBOL, {**TICKS, "symbol": SYMBOL})
            assert len(expert._subscriptions) == 2

            def has_told(count: int) -> bool:
                return len(sink.quotes) >= count

            for step in range(1, 4):
                await until(
                    lambda: all(s.last_bar == hand.now_s * 1000 for s in expert._subscriptions),
                    "the terminal to have told the price",
                    running,
                )
                hand.now_s += 1
                box.simulator.terminal.price(SYMBOL, 10_000 + step, 10_010 + step)
                await until(lambda: has_told(step), "a price", running)  # noqa: B023
            assert sink.quotes == [10_001, 10_002, 10_003]
            for task in (running, pump):
                task.cancel()
            await asyncio.gather(running, pump, return_exceptions=True)

    asyncio.run(scenario())
