"""Real processes, really killed: a seeded sample of the campaign (`make crash-campaign`)."""

from __future__ import annotations

import pytest
from kill_trials import run_trial
from sampling import first_quick


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("part", "kills_min"), first_quick([(0, 3), (1, 25), (2, 25)]))
def test_a_session_killed_again_and_again_ends_as_if_nothing_had_happened(
    part: int, kills_min: int
) -> None:
    kills_seen, seed, problems = 0, 1_000 * part, []
    while kills_seen < kills_min:
        trial = run_trial(seed)
        kills_seen += trial.kills
        seed += 1
        if trial.problems:
            problems.append(trial)
    assert problems == []
