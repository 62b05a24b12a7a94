"""The lock of the gateway: turns by symbol, bounds, and cancels at any moment."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.adapters.mt5.gateway.lock import FairLock, QueueFullError


async def _order_of(requests: list[str]) -> list[str]:
    """In which order requests that all arrive while the lock is held are served."""
    lock = FairLock(1000)
    served: list[str] = []

    async def request(symbol: str) -> None:
        await lock.acquire(symbol)
        served.append(symbol)
        lock.release(0)

    await lock.acquire("first")
    tasks = [asyncio.create_task(request(symbol)) for symbol in requests]
    await asyncio.sleep(0)
    lock.release(0)
    await asyncio.gather(*tasks)
    assert not lock.is_held
    return served


def test_symbols_take_turns_however_many_requests_each_has() -> None:
    served = asyncio.run(_order_of(["A"] * 5 + ["B"] * 2 + ["C"]))
    assert served == ["A", "B", "C", "A", "B", "A", "A", "A"]


@given(st.lists(st.sampled_from("ABCD"), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_symbol_is_served_twice_while_another_waits_longer(requests: list[str]) -> None:
    served = asyncio.run(_order_of(requests))
    assert Counter(served) == Counter(requests)
    for index, symbol in enumerate(served):
        again = next((i for i in range(index + 1, len(served)) if served[i] == symbol), None)
        if again is not None:
            others = set(served[index + 1 :]) - {symbol}
            assert others == set(served[index + 1 : again])


def test_a_symbol_that_uses_much_time_waits_until_the_others_had_as_much() -> None:
    async def scenario() -> None:
        lock = FairLock(1000)
        served: list[str] = []

        async def request(symbol: str, used: int) -> None:
            await lock.acquire(symbol)
            served.append(symbol)
            lock.release(used)

        await lock.acquire("first")
        tasks = [asyncio.create_task(request("slow", 100)) for _ in range(3)]
        for name in "AB":
            tasks += [asyncio.create_task(request(name, 10)) for _ in range(15)]
        await asyncio.sleep(0)
        lock.release(0)
        await asyncio.gather(*tasks)
        first, second, third = (at for at, name in enumerate(served) if name == "slow")
        assert first == 0
        # Ten requests each of A and B are a hundred units each.
        assert second == 21
        assert third > second + 9

    asyncio.run(scenario())


def test_time_cannot_be_saved_up_by_not_asking() -> None:
    async def scenario() -> None:
        lock = FairLock(1000)
        for _ in range(50):
            await lock.acquire("A")
            lock.release(10)
        await lock.acquire("A")
        served: list[str] = []

        async def request(symbol: str) -> None:
            await lock.acquire(symbol)
            served.append(symbol)
            lock.release(10)

        tasks = [asyncio.create_task(request(symbol)) for symbol in "AAAABBBB"]
        await asyncio.sleep(0)
        lock.release(10)
        await asyncio.gather(*tasks)
        assert served == list("BABABABA") or served == list("BBABABAA")

    asyncio.run(scenario())


def test_a_full_queue_refuses_at_once_and_leaves_other_symbols_alone() -> None:
    async def scenario() -> None:
        lock = FairLock(2)
        await lock.acquire("A")
        waiting = [asyncio.create_task(lock.acquire("A")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError, match="2 requests of A wait already"):
            await lock.acquire("A")
        other = asyncio.create_task(lock.acquire("B"))
        await asyncio.sleep(0)
        assert (lock.waiting("A"), lock.waiting("B"), lock.waiting_peak) == (2, 1, 2)
        for _ in range(4):
            lock.release(0)
            await asyncio.sleep(0)
        await asyncio.gather(*waiting, other)
        assert not lock.is_held

    asyncio.run(scenario())


@pytest.mark.long
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.booleans()), min_size=1, max_size=20))
@settings(max_examples=80, deadline=None)
def test_cancelled_requests_never_keep_or_lose_the_lock(plan: list[tuple[str, bool]]) -> None:
    async def scenario() -> None:
        lock = FairLock(100)
        inside = 0

        async def request(symbol: str) -> None:
            nonlocal inside
            await lock.acquire(symbol)
            try:
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
            finally:
                inside -= 1
                lock.release(0)

        tasks = [asyncio.create_task(request(symbol)) for symbol, _ in plan]
        for turn, (_, is_cancelled) in enumerate(plan):
            if turn % 3 == 0:
                await asyncio.sleep(0)
            if is_cancelled:
                tasks[turn].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not lock.is_held
        for task, (_, is_cancelled) in zip(tasks, plan, strict=True):
            assert is_cancelled or task.exception() is None

    asyncio.run(scenario())


def test_releasing_what_nobody_has_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="nobody had it"):
        FairLock(1).release(0)


def test_a_lock_that_lets_nobody_wait_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0"):
        FairLock(0)
