"""A session that makes bars: its files, its words, its replay and its judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from crash_sessions import STORIES, begin, replay, session_folder

from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch

STORY = STORIES["saved, bars"]


@pytest.mark.long
def test_a_session_says_how_long_it_warmed_up_and_stands_up_to_its_judge(tmp_path: Path) -> None:
    result = begin(STORY, tmp_path, InProcessSwitch())
    rows = result.summary["warm_up"]
    assert {row["symbol"] for row in rows} == {"AAA", "BBB", "CCC"}
    assert all((row["bars"], row["before"]) == (3, 0) for row in rows)
    assert all("2023-11-14T22:13" in row["until"] for row in rows)
    page = (session_folder(tmp_path) / "session.md").read_text()
    assert "## Warm-up\n\nOrders were refused until then" in page
    assert result.summary["refusals"]["WARMING_UP"] > 3
    assert result.summary["fills"] > 3
    assert "requests were refused" not in result.summary["headline"]
    replay(STORY, tmp_path)
    judged = verify(session_folder(tmp_path))
    assert (judged.damage, judged.findings, judged.status) == (None, [], result.status.value)
