"""A sample of the campaign, the same every time; the whole of it is a script of its own."""

from __future__ import annotations

from collections import Counter

from venue_campaign import run_sequence

SEQUENCES = 90


def test_a_sample_of_random_sessions_keeps_every_promise() -> None:
    counts: Counter[str] = Counter()
    for seed in range(1, SEQUENCES + 1):
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
    assert counts["crashes"] > SEQUENCES / 2
    assert counts["kills"] > SEQUENCES / 10
    assert counts["fills"] > SEQUENCES
