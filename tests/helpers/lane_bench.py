"""A queue before a venue on a clock that is moved by hand, for tests of who goes when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from link_helpers import rest, run

from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import Lane
from logos.testing.clock import ManualClock
from logos.venues.budget import Allowance, Budget, Pool, RequestKind
from logos.venues.contract import Pace, VenueError

CANCEL, ORDER, FIND = RequestKind.CANCEL, RequestKind.ORDER, RequestKind.FIND
OPEN_ORDERS = RequestKind.OPEN_ORDERS
ONE_A_SECOND = Budget((Pool("all", 1, 1),))


@dataclass
class Place:
    """What the lane needs of a venue."""

    budget: Budget | None = ONE_A_SECOND
    allowances: list[Allowance] = field(default_factory=list)
    pace: Pace | None = None
    name: str = "bench"

    def use_pace(self, pace: Pace) -> None:
        self.pace = pace


class Bench:
    """A lane on a clock moved by hand; everybody who asks it for a turn is a task."""

    def __init__(self, budget: Budget | None = ONE_A_SECOND) -> None:
        self.clock = ManualClock()
        self.place = Place(budget)
        self.lane = Lane(self.place, self.clock)  # type: ignore[arg-type]
        self.left: list[tuple[str, float]] = []
        """Who left, and how many seconds after the begin."""
        self.refused: dict[str, VenueError] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._began_ns = self.clock.now_ns()

    @property
    def now_s(self) -> float:
        return (self.clock.now_ns() - self._began_ns) / NS_PER_SECOND

    def add(
        self,
        name: str,
        kind: RequestKind,
        may_leave: Callable[[], bool] = lambda: True,
        within_s: float | None = None,
    ) -> None:
        until_ns = None
        if within_s is not None:
            until_ns = self.clock.now_ns() + round(within_s * NS_PER_SECOND)

        async def wait() -> None:
            try:
                await self.lane.turn(kind, may_leave, until_ns)
            except VenueError as error:
                self.refused[name] = error
                return
            self.left.append((name, self.now_s))

        self.tasks[name] = asyncio.create_task(wait())

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.left]

    async def wait(self, seconds: float) -> None:
        await rest()
        for _ in range(round(seconds * 10)):
            await self.clock.advance(0.1)
            await rest()

    async def finish(self) -> None:
        """Let time pass until nobody waits any more."""
        await rest()
        while not all(task.done() for task in self.tasks.values()):
            await self.clock.next_wake()
            await rest()


def play(work: Callable[[Bench], Awaitable[None]], budget: Budget | None = ONE_A_SECOND) -> Bench:
    async def body() -> Bench:
        bench = Bench(budget)
        await work(bench)
        for task in bench.tasks.values():
            task.cancel()
        await asyncio.gather(*bench.tasks.values(), return_exceptions=True)
        return bench

    return run(body())
