"""Feeds of a local Alpaca, in boxes; see `feed_boxes`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from alpaca_world import AlpacaWorld, alpaca_feed
from exchange_box import SECRET, ExchangeBox
from live_helpers import text

from logos.adapters.alpaca.group import Plan
from logos.core.types import NS_PER_SECOND
from logos.feeds.contract import FeedState
from logos.testing.clock import START_NS


class AlpacaPolledBox(ExchangeBox):
    """Trades of a share, asked for every second."""

    symbol = "AAPL"
    asset = "AAPL"
    path = "/v2/stocks"
    first = 20_000
    transport = "poll"

    def __init__(
        self, there: AlpacaWorld, replaced: dict[str, object], symbols: Sequence[str]
    ) -> None:
        super().__init__(there, replaced)
        self.feed = alpaca_feed(
            there,
            {each: self.asset if each == self.symbol else each for each in symbols},
            Plan("trades", self.transport),
        )

    def moment_ns(self, number: int) -> int:
        return START_NS + (number + 1) * NS_PER_SECOND // 10

    async def make(self, count: int) -> None:
        market = self.there.exchange.market.listings[self.asset]
        for _ in range(count):
            market.add_print(self.moment_ns(self.made), text(self.first + self.made), "3", "BUY")
            self.made += 1
            await self._go_to(self.moment_ns(self.made - 1))

    def answer(self, code: int) -> None:
        status = 500 if code == -1000 else 403
        words = {"message": f"{code}: API-key {SECRET}, and {SECRET[3:15]}"}
        self._replaced["GET /v2/stocks/trades"] = (words, status)


class AlpacaStreamedBox(AlpacaPolledBox):
    """Trades of a coin by websocket; what was missed is asked for."""

    symbol = "BTCUSD"
    asset = "BTC/USD"
    path = "/v1beta3/crypto/us"
    transport = "websocket"

    async def ready(self) -> None:
        await super().ready()
        await self.until(
            lambda: f"trades {self.asset}" in self.there.streams.subscriptions, "a subscription"
        )

    async def turn(self) -> None:
        # Only a wait before the next try: the silence of a stream is not to be over by itself.
        if self.states()[-1:] == [FeedState.RETRYING] and self.there.clock.sleepers:
            await self.there.clock.next_wake()
        await asyncio.sleep(0)

    async def cut(self) -> None:
        await super().cut()
        assert self.there.streams.disconnect_all() == 1

    async def chatter(self) -> None:
        """Pongs, then a silence that is looked into."""
        asked = self.there.exchange.asked(f"{self.path}/trades")
        while self.there.exchange.asked(f"{self.path}/trades") == asked:
            await self.there.clock.wait_for_sleepers()
            await self.there.clock.next_wake()
            await asyncio.sleep(0)

    def answer(self, code: int) -> None:
        super().answer(code)
        self._replaced["GET /v1beta3/crypto/us/trades"] = self._replaced["GET /v2/stocks/trades"]
