"""The live loop: feeds, timers, venues and operators around one sequenced, synchronous core.

    feed and venue tasks, the heartbeat -> inbox -> recorded -> core -> durable -> venue

Everything runs in one asyncio loop, and the core is stepped in it: what the core sees is in one
order, written down before it sees it. Only what a venue is to hear leaves, and only after intent
and inputs are on the disk.

Nothing dies unnoticed: when a task ends that should not, the kill switch is engaged and the session
is brought to its end in order. A loop that stands still is seen by a thread beside it (`stall`) and
from outside, by its heartbeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from logos.core.clock import Clock
from logos.core.gates import Switch
from logos.core.messages import Event, TimePassed
from logos.core.outbox import VenueRequest
from logos.core.types import NS_PER_SECOND
from logos.execution.inbox import Inbox
from logos.execution.latency import LatencyHistogram
from logos.feeds.live import LiveFeed

Result = TypeVar("Result")
ResultOut = TypeVar("ResultOut", covariant=True)

_OVERRUN_NS = 10_000_000
"""The budget of one batch: a longer one is counted as an overrun."""


class LiveFailureError(Exception):
    """A part of the live session died; the message says which, and of what."""


class Recorder(Protocol):
    """Where inputs are written before anybody acts on them."""

    def write(self, events: Sequence[Event]) -> None: ...

    def sync(self) -> None: ...


class Link(Protocol):
    """The way to a real venue; see `venue_link`."""

    async def run(self) -> None:
        """Serve requests and poll the venue until cancelled."""

    def dispatch(self, requests: Sequence[VenueRequest]) -> None:
        """Send these, once. They are durable."""


@dataclass(frozen=True, slots=True)
class LiveRules:
    """How the loop behaves. `stop_after_s` is 0 for a session without an end of its own."""

    heartbeat_s: float = 1.0
    stop_after_s: float = 0.0


class LiveSession(Protocol[ResultOut]):
    """What the engine drives; `logos.session` makes it of a session's parts."""

    def life(self) -> Generator[None, Sequence[Event] | None, ResultOut]:
        """See `logos.session.running.Running.life`."""

    def take_requests(self) -> Sequence[VenueRequest]:
        """What is to leave for the venue since the last call."""

    def order_count(self) -> int:
        """Orders made so far."""

    def sync(self) -> None:
        """Make everything journalled durable. Raises OSError."""


class LiveEngine(Generic[Result]):
    """Runs one live session to its end."""

    def __init__(
        self,
        session: LiveSession[Result],
        inbox: Inbox,
        recorder: Recorder,
        feeds: Sequence[LiveFeed],
        clock: Clock,
        switch: Switch,
        rules: LiveRules,
        link: Link | None = None,
        on_heartbeat: Callable[[], object] = lambda: None,
        before_live: Callable[[], Awaitable[object]] | None = None,
        others: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] | None = None,
    ) -> None:
        """`before_live` is awaited once the past has been lived through and before anything new
        comes in; `others` are more tasks to run beside the loop, by name."""
        self._session = session
        self._inbox = inbox
        self._recorder = recorder
        self._feeds = feeds
        self._clock = clock
        self._switch = switch
        self._rules = rules
        self._link = link
        self._on_heartbeat = on_heartbeat
        self._before_live = before_live
        self._others = {} if others is None else others
        self._tasks: list[asyncio.Task[None]] = []
        self._feeds_left = len(feeds)
        self._is_over = False
        """Whether no more market data will come: all feeds ended, or the time is up."""
        self.failure = ""
        """What died, and of what; empty while all is well."""
        self.beats = 0
        """Grows as long as the loop turns; `StallWatch` looks at it."""
        self.overruns = 0
        self.stages: Mapping[str, LatencyHistogram] = {
            "feed to strategy": LatencyHistogram(),
            "feed to order": LatencyHistogram(),
            "feed to durable": LatencyHistogram(),
        }

    async def run(self, past: Iterable[Sequence[Event]] = ()) -> Result:
        """Run until the session ends; returns its result. Raises what its life raises.

        `past` is what a resumed session consumed before: it is lived through again first. What it
        asked of a venue then is not asked again; the link finds out what became of it.
        """
        life = self._session.life()
        next(life)
        for events in past:
            self._recorder.write(events)
            life.send(events)
            self._session.take_requests()
        if self._before_live is not None:
            try:
                await self._before_live()
            except Exception as error:
                self._fail(f"could not begin: {type(error).__name__}: {error}")
        for name, work in self._others.items():
            self._start(name, work())
        for feed in self._feeds:
            self._start(feed.name, self._feed(feed))
        if self._link is not None:
            self._start("venue", self._link.run())
        self._start("heartbeat", self._heartbeat())
        try:
            return await self._consume(life)
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            await self._end_tasks()

    # ---- the core's side ----

    async def _consume(self, life: Generator[None, Sequence[Event] | None, Result]) -> Result:
        """Step the core with whatever comes, until it has had enough (StopIteration)."""
        while True:
            events, arrived_ns = await self._inbox.take()
            self.beats += 1
            if events:
                try:
                    self._recorder.write(events)
                except OSError as error:
                    life.throw(error)
            self._step(life, events, arrived_ns)
            if self.failure:
                life.throw(LiveFailureError(self.failure))
            if self._is_over and not len(self._inbox):
                life.send(None)
            # The others' turn, also when there is always something to do here.
            await asyncio.sleep(0)

    def _step(
        self,
        life: Generator[None, Sequence[Event] | None, Result],
        events: Sequence[Event],
        arrived_ns: Sequence[int],
    ) -> None:
        orders = self._session.order_count()
        began_ns = time.perf_counter_ns()
        try:
            life.send(events)
        finally:
            done_ns = time.perf_counter_ns()
            if done_ns - began_ns > _OVERRUN_NS:
                self.overruns += 1
            stage = self.stages["feed to strategy"]
            for moment_ns in arrived_ns:
                stage.add(done_ns - moment_ns)
            if arrived_ns and self._session.order_count() != orders:
                self.stages["feed to order"].add(done_ns - arrived_ns[0])
        requests = self._session.take_requests()
        if requests and self._link is not None:
            # Inputs first: an order whose reason is not on the disk could not be made again.
            self._recorder.sync()
            self._session.sync()
            if arrived_ns:
                self.stages["feed to durable"].add(time.perf_counter_ns() - arrived_ns[0])
            self._link.dispatch(requests)

    # ---- the tasks around it ----

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._watched(name, work), name=name))

    async def _watched(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task; its death is the session's business."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(f"{name} died: {type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        """Engage the switch, show it to the core, and end the session after that."""
        if not self.failure:
            self.failure = why
        self._switch.engage(why, "live engine")
        self._inbox.put(TimePassed(self._clock.now_ns()))

    async def _feed(self, feed: LiveFeed) -> None:
        """A feed that comes to an end (a recorded one does) ends the session with the last."""
        await feed.run(self._inbox)
        self._feeds_left -= 1
        if not self._feeds_left:
            self._is_over = True
            self._inbox.wake()

    async def _heartbeat(self) -> None:
        """The passing of time, for the core, for whoever looks from outside, and for the end."""
        end_ns = self._clock.now_ns() + round(self._rules.stop_after_s * NS_PER_SECOND)
        while True:
            await self._clock.sleep(self._rules.heartbeat_s)
            now_ns = self._clock.now_ns()
            self._inbox.put(TimePassed(now_ns))
            self._on_heartbeat()
            if self._rules.stop_after_s and now_ns >= end_ns:
                self._is_over = True

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
