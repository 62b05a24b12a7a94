"""What a venue says is left, until it counts anew, is not passed."""

from __future__ import annotations

import pytest
from lane_bench import CANCEL, FIND, ORDER, Bench, play

from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import Call
from logos.execution.sending.meter import Meter
from logos.venues.budget import Allowance, Budget, Pool


def heard_in_turn(*told: tuple[float, float, float]) -> Meter:
    """A meter of a thousand that heard each of these: when, how much is left, until when."""
    meter = Meter(Pool("all", 1000, 100))
    for heard_s, left, until_s in told:
        meter.hear(Allowance("all", left, *(round(s * NS_PER_SECOND) for s in (heard_s, until_s))))
    return meter


@pytest.mark.parametrize(
    ("told", "at_s", "left"),
    [
        # In one window what is left only falls: an answer may not know of what is under way.
        ([(0, 50, 10), (1, 60, 11)], 2, 50),
        ([(0, 50, 10), (1, 40, 10)], 2, 40),
        # One that is over counts no more, nor does what came of it late.
        ([(0, 50, 10), (10, 90, 20)], 11, 90),
        ([(0, 50, 10), (12, 5, 10)], 12, None),
        # Whoever says that it is counted anew sooner is right.
        ([(0, 50, 600), (1, 0, 5)], 6, None),
    ],
)
def test_of_the_venue_s_windows_the_one_that_is_on_counts(
    told: list[tuple[float, float, float]], at_s: float, left: float | None
) -> None:
    meter, now_ns = heard_in_turn(*told), round(at_s * NS_PER_SECOND)
    went = 0
    while went < 200 and not meter.wait_ns(CANCEL, now_ns):
        meter.take(CANCEL, now_ns)
        went += 1
    assert went == (200 if left is None else left)


def test_near_the_end_of_what_is_left_questions_wait_and_orders_go() -> None:
    async def work(bench: Bench) -> None:
        now_ns = bench.clock.now_ns()
        bench.lane.may_need = lambda: 1
        bench.place.allowances = [Allowance("all", 12, now_ns, now_ns + 30 * NS_PER_SECOND)]
        bench.lane.heard(Call(FIND))
        for number in range(5):
            bench.add(f"q{number}", FIND)
        await bench.wait(1)
        assert len(bench.left) == 2, "a tenth of the pool is left to orders and cancels"
        for number in range(9):
            bench.add(f"o{number}", ORDER)
        bench.add("c", CANCEL)
        await bench.wait(1)
        assert set(bench.names[2:]) == {*(f"o{number}" for number in range(9)), "c"}
        await bench.wait(29)
        assert len(bench.left) == 15

    play(work, Budget((Pool("all", 100, 10),)))
