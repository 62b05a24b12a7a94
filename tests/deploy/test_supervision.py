"""A session under a supervisor that does as its unit says: it is killed, and then it is engaged."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import PROJECT
from units import read_unit, starts_again
from waiting import wait_until

from logos.cli.running.health import Health, look

UNIT = read_unit(PROJECT / "deploy" / "systemd" / "logos@.service")
SETTINGS = f"""
[strategy]
name = "sma_cross"
params = {{ fast = 5, slow = 15, quantity = 0.1 }}

[data]
paths = ["{PROJECT}/data/cache"]
symbols = ["ETHUSDT"]

[account]
balances = {{ USDT = "100000" }}

[paper]
fill = "bid_ask"

[live]
feed = "replay"
speed = 20
heartbeat_ms = 50
"""
KILLS = 3
HANGS = """
import os, time
from logos.strategies.sma_cross import SmaCross


class Hangs(SmaCross):
    def on_quote(self, context, quote):
        while os.path.exists("HANG"):
            time.sleep(0.01)
        return super().on_quote(context, quote)
"""
WATCHDOG_S = 2


class Supervised:
    """`logos run desk` in a workspace, started as often as its supervisor says."""

    def __init__(self, home: Path, manager: socket.socket) -> None:
        self.home = home
        self.manager = manager
        self.heard = ""
        self.starts = 0
        self.process: subprocess.Popen[str] | None = None

    def logos(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "logos.live", *words],
            cwd=self.home,
            env={
                **os.environ,
                "LOGOS_HOME": str(self.home),
                "NOTIFY_SOCKET": str(self.home / "notify"),
                "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self) -> None:
        self.starts += 1
        self.process = self.logos("run", "desk", "--config", "desk.toml", "--quiet")

    def health(self) -> Health:
        return look(self.home, "desk", time.time_ns())

    def wait_until_it_trades(self) -> None:
        """Until this life of the session is well and has had market data."""
        process = self.process
        assert process is not None

        def trades() -> bool:
            assert process.poll() is None, process.communicate()[0]
            health = self.health()
            return health.healthy and health.pid == process.pid and health.feed_age_s is not None

        wait_until(trades, "a session that trades")

    def hears_nothing(self) -> bool:
        """Whether no message has come for as long as the watchdog waits."""
        self.manager.settimeout(WATCHDOG_S)
        try:
            self.heard += self.manager.recv(4096).decode() + "\n"
        except TimeoutError:
            return True
        return False

    def ended(self) -> int:
        """Wait for the process; how it ended (below 0: by a signal)."""
        assert self.process is not None
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    (tmp_path / "desk.toml").write_text(SETTINGS, encoding="utf-8")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    made = Supervised(tmp_path, manager)
    yield made
    manager.close()
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.communicate()


@pytest.mark.campaign
def test_kills_are_followed_by_starts_and_an_engagement_by_none(supervised: Supervised) -> None:
    supervised.start()
    for _ in range(KILLS):
        supervised.wait_until_it_trades()
        assert supervised.process is not None
        supervised.process.kill()
        code = supervised.ended()
        assert (code, supervised.health().verdict) == (-9, "dead")
        assert starts_again(UNIT, code)
        supervised.start()
    supervised.wait_until_it_trades()
    kill = supervised.logos("kill", "--here", "--by", "ANN", "--reason", "drill")
    said, _ = kill.communicate(timeout=60)
    assert kill.returncode == 0, said
    code = supervised.ended()
    assert code == 4
    assert not starts_again(UNIT, code)
    health = supervised.health()
    assert (health.healthy, health.verdict, health.outcome) == (False, "ended", "HALTED")
    assert health.switch == "ENGAGED"
    orders = (supervised.home / "runs/live/sessions/desk/orders.csv").read_bytes()
    assert orders.count(b"\n") > 1

    # A supervisor without such a rule starts it again and again: nothing is traded by that.
    supervised.start()
    assert supervised.ended() in (0, 4)
    new = supervised.logos("run", "desk-2", "--config", "desk.toml", "--quiet")
    said, _ = new.communicate(timeout=60)
    assert new.returncode == 4, said
    assert (supervised.home / "runs/live/sessions/desk/orders.csv").read_bytes() == orders
    assert supervised.starts == KILLS + 2
    verify = supervised.logos("verify", "desk")
    said, _ = verify.communicate(timeout=60)
    assert verify.returncode == 0, said


@pytest.mark.campaign
def test_a_session_that_hangs_is_ended_by_its_watchdog_and_started_again(
    supervised: Supervised,
) -> None:
    (supervised.home / "hangs.py").write_text(HANGS, encoding="utf-8")
    settings = SETTINGS.replace('"sma_cross"', '"hangs.py:Hangs"')
    (supervised.home / "desk.toml").write_text(settings, encoding="utf-8")
    supervised.start()
    supervised.wait_until_it_trades()
    wait_until(lambda: supervised.hears_nothing() or "WATCHDOG=1" in supervised.heard, "a sign")
    assert "READY=1" in supervised.heard
    (supervised.home / "HANG").touch()
    wait_until(supervised.hears_nothing, "silence for as long as the watchdog waits")
    assert supervised.process is not None
    supervised.process.send_signal(signal.SIGABRT)
    code = supervised.ended()
    assert code == -signal.SIGABRT
    assert starts_again(UNIT, code)
    (supervised.home / "HANG").unlink()
    supervised.start()
    supervised.wait_until_it_trades()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.ended() == 0
    assert not starts_again(UNIT, 0)
    assert supervised.health().outcome == "STOPPED"
