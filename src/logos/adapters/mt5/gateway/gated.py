"""A gateway whose orders meet the kill switch once more, at the very last moment.

The problem: between the gate that an order passes when it is handed to the venue and its first byte
lies the queue for the gateway's lock. With many symbols, or one that is slow, that may be seconds,
and a switch thrown in them would come too late for what already waits.

The method: the gate is asked again when the order has the lock and nothing is left but to send it.
So of a thousand orders that wait, at most the one that is being sent now still arrives. Cancels and
questions pass always. Every order kept back is one record in the gateway's log.
"""

from __future__ import annotations

from collections.abc import Callable

from logos.adapters.mt5.gateway.gateway import Gateway, Log, TradeNotSent
from logos.adapters.mt5.gateway.settings import CurveKeys, Endpoints, GatewaySettings
from logos.adapters.mt5.gateway.wire import Question, Reply
from logos.core.clock import Clock

Gate = Callable[[], str]
"""Why new orders may not leave now; empty when they may."""


class GatedGateway(Gateway):
    """See the module. `gate` may be set anew once the session's switch is known."""

    def __init__(
        self,
        endpoints: Endpoints,
        settings: GatewaySettings,
        clock: Clock,
        log: Log,
        on_dead: Callable[[str], None],
        curve: CurveKeys | None = None,
        gate: Gate = lambda: "no session has begun",
    ) -> None:
        """As `Gateway`; a closed `gate` makes a new order TradeNotSent."""
        super().__init__(endpoints, settings, clock, log, on_dead, curve)
        self.gate = gate

    async def _ask(self, question: Question) -> Reply:
        if question.is_new_order:
            closed = self.gate()
            if closed:
                self._say("ORDER_KEPT_BACK", token=question.token, reason=closed)
                raise TradeNotSent(f"not sent: {closed}")
        return await super()._ask(question)
