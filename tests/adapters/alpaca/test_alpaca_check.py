"""The dry run at Alpaca, and the venue that is not there: a line for everything looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from venue_tools import broker_desk, share

from logos.simulators.exchange.faults import Fault
from logos.venues.contract import CheckLine, Refused


def bad(lines: Sequence[CheckLine]) -> dict[str, str]:
    """What is not well."""
    return {line.name: line.detail for line in lines if not line.is_ok}


def test_all_is_well_and_only_questions_were_asked() -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            lines = await desk.venue.check()
            assert bad(lines) == {}
            names = [line.name for line in lines]
            assert names[:6] == [
                "credentials", "environment", "account", "permissions", "clock", "market hours",
            ]  # fmt: skip
            assert "BTC/USD lot" in names
            adapter = next(line for line in lines if line.name == "BTC/USD adapter")
            assert (adapter.is_ok, adapter.detail) == (True, "proved")
            assert {each.method for each in desk.exchange.requests} == {"GET"}

    asyncio.run(story())


@pytest.mark.parametrize(
    ("key", "sandbox", "words"),
    [("AKLIVE", True, "of a live account"), ("PKTEST", False, "of a paper account")],
)
def test_a_key_of_the_other_kind_of_account_is_a_line(key: str, sandbox: bool, words: str) -> None:
    async def story() -> None:
        async with broker_desk(key=key, sandbox=sandbox, is_open=False) as desk:
            assert words in bad(await desk.venue.check())["credentials"]
            assert not desk.exchange.requests

    asyncio.run(story())


def test_missing_keys_are_a_line_and_nothing_is_asked() -> None:
    async def story() -> None:
        async with broker_desk(key="", secret="", is_open=False) as desk:
            assert "APCA_API_KEY_ID" in bad(await desk.venue.check())["credentials"]
            with pytest.raises(Refused, match="no key"):
                await desk.venue.open()
            assert not desk.exchange.requests

    asyncio.run(story())


def test_an_account_that_may_not_trade_is_a_line() -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            desk.account.status = "ACCOUNT_UPDATED"
            desk.account.is_blocked = True
            found = bad(await desk.venue.check())
            assert found["account"] == "account_updated"
            assert "trading_blocked" in found["permissions"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("rules", "changes", "name", "words"),
    [
        ({}, {"tick": "0.001"}, "AAPL tick", "below a cent"),
        ({"fractionable": False}, {"lot": "0.01"}, "AAPL lot", 'instruments.AAPL.lot = "1"'),
        ({"tradable": False}, {}, "AAPL market", "not tradable"),
        ({"status": "inactive"}, {}, "AAPL market", "not tradable"),
    ],
)
def test_a_share_s_rules_that_differ_are_lines(
    rules: dict[str, Any], changes: dict[str, str], name: str, words: str
) -> None:
    async def story() -> None:
        async with broker_desk(what=share(**changes), is_open=False) as desk:
            desk.account.assets["AAPL"] = rules
            found = bad(await desk.venue.check())
            assert list(found) == [name]
            assert words in found[name]

    asyncio.run(story())


def test_a_coin_s_rules_that_differ_are_lines() -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            desk.account.assets["BTC/USD"] = {"price_increment": "0.5", "min_order_size": "0.001"}
            found = bad(await desk.venue.check())
            assert list(found) == ["BTC/USD tick", "BTC/USD min_quantity"]
            desk.account.assets["BTC/USD"] = {"symbol": "BTC/ETH"}
            found = bad(await desk.venue.check())
            assert "coins against coins at Alpaca (BTC/ETH)" in found["BTC/USD adapter"]
            desk.account.assets["BTC/USD"] = {"price_increment": None}
            assert "price_increment" in bad(await desk.venue.check())["BTC/USD tick"]

    asyncio.run(story())


def test_a_coin_whose_fees_the_session_cannot_count_is_a_line() -> None:
    async def story() -> None:
        names = {"BTCUSD": "BTC/USD"}
        async with broker_desk(what=share("BTCUSD", lot="0.00001"), assets=names) as desk:
            found = bad(await desk.venue.check())
            assert found["BTCUSD fees"].endswith("set instruments.BTCUSD.fees.decimals = 9")

    asyncio.run(story())


def test_an_asset_that_is_not_there_and_a_clock_that_is_off_are_lines() -> None:
    async def story() -> None:
        async with broker_desk(what=share("NOPE"), is_open=False) as desk:
            desk.exchange.market.skew_ns = -3 * 10**9
            found = bad(await desk.venue.check())
            assert found["NOPE market"] == "Alpaca has no such asset"
            assert "-3000 ms from ours" in found["clock"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("where", "name"),
    [("v2/account", "account"), ("v2/clock", "clock"), ("assets/AAPL", "AAPL market")],
)
def test_a_broker_in_trouble_is_a_line_and_no_exception(where: str, name: str) -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            desk.exchange.fail(where, Fault.UNAVAILABLE)
            assert "no answer" in bad(await desk.venue.check())[name]

    asyncio.run(story())
