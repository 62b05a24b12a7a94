"""Sessions that share an account share its requests: never too many, cancels first, in fairness."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from live_venue_helpers import venue_settings

from logos.config import ConfigError, make_config
from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import Call, Lane, Overdue
from logos.execution.sending.meter import Meter
from logos.execution.sending.together import STALE_S, Together
from logos.session.connections import venue_of
from logos.testing.clock import START_NS, ManualClock
from logos.venues.budget import Allowance, Budget, Pool, RequestKind
from logos.venues.contract import Unavailable

CANCEL, ORDER, FIND = RequestKind.CANCEL, RequestKind.ORDER, RequestKind.FIND
POOL = Pool("requests", 4, 2)


@dataclass
class Place:
    """Of a venue, what the queue before it looks at."""

    shared_budget: Path | None
    budget: Budget = field(default_factory=lambda: Budget((POOL,)))
    allowances: tuple[Allowance, ...] = ()
    name: str = "place"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.budget"


@dataclass
class Two:
    """Two sessions of one account, on one clock."""

    clock: ManualClock
    first: Lane
    second: Lane
    left: list[tuple[str, float]] = field(default_factory=list)

    def wants(self, name: str, kind: RequestKind) -> asyncio.Task[None]:
        """`name` says of which of the two, and what for."""
        lane = self.first if name[0] == "a" else self.second

        async def turn() -> None:
            await lane.turn(kind)
            self.left.append((name, (self.clock.now_ns() - START_NS) / NS_PER_SECOND))

        return asyncio.ensure_future(turn())

    async def pass_time(self, seconds: float) -> None:
        for _ in range(5):  # whoever is about to wait begins to
            await asyncio.sleep(0)
        await self.clock.advance(seconds)

    async def all_of(self, *tasks: asyncio.Task[None]) -> list[str]:
        for _ in range(400):
            if all(task.done() for task in tasks):
                break
            await self.pass_time(0.05)
        await asyncio.gather(*tasks)
        return [name for name, _ in self.left]


def tell(path: Path, story: Callable[[Two], Awaitable[None]], need: int = 0) -> None:
    async def whole() -> None:
        clock = ManualClock()
        first, second = (Lane(cast(Any, Place(path)), clock) for _ in range(2))
        first.may_need = second.may_need = lambda: need
        await story(Two(clock, first, second))

    asyncio.run(whole())


def test_a_session_that_is_over_lets_go_of_the_file(path: Path) -> None:
    def is_open() -> bool:
        numbers = os.listdir("/proc/self/fd")
        return any(os.path.realpath(f"/proc/self/fd/{each}") == str(path) for each in numbers)

    lane = Lane(cast(Any, Place(path)), ManualClock())
    assert lane.go(FIND)
    assert is_open()
    del lane
    gc.collect()
    assert not is_open()


def test_what_one_has_used_the_other_does_not_have(path: Path) -> None:
    async def story(two: Two) -> None:
        assert [two.first.go(FIND) for _ in range(3)] == [True] * 3
        assert [two.second.go(FIND), two.second.go(FIND)] == [True, False]
        await two.pass_time(0.5)
        assert [two.first.go(FIND), two.second.go(FIND)] == [True, False]

    tell(path, story)


def test_cancels_of_one_go_before_orders_and_questions_of_the_other(path: Path) -> None:
    async def story(two: Two) -> None:
        while two.first.go(CANCEL):
            pass
        names = {"a question": FIND, "a order": ORDER, "b cancel": CANCEL, "b order": ORDER}
        tasks = []
        for name, kind in names.items():
            tasks.append(two.wants(name, kind))
            await two.pass_time(0.01)
        said = await two.all_of(*tasks)
        assert said == ["b cancel", "a order", "b order", "a question"]

    tell(path, story)


def test_the_one_that_waits_longest_goes_first_and_none_starves(path: Path) -> None:
    async def story(two: Two) -> None:
        while two.first.go(CANCEL):
            pass
        tasks = []
        for number in range(4):
            for name in "ab":
                tasks.append(two.wants(f"{name}{number}", FIND))
                await two.pass_time(0.01)
        said = await two.all_of(*tasks)
        assert said == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"]

    tell(path, story)


def test_questions_leave_room_for_the_orders_of_both(path: Path) -> None:
    async def story(two: Two) -> None:
        # Each may have to send one order or cancel, which is half of the pool together.
        assert [two.second.go(FIND), two.first.go(FIND), two.first.go(FIND)] == [True, True, False]
        assert [two.first.go(ORDER), two.second.go(CANCEL)] == [True, True]

    tell(path, story, need=1)


def test_what_the_exchange_says_to_one_the_other_obeys(path: Path) -> None:
    async def story(two: Two) -> None:
        now_ns = two.clock.now_ns()
        two.first._venue.allowances = (Allowance("requests", 0.0, now_ns),)
        two.first.heard(Call(FIND))
        assert not two.second.go(CANCEL)
        await two.pass_time(0.5)
        assert two.second.go(CANCEL)
        too_much: Any = Unavailable("429")
        too_much.demand_s = 3.0
        two.first.obey(too_much)
        await two.pass_time(2.9)
        assert not two.second.go(CANCEL)
        await two.pass_time(0.2)
        assert two.second.go(CANCEL)

    tell(path, story)


def test_an_order_that_cannot_leave_in_time_because_of_the_other_is_told_at_once(
    path: Path,
) -> None:
    async def story(two: Two) -> None:
        while two.first.go(CANCEL):
            pass
        with pytest.raises(Overdue):
            await two.second.turn(ORDER, until_ns=two.clock.now_ns() + 100)

    tell(path, story)


def test_one_that_died_while_it_waited_is_forgotten_soon(path: Path) -> None:
    async def story(two: Two) -> None:
        while two.first.go(CANCEL):
            pass
        dead = two.wants("a", CANCEL)
        await two.pass_time(0.1)
        server = two.first._server
        assert server is not None
        server.cancel()
        await asyncio.gather(server, dead, return_exceptions=True)
        alive = two.wants("b", FIND)
        await two.all_of(alive)
        [(_, moment)] = two.left
        assert moment <= STALE_S + 1.2

    tell(path, story)


@pytest.mark.parametrize(
    "text",
    [
        b"x",
        b"{",
        b'{"free_ns": {"requests": "soon"}}',
        b"\0" * 100,
        b'{"free_ns": {"\xff": 1}}',
        b'{"free_ns": {"others": 1%s}}' % (b"0" * 30),
    ],
)
def test_a_file_that_cannot_be_read_counts_as_everything_used(path: Path, text: bytes) -> None:
    path.write_bytes(text)

    async def story(two: Two) -> None:
        assert not two.first.go(CANCEL)
        await two.pass_time(0.5)
        assert two.first.go(CANCEL)
        assert json.loads(path.read_bytes())["free_ns"]["requests"] > START_NS

    tell(path, story)


def test_a_clock_that_was_set_back_lets_nobody_wait_for_years() -> None:
    meter = Meter(POOL)
    meter.adopt(START_NS + 10**18, START_NS)
    assert meter.wait_ns(CANCEL, START_NS) <= 5 * NS_PER_SECOND


@pytest.mark.parametrize("name", ["closed_until_ns", "no_questions_until_ns"])
def test_a_pause_from_before_the_clock_was_set_back_ends_for_a_session_that_begins(
    path: Path, name: str
) -> None:
    path.write_text(json.dumps({name: START_NS + 10**18}), encoding="utf-8")

    async def story(two: Two) -> None:
        assert two.first.go(FIND)
        assert json.loads(path.read_bytes())[name] == 0

    tell(path, story)


def test_whoever_holds_the_lock_for_ever_keeps_nobody(path: Path) -> None:
    async def story(two: Two) -> None:
        stopped = Together(path)
        with stopped.step(START_NS):
            assert two.first.go(CANCEL)
        stopped.close()

    tell(path, story)


def test_what_the_exchange_says_is_left_until_then_the_other_keeps_to(path: Path) -> None:
    async def story(two: Two) -> None:
        now_ns = two.clock.now_ns()
        said = Allowance("requests", 2.0, now_ns, now_ns + 30 * NS_PER_SECOND)
        two.first._venue.allowances = (said,)
        two.first.heard(Call(FIND))
        assert [two.second.go(CANCEL), two.first.go(CANCEL)] == [True, True]
        await two.pass_time(20)
        assert [two.second.go(CANCEL), two.first.go(CANCEL)] == [False, False]
        await two.pass_time(10)
        assert two.second.go(CANCEL)

    tell(path, story)


def test_a_window_from_before_the_clock_was_set_back_is_forgotten(path: Path) -> None:
    said = {"requests": [0, START_NS + 10**18]}
    path.write_text(json.dumps({"free_ns": {"requests": 0}, "said": said}), encoding="utf-8")

    async def story(two: Two) -> None:
        assert two.first.go(CANCEL)

    tell(path, story)


def test_while_the_lock_is_held_for_ever_two_do_not_spend_the_budget_twice(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    async def story(two: Two) -> None:
        for lane in (two.first, two.second):  # each has heard of the other
            assert lane.go(CANCEL)
        await two.pass_time(1)
        assert two.first.go(CANCEL)
        stopped = Together(path)
        monkeypatch.setattr("time.sleep", naps.append)
        with stopped.step(START_NS):
            went = 0
            for _ in range(20):
                went += two.first.go(CANCEL) + two.second.go(CANCEL)
                await two.pass_time(0.5)
            waits = len(naps)
            assert not two.first.go(CANCEL) or not two.first.go(CANCEL)
            assert len(naps) == waits, "nobody waits again for a lock that could not be had"
        # Two a second come back; each of both may have been the last to know of what was left.
        assert went <= 2 * 10 + 2 * POOL.size / 2
        stopped.close()
        await two.pass_time(5)
        assert [two.first.go(CANCEL), two.second.go(CANCEL)] == [True, True]
        assert two.first._together is not None
        assert two.first._together.times == 1

    tell(path, story)


@pytest.mark.parametrize(
    ("venue", "problem"),
    [
        ({"name": "ccxt", "exchange": "kraken", "account": "main"}, ""),
        ({"name": "ccxt", "exchange": "kraken", "account": "a b"}, "letters, digits"),
        ({"name": "alpaca", "account": "main"}, "take it out"),
    ],
)
def test_the_account_may_have_a_name(venue: dict[str, Any], problem: str) -> None:
    if problem:
        with pytest.raises(ConfigError, match=problem):
            make_config({"venue": venue})
    else:
        assert make_config({"venue": venue}).venue.account == "main"


def test_a_session_counts_where_others_of_its_account_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_REGISTRY", str(tmp_path))
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    paths = []
    for key, account in (
        ("key-1", ""),
        ("key-1", ""),
        ("key-2", ""),
        ("key-3", "m"),
        ("key-4", "m"),
    ):
        monkeypatch.setenv("LOGOS_CCXT_BINANCE_SANDBOX_KEY", key)
        monkeypatch.setenv("LOGOS_CCXT_BINANCE_SANDBOX_SECRET", "not-a-secret")
        table = {"name": "ccxt", "exchange": "binance", "live": True, "account": account}
        config = venue_settings(venue=table)
        made: Any = venue_of(config, {}, "s", ManualClock(), Random(1))
        paths.append(made.shared_budget)
        assert key not in made.shared_budget.name
        assert Lane(made, ManualClock()).go(FIND)
    assert paths[0] == paths[1] != paths[2]
    assert paths[3] == paths[4]
    assert len(set(paths)) == 3
