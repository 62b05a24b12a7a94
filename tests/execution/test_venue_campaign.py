"""A sample of the campaign, the same every time; the whole of it is a script of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from sampling import first_quick
from venue_campaign import run_sequence

SEED_WITH_A_DIFFERENCE = 37


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "seeds", first_quick([[*range(1, 25), SEED_WITH_A_DIFFERENCE], range(1, 301)])
)
def test_a_sample_of_random_sessions_keeps_every_promise(seeds: Sequence[int]) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        outcome = run_sequence(seed)
        assert outcome.wrong == [], f"seed {seed}"
        counts += outcome.counts
    # The sample is no good unless everything that may happen did.
    for kind in (
        "ACCEPTED",
        "FILLED",
        "CANCELLED",
        "REJECTED",
        "NOT_SENT",
        "UNKNOWN",
        "DIFFERENCE",
    ):
        assert counts[f"reports {kind}"], kind
    assert counts["crashes"] > len(seeds) / 2
    assert counts["kills"] > len(seeds) / 10
    assert counts["fills"] > len(seeds)
