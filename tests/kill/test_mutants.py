"""Small changes to the gates that other tests did not notice; see `mutation.py`."""

from __future__ import annotations

import pytest

from logos.core.gates import InProcessSwitch, reduces, why_closed
from logos.core.types import Code


@pytest.mark.parametrize(
    ("signed", "position", "in_flight", "expected"),
    [
        (-1, 1, 0, True),
        (1, -1, 0, True),
        (-2, 2, 0, True),
        (-2, 1, 0, False),
        (-1, 2, 1, True),
        (-1, 2, 2, False),
        (1, 1, 0, False),
        (-1, -1, 0, False),
        (1, 0, 0, False),
        (-1, 0, 0, False),
    ],
)
def test_an_order_reduces_down_to_the_last_unit_and_not_beyond(
    signed: int, position: int, in_flight: int, expected: bool
) -> None:
    assert reduces(signed, position, in_flight) is expected
    switch = InProcessSwitch()
    assert why_closed(switch.authority(), signed, position, in_flight) is None
    switch.set_reduce_only("drill", "ann")
    refused = None if expected else Code.REDUCE_ONLY
    assert why_closed(switch.authority(), signed, position, in_flight) is refused
    switch.engage("drill", "ann")
    killed = Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING
    assert why_closed(switch.authority(), signed, position, in_flight) is killed


def test_a_switch_that_nobody_threw_has_no_reason() -> None:
    assert InProcessSwitch().why() == ""
