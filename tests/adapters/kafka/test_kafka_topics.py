"""Topics are read from where a session stood; what is not understood is told, and kept count of.

Against the mock cluster that comes with the library, which answers as brokers do and is quick.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kafka_broker import broker_library, send
from live_helpers import RecordingSink, run

from logos.adapters.kafka import feed as feed_module
from logos.adapters.kafka.feed import KafkaFeed
from logos.adapters.kafka.topics import Lost, Received, TopicReader
from logos.config.tables.kafka import LiveKafkaSettings, Start
from logos.core.instrument import instrument
from logos.core.messages import ReceivedSignal, Trade
from logos.core.types import NS_PER_SECOND
from logos.data.readers.numbers import format_timestamp
from logos.feeds.contract import FeedFailedError, FeedState
from logos.testing.clock import START_NS, ManualClock

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")


@pytest.fixture
def address() -> Iterator[str]:
    """A cluster of one broker, in this process."""
    producer = broker_library().Producer({"bootstrap.servers": "x", "test.mock.num.brokers": 1})
    brokers = producer.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{each.host}:{each.port}" for each in brokers)
    del producer


async def taken(reader: TopicReader, count: int) -> list[Received | Lost]:
    found: list[Received | Lost] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await reader.take()
    return found


def values(found: list[Received | Lost]) -> list[bytes | None]:
    return [each.value for each in found if isinstance(each, Received)]


async def read(address: str, count: int, offset: int | None, *, from_end: bool) -> Any:
    reader = TopicReader({"bootstrap.servers": address}, ["t"])
    try:
        await reader.begin(lambda source: offset if source == "t/0" else None, from_end=from_end)
        return await taken(reader, count)
    finally:
        await reader.close()


def test_a_topic_is_read_from_its_beginning_or_behind_what_the_session_has(address: str) -> None:
    async def story() -> None:
        send(address, "t", [b"a", b"b", b"c"])
        assert values(await read(address, 3, None, from_end=False)) == [b"a", b"b", b"c"]
        [last] = await read(address, 1, 1, from_end=True)
        assert last == Received("t/0", "t", 2, b"c")

    run(story())


@pytest.mark.long
def test_a_new_session_begins_at_the_end(address: str) -> None:
    async def story() -> None:
        send(address, "t", [b"a"])
        reader = TopicReader({"bootstrap.servers": address}, ["t"])
        try:
            await reader.begin(lambda _: None, from_end=True)
            assert await reader.take() == []
            async with asyncio.timeout(20):
                found: list[Received | Lost] = []
                while not found:  # until the end was found, what is sent may come before it
                    await asyncio.to_thread(send, address, "t", [b"new"])
                    found = await reader.take()
            assert set(values(found)) == {b"new"}
        finally:
            await reader.close()

    run(story())


@pytest.mark.long
def test_what_is_not_there_any_more_is_told_and_the_rest_is_read(address: str) -> None:
    async def story() -> None:
        send(address, "t", [b"a", b"b"])
        found = await read(address, 3, 98, from_end=True)
        assert found[0] == Lost("t/0", 99)
        assert values(found) == [b"a", b"b"]

    run(story())


def test_a_topic_that_is_not_there_ends_the_feed(address: str) -> None:
    async def story() -> None:
        reader = TopicReader({"bootstrap.servers": address}, ["nowhere"])
        try:
            with pytest.raises(FeedFailedError, match="have no topic 'nowhere'"):
                await reader.begin(lambda _: None, from_end=True)
        finally:
            await reader.close()

    run(story())


@dataclass
class OffsetRecordingSink(RecordingSink):
    """Keeps signals and offsets too."""

    offsets: dict[str, int] = field(default_factory=dict)
    signals: list[ReceivedSignal] = field(default_factory=list)

    def read_up_to(self, source: str, offset: int) -> None:
        self.offsets[source] = offset
        self.changed.set()

    def offset_of(self, source: str) -> int | None:
        return self.offsets.get(source)

    def signal(self, signal: ReceivedSignal) -> bool:
        self.signals.append(signal)
        return True


@pytest.mark.long
def test_a_quiet_feed_is_live_again_once_the_brokers_answer(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[TopicReader] = []

    class KnownReader(TopicReader):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            readers.append(self)

    monkeypatch.setattr(feed_module, "TopicReader", KnownReader)

    async def story() -> None:
        send(address, "s", [b"{"])
        settings = LiveKafkaSettings(signals="s")
        options = {"bootstrap.servers": address}
        feed = KafkaFeed({"ACME": ACME}, ManualClock(), Random(1), options, settings)
        sink = OffsetRecordingSink()

        async def says(*states: FeedState) -> None:
            async with asyncio.timeout(20):
                await sink.until(lambda: sink.states("") == list(states))

        task = asyncio.create_task(feed.run(sink))
        await says(FeedState.CONNECTING, FeedState.LIVE)
        errors = broker_library().KafkaError
        readers[0]._on_error(errors(errors._ALL_BROKERS_DOWN))
        await says(FeedState.CONNECTING, FeedState.LIVE, FeedState.RETRYING, FeedState.LIVE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(story())


def message(**fields: Any) -> bytes:
    return json.dumps({"symbol": "ACME", **fields}).encode()


@pytest.mark.long
def test_what_is_not_understood_is_left_out_told_and_its_offset_kept(address: str) -> None:
    now, old = format_timestamp(START_NS), format_timestamp(START_NS - 61 * NS_PER_SECOND)
    bar = {
        "kind": "bar", "opened": now, "interval": "1m",
        "open": "1", "high": "1", "low": "1", "close": "1",
    }  # fmt: skip
    market = [
        b"{",
        message(kind="trade", timestamp=now, price="1.005"),
        message(kind="trade", timestamp=now, price="1", symbol="OTHER"),
        message(**bar),
        message(**bar),
        message(kind="trade", timestamp=now, price="2"),
    ]
    signals = [
        message(timestamp=old, target=5),
        message(timestamp=now, target=6),
        message(timestamp=now, side="LONG"),
    ]

    async def story() -> None:
        send(address, "m", market)
        send(address, "s", signals)
        settings = LiveKafkaSettings(topics=["m"], signals="s", start=Start.BEGINNING)
        options = {"bootstrap.servers": address}
        feed = KafkaFeed({"ACME": ACME}, ManualClock(), Random(1), options, settings)
        sink = OffsetRecordingSink()
        task = asyncio.create_task(feed.run(sink))
        async with asyncio.timeout(20):
            while sink.offsets != {"m/0": 5, "s/0": 2}:
                await sink.changed.wait()
                sink.changed.clear()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [type(each).__name__ for each in sink.events] == ["Bar", "Trade"]
        last = sink.events[-1]
        assert isinstance(last, Trade)
        assert last.price_units == 200
        assert [each.value for each in sink.signals] == ["6"]
        told = [news.detail for news in sink.said if news.state is FeedState.GAP]
        # The first of each kind is told, and which topic comes first is the broker's to say.
        [bad] = [detail for detail in told if detail.startswith("bad_message: ")]
        assert bad.startswith(("bad_message: m/0 message 0: ", "bad_message: s/0 message 2: "))
        for words in (
            "off_tick: m/0 message 1: price 1.005",
            "unknown_symbol: m/0 message 2: symbol 'OTHER' is not traded here",
            "duplicate_bar: m/0 message 4: ",
            "old_signal: s/0 message 0: ",
            "is 61 s old, and not acted out",
        ):
            assert any(words in detail for detail in told), (words, told)

    run(story())


def test_a_file_that_holds_no_certificate_any_more_ends_the_feed_in_words(tmp_path: Path) -> None:
    broker_library()
    settings = LiveKafkaSettings(brokers="127.0.0.1:9093", topics=["t"])
    options: dict[str, Any] = {"bootstrap.servers": "127.0.0.1:9093"}
    feed = KafkaFeed({"ACME": ACME}, ManualClock(), Random(1), options, settings)
    (tmp_path / "ca.pem").write_text("no certificate")
    feed._options |= {"security.protocol": "ssl", "ssl.ca.location": str(tmp_path / "ca.pem")}
    with pytest.raises(FeedFailedError, match=r"settings: .*ssl\.ca\.location failed"):
        run(feed.run(RecordingSink()))
