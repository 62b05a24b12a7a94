"""Whether an exchange has a place to rehearse at, and what to do where it has none."""

from __future__ import annotations

import ccxt.async_support as ccxt

from logos.adapters.ccxt.profiles.profile import Profile


def has_sandbox(profile: Profile) -> bool:
    """Whether ccxt knows a place to rehearse at; an id that it does not know is no answer."""
    kind = getattr(ccxt, profile.exchange_id, None)
    return kind is None or profile.has_demo or bool(kind().urls.get("test"))


def without_sandbox(exchange: str) -> str:
    """What to do where an exchange has no place to rehearse at."""
    return (
        f"the exchange {exchange!r} has no sandbox in ccxt, and needs no sandbox keys: look with "
        f"`logos venue check ccxt:{exchange} --no-sandbox`, which sends no order; trade on paper "
        "(venue.name = 'paper'); then the smallest order with venue.sandbox = false, step by step "
        'as docs/LIVE-RUNBOOK.md says under "First real order"'
    )
