"""The live loop on a clock that is moved by hand: what ends it, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from drive_helpers import Feed, Stage, quote
from link_helpers import rest, run

from logos.core.messages import Event, SessionEnd, TimePassed
from logos.core.outbox import VenueRequest
from logos.core.types import SwitchState
from logos.feeds.contract import Sink
from logos.session.drive import LiveRules
from logos.testing.clock import ManualClock


def test_inputs_are_recorded_before_they_are_lived_and_durable_before_anything_leaves() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        task = stage.run()
        await rest()
        stage.now_quote()
        await rest()
        assert stage.log == ["recorded", "lived Quote", "synced", "dispatched"]
        await stop(task)

    run(body())


def test_the_end_of_all_feeds_ends_the_session_and_the_end_of_one_does_not() -> None:
    async def body() -> None:
        gates = [asyncio.Event(), asyncio.Event()]

        async def first(_sink: Sink) -> None:
            await gates[0].wait()

        async def second(_sink: Sink) -> None:
            await gates[1].wait()

        stage = Stage(feeds=[Feed("first", first), Feed("second", second)])
        task = stage.run()
        gates[0].set()
        await rest()
        assert not task.done()
        gates[1].set()
        await rest()
        assert task.result() == "ended"
        assert stage.engine.failure == ""
        assert stage.switch.authority() is SwitchState.SAFE
        assert isinstance(stage.session.batches[-1][0], SessionEnd)

    run(body())


def test_a_session_stops_after_its_time() -> None:
    async def body() -> None:
        stage = Stage(rules=LiveRules(heartbeat_s=1.0, stop_after_s=10.0))
        task = stage.run()
        began_ns = stage.clock.now_ns()
        assert await stage.wait(task) == "ended"
        assert 10.0 <= (stage.clock.now_ns() - began_ns) / 1e9 <= 11.0

    run(body())


async def stop(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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
        ({"on_open": dies}, "could not begin: RuntimeError: no such key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_death_of_any_task_engages_the_switch_and_ends_the_session_in_order(
    how: dict[str, Any], why: str
) -> None:
    async def body() -> None:
        stage = Stage(**how)
        task = stage.run()
        assert await stage.wait(task) == "failed"
        assert stage.engine.failure == why
        assert stage.switch.authority() is SwitchState.ENGAGED
        assert stage.switch.why() == f"{why} (by live engine)"
        assert "lived TimePassed" in stage.log, "the core has seen the switch"
        assert stage.log[-1] == f"failed: {why}"

    run(body())


def test_a_link_that_ends_by_itself_is_a_death() -> None:
    async def body() -> None:
        stage = Stage()
        stage.venue.tasks["venue"] = ends
        task = stage.run()
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
        task = stage.run()
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
        task = stage.run()
        await rest()
        stage.now_quote()
        await rest()
        gate.set()
        await rest()
        assert stage.venue.dispatched == 2, "the order, and its cancel at the end"
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

        async def on_open() -> None:
            begun.append(len(stage.log))

        future_ns = ManualClock().now_ns() + 10**12
        past: list[list[Event]] = [[quote(5)], [quote(6), TimePassed(future_ns)]]
        stage = Stage(order_on_quote=True, on_open=on_open, past=past)
        task = stage.run()
        await rest()
        assert stage.session.batches == past
        assert stage.venue.dispatched == 0
        assert begun == [5]
        stage.now_quote()
        await rest()
        assert stage.venue.dispatched == 1
        assert stage.session.batches[-1][0].ts_ns == future_ns, "time never runs back"
        await stop(task)

    run(body())


def test_a_session_that_ends_in_its_past_never_goes_live() -> None:
    async def body() -> None:
        async def on_open() -> None:
            raise AssertionError("it went live")

        stage = Stage(on_open=on_open, past=[[SessionEnd(5)]])
        result: Any = await stage.engine.run()
        assert result == "ended"

    run(body())


def test_tables_and_log_are_written_when_the_orders_of_the_batch_have_left() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        stage.session.on_projection = lambda: stage.log.append("projected")
        sent: list[asyncio.Task[None]] = []

        async def send() -> None:
            stage.log.append("left")

        def dispatch(_requests: Sequence[VenueRequest]) -> None:
            sent.append(asyncio.create_task(send()))

        stage.venue.dispatch = dispatch  # type: ignore[assignment]
        task = stage.run()
        await rest()
        assert stage.session.folder.holds_back
        stage.now_quote()
        await rest()
        assert stage.log == ["recorded", "lived Quote", "synced", "left", "projected"]
        await stop(task)

    run(body())


def test_while_events_wait_tables_and_log_are_written_for_sixteen_batches_at_once() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True, has_venue=False)
        session = stage.session
        projected: list[int] = []
        session.on_projection = lambda: projected.append(session.order_count)

        def hand_over_next(_events: Sequence[Event]) -> None:
            if session.order_count < 19:
                stage.now_quote()

        session.on_events = hand_over_next
        task = stage.run()
        await rest()
        stage.now_quote()
        await rest()
        assert projected == [16, 20], "when enough is held, and when nothing waits"
        await stop(task)

    run(body())


def test_a_batch_that_cannot_be_recorded_ends_the_loop_and_nothing_leaves() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        task = stage.run()
        await rest()
        stage.session.write_error = OSError(28, "No space left on device", "inputs.jsonl")
        stage.now_quote()
        await rest()
        with pytest.raises(OSError, match="No space left"):
            task.result()
        assert "lived Quote" not in stage.log
        assert stage.venue.dispatched == 0

    run(body())


def test_an_order_whose_intent_cannot_be_synced_never_leaves() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True)
        stage.session.sync_error = OSError(5, "Input/output error", "state.jsonl")
        task = stage.run()
        await rest()
        stage.now_quote()
        await rest()
        with pytest.raises(OSError, match="Input/output"):
            task.result()
        assert stage.venue.dispatched == 0

    run(body())


def test_a_slow_batch_is_counted_as_an_overrun_and_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = [0]
    monkeypatch.setattr("time.perf_counter_ns", lambda: now_ns[0])

    async def body() -> None:
        stage = Stage(order_on_quote=True)
        task = stage.run()
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
        await stop(task)

    run(body())


def test_without_a_link_requests_are_not_sent_and_nothing_is_synced_for_them() -> None:
    async def body() -> None:
        stage = Stage(order_on_quote=True, has_venue=False)
        task = stage.run()
        await rest()
        stage.now_quote()
        await rest()
        assert stage.log == ["recorded", "lived Quote"]
        await stop(task)

    run(body())
