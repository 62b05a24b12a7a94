"""How an order is split over tickets: all that are possible, tried one by one, say the same."""

from __future__ import annotations

import itertools

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.adapters.mt5.records import Mark, Ticket
from logos.adapters.mt5.tickets.legs import leg_comment, order_comment
from logos.adapters.mt5.tickets.plan import plan_of, split
from logos.core.instrument import instrument
from logos.core.types import Side

BTC = instrument("BTC", tick="0.01", lot="0.01", min_quantity="0.05", quote="USD")


def splits(units: int, volumes: list[int], smallest: int, step: int) -> list[tuple[int, ...]]:
    """Every split that there is, the one that closes the most of the oldest first."""
    each = [
        [
            part
            for part in range(volume, -1, -1)
            if part in (0, volume)
            or (part >= smallest and volume - part >= smallest and part % step == 0)
        ]
        for volume in volumes
    ]
    return [parts for parts in itertools.product(*each) if sum(parts) == units]


@given(
    volumes=st.lists(st.integers(1, 9), max_size=4),
    units=st.integers(1, 30),
    smallest=st.integers(1, 4),
    step=st.integers(1, 2),
)
def test_a_split_is_the_one_that_closes_the_most_of_the_oldest(
    volumes: list[int], units: int, smallest: int, step: int
) -> None:
    volumes, units, smallest = [v * step for v in volumes], units * step, smallest * step
    possible = splits(units, volumes, smallest, step)
    found = split(units, volumes, smallest, step)
    assert found == (list(possible[0]) if possible else None)


def ticket(number: int, units: int, at_s: int = 0) -> Ticket:
    mark = Mark("run-1", 1)
    return Ticket(str(number), str(number), "BTC", Side.BUY, units, at_s or number, mark)


def test_the_oldest_is_closed_first_whatever_the_list_says() -> None:
    plan = plan_of(30, [ticket(9, 20), ticket(7, 20), ticket(11, 20, 1)], BTC)
    assert [(each.ticket, units) for each, units in plan.closes] == [("11", 20), ("7", 10)]
    assert (plan.opens, plan.words) == (0, "")


@pytest.mark.parametrize(
    ("units", "volumes", "words"),
    [
        (44, [20, 20], "0.40 lots would be closed and 0.04 opened"),
        (18, [20], "0.18 lots of the tickets 1 with 0.20 cannot be closed without"),
    ],
)
def test_what_cannot_be_done_exactly_is_not_done(
    units: int, volumes: list[int], words: str
) -> None:
    plan = plan_of(units, [ticket(n, v) for n, v in enumerate(volumes, 1)], BTC)
    assert words in plan.words
    assert (plan.closes, plan.opens) == ((), 0)


def test_the_id_of_a_request_leads_back_to_its_order_and_to_no_other() -> None:
    for comment in ("run-7", "lg0123456789abcdefx7"):
        assert leg_comment(comment, 1) == comment
        assert order_comment(leg_comment(comment, 12)) == order_comment(comment) == comment
    for strange in ("", ".", "by hand.", "[sl 1.5x]"):
        assert order_comment(strange) == strange
