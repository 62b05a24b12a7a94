"""What an adapter says of an answer that does not fit its order, and how it asks for more."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
from typing import Any

import pytest
from venue_boxes import box

from logos.adapters.ccxt.client import CcxtClient, Tuning
from logos.core.outbox import CancelOrder
from logos.core.types import NS_PER_SECOND, Side
from logos.testing.clock import START_NS, ManualClock
from logos.venues.contract import OutcomeUnknown

UNKNOWN = "the outcome is not known; ask the venue, do not send again"


def test_an_answer_about_another_order_says_so() -> None:
    async def story() -> None:
        async with box("ccxt") as there:
            there.swap("submit", "side", "SELL")
            with pytest.raises(OutcomeUnknown) as caught:
                await there.submit(there.rest())
            assert str(caught.value).endswith(f"{UNKNOWN}: the answer is about another order")

    asyncio.run(asyncio.wait_for(story(), 30))


def test_an_answer_to_a_cancel_that_has_a_content_says_so() -> None:
    async def story() -> None:
        async with box("alpaca") as there:
            await there.submit(there.rest())
            found = await there.find()
            desk: Any = there.desk  # type: ignore[attr-defined]
            desk.replaced[f"DELETE /v2/orders/{found.venue_order_id}"] = {"status": "sleeping"}
            with pytest.raises(OutcomeUnknown) as caught:
                await there.venue.cancel(CancelOrder("s-1-1", there.symbol))
            assert str(caught.value).endswith(f"{UNKNOWN}: the answer to the cancel cannot be read")

    asyncio.run(asyncio.wait_for(story(), 30))


def test_each_page_of_fills_begins_after_the_last() -> None:
    count = 250

    async def story() -> None:
        async with box("alpaca") as there:
            await there.submit(there.rest(count, Side.SELL))
            for _ in range(count):
                there.fill("s-1-1", 1)
            before = there.requests()
            assert len(await there.venue.fills_since(there.since_ns)) == count
            assert there.requests() - before == 3

    asyncio.run(asyncio.wait_for(story(), 30))


@pytest.mark.parametrize("from_id", ["", "fromId"])
@pytest.mark.parametrize("last_id", ["", "41"])
def test_trades_are_asked_for_by_id_only_where_the_exchange_knows_how(
    from_id: str, last_id: str
) -> None:
    asked: list[tuple[Any, ...]] = []

    async def fetch_trades(*arguments: Any) -> list[Any]:
        asked.append(arguments)
        return []

    async def story() -> None:
        client = CcxtClient(
            "binance",
            ManualClock(START_NS),
            streams=False,
            url="http://127.0.0.1:1",
            timeout_ms=1_000,
            options={},
        )
        try:
            client.tuning = Tuning(from_id=from_id, trades_limit=7)
            client._exchange.fetch_trades = fetch_trades
            await client.trades_after("BTC/USDT", last_id, 5 * NS_PER_SECOND)
        finally:
            await client.close()

    asyncio.run(story())
    by_id = from_id and last_id
    assert asked == [("BTC/USDT", None, 7, {"fromId": 42}) if by_id else ("BTC/USDT", 5_000, 7)]
