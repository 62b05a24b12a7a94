"""A chart endpoint of bars in the shape of Yahoo Finance's, as yfinance asks for it.

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
_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


class YahooShape:
    """Adds the endpoint to an exchange: `YahooShape(exchange)`, before it is started.

    `opens_minute` and `closes_minute` bound the regular session, in minutes of the UTC day.
    """

    def __init__(
        self, exchange: Exchange, opens_minute: int = 13 * 60 + 30, closes_minute: int = 20 * 60
    ) -> None:
        self._market = exchange.market
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
        if listing is None:
            words = "No data found, symbol may be delisted"
            error = {"code": "Not Found", "description": words}
            return json_answer({"chart": {"result": None, "error": error}}, status=404)
        interval = request.query.get("interval", "1d")
        start_ns, end_ns = self._asked(request)
        candles = listing.candles(start_ns, self._market.now_ns, _INTERVALS_NS[interval])
        candles = [each for each in candles if each.opened_ns < end_ns]
        if request.query.get("includePrePost", "false").lower() != "true":
            candles = [each for each in candles if self._is_regular(each.opened_ns)]
        rule = request.get(FAULT_KEY)
        candles = spoil_rows(candles, None if rule is None else rule.fault)
        days = sorted({each.opened_ns // NS_PER_DAY for each in candles})
        result = {
            "meta": self._meta(symbol, listing.quote, interval, days),
            "timestamp": [each.opened_ns // NS_PER_SECOND for each in candles],
            "indicators": {"quote": [_columns(candles)]},
        }
        return json_answer({"chart": {"result": [result], "error": None}})

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
