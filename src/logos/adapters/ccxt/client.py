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
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import msgspec

from logos.core.clock import Clock
from logos.feeds.common import SymbolGoneError, Trouble
from logos.feeds.contract import FeedFailedError
from logos.feeds.sequence import RawBar, RawTrade
from logos.venues.failures import system_words
from logos.venues.redact import Redactor

NS_PER_MS: Final = 1_000_000
_HEARD_MAX: Final = 10_000
_WORDS_MAX: Final = 200
_ADDRESS: Final = re.compile(r"^(https?|wss?)://[^/]+")
_NEVER: Final = (ccxt.BadSymbol, ccxt.NotSupported, ccxt.AuthenticationError)
_BUSY: Final = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)
# What ccxt's parsers raise on an answer of a shape they do not expect.
_UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


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


class Top(NamedTuple):
    """The best prices as told: figures are text or floats, None where there is no order."""

    bid: Any
    ask: Any
    bid_size: Any
    ask_size: Any
    ts_ns: int | None
    update_id: int | None


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
        self._exchange.urls["api"] = _redirected(self._exchange.urls["api"], parts.netloc)
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

    def addresses(self) -> list[str]:
        """Every address this exchange may ask."""
        return list(_texts(self._exchange.urls["api"]))

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
            self._retry_after_s = _retry_after(self._exchange.last_response_headers)
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
            with self._sorted_failures(self._exchange.id):
                told_ms = await self._exchange.fetch_time()
            # Compared with the moment of receipt, so the exchange's time is never overstated.
            self._offset_ns = int(told_ms) * NS_PER_MS - self._clock.now_ns()

    def exchange_now_ns(self) -> int:
        """The exchange's time, late by at most the way of an answer."""
        return self._clock.now_ns() + self._offset_ns

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
            return _top_of_book(book)

    async def trades(self, market: str) -> list[RawTrade]:
        """The latest trades."""
        limit = self.tuning.trades_limit
        with self._sorted_failures(market):
            rows = await self._exchange.fetch_trades(market, None, limit)
            return [_raw_trade(row) for row in rows]

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
            return [_raw_trade(row) for row in rows]

    async def bars(self, market: str, interval: str, since_ns: int) -> list[RawBar]:
        """Bars that open at `since_ns` or later, the one still open included; a page of them."""
        with self._sorted_failures(market):
            rows = await self._exchange.fetch_ohlcv(market, interval, since_ns // NS_PER_MS)
            return [RawBar(int(row[0]) * NS_PER_MS, *row[1:6]) for row in rows]

    async def hear_trades(self, market: str) -> list[RawTrade]:
        """The trades of the stream since the last call, in order; waits where there is none."""
        trades = self.heard_trades(market)
        if trades:
            return trades
        with self._sorted_failures(market):
            told = await self._exchange.watch_trades(market)
        return self.heard_trades(market) or [_raw_trade(row) for row in told]

    def heard_trades(self, market: str) -> list[RawTrade]:
        """The same without waiting: what came by stream while nobody listened."""
        with self._sorted_failures(market):
            rows = self._unheard(market)
            if rows:
                self._last_heard[market] = rows[-1]
            return [_raw_trade(row) for row in rows]

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
                return [_top_of_book(await self._exchange.watch_order_book(market))]
            while not waiting:
                await self._exchange.watch_bids_asks([market])
            tops = [_top_of_ticker(ticker) for ticker in waiting]
            waiting.clear()
            return tops

    async def close_streams(self) -> None:
        """Drop every connection of streams; whoever listens is told that it was cancelled."""
        await self._exchange.close_ws_clients()

    async def close(self) -> None:
        """Release every connection."""
        await self._exchange.close()


def _redirected(value: Any, host: str) -> Any:
    """Every address in a tree of addresses, moved to `host` without encryption."""
    if isinstance(value, dict):
        return {key: _redirected(each, host) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    is_stream = value.startswith("ws")
    return _ADDRESS.sub(f"{'ws' if is_stream else 'http'}://{host}", value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _raw_trade(row: Mapping[str, Any]) -> RawTrade:
    side = row["side"] or ""
    # Where the exchange has no ids, what the trade is has to stand for it.
    trade_id = row["id"] or f"{row['timestamp']}:{row['price']}:{row['amount']}:{side}"
    ts_ns = int(row["timestamp"]) * NS_PER_MS
    return RawTrade(str(trade_id), ts_ns, row["price"], row["amount"], side)


def _top_of_book(book: Mapping[str, Any]) -> Top:
    bid = book["bids"][0] if book["bids"] else (None, None)
    ask = book["asks"][0] if book["asks"] else (None, None)
    return Top(bid[0], ask[0], bid[1], ask[1], _moment(book), book.get("nonce"))


def _top_of_ticker(ticker: Mapping[str, Any]) -> Top:
    sizes = ticker["bidVolume"], ticker["askVolume"]
    return Top(ticker["bid"], ticker["ask"], *sizes, _moment(ticker), None)


def _moment(row: Mapping[str, Any]) -> int | None:
    told_ms = row.get("timestamp")
    return None if told_ms is None else int(told_ms) * NS_PER_MS


def _retry_after(headers: Mapping[str, str] | None) -> float:
    """Seconds of a Retry-After header; 0 without one (a date is not honoured)."""
    for name, value in (headers or {}).items():
        if name.lower() == "retry-after" and value.strip().isdigit():
            return float(value)
    return 0.0


def _unknown_exchange(exchange_id: str, known: Sequence[str], streams: bool) -> str:
    near = difflib.get_close_matches(exchange_id, known, n=5, cutoff=0.5)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    what = "with streams " if streams else ""
    return f"ccxt knows no exchange {what}called {exchange_id!r}{hint}"
