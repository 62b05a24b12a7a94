"""The contract of a channel: it takes a message, or says in words why it could not."""

from __future__ import annotations

from typing import Protocol

from logos.errors import LogosError
from logos.observe.alerts.alert import Message


class DeliveryError(LogosError):
    """A message was not taken, or nobody knows; it is tried again. No word of it is secret."""


class Channel(Protocol):
    """One way to tell people. For one thread; it may wait no longer than its time limit."""

    def deliver(self, message: Message) -> None:
        """Hand the message over. Raises DeliveryError."""
