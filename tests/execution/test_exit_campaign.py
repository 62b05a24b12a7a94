"""A sample of the campaign of exits, always the same; the whole is a script of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from exit_campaign import run_exits
from sampling import first_quick


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", first_quick([range(1, 26), range(1, 501)]))
def test_a_sample_of_random_sessions_with_exits_keeps_every_promise(seeds: Sequence[int]) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        outcome = run_exits(seed)
        assert outcome.wrong == [], f"seed {seed}"
        counts += outcome.counts
    # The sample is no good unless everything that may happen did.
    for kind in ("exits sent", "exit fills", "exits again", "snapshots", "crashes", "kills"):
        assert counts[kind], kind
    for code in ("EXIT_NOT_FILLED", "EXIT_LATE", "PROTECTION_ENDS"):
        assert counts[f"warnings {code}"], code
