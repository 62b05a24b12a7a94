"""The real ccxt, bare, at a local exchange that speaks a dialect: no adapter in between."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import ccxt.async_support as ccxt

from logos.adapters.ccxt.connection import _with_host
from logos.simulators.exchange.account import SpotAccount
from logos.simulators.exchange.dialects.bitget import Bitget
from logos.simulators.exchange.dialects.dialect import Dialect, Keys
from logos.simulators.exchange.dialects.gate import Gate
from logos.simulators.exchange.dialects.hyperliquid import Hyperliquid
from logos.simulators.exchange.dialects.mexc import Mexc
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.server import Exchange

NOW_NS: Final = 1_767_225_600 * 10**9
KEYS: Final = {
    "apiKey": "the-key",
    "secret": "the-secret",
    "password": "the-password",
    "walletAddress": "0x" + "ab" * 20,
    "privateKey": "0x" + "11" * 32,
}
DIALECTS: Final[Mapping[str, type[Dialect]]] = {
    "gate": Gate,
    "bitget": Bitget,
    "mexc": Mexc,
    "hyperliquid": Hyperliquid,
}
_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "gate": {"unifiedAccount": False},
    "bitget": {"uta": False},
    "hyperliquid": {"enableUnifiedMargin": False},
}


@dataclass
class Raw:
    """ccxt's exchange, the server behind it, and BTC against the exchange's dollar."""

    library: Any
    exchange: Exchange
    account: SpotAccount
    dialect: Any
    market: str


@asynccontextmanager
async def raw(exchange_id: str) -> AsyncIterator[Raw]:
    """BTC at 99,990 bid and 100,000 asked, with 100,000 dollars and one coin."""
    quote = "USDC" if exchange_id == "hyperliquid" else "USDT"
    tick = "1" if exchange_id == "hyperliquid" else "0.01"
    kind = DIALECTS[exchange_id]
    listing = Listing(kind.market_id("BTC", quote), "BTC", quote, tick=tick)
    listing.add_top(NOW_NS - 1, "99990.00", "100000.00", "5", "5")
    exchange = Exchange(Market([listing], NOW_NS))
    account = SpotAccount(exchange.market, {quote: "100000", "BTC": "1"}, "0.001")
    names = (
        ("walletAddress", "privateKey") if exchange_id == "hyperliquid" else ("apiKey", "secret")
    )
    key, secret = (KEYS[name] for name in names)
    dialect = kind(exchange, account, Keys(key, secret, KEYS["password"]))
    async with exchange:
        library = getattr(ccxt, exchange_id)({"enableRateLimit": False})
        library.options.update({"defaultType": "spot", **_OPTIONS.get(exchange_id, {})})
        library.options["fetchMarkets"] = {"types": ["spot"]}
        library.has["fetchCurrencies"] = False
        library.number = str
        library.nonce = library.milliseconds = lambda: exchange.market.now_ns // 1_000_000
        for name, needed in library.requiredCredentials.items():
            setattr(library, name, KEYS[name] if needed else None)
        text = json.dumps(library.urls["api"]).replace("{hostname}", library.hostname or "")
        library.urls["api"] = _with_host(json.loads(text), exchange.url)
        library.timeout_on_exit = 0
        try:
            await library.load_markets()
            yield Raw(library, exchange, account, dialect, f"BTC/{quote}")
        finally:
            await library.close()
