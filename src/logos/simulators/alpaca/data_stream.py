"""Market data of the local broker by websocket, in the shape of Alpaca's streams.

docs.alpaca.markets/docs/streaming-market-data for the steps, the errors and their codes;
/docs/real-time-stock-pricing-data and /docs/real-time-crypto-pricing-data for the messages. A
client is greeted, says who it is, subscribes to channels and is told what it is subscribed to; data
comes in arrays. One connection is allowed for each endpoint. With `Content-Type:
application/msgpack` both sides speak MessagePack, in which times are its own. A minute bar is sent
right after its minute, a recalculated one as an `updatedBars` message about half a minute later
(forum.alpaca.markets/t/8947).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
from aiohttp import WSMsgType, web

from logos.simulators.alpaca.book import NS, moment_ns, text_of
from logos.simulators.alpaca.data import AlpacaData, Row, quote_row, trade_row
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import Listing, Print, Top

_MINUTE_NS: Final = 60 * NS
CHANNELS: Final = ("trades", "quotes", "bars", "updatedBars")
_ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    409: "insufficient subscription",
}


@dataclass(eq=False, slots=True)
class _Connection:
    request: web.Request
    socket: web.WebSocketResponse
    is_packed: bool
    is_authenticated: bool = False
    is_silent: bool = False
    held: list[Row] = field(default_factory=list)
    heard: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_coins(self) -> bool:
        return "/crypto/" in self.request.path


class AlpacaDataStream:
    """Adds the streams to the market data; make it before the exchange is started.

    `symbols_max` is how many symbols of trades and of quotes the subscription allows; 0: any.
    """

    def __init__(self, data: AlpacaData) -> None:
        self._data = data
        self._exchange = data.exchange
        self._connections: list[_Connection] = []
        self.connections_max = 1
        self.symbols_max = 0
        self._exchange.add_routes(
            [
                web.get("/v2/{feed:iex|sip}", self._connect),
                web.get("/v1beta3/crypto/us", self._connect),
            ]
        )
        self._exchange.on_advance(self._publish)

    @property
    def subscriptions(self) -> list[str]:
        """What anybody hears, "trades AAPL", one entry for each who does."""
        heard = [each for each in self._connections if not each.is_silent]
        return [
            f"{name} {symbol}"
            for each in heard
            for name in each.heard
            for symbol in each.heard[name]
        ]

    def disconnect_all(self) -> int:
        """Reset every connection; how many there were."""
        connections, self._connections = self._connections, []
        for each in connections:
            if each.request.transport is not None:
                each.request.transport.abort()
        return len(connections)

    async def correct(self, symbol: str, opened_ns: int, **figures: float) -> None:
        """A bar is recalculated: history has it from now on, and a message says so."""
        listing = self._exchange.market.listings[symbol]
        row = next(
            row
            for row in self._data.bars(listing, opened_ns, _MINUTE_NS)
            if moment_ns(row["t"]) == opened_ns
        )
        self._data.corrected[symbol, opened_ns] = row | figures
        await self._tell(symbol, "updatedBars", "u", row | figures)

    async def withdraw(self, symbol: str, trade_id: int) -> None:
        """A trade was a mistake: whoever hears the symbol's trades is told."""
        listing = self._exchange.market.listings[symbol]
        row = next(each for each in listing.prints if each.trade_id == trade_id)
        words = {"i": row.trade_id, "p": float(row.price), "s": float(row.size), "a": "C"}
        await self._tell(symbol, "trades", "x", words | {"t": text_of(row.ts_ns)})

    # ---- connections ----

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        is_packed = request.headers.get("Content-Type") == "application/msgpack"
        connection = _Connection(request, socket, is_packed)
        same = [each for each in self._connections if each.request.path == request.path]
        if len(same) >= self.connections_max:
            await self._error(connection, 406)
            await socket.close()
            return socket
        self._connections.append(connection)
        await self._send(connection, [{"T": "success", "msg": "connected"}])
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self._answer(connection, _read(message.data))
                    self._exchange.heard.set()
        finally:
            if connection in self._connections:
                self._connections.remove(connection)
        return socket

    async def _answer(self, connection: _Connection, words: Any) -> None:
        action = words.get("action") if isinstance(words, dict) else None
        if action == "auth":
            code = self._refused(connection, words)
            if code:
                await self._error(connection, code)
                return
            connection.is_authenticated = True
            await self._send(connection, [{"T": "success", "msg": "authenticated"}])
        elif action not in ("subscribe", "unsubscribe"):
            await self._error(connection, 400)
        elif not connection.is_authenticated:
            await self._error(connection, 401)
        else:
            await self._subscribe(connection, words, action == "subscribe")

    def _refused(self, connection: _Connection, words: Row) -> int:
        """The code of the error that signing in comes to; 0: none."""
        if connection.is_authenticated:
            return 403
        if not self._data.is_key(str(words.get("key")), str(words.get("secret"))):
            return 402
        return 409 if connection.request.path == "/v2/sip" and not self._data.has_sip else 0

    async def _subscribe(self, connection: _Connection, words: Row, is_more: bool) -> None:
        for channel in CHANNELS:
            asked = words.get(channel) or []
            rest = [each for each in connection.heard.get(channel, []) if each not in asked]
            limit = self.symbols_max if channel in ("trades", "quotes") else 0
            if is_more and limit and len(rest) + len(asked) > limit:
                await self._error(connection, 405)
                return
            connection.heard[channel] = rest + (asked if is_more else [])
        told: Row = {"T": "subscription", **connection.heard}
        if not connection.is_coins:
            # Withdrawn and corrected trades come with the trades.
            told |= dict.fromkeys(("corrections", "cancelErrors"), connection.heard["trades"])
        await self._send(connection, [told])

    async def _error(self, connection: _Connection, code: int) -> None:
        await self._send(connection, [{"T": "error", "code": code, "msg": _ERRORS[code]}])

    # ---- data ----

    async def _publish(self, before_ns: int, now_ns: int) -> None:
        if not self._connections:
            return
        ends: list[tuple[int, Listing, Top | Print | Row]] = [
            (event.ts_ns, listing, event)
            for listing, event in self._exchange.market.between(before_ns, now_ns)
        ]
        first_ns = before_ns // _MINUTE_NS * _MINUTE_NS
        for listing in self._exchange.market.listings.values():
            for row in self._data.bars(listing, first_ns, _MINUTE_NS):
                end_ns = moment_ns(row["t"]) + _MINUTE_NS
                if before_ns < end_ns <= now_ns:
                    ends.append((end_ns, listing, row))
        ends.sort(key=lambda each: each[0])
        for _, listing, event in ends:
            name = listing.market_id
            if isinstance(event, Top):
                await self._tell(name, "quotes", "q", quote_row(event))
            elif isinstance(event, Print):
                await self._tell(name, "trades", "t", trade_row(listing, event))
            else:
                await self._tell(name, "bars", "b", event)

    async def _tell(self, symbol: str, channel: str, kind: str, row: Row) -> None:
        point = {"T": kind, "S": symbol, **row}
        for connection in list(self._connections):
            if symbol in connection.heard.get(channel, []) and not connection.is_silent:
                await self._point(connection, f"WS {kind} {symbol}", point)

    async def _point(self, connection: _Connection, line: str, point: Row) -> None:
        rule = self._exchange.faults.next(line)
        fault = None if rule is None else rule.fault
        if fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER):
            self._connections.remove(connection)
            if connection.request.transport is not None:
                connection.request.transport.abort()
        elif fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER):
            connection.is_silent = True
        elif fault in (Fault.LATE, Fault.REORDERED):
            connection.held.append(point)
        elif fault is Fault.MALFORMED:
            await connection.socket.send_str("<html>not JSON</html>")
        elif fault is not Fault.GAP:
            points = [point, point] if fault is Fault.DUPLICATE else [point]
            points += connection.held
            connection.held = []
            await self._send(connection, points)

    async def _send(self, connection: _Connection, points: list[Row]) -> None:
        if connection.socket.closed:
            return
        if connection.is_packed:
            packed = [
                {**each, "t": _timestamp(each["t"])} if "t" in each else each for each in points
            ]
            await connection.socket.send_bytes(msgpack.packb(packed))
        else:
            await connection.socket.send_str(json.dumps(points))


def _read(data: str | bytes) -> Any:
    if isinstance(data, str):
        return json.loads(data)
    return msgpack.unpackb(data)


def _timestamp(text: str) -> Any:
    return msgpack.Timestamp.from_unix_nano(moment_ns(text))
