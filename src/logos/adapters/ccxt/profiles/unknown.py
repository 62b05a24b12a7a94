"""What is asked of an exchange without a profile: questions, in ccxt's unified form."""

from __future__ import annotations

from logos.adapters.ccxt.profiles.profile import By, Cancel, Look, Pages, Paging, Profile
from logos.venues.ids import IdRule


def unknown(exchange_id: str) -> Profile:
    """The profile of an exchange that has none. No order goes by it; see `has_profile`."""
    return Profile(
        exchange_id=exchange_id,
        # What the strictest exchanges take.
        ids=IdRule(32, takes_punctuation=False),
        looks=(Look("fetch_order", By.CLIENT, "clientOrderId"),),
        cancel=Cancel(By.CLIENT, "clientOrderId", id_beside=""),
        fills=Paging(Pages.FORWARD, size=1000),
        test_place="unknown",
        sources={},
    )
