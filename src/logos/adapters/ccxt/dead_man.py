"""The dead man's switch of an exchange: it cancels our orders if it does not hear from us.

How an exchange is asked for it stands in its profile. Bybit has one too ("DCP"), but it is set off
by the loss of a private stream that subscribed to it, which this adapter does not hold: its time
window would protect nobody.
https://bybit-exchange.github.io/docs/v5/order/dcp
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from logos.adapters.ccxt.connection import Connection
from logos.adapters.ccxt.profiles.profile import DeadMan
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.records import is_record


class CcxtDeadMan:
    """The contract `logos.venues.contract.DeadMan`, of one exchange that has such a `rule`.

    `market_ids` are the exchange's names of the session's markets.
    """

    def __init__(
        self,
        name: str,
        exchange: Any,
        connection: Connection,
        rule: DeadMan,
        market_ids: Callable[[], Sequence[str]],
    ) -> None:
        self._name = name
        self._exchange = exchange
        self._connection = connection
        self._rule = rule
        self._market_ids = market_ids

    async def cancel_all_after(self, seconds: int) -> None:
        """See the contract. Where it is not by market, it covers every order of the account."""
        what = f"{self._name}: cancel all after {seconds} s"
        for market_id in self._market_ids() if self._rule.is_by_market else [""]:
            call = partial(self._rule.ask, self._exchange, seconds, market_id)
            answer = await self._connection.ask(what, call)
            if not _is_set(answer):
                words = "the answer does not say that it was set"
                raise question_error(what, Failure(Knowledge.UNKNOWN, words))


def _is_set(answer: object) -> bool:
    """Whether an answer of one of the exchanges says that the request took effect."""
    if not is_record(answer):
        return False
    result, data = answer.get("result"), answer.get("data")
    if is_record(result):
        return "triggerTime" in result
    if isinstance(data, list):
        return bool(data) and is_record(data[0]) and "triggerTime" in data[0]
    return "countdownTime" in answer or "triggerTime" in answer
