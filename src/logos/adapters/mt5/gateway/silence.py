"""When a terminal counts as dead: it left something unanswered, and answered nothing for too long.

The moment is not left to the next request that fails: that may be waited for longer than the
silence may last. A task of its own finds the terminal dead when the time is over, while requests
still wait; another, the heartbeat, asks before that whenever nobody else did. If one of the two
ends, the terminal counts as dead too: nobody would find out any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter_ns
from typing import Final

from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.core.clock import Clock
from logos.venues.contract import VenueError

_NS: Final = 1_000_000_000
_LOOK_S: Final = 0.02


class Silence:
    """How long one terminal has been silent, and whether it is dead. `on_dead` takes the reason."""

    def __init__(
        self,
        settings: GatewaySettings,
        clock: Clock,
        ask: Callable[[], Awaitable[None]],
        on_dead: Callable[[str], None],
    ) -> None:
        """`ask` puts a question to the terminal; it raises VenueError."""
        self._dead_after_ns = round(settings.dead_after_s * _NS)
        self._ask_after_ns = round(min(settings.heartbeat_s, settings.dead_after_s / 2) * _NS)
        self._pause_s = settings.heartbeat_s / 4
        self._clock = clock
        self._ask = ask
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._on_dead = on_dead
        self._last_answer_ns = perf_counter_ns()
        self._asked_ns = 0
        self._words = ""
        """What was left unanswered since the last answer; empty: nothing."""
        self._has_failed = False
        self.is_dead = False

    def begin(self) -> None:
        """The connection was made: silence counts from here."""
        self._last_answer_ns = perf_counter_ns()
        self._words = ""
        self._has_failed = False

    def asked(self) -> None:
        """Something has left for the terminal. In the gateway's thread."""
        self._asked_ns = perf_counter_ns()
        self._words = self._words or "a request is not answered"

    def failed(self, words: str) -> None:
        """Something was not answered in its time, or could not even be sent."""
        self._words = words or "a request failed"
        self._has_failed = True
        self._judge()

    def answered(self, at_ns: int) -> bool:
        """The terminal answered, at that moment (`perf_counter_ns`); whether it had been dead."""
        self._last_answer_ns = max(at_ns, self._last_answer_ns)
        self._words = "a request is not answered" if self._asked_ns > at_ns else ""
        self._has_failed = False
        was_dead, self.is_dead = self.is_dead, False
        return was_dead

    def start(self) -> None:
        """Begin to ask and to watch, in the running loop."""
        self._tasks = (
            asyncio.create_task(self._beat(), name="mt5 heartbeat"),
            asyncio.create_task(self._watch(), name="mt5 silence"),
        )
        for task in self._tasks:
            task.add_done_callback(self._on_end)

    async def stop(self) -> None:
        """End both; stopping again does nothing."""
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task in self._tasks:  # whoever stops them lets go of them first
            why = "it was cancelled" if task.cancelled() else repr(task.exception())
            what = "heartbeat" if task is self._tasks[0] else "watch over its silence"
            self.die(f"the {what} ended: {why}")

    def die(self, reason: str) -> None:
        """It is dead, for this reason."""
        self.is_dead = True
        self._on_dead(reason)

    async def _beat(self) -> None:
        """Ask whenever nothing was answered for a while."""
        while True:
            idle_ns = perf_counter_ns() - self._last_answer_ns
            if idle_ns < self._ask_after_ns and not self._has_failed:
                await self._clock.sleep((self._ask_after_ns - idle_ns) / _NS)
                continue
            try:
                await self._ask()
            except VenueError:
                # Counted where it failed; the pause keeps a full queue from being asked in a spin.
                await self._clock.sleep(self._pause_s)

    def _judge(self) -> None:
        silent_ns = perf_counter_ns() - self._last_answer_ns
        if not self.is_dead and self._words and silent_ns >= self._dead_after_ns:
            self.die(
                f"the terminal has answered nothing for {silent_ns / _NS:.1f} s: {self._words}"
            )

    async def _watch(self) -> None:
        """Find it dead in time, for ever."""
        while True:
            left_ns = self._last_answer_ns + self._dead_after_ns - perf_counter_ns()
            if left_ns > 0:
                await self._clock.sleep(left_ns / _NS)
                continue
            self._judge()
            await self._clock.sleep(_LOOK_S)
