"""Which venues there are, what each needs, and how one is made.

Each adapter's library is optional: it is imported here, when its venue is chosen, and a missing one
is a Refused that says what to install.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND
from logos.installation import install_command
from logos.venues.contract import Refused, Venue
from logos.venues.redact import Revealable


class Entry(msgspec.Struct, frozen=True):
    """One line of `logos venue list`. `library` is empty for what needs none."""

    name: str
    library: str
    summary: str
    how: str = ""
    """What to install, where that is no extra of logos."""

    @property
    def state(self) -> str:
        """Whether it can be used here, or what to do for that."""
        is_here = not self.library or find_spec(self.library) is not None
        return "ready" if is_here else self.how or install_command(self.name)


ENTRIES: Final = (
    Entry("paper", "", "the paper market inside the session; no orders leave it"),
    Entry("ccxt", "ccxt", "spot exchanges by their ccxt id; which take orders: docs/VENUES.md"),
    Entry("alpaca", "alpaca", "US equities and coins at Alpaca, paper or live"),
    Entry("mt5", "zmq", "a MetaTrader 5 terminal through its ZeroMQ bridge; see docs/MT5.md"),
    Entry(
        "mt5-native",
        "MetaTrader5",
        "a MetaTrader 5 terminal through MetaQuotes' Python package; to look at, not for orders",
        how="pip install MetaTrader5",
    ),
    Entry(
        "ib",
        "ib_async",
        "Interactive Brokers through TWS or IB Gateway; to look at, not for orders",
    ),
)


class _NoKey:
    """In place of a key, for a place that is logged in by itself."""

    def reveal(self) -> str:
        return ""


NO_KEY: Final = _NoKey()


@dataclass(frozen=True, slots=True)
class Access:
    """Where a venue is and who asks. `markets` is what it calls a symbol, where that differs."""

    key: Revealable
    secret: Revealable
    password: Revealable | None = None
    exchange: str = ""
    sandbox: bool = True
    url: str = ""
    markets: Mapping[str, str] | None = None
    timeout_s: float = 10.0
    skew_ns_max: int = NS_PER_SECOND
    share: int = 100
    """Percent of the account's requests that the session may make; Alpaca."""
    shared_budget: Path | None = None
    """Where all sessions of the account on this machine count its requests; ccxt."""


def missing_sandbox(name: str, exchange: str, sandbox: bool) -> str:
    """Why a venue cannot be rehearsed at, and what to do; empty where it can, or nobody asks.

    To be asked before its keys: nobody has keys for a sandbox that is not there.
    """
    if name != "ccxt" or not sandbox or find_spec("ccxt") is None:
        return ""
    from logos.adapters.ccxt.profiles import profile_of
    from logos.adapters.ccxt.sandbox import has_sandbox, without_sandbox

    return "" if has_sandbox(profile_of(exchange)) else without_sandbox(exchange)


def make_venue(
    name: str,
    instruments: Mapping[str, Instrument],
    clock: Clock,
    random: Random,
    access: Access | None,
    session_id: str = "",
) -> Venue:
    """The venue of that name, not opened yet. `access` is None for what takes no keys.

    `session_id` is the session whose orders count as ours. Raises Refused for a name without an
    adapter, a library that is missing, or settings that it cannot work with.
    """
    if name not in ("ccxt", "alpaca", "ib"):
        raise Refused(f"no venue {name!r} is made from keys and settings alone")
    if access is None:
        raise Refused(f"venue {name} needs keys")
    missing = ""
    try:
        return _made(name, instruments, clock, random, access, session_id)
    except ModuleNotFoundError as error:
        missing = str(error.name)
    raise Refused(
        f"venue {name} needs the library {missing!r}, which is not here: {install_command(name)}"
    )


def _made(
    name: str,
    instruments: Mapping[str, Instrument],
    clock: Clock,
    random: Random,
    access: Access,
    session_id: str,
) -> Venue:
    if name == "ccxt":
        from logos.adapters.ccxt.venue import CcxtVenue

        exchange = CcxtVenue(
            access.exchange,
            instruments,
            clock,
            random,
            key=access.key,
            secret=access.secret,
            password=access.password,
            sandbox=access.sandbox,
            url=access.url,
            timeout_s=access.timeout_s,
            session_id=session_id,
            markets=access.markets,
            skew_ns_max=access.skew_ns_max,
        )
        exchange.hears_orders = True
        exchange.shared_budget = access.shared_budget
        return exchange
    if name == "ib":
        from logos.adapters.ib.venue import IbSettings, IbVenue

        settings = IbSettings(
            sandbox=access.sandbox,
            url=access.url,
            timeout_s=access.timeout_s,
            markets=access.markets or {},
            skew_ns_max=access.skew_ns_max,
        )
        return IbVenue(instruments, clock, random, settings, session_id)
    from logos.adapters.alpaca.venue import AlpacaVenue

    venue = AlpacaVenue(
        instruments,
        clock,
        random,
        key=access.key,
        secret=access.secret,
        sandbox=access.sandbox,
        url=access.url,
        timeout_s=access.timeout_s,
        session_id=session_id,
        assets=access.markets,
        skew_ns_max=access.skew_ns_max,
    )
    venue.use_share(access.share)
    return venue
