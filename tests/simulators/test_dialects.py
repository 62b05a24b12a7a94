"""The real ccxt reads what each dialect of the local exchange answers, without our adapter.

What ccxt makes of an answer is what ccxt makes of the exchange's own: fields that a dialect forgets
come out as None. What our adapter makes of that is held by tests/adapters/ccxt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from raw_exchange import DIALECTS, NOW_NS, Raw, raw

NAMES = {
    "gate": "t-s-1-1",
    "bitget": "s-1-1",
    "mexc": "lg06f8faea3b5f6976x1",
    "hyperliquid": "0x06f8faea3b5f69764abcdef012345671",
}
SINCE_MS = NOW_NS // 1_000_000 - 1000
pytestmark = [pytest.mark.long, pytest.mark.calls_ccxt]
ALL = pytest.mark.parametrize("exchange_id", DIALECTS)


def run(exchange_id: str, story: Callable[[Raw], Awaitable[None]]) -> None:
    """Tell `story` at a local exchange of that dialect."""

    async def told() -> None:
        async with raw(exchange_id) as desk:
            await story(desk)

    asyncio.run(told())


async def place(desk: Raw, price: str = "90000", force: str = "GTC") -> Any:
    if desk.library.id == "hyperliquid":
        # ccxt would sign a builder's fee and a referrer before the first order.
        async def nothing() -> bool:
            return True

        desk.library.initialize_client = nothing
    asked = {"clientOrderId": NAMES[desk.library.id], "timeInForce": force}
    return await desk.library.create_order(desk.market, "limit", "buy", "0.001", price, asked)


async def find(desk: Raw, name: str = "") -> Any:
    asked = {"clientOrderId": name or NAMES[desk.library.id]}
    return await desk.library.fetch_order("", desk.market, asked)


async def cancel(desk: Raw) -> Any:
    name = NAMES[desk.library.id]
    if desk.library.id == "gate":
        return await desk.library.cancel_order(name, desk.market)
    return await desk.library.cancel_order("", desk.market, {"clientOrderId": name})


@ALL
def test_an_order_is_taken_found_filled_in_part_and_cancelled(exchange_id: str) -> None:
    async def story(desk: Raw) -> None:
        placed = await place(desk)
        name = NAMES[exchange_id]
        desk.account.fill(name, "0.0004")
        found = await find(desk)
        assert (found["id"], found["clientOrderId"]) == (placed["id"], name)
        assert (found["status"], found["side"], found["type"]) == ("open", "buy", "limit")
        figures = {key: float(found[key]) for key in ("amount", "filled", "price")}
        assert figures == {"amount": 0.001, "filled": 0.0004, "price": 90_000}
        [listed] = await desk.library.fetch_open_orders(desk.market)
        assert {key: listed[key] for key in figures} == {key: found[key] for key in figures}
        assert listed["clientOrderId"] == name
        [fill] = await desk.library.fetch_my_trades(desk.market, SINCE_MS, 100)
        assert (fill["order"], fill["side"], fill["takerOrMaker"]) == (found["id"], "buy", "maker")
        assert fill["timestamp"] == NOW_NS // 1_000_000
        assert fill["fee"]["cost"] == "0.0000004"
        assert (await desk.library.fetch_balance())["total"]["BTC"] == "1.0003996"
        await cancel(desk)
        assert (await find(desk))["status"] == "canceled"
        assert desk.dialect.cancelled_with_all == []

    run(exchange_id, story)


@ALL
def test_what_is_not_there_is_denied_in_the_exchange_s_words(exchange_id: str) -> None:
    async def story(desk: Raw) -> None:
        await place(desk)
        await cancel(desk)
        with pytest.raises(Exception, match=r"(?i)unknown|closed|does not exist|never placed"):
            await cancel(desk)
        with pytest.raises(Exception, match=r"(?i)not found|could not find|not exist|unknownOid"):
            await find(desk, NAMES[exchange_id][:-1] + "9")

    run(exchange_id, story)


@ALL
def test_an_order_that_may_not_rest_fills_at_once(exchange_id: str) -> None:
    async def story(desk: Raw) -> None:
        await place(desk, "101000", "IOC")
        found = await find(desk)
        assert (found["status"], float(found["filled"])) == ("closed", 0.001)

    run(exchange_id, story)


@ALL
def test_a_wrong_signature_or_clock_is_refused(exchange_id: str) -> None:
    async def story(desk: Raw) -> None:
        desk.library.nonce = desk.library.milliseconds = lambda: 1_200_000_000_000
        with pytest.raises(Exception, match=r"(?i)expired|recvWindow|nonce"):
            await place(desk)
        assert not desk.account.orders

    run(exchange_id, story)


def test_gate_s_path_without_an_id_cancels_everything() -> None:
    async def story(desk: Raw) -> None:
        await place(desk)
        desk.account.place_by_hand("BTC_USDT", "SELL", "0.1", "200000")
        await desk.library.cancel_order("", desk.market)
        assert sorted(desk.dialect.cancelled_with_all) == ["t-s-1-1", "web_1"]

    run("gate", story)


def test_ccxt_signs_more_than_the_order_at_hyperliquid() -> None:
    async def story(desk: Raw) -> None:
        asked = {"clientOrderId": NAMES["hyperliquid"]}
        await desk.library.create_order(desk.market, "limit", "buy", "0.001", "90000", asked)
        kinds = [extra.get("type", "builder of an order") for extra in desk.dialect.extras]
        assert sorted(kinds) == ["approveBuilderFee", "builder of an order", "setReferrer"]

    run("hyperliquid", story)
