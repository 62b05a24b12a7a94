"""Who drives a live session: the loop around its inbox (`entry` has the one over recorded data).

    feed and venue tasks, the heartbeat -> inbox -> session.apply -> durable -> venue

Everything live runs in one asyncio loop, and the session is stepped in it: what the core sees is in
one order. Only what a venue is to hear leaves, and only after intent and inputs are on the disk.
Every feed is a task: with one for each symbol no symbol waits for another. Limits of all symbols
together are the core's guards; there is one core, so they hold in whatever order symbols speak.

Nothing dies unnoticed: when a task ends that should not (by an error, by itself, or cancelled by a
library), the kill switch is engaged and the session is brought to its end in order. An event loop
that stands still is seen by a thread beside it (`stall`), and from outside by its heartbeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from logos.core.clock import Clock
from logos.core.messages import (
    NOW,
    PauseSymbol,
    ResumeTrading,
    SessionEnd,
    TimePassed,
    UnpauseSymbol,
)
from logos.core.outbox import VenueRequest
from logos.core.types import NS_PER_SECOND
from logos.errors import cause_words
from logos.execution.collector import Collector
from logos.execution.incoming.batches import Batch
from logos.execution.latency import LatencyHistogram
from logos.execution.pulse import CREDIT_S
from logos.execution.stall import StallWatch
from logos.feeds.contract import FeedFailedError, LiveFeed
from logos.journal.inputs import LiveFailureError
from logos.session.outcome import Outputs, SessionResult
from logos.session.presence.view import EngineSnapshot, LiveView
from logos.session.recorded import RecordedSwitch
from logos.session.session import Session
from logos.session.source import LiveSource
from logos.session.venue.side import VenueSide

Work = Callable[[], Coroutine[Any, Any, None]]

_OVERRUN_NS: Final = 10_000_000  # the budget of one batch: a longer one is an overrun
_STALL_S: Final = 5.0
_HELD_MAX: Final = 16
"""So many batches with records are projected at once, while events wait: for each alone, code and
data of tables and log would have to come into the processor's caches anew."""


async def drive_live(session: Session, source: LiveSource) -> SessionResult:
    """Run a live session to its end, in the running event loop. As `entry.drive`."""
    connections, settings = source.connections, session.plan.config.live
    venue = connections.venue(session.session_id)
    is_real = venue is not None and session.core.order_manager.outbox is not None
    side = VenueSide(session, source, venue) if venue is not None and is_real else None
    view = LiveView(session, source)
    rules = LiveRules(
        settings.heartbeat_ms / 1000, float(settings.stop_after_s), float(settings.drain_timeout_s)
    )
    engine = LiveEngine(session, source, rules, side, view)
    terminal = connections.terminal
    if terminal is not None:
        terminal.begin(session.core.switch, session.view, engine.trip, source.home)
    try:
        with StallWatch(lambda: engine.beats, _STALL_S, source.tell) as stalls:
            engine.threads += (session.supervisor.problem, stalls.problem)
            view.loop = lambda: (engine.stages, engine.overruns, stalls.stalls)
            session.measure(lambda: {**engine.facts(), "stalls": stalls.stalls, **view.facts()})
            return await engine.run()
    finally:
        view.close()
        if side is not None:
            await side.close()
        elif venue is not None:
            await venue.close()
        if terminal is not None:
            await terminal.close()


def catch_up(session: Session, tell: Callable[[str], object]) -> None:
    """Let a session that has lived through its past be new from here on, whatever its journal
    says beyond. Raises OSError."""
    lost = session.folder.cut_off_rest()
    if lost:
        tell(
            f"logos: the last inputs of session {session.session_id} never reached the disk; "
            f"{lost} bytes of its journal, which followed from them, are cut off"
        )
    if isinstance(session.core.switch, RecordedSwitch):
        session.core.switch.hand_over()
    if session.core.is_suspended:
        session.command(ResumeTrading(NOW, "resumed", "operator"))


@dataclass(frozen=True, slots=True)
class LiveRules:
    """How the loop behaves. `stop_after_s` is 0 for a session without an end of its own."""

    heartbeat_s: float = 1.0
    stop_after_s: float = 0.0
    drain_s: float = 10.0  # how long to wait, at the end, until a venue shows nothing resting


class LiveEngine:
    """Runs one live session to its end; may be asked and told things meanwhile, in its loop."""

    def __init__(
        self,
        session: Session,
        source: LiveSource,
        rules: LiveRules,
        venue: VenueSide | None = None,
        view: LiveView | None = None,
    ) -> None:
        """A `venue` of None: orders meet the paper market inside the core, nothing leaves."""
        self._session = session
        self._source = source
        self._inbox = source.inbox
        self._feeds = source.connections.feeds
        self._clock: Clock = source.connections.clock
        self._rules = rules
        self._venue = venue
        self._view = view
        self._tasks: list[asyncio.Task[None]] = []
        self._feeds_left = len(self._feeds)
        self._drain_until_ns = 0
        self._is_cancelling = False
        self._has_no_more = False  # no more market data comes: all feeds ended, or the time is up
        self.failure = ""
        """What died, and of what; empty while all is well."""
        self.beats = 0
        """Grows with every turn of the loop; `StallWatch` looks at it."""
        self.overruns = 0
        """Batches that took longer than their budget."""
        self.threads: list[Callable[[], str]] = []  # what is wrong with those beside the loop
        self.collector = Collector()
        names = ("feed to strategy", "feed to order", "feed to journal", "feed to durable")
        self.stages: Mapping[str, LatencyHistogram] = {name: LatencyHistogram() for name in names}
        """How long each stage took."""

    async def run(self) -> SessionResult:
        """Run until the session ends; returns its result. Raises as `Session.apply`.

        A resumed session first lives through what it recorded before. What it asked of a venue
        then is not asked again; the link finds out what became of it.
        """
        session = self._session
        try:
            for batch in self._source.batches():
                self._show(session.apply(batch))
                if session.is_over:
                    break
            # This machine's clock may be behind the one the session lived by before.
            self._inbox.go_on_from(session.now_ns)
            if not session.is_over:
                await self._begin()
                session.supervisor.ready()
                session.folder.holds_back = True
                with self.collector:
                    await self._consume()
        finally:
            self._is_cancelling = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        assert session.result is not None
        return session.result

    async def _begin(self) -> None:
        """Go live: settle what is open from before, then start every task."""
        try:
            if self._source.past is not None:
                catch_up(self._session, self._source.tell)
            if self._source.flatten is not None:
                self._session.command(self._source.flatten)
            self._session.supervisor.heed(self._session)
            if self._venue is not None:
                await self._venue.open()
        except Exception as error:
            self._fail(f"could not begin: {cause_words(error)}")
        for name, work in ({} if self._venue is None else self._venue.tasks).items():
            self._start(name, work)
        if self._source.backfill is not None:
            self._start("backfill", self._source.backfill.run, may_end=True)
        for feed in self._feeds:
            self._start(feed.name, partial(self._feed, feed), may_end=True)
        self._start("heartbeat", self._heartbeat)
        self._start("thread watch", self._watch_threads)

    # ---- the loop ----

    async def _consume(self) -> None:
        """Apply whatever comes, until the session is over."""
        session, inbox = self._session, self._inbox
        while not session.is_over:
            batch, arrived_ns = await inbox.take()
            self.beats += 1
            self._step(batch, arrived_ns)
            if not session.is_over:
                self._end_if_due()
            await asyncio.sleep(0)  # the others' turn, also when there is always something here
            held = session.folder.held
            if held and (len(held) >= _HELD_MAX or not len(inbox)) and not session.is_over:
                session.folder.project()  # in that turn the batch's orders have left

    def _step(self, batch: Batch, arrived_ns: Sequence[int]) -> None:
        session = self._session
        orders = session.order_count
        began_ns = time.perf_counter_ns()
        outputs = session.apply(batch)
        done_ns = time.perf_counter_ns()
        if done_ns - began_ns > _OVERRUN_NS:
            self.overruns += 1
        if arrived_ns:
            decided_ns = max(session.decided_ns, began_ns)
            self.stages["feed to strategy"].add_all(decided_ns, arrived_ns)
            if session.order_count != orders:
                self.stages["feed to order"].add(decided_ns - arrived_ns[0])
                self.stages["feed to journal"].add(done_ns - arrived_ns[0])
        if outputs.requests:
            self._dispatch(outputs.requests, arrived_ns[0] if arrived_ns else None)
        if outputs.records:
            self._show(outputs)
        session.save_if_due()

    def _dispatch(self, requests: Sequence[VenueRequest], arrived_ns: int | None) -> None:
        """Let go what is for the venue, once the disk has it; `arrived_ns` began it."""
        if not requests or self._venue is None or self._session.is_over:
            return
        self._session.sync()
        if arrived_ns is not None:
            self.stages["feed to durable"].add(time.perf_counter_ns() - arrived_ns)
        self._venue.dispatch(requests)

    def _show(self, outputs: Outputs) -> None:
        if outputs.records and self._view is not None:
            self._view.metrics.add(outputs.records)

    def _end_if_due(self) -> None:
        session = self._session
        is_settled = bool(self.failure or session.is_ending) and self._is_settled()
        if self.failure and is_settled:
            session.fail(LiveFailureError(self.failure))
        elif session.is_ending and is_settled:
            self._show(session.apply(None))
        elif self._has_no_more and not session.is_ending and not len(self._inbox):
            # On the record, so that a replay ends at the same place.
            outputs = session.apply([SessionEnd(self._clock.now_ns())])
            self._dispatch(outputs.requests, None)
            self._show(outputs)

    def _is_settled(self) -> bool:
        """Whether nothing is open at the venue, or the time is up; and a last look was taken."""
        now_ns = self._clock.now_ns()
        if not self._drain_until_ns:
            self._drain_until_ns = now_ns + round(self._rules.drain_s * NS_PER_SECOND)
        if self._session.is_at_venue and now_ns < self._drain_until_ns:
            return False
        return self._venue is None or self._venue.may_end()

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
            if self._is_cancelling:
                raise
            # A library's own cancellation came through: to us it is a death like any other.
            self._fail(f"{name} died: it was cancelled from inside")
        except FeedFailedError as error:
            self._fail(f"{name} died: {cause_words(error)}", engages=self._session.order_count > 0)
        except (Exception, SystemExit, GeneratorExit) as error:  # a library's sys.exit() too
            self._fail(f"{name} died: {cause_words(error)}")

    def _fail(self, why: str, *, engages: bool = True) -> None:
        """End the session; what `engages` the switch is no matter of this session's settings."""
        self.failure = self.failure or why
        if engages:
            self._session.core.switch.engage(why, "live engine")
        self._inbox.put(TimePassed(self._clock.now_ns()))

    async def _feed(self, feed: LiveFeed) -> None:
        """A feed that comes to an end (a recorded one does) ends the session with the last."""
        await feed.run(self._inbox)
        self._feeds_left -= 1
        if not self._feeds_left:
            self.finish()

    async def _heartbeat(self) -> None:
        """The passing of time, for the core, for whoever looks from outside, and for the end."""
        end_ns = self._clock.now_ns() + round(self._rules.stop_after_s * NS_PER_SECOND)
        while True:
            await self._clock.sleep(self._rules.heartbeat_s)
            self.collector.beat(is_quiet=not len(self._inbox))
            now_ns = self._clock.now_ns()
            self._inbox.put(TimePassed(now_ns))
            self._session.supervisor.heed(self._session)
            if self._view is not None:
                self._view.beat()
            if self._source.flatten is not None and self._is_flat():
                self.finish()
            if self._rules.stop_after_s and now_ns >= end_ns:
                self._has_no_more = True

    async def _watch_threads(self) -> None:
        """A thread beside the loop that dies or hangs is a failure like that of a task."""
        while True:
            problems = "; ".join(words for problem in self.threads if (words := problem()))
            if problems and not self.failure:
                self._fail(problems)
            await asyncio.sleep(CREDIT_S)

    def _is_flat(self) -> bool:
        """Whether a flattening has been carried out: no whole lot is held, and nothing open."""
        states = self._session.core.order_manager.states.values()
        is_ordered = not self._session.has_commands
        return is_ordered and all(state.is_flat and not state.working for state in states)

    # ---- from outside, in its own loop ----

    def finish(self) -> None:
        """Bring the session to its end as if all feeds had come to theirs."""
        self._has_no_more = True
        self._inbox.wake()

    def trip(self, reason: str, by: str) -> None:
        """Stop everything: engage the kill switch, and let the core see that at once."""
        self._session.core.switch.engage(reason, by)
        self._inbox.put(TimePassed(self._clock.now_ns()))

    def pause(self, symbol: str, reason: str, by: str) -> None:
        """Cancel what is open in `symbol` and order nothing in it. Raises KeyError."""
        self._command(PauseSymbol(NOW, reason, by, symbol))

    def unpause(self, symbol: str, reason: str, by: str) -> None:
        """Let `symbol` trade again. Raises KeyError."""
        self._command(UnpauseSymbol(NOW, reason, by, symbol))

    def _command(self, command: PauseSymbol | UnpauseSymbol) -> None:
        if command.symbol not in self._session.view.symbols:
            raise KeyError(command.symbol)
        self._session.command(command)
        self._inbox.put(TimePassed(self._clock.now_ns()))

    def snapshot(self) -> EngineSnapshot:
        """How everything stands between two events. Raises RuntimeError without a view."""
        if self._view is None:
            raise RuntimeError("an engine without a view keeps no figures")
        return self._view.snapshot(self.failure)

    def facts(self) -> dict[str, Any]:
        """What was measured of the loop."""
        return {
            **({} if self._venue is None else self._venue.facts()),
            "failure": self.failure,
            "latency": {name: each.summary() for name, each in self.stages.items()},
            "collector": self.collector.pauses.summary(),
            "overruns": self.overruns,
        }


ConcurrentTradingEngine = LiveEngine
"""Many symbols in one session: a feed each, one sequenced core, one circuit breaker for all."""
