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
_PRICES: Final = ("Open", "High", "Low", "Close")


class Chart(msgspec.Struct, frozen=True):
    """An answer: bars by their open time (the last one may still be open), and what frames them.

    `sessions` are the regular trading hours known, [start, end) in nanoseconds UTC; `served_ns`
    is the service's time, 0 where it did not say.
    """

    bars: Sequence[RawBar]
    sessions: Sequence[tuple[int, int]]
    served_ns: int


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
        if cache_dir is not None:
            self._yfinance.set_tz_cache_location(str(cache_dir))
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
        except (Trouble, SymbolGoneError):
            raise
        # The library passes on whatever the layers under it raise: curl, JSON, pandas, its own.
        except Exception as error:
            raise Trouble(f"{ticker}: {_words(error)}") from error

    def _judge(self, path: str, response: Any) -> None:
        """Look at an answer before yfinance does: it would go on with a page of an error."""
        if not path.startswith(_CHART):
            return
        status = int(response.status_code)
        ticker = path.removeprefix(_CHART)
        if status == 404:
            raise SymbolGoneError(f"Yahoo has no data for {ticker!r}: check the ticker's spelling")
        if status == 429:
            told = response.headers.get("Retry-After", "")
            wait_s = float(told) if told.isdigit() else 0.0
            raise Trouble("429: too many requests", retry_after_s=wait_s)
        if status >= 500:
            raise Trouble(f"{ticker}: status {status}", is_maintenance=status == 503)
        told = response.headers.get("Date", "")
        try:
            self._served_ns = round(parsedate_to_datetime(told).timestamp()) * NS_PER_SECOND
        except ValueError:
            self._served_ns = 0


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
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
