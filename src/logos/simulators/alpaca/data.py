"""Market data of the local broker over HTTP, in the shape of Alpaca's market data API.

docs.alpaca.markets/reference/stockbars, /stocktrades, /stocklatestquotes, /cryptobars-1 and their
neighbours: answers by symbol, oldest first, 1000 rows unless `limit` says otherwise (10000 at
most), sorted by symbol before time; `next_page_token` leads on. A symbol of which there is nothing
is left out. Figures are JSON numbers, times have nanoseconds. A quote's missing side is 0.
docs.alpaca.markets/docs/market-data-faq: 403 for wrong keys, and for recent SIP data without a
subscription. Which feeds of shares there are, for the latest and for the past:
docs.alpaca.markets/openapi/market-data-api.json, "stock_latest_feed", "stock_historical_feed".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from aiohttp import web

from logos.simulators.alpaca.book import NS, Denied, moment_ns, text_of
from logos.simulators.alpaca.limits import RateLimit
from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.market import Candle, Listing, Print, Top
from logos.simulators.exchange.server import FAULT_KEY, Exchange, Handler, json_answer

_LIMIT: Final = 1_000
_LIMIT_MAX: Final = 10_000
_MINUTE_NS: Final = 60 * NS
_LATEST_FEEDS: Final = ("delayed_sip", "iex", "otc", "sip", "boats", "overnight")
_PAST_FEEDS: Final = ("iex", "otc", "sip", "boats")
_UNITS: Final = {"Min": _MINUTE_NS, "Hour": 60 * _MINUTE_NS, "Day": 1_440 * _MINUTE_NS}

Row = dict[str, Any]


class AlpacaData:
    """Adds market data to an exchange; make it before the exchange is started.

    `has_sip` is whether the subscription covers more than IEX. `corrected` holds bars that were
    recalculated after they were told, by symbol and open.
    """

    def __init__(
        self, exchange: Exchange, key: str, secret: str, *, requests_a_minute: int = 200
    ) -> None:
        self.exchange = exchange
        self._keys = (key, secret)
        self.has_sip = False
        self.limit = RateLimit(requests_a_minute)
        self.corrected: dict[tuple[str, int], Row] = {}
        routes = []
        for root in ("/v2/stocks", "/v1beta3/crypto/us"):
            latest = "{kind}/latest" if root == "/v2/stocks" else "latest/{kind}"
            routes += [
                web.get(f"{root}/{latest}", self._guarded(self._latest)),
                web.get(f"{root}/{{kind:bars|trades|quotes}}", self._guarded(self._history)),
            ]
        exchange.add_routes(routes)

    def is_key(self, key: str, secret: str) -> bool:
        """Whether these are the account's."""
        return (key, secret) == self._keys

    def bars(self, listing: Listing, start_ns: int, interval_ns: int) -> list[Row]:
        """The bars from then on, as they are told now; the open one last."""
        now_ns = self.exchange.market.now_ns
        return [
            self.corrected.get((listing.market_id, each.opened_ns), bar_row(each))
            for each in listing.candles(start_ns, now_ns, interval_ns)
            if each.opened_ns >= start_ns
        ]

    # ---- requests ----

    def _guarded(self, answer: Callable[[web.Request], Any]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            now_ns = self.exchange.market.now_ns + self.exchange.market.skew_ns
            headers = request.headers
            try:
                keys = headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", "")
                if not self.is_key(*keys):
                    raise Denied(403, 0, "forbidden")
                self.limit.take(now_ns)
                response = json_answer(answer(request))
            except Denied as denied:
                response = json_answer({"message": str(denied)}, denied.status)
            response.headers.update(self.limit.headers())
            moment = datetime.fromtimestamp(now_ns // NS, UTC)
            response.headers["Date"] = format_datetime(moment, usegmt=True)
            return response

        return handle

    def _listings(self, request: web.Request, feeds: Sequence[str]) -> list[Listing]:
        """Those that are asked for and known, sorted. Raises Denied."""
        if "/stocks/" in request.path:
            feed = request.query.get("feed", "sip" if self.has_sip else "iex")
            if feed not in feeds:
                raise Denied(400, 0, f"invalid feed: {feed}")
            if feed == "sip" and not self.has_sip:
                raise Denied(403, 0, "subscription does not permit querying recent SIP data")
        names = request.query.get("symbols", "").split(",")
        for name in names:
            if not name or not name.replace("/", "").replace(".", "").isalnum():
                raise Denied(400, 0, f"invalid symbol: {name}")
        known = self.exchange.market.listings
        is_coin = "/crypto/" in request.path
        return [known[name] for name in sorted(names) if name in known and ("/" in name) == is_coin]

    def _latest(self, request: web.Request) -> Row:
        kind = request.match_info["kind"]
        now_ns = self.exchange.market.now_ns
        found: Row = {}
        for listing in self._listings(request, _LATEST_FEEDS):
            top, prints = listing.top_at(now_ns), listing.prints_until(now_ns)
            if kind == "quotes" and top is not None:
                found[listing.market_id] = quote_row(top)
            elif kind == "trades" and prints:
                found[listing.market_id] = trade_row(listing, prints[-1])
        return {kind: found}

    def _history(self, request: web.Request) -> Row:
        query, kind = request.query, request.match_info["kind"]
        rule = request.get(FAULT_KEY)
        rows: list[tuple[str, Row]] = []
        for listing in self._listings(request, _PAST_FEEDS):
            found = self._rows(listing, kind, query)
            found = spoil_rows(found, None if rule is None else rule.fault)
            rows += [(listing.market_id, row) for row in found]
        first = _offset(query["page_token"]) if query.get("page_token") else 0
        limit = min(int(query.get("limit", _LIMIT)), _LIMIT_MAX)
        page = rows[first : first + limit]
        by_symbol: dict[str, list[Row]] = {}
        for name, row in page:
            by_symbol.setdefault(name, []).append(row)
        more = first + limit < len(rows)
        return {kind: by_symbol, "next_page_token": _token(first + limit) if more else None}

    def _rows(self, listing: Listing, kind: str, query: Mapping[str, str]) -> list[Row]:
        start_ns = moment_ns(query["start"]) if "start" in query else 0
        now_ns = self.exchange.market.now_ns
        end_ns = moment_ns(query["end"]) if "end" in query else now_ns
        if kind == "bars":
            bars = self.bars(listing, start_ns, interval_of(query["timeframe"]))
            return [row for row in bars if moment_ns(row["t"]) <= end_ns]
        if kind == "trades":
            prints = listing.prints_until(min(now_ns, end_ns))
            return [trade_row(listing, each) for each in prints if each.ts_ns >= start_ns]
        tops = [each for each in listing.tops if start_ns <= each.ts_ns <= min(now_ns, end_ns)]
        return [quote_row(each) for each in tops]


def interval_of(timeframe: str) -> int:
    """`5Min` in nanoseconds. Raises Denied."""
    number = timeframe.rstrip("MinHourDay")
    unit = _UNITS.get(timeframe[len(number) :])
    if unit is None or not number.isdecimal():
        raise Denied(400, 0, f"invalid timeframe: {timeframe}")
    return int(number) * unit


def bar_row(each: Candle) -> Row:
    """A bar, labelled by its beginning (forum.alpaca.markets/t/8947)."""
    return {
        "t": text_of(each.opened_ns),
        "o": _figure(each.open),
        "h": _figure(each.high),
        "l": _figure(each.low),
        "c": _figure(each.close),
        "v": _figure(each.volume),
        "n": each.trades,
        "vw": _figure(each.close),
    }


def quote_row(top: Top) -> Row:
    """The best prices; a side that nobody quotes is 0."""
    return {
        "t": text_of(top.ts_ns),
        "bp": _figure(top.bid or "0"),
        "bs": _figure(top.bid_size or "0"),
        "ap": _figure(top.ask or "0"),
        "as": _figure(top.ask_size or "0"),
    }


def trade_row(listing: Listing, each: Print) -> Row:
    """A trade; one in coins says who took."""
    row: Row = {
        "t": text_of(each.ts_ns),
        "p": _figure(each.price),
        "s": _figure(each.size),
        "i": each.trade_id,
    }
    if "/" in listing.market_id:
        return row | {"tks": each.side[:1]}
    return row | {"x": "V", "c": ["@"], "z": "C"}


def _figure(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(offset).encode()).decode()


def _offset(token: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(token)))
    except ValueError:
        raise Denied(400, 0, "invalid page token") from None
