"""The kill switch thrown from another process while orders pour out: none leaves after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from stress_helpers import SWITCH, problems_of, read_lines, run_and_judge, small_plan

pytestmark = pytest.mark.campaign
TIMES = 5


@pytest.mark.parametrize("seed", range(TIMES))
def test_no_order_leaves_after_the_switch_was_thrown(seed: int, tmp_path: Path) -> None:
    plan = small_plan(
        100 + seed, signals=0, seconds=60.0, kill="switch", kill_after_s=0.6 + 0.1 * seed
    )
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    switch = next(check for check in verdict.checks if check.name == "kill switch")
    assert switch.what.startswith("thrown; ")
    states = [each["body"]["state"] for each in read_lines(tmp_path / "run" / SWITCH)]
    assert states[-1] == "ENGAGED"
