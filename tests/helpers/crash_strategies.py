"""The strategies of the sessions that are crashed; see `crash_sessions`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.handlers.events import OrderEvent, Timer
from logos.core.messages import Quote
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    Replace,
    Request,
    Strategy,
    Target,
    Weight,
    limit,
    market,
    stop,
)
from logos.core.types import Side

SYMBOLS = ("AAA", "BBB", "CCC")


class Restless(Strategy):
    """Orders of all kinds on every few events; some rest, some fill in parts, some are replaced.

    At event `breach_at` it orders more than the limit allows, at `fail_at` it raises.
    """

    def __init__(self, breach_at: int = 0, fail_at: int = 0) -> None:
        self._breach_at = breach_at
        self._fail_at = fail_at
        self._seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._seen += 1
        if self._seen == self._breach_at:
            return market(Side.BUY, 1_000_000)
        if self._seen == self._fail_at:
            raise RuntimeError("the strategy gives up")
        if self._seen % 3:
            return None
        chance = context.random
        side = chance.choice((Side.BUY, Side.SELL))
        away = -1 if side is Side.BUY else 1
        size, mid = chance.randint(1, 40), Decimal(quote.bid_units) / 100
        near = Decimal(chance.randint(1, 12)) / 100
        open_orders = context.open_orders(quote.symbol)
        requests: list[Request] = [
            market(side, size),
            limit(side, size, mid + away * near, tag="rests"),
            stop(side, size, mid - away * near),
        ]
        if len(open_orders) > 5:
            return [Replace(open_orders[0].order_id, quantity=size + 41), requests[0]]
        return chance.choice(requests)


class Saving(Restless):
    """The same, and it can be saved."""

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self._seen = state["seen"]


class Protected(Saving):
    """Brackets, pairs of exits and trailing stops; timers flatten, and turn the position.

    `told` is all it heard of its orders and timers: what it does next follows from that, so that a
    word lost or told twice changes the bytes.
    """

    def __init__(self, breach_at: int = 0, fail_at: int = 0) -> None:
        super().__init__(breach_at, fail_at)
        self._told = 0

    def on_start(self, context: Context) -> Answer:
        context.every("7s", name="turn")
        context.every("19s", align=False, name="flat", symbol="AAA")
        return None

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        self._told += event.order_id + len(event.change.value)
        return None

    def on_timer(self, context: Context, timer: Timer) -> Answer:
        self._told += timer.missed + 1
        if timer.symbol:
            return Target(0, timer.symbol)
        symbol = context.random.choice(SYMBOLS)
        if self._told % 2:
            context.at(timer.due_ns + 3_500_000_000, name="once", symbol=symbol)
        context.log(f"turns, having heard {self._told}", symbol=symbol)
        return Target(context.random.randint(-60, 60), symbol)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._seen += 1
        if self._seen == self._breach_at:
            return market(Side.BUY, 1_000_000)
        if self._seen == self._fail_at:
            raise RuntimeError("the strategy gives up")
        if self._seen % 2:
            return None
        chance = context.random
        mid = Decimal(quote.bid_units) / 100
        near = Decimal(chance.randint(2, 9) + self._told % 3) / 100
        held = context.position(quote.symbol)
        if not held:
            return market(
                Side.BUY, chance.randint(5, 60), stop_loss=mid - near, take_profit=mid + near
            )
        side, away = (Side.SELL, 1) if held > 0 else (Side.BUY, -1)
        context.plot("held", held, symbol=quote.symbol)
        half = max(1, abs(int(held)) // 2)
        pair = f"pair {self._seen % 3}"
        answers: list[Answer] = [
            [
                limit(side, half, mid + away * near, reduce_only=True, group=pair),
                stop(side, half, mid - away * near, reduce_only=True, group=pair),
            ],
            Replace(tag="stop", stop_price=mid - away * near),
            Cancel(tag="target"),
            Weight("0.01"),
        ]
        return chance.choice(answers)

    def save(self) -> dict[str, Any]:
        return {**super().save(), "told": self._told}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        super().load(context, state)
        self._told = state["told"]


class RestlessBars(Restless):
    """It also asks for bars of two lengths, a history and a warm-up, and decides by them."""

    timeframes = ("5s", "20s")
    history = 4
    warmup = 3

    def on_bar(self, context: Context, bar: Any) -> Answer:
        closes = context.history(bar.symbol, 4)
        self._seen += round(sum(closes))
        return market(Side.BUY if closes[-1] > closes[0] else Side.SELL, len(context.timeframe))


class SavingBars(RestlessBars):
    """The same, and it can be saved."""

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self._seen = state["seen"]
