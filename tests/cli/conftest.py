"""A local exchange and broker, and a workspace with keys to it, for tests of commands."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from venue_tools import KEY, PAPER_KEY, PAPER_SECRET, SECRET

from logos.simulators.alpaca import AlpacaAccount
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders
from logos.simulators.exchange.server import Exchange


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A local exchange and broker in a thread of their own, at this machine's time."""
    now_ns = time.time_ns()
    listings = [Listing("BTCUSDT", "BTC", "USDT"), Listing("AAPL", "AAPL", "USD", lot="1")]
    for listing in listings:
        listing.add_top(now_ns - 1, "99.00", "101.00", "5", "5")
    market = Market(listings, now_ns)
    loop = asyncio.new_event_loop()
    exchange = Exchange(market)
    BinanceShape(exchange)
    ExchangeOrders(exchange, KEY, SECRET, {"USDT": "1000"})
    AlpacaAccount(exchange, PAPER_KEY, PAPER_SECRET)
    loop.run_until_complete(exchange.start())

    def tick() -> None:
        market.now_ns = time.time_ns()
        loop.call_later(0.01, tick)

    loop.call_soon(tick)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield exchange
    asyncio.run_coroutine_threadsafe(exchange.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and no keys in the environment."""
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "LOGOS_SEED"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def binance_keys(home: Path) -> Path:
    """Sandbox keys of binance in `.env`."""
    env = home / ".env"
    env.write_text(
        f"LOGOS_CCXT_BINANCE_SANDBOX_KEY={KEY}\nLOGOS_CCXT_BINANCE_SANDBOX_SECRET={SECRET}\n"
    )
    env.chmod(0o600)
    return home
