"""In which words the feed and the client of ccxt refuse what cannot be meant."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from live_helpers import World, ccxt_feed, listing, run, world  # first

# isort: split

import ccxt.async_support as ccxt

from logos.adapters.ccxt.client import CcxtClient
from logos.adapters.ccxt.feed import CcxtFeed
from logos.feeds.contract import FeedFailedError
from logos.testing.clock import ManualClock


def client(url: str, exchange_id: str = "binance") -> CcxtClient:
    return CcxtClient(
        exchange_id, ManualClock(), streams=False, url=url, timeout_ms=5_000, options={}
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "books"}, "kind is one of quotes, trades, both, bars, not 'books'"),
        (
            {"kind": "trades", "transport": "pigeon"},
            "transport is one of poll, websocket, not 'pigeon'",
        ),
        ({"kind": "bars", "interval": "3x"}, "3x"),
    ],
)
def test_a_feed_that_cannot_be_meant_is_refused(settings: dict[str, Any], words: str) -> None:
    async def work() -> None:
        async with world(listing()) as there:
            with pytest.raises(ValueError, match=words):
                ccxt_feed(there, **settings)

    run(work())


def test_a_feed_without_symbols_is_refused() -> None:
    with pytest.raises(ValueError, match="no symbols: name at least one market"):
        CcxtFeed("binance", {}, ManualClock(), Random(1), kind="trades", transport="poll")


def test_what_an_exchange_does_not_offer_is_refused_with_what_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    can = CcxtClient.can

    def without_streams(self: CcxtClient, method: str) -> bool:
        return can(self, method) and not method.startswith("watch")

    monkeypatch.setattr(CcxtClient, "can", without_streams)

    async def work() -> None:
        async with world(listing()) as there:
            feed = ccxt_feed(there, kind="trades", transport="websocket")
            with pytest.raises(
                FeedFailedError,
                match='does not offer watchTrades for trades; use transport = "poll"',
            ):
                await feed.run(there.sink)

    run(work())


def test_an_exchange_that_refuses_its_markets_ends_the_feed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise ccxt.AuthenticationError("not from here")

    async def work() -> None:
        async with world(listing()) as there:
            await refused(there)

    async def refused(there: World) -> None:
        made = client(there.exchange.url)
        monkeypatch.setattr(made._exchange, "load_markets", refuse)
        with pytest.raises(FeedFailedError, match=r"binance refuses its markets: .*not from here"):
            await made.load_markets()
        await made.close()

    run(work())


def test_nothing_is_asked_at_another_address_than_the_one_given() -> None:
    async def scenario() -> None:
        made = client("http://127.0.0.1:9")
        words = "is not at 127.0.0.1:9, to which everything was to go"
        with pytest.raises(FeedFailedError, match=words):
            await made._exchange.fetch("https://api.binance.com/api/v3/time")
        await made.close()

    asyncio.run(scenario())
