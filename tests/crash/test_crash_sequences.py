"""Any sequence of runs, crashes, stops and resumptions equals one straight run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash_helpers import Bench, truth
from crash_sessions import Story, first_difference, replay, stopped
from file_faults import Cut, Fault, Operation, at
from hypothesis import given, settings
from hypothesis import strategies as some
from sampling import first_quick

from logos.core.types import SessionStatus
from logos.session import restoring

STEPS = some.one_of(
    some.tuples(some.just("crash"), some.integers(1, 80)),
    some.tuples(some.just("tear"), some.integers(1, 80)),
    some.tuples(some.just("stop"), some.integers(0, 11)),
    some.tuples(some.just("stop and crash"), some.integers(0, 11)),
)


def cut_in_the_ending(operation: Operation) -> Fault:
    """Half-way through what a stop leaves behind."""
    return Cut() if operation.path.name == "session.md" and operation.kind == "replace" else None


def take(bench: Bench, story: Story, step: tuple[str, int]) -> None:
    """One step of a sequence."""
    kind, number = step
    bench.story = stopped(story, number) if kind.startswith("stop") else story
    try:
        if kind == "crash":
            bench.go(at(number, Cut()))
        elif kind == "tear":
            bench.go(at(number, Cut(written=17)))
        elif kind == "stop":
            bench.go()
        else:
            bench.go(cut_in_the_ending)
    finally:
        bench.story = story


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    first_quick(
        ["trading", "saved", "halted", "blocked", "failing", "saved, halted", "saved, blocked"], 2
    ),
)
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(steps=some.lists(STEPS, max_size=4))
def test_any_sequence_of_crashes_stops_and_resumptions_equals_one_straight_run(
    name: str, steps: list[tuple[str, int]]
) -> None:
    with TemporaryDirectory() as folder:
        bench = Bench(name, Path(folder))
        story = bench.story
        for step in steps:
            try:
                take(bench, story, step)
            except restoring.CannotResumeError:
                break  # it has ended: whatever comes now, nothing may change
        bench.finish()
        assert first_difference(bench.home, truth(name)) == ""


def test_a_stopped_session_replays_as_it_stands_and_then_goes_on(tmp_path: Path) -> None:
    bench = Bench("trading", tmp_path)
    story = bench.story
    bench.story = stopped(story, 5)
    result = bench.go()
    assert result is not None
    assert result.status is SessionStatus.STOPPED
    replay(story, tmp_path)
    bench.story = story
    assert bench.go() is not None
    assert first_difference(tmp_path, truth("trading")) == ""
