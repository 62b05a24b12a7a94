"""Real venues, from their settings: the one place that names their adapters.

Keys come from the environment or `.env` (see `logos.config.credentials`), go into the adapter and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from logos.config import (
    ConfigError,
    Environment,
    LiveSettings,
    VenueName,
    VenueSettings,
    credentials,
)
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.venues.contract import Venue

_NS_PER_MS = 1_000_000


def make_venue(
    settings: VenueSettings,
    live: LiveSettings,
    instruments: Mapping[str, Instrument],
    session_id: str,
    clock: Clock,
    random: Random,
    environment: Environment | None = None,
) -> Venue:
    """The venue that `settings` name, with its keys; it is not connected yet.

    Raises ConfigError for missing keys, a missing library, and a venue that is not to be had.
    """
    known = Environment.read() if environment is None else environment
    try:
        if settings.name is VenueName.CCXT:
            return _ccxt(settings, live, instruments, session_id, clock, random, known)
        if settings.name is VenueName.ALPACA:
            return _alpaca(settings, live, instruments, session_id, clock, random, known)
        if settings.name is VenueName.IB:
            from logos.venues.ib import IbVenue

            return IbVenue()
    except ImportError as error:
        raise ConfigError(
            f"venue {settings.name.value} needs a library that is not installed ({error.name}): "
            f"pip install 'logos[{settings.name.value}]'"
        ) from None
    raise ConfigError(f"venue.name: {settings.name.value!r} takes no orders of a live session")


def _ccxt(
    settings: VenueSettings,
    live: LiveSettings,
    instruments: Mapping[str, Instrument],
    session_id: str,
    clock: Clock,
    random: Random,
    environment: Environment,
) -> Venue:
    from logos.venues.ccxt import CcxtVenue

    keys = credentials(settings, environment)
    return CcxtVenue(
        settings.exchange,
        instruments,
        clock,
        random,
        key=keys.key,
        secret=keys.secret,
        password=keys.password,
        sandbox=settings.sandbox,
        url=settings.url,
        session_id=session_id,
        markets=live.markets,
        skew_ns_max=live.max_clock_skew_ms * _NS_PER_MS,
    )


def _alpaca(
    settings: VenueSettings,
    live: LiveSettings,
    instruments: Mapping[str, Instrument],
    session_id: str,
    clock: Clock,
    random: Random,
    environment: Environment,
) -> Venue:
    from logos.venues.alpaca import AlpacaVenue

    keys = credentials(settings, environment)
    return AlpacaVenue(
        instruments,
        clock,
        random,
        key=keys.key,
        secret=keys.secret,
        sandbox=settings.sandbox,
        url=settings.url,
        session_id=session_id,
        assets=live.markets,
        skew_ns_max=live.max_clock_skew_ms * _NS_PER_MS,
    )
