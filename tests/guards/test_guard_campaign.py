"""Generated orders against generated limits; `guard_campaign.py` runs as many as one likes."""

from __future__ import annotations

import pytest
from guard_campaign import World, run_campaign
from guard_checker import Breach
from guard_helpers import BUY, Rig
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import first_quick

from logos.core.guards.table import GUARDS
from logos.core.records import OrderRecord
from logos.core.strategy import market
from logos.testing.builders import orders_in


@pytest.mark.long
@pytest.mark.parametrize("orders", first_quick([10_000, 50_000]))
def test_generated_orders_pass_no_limit(orders: int) -> None:
    result = run_campaign(orders, 0)
    assert result["asked"] >= orders
    assert result["made"] > orders / 4
    # Market hours, guards of users and storms are not drawn, and tested by themselves.
    never = {code.value for code in GUARDS} - set(result["refusals"])
    assert never == {"MARKET_CLOSED", "USER_GUARD", "REFUSAL_STORM"}


@pytest.mark.long
@settings(deadline=None, max_examples=30)
@given(st.integers(10**6, 2**63))
def test_no_world_passes_a_limit(number: int) -> None:
    World(number).run()


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("max_order_quantity", "1"),
        ("max_order_notional", "1"),
        ("max_position", "1"),
        ("max_gross_exposure", "1"),
        ("max_net_exposure", "1"),
        ("max_open_orders", -1),
        ("max_total_open_orders", -1),
        ("max_consecutive_losses", -1),
    ],
)
def test_the_checker_finds_a_limit_that_the_core_was_not_told_of(
    limit: str, value: str | int
) -> None:
    worlds = (World(number) for number in range(100))
    for world in worlds:
        world.checker.limits = {**world.limits, limit: value}
        try:
            world.run()
        except Breach:
            return
    raise AssertionError("no breach was found")


def test_the_checker_finds_an_order_after_engagement() -> None:
    rig = Rig()
    rig.show(100, market(BUY, 1))
    [order] = orders_in(rig.records)
    world = World(0)
    world.checker.switch = "ENGAGED"
    with pytest.raises(Breach, match="after the switch engaged"):
        world.checker.apply(None, [_of(order, world)], 0)


def _of(order: OrderRecord, world: World) -> OrderRecord:
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    return OrderRecord(**{**fields, "symbol": world.instruments[0].symbol})
