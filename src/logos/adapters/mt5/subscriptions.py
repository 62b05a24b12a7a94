"""What the terminal was asked to tell of, once each: the published Expert Advisor adds up.

Asked twice for a symbol it tells everything twice, and it forgets nothing but at RESET, which ends
all subscriptions (JsonAPI.mq5:498-503, 710-754). A client before this one may have left some. So
the first subscription in each life of the terminal comes after a RESET, what was asked for in this
life is not asked for again, and when nothing at all came for as long as a symbol waits (a restart
that nobody noticed looks like that), everything is asked for anew after another RESET.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

Reply = dict[str, Any]


class Terminal(Protocol):
    """What is needed of the gateway; its failures are OSErrors."""

    lives: int

    async def request(self, symbol: str, fields: Mapping[str, object]) -> Reply: ...


class Subscriptions:
    """The subscriptions of one process at one terminal. `now_s` is a clock that only goes on."""

    def __init__(
        self, terminal: Terminal, now_s: Callable[[], float], on_reset: Callable[[], None]
    ) -> None:
        """`on_reset` is called when all subscriptions have ended and must be made again."""
        self._terminal = terminal
        self._now_s = now_s
        self._on_reset = on_reset
        self._made = set[tuple[str, str]]()
        self._life = -1
        self._heard_s = 0.0
        self._resetting = asyncio.Lock()
        self.resets = 0
        """How often all of them were ended."""

    def heard(self) -> None:
        """A frame came, of whichever symbol: the terminal knows that it is subscribed to."""
        self._heard_s = self._now_s()

    async def make(self, symbol: str, fields: Mapping[str, object], silence_s: float) -> Reply:
        """Subscribe, if that was not done yet; `silence_s` is how long the symbol waits for a
        frame. Raises OSError."""
        key = (symbol, str(fields.get("chartTF")))
        async with self._resetting:
            is_silent = key in self._made and self._now_s() - self._heard_s >= silence_s
            if self._life != self._terminal.lives or is_silent:
                await self._reset()
        if key in self._made:
            return {"error": False}
        made_in = self.resets
        reply = await self._terminal.request(symbol, fields)
        if reply.get("error") is not True and self.resets == made_in:
            self._made.add(key)
        return reply

    def made(self, symbol: str, fields: Mapping[str, object]) -> None:
        """Frames come, so it is subscribed to, whatever became of the answer."""
        self._made.add((symbol, str(fields.get("chartTF"))))

    async def _reset(self) -> None:
        life = self._terminal.lives
        # A terminal that does not know the word says so: then nothing adds up there either.
        await self._terminal.request("", {"action": "RESET"})
        self._life = life
        self._made.clear()
        self._heard_s = self._now_s()
        self.resets += 1
        self._on_reset()
