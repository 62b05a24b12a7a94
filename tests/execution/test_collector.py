"""The collector of cycles keeps out of a live session's way, and is put back as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from logos.execution.collector import Collector


@pytest.fixture(autouse=True)
def _as_it_was() -> None:
    """No test begins with objects that another one set aside."""
    gc.unfreeze()


@pytest.fixture
def no_looks_of_its_own() -> Iterator[None]:
    """Nothing but what the test does has the collector look."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Cycle:
    """What only the collector frees."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Cycle.alive += 1

    def __del__(self) -> None:
        Cycle.alive -= 1


def test_what_is_there_is_set_aside_until_the_session_ends() -> None:
    thresholds = gc.get_threshold()
    with Collector():
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold() != thresholds
        assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds


def test_a_session_that_fails_leaves_the_collector_as_it_was() -> None:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    with pytest.raises(RuntimeError), Collector():
        raise RuntimeError
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds
    assert gc.callbacks == callbacks


def test_the_first_of_two_sessions_in_a_process_is_in_charge() -> None:
    thresholds = gc.get_threshold()
    with Collector() as first:
        with Collector() as second:
            gc.collect()
            second.beat(is_quiet=True)
            assert second.pauses.count == 1
        assert gc.get_freeze_count() > 1000
        assert first.pauses.count == 1
    assert gc.get_threshold() == thresholds


def _is_there() -> bool:
    return Cycle.alive > 0


def test_cycles_go_at_a_heartbeat_that_finds_nothing_waiting_and_looks_are_counted(
    no_looks_of_its_own: None,
) -> None:
    with Collector() as collector:
        Cycle()
        collector.beat(is_quiet=False)
        assert _is_there()
        assert collector.pauses.count == 0
        collector.beat(is_quiet=True)
        assert not _is_there()
        assert collector.pauses.count == 1
        assert 0 < collector.pauses.max_ns == collector.pauses.sum_ns


def test_what_outlives_a_look_is_set_aside(no_looks_of_its_own: None) -> None:
    with Collector() as collector:
        before = gc.get_freeze_count()
        kept = [Cycle() for _ in range(100)]
        collector.beat(is_quiet=True)
        assert gc.get_freeze_count() >= before + 100
        assert len(kept) == 100
    del kept
    gc.collect()
    assert not _is_there()


def test_what_the_process_had_set_aside_before_stays_so(no_looks_of_its_own: None) -> None:
    allocated = [100]
    cycle = Cycle()
    gc.freeze()
    count = gc.get_freeze_count()
    try:
        with Collector(lambda: allocated[0]) as collector:
            collector.beat(is_quiet=True)
            allocated[0] = 200
            for _ in range(60):
                collector.beat(is_quiet=True)
        assert 1000 < gc.get_freeze_count() <= count, "nothing more, and nothing taken back"
        del cycle
        gc.collect()
        assert _is_there(), "no look passes through what was set aside"
    finally:
        gc.unfreeze()
        gc.collect()
    assert not _is_there()


def test_old_cycles_go_when_twice_as_much_is_allocated(no_looks_of_its_own: None) -> None:
    allocated = [100]
    with Collector(lambda: allocated[0]) as collector:
        cycle = Cycle()
        collector.beat(is_quiet=True)
        del cycle
        for _ in range(200):
            collector.beat(is_quiet=True)
        assert _is_there()
        allocated[0] = 200
        for _ in range(60):
            collector.beat(is_quiet=False)
        assert not _is_there()
        assert gc.get_freeze_count() > 1000
        looks = collector.pauses.count
        for _ in range(200):  # it is twice as much as before, and no more
            collector.beat(is_quiet=False)
        assert collector.pauses.count == looks
