"""`logos sweep`, killed as a whole at random and resumed: the same tables, each row once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_kill_trials import SweepKills

pytestmark = pytest.mark.long


def test_a_sweep_that_is_killed_and_resumed_brings_the_same_tables(tmp_path: Path) -> None:
    kills, problems = SweepKills(tmp_path).trial(seed=0)
    assert kills.total() >= 1
    assert problems == []
