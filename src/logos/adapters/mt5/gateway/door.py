"""Where new orders leave: each meets the kill switch once more, in the step in which it is sent.

An order may have waited for seconds, for the lock or for what its venue had to ask first. What
closed the switch in that time closes it for this order for good, also if somebody has reset it
since: that shows by its epoch.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, NamedTuple

from logos.adapters.mt5.gateway.failures import TradeNotSent
from logos.core.outbox import SubmitOrder

Gate = Callable[[SubmitOrder], str]
"""Why a new order may not leave now; empty when it may."""


_ANSWER_S: Final = 1.0
"""How long the event loop may take to say whether an order reduces a position."""


def for_threads(is_safe: Callable[[], bool], gate: Gate) -> Gate:
    """A gate that any thread may ask, made in the loop whose books `gate` reads.

    While the switch `is_safe`, which is read anew each time, nothing else is needed. What may leave
    otherwise depends on positions and open orders, and only the loop may read those: it is asked,
    and a loop that does not answer keeps the order.
    """
    loop, home = asyncio.get_running_loop(), threading.get_ident()

    def ask(order: SubmitOrder, answer: Future[str]) -> None:
        try:
            answer.set_result(gate(order))
        except Exception as error:
            answer.set_exception(error)

    def closed(order: SubmitOrder) -> str:
        if is_safe():
            return ""
        if threading.get_ident() == home:
            return gate(order)
        answer: Future[str] = Future()
        loop.call_soon_threadsafe(ask, order, answer)
        try:
            return answer.result(_ANSWER_S)
        except TimeoutError:
            return "kill switch in the gateway: nobody could say whether the order may leave"

    return closed


class Leaving(NamedTuple):
    """A new order on its way, and the switch's epoch when it began to wait."""

    order: SubmitOrder
    epoch: int


class Door:
    """The door of one gateway; both of its questions may be set anew once the switch is known."""

    def __init__(self, gate: Gate, say: Callable[..., None]) -> None:
        self.gate = gate
        self.epoch: Callable[[], int] = lambda: 0
        """Which change of the switch is the latest, as of the latest look at it. `gate` is such a
        look; an order that begins to wait before anybody has seen a change is kept back by it."""
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
