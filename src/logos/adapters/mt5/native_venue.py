"""The venue "mt5-native": MetaQuotes' Python package found, and the venue over it made.

Without an address the package `MetaTrader5` is imported: it exists for Windows only. With one
(`tcp://127.0.0.1:18812`), `mt5linux` is: a Python under Wine that serves the same functions. That
server knows no password, so only this machine is talked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.native import NativeTerminal
from logos.adapters.mt5.venue import Mt5Venue
from logos.config import Config, ConfigError
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.core.outbox import SubmitOrder
from logos.loopback import EndpointError, check_host

REPLY_TIMEOUT_S: Final = 10.0
"""How long a call of the package may take; a broker's answer to an order is part of it."""

_MISSING: Final = (
    "venue mt5-native needs a package that is not here: pip install MetaTrader5, on Windows, "
    "beside a terminal; elsewhere pip install mt5linux, and set venue.url to where its server "
    "listens (tcp://127.0.0.1:18812). Without either, use venue.name = 'mt5' (docs/MT5.md)"
)


def native_venue(
    config: Config, instruments: Mapping[str, Instrument], session_id: str, clock: Clock
) -> Mt5Venue:
    """The venue of `[venue]`, not opened yet. Raises ConfigError for a package that is missing and
    an address that cannot be used."""
    settings = config.venue
    link = NativeTerminal(
        load_package(settings.url), clock, reply_timeout_s=REPLY_TIMEOUT_S, gate=_closed
    )
    markets = config.live.markets
    symbols = {
        symbol: Mt5VenueSymbol(each, markets.get(symbol, symbol))
        for symbol, each in instruments.items()
    }
    return Mt5Venue(
        link,
        symbols,
        clock,
        session_id=session_id,
        is_sandbox=settings.sandbox,
        settle_s=2 * REPLY_TIMEOUT_S,
    )


def load_package(url: str) -> Any:
    """The package's module, or mt5linux's stand-in for it. Raises ConfigError."""
    try:
        if not url:
            return import_module("MetaTrader5")
        parts = urlsplit(url)
        check_host(parts.hostname or "", is_encrypted=False)
        return import_module("mt5linux").MetaTrader5(host=parts.hostname, port=parts.port or 18812)
    except ImportError:
        raise ConfigError(_MISSING) from None
    except EndpointError as error:
        raise ConfigError(f"venue.url: {error}") from None


def _closed(_: SubmitOrder) -> str:
    """No order leaves by it until the adapter has been proved; see `logos.config.proved`."""
    return "orders through the MetaTrader5 package have not been proved"
