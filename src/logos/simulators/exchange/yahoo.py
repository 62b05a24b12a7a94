"""A chart endpoint of bars in the shape of Yahoo Finance's, as yfinance asks for it.

Its refusals are those that Yahoo is known to give, by where they were seen:

- unknown or delisted: 404, code "Not Found" (ranaroussi/yfinance issue 1548). A ticker that trades
  can be told so too, for a while (portfolio-performance/portfolio issue 5934, of TSN).
- a span before its first bar: 400, code "Bad Request", "Data doesn't exist for startDate = ...,
  endDate = ..." (quoted whole in App::Chart's handler for Yahoo).
- minutes older than 30 days, or more than 8 days of them; other intraday bars older than 60 days:
  422, code "Unprocessable Entity" (ranaroussi/yfinance issue 2902 and its pull request 2903).
- some names that are none: 200 with `"quote": [{}]`, instrumentType ECNQUOTE, and neither a
  currency nor a `regularMarketTime` (seen in 2026 of THF and GOO).
- nothing traded in the span that is asked for, a weekend say: 200 with `"quote": [{}]` and no
  `timestamp`, which yfinance's scrapers/history.py calls "possibly delisted" on its own account
  (ranaroussi/yfinance issue 878).

Prices go out as that service sends them: binary floats that have been through 32 bits, so that
187.43 arrives as 187.42999267578125. The bar that is still open is the last row. The regular
session is given in minutes of the UTC day; rows outside of it are sent only when asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.market import Candle
from logos.simulators.exchange.server import FAULT_KEY, Exchange, json_answer

_INTERVALS_NS = {
    "1m": NS_PER_MINUTE,
    "5m": 5 * NS_PER_MINUTE,
    "15m": 15 * NS_PER_MINUTE,
    "60m": 60 * NS_PER_MINUTE,
    "1h": 60 * NS_PER_MINUTE,
    "1d": NS_PER_DAY,
}
_DAY_S = 86_400
_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


class YahooShape:
    """Adds the endpoint to an exchange: `YahooShape(exchange)`, before it is started.

    `opens_minute` and `closes_minute` bound the regular session, in minutes of the UTC day.
    """

    def __init__(
        self, exchange: Exchange, opens_minute: int = 13 * 60 + 30, closes_minute: int = 20 * 60
    ) -> None:
        self._market = exchange.market
        self.shells: set[str] = set()
        """Tickers that are none, and are answered with a chart that holds nothing."""
        self.denied: dict[str, int] = {}
        """By ticker: how many charts from now on are denied, though it trades."""
        self._opens_ns = opens_minute * NS_PER_MINUTE
        self._closes_ns = closes_minute * NS_PER_MINUTE
        exchange.add_routes(
            [
                web.get("/v8/finance/chart/{symbol}", self._chart),
                web.get("/v1/test/getcrumb", self._crumb),
                web.get("/", self._cookie),
            ]
        )

    async def _crumb(self, _request: web.Request) -> web.Response:
        return web.Response(text="local")

    async def _cookie(self, _request: web.Request) -> web.Response:
        return web.Response(text="")

    async def _chart(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        listing = self._market.listings.get(symbol)
        if symbol in self.shells:
            return json_answer({"chart": {"result": [_shell(symbol)], "error": None}})
        if listing is None or self._is_denied(symbol):
            return _refusal("Not Found", "No data found, symbol may be delisted", 404)
        interval = request.query.get("interval", "1d")
        start_ns, end_ns = self._asked(request)
        too_far = self._beyond(request, interval)
        if too_far:
            return _refusal("Unprocessable Entity", too_far, 422)
        candles = listing.candles(start_ns, self._market.now_ns, _INTERVALS_NS[interval])
        candles = [each for each in candles if each.opened_ns < end_ns]
        if request.query.get("includePrePost", "false").lower() != "true":
            candles = [each for each in candles if self._is_regular(each.opened_ns)]
        rule = request.get(FAULT_KEY)
        candles = spoil_rows(candles, None if rule is None else rule.fault)
        first_ns = listing.bars[0].opened_ns if listing.bars else 0
        if not candles and "period1" in request.query and end_ns <= first_ns:
            span = f"startDate = {request.query['period1']}, endDate = {request.query['period2']}"
            return _refusal("Bad Request", f"Data doesn't exist for {span}", 400)
        days = sorted({each.opened_ns // NS_PER_DAY for each in candles})
        result: dict[str, Any] = {"meta": self._meta(symbol, listing.quote, interval, days)}
        result["indicators"] = {"quote": [{}]}
        if candles:
            result["timestamp"] = [each.opened_ns // NS_PER_SECOND for each in candles]
            result["indicators"] = {"quote": [_columns(candles)]}
        return json_answer({"chart": {"result": [result], "error": None}})

    def _is_denied(self, symbol: str) -> bool:
        left = self.denied.get(symbol, 0)
        self.denied[symbol] = max(0, left - 1)
        return left > 0

    def _beyond(self, request: web.Request, interval: str) -> str:
        """Why a span of intraday bars is not told; empty where it is."""
        if "period1" not in request.query or interval == "1d":
            return ""
        start_s, end_s = int(request.query["period1"]), int(request.query["period2"])
        words = f"{interval} data not available for startTime={start_s} and endTime={end_s}."
        days_max = 30 if interval == "1m" else 60
        if start_s < self._market.now_ns // NS_PER_SECOND - days_max * _DAY_S:
            return f"{words} The requested range must be within the last {days_max} days."
        if interval == "1m" and end_s - start_s > 8 * _DAY_S:
            one = "Only 8 days worth of 1m granularity data are allowed to be fetched per request."
            return f"{words} {one}"
        return ""

    def _asked(self, request: web.Request) -> tuple[int, int]:
        """The span asked for: [start, end) in nanoseconds."""
        query = request.query
        if "period1" in query:
            return int(query["period1"]) * NS_PER_SECOND, int(query["period2"]) * NS_PER_SECOND
        days = int(query["range"].removesuffix("d")) if query["range"].endswith("d") else 30
        today_ns = self._market.now_ns // NS_PER_DAY * NS_PER_DAY
        return today_ns - (days - 1) * NS_PER_DAY, self._market.now_ns + 1

    def _is_regular(self, opened_ns: int) -> bool:
        return self._opens_ns <= opened_ns % NS_PER_DAY < self._closes_ns

    def _period(self, day: int) -> dict[str, Any]:
        start_ns = day * NS_PER_DAY + self._opens_ns
        return {
            "timezone": "UTC",
            "gmtoffset": 0,
            "start": start_ns // NS_PER_SECOND,
            "end": (start_ns + self._closes_ns - self._opens_ns) // NS_PER_SECOND,
        }

    def _meta(
        self, symbol: str, currency: str, interval: str, days: Sequence[int]
    ) -> dict[str, Any]:
        today = self._period(self._market.now_ns // NS_PER_DAY)
        periods = [[self._period(day)] for day in days] or [[today]]
        return {
            "currency": currency,
            "symbol": symbol,
            "exchangeName": "LOCAL",
            "instrumentType": "EQUITY",
            "firstTradeDate": 0,
            "regularMarketTime": self._market.now_ns // NS_PER_SECOND,
            "gmtoffset": 0,
            "timezone": "UTC",
            "exchangeTimezoneName": "UTC",
            "priceHint": 2,
            "currentTradingPeriod": {"pre": today, "regular": today, "post": today},
            "tradingPeriods": periods,
            "dataGranularity": interval,
            "range": "",
            "validRanges": _RANGES,
        }


def _refusal(code: str, words: str, status: int) -> web.Response:
    error = {"code": code, "description": words}
    return json_answer({"chart": {"result": None, "error": error}}, status=status)


def _shell(symbol: str) -> dict[str, Any]:
    """The chart of a name that is none."""
    meta = {"currency": None, "symbol": symbol, "instrumentType": "ECNQUOTE"}
    meta |= {"firstTradeDate": None, "regularMarketTime": None, "exchangeTimezoneName": "UTC"}
    return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}


def _columns(candles: Sequence[Candle]) -> dict[str, list[Any]]:
    """The rows column by column; a row without a price is null in all of them, as there."""
    return {
        "open": [_single(each.open) for each in candles],
        "high": [_single(each.high) for each in candles],
        "low": [_single(each.low) for each in candles],
        "close": [_single(each.close) for each in candles],
        "volume": [int(float(each.volume)) if each.open else None for each in candles],
    }


def _single(text: str) -> float | None:
    """A price after its way through a 32-bit float."""
    if not text:
        return None
    (value,) = struct.unpack("f", struct.pack("f", float(text)))
    return float(value)
