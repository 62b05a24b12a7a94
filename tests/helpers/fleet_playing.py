"""What the campaigns of the fleet and of the shards share: runs one after another, and options."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class Played(Protocol):
    """What came of one run."""

    kind: str
    problems: list[str]


T = TypeVar("T", bound=Played)


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
