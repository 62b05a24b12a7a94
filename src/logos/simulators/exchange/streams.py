"""Websocket streams in the shape of Binance's: subscribe, then hear of what happens.

Each event of the market goes to the connections that subscribed to its stream, in order. Faults
of a stream are asked for under the line "WS btcusdt@aggTrade", a message each, and of a new
connection under "GET /ws/": a message can come twice, late (after the next one), never, cut or as
rubbish; the connection can be reset, or stay open and fall silent for good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import NS_PER_MS, Listing, Print, Top
from logos.simulators.exchange.server import Exchange


@dataclass(eq=False, slots=True)
class _Connection:
    socket: web.WebSocketResponse
    request: web.Request
    streams: list[str] = field(default_factory=list)
    held: str = ""
    is_silent: bool = False


class BinanceStreams:
    """Adds the streams to an exchange: `BinanceStreams(exchange)`, before it is started."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._connections: list[_Connection] = []
        exchange.add_routes([web.get("/ws/{name:.*}", self._connect)])
        exchange.on_advance(self._publish)

    @property
    def subscriptions(self) -> list[str]:
        """The streams that anybody hears, one entry for each who does."""
        heard = [each for each in self._connections if not each.is_silent]
        return [stream for each in heard for stream in each.streams]

    def disconnect_all(self) -> int:
        """Reset every connection; how many there were."""
        count = len(self._connections)
        for connection in list(self._connections):
            self._reset(connection)
        return count

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        connection = _Connection(socket, request)
        self._connections.append(connection)
        try:
            async for message in socket:
                if connection.is_silent:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    await self._answer(connection, json.loads(message.data))
        finally:
            if connection in self._connections:
                self._connections.remove(connection)
        return socket

    async def _answer(self, connection: _Connection, words: dict[str, Any]) -> None:
        if words.get("method") == "SUBSCRIBE":
            connection.streams += words["params"]
        elif words.get("method") == "UNSUBSCRIBE":
            connection.streams = [s for s in connection.streams if s not in words["params"]]
        self._exchange.heard.set()
        await connection.socket.send_json({"result": None, "id": words.get("id")})

    async def _publish(self, before_ns: int, now_ns: int) -> None:
        if not self._connections:
            return
        for listing, event in self._exchange.market.between(before_ns, now_ns):
            for stream, text in self._messages(listing, event):
                for connection in list(self._connections):
                    if stream in connection.streams and not connection.is_silent:
                        await self._send(connection, stream, text)

    def _messages(self, listing: Listing, event: Top | Print) -> list[tuple[str, str]]:
        name = listing.market_id.lower()
        if isinstance(event, Top):
            return [(f"{name}@bookTicker", _dump(_book_ticker(listing, event)))]
        time_ms = (event.ts_ns + self._exchange.market.skew_ns) // NS_PER_MS
        return [
            (f"{name}@{kind}", _dump(_trade(kind, listing, event, time_ms)))
            for kind in ("aggTrade", "trade")
        ]

    async def _send(self, connection: _Connection, stream: str, text: str) -> None:
        rule = self._exchange.faults.next(f"WS {stream}")
        fault = None if rule is None else rule.fault
        if fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER):
            self._reset(connection)
            return
        if fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER):
            connection.is_silent = True
            return
        if fault is Fault.GAP:
            return
        if fault in (Fault.LATE, Fault.REORDERED):
            connection.held = text
            return
        texts = [text, text] if fault is Fault.DUPLICATE else [text]
        if fault is Fault.MALFORMED:
            texts = ["<html>not JSON</html>"]
        elif fault is Fault.TRUNCATED:
            texts = [text[: len(text) // 2]]
        if connection.held:
            texts.append(connection.held)
            connection.held = ""
        for each in texts:
            # A client that has just gone is no failure of the exchange.
            if not connection.socket.closed:
                await connection.socket.send_str(each)

    def _reset(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        if connection.request.transport is not None:
            connection.request.transport.abort()


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _book_ticker(listing: Listing, top: Top) -> dict[str, Any]:
    return {
        "u": top.update_id,
        "s": listing.market_id,
        "b": top.bid,
        "B": top.bid_size,
        "a": top.ask,
        "A": top.ask_size,
    }


def _trade(kind: str, listing: Listing, each: Print, time_ms: int) -> dict[str, Any]:
    words: dict[str, Any] = {
        "e": kind,
        "E": time_ms,
        "s": listing.market_id,
        "p": each.price,
        "q": each.size,
        "T": each.ts_ns // NS_PER_MS,
        "m": each.side == "SELL",
        "M": True,
    }
    ids = {"t": each.trade_id}
    if kind == "aggTrade":
        ids = {"a": each.trade_id, "f": each.trade_id, "l": each.trade_id}
    return words | ids
