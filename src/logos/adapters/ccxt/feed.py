"""Live market data of crypto exchanges through the ccxt library, polled or streamed.

Problem: ccxt speaks to a hundred exchanges, but hands out floats, silently repeats or skips rows
around a lost connection, and mixes what may pass with what never will. Method: one task for each
symbol and kind of data, so that one symbol's trouble is its own. Every answer goes through a
sequence (`feeds.sequence`), which gives out each row once and tells what is missing; that is asked
for before anything newer is handed over. Failures are waited out (`Backoff`, and Retry-After where
the exchange says it); only what can never work ends a symbol, and the feed ends when no symbol is
left.

Figures stay text from the exchange's answer to the integer (`number = str`). An answer that is
not JSON is a failure, not an empty list. A connection that falls silent is checked by asking.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from logos.adapters.ccxt.client import CcxtClient, exchange_class
from logos.adapters.ccxt.lines import BarLine, Line, Pace, QuoteLine, TradeLine
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.messages import Bar
from logos.data.layout import INTERVAL_TOKENS_NS
from logos.data.source import interval_from_text
from logos.errors import DataError
from logos.feeds.common import Patience, Reporter, UnitReader
from logos.feeds.contract import FeedFailedError, FeedState, Sink
from logos.feeds.past import PastBars
from logos.feeds.record import History

KINDS: Final = ("quotes", "trades", "both", "bars")
TRANSPORTS: Final = ("poll", "websocket")

# What of ccxt's methods a kind needs: one of each group.
_ABILITIES: Final = {
    "quotes": ("fetchOrderBook",),
    "trades": ("fetchTrades",),
    "bars": ("fetchOHLCV",),
}
_STREAM_ABILITIES: Final = {
    "quotes": ("watchBidsAsks", "watchOrderBook"),
    "trades": ("watchTrades",),
}


class CcxtMarket(msgspec.Struct, frozen=True):
    """One symbol of the session: its instrument, and what ccxt calls it ("BTC/USDT")."""

    instrument: Instrument
    market: str


class CcxtFeed:
    """A `LiveFeed` of one exchange.

    `markets` maps the session's symbols. `kind` is "quotes", "trades", "both" or "bars" (of
    `interval`, closed ones only). `transport` is "poll" or "websocket"; bars are polled either
    way. `url` replaces scheme, host and port of every address of the exchange; nothing else is
    contacted then. `poll_interval_ms` is the pause between two questions of one task;
    `timeout_ms` bounds each question; after `silence_s` without a message a stream is checked; a
    bar is asked for `settle_s` after its close. `options` go to ccxt as they are.

    Raises ValueError for a kind, transport or interval that is none, FeedFailedError for an
    exchange that ccxt does not know.
    """

    def __init__(
        self,
        exchange_id: str,
        markets: Mapping[str, CcxtMarket],
        clock: Clock,
        random: Random,
        *,
        kind: str,
        transport: str,
        url: str = "",
        interval: str = "1m",
        poll_interval_ms: int = 1_000,
        timeout_ms: int = 10_000,
        silence_s: float = 30.0,
        settle_s: float = 1.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
        if transport not in TRANSPORTS:
            raise ValueError(f"transport is one of {', '.join(TRANSPORTS)}, not {transport!r}")
        if not markets:
            raise ValueError("no symbols: name at least one market")
        try:
            interval_from_text(interval)
        except DataError as error:
            raise ValueError(str(error)) from None
        exchange_class(exchange_id, streams=transport == "websocket")
        self._interval = interval
        self._exchange_id = exchange_id
        self._markets = dict(markets)
        self._clock = clock
        self._random = random
        self._kind = kind
        self._transport = transport
        self._pace = Pace(poll_interval_ms / 1_000, silence_s, settle_s)
        self._exchange_options = dict(options or {})
        self._url = url
        self._timeout_ms = timeout_ms

    @property
    def name(self) -> str:
        """The library and the exchange: "ccxt:binance"."""
        return f"ccxt:{self._exchange_id}"

    @property
    def symbols(self) -> Sequence[str]:
        """The session's symbols."""
        return list(self._markets)

    @property
    def past_intervals(self) -> Sequence[str]:
        """See `KeepsPast`."""
        return tuple(INTERVAL_TOKENS_NS)

    async def past_bars(
        self, symbol: str, interval: str, since_ns: int, until_ns: int
    ) -> Sequence[Bar]:
        """See `KeepsPast`."""
        past = PastBars()
        reporter = Reporter(self.name, past, self._clock)
        client = CcxtClient(
            self._exchange_id,
            self._clock,
            streams=False,
            url=self._url,
            timeout_ms=self._timeout_ms,
            options=self._exchange_options,
        )
        market = self._markets[symbol]
        try:
            patience = self._patience(reporter, symbol, "past bars")
            await patience.ask(client.load_markets)
            if not client.can("fetchOHLCV"):
                raise FeedFailedError(f"{self.name} has no bars from before now")
            history = History(
                reporter.voice(symbol, "past bars"),
                patience,
                self._clock,
                since_ns,
                until_ns,
                UnitReader(market.instrument),
            )
            ask = partial(client.bars, market.market, interval)
            await history.bars(ask, interval_from_text(interval), client.told_ns())
        finally:
            await client.close()
        return past.bars

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled. Raises FeedFailedError when no symbol can ever work."""
        reporter = Reporter(self.name, sink, self._clock)
        client = CcxtClient(
            self._exchange_id,
            self._clock,
            streams=self._transport == "websocket",
            url=self._url,
            timeout_ms=self._timeout_ms,
            options=self._exchange_options,
        )
        try:
            reporter.say("", FeedState.CONNECTING, f"{self._transport} {self._kind}")
            await self._patience(reporter, "", "").ask(client.load_markets)
            reporter.say("", FeedState.LIVE, "")
            self._check_abilities(client)
            await self._follow_all(client, reporter)
        finally:
            await client.close()

    def _patience(self, reporter: Reporter, symbol: str, stream: str) -> Patience:
        voice = reporter.voice(symbol, stream)
        return Patience(voice, self._clock, Backoff(self._random))

    @property
    def _kinds(self) -> Sequence[str]:
        return ("quotes", "trades") if self._kind == "both" else (self._kind,)

    def _check_abilities(self, client: CcxtClient) -> None:
        """Raise FeedFailedError for what the exchange (or ccxt for it) does not offer."""
        is_stream = self._transport == "websocket"
        for kind in self._kinds:
            needed: list[tuple[str, ...]] = [_ABILITIES[kind]]
            if is_stream and kind in _STREAM_ABILITIES:
                needed.append(_STREAM_ABILITIES[kind])
            for either in needed:
                if not any(client.can(method) for method in either):
                    hint = '; use transport = "poll"' if either[0].startswith("watch") else ""
                    raise FeedFailedError(
                        f"{self.name} does not offer {' or '.join(either)} for {kind}{hint}"
                    )

    async def _follow_all(self, client: CcxtClient, reporter: Reporter) -> None:
        """One task for each symbol and kind, until cancelled or all have given up."""
        unknown: list[str] = []
        lines: list[Line] = []
        for symbol, market in self._markets.items():
            if market.market in client.markets:
                lines += [self._line(client, reporter, symbol, kind) for kind in self._kinds]
                continue
            words = unknown_market(self.name, market.market, client.markets)
            unknown.append(words)
            reporter.say(symbol, FeedState.CLOSED, words)
        if not lines:
            raise FeedFailedError("; ".join(unknown))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._follow(line)) for line in lines]
        reasons = dict.fromkeys(task.result() for task in tasks)
        raise FeedFailedError(f"{self.name}: no symbol is left: {'; '.join(reasons)}")

    async def _follow(self, line: Line) -> str:
        if self._transport == "poll" or isinstance(line, BarLine):
            return await line.poll()
        return await line.stream()

    def _line(self, client: CcxtClient, reporter: Reporter, symbol: str, kind: str) -> Line:
        market = self._markets[symbol]
        voice = reporter.voice(symbol, kind)
        patience = Patience(voice, self._clock, Backoff(self._random))
        shared = (client, self._clock, voice, patience, self._pace)
        if kind == "bars":
            return BarLine(*shared, market.instrument, market.market, self._interval)
        make = QuoteLine if kind == "quotes" else TradeLine
        return make(*shared, market.instrument, market.market)


def unknown_market(feed: str, market: str, known: Iterable[str]) -> str:
    """What is wrong with a market that is not among those known, and which are near it."""
    near = difflib.get_close_matches(market, list(known), n=5, cutoff=0.4)
    hint = f"; near it are {', '.join(near)}" if near else ""
    return f"{feed} has no market {market!r}{hint}"
