"""Where new orders leave: each meets the kill switch once more, in the step in which it is sent.

An order may have waited for seconds, for the lock or for what its venue had to ask first. What
closed the switch in that time closes it for this order for good, also if somebody has reset it
since: that shows by its epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from logos.adapters.mt5.gateway.failures import TradeNotSent
from logos.core.outbox import SubmitOrder

Gate = Callable[[SubmitOrder], str]
"""Why a new order may not leave now; empty when it may."""


class Leaving(NamedTuple):
    """A new order on its way, and the switch's epoch when it began to wait."""

    order: SubmitOrder
    epoch: int


class Door:
    """The door of one gateway; both of its questions may be set anew once the switch is known."""

    def __init__(self, gate: Gate, say: Callable[..., None]) -> None:
        self.gate = gate
        self.epoch: Callable[[], int] = lambda: 0
        """Which change of the switch is the latest, as of now."""
        self._say = say

    def begin(self, order: SubmitOrder | None, epoch: int | None) -> Leaving | None:
        """An order begins to wait, or began at `epoch`; None for what is no new order."""
        if order is None:
            return None
        return Leaving(order, self.epoch() if epoch is None else epoch)

    def check(self, token: str, leaving: Leaving | None) -> None:
        """Raise TradeNotSent unless the order that carries `token` may leave now."""
        closed = self.why_kept_back(leaving)
        if closed:
            self._say("ORDER_KEPT_BACK", token=token, reason=closed)
            raise TradeNotSent(f"not sent: {closed}")

    def why_kept_back(self, leaving: Leaving | None) -> str:
        """Why an order may not leave now; empty when it may."""
        if leaving is None:
            return "no approved order comes with it"
        closed = self.gate(leaving.order)
        if not closed and self.epoch() != leaving.epoch:
            return "kill switch in the gateway: it changed while the order waited"
        return closed
