"""Stories share what was constructed once, and stay independent of each other all the same."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
from typing import Any

import ccxt.async_support as ccxt
import pytest
from ccxt_copies import _READ, _made, constructed_once, copy_of
from exchange_campaign import story_of
from round_trips import CASES
from story_loop import StoryLoop, run_story
from venue_campaign import run_sequence

SETTINGS = {"enableRateLimit": True, "timeout": 5000, "options": {"defaultType": "spot"}}
_KRAKEN = next(case for case in CASES if case.exchange_id == "kraken")


def _data(client: Any) -> dict[str, Any]:
    """What a client consists of; `origin` is drawn by each."""
    return {
        name: value
        for name, value in vars(client).items()
        if name not in ("origin", "throttler", "logger")
    }


@pytest.mark.parametrize("exchange_id", ["kraken", "hyperliquid"])
def test_a_copy_is_what_the_constructor_makes_and_shares_only_what_is_read(
    exchange_id: str,
) -> None:
    kind = getattr(ccxt, exchange_id)
    first, second, new = copy_of(kind, SETTINGS), copy_of(kind, SETTINGS), kind(SETTINGS)
    assert _data(first) == _data(new)
    assert first.throttler is not second.throttler
    for name, value in _data(first).items():
        if isinstance(value, dict | list) and name not in _READ:
            assert value is not vars(second)[name], name
    with constructed_once(exchange_id):
        assert getattr(ccxt, exchange_id)(SETTINGS).id == exchange_id
    assert getattr(ccxt, exchange_id) is kind


@pytest.mark.long
def test_a_story_comes_out_the_same_alone_and_after_others() -> None:
    story = story_of(_KRAKEN)
    alone = run_sequence(14, story)
    others = [run_sequence(seed, story) for seed in (11, 12)]
    again = run_sequence(14, story)
    assert (again.counts, again.wrong) == (alone.counts, alone.wrong)
    assert all(each.counts["orders"] for each in others)
    used = [client for (kind, _), client in _made.items() if kind is ccxt.kraken]
    fresh = ccxt.kraken(SETTINGS)
    assert used
    for name in _READ:
        assert all(getattr(each, name) == getattr(fresh, name) for each in used), name


def test_a_story_in_which_everything_waits_for_ever_says_so() -> None:
    async def waits() -> None:
        await asyncio.get_running_loop().create_future()

    loop = StoryLoop()
    waiting = waits()
    with pytest.raises(AssertionError, match="nothing can wake any"):
        loop.run_until_complete(waiting)
    loop.close()
    waiting.close()


def test_tasks_of_a_story_run_in_the_order_in_which_they_became_ready() -> None:
    said: list[int] = []

    async def say(number: int) -> None:
        said.append(number)
        await asyncio.sleep(0)
        said.append(-number)

    async def body() -> str:
        await asyncio.gather(say(1), say(2))
        return "done"

    assert run_story(body()) == "done"
    assert said == [1, 2, -1, -2]
