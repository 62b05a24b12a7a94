"""The dead man's switch of an exchange: it cancels our orders if it does not hear from us.

What an exchange has and how it is asked stands in its documentation (named beside each) and in
ccxt's own classes. Bybit has one too ("DCP"), but it is set off by the loss of a private stream
that subscribed to it, which this adapter does not hold: its time window would protect nobody.
https://bybit-exchange.github.io/docs/v5/order/dcp
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from logos.adapters.ccxt.connection import Connection
from logos.adapters.ccxt.profiles import profile_of
from logos.adapters.ccxt.profiles.profile import DeadMan
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.records import is_record


def _binance_futures(exchange: Any, seconds: int, market_id: str) -> Awaitable[Any]:
    # https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/
    # Auto-Cancel-All-Open-Orders
    fields = {"symbol": market_id, "countdownTime": seconds * 1000}
    call: Awaitable[Any] = exchange.fapiPrivatePostCountdownCancelAll(fields)
    return call


_WITHOUT_PROFILE: Final[dict[str, DeadMan]] = {
    "binanceusdm": DeadMan(_binance_futures, is_by_market=True),
}
"""Of exchanges whose profile does not tell it: not traded at, so far."""


def _rule(exchange_id: str) -> DeadMan | None:
    return profile_of(exchange_id).dead_man or _WITHOUT_PROFILE.get(exchange_id)


def has_dead_man(exchange_id: str) -> bool:
    """Whether the exchange cancels orders of those it does not hear from."""
    return _rule(exchange_id) is not None


class CcxtDeadMan:
    """The contract `logos.venues.contract.DeadMan`, of one exchange that `has_dead_man`.

    `market_ids` are the exchange's names of the session's markets.
    """

    def __init__(
        self,
        name: str,
        exchange: Any,
        connection: Connection,
        market_ids: Callable[[], Sequence[str]],
    ) -> None:
        self._name = name
        self._exchange = exchange
        self._connection = connection
        self._market_ids = market_ids
        rule = _rule(exchange.id)
        if rule is None:
            raise ValueError(f"{exchange.id} has no dead man's switch")
        self._ask, self._is_by_market = rule.ask, rule.is_by_market

    async def cancel_all_after(self, seconds: int) -> None:
        """See the contract. At Kraken and OKX it covers every order of the account."""
        what = f"{self._name}: cancel all after {seconds} s"
        for market_id in self._market_ids() if self._is_by_market else [""]:
            call = partial(self._ask, self._exchange, seconds, market_id)
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
