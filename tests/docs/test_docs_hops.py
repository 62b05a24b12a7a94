"""The two roads of docs/ARCHITECTURE.md, function by function, as a live session takes them."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live
from live_venue_helpers import World
from places import PROJECT
from session_helpers import ListFeed, session_config

from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.inventory import Inventory
from logos.core.messages import Quote
from logos.core.outbox import Outbox
from logos.execution.incoming.inbox import Inbox
from logos.execution.venue_link import VenueLink
from logos.session.open import open_session
from logos.session.opening.spec import SessionSpec
from logos.session.plan import make_plan
from logos.session.session import Session
from logos.testing.fake_venue import FakeVenue

TEXT = (PROJECT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")

Stack = list[tuple[str, str]]
"""Module and qualified name of the functions of logos that are running, outermost first."""


def stack_here() -> Stack:
    frames: Stack = []
    frame = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("logos.") and "<locals>" not in frame.f_code.co_qualname:
            frames.append((module, frame.f_code.co_qualname))
        frame = frame.f_back  # type: ignore[assignment]
    return frames[::-1]


class Watch:
    """Remembers how some functions were come by the first time they were called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.stacks: dict[str, Stack] = {}

    def on(self, *functions: Callable[..., Any]) -> None:
        for function in functions:
            self._on(function)

    def _on(self, function: Callable[..., Any]) -> None:
        name = function.__qualname__
        module = sys.modules[function.__module__]

        def plain(*arguments: Any, **more: Any) -> Any:
            self.stacks.setdefault(name, [*stack_here(), (module.__name__, name)])
            return function(*arguments, **more)

        async def waiting(*arguments: Any, **more: Any) -> Any:
            self.stacks.setdefault(name, [*stack_here(), (module.__name__, name)])
            return await function(*arguments, **more)

        kind = getattr(module, name.split(".")[0])
        watched = waiting if inspect.iscoroutinefunction(function) else plain
        self._monkeypatch.setattr(kind, function.__name__, watched)

    def road(self, name: str, begin: str) -> list[str]:
        """The functions from `begin` to `name`."""
        names = [each for _, each in self.stacks[name]]
        return names[names.index(begin) :]

    def climbs(self) -> list[tuple[str, str]]:
        """Where something in the room `execution` called something in the room `session`."""
        return [
            (upper[1], lower[1])
            for stack in self.stacks.values()
            for number, upper in enumerate(stack)
            for lower in stack[number:]
            if upper[0].startswith("logos.execution.") and lower[0].startswith("logos.session.")
        ]


def documented(title: str) -> list[str]:
    """The numbered functions below a title."""
    _, _, below = TEXT.partition(f"**{title}**")
    assert below, f"ARCHITECTURE.md has no list {title!r}"
    found = []
    for line in below.strip().splitlines():
        item = re.match(r"\d+\. `([\w.]+)`", line)
        if item is not None:
            found.append(item[1])
        elif found and not line.startswith(" "):
            break
    return found


def merged(*roads: list[str]) -> list[str]:
    """One road after the other; where one goes over to the next, a function may stand twice."""
    whole: list[str] = []
    for road in roads:
        whole += road[1:] if whole and whole[-1] == road[0] else road
    return whole


def test_a_quote_to_its_paper_fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    watch.on(Inbox.market, Inventory.apply_fill)
    clock = TickingClock()
    live(tmp_path, ScriptedFeed(clock, 5), clock)
    road = merged(
        watch.road("Inbox.market", "LiveEngine._feed"),
        watch.road("Inventory.apply_fill", "LiveEngine._consume"),
    )
    assert documented("A quote to its paper fill") == road
    assert len(road) < 20
    assert watch.climbs() == []


def test_an_answer_of_the_strategy_to_a_venue_s_submit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch)
    watch.on(Outbox.submit, Session.sync, VenueLink._keep, FakeVenue.submit)
    there = World(tmp_path, fills_at_once=1.0)
    there.run(ScriptedFeed(there.clock, 5), Alternating())
    road = merged(
        watch.road("Outbox.submit", "OrderPipeline.carry_out"),
        watch.road("Session.sync", "LiveEngine._dispatch"),
        watch.road("VenueLink._keep", "LiveEngine._dispatch")[1:],
        watch.road("FakeVenue.submit", "VenueLink._look_after"),
    )
    assert documented("An answer of the strategy to a venue's submit") == road
    assert len(road) < 15
    assert watch.climbs() == []


def test_the_loop_of_one_s_own_runs_as_it_is_printed(tmp_path: Path) -> None:
    _, _, below = TEXT.partition("a loop of one's own is a few lines:\n\n```python\n")
    code, closed, _ = below.partition("```")
    assert closed
    feed = ListFeed([])
    plan = make_plan(make_config(session_config()), strategy=Alternating(), feed=feed)
    acme = plan.instruments["ACME"]
    quotes = [Quote(number * 10**9, "ACME", 100, 101, 5, 5, acme) for number in range(1, 9)]
    names: dict[str, Any] = {
        "SessionSpec": partial(SessionSpec, switch=InProcessSwitch(), home=tmp_path),
        "open_session": open_session,
        "config": plan.config,
        "strategy": Alternating(),
        "feed": feed,
        "batches": [quotes[:3], quotes[3:]],
    }
    exec(code, names)
    assert names["session"].result.summary["orders"] == 8
    assert names["outputs"].records
