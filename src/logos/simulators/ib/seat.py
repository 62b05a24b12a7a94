"""One client that is connected to the simulated gateway."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from logos.simulators.ib.answers import LIVE
from logos.simulators.ib.contracts import Listing
from logos.simulators.ib.wire import frame


@dataclass(eq=False)
class Seat:
    """One connected client."""

    writer: asyncio.StreamWriter
    client_id: int = -1
    data_kind: int = LIVE
    has_listed_all: bool = False
    is_cut: bool = False
    """Nothing more is said."""
    subscriptions: dict[str, tuple[Listing, int]] = field(default_factory=dict)
    """Quotes by request: of what, and of which kind."""
    tapes: dict[str, tuple[Listing, int]] = field(default_factory=dict)
    """Trades one by one."""
    bars: dict[str, Listing] = field(default_factory=dict)

    @property
    def has_started(self) -> bool:
        return self.client_id >= 0

    def forget(self, request_id: str) -> None:
        """End a subscription."""
        self.subscriptions.pop(request_id, None)
        self.tapes.pop(request_id, None)
        self.bars.pop(request_id, None)

    def forget_all(self) -> None:
        """End every subscription."""
        self.subscriptions.clear()
        self.tapes.clear()
        self.bars.clear()

    def say(self, *messages: list[object]) -> None:
        """Send messages, unless the client is gone."""
        for message in messages:
            if not self.is_cut and not self.writer.is_closing():
                self.writer.write(frame(*message))
