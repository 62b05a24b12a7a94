"""`logos health ID`: one line of JSON, and an exit code that a probe can go by."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from heartbeat_helpers import Journals
from session_helpers import ListFeed, session_config

from logos import session
from logos.cli.main import main
from logos.core.instrument import instrument
from logos.core.strategy import market
from logos.core.types import Side
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.registry import enter
from logos.testing.builders import Always, quote

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SECOND_NS = 1_000_000_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def journals(home: Path) -> Iterator[Journals]:
    held = Journals(home / "runs" / "live" / "sessions")
    yield held
    held.close()


@pytest.fixture
def armed(home: Path) -> Iterator[CircuitBreaker]:
    breaker = CircuitBreaker()
    breaker.arm_if_new()
    yield breaker
    breaker.close()


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["health", *words])
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    return code, json.loads(printed)


def run_session(session_id: str, **config: Any) -> session.SessionResult:
    events = [quote(ACME, number * SECOND_NS, "10.00", "10.02") for number in range(1, 5)]
    return session.run(
        session_config(session={"id": session_id}, **config),
        strategy=Always(market(Side.BUY, 1)),
        feed=ListFeed(events),
    )


@pytest.mark.parametrize(
    ("figures", "words", "code", "why"),
    [
        ({"switch": "SAFE"}, (), 0, []),
        ({"switch": "REDUCE_ONLY"}, (), 0, []),
        ({"switch": "ENGAGED"}, (), 1, ["the kill switch is ENGAGED: `logos kill status`"]),
        ({"stuck": "strategy x:Y in on_bar"}, (), 1, ["strategy x:Y in on_bar"]),
        ({"is_live": True, "market_age_ns": 9 * SECOND_NS}, (), 0, []),
        ({"is_live": True, "market_age_ns": 9 * SECOND_NS}, ("--max-feed-age", "60"), 0, []),
        (
            {"is_live": True, "market_age_ns": 61 * SECOND_NS},
            ("--max-feed-age", "60"),
            1,
            ["market data is 61.0 s old, more than 60 s"],
        ),
        ({"is_live": True}, ("--max-feed-age", "60"), 1, ["no market data yet"]),
        ({"is_live": False}, ("--max-feed-age", "60"), 0, []),
    ],
)
@pytest.mark.usefixtures("armed")
def test_a_session_that_runs_is_judged_by_what_it_shows(
    home: Path,
    journals: Journals,
    capsys: pytest.CaptureFixture[str],
    figures: dict[str, Any],
    words: tuple[str, ...],
    code: int,
    why: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)  # ages are those of the beat
    with closing(enter("trade", home)) as entry:
        entry.name("desk", home)
        beat = HeartbeatFile(
            heartbeat_path("desk", home), "desk", journals.hold("desk"), entry.token
        )
        beat.beat(now_ns, **figures)
        found, health = ask(capsys, "desk", *words)
        beat.close()
    assert (found, health["healthy"], health["why"]) == (code, not code, why)
    assert health["running"]
    assert health["outcome"] is None
    assert health["heartbeat_age_s"] < 5


@pytest.mark.usefixtures("armed")
def test_a_heartbeat_that_is_late_is_a_stall_which_a_new_process_would_cure(
    home: Path, journals: Journals, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(enter("trade", home)) as entry:
        entry.name("desk", home)
        beat = HeartbeatFile(
            heartbeat_path("desk", home), "desk", journals.hold("desk"), entry.token
        )
        beat.beat(time.time_ns() - 60 * SECOND_NS, switch="SAFE")
        assert ask(capsys, "desk")[0] == 1
        code, health = ask(capsys, "desk", "--liveness")
        assert (code, health["verdict"], health["why"]) == (1, "stalled", ["it does not respond"])
        code, health = ask(capsys, "desk", "--liveness", "--late-after", "3600")
        assert (code, health["verdict"], health["healthy"]) == (0, "ok", True)
        beat.close()


def test_an_engaged_switch_is_seen_in_the_files_before_the_session_says_so(
    home: Path, journals: Journals, armed: CircuitBreaker, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(enter("trade", home)) as entry:
        entry.name("desk", home)
        beat = HeartbeatFile(
            heartbeat_path("desk", home), "desk", journals.hold("desk"), entry.token
        )
        beat.beat(time.time_ns(), switch="SAFE")
        armed.engage("drill", "test")
        code, health = ask(capsys, "desk")
        assert (code, health["switch"]) == (1, "ENGAGED")
        assert ask(capsys, "desk", "--liveness")[0] == 0, "a new process would be refused"
        beat.close()


def test_a_probe_writes_nothing_down(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_session("done")
    folder = home / "state" / "kill-switch"
    (folder / "KILL").touch()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert ask(capsys, "done")[1]["switch"] == "ENGAGED"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_session_that_ended_is_not_well_and_says_how_it_ended(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_session("done")
    code, health = ask(capsys, "done")
    assert (code, health["running"], health["verdict"]) == (1, False, "ended")
    assert (health["outcome"], health["why"]) == ("ENDED", ["it ended: ENDED"])
    assert ask(capsys, "done", "--liveness")[0] == 0


@pytest.mark.usefixtures("armed")
@pytest.mark.parametrize(
    ("is_real", "command"),
    [(False, "logos resume desk"), (True, "logos resume desk --live --i-acknowledge-risk")],
)
def test_a_session_whose_process_is_gone_has_crashed_and_its_command_works_as_printed(
    is_real: bool,
    command: str,
    home: Path,
    journals: Journals,
    capsys: pytest.CaptureFixture[str],
) -> None:
    beat = HeartbeatFile(heartbeat_path("desk", home), "desk", journals.hold("desk"), "f00d")
    beat.beat(time.time_ns(), is_real=is_real)
    journals.release("desk")
    code, health = ask(capsys, "desk")
    assert (code, health["verdict"], health["outcome"]) == (1, "dead", "CRASHED")
    assert health["why"] == [f"its process is gone: `{command}` continues it"]
    assert main(["status", "desk"]) == 1
    assert f"`{command}`\n" in capsys.readouterr().out


def test_a_session_that_never_was_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_session("other")
    code, health = ask(capsys, "desk")
    assert (code, health["verdict"], health["outcome"]) == (1, "missing", None)


def test_a_bad_id_is_a_wrong_command_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "../desk"]) == 2
    assert "not a session id" in capsys.readouterr().err


def test_the_command_imports_no_engine() -> None:
    """A probe asks every few seconds; it must not load what it does not need."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, logos.cli.running.health\n"
            "print(*(m for m in sys.modules if m.startswith('logos')))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "logos.session.presence.heartbeat" in loaded
    assert not [name for name in loaded if name.startswith(("logos.adapters", "logos.data"))]
    assert not {"logos.core.engine", "logos.session.open", "asyncio"} & set(loaded)
