"""`logos sessions compact` compresses what live sessions recorded, and says what that gave."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest
from live_session_helpers import ScriptedFeed, TickingClock, live, settings
from stored_helpers import ended

from logos.cli.main import main
from logos.config.tables.disk import DiskSettings
from logos.session import open

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions whose inputs go on in a new file after a few dozen quotes."""
    monkeypatch.setattr(open, "DISK", DiskSettings(min_free_bytes=0, segment_bytes=4000))


def recorded(home: Path, session_id: str) -> Path:
    clock = TickingClock()
    config = settings(session={"id": session_id})
    return live(home, ScriptedFeed(clock, 100), clock, config=config).folder


@pytest.mark.long
def test_one_session_or_all_are_compacted(logos_home: Path, capsys: Output) -> None:
    ended("cached")
    folders = [recorded(logos_home, name) for name in ("one", "two", "three")]
    count = len(list(folders[0].glob("inputs*")))
    assert main(["sessions", "compact", "two"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"workspace {logos_home}"
    assert printed[1].startswith(f"compacted two: {count} files, ")
    assert printed[2].startswith("freed ")
    assert printed[2].endswith(" of 1 session")
    assert main(["sessions", "compact", "--all", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(row["session_id"], row["files"]) for row in told] == [("one", count), ("three", count)]
    assert all(2 * row["after_bytes"] < row["before_bytes"] for row in told)
    assert main(["sessions", "compact", "--all"]) == 0
    assert "nothing to compact" in capsys.readouterr().out
    for folder in folders:
        assert all(path.suffix == ".gz" for path in folder.glob("inputs*"))
    assert main(["verify", "one"]) == 0


@pytest.mark.long
@pytest.mark.parametrize("words", [[], ["one", "--all"], ["missing"], ["../one"]])
def test_a_wrong_command_line_compacts_nothing(
    words: list[str], logos_home: Path, capsys: Output
) -> None:
    folder = recorded(logos_home, "one")
    before = sorted(folder.iterdir())
    assert main(["sessions", "compact", *words]) == 2
    assert capsys.readouterr().err.startswith("logos sessions: ")
    assert sorted(folder.iterdir()) == before


@pytest.mark.long
def test_a_session_that_cannot_be_judged_keeps_its_last_file_and_the_others_are_compacted(
    logos_home: Path, capsys: Output
) -> None:
    odd, sound = recorded(logos_home, "odd"), recorded(logos_home, "sound")
    (odd / "state.json").write_text("{")
    assert main(["sessions", "compact", "--all"]) == 0
    assert [path.name for path in odd.glob("inputs*.jsonl")] == ["inputs.jsonl"]
    assert not list(sound.glob("inputs*.jsonl"))


@pytest.mark.long
def test_a_session_that_cannot_be_compacted_is_named_and_the_others_are(
    logos_home: Path, capsys: Output
) -> None:
    busy, free = recorded(logos_home, "busy"), recorded(logos_home, "free")
    descriptor = os.open(busy, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert main(["sessions", "compact", "--all"]) == 1
    os.close(descriptor)
    said = capsys.readouterr()
    assert "session busy could not be compacted: " in said.err
    assert "compacted free: " in said.out
    assert (busy / "inputs.jsonl").exists()
    assert not (free / "inputs.jsonl").exists()
