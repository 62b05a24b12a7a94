"""The histogram of durations: close to the true percentiles, exact at the maximum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.execution.latency import LatencyHistogram

DURATIONS = st.one_of(st.integers(0, 40), st.integers(0, 10**6), st.integers(0, 2**67 - 1))


def true_percentile(values: list[int], percent: float) -> int:
    """The smallest value that this share of all does not exceed."""
    needed = max(1, -(-len(values) * round(percent * 1000) // 100_000))
    return sorted(values)[needed - 1]


@pytest.mark.long
@given(st.lists(DURATIONS, min_size=1, max_size=60), st.sampled_from([0, 1, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_never_below_the_true_one_and_at_most_a_sixteenth_above(
    values: list[int], percent: float
) -> None:
    histogram = LatencyHistogram()
    for value in values:
        histogram.add(value)
    found, true = histogram.percentile_ns(percent), true_percentile(values, percent)
    assert true <= found <= true + true // 16
    assert histogram.max_ns == max(values)
    assert histogram.percentile_ns(100) == max(values)
    assert histogram.count == len(values)


@pytest.mark.long
@given(st.lists(st.tuples(DURATIONS, st.integers(1, 5)), min_size=1, max_size=20))
def test_adding_several_at_once_is_adding_each(pairs: list[tuple[int, int]]) -> None:
    together, apart = LatencyHistogram(), LatencyHistogram()
    for value, times in pairs:
        together.add(value, times)
        for _ in range(times):
            apart.add(value)
    assert together.summary() == apart.summary()


def test_an_empty_histogram_says_nothing() -> None:
    assert set(LatencyHistogram().summary().values()) == {0}


def test_a_clock_that_stepped_back_counts_as_no_time() -> None:
    histogram = LatencyHistogram()
    histogram.add(-5)
    assert histogram.summary() == {
        "count": 1, "p50_ns": 0, "p90_ns": 0, "p99_ns": 0, "p99_9_ns": 0, "max_ns": 0,
    }  # fmt: skip


@pytest.mark.long
@given(st.integers(0, 2**66), st.lists(DURATIONS, max_size=80))
def test_what_ended_together_is_counted_as_each(ended_ns: int, durations: list[int]) -> None:
    durations.sort(reverse=True)  # as they arrived
    together, apart = LatencyHistogram(), LatencyHistogram()
    together.add_all(ended_ns, [ended_ns - each for each in durations])
    for each in durations:
        apart.add(each)
    assert together.summary() == apart.summary()
    assert together.cumulative() == apart.cumulative()
    assert together.sum_ns == apart.sum_ns
