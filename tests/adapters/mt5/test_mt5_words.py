"""In which words the gateway, the terminal and the feed of MT5 refuse what cannot be meant."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from mt5_helpers import WallClock, bench, coin, trade

from logos.adapters.mt5.feed import Mt5Feed, Mt5FeedSymbol, _raw_bar
from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.lock import FairQueue
from logos.adapters.mt5.gateway.settings import (
    CurveKeys,
    Endpoints,
    GatewayConfigError,
    GatewaySettings,
)
from logos.adapters.mt5.gateway.wire import Question
from logos.adapters.mt5.terminal import KEY_NAMES, Mt5Terminal, curve_keys, read_url
from logos.config import Config, VenueName
from logos.config.environment import Environment
from logos.config.tables.live import FeedKind, FeedName, LiveSettings, VenueSettings
from logos.data.readers.numbers import RowError
from logos.errors import ConfigError
from logos.feeds.common import Trouble
from logos.feeds.contract import FeedFailedError
from logos.feeds.sequence import BarSequence
from logos.venues.contract import NotSent

# ---- the gateway ----


def test_a_trade_without_an_approved_order_is_not_sent() -> None:
    async def scenario() -> None:
        async with bench() as box:
            with pytest.raises(NotSent, match="not sent: no approved order comes with it"):
                await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "run-1"))
            assert box.simulator.book.client_ids == {}

    asyncio.run(scenario())


def test_a_trade_of_a_gateway_that_was_never_opened_is_not_sent() -> None:
    async def scenario() -> None:
        gateway = Gateway(
            Endpoints(),
            GatewaySettings(),
            WallClock(),
            lambda _: None,
            lambda _: None,
            lambda _: "",
        )
        with pytest.raises(NotSent, match="TRADE: not sent: "):
            await gateway.request("BTCUSD.s", trade("BTCUSD.s", "run-1"))

    asyncio.run(scenario())


def test_a_field_that_the_protocol_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="the protocol has no field leverage"):
        Question({"action": "TRADE", "leverage": 5}, "token")


def test_a_lock_must_let_somebody_wait_and_is_released_by_its_holder_only() -> None:
    with pytest.raises(ValueError, match="at least one request must be able to wait, not 0"):
        FairQueue(0)
    with pytest.raises(RuntimeError, match="the lock was released, and nobody had it"):
        FairQueue(1).release(0)


def test_settings_below_their_limits_are_refused() -> None:
    with pytest.raises(GatewayConfigError, match="gateway: heartbeat_s must be more than 0"):
        GatewaySettings(heartbeat_s=0)


def test_keys_that_are_none_are_refused_without_being_shown(tmp_path: Path) -> None:
    key = "a" * 40
    with pytest.raises(
        GatewayConfigError, match="CURVE: the secret key is not 40 letters"
    ) as short:
        CurveKeys(public=key, secret="hush", server_public=key)
    assert "hush" not in str(short.value)
    public = tmp_path / "client.key"
    public.write_text(f'metadata\ncurve\n    public-key = "{key}"\n', encoding="utf-8")
    with pytest.raises(GatewayConfigError, match=r"no secret key in it; use the \.key_secret file"):
        CurveKeys.from_files(public, public)


# ---- the terminal ----


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "that is another form"),
        ("tcp://127.0.0.1:0", "a port is a number from 1 to 65535"),
        ("tcp://127.0.0.1:65534", "a port is a number from 1 to 65535"),
        ("tcp://127.0.0.1:1/reply_timeout_s", "'reply_timeout_s' is not NAME=VALUE"),
        ("tcp://127.0.0.1:1/speed=1", "no setting 'speed'; there are reply_timeout_s"),
    ],
)
def test_a_url_is_refused_with_what_is_wrong_in_it(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_url(url)


def test_keys_of_which_some_are_missing_are_named() -> None:
    there = Environment.read(dict.fromkeys(KEY_NAMES[:2], "a" * 40))
    with pytest.raises(ConfigError, match=f"CURVE keys are incomplete: set {KEY_NAMES[2]} as well"):
        curve_keys(there)


def terminal(live: LiveSettings, venue_url: str = "") -> Mt5Terminal:
    venue = VenueSettings(name=VenueName.MT5, url=venue_url) if venue_url else VenueSettings()
    return Mt5Terminal(
        Config(live=live, venue=venue), {"BTCUSD": coin("BTCUSD")}, WallClock(), Random(1)
    )


def test_a_session_has_one_terminal_only() -> None:
    live = LiveSettings(feed=FeedName.MT5, url="tcp://127.0.0.1:15555")
    with pytest.raises(ConfigError, match=r"live\.url and venue.url name two terminals"):
        terminal(live, "tcp://127.0.0.1:25555")


@pytest.mark.parametrize(
    ("kind", "interval", "words"),
    [
        (FeedKind.TRADES, "1m", r"a terminal delivers candles \(kind = \"bars\"\) or, with"),
        (FeedKind.BARS, "7m", r"live\.interval: no '7m' at mt5; there are "),
    ],
)
def test_what_a_terminal_does_not_deliver_is_refused(
    kind: FeedKind, interval: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        terminal(LiveSettings(feed=FeedName.MT5, kind=kind, interval=interval)).feeds()


# ---- the feed ----


def test_a_timeframe_that_there_is_none_of_is_refused_with_those_that_are() -> None:
    link: Any = None
    with pytest.raises(FeedFailedError, match="mt5: no timeframe 'M2'; there are TICK, M1"):
        Mt5Feed(link, {}, "M2", WallClock(), Random(1), silence_s=1.0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (None, r"a candle is not \[seconds, open, high, low, close, volume\]"),
        ([0, 1, 1, 1, 1, 1], r"a candle is not \[seconds, open, high, low, close, volume\]"),
        ([2**40 + 1, 1, 1, 1, 1, 1], "a candle's time is out of range"),
        ([60, True, 1, 1, 1, 1], "a price is not a number"),
        ([60, "1", 1, 1, 1, 1], "a price is not a number"),
    ],
)
def test_a_candle_that_is_none_says_why(row: object, words: str) -> None:
    with pytest.raises(RowError, match=words):
        _raw_bar(row)
    assert _raw_bar([2**40, 1, Decimal("1.5"), 1, 1, 9]).high == "1.5"


@pytest.mark.parametrize("data", [None, [], [1, 2], ["1", 2, 3], [1.5, 2, 3]])
def test_a_price_that_is_none_says_why(data: object) -> None:
    async def scenario() -> None:
        link: Any = None
        feed = Mt5Feed(link, {}, "TICK", WallClock(), Random(1), silence_s=1.0)
        line: Any = None
        with pytest.raises(RowError, match=r"a price is not \[milliseconds, bid, ask\]"):
            await feed._on_price(line, data)

    asyncio.run(scenario())


def test_a_history_that_the_terminal_does_not_have_says_its_words() -> None:
    class Refusing:
        async def request(self, *_: object) -> dict[str, Any]:
            return {"error": True, "description": "the server is busy"}

    async def scenario() -> None:
        link: Any = Refusing()
        feed = Mt5Feed(link, {}, "M1", WallClock(), Random(1), silence_s=1.0)
        line: Any = SimpleNamespace(each=Mt5FeedSymbol(coin(), "BTCUSD.s"))
        with pytest.raises(Trouble, match="no history: the server is busy"):
            await feed._history(line, BarSequence(60 * 10**9, 0))

    asyncio.run(scenario())
