"""Exchange profiles: one module an exchange, and the table of them.

An exchange joins by a module with its `Profile` and a place in `_ALL`. It joins the list of
those that real orders may go to (`logos.config.proved`) when its whole round trip is green
(tests/adapters/ccxt/test_round_trip.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from logos.adapters.ccxt.profiles.binance import BINANCE, BINANCEUS
from logos.adapters.ccxt.profiles.bitget import BITGET
from logos.adapters.ccxt.profiles.bybit import BYBIT
from logos.adapters.ccxt.profiles.coinbase import COINBASE
from logos.adapters.ccxt.profiles.gate import GATE
from logos.adapters.ccxt.profiles.hyperliquid import HYPERLIQUID
from logos.adapters.ccxt.profiles.kraken import KRAKEN
from logos.adapters.ccxt.profiles.kucoin import KUCOIN
from logos.adapters.ccxt.profiles.mexc import MEXC
from logos.adapters.ccxt.profiles.okx import OKX
from logos.adapters.ccxt.profiles.profile import Profile
from logos.adapters.ccxt.profiles.unknown import unknown

_ALL: Final = (
    BINANCE,
    BINANCEUS,
    BITGET,
    BYBIT,
    COINBASE,
    GATE,
    HYPERLIQUID,
    KRAKEN,
    KUCOIN,
    MEXC,
    OKX,
)

PROFILES: Final[Mapping[str, Profile]] = {profile.exchange_id: profile for profile in _ALL}


def has_profile(exchange_id: str) -> bool:
    """Whether orders can be sent to an exchange at all: it has a profile."""
    return exchange_id in PROFILES


def profile_of(exchange_id: str) -> Profile:
    """The exchange's profile; without one, what ccxt says is common to all, for questions only."""
    return PROFILES.get(exchange_id) or unknown(exchange_id)
