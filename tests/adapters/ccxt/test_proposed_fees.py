"""The fees that drafts of instruments propose are those that ccxt has for the venue."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from decimal import Decimal

import ccxt
import pytest

from logos.data.terms.venue_fees import FIGURES_OF, SPOT_FEES


@pytest.mark.parametrize("venue", sorted(SPOT_FEES))
def test_proposed_fees_are_those_of_their_source(venue: str) -> None:
    trading = getattr(ccxt, venue)().describe()["fees"]["trading"]
    found = SPOT_FEES[venue]
    assert Decimal(found.maker) == Decimal(str(trading["maker"]))
    assert Decimal(found.taker) == Decimal(str(trading["taker"]))


def test_the_source_that_is_named_is_the_one_that_is_installed() -> None:
    assert f"ccxt {ccxt.__version__}" == FIGURES_OF
