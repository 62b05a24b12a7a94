"""Two exact averages, against sums that are made anew for each value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logos.indicators.crossing import Crossing


@given(
    windows=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    below=st.sampled_from([-1, 0]),
    prices=st.lists(st.integers(-3, 3) | st.integers(-(2**70), 2**70), max_size=40),
    cut=st.integers(0, 40),
)
def test_it_turns_when_the_averages_do_and_goes_on_from_what_was_saved(
    windows: tuple[int, int], below: int, prices: list[int], cut: int
) -> None:
    fast, slow = windows[0], windows[0] + windows[1]
    crossing = Crossing(fast, slow, below, "bar")
    side = 0
    for number, price in enumerate(prices, 1):
        if number == cut:
            saved = crossing.save()
            crossing = Crossing(fast, slow, below)
            crossing.load(saved)
        seen = prices[:number]
        lead = sum(seen[-fast:]) * slow - sum(seen[-slow:]) * fast
        now = side if number < slow or lead == 0 else 1 if lead > 0 else below
        assert crossing.has_turned(price) == (now != side)
        assert (crossing.side, crossing.kind) == (now, "bar")
        side = now


def test_saved_fields_are_those_of_snapshots_made_before_it_had_a_module() -> None:
    crossing = Crossing(1, 2, 0, "quote")
    crossing.has_turned(7)

    assert crossing.save() == {
        "count": 1,
        "fast_sum": 7,
        "kind": "quote",
        "next": 1,
        "prices": [7, 0],
        "side": 0,
        "slow_sum": 7,
    }
