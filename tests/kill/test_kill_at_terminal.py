"""`logos kill` at a healthy terminal: drained as soon as nothing rests there, and nobody is told to
end a process whose loop turns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import read_sessions, sessions_folder

STRATEGY = """
from logos.core.strategy import Strategy, limit
from logos.core.types import Side


class Rests(Strategy):
    \"\"\"Leaves ten orders far below the market.\"\"\"

    def __init__(self):
        self.seen = 0

    def on_quote(self, context, quote):
        self.seen += 1
        price = quote.bid * 0.99 - self.seen  # near enough for the collar, and not reached
        return limit(Side.BUY, "0.01", round(price, 2)) if self.seen <= 10 else None
"""
SETTINGS = """
[session]
id = "rests"
[strategy]
name = "{home}/rests.py:Rests"
[instruments.BTCUSD]
quote = "USD"
tick = "0.01"
lot = "0.01"
min_quantity = "0.01"
settlement = "margin"
leverage = 10
[account]
balances = {{ USD = "100000" }}
[risk]
max_order_notional = "1000"
max_position = "10"
[risk.total]
max_drawdown = "1000"
[venue]
name = "mt5"
[live]
feed = "mt5"
interval = "tick"
url = "tcp://127.0.0.1:{ports}"
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[list[int]]:
    """A healthy terminal as a process; its four ports."""
    command = [sys.executable, "-m", "logos.live", "mt5-sim", "--symbols", "BTCUSD"]
    command += ["--ports", "0,0,0,0", "--audit", str(tmp_path / "audit.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    ports = json.loads(process.stdout.readline())["ports"]
    yield [ports[name] for name in ("system", "data", "live", "streaming")]
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()


def rests(home: Path) -> int:
    """How many orders the session says are open."""
    beats = [each.heartbeat for each in read_sessions(sessions_folder(home))]
    return sum(beat.open_orders for beat in beats if beat is not None)


@pytest.mark.long
def test_a_healthy_terminal_drains_at_once(tmp_path: Path, simulator: list[int]) -> None:
    (tmp_path / "rests.py").write_text(STRATEGY)
    ports = ",".join(map(str, simulator))
    (tmp_path / "live.toml").write_text(SETTINGS.format(home=tmp_path, ports=ports))
    environment = {**os.environ, "LOGOS_HOME": str(tmp_path)}
    breaker = CircuitBreaker(tmp_path / "state" / "kill-switch", mode="live")
    breaker.reset("ann", "a drill", 0)
    logos = [sys.executable, "-m", "logos.live"]
    arguments = ["trade", "--config", "live.toml", "--live", "--i-acknowledge-risk"]
    with (tmp_path / "engine.out").open("wb") as out:
        engine = subprocess.Popen(
            [*logos, *arguments], cwd=tmp_path, env=environment, stdout=out, stderr=out
        )
    try:
        wait_until(lambda: engine.poll() is not None or rests(tmp_path) == 10, "ten orders rest")
        assert engine.poll() is None, (tmp_path / "engine.out").read_text()
        began_s = time.monotonic()
        done = subprocess.run(
            [*logos, "kill"], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        took_s = time.monotonic() - began_s
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert f"session rests (pid {engine.pid}): BLOCKED, DRAINED" in done.stdout
        # A second's heartbeat and the commands' own start, and no settling of four seconds.
        assert took_s < 4
        assert engine.wait(60) == 4
    finally:
        if engine.poll() is None:
            engine.kill()
            engine.wait()
