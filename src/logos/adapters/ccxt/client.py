"""One exchange as the ccxt library sees it, with every answer exact and every failure sorted.

- `number = str`: ccxt then hands the exchange's own text through.
- An answer that is not JSON is `Trouble`; ccxt itself would read it as an empty list.
- Failures are `Trouble` (may pass), `SymbolGoneError` (this market never) or `FeedFailedError`.
- With `url`, every address of the exchange is rewritten to it, and a request or connection to any
  other host is refused here before it is made.
- Streams: ccxt keeps the latest quote of each market only; `_Heard` keeps those in between.
"""

from __future__ import annotations

import difflib
import importlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import msgspec

from logos.adapters.ccxt.addresses import redirected, texts
from logos.adapters.ccxt.answers import (
    NS_PER_MS,
    Top,
    raw_trade,
    retry_after,
    served_ns,
    top_of_book,
    top_of_ticker,
)
from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.feeds.common import SymbolGoneError, Trouble
from logos.feeds.contract import FeedFailedError
from logos.feeds.sequence import RawBar, RawTrade
from logos.venues.failures import system_words
from logos.venues.redact import Redactor

_HEARD_MAX: Final = 10_000
_WORDS_MAX: Final = 200
_NEVER: Final = (ccxt.BadSymbol, ccxt.NotSupported, ccxt.AuthenticationError)
_BUSY: Final = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)
# What ccxt's parsers raise on an answer of a shape they do not expect.
_UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


_SERVED_NS: ContextVar[int] = ContextVar("_SERVED_NS", default=0)
"""The time in the latest answer of this task."""


class Tuning(msgspec.Struct, frozen=True):
    """What ccxt does not say of an exchange. The defaults assume nothing."""

    are_ids_consecutive: bool = False
    """Trade ids of a market count up by one, over REST and streams alike."""
    from_id: str = ""
    """The parameter that asks for trades from an id on."""
    trades_limit: int | None = None
    """Rows of trades to ask for at once; None leaves it to the exchange."""
    book_limit: int | None = None
    """Depth of book to ask for; None leaves it to the exchange."""
    options: Mapping[str, Any] = {}


_BINANCE: Final = Tuning(
    are_ids_consecutive=True,
    from_id="fromId",
    trades_limit=1_000,
    book_limit=5,
    # Aggregate trades everywhere, so that a stream's ids are those of the lists.
    options={
        "fetchMarkets": {"types": ["spot"]},
        "watchTradesForSymbols": {"name": "aggTrade"},
        "watchTrades": {"name": "aggTrade"},
    },
)
TUNINGS: Final[Mapping[str, Tuning]] = {"binance": _BINANCE, "binanceus": _BINANCE}


class _Heard(dict[str, Any]):
    """Where ccxt puts the latest quote of each market; keeps those before it until they are read.

    Bounded: beyond it the oldest are forgotten and counted, as a slow reader wants the newest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, deque[Any]] = {}
        self.forgotten = 0

    def __setitem__(self, market: str, ticker: Any) -> None:
        super().__setitem__(market, ticker)
        queue = self.waiting.setdefault(market, deque())
        if len(queue) == _HEARD_MAX:
            queue.popleft()
            self.forgotten += 1
        queue.append(ticker)


def exchange_class(exchange_id: str, *, streams: bool) -> Any:
    """ccxt's class of an exchange. Raises FeedFailedError for an unknown one, with near names."""
    # ccxt.pro costs a second import of everything: only where streams are wanted.
    module = importlib.import_module("ccxt.pro") if streams else ccxt
    if exchange_id not in module.exchanges:
        raise FeedFailedError(_unknown_exchange(exchange_id, module.exchanges, streams))
    return getattr(module, exchange_id)


class CcxtClient:
    """A connection to one exchange; `close` it. Raises FeedFailedError for an unknown exchange."""

    def __init__(
        self,
        exchange_id: str,
        clock: Clock,
        *,
        streams: bool,
        url: str,
        timeout_ms: int,
        options: Mapping[str, Any],
    ) -> None:
        self._clock = clock
        self._host = urlsplit(url).netloc
        self._offset_ns = 0
        self._told_ns = 0
        self._has_dates = False
        self._retry_after_s = 0.0
        self.tuning = TUNINGS.get(exchange_id, Tuning())
        kind = exchange_class(exchange_id, streams=streams)
        settings = dict(options)
        extra = {**self.tuning.options, "tradesLimit": 10_000, **settings.pop("options", {})}
        self._exchange: Any = kind(
            {"enableRateLimit": True, "timeout": timeout_ms, **settings, "options": extra}
        )
        self._exchange.number = str
        given = (settings.get(name) for name in self._exchange.requiredCredentials)
        self._redactor = Redactor(str(each) for each in given if each)
        self._heard = _Heard()
        self._exchange.bidsasks = self._heard
        self._on_answer = self._exchange.on_rest_response
        self._exchange.on_rest_response = self._note_time
        self._fetch = self._exchange.fetch
        self._exchange.fetch = self._checked_fetch
        self._make_connection = self._exchange.client
        self._exchange.client = self._noted_connection
        self._last_heard: dict[str, Any] = {}
        """By market: the latest trade of the stream that was handed out."""
        self._known_connections: dict[str, Any] = {}
        self.connections = 0
        """How many connections of streams were made so far."""
        if url:
            self._redirect(url)

    def _redirect(self, url: str) -> None:
        parts = urlsplit(url)
        self._exchange.urls["api"] = redirected(self._exchange.urls["api"], parts.netloc)
        # The pause after closing lets encrypted connections end; there are none here.
        self._exchange.timeout_on_exit = 0

    def _noted_connection(self, address: str) -> Any:
        """ccxt's own: the connection to an address, made anew by it when the last one was lost."""
        self._check_host(address)
        connection = self._make_connection(address)
        if self._known_connections.get(address) is not connection:
            self._known_connections[address] = connection
            self.connections += 1
        return connection

    def _note_time(
        self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any
    ) -> Any:
        """ccxt's hook for every answer as it came: what time it is where it was written."""
        written_ns = served_ns(headers)
        _SERVED_NS.set(written_ns)
        self._told_ns = max(self._told_ns, written_ns)
        self._has_dates = self._has_dates or written_ns > 0
        return self._on_answer(code, reason, url, method, headers, *rest)

    def addresses(self) -> list[str]:
        """Every address this exchange may ask."""
        return list(texts(self._exchange.urls["api"]))

    def _check_host(self, address: str) -> None:
        if self._host and urlsplit(address).netloc != self._host:
            raise FeedFailedError(
                f"{address} is not at {self._host}, to which everything was to go"
            )

    async def _checked_fetch(
        self, url: str, method: str = "GET", headers: Any = None, body: Any = None
    ) -> Any:
        """ccxt's own fetch, with its answer and address looked at."""
        self._check_host(url)
        try:
            answer = await self._fetch(url, method, headers, body)
        except _BUSY:
            # Nothing else has run since ccxt noted the headers of this very answer.
            self._retry_after_s = retry_after(self._exchange.last_response_headers)
            raise
        if not isinstance(answer, dict | list):
            raise ccxt.BadResponse(f"{method} {url} was answered with something that is not JSON")
        return answer

    @contextmanager
    def _sorted_failures(self, market: str) -> Iterator[None]:
        """Raise what the library raises as one of our three kinds."""
        try:
            yield
        except _NEVER as error:
            raise SymbolGoneError(f"{market}: {self._words(error)}") from error
        except ccxt.OnMaintenance as error:
            raise Trouble(self._words(error), is_maintenance=True) from error
        except _BUSY as error:
            raise Trouble(self._words(error), retry_after_s=self._retry_after_s) from error
        except ccxt.BaseError as error:
            raise Trouble(self._words(error)) from error
        except _UNREADABLE as error:
            raise Trouble(f"an answer that cannot be read: {self._words(error)}") from error

    def _words(self, error: BaseException) -> str:
        """What a failure says, in one line of bounded length, without credentials."""
        # An exchange may repeat a key, and the address of a signed request holds its signature.
        text = self._redactor.clean(" ".join(str(error).split()))[:_WORDS_MAX]
        parts = (type(error).__name__, text, system_words(error))
        return ": ".join(part for part in parts if part)

    async def load_markets(self) -> None:
        """Learn the exchange's markets and time. Raises Trouble or FeedFailedError."""
        try:
            with self._sorted_failures(self._exchange.id):
                await self._exchange.load_markets(True)
            await self.sync_clock()
        except SymbolGoneError as error:
            raise FeedFailedError(f"{self._exchange.id} refuses its markets: {error}") from error

    async def sync_clock(self) -> None:
        """Measure how far the exchange's clock is ahead of ours, where it tells."""
        if self.can("fetchTime"):
            told_ns = await self._ask_time()
        else:
            # A `Date` is cut off to a whole second.
            told_ns = self._told_ns and self._told_ns + NS_PER_SECOND // 2
        if told_ns:
            # Compared with the moment of receipt, so the exchange's time is never overstated.
            self._offset_ns = told_ns - self._clock.now_ns()

    async def _ask_time(self) -> int:
        with self._sorted_failures(self._exchange.id):
            told_ns = int(await self._exchange.fetch_time()) * NS_PER_MS
        self._told_ns = max(self._told_ns, told_ns)
        return told_ns

    def exchange_now_ns(self) -> int:
        """About what time it is there, to know when to ask: our clock, moved by its offset."""
        return self._clock.now_ns() + self._offset_ns

    def told_ns(self) -> int:
        """The latest time that the exchange has told, in an answer about its time or in the `Date`
        of any other: it is later there. Raises FeedFailedError when it has told none."""
        if not self._told_ns:
            words = "tells no time, so nobody knows which bars have closed"
            raise FeedFailedError(f"{self._exchange.id} {words}")
        return self._told_ns

    @property
    def offset_ns(self) -> int:
        """How far the exchange's clock is ahead of ours."""
        return self._offset_ns

    def can(self, method: str) -> bool:
        """Whether the exchange offers this (ccxt's name)."""
        return self._exchange.has.get(method) in (True, "emulated")

    @property
    def markets(self) -> Mapping[str, Mapping[str, Any]]:
        """ccxt's description of every market, figures as text."""
        found: Mapping[str, Mapping[str, Any]] = self._exchange.markets
        return found

    @property
    def precision_mode(self) -> int:
        """How precisions of markets are told: 2 as decimals, 4 as steps."""
        return int(self._exchange.precisionMode)

    async def top(self, market: str) -> Top:
        """The best bid and ask now."""
        with self._sorted_failures(market):
            book = await self._exchange.fetch_order_book(market, self.tuning.book_limit)
            return top_of_book(book)

    async def trades(self, market: str) -> list[RawTrade]:
        """The latest trades."""
        limit = self.tuning.trades_limit
        with self._sorted_failures(market):
            rows = await self._exchange.fetch_trades(market, None, limit)
            return [raw_trade(row) for row in rows]

    async def trades_after(self, market: str, last_id: str, since_ns: int) -> list[RawTrade]:
        """Trades after the one with `last_id`, else from `since_ns` on; a page of them."""
        limit, from_id = self.tuning.trades_limit, self.tuning.from_id
        with self._sorted_failures(market):
            if from_id and last_id:
                params = {from_id: int(last_id) + 1}
                rows = await self._exchange.fetch_trades(market, None, limit, params)
            else:
                since_ms = since_ns // NS_PER_MS
                rows = await self._exchange.fetch_trades(market, since_ms, limit)
            return [raw_trade(row) for row in rows]

    async def bars(self, market: str, interval: str, since_ns: int) -> list[RawBar]:
        """Bars that open at `since_ns` or later, the one still open included; a page of them."""
        with self._sorted_failures(market):
            rows = await self._exchange.fetch_ohlcv(market, interval, since_ns // NS_PER_MS)
            return [RawBar(int(row[0]) * NS_PER_MS, *row[1:6]) for row in rows]

    async def bars_and_time(
        self, market: str, interval: str, since_ns: int
    ) -> tuple[list[RawBar], int]:
        """The same, and up to when the exchange says that it had counted: a bar that ends later may
        be unfinished. 0 where it tells no time.

        That is the `Date` of this very answer, less a second: it is whole seconds, and the bars
        were read before it was written. Without a `Date` the exchange's time is asked for first.
        """
        asked_ns = 0
        if not self._has_dates and self.can("fetchTime"):
            asked_ns = await self._ask_time()
        _SERVED_NS.set(0)
        rows = await self.bars(market, interval, since_ns)
        dated_ns = _SERVED_NS.get()
        return rows, max(dated_ns - NS_PER_SECOND, 0) if dated_ns else asked_ns

    async def hear_trades(self, market: str) -> list[RawTrade]:
        """The trades of the stream since the last call, in order; waits where there is none."""
        trades = self.heard_trades(market)
        if trades:
            return trades
        with self._sorted_failures(market):
            told = await self._exchange.watch_trades(market)
        return self.heard_trades(market) or [raw_trade(row) for row in told]

    def heard_trades(self, market: str) -> list[RawTrade]:
        """The same without waiting: what came by stream while nobody listened."""
        with self._sorted_failures(market):
            rows = self._unheard(market)
            if rows:
                self._last_heard[market] = rows[-1]
            return [raw_trade(row) for row in rows]

    def _unheard(self, market: str) -> list[Any]:
        """What ccxt has kept since then; it wakes a listener for the next row only."""
        rows: list[Any] = []
        last = self._last_heard.get(market)
        for row in reversed(self._exchange.trades.get(market) or ()):
            if row is last:
                break
            rows.append(row)
        return rows[::-1]

    async def hear_tops(self, market: str) -> list[Top]:
        """Wait for the next best prices of the stream; all since the last call, in order."""
        waiting = self._heard.waiting.setdefault(market, deque())
        with self._sorted_failures(market):
            if not self.can("watchBidsAsks"):
                return [top_of_book(await self._exchange.watch_order_book(market))]
            while not waiting:
                await self._exchange.watch_bids_asks([market])
            tops = [top_of_ticker(ticker) for ticker in waiting]
            waiting.clear()
            return tops

    async def close_streams(self) -> None:
        """Drop every connection of streams; whoever listens is told that it was cancelled."""
        await self._exchange.close_ws_clients()

    async def close(self) -> None:
        """Release every connection."""
        await self._exchange.close()


def _unknown_exchange(exchange_id: str, known: Sequence[str], streams: bool) -> str:
    near = difflib.get_close_matches(exchange_id, known, n=5, cutoff=0.5)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    what = "with streams " if streams else ""
    return f"ccxt knows no exchange {what}called {exchange_id!r}{hint}"
