"""How an order is split over tickets: all that are possible, tried one by one, say the same."""

from __future__ import annotations

import itertools
import random
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.adapters.mt5.known.ledger import Ledger
from logos.adapters.mt5.records import Mark, Ticket
from logos.adapters.mt5.tickets import legs, plan
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


@pytest.mark.parametrize("step", [10**7, 10**15])
def test_how_many_steps_a_ticket_has_makes_no_difference(step: int) -> None:
    # 8 and 2 would be less than the smallest 5, and so would 3 be that is left of 8.
    assert split(10 * step, [8 * step, 20 * step], 5 * step, 1) == [0, 10 * step]
    assert split(9 * step, [8 * step, 6 * step, 7 * step], 5 * step, 1) is None
    assert split(15 * step + 1, [8 * step, 20 * step], 5 * step, 1) == [8 * step, 7 * step + 1]


@given(
    volumes=st.lists(st.integers(3, 40), min_size=1, max_size=12),
    units=st.integers(1, 200),
    smallest=st.integers(2, 9),
)
def test_a_split_that_is_not_looked_for_to_the_end_is_a_split_all_the_same(
    volumes: list[int], units: int, smallest: int
) -> None:
    whole = plan._nearest(units, volumes, smallest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_RANGES_MIN", 2)
        found = plan._nearest(units, volumes, smallest, looks=2)
    if whole is None or found is None:
        assert found is None
        return
    assert sum(found) == units
    assert all(plan._is_fine(*each, smallest) for each in zip(found, volumes, strict=True))
    assert found <= whole, "the whole search closes the most of the oldest"


def test_many_small_tickets_are_looked_at_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    draw, made = random.Random(7), [0]
    volumes = [draw.randrange(10**6, 2 * 10**6) for _ in range(200)]
    right = plan._with

    def counted(*given: Any) -> list[tuple[int, int]]:
        sums = right(*given)
        made[0] += len(sums)
        return sums

    monkeypatch.setattr(plan, "_with", counted)
    units = sum(volumes[50:90])
    found = split(units, volumes, 10**6, 1)
    assert made[0] <= 3 * plan.LOOKS
    assert found is None or sum(found) == units


def ticket(number: int, units: int, at_s: int = 0) -> Ticket:
    mark = Mark("run-1", 1)
    return Ticket(str(number), str(number), "BTC", Side.BUY, units, at_s or number, mark)


def test_the_oldest_is_closed_first_whatever_the_list_says() -> None:
    made = plan_of(30, [ticket(9, 20), ticket(7, 20), ticket(11, 20, 1)], BTC)
    assert [(each.ticket, units) for each, units in made.closes] == [("11", 20), ("7", 10)]
    assert (made.opens, made.words) == (0, "")


@pytest.mark.parametrize(
    ("units", "volumes", "words"),
    [
        (44, [20, 20], "0.40 lots would be closed and 0.04 opened"),
        (18, [20], "0.18 lots of the tickets 1 with 0.20: no way was found to close them without"),
    ],
)
def test_what_cannot_be_done_exactly_is_not_done(
    units: int, volumes: list[int], words: str
) -> None:
    made = plan_of(units, [ticket(n, v) for n, v in enumerate(volumes, 1)], BTC)
    assert words in made.words
    assert (made.closes, made.opens) == ((), 0)


@given(
    session_id=st.integers(1, 40).map(lambda length: "s" * length),
    orders=st.lists(st.integers(1, 10**7), min_size=2, max_size=2, unique=True),
    numbers=st.lists(st.integers(1, legs.LEGS_MAX), min_size=2, max_size=2, unique=True),
)
def test_no_comment_of_a_request_is_cut_whatever_the_session_is_called(
    session_id: str, orders: list[int], numbers: list[int]
) -> None:
    ledger, kept = Ledger(session_id), set[str]()
    for name in (f"{session_id}-{order}" for order in orders):
        for number in numbers:
            comment = leg_comment(ledger.marks_of(name)[0], number)[: legs.COMMENT_MAX]
            assert ledger.client_id_of(Mark(comment, 0), "") == name
            kept.add(comment)
    assert len(kept) == 4


def test_the_id_of_a_request_leads_back_to_its_order_and_to_no_other() -> None:
    for comment in ("run-7", "lg0123456789abcdefx7"):
        assert leg_comment(comment, 1) == comment
        assert order_comment(leg_comment(comment, 12)) == order_comment(comment) == comment
    for strange in ("", ".", "by hand.", "[sl 1.5x]"):
        assert order_comment(strange) == strange
