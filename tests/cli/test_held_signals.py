"""Signals that come before a session's handlers stand are obeyed once they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

from logos.cli.main import main
from logos.core.types import SwitchState
from logos.held_signals import HELD, has_come, held, runs_session
from logos.killswitch.breaker import CircuitBreaker

TRADE = ("trade", "--config", "examples/session.toml", "--session-id", "held", "--quiet")


def signalled_at_exec(home: Path, number: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a signal that waits for it from its very first instruction."""

    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        os.kill(os.getpid(), number)

    return subprocess.run(
        [sys.executable, "-m", "logos.live", *arguments],
        cwd=PROJECT,
        env={**os.environ, "LOGOS_HOME": str(home)},
        preexec_fn=block,
        capture_output=True,
        text=True,
        check=False,
    )


def state_of(home: Path) -> SwitchState:
    breaker = CircuitBreaker(home / "state" / "kill-switch")
    try:
        return breaker.authority()
    finally:
        breaker.close()


@pytest.mark.long
def test_sigusr1_in_the_first_moment_engages_and_nothing_starts(tmp_path: Path) -> None:
    done = signalled_at_exec(tmp_path, signal.SIGUSR1, *TRADE)
    assert done.returncode == 4, done.stderr
    assert "by signal: SIGUSR1" in done.stderr
    assert state_of(tmp_path) is SwitchState.ENGAGED


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_the_first_moment_ends_in_words_and_is_resumed(
    tmp_path: Path, number: int
) -> None:
    done = signalled_at_exec(tmp_path, number, *TRADE)
    assert (done.returncode, done.stdout) == (0, "")
    assert "logos trade: session held was stopped by a signal before it began" in done.stderr
    assert "go on with: logos resume held" in done.stderr
    assert state_of(tmp_path) is SwitchState.SAFE


@pytest.mark.long
def test_sigusr1_engages_although_the_command_line_is_wrong(tmp_path: Path) -> None:
    """No session ever stood that could have heard it."""
    done = signalled_at_exec(tmp_path, signal.SIGUSR1, "trade", "--config", "nope.toml")
    assert done.returncode == 2
    assert "nope.toml" in done.stderr
    assert done.stderr.endswith("logos: SIGUSR1: the kill switch is ENGAGED\n")
    assert state_of(tmp_path) is SwitchState.ENGAGED


def test_the_signals_are_as_before_when_the_command_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert main(["trade", "--config", "nope.toml"]) == 2
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    with held():
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= HELD
        os.kill(os.getpid(), signal.SIGTERM)  # nobody is left whom it could stop
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert not (tmp_path / "state").exists()


def test_signals_are_held_for_what_runs_a_session_alone() -> None:
    assert runs_session(["trade", "--config", "x"])
    assert runs_session(["fleet", "start", "--config", "fleet.toml"])
    for words in (["fleet", "status"], ["fleet", "kill"], ["status"], []):
        assert not runs_session(words)


def test_who_waits_before_a_session_can_ask_whether_a_signal_came(tmp_path: Path) -> None:
    with held(tmp_path / "kill-switch"):
        assert not has_come()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert has_come()
    breaker = CircuitBreaker(tmp_path / "kill-switch")
    assert breaker.authority() is SwitchState.ENGAGED
    breaker.close()


@pytest.mark.long
def test_sigusr1_in_the_first_moment_of_a_shard_engages_the_switch_of_that_shard(
    tmp_path: Path,
) -> None:
    tables = """
strategy.name = "sma_cross"
live = {feed = "kafka", kafka = {brokers = "127.0.0.1:1", topics = ["quotes"]}}
killswitch.coordinator = {fleet = "desk", endpoints = ["http://127.0.0.1:1"]}
instruments.AAA = {quote = "USD", tick = "0.01", lot = "1"}
"""
    shards = 'total = 9\ntable.s0 = {symbols = ["AAA"], partitions = [0], budget = 9}\n'
    settings = tmp_path / "fleet.toml"
    settings.write_text(f'{tables}[shards]\nfolder = "{tmp_path}/shared"\n{shards}')
    words = ("fleet", "start", "--quiet", "--wait", "0", "--config", str(settings))
    done = signalled_at_exec(tmp_path, signal.SIGUSR1, *words)
    assert done.returncode == 4, done.stderr
    assert "SIGUSR1: the kill switch is ENGAGED" in done.stderr
    assert state_of(tmp_path / "shards" / "s0") is SwitchState.ENGAGED
