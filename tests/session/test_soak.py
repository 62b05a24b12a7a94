"""A session that runs for long does not grow; and a soak finds one that does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from soak import Sample, fit, growth_problems, read_sample, soak, words_of

MIB = 1 << 20


def samples(
    memory: Callable[[float], float] = lambda second: 120.0 * MIB,
    descriptors: Callable[[float], float] = lambda second: 12.0,
) -> list[Sample]:
    """Noisy samples of half an hour."""
    random = Random(3)
    return [
        Sample(
            second,
            round(memory(second) + random.uniform(-2, 2) * MIB),
            round(descriptors(second)) + random.choice((0, 0, 0, 1)),
            9,
        )
        for second in range(0, 1800, 5)
    ]


def test_a_line_is_fitted_by_least_squares() -> None:
    points = [Sample(second, 100 + 3 * second, 5, 1) for second in range(10)]
    assert fit(points, "memory_bytes").gain == pytest.approx(27)
    assert fit(points, "memory_bytes").mean == pytest.approx(113.5)
    assert fit(points, "threads").gain == 0


def test_what_is_flat_or_fills_up_in_the_warm_up_is_no_problem() -> None:
    assert growth_problems(samples())[1] == []
    assert growth_problems(samples(lambda second: (60 + min(second, 300) / 5) * MIB))[1] == []


@pytest.mark.parametrize(
    ("grown", "name"),
    [
        (samples(lambda second: (120 + second / 200) * MIB), "memory_bytes gains"),
        (samples(lambda second: (120 + 8 * (second > 1200)) * MIB), "memory_bytes gains"),
        (samples(descriptors=lambda second: 12 + second / 600), "descriptors gains"),
        (samples()[:10], "samples after the warm-up"),
    ],
)
def test_a_leak_is_found_whatever_its_shape(grown: list[Sample], name: str) -> None:
    [problem] = growth_problems(grown)[1]
    assert name in problem


def test_the_system_says_what_a_process_holds() -> None:
    found = read_sample(os.getpid(), 1.0)
    assert found is not None
    assert found.memory_bytes > MIB
    assert found.descriptors >= 3
    assert found.threads >= 1
    assert read_sample(2**22 + 1, 1.0) is None


@pytest.mark.campaign
def test_a_live_replay_at_high_speed_stays_flat(tmp_path: Path) -> None:
    report = soak(tmp_path, minutes=0.6, rate=1500, seed=7)
    assert report.problems == [], words_of(report)
    assert report.events >= 0.6 * 60 * 1500
    assert report.files > 3, "its inputs went on in new files"
    assert report.bytes_an_event["inputs compressed"] < report.bytes_an_event["inputs"] / 2
