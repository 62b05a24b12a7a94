"""Four shards of forty symbols, three members of etcd and a broker, on one machine: one owner is
killed, another machine (another workspace) goes on with its session, and one command stops all.

It runs the commands of docs/SCALE.md that need servers."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from etcd_servers import etcd
from kafka_broker import broker, broker_library, make_topics
from servers import HOST
from waiting import wait_until

from logos.cli.main import main

SHARDS, SYMBOLS = 4, 40
EACH = SYMBOLS // SHARDS
TOTAL, BUDGET = 40_000, 10_000
STRATEGY = '''
from logos.core.strategy import Strategy, market
from logos.core.types import Side


class Steady(Strategy):
    """Buys at each third quote, and sells at each twelfth."""

    def __init__(self):
        self.seen = {}

    def on_quote(self, context, quote):
        seen = self.seen[quote.symbol] = self.seen.get(quote.symbol, 0) + 1
        if seen % 3:
            return None
        return market(Side.SELL if seen % 12 == 0 else Side.BUY, 1)

    def save(self):
        return self.seen

    def load(self, context, state):
        self.seen = dict(state)
'''
SYMBOL_NAMES = [f"S{number:02d}" for number in range(SYMBOLS)]


def settings(root: Path, brokers: str, endpoints: list[str]) -> str:
    text = f"""
[strategy]
name = "steady.py:Steady"
[risk.total]
max_refusals = 0
[live]
feed = "kafka"
[live.kafka]
brokers = "{brokers}"
topics = ["quotes"]
[killswitch.coordinator]
fleet = "desk"
endpoints = {json.dumps(endpoints)}
ttl_s = 3
poll_ms = 500
[shards]
folder = "{root / "shared"}"
total = {TOTAL}
"""
    for number in range(SHARDS):
        own = SYMBOL_NAMES[number * EACH : (number + 1) * EACH]
        text += f"[shards.table.s{number}]\npartitions = [{number}]\nbudget = {BUDGET}\n"
        text += f"symbols = {json.dumps(own)}\nbudget_max = {TOTAL}\n"
    for symbol in SYMBOL_NAMES:
        text += f'[instruments.{symbol}]\nquote = "USD"\ntick = "0.01"\nlot = "1"\n'
        text += 'settlement = "margin"\n'
    return text


class Desk:
    """Two machines (workspaces) with one settings file, and processes on them."""

    def __init__(self, root: Path, resources: ExitStack) -> None:
        self.root = root
        self.file = root / "fleet.toml"
        self._resources = resources
        self._environment = {**os.environ, "LOGOS_REGISTRY": str(root / "registry")}
        for machine in ("a", "b", "shared"):
            (root / machine).mkdir()
        (root / "steady.py").write_text(STRATEGY)

    def logos(self, machine: str, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            self._command(words), cwd=self.root / machine, env=self._environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def begin(self, machine: str, *words: str) -> subprocess.Popen[bytes]:
        """Begin `logos fleet start`, which is ended with the test."""
        process = subprocess.Popen(
            self._command(("fleet", "start", "--quiet", *words, "--config", str(self.file))),
            cwd=self.root / machine, env=self._environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def end() -> None:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)

        self._resources.callback(end)
        return process

    def status(self) -> dict[str, Any]:
        """The shards, as `logos fleet status --json` says; asked in this process, and often."""
        shown = io.StringIO()
        with redirect_stdout(shown):
            main(["fleet", "status", "--json", "--config", str(self.file)])
        found: dict[str, Any] = json.loads(shown.getvalue())["shards"]
        return found

    def owned(self, shard: str, claim: int) -> bool:
        row = self.status()[shard]
        is_well = not row["problem"] and row["in_force"] is not None
        return bool(row["claim"] == claim and is_well and float(row["exposure"]) > 0)

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "logos.live", *words]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    broker_library()
    with ExitStack() as resources:
        (tmp_path / "etcd").mkdir()
        cluster = resources.enter_context(etcd(tmp_path / "etcd", 3))
        server = resources.enter_context(broker(tmp_path))
        address = f"{HOST}:{server.port}"
        make_topics(address, "quotes", partitions=SHARDS)
        made = Desk(tmp_path, resources)
        made.file.write_text(settings(tmp_path, address, cluster.urls))
        stop = Event()
        thread = Thread(target=quotes, args=(address, stop))
        thread.start()
        resources.callback(thread.join)
        resources.callback(stop.set)
        yield made


def quotes(address: str, stop: Event) -> None:
    """A hundred quotes a second, each symbol's into the partition of its shard."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": address, "linger.ms": 5})
    number = 0
    while not stop.wait(0.01):
        number += 1
        which = number % SYMBOLS
        cents = 10_000 + number % 7
        message = {
            "kind": "quote",
            "symbol": SYMBOL_NAMES[which],
            "timestamp": str(time.time_ns() // 1_000_000),
            "bid": f"{cents / 100:.2f}",
            "ask": f"{(cents + 1) / 100:.2f}",
        }
        producer.produce("quotes", json.dumps(message).encode(), partition=which // EACH)
        producer.poll(0)
    producer.flush(5)


def orders(journal: Path) -> list[dict[str, Any]]:
    bodies = [json.loads(line)["body"] for line in journal.read_text().splitlines()]
    return [body for body in bodies if body.get("kind") == "order"]


@pytest.mark.campaign
@pytest.mark.timeout(240)
def test_four_shards_lose_an_owner_and_go_on_elsewhere(desk: Desk) -> None:
    config = ("--config", str(desk.file))
    reset = ("kill", "reset", "--fleet", "desk", "--by", "ann", "--reason", "first use")
    desk.logos("a", *reset, "--epoch", "0", *config)
    fleet = desk.begin("a")
    wait_until(lambda: all(desk.owned(f"s{n}", 1) for n in range(SHARDS)), "four owners", 90)

    desk.logos("a", "fleet", "budget", "--move", "1000", "--from", "s3", "--to", "s0", *config)
    wait_until(lambda: desk.status()["s0"]["in_force"] == "11000", "the budget in force", 30)
    assert desk.status()["s3"]["in_force"] == "9000"

    process = int(desk.status()["s2"]["owner"].rpartition(" ")[2].rstrip(")"))
    standby = desk.begin("b", "--shard", "s2", "--wait", "60")
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: desk.owned("s2", 2), "the next owner", 60)
    rows = desk.status()
    assert sum(float(row["granted"]) for row in rows.values()) == TOTAL
    assert all(float(row["exposure"]) <= float(row["granted"]) * 1.01 for row in rows.values())
    claims = desk.root / "shared" / "desk" / "s2"
    session = Path("sessions") / "desk-s2" / "state.jsonl"
    wait_until(
        lambda: bool({2} & {each["claim_epoch"] for each in orders(claims / "0000002" / session)}),
        "an order under the new claim",
        60,
    )
    old, new = (orders(claims / f"000000{epoch}" / session) for epoch in (1, 2))
    assert new[: len(old)] == old, "nothing of the former owner is lost"

    desk.logos("b", "fleet", "kill", "--by", "ann", "--reason", "the test is over", *config)
    assert "BLOCKED (ENGAGED)" in desk.logos("b", "fleet", "status", *config, code=1)
    for each in (fleet, standby):
        each.send_signal(signal.SIGTERM)
        assert each.wait(60) in (0, 9)
    desk.logos("b", "verify", str(claims / "0000002" / session.parent))
