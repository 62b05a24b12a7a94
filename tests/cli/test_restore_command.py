"""`logos sessions restore`: a folder is made, and what it says can be done next can be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live
from live_venue_helpers import Resting, World
from shipping_helpers import MemoryTarget, MemoryTopics, ship

from logos.cli.main import main
from logos.cli.sessions import restored as restored_module
from logos.config.tables.kafka import ShipKafkaSettings
from logos.session.stored.pruning import why_kept
from logos.session.stored.sessions import stored_sessions

Output = pytest.CaptureFixture[str]
RESTORE = ["sessions", "restore", "live", "--kafka", "127.0.0.1:9092"]


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> MemoryTarget:
    """What the command finds as the topics of the brokers that it is given."""
    made = MemoryTarget()

    @contextmanager
    def topics_of(settings: ShipKafkaSettings) -> Iterator[MemoryTopics]:
        assert settings.brokers == "127.0.0.1:9092"
        yield MemoryTopics(made.messages)

    monkeypatch.setattr(restored_module, "topics_of", topics_of)
    return made


def test_a_session_on_paper_is_restored_and_verified_as_it_says(
    tmp_path: Path, logos_home: Path, target: MemoryTarget, capsys: Output
) -> None:
    clock = TickingClock()
    now = {30: lambda: ship(tmp_path, target, with_inputs=True)}
    live(tmp_path, ScriptedFeed(clock, 40, after=now), clock, strategy=Alternating())
    assert main(RESTORE) == 0
    said = capsys.readouterr().out
    assert "session live restored: " in said
    assert "next: logos verify live; logos resume live\n" in said
    assert main(["verify", "live"]) == 7
    assert "there is no seal); all before it is whole" in capsys.readouterr().out
    assert main(RESTORE) == 2
    assert "a session is never overwritten" in capsys.readouterr().err


def test_of_one_with_real_orders_no_resume_is_advised(
    tmp_path: Path, logos_home: Path, target: MemoryTarget, capsys: Output
) -> None:
    there = World(tmp_path)
    now = {30: lambda: ship(tmp_path, target, with_inputs=True)}
    there.run(ScriptedFeed(there.clock, 40, after=now), Resting())
    assert main([*RESTORE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sends_orders"]
    (logos_home / "runs" / "live" / "sessions" / "live").rename(tmp_path / "first")
    assert main(RESTORE) == 0
    said = capsys.readouterr().out
    assert "next: logos verify live. It sent real orders, so it is not resumed" in said
    assert "logos resume" not in said


def test_of_what_was_never_shipped_nothing_is_made(
    logos_home: Path, target: MemoryTarget, capsys: Output
) -> None:
    assert main(RESTORE) == 1
    assert "nothing was shipped of session live" in capsys.readouterr().err
    assert not (logos_home / "runs" / "live" / "sessions" / "live").exists()


def test_whoever_looks_at_one_with_real_orders_is_told_that_it_is_only_to_be_looked_at(
    tmp_path: Path, logos_home: Path, target: MemoryTarget, capsys: Output
) -> None:
    there = World(tmp_path)
    now = {30: lambda: ship(tmp_path, target, with_inputs=True)}
    there.run(ScriptedFeed(there.clock, 40, after=now), Resting())
    assert main(RESTORE) == 0
    capsys.readouterr()
    for command, words in (
        (["verify", "live"], "start a new session under another id"),
        (["inspect", "live"], "start a new session under another id"),
        (["sessions", "show", "live"], "logos inspect live"),
        (["status"], "start a new session under another id"),
    ):
        main(command)
        said = "".join(capsys.readouterr())
        assert words in said, command
        assert "logos resume" not in said, command
    main(["sessions", "show", "live", "--json"])
    assert json.loads(capsys.readouterr().out)["next"] == [
        "logos verify live",
        "logos inspect live",
    ]
    [session] = stored_sessions(logos_home)
    assert (session.is_resumable, session.has_ended) == (False, False)
    assert "whose end is not known (CRASHED)" in why_kept(session, logos_home)
