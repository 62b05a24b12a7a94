"""`logos data fetch ib` and `live.feed = "ib"`: bars to replay, instruments of contracts."""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

import asyncio
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from waiting import until

from logos.adapters.fetch import fetch_async
from logos.adapters.fetch_request import FetchRequest
from logos.adapters.ib.address import address_of
from logos.config import ConfigError, make_config, read_toml
from logos.core.messages import Bar
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.errors import DataError
from logos.session.build import make_instruments
from logos.session.opening.instruments import find_instruments
from logos.simulators.ib import APPLE, Listing, TwsGateway
from logos.testing.clock import START_NS, ManualClock

FINE = Listing(APPLE.con_id, "AAPL", rules=(("0", "0.0001"), ("1", "0.01")))
FUTURE = Listing(
    495512563, "ES", "FUT", exchange="CME", primary_exchange="CME", multiplier="50",
    last_trade_date="20261218", min_tick="0.25", rule_id=67, rules=(("0", "0.25"),),
)  # fmt: skip


def fetched(out: Path, days: tuple[int, ...] = (0,), **changes: Any) -> list[Path]:
    """What the command writes of twenty minutes of trading on each of these days."""

    async def story() -> list[Path]:
        clock = ManualClock()
        async with (
            asyncio.timeout(30),
            TwsGateway(listings=(FINE, FUTURE), now_ns=clock.now_ns) as gateway,
        ):
            for day in days:
                for minute in range(20):
                    clock.set_ns(START_NS + day * NS_PER_DAY + minute * NS_PER_MINUTE + 5)
                    gateway.trade("AAPL", f"{200 + day}.{minute:02d}", "3")
            clock.set_ns(clock.now_ns() + 3 * NS_PER_MINUTE)
            words: dict[str, Any] = {
                "source": "ib",
                "markets": {"AAPL": "AAPL", "ES": "FUT:ES:CME:USD:20261218"},
                "out": out,
                "url": f"tcp://127.0.0.1:{gateway.port}/9",
                "since_ns": START_NS,
                "until_ns": clock.now_ns(),
            }
            request = FetchRequest(**(words | changes))
            working = fetch_async(request, clock, Random(1), lambda _words: None)
            try:
                if not request.minutes:
                    return await working
                recording = asyncio.ensure_future(working)
                await until(recording.done, "its end", meanwhile=partial(clock.advance, 1))
                return recording.result()
            finally:
                assert gateway.unread == []

    return asyncio.run(story())


def test_history_and_contracts_become_files_that_a_session_replays(tmp_path: Path) -> None:
    paths = fetched(tmp_path, days=(0, 3))
    assert [path.name for path in paths][-1] == "instruments.toml"
    tables = read_toml(paths[-1])["instruments"]
    assert tables["AAPL"] == {
        "base": "AAPL", "quote": "USD", "tick": "0.0001", "lot": "1",
        "settlement": "spot", "min_quantity": "1",
    }  # fmt: skip
    assert tables["ES"]["multiplier"] == "50"
    assert (tables["ES"]["tick"], tables["ES"]["settlement"]) == ("0.25", "margin")
    sources = discover(tmp_path)
    instruments = make_instruments(find_instruments(make_config({}), sources))
    events = [
        each
        for chunk in ReplayFeed(sources, instruments, accept=frozenset({"gap"})).chunks()
        for each in chunk
    ]
    closes = [each.close_units for each in events if isinstance(each, Bar)]
    days = [(200 + day) * 10_000 for day in (0, 3)]
    assert closes == [first + minute * 100 for first in days for minute in range(20)]


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("a history of bars only", {"kind": "trades"}),
        ("--interval: ib has bars of 1m", {"interval": "7m"}),
        ("does not list STK NOPE SMART in USD", {"markets": {"NOPE": "NOPE"}}),
        ("a future needs its exchange", {"markets": {"ES": "FUT:ES"}}),
        ("no row came", {"since_ns": START_NS + NS_PER_DAY, "until_ns": START_NS + 2 * NS_PER_DAY}),
        ("is not this machine, and the protocol knows no", {"url": "tcp://10.1.2.3:4002"}),
    ],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, words: str, changes: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        fetched(tmp_path, **changes)
    assert words in str(caught.value)


def test_a_recording_keeps_what_it_heard(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "since_ns": 0,
        "until_ns": 0,
        "minutes": 1e-9,
        "markets": {"AAPL": "AAPL"},
    }
    with pytest.raises(DataError, match="no row came"):
        fetched(tmp_path, **changes)


@pytest.mark.parametrize(
    ("live", "problem"),
    [
        ({"exchange": ""}, ""),
        ({"exchange": "delayed"}, ""),
        ({"exchange": "iex"}, 'of "ib" it is "delayed"'),
        ({"exchange": "delayed", "kind": "bars"}, "quotes only"),
    ],
)
def test_the_kind_of_data_is_a_setting(live: dict[str, Any], problem: str) -> None:
    tables = {"live": {"feed": "ib", **live}}
    if problem:
        with pytest.raises(ConfigError, match=problem):
            make_config(tables)
    else:
        assert make_config(tables).live.exchange == live["exchange"]


def test_a_feed_is_another_client_than_the_venue() -> None:
    assert address_of("", True)[0].client_id == 1
    assert address_of("", True, "live.url", 2)[0].client_id == 2
    assert address_of("tcp://127.0.0.1:4002", True, "live.url", 2)[0].client_id == 2
    assert address_of("tcp://127.0.0.1:4002/5", True, "live.url", 2)[0].client_id == 5
