"""Yahoo Finance as the yfinance library sees it: bars, sessions, and every failure sorted.

yfinance swallows failures by default, guesses the time of day from the local clock and asks
several hosts. So: it is told to raise; every request goes through a session of ours, which bounds
its time, judges the status of a chart's answer, notes the service's own time, and, with `url`,
sends everything there instead. Prices are as they were traded: no adjustment for splits and
dividends.

All of it blocks: call it from a thread, one question at a time, since yfinance keeps one session
for the whole process.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from logos.core.types import NS_PER_SECOND
from logos.feeds.common import SymbolGoneError, Trouble
from logos.feeds.contract import FeedFailedError
from logos.feeds.sequence import RawBar
from logos.installation import install_command

_CHART: Final = "/v8/finance/chart/"
_FINAL: Final = (400, 404, 422)
"""With Yahoo's words beside them these do not pass: a ticker that is none, an interval that it does
not keep for so long (ranaroussi/yfinance issues 1548 and 2902)."""
_NO_SPAN: Final = "Data doesn't exist for startDate"
"""Yahoo's words for a span before the first bar: an answer without rows."""
_CURL_REFERS: Final = ". See https://curl.se/libcurl/c/libcurl-errors.html first for more details."
"""What curl_cffi puts behind the cause of each failure (its `Curl._get_error`)."""
_PRICES: Final = ("Open", "High", "Low", "Close")


class _NoBars(Exception):
    """Yahoo's word that it has no rows of a span."""


class Chart(msgspec.Struct, frozen=True):
    """An answer: bars by their open time (the last one may still be open), and what frames them.

    `sessions` are the regular trading hours known, [start, end) in nanoseconds UTC; `served_ns`
    is the service's time, 0 where it did not say.
    """

    bars: Sequence[RawBar]
    sessions: Sequence[tuple[int, int]]
    served_ns: int

    @property
    def told_ns(self) -> int:
        """What time it is by Yahoo: the `Date` of its answer; without one it is not before its
        newest row, which leaves that row open."""
        return self.served_ns or max((bar.opened_ns for bar in self.bars), default=0)

    @property
    def closed_ns(self) -> int:
        """Up to when bars were counted: a `Date` is whole seconds, and is written when the rows
        were read already."""
        return self.told_ns - NS_PER_SECOND

    def rows(self, interval_ns: int) -> list[RawBar]:
        """The bars by their open. The last row of an open bar may carry the moment of its last
        trade instead: that one is left out."""
        return [bar for bar in self.bars if bar.opened_ns % interval_ns == 0]

    def closed(self, interval_ns: int) -> list[RawBar]:
        """Those of them that have ended, by Yahoo's time or by a later row."""
        newest_ns = max((bar.opened_ns for bar in self.bars), default=0)
        return [
            bar
            for bar in self.rows(interval_ns)
            if bar.opened_ns + interval_ns <= self.closed_ns or bar.opened_ns < newest_ns
        ]


class YahooClient:
    """Asks for charts. `cache_dir` is where yfinance keeps time zones and cookies.

    Raises FeedFailedError when yfinance is not installed.
    """

    def __init__(self, *, url: str, timeout_s: float, cache_dir: Path | None) -> None:
        try:
            self._yfinance: Any = importlib.import_module("yfinance")
            requests: Any = importlib.import_module("curl_cffi.requests")
        except ImportError as error:
            raise FeedFailedError(
                f"Yahoo needs the library yfinance ({error}): {install_command('yahoo')}"
            ) from None
        self._timeout_s = timeout_s
        self._served_ns = 0
        self._yfinance.config.debug.hide_exceptions = False
        # It warns of cookies that it goes on without; what fails then is raised, and told here.
        logging.getLogger("yfinance").setLevel(logging.ERROR)
        if cache_dir is not None:
            self._yfinance.set_tz_cache_location(str(cache_dir))
        self._empty: list[tuple[int, int]] | None = None
        """The sessions of the latest chart, if it had no rows."""
        self._session = _make_session(requests, url, timeout_s, self._judge)
        self._tickers: dict[str, Any] = {}

    def close(self) -> None:
        """Release every connection."""
        self._session.close()

    def chart(self, ticker: str, interval: str, period: str) -> Chart:
        """The bars of the last `period` ("1d", "5d"). Raises Trouble, SymbolGoneError."""
        return self._ask(ticker, interval, {"period": period})

    def history(self, ticker: str, interval: str, start_s: int, end_s: int) -> Chart:
        """The bars that open in [start_s, end_s), seconds since 1970. Raises the same."""
        pandas: Any = importlib.import_module("pandas")
        start, end = (pandas.Timestamp(each, unit="s", tz="UTC") for each in (start_s, end_s))
        return self._ask(ticker, interval, {"start": start, "end": end})

    def _ask(self, ticker: str, interval: str, span: Mapping[str, Any]) -> Chart:
        if ticker not in self._tickers:
            self._tickers[ticker] = self._yfinance.Ticker(ticker, session=self._session)
        source = self._tickers[ticker]
        self._served_ns = 0
        self._empty = None
        try:
            table = source.history(
                interval=interval,
                auto_adjust=False,
                actions=False,
                prepost=False,
                timeout=self._timeout_s,
                **span,
            )
            return Chart(_rows(table), _sessions(source.history_metadata), self._served_ns)
        except _NoBars:
            return Chart((), (), self._served_ns)
        except (Trouble, SymbolGoneError):
            raise
        # The library passes on whatever the layers under it raise: curl, JSON, pandas, its own.
        except Exception as error:
            if self._empty is not None:
                # Of a chart without rows it says that the ticker is delisted; Yahoo does not.
                return Chart((), self._empty, self._served_ns)
            raise Trouble(f"{ticker}: {_words(error)}") from error

    def _judge(self, path: str, response: Any) -> None:
        """Look at an answer before yfinance does: it would go on with a page of an error."""
        if not path.startswith(_CHART):
            return
        status = int(response.status_code)
        ticker = path.removeprefix(_CHART)
        if status == 429:
            told = response.headers.get("Retry-After", "")
            wait_s = float(told) if told.isdigit() else 0.0
            raise Trouble("429: too many requests", retry_after_s=wait_s)
        if status >= 500:
            raise Trouble(f"{ticker}: status {status}", is_maintenance=status == 503)
        told = response.headers.get("Date", "")
        try:
            self._served_ns = int(parsedate_to_datetime(told).timestamp()) * NS_PER_SECOND
        except (TypeError, ValueError):
            self._served_ns = 0
        self._empty = _judge_chart(ticker, status, _chart_in(response))


def _chart_in(response: Any) -> Mapping[str, Any]:
    """What an answer holds as `chart`; nothing where it is a page, or cut off."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    chart = answer.get("chart") if isinstance(answer, dict) else None
    return chart if isinstance(chart, dict) else {}


def _judge_chart(
    ticker: str, status: int, chart: Mapping[str, Any]
) -> list[tuple[int, int]] | None:
    """The sessions that a chart without rows tells of; None of any other.

    Raises SymbolGoneError for Yahoo's own word that there is nothing, in its words; `_NoBars` for
    its word that this span has nothing; Trouble for a page in place of an answer.

    A page with status 404 comes from a machine in between and says nothing about the ticker.
    """
    error = chart.get("error")
    if isinstance(error, dict) and error.get("description"):
        words = " ".join(str(error["description"]).split())[:200]
        if words.startswith(_NO_SPAN):
            raise _NoBars
        if status in _FINAL or error.get("code") == "Not Found":
            raise SymbolGoneError(f"Yahoo says of {ticker!r}: {words}")
        raise Trouble(f"{ticker}: {words}")
    if status == 404:
        raise Trouble(f"{ticker}: status 404 without Yahoo's words")
    results = chart.get("result")
    result = results[0] if isinstance(results, list) and results else None
    if not isinstance(result, dict) or result.get("timestamp"):
        return None
    meta = result.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    if meta.get("regularMarketTime") is None and meta.get("currency") is None:
        raise SymbolGoneError(f"Yahoo knows {ticker!r} by name only: it has no price and no market")
    return _sessions({"currentTradingPeriod": meta.get("currentTradingPeriod") or {}})


def _make_session(requests: Any, elsewhere: str, timeout_s: float, judge: Any) -> Any:
    base: Any = requests.Session

    class Watched(base):  # type: ignore[misc]
        """A session whose every request is bounded, redirected where told, and judged."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            parts = urlsplit(url)
            target = f"{elsewhere.rstrip('/')}{parts.path or '/'}" if elsewhere else url
            kwargs["timeout"] = min(kwargs.get("timeout") or timeout_s, timeout_s)
            response = super().request(method, target, *args, **kwargs)
            judge(parts.path, response)
            return response

    return Watched(impersonate="chrome")


def _rows(table: Any) -> list[RawBar]:
    """Rows of the library's table; times become nanoseconds UTC, figures stay floats."""
    opened = table.index.tz_convert("UTC").as_unit("ns").asi8.tolist()
    prices = [table[name].tolist() for name in _PRICES]
    volumes = [int(volume) for volume in table["Volume"].tolist()]
    return [RawBar(*row) for row in zip(opened, *prices, volumes, strict=True)]


def _sessions(metadata: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The regular sessions that the answer tells of, and today's."""
    found: list[tuple[int, int]] = []
    periods = metadata.get("tradingPeriods")
    if periods is not None:
        found += [
            (start.value, end.value)
            for start, end in zip(periods["start"], periods["end"], strict=True)
        ]
    today = metadata.get("currentTradingPeriod", {}).get("regular")
    if today:
        found.append((_moment_ns(today["start"]), _moment_ns(today["end"])))
    return sorted(set(found))


def _moment_ns(moment: Any) -> int:
    """A pandas Timestamp, or seconds since 1970 where the library left them so."""
    if isinstance(moment, int):
        return moment * NS_PER_SECOND
    return int(moment.as_unit("ns").value)


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split()).removeprefix("Failed to perform, ")
    text = text.removesuffix(_CURL_REFERS)[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
