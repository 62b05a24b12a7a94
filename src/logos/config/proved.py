"""Where real orders may go: the one list of venues that have been proved, and why not elsewhere.

A venue is proved when every request of its adapter has been tried against recorded or documented
answers, failures included. One that only looks alike may take a cancel for a cancel of everything.
So orders go to those of this list; the rest may be looked at, and traded on paper.
"""

from __future__ import annotations

from typing import Final

from logos.config.settings import Config
from logos.config.tables.live import VenueName

EXCHANGES: Final = (
    "binance",
    "bitget",
    "bybit",
    "coinbase",
    "gate",
    "hyperliquid",
    "kraken",
    "kucoin",
    "mexc",
    "okx",
)
"""Spot exchanges, by their ccxt ids: those whose whole round trip is green
(tests/adapters/ccxt/test_round_trip.py)."""

MT5_SIMULATOR: Final = "logos-mt5-sim-Demo"
"""The name of the server that `logos mt5-sim` says it is connected to; no other terminal yet."""

_WHERE: Final = (
    f"spot at {', '.join(EXCHANGES)} (ccxt), shares and coins against USD at Alpaca, and the "
    "terminal of `logos mt5-sim`"
)


def unproved(config: Config) -> str:
    """Why orders with these settings may not leave; empty when they may.

    Which terminal answers behind a URL is seen by asking it: see `unproved_terminal`.
    """
    venue = config.venue
    if venue.name is VenueName.CCXT:
        return unproved_exchange(venue.exchange)
    if venue.name is VenueName.ALPACA:
        traded = config.data.symbols or list(config.instruments)
        names = [config.live.markets.get(symbol, symbol) for symbol in traded]
        pairs = [name for name in names if unproved_pair(name)]
        return unproved_pair(", ".join(pairs)) if pairs else ""
    if venue.name is VenueName.IB:
        return _sentence("Interactive Brokers")
    if venue.name is VenueName.MT5_NATIVE:
        return _sentence("a terminal through the MetaTrader5 package")
    return ""


def unproved_exchange(exchange: str) -> str:
    """Why orders may not go to an exchange of that ccxt id; empty when they may."""
    return "" if exchange in EXCHANGES else _sentence(f"the exchange {exchange!r}")


def unproved_pair(name: str) -> str:
    """Why an asset of that name, or of those, is not traded at Alpaca; empty when it may be.

    The fee of a sale is taken in what it brings: of a coin in dollars it is known what that is.
    """
    if "/" not in name or name.endswith("/USD"):
        return ""
    return _sentence(f"coins against coins at Alpaca ({name})")


def unproved_terminal(server: str) -> str:
    """Why orders may not go to a terminal that is connected to `server`; empty when they may."""
    return "" if server == MT5_SIMULATOR else _sentence(f"a terminal at {server!r}")


def _sentence(what: str) -> str:
    return (
        f"{what} has not been proved: real orders, a sandbox's included, go to {_WHERE} only; "
        "trade it on paper (venue.name = 'paper')"
    )
