"""The lock of the gateway: turns by symbol, bounds, and giving up at any moment."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.adapters.mt5.gateway.lock import FairQueue, QueueFullError


def _serve(queue: FairQueue[str], used: dict[str, int] | None = None) -> list[str]:
    """Serve all that waits, each for as long as its symbol takes; in which order that was."""
    served: list[str] = []
    while (item := queue.take()) is not None:
        assert queue.is_held
        served.append(item)
        queue.release((used or {}).get(item, 0))
    assert not queue.is_held
    return served


def _order_of(requests: list[str]) -> list[str]:
    """In which order requests that all wait are served."""
    queue: FairQueue[str] = FairQueue(1000)
    for symbol in requests:
        queue.put(symbol, symbol)
    return _serve(queue)


def test_symbols_take_turns_however_many_requests_each_has() -> None:
    served = _order_of(["A"] * 5 + ["B"] * 2 + ["C"])
    assert served == ["A", "B", "C", "A", "B", "A", "A", "A"]


@given(st.lists(st.sampled_from("ABCD"), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_symbol_is_served_twice_while_another_waits_longer(requests: list[str]) -> None:
    served = _order_of(requests)
    assert Counter(served) == Counter(requests)
    for index, symbol in enumerate(served):
        again = next((i for i in range(index + 1, len(served)) if served[i] == symbol), None)
        if again is not None:
            others = set(served[index + 1 :]) - {symbol}
            assert others == set(served[index + 1 : again])


def test_a_symbol_that_uses_much_time_waits_until_the_others_had_as_much() -> None:
    queue: FairQueue[str] = FairQueue(1000)
    for symbol in ["slow"] * 3 + ["A", "B"] * 15:
        queue.put(symbol, symbol)
    served = _serve(queue, {"slow": 100, "A": 10, "B": 10})
    first, second, third = (at for at, name in enumerate(served) if name == "slow")
    assert first == 0
    # Ten requests each of A and B are a hundred units each.
    assert second == 21
    assert third > second + 9


def test_time_cannot_be_saved_up_by_not_asking() -> None:
    queue: FairQueue[str] = FairQueue(1000)
    for _ in range(50):
        queue.put("A", "A")
        assert _serve(queue, {"A": 10}) == ["A"]
    queue.put("A", "A")
    assert queue.take() == "A"
    for symbol in "AAAABBBB":
        queue.put(symbol, symbol)
    queue.release(10)
    served = _serve(queue, {"A": 10, "B": 10})
    assert served == list("BABABABA") or served == list("BBABABAA")


def test_a_full_queue_refuses_at_once_and_leaves_other_symbols_alone() -> None:
    queue: FairQueue[str] = FairQueue(2)
    queue.put("A", "A")
    assert queue.take() == "A"
    queue.put("A", "A")
    queue.put("A", "A")
    with pytest.raises(QueueFullError, match="2 requests of A wait already"):
        queue.put("A", "A")
    queue.put("B", "B")
    assert (queue.waiting("A"), queue.waiting("B"), queue.waiting_peak) == (2, 1, 2)
    queue.release(0)
    assert Counter(_serve(queue)) == {"A": 2, "B": 1}


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("pdt")), max_size=40))
@settings(max_examples=80, deadline=None)
def test_what_gives_up_waits_no_more_and_keeps_nobody_from_the_lock(
    plan: list[tuple[str, str]],
) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(100)
    numbers = count()
    waiting: list[tuple[str, int]] = []
    for symbol, what in plan:
        if what == "p":
            waiting.append((symbol, next(numbers)))
            queue.put(symbol, waiting[-1])
        elif what == "d" and waiting:
            gone = waiting.pop()
            assert queue.drop(gone[0], gone)
            assert not queue.drop(gone[0], gone)
        elif what == "t" and (taken := queue.take()) is not None:
            waiting.remove(taken)
            assert not queue.drop(taken[0], taken)
            queue.release(1)
        assert sum(map(queue.waiting, "ABC")) == len(waiting)
        assert queue.has_any == bool(waiting)
    assert sorted(queue.clear()) == sorted(waiting)
    assert queue.take() is None


def test_nothing_is_lost_or_served_twice_where_many_threads_put_in() -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(1000)

    def put(symbol: str) -> None:
        for number in range(200):
            queue.put(symbol, (symbol, number))

    puts = [threading.Thread(target=put, args=(symbol,)) for symbol in "ABCD"]
    served: list[tuple[str, int]] = []
    for thread in puts:
        thread.start()
    while len(served) < 800:
        item = queue.take()
        if item is not None:
            served.append(item)
            queue.release(1)
    for thread in puts:
        thread.join()
    assert queue.take() is None
    for symbol in "ABCD":
        assert [n for s, n in served if s == symbol] == list(range(200))


def test_releasing_what_nobody_has_is_an_error_and_so_is_taking_it_twice() -> None:
    queue: FairQueue[str] = FairQueue(1)
    with pytest.raises(RuntimeError, match="nobody had it"):
        queue.release(0)
    queue.put("A", "A")
    queue.take()
    with pytest.raises(RuntimeError, match="the lock is held already"):
        queue.take()


def test_a_lock_that_lets_nobody_wait_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0"):
        FairQueue(0)
