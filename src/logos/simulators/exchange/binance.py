"""Market data endpoints in the shape of Binance's spot API, as ccxt's adapter for it asks them.

Rows, ids, times and limits follow the public documentation of that API: times in milliseconds,
figures as text, aggregate trades under consecutive ids, at most 1,000 rows an answer. Times that
are told are the market's plus its skew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import BINANCE, Count, Limits, Met
from logos.simulators.exchange.market import NS_PER_MS, Listing, Print, Top
from logos.simulators.exchange.server import FAULT_KEY, Exchange, json_answer

_ROWS_MAX = 1_000
_ROWS_DEFAULT = 500
_INTERVALS_MS = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000, "1d": 86_400_000}


class BinanceShape:
    """Adds the endpoints to an exchange: `BinanceShape(exchange)`, before it is started."""

    def __init__(self, exchange: Exchange) -> None:
        self._market = exchange.market
        exchange.limits = Limits(BINANCE, self._now_ms, _told_limits, _too_many)
        exchange.add_routes(
            [
                web.get("/api/v3/ping", self._ping),
                web.get("/api/v3/time", self._time),
                web.get("/api/v3/exchangeInfo", self._exchange_info),
                web.get("/api/v3/depth", self._depth),
                web.get("/api/v3/ticker/bookTicker", self._book_ticker),
                web.get("/api/v3/trades", self._trades),
                web.get("/api/v3/historicalTrades", self._trades),
                web.get("/api/v3/aggTrades", self._aggregate_trades),
                web.get("/api/v3/klines", self._klines),
            ]
        )

    def _now_ms(self) -> int:
        return (self._market.now_ns + self._market.skew_ns) // NS_PER_MS

    def _listing(self, request: web.Request) -> Listing:
        listing = self._market.listings.get(request.query.get("symbol", ""))
        if listing is None or not listing.is_trading:
            raise web.HTTPBadRequest(
                text=json.dumps({"code": -1121, "msg": "Invalid symbol."}),
                content_type="application/json",
            )
        return listing

    async def _ping(self, _request: web.Request) -> web.Response:
        return json_answer({})

    async def _time(self, _request: web.Request) -> web.Response:
        return json_answer({"serverTime": self._now_ms()})

    async def _exchange_info(self, _request: web.Request) -> web.Response:
        symbols = [_symbol_info(each) for each in self._market.listings.values()]
        return json_answer(
            {
                "timezone": "UTC",
                "serverTime": self._now_ms(),
                "rateLimits": [],
                "exchangeFilters": [],
                "symbols": symbols,
            }
        )

    async def _depth(self, request: web.Request) -> web.Response:
        listing = self._listing(request)
        latest = listing.top_at(self._market.now_ns)
        top = self._market_top(request, listing)
        return json_answer(
            {
                "lastUpdateId": 0 if latest is None else latest.update_id,
                "bids": [[top.bid, top.bid_size]] if top is not None else [],
                "asks": [[top.ask, top.ask_size]] if top is not None else [],
            }
        )

    async def _book_ticker(self, request: web.Request) -> web.Response:
        if "symbols" not in request.query:
            return json_answer(self._ticker(request, self._listing(request)))
        names = json.loads(request.query["symbols"])
        listings = [self._market.listings[name] for name in names if name in self._market.listings]
        return json_answer([self._ticker(request, listing) for listing in listings])

    def _ticker(self, request: web.Request, listing: Listing) -> dict[str, str]:
        top = self._market_top(request, listing)
        bid, bid_size = (top.bid, top.bid_size) if top is not None else ("0", "0")
        ask, ask_size = (top.ask, top.ask_size) if top is not None else ("0", "0")
        figures = {"bidPrice": bid, "bidQty": bid_size, "askPrice": ask, "askQty": ask_size}
        return {"symbol": listing.market_id, **figures}

    def _market_top(self, request: web.Request, listing: Listing) -> Top | None:
        top = listing.top_at(self._market.now_ns)
        fault = _fault(request)
        if top is None or fault is Fault.EMPTY_BOOK:
            return None
        if fault is Fault.CROSSED_BOOK:
            return Top(top.ts_ns, top.update_id, top.ask, top.bid, top.bid_size, top.ask_size)
        return top

    async def _trades(self, request: web.Request) -> web.Response:
        prints = self._market_prints(request)
        rows = [_trade_row(each) for each in prints[-_limit(request) :]]
        return json_answer(spoil_rows(rows, _fault(request)))

    async def _aggregate_trades(self, request: web.Request) -> web.Response:
        prints = self._market_prints(request)
        limit = _limit(request)
        query = request.query
        if "fromId" in query:
            first = max(0, int(query["fromId"]) - 1)
            prints = prints[first : first + limit]
        elif "startTime" in query:
            start_ms, end_ms = int(query["startTime"]), int(query.get("endTime", 2**62))
            prints = [each for each in prints if start_ms <= each.ts_ns // NS_PER_MS <= end_ms][
                :limit
            ]
        else:
            prints = prints[-limit:]
        return json_answer(spoil_rows([_aggregate_row(each) for each in prints], _fault(request)))

    def _market_prints(self, request: web.Request) -> Sequence[Print]:
        return self._listing(request).prints_until(self._market.now_ns)

    async def _klines(self, request: web.Request) -> web.Response:
        listing = self._listing(request)
        interval_ms = _INTERVALS_MS[request.query["interval"]]
        interval_ns = interval_ms * NS_PER_MS
        limit = _limit(request)
        start_ns = int(request.query.get("startTime", 0)) * NS_PER_MS
        # A bar belongs to the answer by its open time.
        start_ns = -(-start_ns // interval_ns) * interval_ns
        candles = listing.candles(start_ns, self._market.now_ns, interval_ns)
        if "endTime" in request.query:
            end_ns = int(request.query["endTime"]) * NS_PER_MS
            candles = [each for each in candles if each.opened_ns <= end_ns]
        candles = candles[:limit] if "startTime" in request.query else candles[-limit:]
        rows: list[list[Any]] = [
            [
                each.opened_ns // NS_PER_MS,
                each.open,
                each.high,
                each.low,
                each.close,
                each.volume,
                each.opened_ns // NS_PER_MS + interval_ms - 1,
                "0",
                each.trades,
                "0",
                "0",
                "0",
            ]
            for each in candles
        ]
        return json_answer(spoil_rows(rows, _fault(request)))


def _fault(request: web.Request) -> Fault | None:
    rule = request.get(FAULT_KEY)
    return None if rule is None else rule.fault


def _limit(request: web.Request) -> int:
    return min(_ROWS_MAX, int(request.query.get("limit", _ROWS_DEFAULT)))


def _trade_row(each: Print) -> dict[str, Any]:
    return {
        "id": each.trade_id,
        "price": each.price,
        "qty": each.size,
        "quoteQty": "0",
        "time": each.ts_ns // NS_PER_MS,
        "isBuyerMaker": each.side == "SELL",
        "isBestMatch": True,
    }


def _aggregate_row(each: Print) -> dict[str, Any]:
    return {
        "a": each.trade_id,
        "p": each.price,
        "q": each.size,
        "f": each.trade_id,
        "l": each.trade_id,
        "T": each.ts_ns // NS_PER_MS,
        "m": each.side == "SELL",
        "M": True,
    }


def _symbol_info(listing: Listing) -> dict[str, Any]:
    return {
        "symbol": listing.market_id,
        "status": "TRADING" if listing.is_trading else "BREAK",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": listing.tick,
                "maxPrice": "1000000.00000000",
                "tickSize": listing.tick,
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": listing.minimum_quantity,
                "maxQty": listing.maximum_quantity,
                "stepSize": listing.lot,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": listing.minimum_notional,
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": ["SPOT"],
    }


def _told_limits(met: Met) -> dict[str, str]:
    """rest-api.md: the weight is told in every answer, counts of orders in those of good orders."""
    told = {}
    for count in met.counts:
        used = str(count.used(met.now_ms))
        if count.limit.name == "weight":
            told["X-MBX-USED-WEIGHT-1M"] = used
        elif met.is_good:
            told[f"X-MBX-ORDER-COUNT-{count.limit.name}"] = used
    return told


def _too_many(count: Count, now_ms: int) -> web.Response:
    """errors.md -1003, and faqs/order_count_decrement.md: -1015; both with Retry-After."""
    much, name = count.limit.much, count.limit.name
    words = {
        "code": -1015,
        "msg": f"Too many new orders; current limit is {much} orders per {name}.",
    }
    if name == "weight":
        told = f"Too much request weight used; current limit is {much} request weight per 1 MINUTE."
        told += " Please use WebSocket Streams for live updates to avoid polling the API."
        words = {"code": -1003, "msg": told}
    response = json_answer(words, 429)
    response.headers["Retry-After"] = str(-(-(count.anew_ms(now_ms) - now_ms) // 1000))
    return response
