"""What a venue tells of orders by itself: news that wakes who asks, and never the truth."""

from __future__ import annotations

from link_bench import LinkBench, story
from link_helpers import rest
from traffic import Stream, Traffic, resting

from logos.execution.looking.looks import STREAM_POLL_S
from logos.venues.contract import SIGN_OF_LIFE_S


async def connected(bench: LinkBench, traffic: Traffic) -> Stream:
    """A stream that the link listens to, with three orders at rest."""
    stream = Stream(traffic.venue)
    await bench.restart()
    await traffic.rest_orders(3)
    traffic.begin()
    return stream


async def live_for(bench: LinkBench, stream: Stream, seconds: int) -> None:
    for _ in range(seconds):
        stream.live()
        await bench.wait(1)


def test_while_a_stream_lives_questions_thin_out() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = await connected(bench, traffic)
        await live_for(bench, stream, 60)
        assert stream.connections == 1
        assert 3 * 4 <= traffic.counts["find"] <= 3 * (60 / STREAM_POLL_S + 1)

    story(work, script=resting(3))


def test_news_of_an_order_is_a_reason_to_ask_for_it_at_once() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = await connected(bench, traffic)
        await live_for(bench, stream, 2)
        traffic.begin()
        bench.venue._fill("test-2", 1000)
        stream.say("test-2", "somebody-else-7")
        await bench.wait(0.5)
        assert bench.kinds[-1] == "FILLED"
        assert traffic.counts["find"] == 1, "that order, and no other"

    story(work, script=resting(3))


def test_news_that_is_not_true_changes_nothing() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = await connected(bench, traffic)
        kinds = list(bench.kinds)
        stream.say("test-1", "test-2", "", "test-1")
        await bench.wait(2)
        assert bench.kinds == kinds
        assert len(traffic.open) == 3

    story(work, script=resting(3))


def test_a_stream_that_dies_has_every_order_asked_for_at_once_and_is_connected_again() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        told: list[str] = []
        bench.link.on_stream = told.append
        stream = await connected(bench, traffic)
        bench.link.on_stream = told.append
        await live_for(bench, stream, 2)
        traffic.begin()
        bench.venue._fill("test-1", 1000)
        stream.die()
        await bench.wait(0.5)
        assert "FILLED" in bench.kinds
        assert traffic.counts["find"] >= 3
        await live_for(bench, stream, 5)
        assert stream.connections == 2
        assert any("was lost: connection reset" in words for words in told)
        assert told[-1].endswith("is connected")

    story(work, script=resting(3))


def test_a_stream_that_is_silent_counts_as_dead() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = await connected(bench, traffic)
        told: list[str] = []
        bench.link.on_stream = told.append
        await bench.wait(SIGN_OF_LIFE_S + 1)
        assert f"silent for {SIGN_OF_LIFE_S:g} s" in told[0]
        assert stream.connections >= 1

    story(work, script=resting(3))


def test_a_stream_that_never_says_a_word_is_as_none() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = Stream(traffic.venue)
        stream.is_mute = True
        await bench.restart()
        await traffic.rest_orders(3)
        traffic.begin()
        await bench.wait(10)
        assert traffic.counts["find"] >= 3 * 15
        await bench.wait(60)
        assert stream.connections >= 2

    story(work, script=resting(3))


def test_a_cancelled_order_is_looked_at_as_often_as_without_a_stream() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = await connected(bench, traffic)
        await live_for(bench, stream, 2)
        traffic.begin()
        await traffic.kill()
        await bench.wait(1)
        assert traffic.open == []
        assert bench.kinds.count("CANCELLED") == 3

    story(work, script=resting(3))


def test_the_end_of_the_link_lets_go_of_the_stream() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        stream = await connected(bench, traffic)
        await rest()
        assert stream.open == 1
        await bench.stop()
        assert stream.open == 0

    story(work, script=resting(3))
