"""The dry run of a terminal, made by itself: it connects, asks, and lets go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mt5_helpers import bench, endpoints

from logos.cli.main import main
from logos.session.venue.preflight import outside_of_loops

SETTINGS = """
[instruments."BTCUSD.s"]
quote = "USD"
tick = "0.01"
lot = "0.01"
settlement = "margin"
"""


def test_a_terminal_is_asked_and_let_go_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    path = tmp_path / "mt5.toml"
    path.write_text(SETTINGS)

    async def scenario() -> int:
        async with bench() as box:
            await box.gateway.close()
            at = endpoints(box.simulator)
            url = f"tcp://127.0.0.1:{at.system},{at.data},{at.live},{at.streaming}"
            command = ["venue", "check", "mt5", "--config", str(path), "--url", url]
            code = await asyncio.to_thread(main, command)
            assert not [r for r in box.audited("request") if r["action"] == "TRADE"]
            return code

    assert asyncio.run(scenario()) == 0
    assert "ok   terminal" in capsys.readouterr().out


@pytest.mark.campaign
def test_a_terminal_that_does_not_answer_is_a_bad_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    url = "tcp://127.0.0.1:1/reply_timeout_s=0.2"
    assert main(["venue", "check", "mt5", "--url", url]) == 2
    assert "BAD  terminal" in capsys.readouterr().out


def test_a_dry_run_may_be_made_where_a_loop_runs_already() -> None:
    async def seven() -> int:
        return 7

    async def inside() -> int:
        return outside_of_loops(seven())

    assert outside_of_loops(seven()) == 7
    assert asyncio.run(inside()) == 7
