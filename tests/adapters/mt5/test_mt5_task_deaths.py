"""A background task of a terminal that dies, even one that somebody cancels, trips the session."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import an_order, bench, coin, trade
from waiting import until

from logos.adapters.mt5.gateway.log import GatewayStats
from logos.adapters.mt5.terminal import Mt5Terminal
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.outbox import SubmitOrder
from logos.execution.clock import SystemClock
from logos.venues.contract import NotSent


def task_of(name: str) -> asyncio.Task[Any]:
    (found,) = [task for task in asyncio.all_tasks() if task.get_name() == name]
    return found


def test_a_heartbeat_that_somebody_cancels_is_a_death_and_a_closed_one_is_none() -> None:
    async def scenario() -> None:
        async with bench() as box:
            pass
        assert box.deaths == []
        async with bench() as box:
            task_of("mt5 heartbeat").cancel()
            await until(lambda: bool(box.deaths), "the gateway dies with its heartbeat")
            assert box.deaths == ["the heartbeat ended: it was cancelled"]

    asyncio.run(scenario())


def test_a_thread_that_ends_leaves_nobody_waiting() -> None:
    def broken(order: SubmitOrder) -> str:
        raise RuntimeError(f"no view of {order.terms.client_order_id}")

    async def scenario() -> None:
        async with bench() as box:
            name = coin().symbol
            box.gateway.door.gate = broken
            async with asyncio.timeout(5):
                with pytest.raises(NotSent, match="thread ended: RuntimeError"):
                    await box.gateway.request(name, trade(name, "run-1"), an_order())
                await until(lambda: bool(box.deaths), "the gateway dies with its thread")
                with pytest.raises(NotSent, match="thread ended"):
                    await box.gateway.request(name, trade(name, "run-1"), an_order())
            assert not box.simulator.book.deals

    asyncio.run(scenario())


def test_a_gateway_whose_thread_ended_is_opened_anew() -> None:
    def broken(order: SubmitOrder) -> str:
        raise RuntimeError("for a test")

    async def scenario() -> None:
        async with bench() as box:
            name = coin().symbol
            right, box.gateway.door.gate = box.gateway.door.gate, broken
            with pytest.raises(NotSent):
                await box.gateway.request(name, trade(name, "run-1"), an_order())
            await until(lambda: bool(box.deaths), "the gateway dies with its thread")
            box.gateway.door.gate = right
            threads = threading.active_count()
            await asyncio.gather(box.gateway.open(), box.gateway.open())
            assert threading.active_count() == threads + 1
            await box.gateway.request(name, trade(name, "run-2"), an_order(name="run-2"))
            assert [deal.comment for deal in box.simulator.book.deals] == ["run-2"]
            assert (box.gateway.is_dead, len(box.deaths)) == (False, 1)

    asyncio.run(scenario())


def test_what_the_loop_and_the_thread_count_is_lost_by_neither() -> None:
    class Sum(int):
        """A number that lets another thread in while something is added to it."""

        def __add__(self, other: int) -> Sum:
            for _ in range(50):
                pass
            return Sum(int(self) + other)

    stats, before = GatewayStats(), sys.getswitchinterval()
    stats.lost = stats.strays = Sum(0)
    sys.setswitchinterval(1e-6)
    try:

        def count() -> None:
            for _ in range(2_000):
                stats.add(lost=1, strays=1)

        threads = [threading.Thread(target=count) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert (stats.lost, stats.strays) == (4_000, 4_000)


def test_a_live_port_whose_reader_is_cancelled_trips_the_session_and_a_closed_one_does_not(
    tmp_path: Path,
) -> None:
    async def scenario(is_cancelled: bool) -> list[str]:
        trips: list[str] = []
        terminal = Mt5Terminal(make_config({}), {}, SystemClock(), Random(1))
        view = cast(Any, SimpleNamespace(session_id="desk"))
        terminal.begin(InProcessSwitch(), view, lambda why, by: trips.append(why), tmp_path)
        if is_cancelled:
            task_of("mt5 live port").cancel()
            await until(lambda: bool(trips), "the session is tripped")
        await terminal.close()
        return trips

    assert asyncio.run(scenario(is_cancelled=False)) == []
    assert asyncio.run(scenario(is_cancelled=True)) == [
        "the live port is not read any more: it was cancelled"
    ]
