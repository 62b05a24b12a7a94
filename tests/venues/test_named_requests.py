"""No request about an order leaves without saying which order it is about, at any venue."""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random
from typing import Any

import ccxt.async_support as ccxt
import pytest
from venue_tools import Word, bitcoin, broker_desk

from logos.adapters.ccxt.connection import Connection
from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.clock import Backoff
from logos.core.outbox import CancelOrder
from logos.testing.clock import ManualClock
from logos.venues.contract import OutcomeUnknown, Refused
from logos.venues.ids import require_named
from logos.venues.redact import Redactor

GATE_MARKET: dict[str, Any] = {
    "id": "BTC_USDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "spot": True,
    "type": "spot", "active": True, "precision": {}, "limits": {},
}  # fmt: skip


@pytest.mark.parametrize(
    "texts", [(), ("",), ("https://x/orders/7", "{}"), ("s-1-2",), ("https://x/orders/?id=s-1-1",)]
)
@pytest.mark.parametrize("name", ["", "s-1-1"])
def test_a_request_names_its_order(name: str, texts: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="not sent: the request does not say which order it is about"):
        require_named("cancel", name, *texts)


def test_a_request_that_names_its_order_may_leave() -> None:
    require_named("cancel", "s-1-1", "https://x/orders", "id=s-1-1&x=2")
    require_named("cancel", "s-1-1", "https://x/orders/s-1-1?x=/")
    # A signature in base64 is no address, whatever stands in it.
    headers = "{'ACCESS-SIGN': 'qL//8+x/', 'ACCESS-KEY': 'k/'}"
    require_named("cancel", "s-1-1", "https://x/cancel-order", headers, '{"clientOid": "s-1-1"}')
    require_named("cancel", "s-1-1", "https://x/cancel-order", "a//b/", "s-1-1")


def test_at_gate_a_cancel_is_not_sent_to_the_address_of_cancelling_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, str]] = []

    async def fetch(_: Any, url: str, method: str = "GET", *__: Any, **___: Any) -> Any:
        sent.append((method, url))
        return []

    monkeypatch.setattr(ccxt.gate, "fetch", fetch)

    async def story() -> None:
        key = Word("k" * 16)
        venue = CcxtVenue(
            "gate", {"BTCUSDT": bitcoin()}, ManualClock(), Random(1), key=key, secret=key,
            sandbox=False, session_id="s-1",
        )  # fmt: skip
        venue._exchange.markets = {"BTC/USDT": GATE_MARKET}
        venue._exchange.markets_by_id = {"BTC_USDT": [GATE_MARKET]}
        venue._exchange.options["unifiedAccount"] = False
        venue._markets = {"BTCUSDT": GATE_MARKET}
        with pytest.raises(OutcomeUnknown, match="cannot be read"):
            await venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
        [(_, url)] = [each for each in sent if each[0] == "DELETE"]
        assert "/spot/orders/t-s-1-1?" in url
        # Whatever ccxt would make of an empty id, no request to that address leaves.
        name = "t-s-1-1"
        call = partial(venue._exchange.cancel_order, "", "BTC/USDT", {"clientOrderId": name})
        with pytest.raises(
            Refused, match="not sent: the request does not say which order it is about"
        ):
            await venue._connection.cancel("a cancel", name, call)
        assert len([each for each in sent if each[0] == "DELETE"]) == 1
        await venue.close()

    asyncio.run(story())


def test_at_alpaca_a_cancel_without_an_id_is_not_sent() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.venue._records.venue_ids["s-1-1"] = ""
            before = len(desk.exchange.requests)
            with pytest.raises(
                Refused, match="not sent: the request does not say which order it is about"
            ):
                await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            assert len(desk.exchange.requests) == before

    asyncio.run(story())


def test_a_question_need_not_name_an_order() -> None:
    async def story() -> None:
        exchange = ccxt.binance()
        connection = Connection(
            exchange, BINANCE, Redactor([]), Backoff(Random(1), first_s=0.1), ManualClock()
        )

        async def answer() -> str:
            return "fine"

        assert await connection.ask("open orders", answer) == "fine"
        await exchange.close()

    asyncio.run(story())
