"""What the campaigns of the fleet and of the shards share: runs one after another, and options."""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Generic, Protocol, TypeVar


class Played(Protocol):
    """What came of one run."""

    kind: str
    problems: list[str]


class PlayedInWorld(Played, Protocol):
    """What came of one run in a world."""

    void: list[str]
    """Why it did not show what it was to show; empty where it did."""


TOLD_RUNS = 50
"""How many runs come between two lines of a long campaign."""
T = TypeVar("T", bound=Played)
W = TypeVar("W", bound=PlayedInWorld)
W_co = TypeVar("W_co", bound=PlayedInWorld, covariant=True)


def play_kinds(run: Callable[[int, str], T], kinds: Sequence[str], minutes: float) -> list[T]:
    """Run one of each of `kinds`, in this order, and begin none after so many minutes."""
    end_s = time.monotonic() + 60 * minutes
    outcomes: list[T] = []
    for number, kind in enumerate(kinds):
        if time.monotonic() > end_s:
            break
        outcome = run(number, kind)
        outcomes.append(outcome)
        for problem in outcome.problems:
            print(f"run {number} {kind}: {problem}", flush=True)
    return outcomes


class Worlds(Protocol[W_co]):
    """Worlds that do not meet, each with a cluster and machines of its own."""

    def build(self, world: int, attempt: int, resources: ExitStack) -> Callable[[int, str], W_co]:
        """A world, the `attempt`-th under this number, and how it plays a run; `resources` end
        it."""

    def spoilt(self, kind: str, why: str) -> W_co:
        """What is noted of a run in which the world itself gave way."""


class _Runs(Generic[W]):
    """The runs that are left, and what came of the others; for threads, a world each."""

    def __init__(self, worlds: Worlds[W], kinds: Sequence[str], minutes: float) -> None:
        self._worlds = worlds
        self._left = list(enumerate(kinds))[::-1]
        self._end_s = time.monotonic() + 60 * minutes
        self._lock = threading.Lock()
        self.outcomes: dict[int, W] = {}
        self.raised: list[BaseException] = []

    def next(self) -> tuple[int, str] | None:
        with self._lock:
            if self.raised or not self._left or time.monotonic() > self._end_s:
                return None
            return self._left.pop()

    def note(self, number: int, outcome: W) -> None:
        with self._lock:
            self.outcomes[number] = outcome
            if len(self.outcomes) % TOLD_RUNS == 0:
                print(f"{len(self.outcomes)} runs", flush=True)
        for what in (*outcome.problems, *(f"void: {each}" for each in outcome.void)):
            print(f"run {number} {outcome.kind}: {what}", flush=True)

    def live(self, world: int) -> None:
        """Take runs until none is left."""
        attempt = 0
        taken = self.next()
        while taken is not None:
            with ExitStack() as resources:
                try:
                    run = self._worlds.build(world, attempt, resources)
                    while taken is not None:
                        self.note(taken[0], run(*taken))
                        taken = self.next()
                except AssertionError as error:
                    assert taken is not None
                    self.note(taken[0], self._worlds.spoilt(taken[1], str(error)))
                    attempt += 1
                    taken = self.next()

    def guarded(self, world: int) -> None:
        try:
            self.live(world)
        except BaseException as error:
            self.end(error)

    def end(self, error: BaseException) -> None:
        """No world begins another run."""
        with self._lock:
            self.raised.append(error)


def play_worlds(worlds: Worlds[W], count: int, kinds: Sequence[str], minutes: float) -> list[W]:
    """Run one of each of `kinds` in `count` worlds side by side; what came of them, in order.

    A world takes the next run when it is free, and begins none after so many minutes. One that
    gives way (AssertionError: a member without a leader, say) is noted and built anew; what else is
    raised ends all, and is raised.
    """
    runs = _Runs(worlds, kinds, minutes)
    threads = [threading.Thread(target=runs.guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException as error:
        runs.end(error)
        raise
    if runs.raised:
        raise runs.raised[0]
    return [runs.outcomes[number] for number in sorted(runs.outcomes)]


def problems_of(outcomes: Iterable[Played]) -> list[str]:
    """What went wrong, a line each."""
    return [
        f"run {number}, {each.kind}: {problem}"
        for number, each in enumerate(outcomes)
        for problem in each.problems
    ]


def options_of(about: str | None, runs: int) -> argparse.ArgumentParser:
    """The options that both have."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ttl", type=float, default=2.0, help="of a permit, seconds")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no run after so many")
    parser.add_argument("--only", default="", help="kinds, with commas")
    return parser


def kinds_of(options: argparse.Namespace, known: Mapping[str, object]) -> list[str]:
    """The kind of each run, by turns."""
    names = options.only.split(",") if options.only else list(known)
    return [names[number % len(names)] for number in range(options.runs)]


def counted(kinds: Iterable[str]) -> str:
    """How many of each kind, in words."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(kinds).items()))
