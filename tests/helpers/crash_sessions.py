"""The sessions that are crashed: small, and with everything in them that a crash could hurt.

A story names one session: its settings, its strategy and its events. With `every` it writes a
snapshot after each so many pieces of work; its strategy can be saved then, and else it cannot.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from crash_strategies import SYMBOLS, Protected, Restless, RestlessBars, Saving, SavingBars

from logos.config import make_config
from logos.core.gates import Switch
from logos.core.messages import Event, Quote
from logos.core.strategy import (
    Strategy,
)
from logos.session import SessionResult, entry
from logos.session.artifacts.recoveries import RECOVERIES
from logos.session.artifacts.snapshots.snapshot import SnapshotDue
from logos.session.build import make_instruments
from logos.session.plan import Feed, make_plan

MARKS = dict(zip(SYMBOLS, ("bid_ask", "mid", "last"), strict=True))
FUNDING = {"rate": "0.0001", "times": ["22:14", "22:15"]}
START_NS = 1_700_000_000_000_000_000
SESSION_FILES = (*entry.COMPARED,)


class ListFeed:
    """Events from a list in chunks: after each the session hands its records on."""

    def __init__(self, events: Sequence[Event], size: int) -> None:
        self._events = events
        self._size = size

    def chunks(self) -> Iterator[Sequence[Event]]:
        for start in range(0, len(self._events), self._size):
            yield self._events[start : start + self._size]


@dataclass(frozen=True)
class Story:
    """One session: `events` quotes, handed on every `chunk` of them."""

    events: int
    chunk: int
    breach_at: int = 0
    fail_at: int = 0
    on_engaged: str = "halt"
    seed: int = 7
    every: int = 0
    is_protected: bool = False
    has_bars: bool = False
    is_paid: bool = False  # funded each minute, marked in three ways, makers with rebates

    @property
    def config(self) -> dict[str, Any]:
        return {
            "session": {"id": "crashed", "seed": self.seed, "sample_interval_s": 60},
            "instruments": {
                symbol: {
                    "quote": "USD" if symbol != "CCC" else "EUR",
                    "tick": "0.01",
                    "lot": "1",
                    "settlement": "margin",
                    "leverage": 10,
                    "fees": {"taker": "0.0005", "maker": "-0.0001" if self.is_paid else "0.0001"},
                    **({"mark": MARKS[symbol], "funding": FUNDING} if self.is_paid else {}),
                }
                for symbol in SYMBOLS
            },
            "account": {"balances": {"USD": "1000000", "EUR": "500000"}},
            "paper": {"fill": "bid_ask", "participation": "0.25", "latency_ms": "1500"},
            "risk": {
                "unlimited": True,
                "max_order_quantity": "1000",
                "actions": {"max_order_quantity": "engage"},
            },
            "switch": {"on_engaged": self.on_engaged},
        }

    @property
    def strategy(self) -> Strategy:
        kind: type[Restless] = Saving if self.every else Restless
        if self.is_protected:
            kind = Protected
        if self.has_bars:
            kind = SavingBars if self.every else RestlessBars
        return kind(self.breach_at, self.fail_at)

    @property
    def snapshot_due(self) -> SnapshotDue:
        return every_pieces(self.every)

    @property
    def feed(self) -> Feed:
        return ListFeed(_events(self), self.chunk)


def every_pieces(count: int) -> SnapshotDue:
    """A snapshot after each `count` pieces of work (0: never, by itself)."""
    pieces = itertools.count(1)
    return lambda: bool(count) and next(pieces) % count == 0


class StoppingFeed:
    """Sends SIGTERM to this process before its chunk number `chunk`, as an operator might."""

    def __init__(self, feed: Feed, chunk: int) -> None:
        self._feed = feed
        self._chunk = chunk

    def chunks(self) -> Iterator[Sequence[Event]]:
        for number, events in enumerate(self._feed.chunks()):
            if number == self._chunk:
                os.kill(os.getpid(), signal.SIGTERM)
            yield events


class StoppedStory(Story):
    """A story that an operator stops."""

    stop_before = 0

    @property
    def feed(self) -> Feed:
        return StoppingFeed(super().feed, self.stop_before)


def stopped(story: Story, chunk: int) -> Story:
    """The story, stopped at that chunk."""
    kind = type("StoppedHere", (StoppedStory,), {"stop_before": chunk})
    made = kind(**vars(story))
    assert isinstance(made, Story)
    return made


@cache
def _events(story: Story) -> list[Event]:
    """Quotes a second apart, of symbols that wander."""
    plain = make_plan(make_config(story.config), strategy=story.strategy, feed=_NONE)
    instruments = make_instruments(plain.config.instruments)
    chance = Random(story.seed)
    middle = dict.fromkeys(SYMBOLS, 10_000)
    quotes: list[Event] = []
    for number in range(story.events):
        symbol = chance.choice(SYMBOLS)
        middle[symbol] += chance.randint(-4, 4)
        bid, sizes = middle[symbol], (chance.randint(1, 60), chance.randint(1, 60))
        ts_ns = START_NS + number * 1_000_000_000
        ask = bid + chance.randint(1, 3)
        quotes.append(Quote(ts_ns, symbol, bid, ask, *sizes, instruments[symbol]))
    return quotes


_NONE = ListFeed([], 1)

STORIES = {
    "trading": Story(120, 10),
    "halted": Story(120, 10, breach_at=65),
    "blocked": Story(100, 10, breach_at=65, on_engaged="block"),
    "failing": Story(100, 10, fail_at=75),
}
"""Without snapshots: run again from their beginning."""

SAVED_STORIES = {
    "saved": Story(120, 10, every=2),
    "saved often": Story(120, 10, every=1, seed=8),
    "saved, halted": Story(120, 10, breach_at=65, every=3),
    "saved, blocked": Story(100, 10, breach_at=65, on_engaged="block", every=2),
    "saved, failing": Story(100, 10, fail_at=75, every=2),
    "protected": Story(120, 10, every=2, seed=9, is_protected=True),
    "protected, from its beginning": Story(120, 10, seed=10, is_protected=True),
    "protected, halted": Story(120, 10, breach_at=65, every=3, is_protected=True),
    "saved, bars": Story(120, 10, every=2, has_bars=True),
    "saved, paid": Story(120, 10, every=2, seed=9, is_paid=True),
}
STORIES |= SAVED_STORIES


def begin(story: Story, home: Path, switch: Switch | None = None) -> SessionResult:
    """Run the story from its beginning."""
    return entry.run(
        story.config,
        strategy=story.strategy,
        feed=story.feed,
        switch=switch,
        home=home,
        tell=_hush,
        snapshot_due=story.snapshot_due,
    )


def resume(
    story: Story,
    home: Path,
    switch: Switch | None = None,
    *,
    tell: Callable[[str], object] = lambda _: None,
    **options: Any,
) -> SessionResult:
    """Go on with a story that crashed or was stopped."""
    return entry.resume(
        "crashed",
        strategy=story.strategy,
        feed=story.feed,
        switch=switch,
        home=home,
        tell=tell,
        snapshot_due=story.snapshot_due,
        **options,
    )


def replay(story: Story, home: Path) -> None:
    """Compare every byte; raises SessionDiffersError."""
    entry.replay("crashed", strategy=story.strategy, feed=story.feed, home=home)


def session_folder(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "crashed"


def log_file(home: Path) -> Path:
    return home / "logos" / "logs" / "crashed.jsonl"


def files_of(home: Path) -> dict[str, bytes]:
    """Every file of the session but host.json and its recoveries, and its log."""
    found = {
        path.name: path.read_bytes()
        for path in sorted(session_folder(home).iterdir())
        if path.name not in ("host.json", RECOVERIES)
    }
    return {**found, "log": log_file(home).read_bytes()}


def first_difference(home: Path, expected: dict[str, bytes]) -> str:
    """Where the files of `home` are not the expected ones; empty when they are."""
    found = files_of(home)
    if found.keys() != expected.keys():
        return f"files {sorted(found.keys() ^ expected.keys())}"
    for name, content in found.items():
        if content != expected[name]:
            lines = zip(content.split(b"\n"), expected[name].split(b"\n"), strict=False)
            for number, (here, there) in enumerate(lines, start=1):
                if here != there:
                    return f"{name}:{number}: {here[:300]!r} instead of {there[:300]!r}"
            return f"{name}: {len(content)} bytes instead of {len(expected[name])}"
    return ""


def is_claimed(home: Path) -> bool:
    """Whether the session has its folder: `resume` goes on with it, or starts it anew."""
    return session_folder(home).is_dir()


def has_begun(home: Path) -> bool:
    """Whether the journal has its first record."""
    path = session_folder(home) / "state.jsonl"
    first, newline, _ = (path.read_bytes() if path.is_file() else b"").partition(b"\n")
    return bool(newline) and 0 not in first


def _hush(_: str) -> None:
    """Nobody listens."""
