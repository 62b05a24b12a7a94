"""The dry run of a ccxt exchange: a line for everything looked at, and not one order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from venue_tools import KEY, SECRET, Desk, Word, bitcoin, exchange_desk

from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.instrument import instrument
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import ManualClock
from logos.venues.contract import CheckLine, Refused, Unavailable


def checked(desk: Desk) -> Any:
    return desk.venue.check()


def bad(lines: Sequence[CheckLine]) -> dict[str, str]:
    return {line.name: line.detail for line in lines if not line.is_ok}


def test_all_is_well_and_only_questions_were_asked() -> None:
    async def story() -> None:
        async with exchange_desk(is_open=False) as desk:
            lines = await desk.venue.check()
            assert bad(lines) == {}
            names = [line.name for line in lines]
            assert names == [
                "credentials", "environment", "markets", "clock", "BTCUSDT market",
                "BTCUSDT tick", "BTCUSDT lot", "BTCUSDT min_quantity", "BTCUSDT min_notional",
                "account", "permissions",
            ]  # fmt: skip
            assert {each.method for each in desk.exchange.requests} == {"GET"}
            assert desk.account.orders == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        (
            {"tick": "0.1"},
            "BTCUSDT tick",
            'session 0.1, venue 0.01: set instruments.BTCUSDT.tick = "0.01"',
        ),
        ({"tick": "0.001"}, "BTCUSDT tick", "session 0.001, venue 0.01"),
        ({"lot": "0.001", "min_quantity": "0.001"}, "BTCUSDT lot", "session 0.001, venue 0.00001"),
        ({"min_notional": "1"}, "BTCUSDT min_notional", "session 1, venue 5"),
        ({"min_quantity": "0"}, "BTCUSDT min_quantity", "session 0, venue 0.00001"),
    ],
)
def test_a_rule_that_differs_is_a_line_that_says_what_to_write(
    changes: dict[str, str], name: str, words: str
) -> None:
    async def story() -> None:
        async with exchange_desk(what=bitcoin(**changes), is_open=False) as desk:
            found = bad(await desk.venue.check())
            assert list(found) == [name]
            assert words in found[name]

    asyncio.run(story())


def test_a_stricter_minimum_is_the_session_s_own_choice() -> None:
    async def story() -> None:
        strict = bitcoin(min_notional="100", min_quantity="0.01")
        async with exchange_desk(what=strict, is_open=False) as desk:
            assert bad(await desk.venue.check()) == {}

    asyncio.run(story())


def test_names_that_differ_are_lines() -> None:
    async def story() -> None:
        coin = instrument(
            "BTCUSDT", tick="0.01", lot="0.00001", quote="USD",
            min_quantity="0.00001", min_notional="5",
        )  # fmt: skip
        async with exchange_desk(what=coin, is_open=False) as desk:
            found = bad(await desk.venue.check())
            assert list(found) == ["BTCUSDT base", "BTCUSDT quote"]
            assert 'set instruments.BTCUSDT.base = "BTC"' in found["BTCUSDT base"]

    asyncio.run(story())


def test_a_symbol_the_exchange_has_not_is_named() -> None:
    async def story() -> None:
        coin = instrument("DOGEUSDT", tick="0.01", lot="1", quote="USDT", base="DOGE")
        async with exchange_desk(what=coin, is_open=False) as desk:
            assert "no spot market for DOGEUSDT" in bad(await desk.venue.check())["markets"]
            with pytest.raises(Refused, match="DOGEUSDT"):
                await desk.venue.open()

    asyncio.run(story())


@pytest.mark.parametrize("skew_s", [-7, 7])
def test_a_clock_that_is_off_is_a_line(skew_s: int) -> None:
    async def story() -> None:
        async with exchange_desk(is_open=False) as desk:
            desk.exchange.market.skew_ns = skew_s * 10**9
            found = bad(await desk.venue.check())
            assert f"{skew_s * 1000:+d} ms from ours" in found["clock"]

    asyncio.run(story())


def test_a_key_without_the_right_to_trade_is_a_line() -> None:
    async def story() -> None:
        async with exchange_desk(is_open=False) as desk:
            desk.account.may_trade = False
            assert "enable spot trading" in bad(await desk.venue.check())["permissions"]

    asyncio.run(story())


def test_a_market_that_is_suspended_is_a_line() -> None:
    async def story() -> None:
        async with exchange_desk(is_open=False) as desk:
            desk.exchange.market.listings["BTCUSDT"].is_trading = False
            assert "not open for trading" in bad(await desk.venue.check())["BTCUSDT market"]

    asyncio.run(story())


def test_credentials_that_are_missing_are_named_and_nothing_is_asked() -> None:
    async def story() -> None:
        async with exchange_desk(key="", secret="", is_open=False) as desk:
            found = bad(await desk.venue.check())
            assert found == {"credentials": "no apiKey and no secret: set it in .env"}
            assert not desk.exchange.requests
            with pytest.raises(Refused, match="no apiKey and no secret"):
                await desk.venue.open()

    asyncio.run(story())


@pytest.mark.parametrize("where", ["exchangeInfo", "time", "account"])
def test_an_exchange_in_trouble_is_a_line_and_no_exception(where: str) -> None:
    async def story() -> None:
        async with exchange_desk(is_open=False) as desk:
            desk.exchange.fail(where, Fault.UNAVAILABLE)
            name = {"exchangeInfo": "markets", "time": "clock", "account": "account"}[where]
            assert "no answer" in bad(await desk.venue.check())[name]

    asyncio.run(story())


def test_the_sandbox_is_the_exchange_s_own_and_live_says_so() -> None:
    coin = bitcoin()

    def venue(sandbox: bool, exchange_id: str = "binance") -> CcxtVenue:
        return CcxtVenue(
            exchange_id, {"BTCUSDT": coin}, ManualClock(), Random(1),
            key=Word(KEY), secret=Word(SECRET), sandbox=sandbox,
        )  # fmt: skip

    assert any("testnet.binance.vision" in url for url in venue(True).urls)
    assert not any("api.binance.com" in url for url in venue(True).urls)
    assert not any("testnet" in url for url in venue(False).urls if "/api/v3" in url)
    assert venue(True).capabilities.is_sandbox
    assert venue(True).name == "ccxt:binance (sandbox)"
    assert venue(False).name == "ccxt:binance"
    with pytest.raises(Refused, match="no sandbox"):
        venue(True, "kraken")
    with pytest.raises(Refused, match="no exchange 'nowhere'"):
        venue(True, "nowhere")


@pytest.mark.long
def test_an_exchange_that_was_not_proved_is_a_bad_line_in_its_sandbox_too() -> None:
    for sandbox in (True, False):
        venue = CcxtVenue(
            "gemini", {}, ManualClock(), Random(1), key=Word(""), secret=Word(""), sandbox=sandbox
        )
        lines = {line.name: line for line in asyncio.run(venue.check())}
        assert not lines["adapter"].is_ok
        assert "the exchange 'gemini' has not been proved" in lines["adapter"].detail
        asyncio.run(venue.close())


def test_an_exchange_without_its_markets_cannot_be_opened() -> None:
    async def story() -> None:
        async with exchange_desk(is_open=False) as desk:
            desk.exchange.market.listings.clear()
            with pytest.raises((Refused, Unavailable)):
                await desk.venue.open()

    asyncio.run(story())
