"""The live loop on a clock that is moved by hand: what ends it, and in which order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from link_helpers import coin, rest, run

from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote, SessionEnd, TimePassed
from logos.core.outbox import VenueRequest
from logos.core.types import SwitchState
from logos.execution.inbox import Inbox
from logos.execution.live_engine import LiveEngine, LiveRules
from logos.feeds.contract import LiveFeed, Sink
from logos.testing.clock import ManualClock

COIN = coin()
REQUEST: Any = object()


def quote(ts_ns: int) -> Quote:
    return Quote(ts_ns, "COIN", 100, 101, -1, -1, COIN)


class Session:
    """A session that writes down what it lives through; `orders_at` quotes make a request."""

    def __init__(self, log: list[str], order_on_quote: bool = False) -> None:
        self.log = log
        self.order_on_quote = order_on_quote
        self.requests: list[VenueRequest] = []
        self.orders = 0
        self.open = 0
        self.ending = False
        self.sync_error: OSError | None = None
        self.on_events: Callable[[Sequence[Event]], object] = lambda _events: None

    def life(self) -> Generator[None, Sequence[Event] | None, str]:
        try:
            while True:
                events = yield
                if events is None:
                    return "drained"
                self.on_events(events)
                for event in events:
                    self.log.append(f"lived {type(event).__name__}")
                    if isinstance(event, SessionEnd):
                        if not self.open:
                            return "ended"
                        self.ending = True
                        self.requests.append(REQUEST)
                    if isinstance(event, Quote) and self.order_on_quote:
                        self.orders += 1
                        self.open += 1
                        self.requests.append(REQUEST)
        except OSError:
            self.log.append("cannot write")
            raise
        except Exception as error:
            self.log.append(f"failed: {error}")
            return "failed"
        finally:
            self.log.append("closed")

    def take_requests(self) -> list[VenueRequest]:
        requests, self.requests = self.requests, []
        return requests

    def order_count(self) -> int:
        return self.orders

    def decided_ns(self) -> int:
        return time.perf_counter_ns()

    def is_ending(self) -> bool:
        return self.ending

    def is_at_venue(self) -> bool:
        return self.open > 0

    def sync(self) -> None:
        if self.sync_error is not None:
            raise self.sync_error
        self.log.append("journal synced")


class Recorder:
    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.batches: list[list[Event]] = []
        self.error: OSError | None = None

    def write(self, events: Sequence[Event]) -> None:
        if self.error is not None:
            raise self.error
        self.batches.append(list(events))
        self.log.append("recorded")

    def sync(self) -> None:
        self.log.append("inputs synced")


class Feed:
    """A feed that does what it is told."""

    def __init__(self, name: str, work: Callable[[Sink], Awaitable[None]]) -> None:
        self.name = name
        self.symbols = ["COIN"]
        self._work = work

    async def run(self, sink: Sink) -> None:
        await self._work(sink)


class Link:
    def __init__(self, log: list[str], work: Callable[[], Awaitable[None]] | None = None) -> None:
        self.log = log
        self._work = work
        self.dispatched = 0

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
    before_live: Callable[[], Awaitable[object]] | None = None
    has_link: bool = True

    def __post_init__(self) -> None:
        self.log: list[str] = []
        self.clock = ManualClock()
        self.switch = InProcessSwitch()
        self.session = Session(self.log, self.order_on_quote)
        self.recorder = Recorder(self.log)
        self.inbox = Inbox(100, {}, lambda _news: None)
        self.link = Link(self.log, self.link_work)
        self.engine: LiveEngine[str] = LiveEngine(
            self.session,
            self.inbox,
            self.recorder,
            self.feeds,
            self.clock,
            self.switch,
            self.rules,
            self.link if self.has_link else None,
            self.on_heartbeat,
            self.before_live,
        )

    def now_quote(self) -> None:
        event = quote(self.clock.now_ns())
        assert self.inbox.market(event, event.ts_ns)

    async def wait(self, task: asyncio.Task[str], seconds: float = 100.0) -> str:
        """Move the clock until the session has ended."""
        while not task.done() and seconds > 0:
            await rest()
            await self.clock.advance(0.5)
            await rest()
            seconds -= 0.5
        assert task.done(), f"still running: {self.log[-5:]}"
        return task.result()


def test_inputs_are_recorded_before_they_are_lived_and_durable_before_anything_leaves() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.now_quote()
        await rest()
        assert stage.log == [
            "recorded",
            "lived Quote",
            "inputs synced",
            "journal synced",
            "dispatched",
        ]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert stage.log[-1] == "closed", "a session that is cancelled lets go of its files"

    run(body())


def test_the_end_of_all_feeds_ends_the_session_and_the_end_of_one_does_not() -> None:
    async def body() -> None:
        gates = [asyncio.Event(), asyncio.Event()]

        async def first(_sink: Sink) -> None:
            await gates[0].wait()

        async def second(_sink: Sink) -> None:
            await gates[1].wait()

        stage = Stage(feeds=[Feed("first", first), Feed("second", second)])
        task = asyncio.create_task(stage.engine.run())
        gates[0].set()
        await rest()
        assert not task.done()
        gates[1].set()
        await rest()
        assert task.result() == "ended"
        assert stage.engine.failure == ""
        assert stage.switch.authority() is SwitchState.SAFE
        assert isinstance(stage.recorder.batches[-1][0], SessionEnd)

    run(body())


def test_a_session_stops_after_its_time() -> None:
    async def body() -> None:
        stage = Stage(rules=LiveRules(heartbeat_s=1.0, stop_after_s=10.0))
        task = asyncio.create_task(stage.engine.run())
        began_ns = stage.clock.now_ns()
        assert await stage.wait(task) == "ended"
        assert 10.0 <= (stage.clock.now_ns() - began_ns) / 1e9 <= 11.0

    run(body())


async def dies(_sink: Sink | None = None) -> None:
    raise RuntimeError("no such key")


async def is_cancelled_from_inside(_sink: Sink | None = None) -> None:
    raise asyncio.CancelledError


async def ends(_sink: Sink | None = None) -> None:
    return None


async def dies_in_a_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(dies())


def beats_badly() -> None:
    raise RuntimeError("no such key")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"feeds": [Feed("bad", dies)]}, "bad died: RuntimeError: no such key"),
        (
            {"feeds": [Feed("bad", is_cancelled_from_inside)]},
            "bad died: it was cancelled from inside",
        ),
        ({"link_work": dies}, "venue died: RuntimeError: no such key"),
        ({"link_work": dies_in_a_group}, "venue died: RuntimeError: no such key"),
        ({"link_work": is_cancelled_from_inside}, "venue died: it was cancelled from inside"),
        ({"on_heartbeat": beats_badly}, "heartbeat died: RuntimeError: no such key"),
        ({"before_live": dies}, "could not begin: RuntimeError: no such key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_death_of_any_task_engages_the_switch_and_ends_the_session_in_order(
    how: dict[str, Any], why: str
) -> None:
    async def body() -> None:
        stage = Stage(**how)
        task = asyncio.create_task(stage.engine.run())
        assert await stage.wait(task) == "failed"
        assert stage.engine.failure == why
        assert stage.switch.authority() is SwitchState.ENGAGED
        assert stage.switch.why() == f"{why} (by live engine)"
        assert "lived TimePassed" in stage.log, "the core has seen the switch"
        assert stage.log[-2:] == [f"failed: {why}", "closed"]

    run(body())


def test_a_link_that_ends_by_itself_is_a_death() -> None:
    async def body() -> None:
        stage = Stage()
        stage.link.run = ends  # type: ignore[method-assign]
        task = asyncio.create_task(stage.engine.run())
        assert await stage.wait(task) == "failed"
        assert stage.engine.failure == "venue ended by itself"

    run(body())


def test_a_failed_session_waits_for_its_venue_before_it_ends() -> None:
    async def body() -> None:
        gate = asyncio.Event()

        async def later(_sink: Sink) -> None:
            await gate.wait()
            raise RuntimeError("gone")

        stage = Stage(
            rules=LiveRules(heartbeat_s=1.0, drain_s=10.0),
            order_on_quote=True,
            feeds=[Feed("feed", later)],
        )
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.now_quote()
        await rest()
        gate.set()
        await rest()
        await stage.clock.advance(5.0)
        await rest()
        assert not task.done(), "the order is still at the venue"
        stage.session.open = 0
        assert await stage.wait(task, 3.0) == "failed"

    run(body())


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["confirmed", "never confirmed"])
def test_an_ended_session_waits_for_its_venue_but_not_for_ever(is_confirmed: bool) -> None:
    async def body() -> None:
        gate = asyncio.Event()

        async def until(_sink: Sink) -> None:
            await gate.wait()

        stage = Stage(
            rules=LiveRules(heartbeat_s=1.0, drain_s=10.0),
            order_on_quote=True,
            feeds=[Feed("feed", until)],
        )
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.now_quote()
        await rest()
        gate.set()
        await rest()
        assert stage.link.dispatched == 2, "the order, and its cancel at the end"
        await stage.clock.advance(4.0)
        await rest()
        assert not task.done()
        if is_confirmed:
            stage.session.open = 0
        began_ns = stage.clock.now_ns()
        assert await stage.wait(task) == "drained"
        took_s = (stage.clock.now_ns() - began_ns) / 1e9
        assert took_s <= 1.5 if is_confirmed else 5.0 <= took_s <= 8.0

    run(body())


def test_a_past_is_lived_through_again_and_what_it_asked_for_is_not_asked_again() -> None:
    async def body() -> None:
        begun: list[int] = []

        async def before_live() -> None:
            begun.append(len(stage.log))

        stage = Stage(order_on_quote=True, before_live=before_live)
        future_ns = stage.clock.now_ns() + 10**12
        past: list[list[Event]] = [[quote(5)], [quote(6), TimePassed(future_ns)]]
        task = asyncio.create_task(stage.engine.run(past))
        await rest()
        assert stage.recorder.batches == past
        assert stage.link.dispatched == 0
        assert begun == [5]
        stage.now_quote()
        await rest()
        assert stage.link.dispatched == 1
        assert stage.recorder.batches[-1][0].ts_ns == future_ns, "time never runs back"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(body())


def test_a_session_that_ends_in_its_past_never_goes_live() -> None:
    async def body() -> None:
        async def before_live() -> None:
            raise AssertionError("it went live")

        stage = Stage(before_live=before_live)
        assert await stage.engine.run([[SessionEnd(5)]]) == "ended"

    run(body())


def test_inputs_that_cannot_be_written_are_not_lived_and_engage_the_switch() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.recorder.error = OSError(28, "No space left on device", "inputs.jsonl")
        stage.now_quote()
        await rest()
        with pytest.raises(OSError, match="No space left"):
            task.result()
        assert "lived Quote" not in stage.log
        assert stage.link.dispatched == 0
        assert "cannot write" in stage.log
        assert stage.switch.authority() is SwitchState.ENGAGED
        assert "inputs.jsonl" in stage.switch.why()

    run(body())


def test_an_order_whose_intent_cannot_be_synced_never_leaves() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        stage.session.sync_error = OSError(5, "Input/output error", "state.jsonl")
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.now_quote()
        await rest()
        with pytest.raises(OSError, match="Input/output"):
            task.result()
        assert stage.link.dispatched == 0
        assert stage.log[-2:] == ["cannot write", "closed"]
        assert stage.switch.authority() is SwitchState.ENGAGED

    run(body())


def test_a_slow_batch_is_counted_as_an_overrun_and_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = [0]
    monkeypatch.setattr("time.perf_counter_ns", lambda: now_ns[0])

    async def body() -> None:
        stage = Stage(order_on_quote=True)
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.now_quote()
        await rest()
        assert stage.engine.overruns == 0

        def is_slow(_events: Sequence[Event]) -> None:
            now_ns[0] += 10_000_001

        stage.session.on_events = is_slow
        stage.now_quote()
        await rest()
        assert stage.engine.overruns == 1
        stages = stage.engine.stages
        assert stages["feed to strategy"].max_ns == 10_000_001
        assert [stages[name].count for name in stages] == [2, 2, 2, 2]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(body())


def test_without_a_link_requests_are_not_sent_and_nothing_is_synced_for_them() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True, has_link=False)
        task = asyncio.create_task(stage.engine.run())
        await rest()
        stage.now_quote()
        await rest()
        assert stage.log == ["recorded", "lived Quote"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(body())
