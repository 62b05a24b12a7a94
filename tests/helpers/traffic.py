"""What goes to the venue of a `LinkBench`, in order, and what it bears."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from link_bench import LinkBench
from link_helpers import rest

from logos.core.messages import TimePassed
from logos.core.strategy import Answer, limit
from logos.core.types import NS_PER_SECOND, Side
from logos.venues.budget import Budget, Pool
from logos.venues.contract import OrderNews, Unavailable

KRAKEN_LIKE = Budget((Pool("all", 15, 1.0),))
"""A counter of 15 that decays by one a second, and all requests count."""
ALPACA_LIKE = Budget((Pool("minute", 20, 3.0),))
"""200 requests a minute, of which 20 may come at once."""
CALLS = ("submit", "cancel", "find", "open_orders", "fills_since", "balances")
QUESTIONS = CALLS[2:]


def resting(count: int) -> dict[int, Answer]:
    """A script of that many orders, one a quote."""
    return {n: limit(Side.BUY, "1", f"{n}", tag=f"t{n}") for n in range(1, count + 1)}


class Traffic:
    """Sees every call to the venue of a bench, and sets its budget."""

    def __init__(self, bench: LinkBench, budget: Budget | None = None) -> None:
        self.bench = bench
        self.venue: Any = bench.venue
        self.venue.budget = budget
        self.calls: list[tuple[float, str]] = []
        self.began_ns = bench.clock.now_ns()
        for name in CALLS:
            self._watch(name)

    def _watch(self, name: str) -> None:
        inner = getattr(self.venue, name)

        async def watched(*arguments: Any) -> Any:
            self.calls.append((self.now_s, name))
            return await inner(*arguments)

        setattr(self.venue, name, watched)

    @property
    def now_s(self) -> float:
        return (self.bench.clock.now_ns() - self.began_ns) / NS_PER_SECOND

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for _, name in self.calls)

    def begin(self) -> None:
        """Count from now on."""
        self.calls.clear()
        self.began_ns = self.bench.clock.now_ns()

    async def rest_orders(self, count: int) -> None:
        """Let the script's orders come to rest at the venue."""
        for _ in range(count):
            self.bench.quote()
            await self.bench.wait(1)
        await self.bench.wait(5)
        assert len(self.open) == count

    @property
    def open(self) -> list[str]:
        return [name for name, order in self.bench.venue.books.orders.items() if order.is_open]

    async def kill(self) -> None:
        """Engage the switch, and let the core see it."""
        self.bench.switch.engage("drill", "ann")
        self.bench.core.run([TimePassed(self.bench.clock.now_ns())])
        self.bench.send()
        await rest()


class Stream:
    """A venue's stream of orders, as a test wants it."""

    def __init__(self, venue: Any) -> None:
        self.connections = self.open = 0
        self.is_mute = False
        self.items: list[OrderNews | None] = []
        self._venue = venue
        venue.order_events = self.order_events

    def order_events(self) -> AsyncIterator[OrderNews]:
        self.connections += 1
        return self._events()

    async def _events(self) -> AsyncIterator[OrderNews]:
        self.open += 1
        try:
            if not self.is_mute:
                yield OrderNews("", is_sign_of_life=True)
            while True:
                await self._venue._clock.sleep(0.1)
                while self.items:
                    item = self.items.pop(0)
                    if item is None:
                        raise Unavailable("connection reset")
                    yield item
        finally:
            self.open -= 1

    def say(self, *names: str) -> None:
        self.items += [OrderNews(name) for name in names]

    def live(self) -> None:
        self.items.append(OrderNews("", is_sign_of_life=True))

    def die(self) -> None:
        self.items.append(None)
