"""The live loop: feeds, timers, venues and operators around one sequenced, synchronous core.

    feed and venue tasks, the heartbeat -> inbox -> recorded -> core -> durable -> venue

Everything runs in one asyncio loop, and the core is stepped in it: what the core sees is in one
order, written down before it sees it. Only what a venue is to hear leaves, and only after intent
and inputs are on the disk.

Nothing dies unnoticed: when a task ends that should not (by an error, by itself, or because a
library cancelled it), the kill switch is engaged and the session is brought to its end in order.
When inputs or intent cannot be written it is engaged as well, and nothing is done that is not
written. A loop that stands still is seen by a thread beside it (`stall`) and from outside, by its
heartbeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NoReturn, Protocol, TypeVar, cast

from logos.core.clock import Clock
from logos.core.gates import Switch
from logos.core.messages import Event, SessionEnd, TimePassed
from logos.core.outbox import VenueRequest
from logos.core.types import NS_PER_SECOND
from logos.execution.inbox import Inbox
from logos.execution.latency import LatencyHistogram
from logos.feeds.contract import LiveFeed
from logos.journal.inputs import LiveFailureError

Result = TypeVar("Result")
Work = Callable[[], Coroutine[Any, Any, None]]
ResultOut = TypeVar("ResultOut", covariant=True)

_OVERRUN_NS = 10_000_000
"""The budget of one batch: a longer one is counted as an overrun."""


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
    drain_s: float = 10.0
    """How long to wait, at the end, for a venue to confirm that nothing rests there."""


class LiveSession(Protocol[ResultOut]):
    """What the engine drives; `logos.session` makes it of a session's parts."""

    def life(self) -> Generator[None, Sequence[Event] | None, ResultOut]:
        """See `logos.session.running.Running.life`."""

    def take_requests(self) -> Sequence[VenueRequest]:
        """What is to leave for the venue since the last call."""

    def order_count(self) -> int:
        """Orders made so far."""

    def decided_ns(self) -> int:
        """When the core was last done with events (`perf_counter_ns`)."""

    def is_ending(self) -> bool:
        """Whether the session is over and waits only for its venue."""

    def is_at_venue(self) -> bool:
        """Whether orders are open at a real venue."""

    def sync(self) -> None:
        """Make everything journalled durable. Raises OSError."""


class _Ended(Exception):
    """The session's life is over. (A StopIteration cannot pass through a coroutine.)"""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


class _Life:
    """A session's life that says by `_Ended` that it is over."""

    def __init__(self, steps: Generator[None, Sequence[Event] | None, object]) -> None:
        self._steps = steps
        next(steps)

    def send(self, events: Sequence[Event] | None) -> None:
        try:
            self._steps.send(events)
        except StopIteration as end:
            raise _Ended(end.value) from None

    def throw(self, error: Exception) -> None:
        try:
            self._steps.throw(error)
        except StopIteration as end:
            raise _Ended(end.value) from None

    def close(self) -> None:
        """Let go of what it holds, if it has not come to its end."""
        self._steps.close()


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
        others: Mapping[str, Work] | None = None,
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
        self._drain_until_ns = 0
        self._is_ending = False
        """Whether the tasks are being cancelled by us."""
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
            "feed to journal": LatencyHistogram(),
            "feed to durable": LatencyHistogram(),
        }

    async def run(self, past: Iterable[Sequence[Event]] = ()) -> Result:
        """Run until the session ends; returns its result. Raises what its life raises.

        `past` is what a resumed session consumed before: it is lived through again first. What it
        asked of a venue then is not asked again; the link finds out what became of it.
        """
        life = _Life(self._session.life())
        try:
            for events in past:
                self._recorder.write(events)
                life.send(events)
                self._session.take_requests()
                if events:
                    # This machine's clock may be behind the one the session lived by before.
                    self._inbox.go_on_from(events[-1].ts_ns)
            await self._begin()
            await self._consume(life)
        except _Ended as end:
            return cast(Result, end.result)
        finally:
            self._is_ending = True
            await self._end_tasks()
            life.close()

    async def _begin(self) -> None:
        """Go live: settle what is open from before, then start every task."""
        if self._before_live is not None:
            try:
                await self._before_live()
            except Exception as error:
                self._fail(f"could not begin: {_cause(error)}")
        for name, work in self._others.items():
            self._start(name, work)
        for feed in self._feeds:
            self._start(feed.name, partial(self._feed, feed), may_end=True)
        if self._link is not None:
            self._start("venue", self._link.run)
        self._start("heartbeat", self._heartbeat)

    def finish(self) -> None:
        """Bring the session to its end as if all feeds had come to theirs."""
        self._is_over = True
        self._inbox.wake()

    # ---- the core's side ----

    async def _consume(self, life: _Life) -> NoReturn:
        """Step the core with whatever comes, until it has had enough (`_Ended`)."""
        while True:
            events, arrived_ns = await self._inbox.take()
            self.beats += 1
            try:
                if events:
                    self._recorder.write(events)
                self._step(life, events, arrived_ns)
                if self.failure and self._is_settled():
                    life.throw(LiveFailureError(self.failure))
                elif self._session.is_ending() and self._is_settled():
                    life.send(None)
                elif self._is_over and not self._session.is_ending() and not len(self._inbox):
                    self._end(life)
            except OSError as error:
                # Stop: what is not written down must not be acted upon. A life that this came out
                # of is over, and raises it again.
                self._switch.engage(f"cannot write: {error}", "live engine")
                life.throw(error)
                raise
            # The others' turn, also when there is always something to do here.
            await asyncio.sleep(0)

    def _step(
        self,
        life: _Life,
        events: Sequence[Event],
        arrived_ns: Sequence[int],
    ) -> None:
        session = self._session
        orders = session.order_count()
        began_ns = time.perf_counter_ns()
        try:
            life.send(events)
        finally:
            done_ns = time.perf_counter_ns()
            if done_ns - began_ns > _OVERRUN_NS:
                self.overruns += 1
            if arrived_ns:
                decided_ns = max(session.decided_ns(), began_ns)
                self.stages["feed to strategy"].add_all(decided_ns, arrived_ns)
                if session.order_count() != orders:
                    self.stages["feed to order"].add(decided_ns - arrived_ns[0])
                    self.stages["feed to journal"].add(done_ns - arrived_ns[0])
        self._dispatch(arrived_ns[0] if arrived_ns else None)

    def _end(self, life: _Life) -> None:
        """Say that no more data comes; on the record, so that a replay ends at the same place."""
        end = [SessionEnd(self._clock.now_ns())]
        self._recorder.write(end)
        life.send(end)
        self._dispatch(None)

    def _dispatch(self, arrived_ns: int | None) -> None:
        """Let go what is for the venue, once the disk has it; `arrived_ns` began it."""
        requests = self._session.take_requests()
        if not requests or self._link is None:
            return
        # Inputs first: an order whose reason is not on the disk could not be made again.
        self._recorder.sync()
        self._session.sync()
        if arrived_ns is not None:
            self.stages["feed to durable"].add(time.perf_counter_ns() - arrived_ns)
        self._link.dispatch(requests)

    def _is_settled(self) -> bool:
        """Whether nothing is open at the venue any more, or there was time enough for that."""
        now_ns = self._clock.now_ns()
        if not self._drain_until_ns:
            self._drain_until_ns = now_ns + round(self._rules.drain_s * NS_PER_SECOND)
        return not self._session.is_at_venue() or now_ns >= self._drain_until_ns

    # ---- the tasks around it ----

    def _start(self, name: str, work: Work, *, may_end: bool = False) -> None:
        task = asyncio.create_task(self._watched(name, work, may_end), name=name)
        self._tasks.append(task)

    async def _watched(self, name: str, work: Work, may_end: bool) -> None:
        """Run a task; its death is the session's business, whatever it dies of."""
        try:
            await work()
            if not may_end:
                self._fail(f"{name} ended by itself")
        except asyncio.CancelledError:
            if self._is_ending:
                raise
            # A library's own cancellation came through: to us it is a death like any other.
            self._fail(f"{name} died: it was cancelled from inside")
        except Exception as error:
            self._fail(f"{name} died: {_cause(error)}")

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
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _cause(error: BaseException) -> str:
    """What an error says; of a group, what its first one says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
