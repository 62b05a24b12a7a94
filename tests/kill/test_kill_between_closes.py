"""A process killed between two closes of one order at a hedging account, and the one after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mt5_hedging import Judged
from sampling import first_quick
from waiting import wait_until

from logos.adapters.mt5.terminal import tickets_log
from logos.killswitch.breaker import CircuitBreaker

pytestmark = pytest.mark.long

STRATEGY = """
from logos.core.strategy import Strategy, market
from logos.core.types import Side


class Steps(Strategy):
    \"\"\"Two buys, and a sale that closes two tickets.\"\"\"

    plan = [(Side.BUY, "0.30"), (Side.BUY, "0.50"), (Side.SELL, "0.60")]

    def __init__(self):
        self.seen = 0

    def on_quote(self, context, quote):
        self.seen += 1
        step, rest = divmod(self.seen, 10)
        return market(*self.plan[step - 1]) if not rest and step <= len(self.plan) else None
"""
SETTINGS = """
[session]
id = "steps"
[strategy]
name = "{home}/steps.py:Steps"
[instruments."BTCUSD.s"]
quote = "USD"
tick = "0.01"
lot = "0.01"
min_quantity = "0.01"
settlement = "margin"
leverage = 10
[account]
balances = {{ USD = "100000" }}
[risk]
max_order_notional = "100000"
max_position = "10"
[risk.total]
max_drawdown = "10000"
[venue]
name = "mt5"
[live]
feed = "mt5"
interval = "tick"
url = "tcp://127.0.0.1:{ports}/reply_timeout_s=1"
"""
LOGOS = [sys.executable, "-m", "logos.live"]
SYMBOL = "BTCUSD.s"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[list[int]]:
    """A hedging terminal as a process, whose answers about trades take a while; its four ports."""
    command = [*LOGOS, "mt5-sim", "--hedging", "--symbols", SYMBOL, "--ports", "0,0,0,0"]
    command += ["--audit", str(tmp_path / "audit.jsonl"), "--slow", f"{SYMBOL}=400"]
    command += ["--interval-ms", "20"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    ports = json.loads(process.stdout.readline())["ports"]
    yield [ports[name] for name in ("system", "data", "live", "streaming")]
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines that a file has by now."""
    text = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def engine(arguments: list[str], home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "LOGOS_HOME": str(home)}
    with (home / "engine.out").open("ab") as out:
        return subprocess.Popen(
            [*LOGOS, *arguments], cwd=home, env=environment, stdout=out, stderr=out
        )


@pytest.mark.parametrize("closes", first_quick([1, 2]))
def test_nothing_is_repeated_and_the_books_are_the_tickets(
    tmp_path: Path, simulator: list[int], closes: int
) -> None:
    (tmp_path / "steps.py").write_text(STRATEGY)
    ports = ",".join(map(str, simulator))
    (tmp_path / "live.toml").write_text(SETTINGS.format(home=tmp_path, ports=ports))
    CircuitBreaker(tmp_path / "state" / "kill-switch", mode="live").reset("ann", "a drill", 0)
    audit = tmp_path / "audit.jsonl"

    def closed() -> list[dict[str, Any]]:
        return [each for each in lines(audit) if each["kind"] == "deal" and each["entry"] == 1]

    first = engine(["trade", "--config", "live.toml", "--live", "--i-acknowledge-risk"], tmp_path)
    try:
        # Its answer is on its way for 0.4 s: the next request cannot have left.
        wait_until(lambda: first.poll() is not None or len(closed()) == closes, "a close is done")
        assert first.poll() is None, (tmp_path / "engine.out").read_text()
    finally:
        first.kill()
        first.wait()
    second = engine(["resume", "steps", "--live", "--i-acknowledge-risk"], tmp_path)
    try:
        folder = tmp_path / "runs" / "live" / "sessions" / "steps"
        status = "CANCELLED" if closes == 1 else "FILLED"

        def is_over() -> bool:
            bodies = [each["body"] for each in lines(folder / "state.jsonl")]
            ends = [each for each in bodies if each.get("status") == status]
            return second.poll() is not None or any(each["order_id"] == 3 for each in ends)

        wait_until(is_over, f"order 3 is {status}")
        second.send_signal(signal.SIGTERM)
        said = second.wait(60)
    finally:
        if second.poll() is None:
            second.kill()
            second.wait()
    out = (tmp_path / "engine.out").read_text()
    assert said == 0, out
    position = (folder / "trades.csv").read_text().splitlines()[-1].split(",")[16]
    held = "0.50" if closes == 1 else "0.20"
    judged = Judged("steps", lines(audit))
    [record] = tmp_path.rglob(tickets_log("steps").name)
    judged.check_record(record)
    assert judged.complaints == []
    assert (position, judged.net) == (held, round(float(held) * 100)), out
    assert len(closed()) == closes
    assert "DIFFERENCE" not in out
