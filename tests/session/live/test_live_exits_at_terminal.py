"""Brackets at a simulated terminal: held by the session, sent as they are reached, sold once."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from waiting import wait_until

from logos.audit.verify import verify
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import read_sessions, sessions_folder

STRATEGY = """
from logos.core.strategy import Strategy, market
from logos.core.types import Side


class Brackets(Strategy):
    \"\"\"One bracket after the other, its exits a hair from the market.\"\"\"

    def on_quote(self, context, quote):
        if context.position(quote.symbol) or context.open_orders(quote.symbol):
            return None
        low, high = round(quote.bid * 0.99998, 2), round(quote.ask * 1.00002, 2)
        return market(Side.BUY, "0.01", stop_loss=low, take_profit=high)
"""
SETTINGS = """
[session]
id = "brackets"
[strategy]
name = "{home}/brackets.py:Brackets"
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


@pytest.fixture(params=["logos", "published"])
def ports(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A healthy terminal as a process, in the words of each Expert Advisor; its four ports."""
    command = [sys.executable, "-m", "logos.live", "mt5-sim", "--symbols", "BTCUSD"]
    command += ["--ea", request.param]
    command += ["--ports", "0,0,0,0", "--audit", str(tmp_path / "audit.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    found = json.loads(process.stdout.readline())["ports"]
    yield ",".join(str(found[name]) for name in ("system", "data", "live", "streaming"))
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()


def deals(home: Path) -> list[tuple[str, str]]:
    """What the terminal dealt, as its audit has it: volume and price of each."""
    lines = (home / "audit.jsonl").read_text().splitlines()
    records = [each for each in map(json.loads, lines) if each["kind"] == "deal"]
    return [(each["volume"], each["price"]) for each in records]


def fills(home: Path) -> int:
    """How many fills the session has booked."""
    beats = [each.heartbeat for each in read_sessions(sessions_folder(home))]
    return sum(beat.fills for beat in beats if beat is not None)


@pytest.mark.campaign
@pytest.mark.timeout(180)
def test_brackets_at_a_terminal_close_what_they_opened_once(tmp_path: Path, ports: str) -> None:
    (tmp_path / "brackets.py").write_text(STRATEGY)
    (tmp_path / "live.toml").write_text(SETTINGS.format(home=tmp_path, ports=ports))
    CircuitBreaker(tmp_path / "state" / "kill-switch", mode="live").reset("ann", "a drill", 0)
    command = [sys.executable, "-m", "logos.live", "trade", "--config", "live.toml"]
    command += ["--live", "--i-acknowledge-risk"]
    environment = {**os.environ, "LOGOS_HOME": str(tmp_path)}
    with (tmp_path / "engine.out").open("wb") as out:
        engine = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
    try:
        wait_until(lambda: engine.poll() is not None or fills(tmp_path) >= 8, "eight fills")
        assert engine.poll() is None, (tmp_path / "engine.out").read_text()
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(60) == 0, (tmp_path / "engine.out").read_text()
    finally:
        if engine.poll() is None:
            engine.kill()
            engine.wait()
    [folder] = tmp_path.glob("runs/live/sessions/brackets")
    assert verify(folder).exit_code == 0
    with (folder / "trades.csv").open() as file:
        trades = list(csv.DictReader(file))
    booked = [(Decimal(each["quantity"]), Decimal(each["price"])) for each in trades]
    assert booked == [(Decimal(volume), Decimal(price)) for volume, price in deals(tmp_path)]
    with (folder / "orders.csv").open() as file:
        orders = list(csv.DictReader(file))
    position = 0
    for each in trades:
        position += 1 if each["side"] == "BUY" else -1
        assert position in (0, 1), "an exit sold what another had sold"
    ends = Counter((each["tag"], each["status"]) for each in orders)
    assert ends["stop", "FILLED"] + ends["target", "FILLED"] >= 3
    assert "protection ends with this process" in (tmp_path / "engine.out").read_text()
