"""A live loop on a clock moved by hand; its session and its venue write down what happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

from link_helpers import coin, rest

from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote, SessionEnd
from logos.core.outbox import VenueRequest
from logos.execution.incoming.inbox import Inbox
from logos.feeds.contract import LiveFeed, Sink
from logos.session.connections import Connections
from logos.session.drive import LiveEngine, LiveRules
from logos.session.outcome import Outputs
from logos.testing.clock import ManualClock

COIN = coin()
REQUEST: Any = object()
NO_PLAN: Any = None


def quote(ts_ns: int) -> Quote:
    return Quote(ts_ns, "COIN", 100, 101, -1, -1, COIN)


class Session:
    """A session that writes down what it lives through; with `order_on_quote` quotes make requests.

    It records a batch, as the real one does, before it lives through it.
    """

    def __init__(self, log: list[str], order_on_quote: bool = False) -> None:
        self.log = log
        self.order_on_quote = order_on_quote
        self.order_count = 0
        self.open = 0
        self.is_ending = False
        self.result: Any = None
        self.now_ns = 0
        self.switch = InProcessSwitch()
        self.core = SimpleNamespace(switch=self.switch, is_suspended=False)
        self.supervisor = SimpleNamespace(ready=bool, heed=bool)
        self.on_projection: Callable[[], object] = bool
        self.folder = SimpleNamespace(holds_back=False, held=[], project=self._project)
        self.batches: list[list[Event]] = []
        self.write_error: OSError | None = None
        self.sync_error: OSError | None = None
        self.on_events: Callable[[Sequence[Event]], object] = lambda _events: None

    @property
    def is_over(self) -> bool:
        return self.result is not None

    @property
    def is_at_venue(self) -> bool:
        return self.open > 0

    @property
    def decided_ns(self) -> int:
        return time.perf_counter_ns()

    def apply(self, events: Sequence[Event] | None) -> Outputs:
        if events is None:
            self.result = "drained"
            return Outputs([], [])
        if events:
            if self.write_error is not None:
                raise self.write_error
            self.batches.append(list(events))
            self.log.append("recorded")
        self.on_events(events)
        requests: list[VenueRequest] = []
        for event in events:
            self.now_ns = event.ts_ns
            self.log.append(f"lived {type(event).__name__}")
            if isinstance(event, SessionEnd):
                if not self.open:
                    self.result = "ended"
                self.is_ending = True
                requests.append(REQUEST)
            if isinstance(event, Quote) and self.order_on_quote:
                self.order_count += 1
                self.open += 1
                requests.append(REQUEST)
                self.folder.held.append("its records")
        return Outputs([], requests)

    def _project(self) -> None:
        self.folder.held.clear()
        self.on_projection()

    def fail(self, error: Exception) -> None:
        self.log.append(f"failed: {error}")
        self.result = "failed"

    def save_if_due(self) -> None: ...

    def sync(self) -> None:
        if self.sync_error is not None:
            raise self.sync_error
        self.log.append("synced")


class Feed:
    """A feed that does what it is told."""

    def __init__(self, name: str, work: Callable[[Sink], Awaitable[None]]) -> None:
        self.name = name
        self.symbols = ["COIN"]
        self._work = work

    async def run(self, sink: Sink) -> None:
        await self._work(sink)


class Venue:
    """A way to a venue that does what it is told."""

    def may_end(self) -> bool:
        """There is no cancel that waits, and nothing to compare."""
        return True

    def facts(self) -> dict[str, str]:
        return {}

    def __init__(
        self,
        log: list[str],
        work: Callable[[], Awaitable[None]] | None = None,
        opens: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.log = log
        self._work = work
        self._opens = opens
        self.dispatched = 0
        self.tasks: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"venue": self.run}

    async def open(self) -> None:
        if self._opens is not None:
            await self._opens()

    async def run(self) -> None:
        if self._work is not None:
            await self._work()
        await asyncio.get_running_loop().create_future()

    def dispatch(self, requests: Sequence[VenueRequest]) -> None:
        self.dispatched += len(requests)
        self.log.append("dispatched")


async def for_ever(_sink: Sink | None = None) -> None:
    await asyncio.get_running_loop().create_future()


@dataclass
class Stage:
    """All that an engine is made of."""

    rules: LiveRules = field(default_factory=LiveRules)
    order_on_quote: bool = False
    feeds: list[LiveFeed] = field(default_factory=lambda: [Feed("quiet", for_ever)])
    link_work: Callable[[], Awaitable[None]] | None = None
    on_heartbeat: Callable[[], object] = lambda: None
    on_open: Callable[[], Awaitable[object]] | None = None
    has_venue: bool = True
    past: list[list[Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log: list[str] = []
        self.clock = ManualClock()
        self.session = Session(self.log, self.order_on_quote)
        self.switch = self.session.switch
        self.inbox = Inbox(100, {}, lambda _news: None)
        self.venue = Venue(self.log, self.link_work, self.on_open)
        source: Any = SimpleNamespace(
            inbox=self.inbox,
            connections=Connections(NO_PLAN, self.feeds, self.clock, Random(1)),
            past=None,
            flatten=None,
            backfill=None,
            batches=lambda: iter(self.past),
        )
        view: Any = SimpleNamespace(beat=self.on_heartbeat)
        session: Any = self.session
        venue: Any = self.venue if self.has_venue else None
        self.engine = LiveEngine(session, source, self.rules, venue, view)

    def run(self) -> asyncio.Task[Any]:
        return asyncio.create_task(self.engine.run())

    def now_quote(self) -> None:
        event = quote(self.clock.now_ns())
        assert self.inbox.market(event, event.ts_ns)

    async def wait(self, task: asyncio.Task[Any], seconds: float = 100.0) -> Any:
        """Move the clock until the session has ended."""
        while not task.done() and seconds > 0:
            await rest()
            await self.clock.advance(0.5)
            await rest()
            seconds -= 0.5
        assert task.done(), f"still running: {self.log[-5:]}"
        return task.result()
