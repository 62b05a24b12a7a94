"""Questions to Alpaca's market data API, answered in raw rows; figures stay text.

Problem: the library repeats requests by itself, waits without end and hands out floats. Method: as
in `connection`: every request once, in a thread, with a timeout; and its numbers are read as text.
The `Date` of an answer is Alpaca's clock, which says what has closed.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
import requests

from logos.core.types import NS_PER_SECOND
from logos.feeds.common import SymbolGoneError, Trouble
from logos.feeds.contract import FeedFailedError
from logos.feeds.sequence import RawBar, RawTrade
from logos.loopback import is_loopback
from logos.venues.failures import system_words
from logos.venues.records import Unreadable, is_record, iso_time, rows, time_ns
from logos.venues.redact import Redactor, Revealable

with warnings.catch_warnings():
    # The library also imports a websocket client that has announced its retirement.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.common.rest import RESTClient

ADDRESS: Final = "https://data.alpaca.markets"
STREAM_ADDRESS: Final = "https://stream.data.alpaca.markets"
SOURCES_WITH_PAST: Final = ("iex", "sip")
"""Feeds of shares whose trades and bars are told; of any other there are the latest quotes alone
("stock_historical_feed" of docs.alpaca.markets/openapi/market-data-api.json)."""
TIMEFRAMES: Final = {
    "1m": "1Min",
    "5m": "5Min",
    "15m": "15Min",
    "30m": "30Min",
    "1h": "1Hour",
    "4h": "4Hour",
}
"""Longer bars of shares begin with the days of New York, not of UTC."""

_PAGE: Final = 10_000
_PAGES_MAX: Final = 200
_THREADS: Final = 4


class DataAccess(msgspec.Struct, frozen=True):
    """Who asks for market data, and where. `source` is the feed of shares, of ALPACA_SOURCES."""

    key: Revealable
    secret: Revealable
    url: str = ""
    source: str = "iex"
    timeout_s: float = 10.0


def require_private(url: str) -> None:
    """Raise ValueError for an address to which the keys would travel unencrypted."""
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("alpaca: the keys would travel unencrypted; use https")


class RawQuote(NamedTuple):
    """The best prices as Alpaca tells them: figures as text; a side that is not there is 0."""

    ts_ns: int
    bid: str
    ask: str
    bid_size: str
    ask_size: str


class _Client(RESTClient):
    """The library's client: one try, a timeout, and numbers as text."""

    def __init__(self, access: DataAccess) -> None:
        super().__init__(
            base_url=access.url.rstrip("/") or ADDRESS,
            api_key=access.key.reveal(),
            secret_key=access.secret.reveal(),
            raw_data=True,
        )
        self._limits = {"timeout": (access.timeout_s, access.timeout_s)}
        self.served_ns = 0
        self._session.hooks["response"].append(self._note)

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        try:
            moment = parsedate_to_datetime(response.headers.get("Date", ""))
            self.served_ns = max(self.served_ns, int(moment.timestamp()) * NS_PER_SECOND)
        except (TypeError, ValueError):
            pass  # an answer without a time says nothing about it
        text = response.text
        response.json = partial(json.loads, text, parse_float=str, parse_int=str)  # type: ignore[method-assign]

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:  # noqa: ARG002
        return super()._one_request(method, url, {**opts, **self._limits}, 0)

    def close(self) -> None:
        """Release the connections."""
        self._session.close()


class MarketData:
    """Market data of shares and coins. Make it in the event loop's thread; close it when done.

    Every question raises Trouble for what may pass, SymbolGoneError for a symbol that Alpaca does
    not take, FeedFailedError for keys or a subscription that will never do. Raises ValueError for
    an address to which keys would travel unencrypted.
    """

    def __init__(self, access: DataAccess) -> None:
        require_private(access.url)
        self._client = _Client(access)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="alpaca-data")
        self._source = access.source
        self._timeout_s = access.timeout_s
        self._redactor = Redactor([access.key.reveal(), access.secret.reveal()])

    @property
    def served_ns(self) -> int:
        """Alpaca's time in its latest answer, in whole seconds; 0: it has not said yet."""
        return self._client.served_ns

    def close(self) -> None:
        """Release the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def latest_quotes(self, names: Sequence[str]) -> dict[str, RawQuote]:
        """The best prices now, by Alpaca's symbol; those without any are left out."""
        answer = await self._ask("quotes", names, is_latest=True)
        return {name: quote_of(row) for name, row in self._by_name(answer, "quotes").items()}

    async def latest_trades(self, names: Sequence[str]) -> dict[str, RawTrade]:
        """The latest trade of each, by Alpaca's symbol; those without any are left out."""
        answer = await self._ask("trades", names, is_latest=True)
        return {name: trade_of(row) for name, row in self._by_name(answer, "trades").items()}

    async def trades(
        self, names: Sequence[str], since_ns: int, pages_max: int = _PAGES_MAX
    ) -> dict[str, list[RawTrade]]:
        """The trades from then on, by Alpaca's symbol; of more pages than that, the first."""
        found: dict[str, list[RawTrade]] = {name: [] for name in names}
        parameters = {"start": iso_time(since_ns)}
        for name, row in await self._all("trades", names, parameters, pages_max):
            found[name].append(trade_of(row))
        return found

    async def bars(
        self, names: Sequence[str], interval: str, since_ns: int, until_ns: int = 0
    ) -> dict[str, list[RawBar]]:
        """Every bar that begins then or later, the one still open included."""
        parameters = {"timeframe": TIMEFRAMES[interval], "start": iso_time(since_ns)}
        if until_ns:
            parameters["end"] = iso_time(until_ns)
        if not _are_coins(names):
            parameters["adjustment"] = "raw"
        found: dict[str, list[RawBar]] = {name: [] for name in names}
        for name, row in await self._all("bars", names, parameters):
            found[name].append(bar_of(row))
        return found

    async def _all(
        self,
        kind: str,
        names: Sequence[str],
        parameters: Mapping[str, str],
        pages_max: int = _PAGES_MAX,
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """The rows of so many pages, each with its symbol; what lies behind is asked for next."""
        found: list[tuple[str, Mapping[str, Any]]] = []
        words = {**parameters, "limit": str(_PAGE), "sort": "asc"}
        for _ in range(pages_max):
            answer = await self._ask(kind, names, words)
            for name, listed in self._by_name(answer, kind).items():
                found += [(name, row) for row in _read(partial(rows, listed)) if name in names]
            token = answer.get("next_page_token")
            if not token:
                return found
            words["page_token"] = str(token)
        return found

    def _by_name(self, answer: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        found = answer.get(kind)
        if found is None:
            return {}
        if not is_record(found):
            raise Trouble(f"alpaca: the answer about {kind} holds none")
        return found

    async def _ask(
        self,
        kind: str,
        names: Sequence[str],
        parameters: Mapping[str, str] | None = None,
        is_latest: bool = False,
    ) -> Mapping[str, Any]:
        """One answer, as text where it has numbers."""
        words = {"symbols": ",".join(names), **(parameters or {})}
        if _are_coins(names):
            path = f"/crypto/us/latest/{kind}" if is_latest else f"/crypto/us/{kind}"
            call = partial(self._client.get, path, words, api_version="v1beta3")
        else:
            words["feed"] = self._source
            path = f"/stocks/{kind}/latest" if is_latest else f"/stocks/{kind}"
            call = partial(self._client.get, path, words)
        try:
            async with asyncio.timeout(2 * self._timeout_s + 0.5):
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except Exception as error:
            raise self._failure(kind, error) from None
        if not is_record(answer):
            raise Trouble(f"alpaca: the answer about {kind} is no record")
        return answer

    def _failure(self, kind: str, error: Exception) -> Exception:
        status = error.status_code if isinstance(error, APIError) else None
        words = f"alpaca: {kind}: {type(error).__name__}: {error}"
        if status is not None:
            words = f"alpaca: {kind}: HTTP {status}: {error}"
        words = self._redactor.clean(words)
        if cause := system_words(error):
            # The library's words are long, and the cause stands at their end.
            words = f"alpaca: {kind}: {type(error).__name__}: {cause}"
        if status in (401, 403):
            return FeedFailedError(f"{words}; check the keys, and what the subscription covers")
        if status in (400, 404, 422):
            return SymbolGoneError(words)
        return Trouble(words, retry_after_s=self._wait_s(error), is_maintenance=status == 503)

    def _wait_s(self, error: Exception) -> float:
        response = error.response if isinstance(error, APIError) else None
        if response is None or response.status_code != 429:
            return 0.0
        for name in ("Retry-After", "X-RateLimit-Reset"):
            text = str(response.headers.get(name, ""))
            if text.isdecimal():
                gone_s = self.served_ns / NS_PER_SECOND if name != "Retry-After" else 0.0
                return min(max(float(text) - gone_s, 0.0), 60.0)
        return 0.0


def quote_of(row: Any) -> RawQuote:
    """One quote, of an answer or of the stream. Raises Trouble."""
    figures = [_figure(row, name) for name in ("bp", "ap", "bs", "as")]
    return RawQuote(_moment(row), *figures)


def trade_of(row: Any) -> RawTrade:
    """One trade, of an answer or of the stream: its id is unique for a day and an exchange."""
    moment_ns = _moment(row)
    name = f"{moment_ns}/{row.get('x', '')}/{row.get('i', '')}"
    side = {"B": "BUY", "S": "SELL"}.get(str(row.get("tks")), "")
    return RawTrade(name, moment_ns, _figure(row, "p"), _figure(row, "s"), side)


def bar_of(row: Any) -> RawBar:
    """One bar, of an answer or of the stream, labelled by its beginning. Raises Trouble."""
    return RawBar(_moment(row), *(_figure(row, name) for name in ("o", "h", "l", "c", "v")))


def _moment(row: Any) -> int:
    if not is_record(row):
        raise Trouble("alpaca: a row of the answer is no record")
    return int(_read(lambda: time_ns(row.get("t"))))


def _figure(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    try:
        number = Decimal(str(value)) if isinstance(value, str | int) else Decimal("NaN")
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Trouble(f"alpaca: a row has no number {name}")
    # One number is one text, whoever wrote it: answers and messages are compared.
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read(read: Any) -> Any:
    try:
        return read()
    except Unreadable as error:
        words = str(error)
    raise Trouble(f"alpaca: {words}")


def _are_coins(names: Sequence[str]) -> bool:
    return "/" in names[0]
