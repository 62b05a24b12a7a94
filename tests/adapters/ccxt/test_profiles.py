"""Profiles of exchanges: each field has its source, and none leaves an order without a name."""

from __future__ import annotations

import asyncio
from random import Random

import ccxt
import msgspec
import pytest
from venue_tools import KEY, SECRET, Word, approved, bitcoin

from logos.adapters.ccxt.profiles import PROFILES, has_profile
from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.adapters.ccxt.profiles.profile import By, Look, Profile, uncited
from logos.adapters.ccxt.venue import CcxtVenue
from logos.config.proved import EXCHANGES
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import Side
from logos.testing.clock import ManualClock
from logos.venues.contract import Refused

every = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


@every
def test_each_field_that_is_no_default_names_its_source(profile: Profile) -> None:
    assert uncited(profile) == []


def test_a_field_without_a_source_is_named() -> None:
    bare = msgspec.structs.replace(BINANCE, sources={"ids": "R"})
    assert "fills" in uncited(bare)
    assert "ids" not in uncited(bare)


def test_an_order_can_be_asked_for_without_the_exchange_s_id() -> None:
    with pytest.raises(ValueError, match="without its id there"):
        msgspec.structs.replace(BINANCE, looks=(Look("fetch_order", By.VENUE),))


@every
def test_its_names_are_ccxt_s(profile: Profile) -> None:
    exchange = getattr(ccxt, profile.exchange_id)()
    for look in profile.looks:
        assert callable(getattr(exchange, look.method))
    needed = {name for name, is_needed in exchange.requiredCredentials.items() if is_needed}
    assert needed <= set(profile.credentials)
    assert set(profile.credentials.values()) <= {"key", "secret", "password"}


def test_orders_go_only_where_there_is_a_profile() -> None:
    assert all(has_profile(exchange) for exchange in EXCHANGES)


def test_without_a_profile_no_order_and_no_cancel_is_sent() -> None:
    coin = bitcoin()

    async def story() -> None:
        venue = CcxtVenue(
            "bitstamp",
            {coin.symbol: coin},
            ManualClock(1),
            Random(1),
            key=Word(KEY),
            secret=Word(SECRET),
            sandbox=False,
        )
        order = approved(coin, Side.BUY, "0.001", "90000.00")
        for sent in (
            venue.submit(SubmitOrder(order, "s-1-1", 0)),
            venue.cancel(CancelOrder("s-1-1", coin.symbol)),
        ):
            with pytest.raises(Refused, match="no profile of 'bitstamp'"):
                await sent
        await venue.close()

    asyncio.run(story())
