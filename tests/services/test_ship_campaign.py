"""A bounded sample of `make ship-campaign`: kills, cuts, stops, torn lines, a broker at rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from ship_campaign import SESSIONS, run


@pytest.mark.campaign
def test_what_arrived_over_kills_cuts_and_stops_is_what_was_written(tmp_path: Path) -> None:
    outcome = run(tmp_path, 4_000, seed=3, events=20)
    assert outcome.arrived == outcome.written > 4_000
    assert outcome.sessions_equal == SESSIONS
    assert set(outcome.events) == {"kill", "cut", "freeze", "stop", "crash"}
