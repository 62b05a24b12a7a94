"""The power is cut at every boundary of every file operation; the session goes on and ends alike.

In one process, with a simulated cut: the real SIGKILLs are in test_crash_kills.py.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from crash_helpers import Bench, operations_of, truth
from crash_sessions import STORIES, begin, first_difference, replay, session_folder
from file_faults import Cut, Decide, Fault, FileFaults, Operation, at
from sampling import first_quick

from logos.core.gates import InProcessSwitch
from logos.session import restoring


def in_the_middle(number: int) -> Decide:
    """In half of the write of that number, or right after an operation that is none."""

    def decide(operation: Operation) -> Fault:
        if operation.number != number:
            return None
        if operation.kind == "write" and operation.size > 1:
            return Cut(written=operation.size // 2)
        return Cut(is_after=True)

    return decide


def crash_and_finish(name: str, cuts: list[Decide]) -> str:
    """Run under one cut after the other, then to the end; what is different then."""
    with TemporaryDirectory() as folder:
        bench = Bench(name, Path(folder))
        for cut in cuts:
            try:
                bench.go(cut)
            except restoring.CannotResumeError:
                break  # it had ended already
        bench.finish()
        return first_difference(bench.home, truth(name))


@pytest.mark.long
@pytest.mark.parametrize("first", first_quick(range(4)))
def test_a_cut_before_and_in_every_operation_of_a_session_changes_nothing(first: int) -> None:
    differences = {}
    for number in range(1 + first, operations_of("trading") + 1, 4):
        for moment, cut in (("before", at(number, Cut())), ("in", in_the_middle(number))):
            differences[number, moment] = crash_and_finish("trading", [cut])
    assert {place: text for place, text in differences.items() if text} == {}


@pytest.mark.parametrize("first", first_quick(range(6), 0))
def test_a_cut_around_a_snapshot_changes_nothing(first: int) -> None:
    differences = {}
    for number in range(1 + first, operations_of("saved") + 1, 6):
        cut = at(number, Cut()) if number // 6 % 2 else in_the_middle(number)
        differences[number] = crash_and_finish("saved", [cut])
    assert {place: text for place, text in differences.items() if text} == {}


@pytest.mark.campaign
def test_a_cut_before_in_and_after_every_operation_of_a_snapshot_changes_nothing() -> None:
    with TemporaryDirectory() as folder, FileFaults(Path(folder)) as faults:
        begin(STORIES["saved"], Path(folder), InProcessSwitch())
    own = [each.number for each in faults.operations if "snapshot.json" in each.path.name]
    assert len(own) > 15
    differences = {}
    for number in own:
        for moment, cut in (
            ("before", at(number, Cut())),
            ("in", in_the_middle(number)),
            ("after", at(number, Cut(is_after=True))),
        ):
            differences[number, moment] = crash_and_finish("saved", [cut])
    assert {place: text for place, text in differences.items() if text} == {}


@pytest.mark.long
@pytest.mark.parametrize("name", first_quick(["halted", "blocked", "failing"]))
def test_a_cut_in_a_session_that_is_engaged_or_fails_changes_nothing(name: str) -> None:
    differences = {}
    for number in range(2, operations_of(name) + 1, 3):
        cut = at(number, Cut()) if number % 2 else in_the_middle(number)
        differences[number] = crash_and_finish(name, [cut])
    assert {place: text for place, text in differences.items() if text} == {}


@pytest.mark.long
@pytest.mark.parametrize("name", first_quick(["trading", "halted", "saved", "saved, halted"]))
def test_a_cut_while_resuming_changes_nothing(name: str) -> None:
    operations = operations_of(name)
    differences = {}
    for number in range(1, operations + 1, 3 if operations < 90 else 5):
        first = at(operations * 2 // 3, Cut())
        differences[number] = crash_and_finish(name, [first, in_the_middle(number)])
    assert {place: text for place, text in differences.items() if text} == {}


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(10), 3))
def test_cut_after_cut_after_cut_changes_nothing(seed: int) -> None:
    chance = Random(seed)
    name = chance.choice(list(STORIES))
    cuts = [in_the_middle(chance.randint(1, operations_of(name))) for _ in range(5)]
    assert crash_and_finish(name, cuts) == ""


def test_a_session_that_crashed_in_its_last_file_is_not_finished_and_replays_once_resumed(
    tmp_path: Path,
) -> None:
    bench = Bench("trading", tmp_path)

    def cut(operation: Operation) -> Fault:
        is_last_file = operation.path.name == "host.json" and operation.kind == "replace"
        return Cut() if is_last_file else None

    assert bench.go(cut) is None
    with pytest.raises(restoring.CannotResumeError, match="never finished: finish it with"):
        replay(bench.story, tmp_path)
    assert bench.go() is not None
    assert not list(session_folder(tmp_path).glob(".*"))
    replay(bench.story, tmp_path)
    with pytest.raises(restoring.CannotResumeError, match="has ended"):
        bench.go()


def test_a_difference_is_found_where_it_is(tmp_path: Path) -> None:
    bench = Bench("trading", tmp_path)
    bench.go()
    path = session_folder(tmp_path) / "trades.csv"
    lines = path.read_text().split("\n")
    lines[3] += "0"
    path.write_text("\n".join(lines))
    assert first_difference(tmp_path, truth("trading")).startswith("trades.csv:4: ")
