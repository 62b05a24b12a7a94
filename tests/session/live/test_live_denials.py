"""A venue that denies the orders it fills: nothing is ordered on top of what nobody has compared.

At Kraken a strategy that wanted 0.01 BTC bought 0.12 of it in twelve orders: every order was
answered without a status, was denied when it was asked for by our id, and had been filled.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from denying_venue import Wanting, denying_world
from live_session_helpers import ScriptedFeed

from logos.audit.verify import verify
from logos.core.types import SessionStatus, SwitchState
from logos.session.entry import replay
from logos.session.outcome import ExitCode


@pytest.mark.long
@pytest.mark.parametrize("names", ["no", "venue"])
def test_the_position_at_a_venue_that_denies_what_it_fills_never_passes_the_one_wanted(
    tmp_path: Path, names: str
) -> None:
    there = denying_world(tmp_path, names)
    result = there.run(ScriptedFeed(there.clock, 3_000), Wanting(), drain_s=60)
    assert there.venue.books.positions["AAA"] == 1, "one order, and no other on top of it"
    assert result.status is SessionStatus.HALTED
    assert result.exit_code is ExitCode.HALTED
    assert "RECONCILIATION" in result.summary["guards"]
    assert there.switch.authority() is SwitchState.ENGAGED
    assert "AAA" in result.summary["live"]["holdings at the end"]
    assert replay("live", strategy=Wanting(), home=tmp_path).summary == result.summary
    assert verify(result.folder).exit_code == 0
