"""One port's frames reach their own symbols; a terminal's URL says all that it must."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from stress_helpers import Record

from logos.adapters.mt5.links import SymbolLinks
from logos.adapters.mt5.terminal import KEY_NAMES, curve_keys, read_url
from logos.config import ConfigError
from logos.config.environment import Environment


class Port:
    """A gateway whose live port says what a test puts in; requests fail if they shall."""

    def __init__(self) -> None:
        self.lives = 0
        self.frames: asyncio.Queue[Record] = asyncio.Queue()
        self.opened = 0
        self.is_lost = False

    async def open(self) -> None:
        self.opened += 1

    async def request(self, symbol: str, fields: Mapping[str, object]) -> dict[str, Any]:
        if self.is_lost:
            raise OSError("no answer")
        return {"error": False, "symbol": symbol}

    async def next_live(self, timeout_s: float) -> Record | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await self.frames.get()
        except TimeoutError:
            return None


def frame(symbol: str | None, number: int = 0) -> Record:
    found: Record = {"status": "CONNECTED", "data": [number]}
    return found if symbol is None else {**found, "symbol": symbol}


async def route(port: Port, links: SymbolLinks, *frames: Record) -> None:
    for each in frames:
        port.frames.put_nowait(each)
    pump = asyncio.create_task(links.run())
    while not port.frames.empty():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)


def test_each_frame_reaches_its_own_symbol_and_no_other() -> None:
    async def scenario() -> None:
        port = Port()
        links = SymbolLinks(port, ("A.s", "B.s"))
        await route(port, links, frame("A.s", 1), frame("B.s", 2), frame("Z.s"), frame(None))
        first, second = links.links["A.s"], links.links["B.s"]
        assert await first.next_live(1) == frame("A.s", 1)
        assert await second.next_live(1) == frame("B.s", 2)
        assert await first.next_live(0.001) is None
        assert links.strangers == 2

    asyncio.run(scenario())


def test_the_loss_of_the_broker_is_told_to_all() -> None:
    async def scenario() -> None:
        port = Port()
        links = SymbolLinks(port, ("A.s", "B.s"))
        lost = {"status": "DISCONNECTED"}
        await route(port, links, lost)
        assert [await link.next_live(1) for link in links.links.values()] == [lost, lost]

    asyncio.run(scenario())


def test_a_frame_without_a_symbol_is_the_only_symbols() -> None:
    async def scenario() -> None:
        port = Port()
        links = SymbolLinks(port, ("A.s",))
        await route(port, links, frame(None, 3))
        assert await links.links["A.s"].next_live(1) == frame(None, 3)

    asyncio.run(scenario())


def test_a_slow_feed_keeps_the_newest_frames_and_counts_the_rest() -> None:
    async def scenario() -> None:
        port = Port()
        links = SymbolLinks(port, ("A.s",))
        await route(port, links, *(frame("A.s", number) for number in range(1030)))
        link = links.links["A.s"]
        assert link.overwritten == 6
        assert await link.next_live(1) == frame("A.s", 6)

    asyncio.run(scenario())


def test_a_lost_answer_to_a_subscription_is_no_failure_once_prices_come() -> None:
    async def scenario() -> None:
        port = Port()
        port.is_lost = True
        links = SymbolLinks(port, ("A.s",))
        link = links.links["A.s"]
        link.take(frame("A.s", 1))
        assert await link.request("A.s", {"action": "CONFIG"}) == {"error": False}
        assert await link.next_live(1) == frame("A.s", 1)
        with pytest.raises(OSError, match="no answer"):
            await link.request("A.s", {"action": "HISTORY"})

    asyncio.run(scenario())


def test_a_url_names_ports_and_settings() -> None:
    plain = read_url("tcp://127.0.0.1:15555")
    assert (plain.endpoints.system, plain.endpoints.streaming) == (15555, 15558)
    full = read_url(
        "tcp://localhost:1,2,3,4/reply_timeout_s=0.5,waiting_max=9,server_offset_s=7200"
    )
    assert (full.endpoints.data, full.endpoints.live) == (2, 3)
    assert (full.settings.reply_timeout_s, full.settings.waiting_max) == (0.5, 9)
    assert full.server_offset_s == 7200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1:1",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:1,2",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65534",
        "tcp://127.0.0.1:x",
        "tcp://127.0.0.1:1?reply_timeout_s=1",
        "tcp://127.0.0.1:1/speed=1",
        "tcp://127.0.0.1:1/reply_timeout_s=0",
        "tcp://127.0.0.1:1/reply_timeout_s",
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ConfigError, match="write it like"):
        read_url(url)


def test_curve_keys_are_all_there_or_none_and_never_shown() -> None:
    key = "a" * 39 + "Z"
    assert curve_keys(Environment.read({})) is None
    keys = curve_keys(Environment.read(dict.fromkeys(KEY_NAMES, key)))
    assert keys is not None
    assert keys.reveal() == key
    with pytest.raises(ConfigError, match=KEY_NAMES[2]) as missing:
        curve_keys(Environment.read(dict.fromkeys(KEY_NAMES[:2], key)))
    assert key not in str(missing.value)
    with pytest.raises(ConfigError) as short:
        curve_keys(Environment.read(dict.fromkeys(KEY_NAMES, "secret")))
    assert "'secret'" not in str(short.value)
