"""Executions as fills, each with its commission or with the word that there is none.

A commission is told right after its execution, and again when executions are asked for
(interactivebrokers.github.io/tws-api/executions_commissions.html, `commissionReport`); how late it
may be is not documented. A fill of ours waits for it, so that no fee is booked as 0 that is none.
After `COMMISSION_S` it is handed over all the same, because what is held is worth more than what it
cost: with the words that its commission is not known, at which trading stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec

from logos.adapters.ib.gateway import Gateway
from logos.adapters.ib.messages import Executed
from logos.adapters.ib.records import Records
from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.venues.contract import VenueFill
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.ids import ClientIds

COMMISSION_S: Final = 60.0
"""How long a fill waits for its commission, from its execution on."""
_SAID_S: Final = 5.0
"""From then on it is said that one waits."""
_COMES_S: Final = 2.0
"""How long it waits at least, behind the answer that told of it."""
_NOT_TOLD: Final = (
    f"its commission was not told within {COMMISSION_S:g} s: it stands in the account's statement"
)


class Fills:
    """The fills of one venue."""

    def __init__(
        self,
        gateway: Gateway,
        records: Records,
        ids: ClientIds,
        clock: Clock,
        say: Callable[[str], object],
    ) -> None:
        """`say` is told of each commission that is waited for, once."""
        self._gateway, self._records, self._ids, self._clock = gateway, records, ids, clock
        self._say = say
        self._late: set[str] = set()

    async def since(self, what: str, ts_ns: int) -> Sequence[VenueFill]:
        """All that the gateway tells and told from that moment on, oldest first. Raises
        Unavailable, also while a commission is waited for."""
        # Times are told to the second.
        since_ns = ts_ns // NS_PER_SECOND * NS_PER_SECOND
        found = [each for each in await self._gateway.executions(what) if each.ts_ns >= since_ns]
        for each in self._without_cost(found):
            self._require_late(what, each)
        if self._without_cost(found):
            await self._clock.sleep(_COMES_S)
        ledger = self._gateway.ledger
        fills = [self._gateway.read(what, partial(self._fill, each)) for each in found]
        ledger.hand_over(found)
        return fills

    def _without_cost(self, found: Sequence[Executed]) -> list[Executed]:
        """Ours whose commission is waited for."""
        return [
            each
            for each in found
            if self._gateway.ledger.cost_of(each) is None and self._ids.to_ours(each.order_ref)
        ]

    def _require_late(self, what: str, execution: Executed) -> None:
        """Raise Unavailable while its commission may still come."""
        name = self._ids.to_ours(execution.order_ref)
        words = f"the commission of execution {execution.exec_id} of {name} was not told yet"
        age_s = (self._clock.now_ns() - execution.ts_ns) / NS_PER_SECOND
        if age_s >= COMMISSION_S:
            return
        if age_s > _SAID_S and execution.exec_id not in self._late:
            self._late.add(execution.exec_id)
            self._say(f"{what}: {words}: it is waited for, {COMMISSION_S:g} s in all")
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))

    def _fill(self, execution: Executed) -> VenueFill:
        cost = self._gateway.ledger.cost_of(execution)
        fill = self._records.fill(execution, cost)
        if cost is None and fill.client_order_id:
            return msgspec.structs.replace(fill, no_fee_told=_NOT_TOLD)
        return fill
