"""A strategy that tries everything, and a feed that lets a test look after every event."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from logos.core.messages import Bar, Event, MarketEvent, Quote, QuoteBar, Trade
from logos.core.records import PaperFillRecord
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
    stop_limit,
)
from logos.core.types import Side, TimeInForce
from logos.session.plan import Feed

CSV_ARTIFACTS = ("orders.csv", "trades.csv", "positions.csv", "account.csv")
DERIVED = ("trips.csv", "equity.csv")
ARTIFACTS = (
    *CSV_ARTIFACTS,
    *DERIVED,
    "session.md",
    "state.jsonl",
    "state.json",
    "config.json",
    "host.json",
)
WITH_REPORT = (*ARTIFACTS, "report.html")
"""What a command that runs a session leaves in its folder."""


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one CSV artifact, as text."""
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class ListFeed:
    """Events from a list, in chunks of `size`."""

    def __init__(self, events: Sequence[Event], size: int = 1) -> None:
        self.events = events
        self.size = size

    def chunks(self) -> Iterator[Sequence[Event]]:
        for start in range(0, len(self.events), self.size):
            yield self.events[start : start + self.size]


class OneByOne:
    """Another feed's events, up to `events_max` of them, each in a chunk of its own."""

    def __init__(self, feed: Feed, events_max: int) -> None:
        self._feed = feed
        self._events_max = events_max
        self.last: Event | None = None
        """The event that was handed out last."""

    def chunks(self) -> Iterator[Sequence[Event]]:
        events = (event for chunk in self._feed.chunks() for event in chunk)
        for event in islice(events, self._events_max):
            self.last = event
            yield [event]


class Busy(Strategy):
    """Every few events something else: all order types and lifetimes, cancels, replacements.

    `sizes` maps a symbol to the quantity of its smallest order; `every` is the number of events
    of one symbol from one decision to the next. Positions are pulled back to near zero, so that
    they go long, short and through flips.
    """

    def __init__(self, sizes: dict[str, str], every: int) -> None:
        self.sizes = {symbol: Decimal(size) for symbol, size in sizes.items()}
        self.every = every
        self.seen = dict.fromkeys(self.sizes, 0)
        self.context: Context | None = None
        self.told = 0

    def on_start(self, context: Context) -> Answer:
        self.context = context
        return None

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._decide(context, bar, bar.close)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._decide(context, quote, quote.mid)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._decide(context, trade, trade.price)

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.told += 1
        if self.told % 17:
            return None
        back = Side.SELL if fill.side is Side.BUY else Side.BUY
        return limit(back, fill.quantity, fill.price, tag="back")

    def on_stop(self, context: Context) -> Answer:
        return [Target(0, symbol) for symbol in context.symbols]

    def _decide(self, context: Context, event: MarketEvent, price: float) -> Answer:
        symbol = event.symbol
        self.seen[symbol] += 1
        if self.seen[symbol] % self.every:
            return None
        random = context.random
        size = self.sizes[symbol] * random.randint(1, 9)
        side = random.choice((Side.BUY, Side.SELL))
        worse = 1 if side is Side.BUY else -1
        near = price * 0.0004 * random.random()
        open_orders = context.open_orders(symbol)
        requests: list[Request] = []
        if len(open_orders) > 6:
            requests.append(Cancel(open_orders[0].order_id))
            requests.append(Replace(open_orders[1].order_id, quantity=open_orders[1].quantity * 2))
        choices: list[Request] = [
            market(side, size),
            limit(side, size, price - worse * near, tag="rest"),
            limit(side, size, price + worse * near, time_in_force=TimeInForce.IOC),
            limit(side, size, price, time_in_force=TimeInForce.FOK),
            limit(side, size, price - worse * near, time_in_force=TimeInForce.DAY),
            stop(side, size, price + worse * near),
            stop_limit(side, size, price + worse * near, price + worse * 2 * near),
            Target(size * worse, symbol),
            Target(0, symbol),
            Weight(worse * 0.01, symbol),
            side,
        ]
        requests.append(random.choice(choices))
        return requests


def session_config(**tables: Any) -> dict[str, Any]:
    """Settings for one made-up symbol ACME (tick 0.01, lot 1, USD), with `tables` laid over.

    Nothing is limited but what `tables` limit.
    """
    return {
        "risk": {"unlimited": True},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
        "account": {"balances": {"USD": "1000000"}},
        **tables,
    }
