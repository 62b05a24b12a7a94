"""`logos data fetch alpaca` and `live.feed = "alpaca"`: keys by the usual road, files to replay."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alpaca_world import KEY, SECRET, AlpacaWorld, alpaca_world
from venue_tools import Word

from logos.adapters.fetch import fetch_async
from logos.adapters.fetch_request import FetchRequest
from logos.cli.data import fetch as fetch_command
from logos.config import ConfigError, make_config
from logos.config.credentials import market_data_credentials
from logos.core.messages import Bar
from logos.core.types import NS_PER_MINUTE
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.errors import DataError
from logos.session.build import make_instruments
from logos.session.opening.instruments import find_instruments
from logos.testing.clock import START_NS


def request_of(there: AlpacaWorld, out: Path, **changes: Any) -> FetchRequest:
    words: dict[str, Any] = {
        "source": "alpaca",
        "markets": {"AAPL": "AAPL"},
        "out": out,
        "url": there.exchange.url,
        "since_ns": START_NS,
        "until_ns": there.exchange.market.now_ns,
        "keys": (Word(KEY), Word(SECRET)),
    }
    return FetchRequest(**(words | changes))


async def traded_for(there: AlpacaWorld, minutes: int) -> None:
    market = there.exchange.market.listings["AAPL"]
    for number in range(minutes):
        market.add_print(START_NS + number * NS_PER_MINUTE + 5, f"200.{number:02d}", "3", "BUY")
    await there.go_to(START_NS + minutes * NS_PER_MINUTE + 5 * 10**9)


@pytest.mark.parametrize("kind", ["bars", "trades"])
def test_history_becomes_a_file_that_a_session_replays(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with asyncio.timeout(30), alpaca_world() as there:
            await traded_for(there, 20)
            request = request_of(there, tmp_path, kind=kind)
            paths = await fetch_async(request, there.clock, Random(1), lambda _words: None)
            assert [path.name for path in paths][-1] == "instruments.toml"
            assert paths[0].name.startswith("AAPL_alpaca_")

    asyncio.run(story())
    sources = discover(tmp_path)
    instruments = make_instruments(find_instruments(make_config({}), sources))
    events = [e for chunk in ReplayFeed(sources, instruments).chunks() for e in chunk]
    assert len(events) == 20
    prices = [each.close_units if isinstance(each, Bar) else each.price_units for each in events]  # type: ignore[union-attr]
    assert prices == list(range(20_000, 20_020))


def test_what_cannot_be_had_is_said(tmp_path: Path) -> None:
    async def story(words: str, **changes: Any) -> None:
        async with asyncio.timeout(30), alpaca_world() as there:
            await traded_for(there, 2)
            request = request_of(there, tmp_path, **changes)
            with pytest.raises(DataError, match=words):
                await fetch_async(request, there.clock, Random(1), lambda _words: None)

    asyncio.run(story("alpaca needs keys for its market data", keys=None))
    asyncio.run(story("--interval: alpaca has bars of 1m", interval="1d"))
    asyncio.run(story("no row came", markets={"NOPE": "NOPE"}))
    asyncio.run(story("invalid symbol", markets={"X": "A-B"}))
    asyncio.run(story("the keys would travel unencrypted", url="http://data.example"))


@pytest.mark.parametrize("key", ["PKPAPER", "AKLIVE"])
def test_keys_of_both_kinds_of_account_do_for_market_data(key: str, tmp_path: Path) -> None:
    words = {"APCA_API_KEY_ID": key, "APCA_API_SECRET_KEY": "s", "LOGOS_HOME": str(tmp_path)}
    assert market_data_credentials(words).key.reveal() == key
    with pytest.raises(ConfigError, match="APCA_API_KEY_ID and APCA_API_SECRET_KEY"):
        market_data_credentials({"LOGOS_HOME": str(tmp_path)})


def test_the_command_looks_for_keys_before_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    monkeypatch.delenv("APCA_API_KEY_ID", raising=False)
    monkeypatch.delenv("APCA_API_SECRET_KEY", raising=False)
    with pytest.raises(DataError, match="APCA_API_KEY_ID"):
        fetch_command._keys()


@pytest.mark.parametrize(
    ("exchange", "problem"),
    [("", ""), ("iex", ""), ("sip", ""), ("nyse", "Alpaca's feeds of shares are iex")],
)
def test_the_feed_of_shares_is_a_setting(exchange: str, problem: str) -> None:
    tables = {"live": {"feed": "alpaca", "exchange": exchange}}
    if problem:
        with pytest.raises(ConfigError, match=problem):
            make_config(tables)
    else:
        assert make_config(tables).live.exchange == exchange


def test_keys_do_not_travel_unencrypted() -> None:
    for url in ("https://data.example", "http://127.0.0.1:8080"):
        assert make_config({"live": {"feed": "alpaca", "url": url}}).live.url == url
    with pytest.raises(ConfigError, match="travel unencrypted"):
        make_config({"live": {"feed": "alpaca", "url": "http://data.example"}})


@pytest.mark.parametrize(
    ("venue", "problem"),
    [
        ({"name": "alpaca", "share": 25}, ""),
        ({"name": "alpaca", "share": 0}, "from 1 to 100"),
        ({"name": "ccxt", "exchange": "kraken", "share": 25}, "alpaca"),
    ],
)
def test_the_share_of_requests_is_a_setting(venue: dict[str, Any], problem: str) -> None:
    if problem:
        with pytest.raises(ConfigError, match=problem):
            make_config({"venue": venue})
    else:
        assert make_config({"venue": venue}).venue.share == 25
