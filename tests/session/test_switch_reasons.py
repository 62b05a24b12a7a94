"""The reason of an engagement in the journal does not depend on who found it out, and when."""

from __future__ import annotations

from pathlib import Path

from logos.session.opening.machine_switch import open_switch


def reason_after(home: Path, content: str) -> str:
    """What a session's switch says of a marker with this content that nobody has recorded."""
    switch = open_switch(lambda _: None, home)
    try:
        (home / "state" / "kill-switch" / "KILL").write_text(content)
        return switch.why()
    finally:
        switch.close()


def test_an_engagement_found_by_its_marker_reads_as_one_that_was_recorded(tmp_path: Path) -> None:
    first = open_switch(lambda _: None, tmp_path / "engaged")
    first.engage("guard MAX_ORDER_QUANTITY", "guard")
    recorded = first.why()
    note = (tmp_path / "engaged" / "state" / "kill-switch" / "KILL").read_text()
    first.close()
    assert recorded == "guard MAX_ORDER_QUANTITY (by guard)"
    assert reason_after(tmp_path / "found", note) == recorded


def test_a_bare_marker_is_still_named(tmp_path: Path) -> None:
    assert "the marker KILL is there" in reason_after(tmp_path, "")
