"""Real venues, from their settings and the keys of the environment.

Keys come from the environment or `.env` (see `logos.config.credentials`), go into the adapter and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from logos.adapters.catalog import Access, make_venue
from logos.config import Config, ConfigError, credentials
from logos.config.credentials import has_credentials
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.venues.contract import Refused, Venue

_NS_PER_MS = 1_000_000


def venue_access(config: Config) -> Access | None:
    """Where the venue of `[venue]` is, and the keys to it; None for one that takes none.

    Raises ConfigError when keys are missing.
    """
    settings = config.venue
    if not has_credentials(settings):
        return None
    keys = credentials(settings)
    return Access(
        key=keys.key,
        secret=keys.secret,
        password=keys.password,
        exchange=settings.exchange,
        sandbox=settings.sandbox,
        url=settings.url,
        markets=config.live.markets,
        skew_ns_max=config.live.max_clock_skew_ms * _NS_PER_MS,
    )


def venue_of(
    config: Config,
    instruments: Mapping[str, Instrument],
    session_id: str,
    clock: Clock,
    random: Random,
) -> Venue | None:
    """The venue that a session's orders go to, not connected yet; None for the paper market.

    Raises ConfigError for missing keys, a missing library, and a venue that is not to be had.
    """
    if not config.venue.live:
        return None
    try:
        name = config.venue.name.value
        return make_venue(name, instruments, clock, random, venue_access(config), session_id)
    except Refused as refusal:
        raise ConfigError(f"venue: {refusal}") from None
