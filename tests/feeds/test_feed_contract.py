"""The contract of live feeds (`logos.feeds.contract`), kept by every feed over its simulator.

One test says one sentence of the contract and is run for every feed; what only one feed does
stands in that feed's own tests. `feed_boxes` says which feeds have no connection to lose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from alpaca_boxes import AlpacaPolledBox
from exchange_box import SECRET
from feed_box import FeedBox
from feed_boxes import (
    CONNECTED,
    CREDENTIALED,
    NAMES,
    UNKNOWN,
    CcxtPolledBox,
    feed_box,
)
from live_helpers import World, ccxt_feed, following, listing, world

from logos.core.messages import Bar, Quote, Trade
from logos.feeds.contract import FeedFailedError, FeedState

# What yfinance itself does with pandas is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:yfinance"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
    pytest.mark.filterwarnings("ignore:Timestamp.utcnow"),
]

Story = Callable[[FeedBox, "asyncio.Task[None]"], Coroutine[Any, Any, None]]

every_feed = pytest.mark.parametrize("name", NAMES)
connected = pytest.mark.parametrize("name", CONNECTED)
STOPPED_WITHIN_S = 5.0
"""Of real time, and generous: no clock is moved and no answer is waited for."""


def tell(name: str, folder: Path, story: Story, *symbols: str) -> None:
    """Run a story with the feed under way; one that hangs fails, and so does a feed that ends."""

    async def whole() -> None:
        async with (
            asyncio.timeout(60),
            feed_box(name, folder, *symbols) as there,
            following(there.feed, there.sink) as task,
        ):
            await story(there, task)

    asyncio.run(whole())


async def started(there: FeedBox, count: int = 3) -> None:
    """The feed hears the place, and has delivered so many data."""
    await there.ready()
    await there.make(count)
    await there.has(count)


# ---- data ----


@every_feed
def test_a_feed_says_its_name_and_its_symbols(name: str, tmp_path: Path) -> None:
    async def whole() -> None:
        async with feed_box(name, tmp_path) as there:
            assert there.feed.name.startswith(name.split()[0])
            assert list(there.feed.symbols) == [there.symbol]

    asyncio.run(whole())


@pytest.mark.long
@every_feed
def test_every_datum_comes_once_in_order_and_exact(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there, 1)
        assert there.delivered() == there.expected(1)
        for total in (2, 5, 9):
            await there.make(total - there.made)
            await there.has(total)
        assert there.delivered() == there.expected(9)
        for event in there.sink.events:
            assert isinstance(event, Bar | Quote | Trade)
            assert event.symbol == event.instrument.symbol == there.symbol

    tell(name, tmp_path, story)


@every_feed
def test_nothing_is_stamped_before_it_happened_nor_earlier_than_what_came_before(
    name: str, tmp_path: Path
) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there, 6)
        stamps = [event.ts_ns for event in there.sink.events]
        assert stamps == sorted(stamps)
        moments = there.sink.event_times_ns
        assert moments == sorted(set(moments))
        assert all(a >= b for a, b in zip(stamps, moments, strict=True))

    tell(name, tmp_path, story)


@every_feed
def test_a_sink_without_room_is_waited_for_and_nothing_is_lost(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there)
        there.sink.capacity = 4
        await there.make(3)
        await there.until(lambda: there.sink.refusals > 0, "a refusal")
        assert there.delivered() == there.expected(4)
        there.sink.capacity = 100
        there.sink.changed.set()
        await there.has(6)
        assert there.delivered() == there.expected(6)

    tell(name, tmp_path, story)


@pytest.mark.long
@connected
def test_signs_of_life_are_no_data_and_no_trouble(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there)
        await there.until(lambda: there.states()[-1:] == [FeedState.LIVE], "LIVE")
        told = list(there.sink.said)
        await there.chatter()
        assert there.delivered() == there.expected(3)
        assert there.sink.said == told
        await there.make(1)
        await there.has(4)
        assert there.delivered() == there.expected(4)

    tell(name, tmp_path, story)


# ---- what is told ----


@pytest.mark.long
@every_feed
def test_a_feed_tells_that_it_connects_and_then_that_it_is_live(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there)
        await there.until(lambda: there.states()[-1:] == [FeedState.LIVE], "LIVE")
        states = [news.state for news in there.sink.said]
        assert (states[0] is FeedState.CONNECTING) == there.has_connection
        assert set(states) <= {FeedState.CONNECTING, FeedState.LIVE}
        for news in there.sink.said:
            assert news.feed == there.feed.name
            assert news.symbol in ("", there.symbol)
        assert there.states().count(FeedState.LIVE) == 1, "the same state is told once"
        moments = [news.ts_ns for news in there.sink.said]
        assert moments == sorted(moments)

    tell(name, tmp_path, story)


@connected
def test_a_lost_connection_is_told_and_made_again_and_costs_nothing(
    name: str, tmp_path: Path
) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there)
        await there.cut()
        await there.until(lambda: FeedState.RETRYING in there.states(), "RETRYING")
        assert all(there.sink.details(FeedState.RETRYING)), "a loss is told with its reason"
        await there.make(3)
        assert there.delivered() == there.expected(3)
        await there.mend()
        await there.until(lambda: there.states()[-1] is FeedState.LIVE, "LIVE again")
        await there.ready()
        await there.make(1)
        await there.has(7)
        assert there.delivered() == there.expected(7)
        assert there.sink.details(FeedState.GAP) == []
        states = there.states()
        after = states[states.index(FeedState.RETRYING) :]
        assert set(after[:-1]) == {FeedState.RETRYING}
        assert after[-1] is FeedState.LIVE

    tell(name, tmp_path, story)


@pytest.mark.long
@connected
def test_a_connection_may_be_lost_again_and_again(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        await started(there)
        for number in range(1, 4):
            lost = len(there.sink.details(FeedState.RETRYING))
            await there.cut()
            await there.until(
                lambda lost=lost: len(there.sink.details(FeedState.RETRYING)) > lost,  # type: ignore[misc]
                "RETRYING",
            )
            await there.make(1)
            await there.mend()
            await there.has(3 + number)
            await there.ready()
        assert there.delivered() == there.expected(6)
        assert there.sink.details(FeedState.GAP) == []

    tell(name, tmp_path, story)


# ---- symbols that are not there ----


@connected
def test_a_feed_without_any_symbol_that_exists_fails_and_names_it(
    name: str, tmp_path: Path
) -> None:
    async def whole() -> None:
        async with asyncio.timeout(60), feed_box(name, tmp_path, UNKNOWN) as there:
            with pytest.raises(FeedFailedError, match=rf"\b{UNKNOWN}\b.*[a-z]"):
                await there.feed.run(there.sink)
            assert there.sink.events == []

    asyncio.run(whole())


@connected
def test_a_symbol_that_does_not_exist_is_closed_in_words_and_the_others_go_on(
    name: str, tmp_path: Path
) -> None:
    others = {"yahoo": "SPY", "mt5": "BTCUSD", "alpaca polled": "AAPL", "alpaca streamed": "BTCUSD"}
    others["ib"] = "AAPL"
    symbol = others.get(name, "BTCUSDT")

    async def story(there: FeedBox, _task: asyncio.Task[None]) -> None:
        assert list(there.feed.symbols) == [UNKNOWN, symbol]
        await there.until(lambda: FeedState.CLOSED in there.sink.states(UNKNOWN), "CLOSED")
        [words] = there.sink.details(FeedState.CLOSED)
        assert UNKNOWN in words
        await started(there)
        assert there.delivered() == there.expected(3)
        assert there.sink.states(UNKNOWN)[-1] is FeedState.CLOSED

    tell(name, tmp_path, story, UNKNOWN, symbol)


# ---- the stop ----


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel the feed; it ends without a clock that is moved or an answer that comes."""
    task.cancel()
    await asyncio.wait({task}, timeout=STOPPED_WITHIN_S)
    assert task.done(), "a stop is not waited for"
    assert task.cancelled()


async def nothing_more(there: FeedBox) -> None:
    """What happens at the place from now on is not delivered."""
    count, told = len(there.sink.events), len(there.sink.said)
    there.sink.capacity = 10**9
    await there.make(3)
    for _ in range(50):
        await there.turn()
    assert (len(there.sink.events), len(there.sink.said)) == (count, told)


@every_feed
def test_a_stop_ends_a_feed_at_rest_at_once(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, task: asyncio.Task[None]) -> None:
        await started(there)
        await stop(task)
        await nothing_more(there)

    tell(name, tmp_path, story)


@every_feed
def test_a_stop_ends_a_feed_that_has_just_begun(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(0)
        await stop(task)
        await nothing_more(there)

    tell(name, tmp_path, story)


@every_feed
def test_a_stop_ends_a_feed_that_waits_for_room(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, task: asyncio.Task[None]) -> None:
        await started(there)
        there.sink.capacity = 3
        await there.make(2)
        await there.until(lambda: there.sink.refusals > 0, "a refusal")
        await stop(task)
        await nothing_more(there)

    tell(name, tmp_path, story)


@connected
def test_a_stop_ends_a_feed_that_has_lost_its_connection(name: str, tmp_path: Path) -> None:
    async def story(there: FeedBox, task: asyncio.Task[None]) -> None:
        await started(there)
        await there.cut()
        await there.until(lambda: FeedState.RETRYING in there.states(), "RETRYING")
        await stop(task)
        await there.mend()
        await nothing_more(there)

    tell(name, tmp_path, story)


# ---- credentials ----


@pytest.mark.parametrize("name", CREDENTIALED)
def test_a_credential_is_in_no_word_whatever_the_place_answers(name: str, tmp_path: Path) -> None:
    async def whole() -> None:
        async with asyncio.timeout(60), feed_box(name, tmp_path) as there:
            assert isinstance(there, CcxtPolledBox | AlpacaPolledBox)
            task = asyncio.create_task(there.feed.run(there.sink))
            await started(there)
            there.answer(-1000)  # may pass
            await there.cut()
            await there.mend()
            told = there.sink.details
            await there.until(lambda: "-1000" in "".join(told(FeedState.RETRYING)), "its words")
            there.answer(-2015)  # never will
            await there.until(task.done, "the end")
            with pytest.raises(FeedFailedError, match="-2015") as caught:
                await task
            said = " ".join([str(caught.value), *(news.detail for news in there.sink.said)])
            assert "API-key [hidden]" in said
            pieces = [SECRET[at : at + 6] for at in range(len(SECRET) - 5)]
            assert not any(piece in said for piece in pieces)

    asyncio.run(whole())


def test_the_signature_of_a_question_is_in_no_word() -> None:
    """With a key and a secret ccxt asks about the account; the place here knows no such path."""

    async def story(there: World) -> None:
        options = {"enableRateLimit": False, "apiKey": SECRET, "secret": SECRET[::-1]}
        feed = ccxt_feed(there, kind="trades", options=options)
        async with following(feed, there.sink):
            await there.sink.until(lambda: bool(there.sink.details(FeedState.RETRYING)))
        [words] = there.sink.details(FeedState.RETRYING)[:1]
        assert "404" in words
        assert "signature" not in words

    async def whole() -> None:
        async with asyncio.timeout(60), world(listing()) as there:
            await story(there)

    asyncio.run(whole())
