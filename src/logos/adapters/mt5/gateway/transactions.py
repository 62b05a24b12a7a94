"""What a terminal tells by itself, handed to whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from logos.adapters.mt5.gateway.failures import GatewayError

_PAUSE_S: Final = 0.05
_TELL_S: Final = 1.0

Listener = Callable[[Mapping[str, Any]], None]


class Port(Protocol):
    """What is needed of the gateway."""

    @property
    def has_ids(self) -> bool: ...

    async def next_transaction(self, timeout_s: float) -> dict[str, Any] | None: ...


class Listening:
    """One task that reads for ever; `on_dead` is told when it ends by itself."""

    def __init__(self, port: Port, on_dead: Callable[[str], None]) -> None:
        self._port = port
        self._on_dead = on_dead
        self._listener: Listener = lambda _: None
        self._task: asyncio.Task[None] | None = None

    def begin(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listener = listener
        if self._task is None:
            self._task = asyncio.create_task(self._tell(), name="mt5 transactions")
            self._task.add_done_callback(self._on_end)

    async def close(self) -> None:
        """End it; closing again does nothing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            if not self._port.has_ids:
                await asyncio.sleep(_PAUSE_S)
                continue
            try:
                frame = await self._port.next_transaction(_TELL_S)
            except GatewayError:  # it is opened anew, or was closed
                await asyncio.sleep(_PAUSE_S)
                continue
            if frame is not None:
                self._listener(frame)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task is self._task:
            why = "it was cancelled" if task.cancelled() else repr(task.exception())
            self._on_dead(f"the streaming port is not read any more: {why}")
