"""The stream of order updates of the local broker, in the shape of Alpaca's `trade_updates`.

docs.alpaca.markets/docs/websocket-streaming: a client connects to /stream, says who it is, listens
to `trade_updates` and is sent an event whenever one of its orders changes. The paper account sends
binary frames that hold JSON. Nothing of what happened before is sent; what happens while nobody is
connected is not sent later.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.server import Exchange


@dataclass(eq=False, slots=True)
class _Listener:
    request: web.Request
    socket: web.WebSocketResponse
    is_authorized: bool = False
    is_listening: bool = False
    is_silent: bool = False
    waiting: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)


class TradeUpdates:
    """Adds /stream to an exchange; `is_key` says whether a key and its secret are right."""

    def __init__(self, exchange: Exchange, is_key: Callable[[str, str], bool]) -> None:
        self._exchange = exchange
        self._is_key = is_key
        self._listeners: list[_Listener] = []
        self.is_binary = True
        self.told = 0
        """How many events there were, heard or not."""
        self.sent = 0
        exchange.add_routes([web.get("/stream", self._connect)])

    @property
    def listening(self) -> int:
        """How many connections listen."""
        return sum(each.is_listening for each in self._listeners)

    def tell(self, event: str, order: Mapping[str, Any], **facts: str) -> None:
        """Send an event to whoever listens."""
        self.told += 1
        message = {"stream": "trade_updates", "data": {"event": event, "order": order, **facts}}
        for each in self._listeners:
            if each.is_listening:
                each.waiting.put_nowait(message)

    def disconnect_all(self) -> int:
        """Reset every connection; how many there were."""
        listeners, self._listeners = self._listeners, []
        for each in listeners:
            if each.request.transport is not None:
                each.request.transport.abort()
        return len(listeners)

    async def ping(self) -> None:
        """Ping every connection."""
        for each in self._listeners:
            await each.socket.ping(b"alive")

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        listener = _Listener(request, socket)
        self._listeners.append(listener)
        writer = asyncio.ensure_future(self._write(listener))
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._answer(listener, json.loads(message.data))
                    self._exchange.heard.set()
        finally:
            writer.cancel()
            if listener in self._listeners:
                self._listeners.remove(listener)
        return socket

    def _answer(self, listener: _Listener, words: dict[str, Any]) -> None:
        action = words.get("action")
        if action in ("auth", "authenticate"):
            # The older form has the keys under `data`.
            held = words.get("data") or words
            key = str(held.get("key_id") or held.get("key"))
            secret = str(held.get("secret_key") or held.get("secret"))
            listener.is_authorized = self._is_key(key, secret)
            status = "authorized" if listener.is_authorized else "unauthorized"
            data = {"action": action, "status": status}
            listener.waiting.put_nowait({"stream": "authorization", "data": data})
        elif action == "listen" and listener.is_authorized:
            asked = (words.get("data") or {}).get("streams") or []
            listener.is_listening = "trade_updates" in asked
            streams = ["trade_updates"] if listener.is_listening else []
            listener.waiting.put_nowait({"stream": "listening", "data": {"streams": streams}})
        else:
            data = {"action": str(action), "status": "unauthorized"}
            listener.waiting.put_nowait({"stream": "authorization", "data": data})

    async def _write(self, listener: _Listener) -> None:
        while True:
            message = await listener.waiting.get()
            fault = None
            if message["stream"] == "trade_updates":
                rule = self._exchange.faults.next(f"WS {message['data']['event']}")
                fault = None if rule is None else rule.fault
            if fault is Fault.RESET_BEFORE:
                if listener.request.transport is not None:
                    listener.request.transport.abort()
                return
            if fault is Fault.TIMEOUT_BEFORE:
                listener.is_silent = True
            if fault is Fault.GAP or listener.is_silent or listener.socket.closed:
                continue
            text = json.dumps(message)
            if fault is Fault.MALFORMED:
                text = "<html>not JSON</html>"
            for _ in range(2 if fault is Fault.DUPLICATE else 1):
                self.sent += 1
                if self.is_binary:
                    await listener.socket.send_bytes(text.encode())
                else:
                    await listener.socket.send_str(text)
