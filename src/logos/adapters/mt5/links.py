"""One gateway, a feed of its own for every symbol.

The problem: all symbols' candles and prices come out of one port, and whoever reads it reads for
all. A feed of many symbols that has to ask one symbol's history lets all others wait meanwhile.

The method: one task reads the port and hands each frame to its symbol's link; every symbol has a
feed of its own on that link, in a task of its own. What waits for a slow feed is bounded, and the
newest is kept: of prices a few, because an old one is worth nothing; of candles many, though one
that does not follow on only makes the feed ask for what lies between. Frames of the whole terminal
(DISCONNECTED) go to every link.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Protocol

from logos.adapters.mt5.gateway.bell import Bell
from logos.adapters.mt5.subscriptions import Subscriptions

_WAITING_MAX = 1024
_READ_S = 1.0


class Shared(Protocol):
    """What the links need of `logos.adapters.mt5.gateway.gateway.Gateway`."""

    lives: int

    async def open(self) -> None: ...

    async def request(self, symbol: str, fields: Mapping[str, object]) -> dict[str, Any]: ...

    async def next_live(self, timeout_s: float) -> dict[str, Any] | None: ...


class SymbolLink:
    """One symbol's way to the terminal: `logos.adapters.mt5.feed.TerminalLink`."""

    def __init__(self, hub: SymbolLinks, symbol: str, waiting_max: int) -> None:
        self._hub = hub
        self.symbol = symbol
        self._waiting_max = waiting_max
        self._frames: deque[dict[str, Any]] = deque(maxlen=waiting_max)
        self._arrived = Bell()
        self._silence_s = 0.0
        self.lives = 0
        """How often the terminal came back or all subscriptions were ended, as of the latest frame
        or silence."""
        self.overwritten = 0
        """Frames that newer ones took the place of."""

    async def open(self) -> None:
        """Open the gateway; whoever comes second waits for the first. Raises OSError."""
        await self._hub.open()

    async def request(self, symbol: str, fields: Mapping[str, object]) -> dict[str, Any]:
        """Send one request through the gateway and return the answer. Raises OSError.

        A subscription (CONFIG) is made once in each life of the terminal (`subscriptions`); one
        whose answer was lost counts as made if frames come.
        """
        if fields.get("action") != "CONFIG":
            return await self._hub.gateway.request(symbol, fields)
        subscriptions = self._hub.subscriptions
        try:
            return await subscriptions.make(symbol, fields, self._silence_s)
        except OSError:
            frame = await self._next(_READ_S)
            if frame is None:
                raise
            self._frames.appendleft(frame)
            subscriptions.made(symbol, fields)
            return {"error": False}

    async def next_live(self, timeout_s: float) -> dict[str, Any] | None:
        """The symbol's next frame; None when none came for so long, or all subscriptions ended."""
        self._silence_s = timeout_s
        return await self._next(timeout_s)

    async def _next(self, timeout_s: float) -> dict[str, Any] | None:
        if not self._frames:
            await self._arrived.wait(timeout_s)
        self.lives = self._hub.lives
        return self._frames.popleft() if self._frames else None

    def wake(self) -> None:
        """Have whoever waits for a frame look again."""
        self._arrived.ring()

    def take(self, frame: dict[str, Any]) -> None:
        """A frame for this symbol."""
        if len(self._frames) == self._waiting_max:
            self.overwritten += 1
        self._frames.append(frame)
        self._arrived.ring()


class SymbolLinks:
    """The links of some symbols, by the terminal's names, and the task that serves them."""

    def __init__(
        self, gateway: Shared, symbols: Iterable[str], waiting_max: int = _WAITING_MAX
    ) -> None:
        """`waiting_max` frames of each symbol may wait."""
        self.gateway = gateway
        self.links = {symbol: SymbolLink(self, symbol, waiting_max) for symbol in symbols}
        self.strangers = 0
        """Frames of symbols that nobody asked for, or of none where there are several."""
        self._opening = asyncio.Lock()
        self.subscriptions = Subscriptions(gateway, monotonic, self._on_reset)

    @property
    def overwritten(self) -> int:
        """Frames that newer ones took the place of, of all symbols."""
        return sum(link.overwritten for link in self.links.values())

    @property
    def lives(self) -> int:
        """How often subscriptions may have ended: the terminal came back, or was told to forget."""
        return self.gateway.lives + self.subscriptions.resets

    def _on_reset(self) -> None:
        for link in self.links.values():
            link.wake()

    async def open(self) -> None:
        """Open the gateway, once at a time. Raises OSError."""
        async with self._opening:
            await self.gateway.open()

    async def run(self) -> None:
        """Read the port for ever; while the gateway is not open, wait for that."""
        while True:
            try:
                frame = await self.gateway.next_live(_READ_S)
            except OSError:
                # Not open yet, or it failed: the feeds ask for it to be opened, and say so.
                await asyncio.sleep(_READ_S / 10)
                continue
            if frame is not None:
                self._route(frame)

    def _route(self, frame: dict[str, Any]) -> None:
        self.subscriptions.heard()
        symbol = frame.get("symbol")
        if frame.get("status") == "DISCONNECTED":
            for link in self.links.values():
                link.take(frame)
        elif symbol is None and len(self.links) == 1:
            next(iter(self.links.values())).take(frame)
        elif isinstance(symbol, str) and symbol in self.links:
            self.links[symbol].take(frame)
        else:
            self.strangers += 1
