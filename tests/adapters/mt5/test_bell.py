"""A bell ends the wait that is, once, and no wait lasts longer than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest

from logos.adapters.mt5.gateway.bell import Bell


def play(story: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, None]]) -> None:
    """A story in a loop whose time passes only where somebody waits for it."""
    loop = asyncio.new_event_loop()
    now_s = 0.0
    select = loop._selector.select  # type: ignore[attr-defined]

    def passes(timeout: float | None) -> Any:
        nonlocal now_s
        now_s += timeout or 0.0
        return select(0)

    loop.time = lambda: now_s  # type: ignore[method-assign]
    loop._selector.select = passes  # type: ignore[attr-defined]
    try:
        loop.run_until_complete(story(loop))
    finally:
        loop.close()


def test_nobody_waits_longer_than_asked_whatever_was_asked_before() -> None:
    async def story(loop: asyncio.AbstractEventLoop) -> None:
        bell = Bell()
        for seconds in (3.0, 10.0, 1.0, 0.0, 4.0):
            began_s = loop.time()
            await bell.wait(seconds)
            assert loop.time() - began_s == pytest.approx(seconds, abs=0.01)

    play(story)


def test_a_ring_ends_the_wait_and_the_timer_of_it_ends_no_later_one() -> None:
    async def story(loop: asyncio.AbstractEventLoop) -> None:
        bell = Bell()
        for at_s in (1.0, 2.0, 3.0):  # each wait would end at its second 5
            loop.call_later(1.0, bell.ring)
            await bell.wait(5.0)
            assert loop.time() == pytest.approx(at_s, abs=0.01)
        await bell.wait(5.0)
        assert loop.time() == pytest.approx(8.0, abs=0.01)

    play(story)


def test_many_waits_that_are_rung_make_one_timer() -> None:
    async def story(loop: asyncio.AbstractEventLoop) -> None:
        bell, made = Bell(), list[float]()
        call_at = loop.call_at

        def noted(when: float, *given: Any, **more: Any) -> asyncio.TimerHandle:
            made.append(when)
            return call_at(when, *given, **more)

        loop.call_at = noted  # type: ignore[assignment, method-assign]
        for _ in range(100):
            loop.call_soon(bell.ring)
            await bell.wait(10.0)
        assert made == [10.0]

    play(story)


def test_a_ring_that_nobody_waits_for_is_lost_and_one_who_gave_up_hears_none() -> None:
    async def story(loop: asyncio.AbstractEventLoop) -> None:
        bell = Bell()
        bell.ring()
        waiting = loop.create_task(bell.wait(2.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        bell.ring()
        await bell.wait(3.0)
        assert loop.time() == pytest.approx(3.0, abs=0.01)

    play(story)
