"""Real processes, really killed: a seeded sample of the campaign (`make crash-campaign`)."""

from __future__ import annotations

import pytest
from kill_trials import run_trial

KILLS_MIN = 50


@pytest.mark.parametrize("part", range(2))
def test_a_session_killed_again_and_again_ends_as_if_nothing_had_happened(part: int) -> None:
    kills_seen, seed, problems = 0, 1_000 * part, []
    while kills_seen < KILLS_MIN // 2:
        trial = run_trial(seed)
        kills_seen += trial.kills
        seed += 1
        if trial.problems:
            problems.append(trial)
    assert problems == []
