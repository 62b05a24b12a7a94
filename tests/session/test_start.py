"""The start of a session: safety stands first, and what is killed there begins anew."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import TRADES, BarByBar, bars
from waiting import wait_until

from logos.audit.verify import verify
from logos.cli.main import main
from logos.config import ConfigError
from logos.core.messages import NOW, Flatten
from logos.core.types import SessionStatus, SwitchState
from logos.errors import DataError
from logos.killswitch.breaker import CircuitBreaker
from logos.session import SessionResult, SwitchEngagedError, entry
from logos.session import open as open_module
from logos.session import restoring as restoring_module
from logos.session import supervisor as supervisor_module
from logos.session.artifacts import claim as claim_module
from logos.session.plan import make_plan
from logos.session.presence.found import FoundSession, find_sessions
from logos.session.presence.heartbeat import HeartbeatFile
from logos.session.restoring import CannotResumeError
from logos.session.supervisor import SessionStoppedError
from logos.testing.builders import Scripted

CONFIG = {
    "session": {"id": "small"},
    "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "account": {"balances": {"USD": "1000000"}},
}


def again() -> dict[str, Any]:
    return {"strategy": Scripted(TRADES), "feed": BarByBar(bars(9)), "tell": lambda _: None}


def run(home: Path) -> SessionResult:
    return entry.run(CONFIG, home=home, **again())


def files(home: Path) -> dict[str, bytes]:
    folder = home / "runs" / "live" / "sessions" / "small"
    return {name: (folder / name).read_bytes() for name in entry.COMPARED}


@pytest.fixture
def while_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen while a session, new or old, reads its data."""

    def arrange(happen: Callable[[], object]) -> None:
        due = [happen]

        def reading(*given: Any, **options: Any) -> object:
            if due:
                due.pop()()
            return make_plan(*given, **options)

        monkeypatch.setattr(open_module, "make_plan", reading)
        monkeypatch.setattr(restoring_module, "make_plan", reading)

    return arrange


def hang_after(number: int) -> Callable[[], None]:
    """The signal comes, and the reading does not end by itself."""

    def happen() -> None:
        os.kill(os.getpid(), number)
        wait_until(lambda: False, "a signal ends the reading")

    return happen


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_data_is_read_ends_the_session_soon_and_in_words(
    tmp_path: Path, while_reading: Any, number: int
) -> None:
    while_reading(hang_after(number))
    with pytest.raises(SessionStoppedError) as stopped:
        run(tmp_path / "stopped")
    assert str(stopped.value) == (
        "session small was stopped by a signal before it began, nothing was traded; "
        "go on with: logos resume small"
    )
    assert find_sessions(tmp_path / "stopped") == []
    assert entry.resume("small", home=tmp_path / "stopped", **again()).status.value == "ENDED"
    run(tmp_path / "straight")
    assert files(tmp_path / "stopped") == files(tmp_path / "straight")


@pytest.mark.long
def test_a_stop_while_a_resumed_session_reads_leaves_it_as_it_was(
    tmp_path: Path, while_reading: Any
) -> None:
    run(tmp_path)
    folder = tmp_path / "runs" / "live" / "sessions" / "small"
    journal = folder / "state.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:5]))
    (folder / "host.json").unlink()
    before = journal.read_bytes()
    while_reading(hang_after(signal.SIGTERM))
    with pytest.raises(SessionStoppedError, match="go on with: logos resume small"):
        entry.resume("small", home=tmp_path, **again())
    assert journal.read_bytes() == before
    assert entry.resume("small", home=tmp_path, **again()).status is SessionStatus.ENDED


def test_a_stopped_replay_compares_nothing_and_says_so(tmp_path: Path, while_reading: Any) -> None:
    run(tmp_path)
    while_reading(hang_after(signal.SIGTERM))
    with pytest.raises(SessionStoppedError, match="nothing was compared"):
        entry.replay("small", home=tmp_path, strategy=Scripted(TRADES), feed=BarByBar(bars(9)))

    class Stopping(BarByBar):
        def chunks(self) -> Any:
            os.kill(os.getpid(), signal.SIGTERM)
            yield from super().chunks()

    with pytest.raises(SessionStoppedError, match="the replay of session small was stopped"):
        entry.replay("small", home=tmp_path, strategy=Scripted(TRADES), feed=Stopping(bars(9)))


def switch_state(home: Path) -> tuple[SwitchState, str]:
    breaker = CircuitBreaker(home / "state" / "kill-switch")
    try:
        return breaker.authority(), breaker.status().why
    finally:
        breaker.close()


def test_sigusr1_while_data_is_read_engages_and_the_session_does_not_start(
    tmp_path: Path, while_reading: Any
) -> None:
    def happen() -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: switch_state(tmp_path)[0] is SwitchState.ENGAGED, "it engages")

    while_reading(happen)
    with pytest.raises(SwitchEngagedError, match="SIGUSR1"):
        run(tmp_path)
    assert switch_state(tmp_path) == (SwitchState.ENGAGED, "SIGUSR1")
    assert not (tmp_path / "runs").exists()


@pytest.mark.long
def test_sigusr1_to_a_replay_engages_the_workspace_and_changes_nothing_in_it(
    tmp_path: Path, while_reading: Any
) -> None:
    run(tmp_path)
    while_reading(lambda: os.kill(os.getpid(), signal.SIGUSR1))
    entry.replay("small", home=tmp_path, strategy=Scripted(TRADES), feed=BarByBar(bars(9)))
    assert switch_state(tmp_path) == (SwitchState.ENGAGED, "SIGUSR1")


@pytest.mark.long
@pytest.mark.parametrize("is_replay", [False, True])
def test_a_session_that_hangs_while_it_reads_is_seen(
    tmp_path: Path, while_reading: Any, is_replay: bool
) -> None:
    seen: list[FoundSession] = []
    if is_replay:
        run(tmp_path)
    while_reading(lambda: seen.extend(find_sessions(tmp_path)))
    if is_replay:
        entry.replay("small", home=tmp_path, strategy=Scripted(TRADES), feed=BarByBar(bars(9)))
    else:
        run(tmp_path)
    (found,) = seen
    assert (found.session_id, found.running, found.problem) == ("small", True, "")
    assert found.report is not None
    assert found.report.heartbeat is not None
    assert "reading its" in found.report.heartbeat.phase
    assert found.report.heartbeat.switch == ""


def test_kill_is_answered_while_data_is_read(
    tmp_path: Path,
    while_reading: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes: list[int] = []
    while_reading(lambda: codes.append(main(["kill", "--by", "ann", "--reason", "drill"])))
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    with pytest.raises(SwitchEngagedError, match="drill"):
        entry.run(CONFIG, **again())
    assert codes == [0]
    assert "BLOCKED, DRAINED" in capsys.readouterr().out


def test_a_refused_start_leaves_no_folder_and_no_heartbeat(tmp_path: Path) -> None:
    wrong = {**CONFIG, "data": {"paths": [str(tmp_path / "nope.csv")]}}
    with pytest.raises(DataError, match="no such file"):
        entry.run(wrong, home=tmp_path, strategy=Scripted({}), tell=lambda _: None)
    assert not (tmp_path / "runs").exists()
    assert list((tmp_path / "state" / "sessions").iterdir()) == []
    assert run(tmp_path).session_id == "small"


def test_a_claim_that_the_disk_refuses_lets_go_of_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(claim_module, "sync_folder", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            run(tmp_path)
    assert list((tmp_path / "runs" / "live" / "sessions").iterdir()) == []
    assert run(tmp_path).session_id == "small"


# ---- killed before the first record ----


@pytest.fixture
def killed(tmp_path: Path, while_reading: Any) -> Path:
    """The workspace of a session that ended before its first record."""
    while_reading(hang_after(signal.SIGTERM))
    with pytest.raises(SessionStoppedError):
        run(tmp_path)
    return tmp_path


def test_there_is_nothing_to_flatten_or_to_seal_before_the_first_record(killed: Path) -> None:
    with pytest.raises(CannotResumeError, match="nothing to flatten; `logos resume small` starts"):
        entry.resume("small", home=killed, flatten=Flatten(NOW, "r", "ann"), **again())
    with pytest.raises(CannotResumeError, match="nothing to seal; `logos resume small` starts"):
        entry.resume("small", home=killed, seal=True, **again())
    with pytest.raises(ConfigError, match="`logos resume small` starts it anew"):
        entry.replay("small", home=killed, strategy=Scripted(TRADES), feed=BarByBar(bars(9)))
    folder = killed / "runs" / "live" / "sessions" / "small"
    assert any("`logos resume small` starts it anew" in note for note in verify(folder).notes)
    assert {path.name for path in folder.iterdir()} == {"config.json", "state.jsonl"}


def test_one_that_is_started_anew_keeps_its_one_heartbeat(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers of one file would take each other's temporary file away."""
    made: list[Path] = []

    def counted(path: Path, *given: Any) -> Any:
        made.append(path)
        return HeartbeatFile(path, *given)

    monkeypatch.setattr(supervisor_module, "HeartbeatFile", counted)
    assert entry.resume("small", home=killed, **again()).status is SessionStatus.ENDED
    assert len(made) == 1


def test_what_must_be_given_again_is_named(killed: Path) -> None:
    with pytest.raises(CannotResumeError, match="an object that its files do not hold"):
        entry.resume("small", home=killed, tell=lambda _: None)


def test_without_its_settings_nothing_says_what_it_was_to_be(killed: Path) -> None:
    settings = killed / "runs" / "live" / "sessions" / "small" / "config.json"
    settings.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="does not hold the settings of the session"):
        entry.resume("small", home=killed, **again())


def test_it_keeps_the_seed_that_it_was_given(
    tmp_path: Path, while_reading: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_SEED", "4711")
    while_reading(hang_after(signal.SIGTERM))
    with pytest.raises(SessionStoppedError):
        run(tmp_path)
    monkeypatch.delenv("LOGOS_SEED", raising=False)
    result = entry.resume("small", home=tmp_path, **again())
    assert json.loads((result.folder / "state.json").read_text())["seed"] == 4711
