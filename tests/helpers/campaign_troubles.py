"""What a story at a simulated place draws besides the faults of single requests.

An outage: for seconds or a minute the place answers nothing, or everything with the same words.
A stream of orders that loses words, breaks, or falls silent. Another session of the same account
that shares its count of requests. Each draws from a generator of its own, so that what one does
moves nothing of the others.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import Lane, Overdue, Withheld
from logos.simulators.exchange.faults import Fault, FaultPlan, Rule
from logos.testing.clock import ManualClock
from logos.venues.budget import Budget, RequestKind
from logos.venues.contract import OrderNews, Unavailable
from logos.venues.ids import ClientIds

T = TypeVar("T")
OUTAGES = (
    Fault.MAINTENANCE,
    Fault.UNAVAILABLE,
    Fault.RATE_LIMIT,
    Fault.RESET_BEFORE,
    Fault.TIMEOUT_BEFORE,
    Fault.SERVER_ERROR,
)
_PING_S = 8.0
_WORKS = OrderNews("", is_sign_of_life=True)


class Outages:
    """Times in which every request to a place fails in the same way."""

    def __init__(self, faults: FaultPlan, random: Random, clock: ManualClock) -> None:
        self._faults, self._random, self._clock = faults, random, clock
        self._odds = random.choice((0.0, 0.0, 0.03))
        self._rule: Rule | None = None
        self._until_ns = 0
        self.counts: Counter[str] = Counter()

    def now(self) -> None:
        """Time has gone on: one may begin or end."""
        if self._rule is not None and self._clock.now_ns() >= self._until_ns:
            self.end()
        elif self._rule is None and self._random.random() < self._odds:
            fault = self._random.choice(OUTAGES)
            lasts_s = self._random.choice((2.0, 10.0, 60.0)) * self._random.random()
            waits_s = self._random.choice((1, 5, 30))
            self._until_ns = self._clock.now_ns() + round(lasts_s * NS_PER_SECOND)
            self._rule = self._faults.add(Rule("", fault, 10**9, retry_after_s=waits_s))
            self.counts[f"outages {fault.value}"] += 1

    def end(self) -> None:
        """It is over."""
        if self._rule in self._faults.rules:
            self._faults.rules.remove(self._rule)
        self._rule = None

    def calm(self) -> None:
        """There will be none any more."""
        self.end()
        self._odds = 0.0


class Streams:
    """The place's own stream of orders, as an adapter hands it on."""

    def __init__(self, random: Random, clock: ManualClock) -> None:
        self._random, self._clock = random, clock
        self.kind = random.choice(("none", "none", "whole", "loses words", "breaks", "is silent"))
        self._listeners: list[asyncio.Queue[str]] = []
        self.counts: Counter[str] = Counter()

    def tell(self, order: Any, *_: object) -> None:
        """Something happened to an order."""
        for listener in self._listeners:
            listener.put_nowait(order.client_id)

    async def news(self, ids: ClientIds) -> AsyncIterator[OrderNews]:
        """As `order_news` of ccxt's venues. Raises Unavailable when the stream breaks."""
        heard: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.append(heard)
        try:
            yield _WORKS
            while True:
                name = await heard_within(self._clock, heard, _PING_S)
                if await self.keeps():
                    yield _WORKS if name is None else OrderNews(ids.to_ours(name))
        finally:
            self._listeners.remove(heard)

    async def keeps(self) -> bool:
        """Whether the next word comes through. Raises Unavailable when the stream breaks."""
        draw = self._random.random()
        if self.kind == "breaks" and draw < 0.1:
            self.counts["streams broken"] += 1
            raise Unavailable("orders: the connection was lost")
        if self.kind == "loses words" and draw < 0.3:
            self.counts["words of streams lost"] += 1
            return False
        if self.kind == "is silent" and draw < 0.1:
            self.counts["streams fallen silent"] += 1
            await self._clock.sleep(600.0)
        self.counts["words of streams"] += 1
        return True


async def heard_within(clock: ManualClock, waiting: asyncio.Queue[T], seconds: float) -> T | None:
    """The next word of a stream; None where nothing is said for so long."""
    word = asyncio.ensure_future(waiting.get())
    silence = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((word, silence), return_when=asyncio.FIRST_COMPLETED)
        return word.result() if word.done() else None
    finally:
        word.cancel()
        silence.cancel()


class _Account:
    """The same account as another session's adapter has it; it sends nothing."""

    name = "another session"

    def __init__(self, path: Path, budget: Callable[[], Budget | None]) -> None:
        self.shared_budget = path
        self._budget = budget

    @property
    def budget(self) -> Budget | None:
        return self._budget()


class Neighbour:
    """Another session of the account, that takes turns out of the same count."""

    def __init__(self, seed: int, clock: ManualClock) -> None:
        folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
        descriptor, name = tempfile.mkstemp(prefix=f"logos-story-{seed}-", dir=folder)
        os.close(descriptor)
        self.path = Path(name)
        self._random, self._clock = Random(seed), clock
        self.counts: Counter[str] = Counter()

    async def run(self, budget: Callable[[], Budget | None]) -> None:
        """Ask for turns until cancelled."""
        account: Any = _Account(self.path, budget)
        lane = Lane(account, self._clock)
        kinds = (RequestKind.FIND, RequestKind.FILLS, RequestKind.ORDER, RequestKind.CANCEL)
        try:
            while True:
                await self._clock.sleep(self._random.choice((0.3, 3.0, 12.0)))
                kind = self._random.choice(kinds)
                until_ns = self._clock.now_ns() + 2 * NS_PER_SECOND
                try:
                    await lane.turn(kind, until_ns=until_ns)
                    self.counts["turns of a second session"] += 1
                except (Overdue, Withheld):
                    self.counts["turns that a second session did not get"] += 1
        finally:
            close_count(lane)

    def end(self) -> None:
        """Nobody counts any more."""
        self.path.unlink(missing_ok=True)


def close_count(lane: Lane) -> None:
    """Let go of the file that a lane counts in."""
    if lane._together is not None:
        lane._together.close()
        lane._together = None
