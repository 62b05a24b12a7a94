"""What a person sees of a session from its first line on: a banner, lines, events; or nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_commands import files, make_workspace

from logos.cli.main import main
from logos.cli.screen import live
from logos.killswitch.breaker import CircuitBreaker

pytestmark = pytest.mark.long  # sessions
TIME = r"\d\d:\d\d:\d\d  "
SHORT = ("--from", "2026-01-05T14:00:00Z", "--to", "2026-01-05T14:01:00Z")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the runbook."""
    make_workspace(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    settings = files("docs/LIVE-RUNBOOK.md")["live.toml"]
    (tmp_path / "live.toml").write_text(settings, encoding="utf-8")
    return tmp_path


def trade(*more: str) -> int:
    return main(["trade", "--config", "live.toml", "--session-id", "desk", *more])


def test_a_live_session_says_what_it_is_and_how_to_stop_it(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trade("--speed", "0", *SHORT) == 0
    shown = capsys.readouterr().err
    titles = {line[:12].strip(): line[12:] for line in shown.splitlines() if line[:1] != " "}
    assert "session desk   PAPER: no order leaves this machine" in shown
    assert titles["strategy"] == "sma_cross (fast = 5, slow = 15, quantity = 0.1)"
    assert titles["symbols"] == "ETHUSDT"
    assert titles["account"] == "100,000.00 USDT"
    assert titles["limits on"].startswith("STALE_DATA (stale_after_s = 30)")
    assert "REFUSAL_STORM" in shown.split("limits off")[1].split("feed")[0]
    assert titles["feed"] == "replay of data/cache, as fast as possible"
    assert f"workspace   {desk}" in shown.replace("\n            ", "")
    assert titles["switch"] == "SAFE at epoch 1"
    assert "logos watch desk" in titles["watch"]
    assert titles["stop"].startswith("Ctrl-C, or kill -TERM ")
    assert titles["kill"] == "logos kill --reason 'what you saw'"
    banner = shown[shown.index("logos 0") : shown.index("kill  ")].splitlines()
    assert all(len(line) <= 80 for line in banner)


def test_a_live_session_says_how_it_stands_and_what_happens(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LINE_S", 0.3)
    monkeypatch.setattr(live, "LOOK_S", 0.05)
    monkeypatch.setenv("LOGOS_CFG__LIVE__HEARTBEAT_MS", "50")
    assert trade("--speed", "300") == 0
    shown = capsys.readouterr().err
    lines = re.findall(rf"^{TIME}ETHUSDT .*\n +orders .*$", shown, re.M)
    assert len(lines) >= 2
    numbers = r"3,[\d,.]+( long 0\.1)? +lag [\d.]+ m?s +day -[\d.]+ USDT +drawdown 0\.\d\d%"
    assert re.search(rf"ETHUSDT {numbers}\n +orders 10, fills 10, refused \d+", lines[-1])
    assert re.search(
        rf"^{TIME}FILL     bought 0\.1 ETHUSDT at 3,\d+\.\d\d, fee 0\.32;", shown, re.M
    )
    assert re.search(rf"^{TIME}REFUSED  ORDER_RATE \d+", shown, re.M)
    assert re.search(rf"^{TIME}FEED     replay: LIVE: speed 300", shown, re.M)
    assert re.search(rf"^{TIME}FEED     replay: CLOSED", shown, re.M)
    after = shown[shown.index("kill  ") :].splitlines()
    assert all(len(line) <= 80 for line in after)


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_whoever_wants_no_screen_has_none(
    desk: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
) -> None:
    CircuitBreaker().close()
    monkeypatch.setattr(live, "LINE_S", 0.01)
    monkeypatch.setattr(live, "LOOK_S", 0.01)
    monkeypatch.setenv("LOGOS_CFG__LIVE__HEARTBEAT_MS", "5")
    assert trade("--speed", "0", option, *SHORT) == 0
    shown = capsys.readouterr().err
    assert not re.search(f"^{TIME}", shown, re.M)
    assert ("limits on" in shown) is (option == "--json")


def test_a_session_on_recorded_data_has_a_banner_and_no_lines(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (desk / "live.toml").read_text(encoding="utf-8").replace('feed = "replay"', "")
    (desk / "live.toml").write_text(settings, encoding="utf-8")
    assert trade(*SHORT) == 0
    shown = capsys.readouterr().err
    assert "limits off" in shown
    assert "kill  " not in shown
    assert not re.search(f"^{TIME}", shown, re.M)


def test_the_balance_that_a_session_begins_with_is_named_where_none_is_set(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("trade", "--strategy", "sma_cross", "--data", "EURUSD")
    assert main([*words, "--from", "2026-01-05T14:00:00Z", "--to", "2026-01-05T14:10:00Z"]) == 0
    shown = capsys.readouterr().err
    assert "account     1,000,000.00 USD, as no balance is set" in shown


def test_a_switch_that_is_engaged_is_told_whoever_is_quiet(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "halts.py").write_text(
        "from logos import Strategy\n"
        "from logos.killswitch.breaker import CircuitBreaker\n"
        "class Halts(Strategy):\n"
        "    def on_quote(self, context, quote):\n"
        "        CircuitBreaker().engage('the water is rising', 'a test')\n",
        encoding="utf-8",
    )
    settings = (desk / "live.toml").read_text(encoding="utf-8")
    settings = re.sub(r"name = .*\nparams = .*\n", 'name = "halts.py:Halts"\n', settings)
    (desk / "live.toml").write_text(settings, encoding="utf-8")
    assert trade("--speed", "0", "--quiet", *SHORT) == 4
    assert "[KILL_SWITCH] ENGAGED at tick #" in capsys.readouterr().err
