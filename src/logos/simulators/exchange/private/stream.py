"""What the private streams have in common: connections, who listens, and how a stream fails.

A client connects, says who it is and what it wants to hear, and is told whenever one of the
account's orders changes. Nothing of what happened before is told, nor what happens while nobody is
connected. Faults of a message are asked for under the line "WS NEW", "WS TRADE", "WS CANCELED":
it can come twice, never, as rubbish, or not at all because the connection is reset or falls silent.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from logos.simulators.exchange.account import Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.server import Exchange


@dataclass(eq=False, slots=True)
class Listener:
    """One connection."""

    request: web.Request
    socket: web.WebSocketResponse
    is_signed_in: bool = False
    is_listening: bool = False
    is_silent: bool = False
    waiting: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)
    """What is to be sent: the event it is about (empty: an answer), and the text."""

    def say(self, words: object, event: str = "") -> None:
        """Send an answer, or news of an event; text goes as it is."""
        text = words if isinstance(words, str) else json.dumps(words)
        self.waiting.put_nowait((event, text))


class PrivateStream(ABC):
    """One exchange's stream: `PrivateStream(exchange, account, key, secret)`, before it starts."""

    path: ClassVar[str]

    def __init__(
        self, exchange: Exchange, account: SpotAccount, key: str, secret: str, password: str = ""
    ) -> None:
        self.exchange = exchange
        self.account = account
        self.key, self.secret, self.password = key, secret, password
        self.listeners: list[Listener] = []
        self.told = 0
        """How many events there were, heard or not."""
        account.on_change.append(self._changed)
        exchange.add_routes([web.get(self.path, self._connect)])

    @property
    def listening(self) -> int:
        """How many connections listen."""
        return sum(each.is_listening for each in self.listeners)

    def disconnect_all(self) -> int:
        """Reset every connection; how many there were."""
        listeners, self.listeners = self.listeners, []
        for each in listeners:
            self._reset(each)
        return len(listeners)

    def fall_silent(self) -> None:
        """Answer nothing and tell nothing any more, and leave the connections open."""
        for each in self.listeners:
            each.is_silent = True

    # ---- what each exchange has of its own ----

    def greeting(self) -> list[object]:
        """What a new connection is told."""
        return []

    @abstractmethod
    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        """Answer a request."""

    def answer_to(self, text: str) -> str:  # noqa: ARG002 - others need it
        """The answer to a text that is no JSON; empty: none."""
        return ""

    @abstractmethod
    def news(self, order: PlacedOrder, event: str, execution: Execution | None) -> list[object]:
        """What is told of an event: NEW, TRADE (with its execution), CANCELED or EXPIRED."""

    # ---- what they share ----

    def _changed(self, order: PlacedOrder, event: str, execution: Execution | None) -> None:
        self.told += 1
        listening = [each for each in self.listeners if each.is_listening]
        for words in self.news(order, event, execution) if listening else ():
            for each in listening:
                each.say(words, event)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        # A silent exchange answers no ping either.
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        listener = Listener(request, socket)
        self.listeners.append(listener)
        writer = asyncio.ensure_future(self._write(listener))
        for words in self.greeting():
            listener.say(words)
        try:
            async for message in socket:
                self.exchange.heard.set()
                if listener.is_silent:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT and message.data.startswith("{"):
                    self.hear(listener, json.loads(message.data))
                elif message.type is WSMsgType.TEXT and self.answer_to(message.data):
                    listener.say(self.answer_to(message.data))
        finally:
            writer.cancel()
            if listener in self.listeners:
                self.listeners.remove(listener)
        return socket

    async def _write(self, listener: Listener) -> None:
        while True:
            event, text = await listener.waiting.get()
            rule = self.exchange.faults.next(f"WS {event}") if event else None
            fault = None if rule is None else rule.fault
            if fault is Fault.RESET_BEFORE:
                self._reset(listener)
                return
            if fault is Fault.TIMEOUT_BEFORE:
                listener.is_silent = True
            if fault is Fault.GAP or listener.is_silent or listener.socket.closed:
                continue
            if fault is Fault.MALFORMED:
                text = "{<html>not JSON</html>"
            for _ in range(2 if fault is Fault.DUPLICATE else 1):
                await listener.socket.send_str(text)

    @staticmethod
    def _reset(listener: Listener) -> None:
        if listener.request.transport is not None:
            listener.request.transport.abort()
