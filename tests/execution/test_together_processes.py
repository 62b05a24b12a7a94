"""Processes that share an account share its requests, also when one is killed or stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logos.core.types import NS_PER_SECOND
from logos.venues.budget import RequestKind

CANCEL, FIND = RequestKind.CANCEL, RequestKind.FIND


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.budget"


WORKER = """
import asyncio, sys, time
from pathlib import Path
from logos.execution.clock import SystemClock
from logos.execution.sending.lane import Lane
from logos.venues.budget import Budget, Pool, RequestKind

class Place:
    shared_budget = Path(sys.argv[1])
    budget = Budget((Pool("requests", 5, 40.0),))

async def main():
    lane = Lane(Place(), SystemClock())
    lane.may_need = lambda: 0
    kind = RequestKind(sys.argv[2])
    async def one():
        asked = time.time_ns()
        await lane.turn(kind)
        print(asked, time.time_ns(), flush=True)
    waiting = [asyncio.ensure_future(one()) for _ in range(int(sys.argv[3]))]
    await asyncio.gather(*waiting)

asyncio.run(main())
"""


@pytest.fixture
def workers() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    made: list[subprocess.Popen[str]] = []

    def start(path: Path, kind: RequestKind, count: int) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", WORKER, str(path), kind.value, str(count)]
        made.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield start
    for each in made:
        each.kill()
        each.communicate()


def moments(worker: subprocess.Popen[str]) -> list[tuple[int, int]]:
    """When each was asked for and when it left."""
    assert worker.stdout is not None
    said = worker.stdout.read()
    return [(int(a), int(b)) for a, b in (line.split() for line in said.splitlines())]


@pytest.mark.long
def test_two_processes_stay_within_one_budget_and_cancels_come_first(
    path: Path, workers: Callable[..., subprocess.Popen[str]]
) -> None:
    asking = workers(path, FIND, 60)
    assert asking.stdout is not None
    first = asking.stdout.readline()
    killing = workers(path, CANCEL, 20)
    cancels = moments(killing)
    questions = [tuple(map(int, first.split())), *moments(asking)]
    assert (len(cancels), len(questions)) == (20, 60)
    left = sorted(moment for _, moment in [*cancels, *questions])
    for number, moment in enumerate(left):
        # So many may have left until then: what the pool holds, and what came back.
        came_back = (moment - left[0]) / NS_PER_SECOND * 40.0
        assert number + 1 <= 5 + came_back + 1
    begun, ended = cancels[0][0], max(moment for _, moment in cancels)
    between = [moment for _, moment in questions if begun + 10**8 < moment < ended]
    assert len(between) <= 2


@pytest.mark.long
def test_a_process_that_is_killed_or_stopped_keeps_nobody_for_long(
    path: Path, workers: Callable[..., subprocess.Popen[str]]
) -> None:
    doomed = [workers(path, CANCEL, 1000) for _ in range(2)]
    for each, number in zip(doomed, (signal.SIGKILL, signal.SIGSTOP), strict=True):
        assert each.stdout is not None
        each.stdout.readline()
        os.kill(each.pid, number)
    survivor = moments(workers(path, FIND, 5))
    assert max(moment - asked for asked, moment in survivor) < 5 * NS_PER_SECOND
