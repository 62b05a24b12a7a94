"""What is asked of an exchange without a profile: questions, in ccxt's unified form."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final

from logos.adapters.ccxt.profiles.profile import By, Cancel, DeadMan, Look, Pages, Paging, Profile
from logos.venues.ids import IdRule


def _binance_futures(exchange: Any, seconds: int, market_id: str) -> Awaitable[Any]:
    # https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/
    # Auto-Cancel-All-Open-Orders
    fields = {"symbol": market_id, "countdownTime": seconds * 1000}
    call: Awaitable[Any] = exchange.fapiPrivatePostCountdownCancelAll(fields)
    return call


_DEAD_MEN: Final[Mapping[str, DeadMan]] = {
    "binanceusdm": DeadMan(_binance_futures, is_by_market=True),
}
"""The one thing that is known of such an exchange besides."""


def unknown(exchange_id: str) -> Profile:
    """The profile of an exchange that has none. No order goes by it; see `has_profile`."""
    return Profile(
        exchange_id=exchange_id,
        # What the strictest exchanges take.
        ids=IdRule(32, takes_punctuation=False),
        looks=(Look("fetch_order", By.CLIENT, "clientOrderId"),),
        cancel=Cancel(By.CLIENT, "clientOrderId", id_beside=""),
        fills=Paging(Pages.FORWARD, size=1000),
        dead_man=_DEAD_MEN.get(exchange_id),
        test_place="unknown",
        sources={},
    )
