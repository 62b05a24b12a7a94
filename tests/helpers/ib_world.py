"""What the tests of the simulated gateway share: the real client, connected, and its orders."""

from __future__ import annotations

from ib_libraries import ib_async  # first

# isort: split

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import waiting

from logos.simulators.ib import APPLE, TwsGateway

IB = ib_async.IB
BUY_13 = {"action": "BUY", "totalQuantity": 10, "lmtPrice": 13.27, "tif": "GTC"}


@asynccontextmanager
async def client_of(gateway: TwsGateway, client_id: int = 1) -> AsyncIterator[Any]:
    """The real client, connected."""
    client = IB()
    await client.connectAsync("127.0.0.1", gateway.port, clientId=client_id, timeout=20)
    try:
        yield client
    finally:
        client.disconnect()


async def until(is_so: Callable[[], object]) -> None:
    await waiting.until(lambda: bool(is_so()), "what the gateway is to tell")


def stock(symbol: str = "AAPL") -> Any:
    con_id = APPLE.con_id if symbol == "AAPL" else 0
    return ib_async.Stock(symbol, "SMART", "USD", conId=con_id)


def limit(ref: str = "s-1", **terms: Any) -> Any:
    return ib_async.Order(**{**BUY_13, "orderType": "LMT", **terms}, orderRef=ref)


def run(story: Callable[[TwsGateway], Any], **options: Any) -> None:
    async def whole() -> None:
        async with TwsGateway(**options) as gateway:
            await story(gateway)
            assert gateway.unread == []

    asyncio.run(whole())


def errors_of(client: Any) -> list[tuple[int, int, str]]:
    """What the client is told from now on: request, code, words."""
    told: list[tuple[int, int, str]] = []
    client.errorEvent += lambda *each: told.append(each[:3])
    return told
