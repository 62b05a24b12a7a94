"""`--quiet` takes away the progress bar and the table, and no alarm."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from wrong_sessions import BARS, CONFIG, STRATEGY, Workspace, workspace_with_a_session

from logos.cli import run_command
from logos.cli.main import main
from logos.core.types import SessionStatus
from logos.session import ExitCode, SessionResult

STRATEGIES = """
from logos import Side, Strategy, market
from logos.killswitch.breaker import CircuitBreaker

class Engages(Strategy):
    seen = 0
    def on_bar(self, context, bar):
        self.seen += 1
        if self.seen == 5:
            CircuitBreaker().engage("the water is rising", "a test")

class Refused(Strategy):
    def on_bar(self, context, bar):
        return [market(Side.BUY, -1)] * 10
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = workspace_with_a_session(tmp_path_factory.mktemp("quiet"))
    made.write("user_strategies.py", STRATEGIES)
    return made


def settings(workspace: Workspace, name: str, more: str = "") -> tuple[str, ...]:
    text = CONFIG.replace(STRATEGY, f'name = "user_strategies:{name}"') + more
    workspace.write(f"{name}.toml", text)
    return "--config", f"{name}.toml", "--quiet"


def test_a_session_without_alarms_prints_nothing(workspace: Workspace) -> None:
    done = workspace.trade("--config", "good.toml", "--quiet", "--session-id", "plain")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("halt", ExitCode.HALTED, "ALARM: HALTED: kill switch: the water is rising (by a test)"),
        ("block", ExitCode.FINISHED, "ALARM: the kill switch is ENGAGED: the water is rising"),
    ],
)
def test_an_engaged_switch_is_told(
    workspace: Workspace, tmp_path: Path, mode: str, code: int, words: str
) -> None:
    given = settings(workspace, "Engages", f'\n[switch]\non_engaged = "{mode}"\n')
    done = workspace.trade(*given, environment={"LOGOS_HOME": str(tmp_path)})
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


def test_a_storm_of_refusals_is_told_with_its_codes(workspace: Workspace) -> None:
    done = workspace.trade(*settings(workspace, "Refused"), "--session-id", "refused")
    count = 10 * len(BARS)
    words = f"{count} of {count} requests were refused (NEGATIVE_QUANTITY {count})"
    assert f"ALARM: {words}" in done.stderr


def test_what_is_told_in_the_middle_of_a_session_is_told_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []

    def fake(_config: object, **options: Any) -> SessionResult:
        options["tell"]("reconciliation: order not placed by this session")
        said.append(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("logos.cli.trade.run_session", fake)
    done = workspace.trade("--config", "good.toml", "--quiet")
    assert "reconciliation: order not placed by this session" in done.stderr
    assert said


def test_keys_that_others_can_read_are_told(workspace: Workspace) -> None:
    path = workspace.home / ".env"
    path.write_text("APCA_API_SECRET_KEY=abcdefgh\n")
    path.chmod(0o644)
    done = workspace.trade("--config", "good.toml", "--quiet", "--session-id", "open_to_others")
    path.unlink()
    assert f"{path} holds secrets and others on this machine can read it" in done.stderr


def result(**summary: Any) -> SessionResult:
    plain = {
        "switch_state": "SAFE",
        "switch": [],
        "guards": {},
        "refused": 0,
        "orders": 0,
        "refusals": {},
        "warnings": [],
        "warning_count": 0,
        "headline": "",
    }
    return SessionResult(
        "id", Path("there"), SessionStatus.ENDED, ExitCode.FINISHED, "", {**plain, **summary}, {}
    )


def test_warnings_are_alarms_and_what_was_left_over_is_none() -> None:
    def warning(code: str, symbol: str = "ACME") -> dict[str, str]:
        return {"code": code, "symbol": symbol, "detail": "words"}

    alarms = run_command.alarms
    assert alarms(result()) == []
    notices = [warning("DUST"), warning("UNUSED_SIGNALS"), warning("TARGET_PENDING")]
    assert alarms(result(warnings=notices, warning_count=3)) == []
    told = [warning("BAD_PRICE"), warning("MARGIN_CALL", "")]
    assert alarms(result(warnings=told, warning_count=2)) == [
        "BAD_PRICE ACME: words",
        "MARGIN_CALL: words",
    ]
    many = alarms(result(warnings=[warning("BAD_PRICE")] * 100, warning_count=5_000))
    assert len(many) == 21
    assert many[-1] == "5000 warnings in all: there/session.md"
    assert alarms(result(guards={"MAX_DRAWDOWN": 2})) == ["guard MAX_DRAWDOWN acted, 2 times"]
    left = "all events processed; may still rest at the venue, look there and cancel them: s-1, s-2"
    assert alarms(dataclasses.replace(result(), reason=left)) == [left]
    words = "2 of 3 requests were refused (X 2)"
    assert alarms(result(refused=2, orders=1, headline=words)) == [words]
    assert alarms(result(orders=1, headline="its only order was not filled")) == [
        "its only order was not filled"
    ]
    assert alarms(result(headline="the strategy asked for nothing")) == []


@pytest.mark.parametrize("command", ["trade", "resume", "flatten"])
def test_help_says_that_alarms_are_printed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "alarms are printed all the same" in " ".join(capsys.readouterr().out.split())


def test_an_end_with_the_code_of_a_halt_says_what_it_holds_without_having_halted() -> None:
    """As where holdings were not seen to agree at the end of a session."""
    held = {"positions": {"COIN": "2"}, "orders": []}
    ended = dataclasses.replace(
        result(status="ENDED", held=held, symbols={"COIN": {"mark": "10"}}),
        exit_code=ExitCode.HALTED,
        reason="holdings were not compared",
    )
    assert run_command.alarms(ended) == [
        "ENDED: holdings were not compared",
        "it still holds 2 COIN at 10",
    ]
