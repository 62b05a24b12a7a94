"""Four shards of forty symbols, three members of etcd and a broker, on one machine: one owner is
killed, another machine (another workspace) goes on with its session, and one command stops all. And
a machine whose disk is gone with it: another goes on from what was shipped.

It runs the commands of docs/SCALE.md that need servers."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from etcd_servers import etcd
from kafka_broker import broker, broker_library, make_topics
from servers import HOST
from waiting import wait_until

from logos.cli.main import main
from logos.observe.shipping.progress import read_status
from logos.session.stored.names import RESTORED

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
        words = ("fleet", "start", "--quiet", *words, "--config", str(self.file))
        return self._begin(words, self.root / machine, {})

    def ship(self, machine: str, shard: str) -> subprocess.Popen[bytes]:
        """Begin `logos ship` for a shard of a machine, which is ended with the test."""
        home = self.root / machine / "shards" / shard
        words = ("ship", "--config", str(self.file))
        return self._begin(words, self.root, {"LOGOS_HOME": str(home)})

    def _begin(
        self, words: tuple[str, ...], folder: Path, environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.root / "said").open("ab") as said:
            process = subprocess.Popen(
                self._command(words), cwd=folder, env=self._environment | environment,
                stdout=said, stderr=said,
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
    for each, code in ((fleet, 128 + signal.SIGKILL), (standby, 0)):  # as the owner that was killed
        each.send_signal(signal.SIGTERM)
        assert each.wait(60) == code
    desk.logos("b", "verify", str(claims / "0000002" / session.parent))


def journal_of(desk: Desk, machine: str) -> Path:
    """The journal of shard s0, by the machine's own link."""
    home = desk.root / machine / "shards" / "s0"
    return home / "runs" / "live" / "sessions" / "desk-s0" / "state.jsonl"


def lose(desk: Desk, machine: str, *processes: subprocess.Popen[bytes]) -> bytes:
    """The machine is gone, with all that its disk held; the journal that it had."""
    for each in processes:
        each.kill()
        each.wait()
    journal = journal_of(desk, machine).read_bytes()
    shutil.rmtree(desk.root / machine)
    shutil.rmtree(desk.root / "shared")
    (desk.root / "shared").mkdir()
    (desk.root / machine).mkdir()
    return journal


def shipped_records(desk: Desk, machine: str) -> int:
    path = desk.root / machine / "shards" / "s0" / "state" / "ship" / "kafka" / "status.json"
    try:
        found = read_status(path).sessions["desk-s0"]
    except (OSError, KeyError):
        return 0
    return found.sequence


@pytest.mark.campaign
@pytest.mark.timeout(240)
def test_a_machine_that_is_gone_with_its_disk_is_gone_on_from_what_was_shipped(desk: Desk) -> None:
    text = desk.file.read_text().replace("[shards]\n", '[shards]\ntakeover = "shipped"\n')
    brokers = text.partition("brokers = ")[2].partition("\n")[0]
    text += f"[ship.kafka]\nbrokers = {brokers}\ninputs = true\ncreate_partitions = 2\n"
    desk.file.write_text(text)
    reset = ("kill", "reset", "--fleet", "desk", "--by", "ann", "--reason", "first use")
    desk.logos("a", *reset, "--epoch", "0", "--config", str(desk.file))

    owner = desk.begin("a", "--shard", "s0")
    wait_until(lambda: desk.owned("s0", 1), "the first owner", 90)
    shipper = desk.ship("a", "s0")
    wait_until(lambda: shipped_records(desk, "a") > 100, "a hundred records", 60)
    first = lose(desk, "a", owner, shipper)

    owner = desk.begin("b", "--shard", "s0", "--wait", "60")
    wait_until(lambda: desk.owned("s0", 2), "the next owner", 90)
    shipper = desk.ship("b", "s0")
    wait_until(lambda: has_order_of(desk, "b", 2), "an order under the new claim", 60)
    restored = msgspec.json.decode((journal_of(desk, "b").parent / RESTORED).read_bytes())
    assert (restored["claim"], restored["records"] > 100) == (1, True)
    assert "what it did behind that is lost" in (desk.root / "said").read_text()
    count = restored["records"]
    own = journal_of(desk, "b").read_bytes().splitlines()
    assert own[:count] == first.splitlines()[:count], "what was shipped, to the byte"
    wait_until(lambda: shipped_records(desk, "b") > count + 20, "records of the second", 60)
    second = lose(desk, "b", owner, shipper)

    desk.begin("a", "--shard", "s0", "--wait", "60")
    wait_until(lambda: desk.owned("s0", 3), "the third owner", 90)
    wait_until(lambda: has_order_of(desk, "a", 3), "an order of the third", 60)
    restored = msgspec.json.decode((journal_of(desk, "a").parent / RESTORED).read_bytes())
    assert restored["claim"] == 2, "the newer of two histories"
    count = restored["records"]
    own = journal_of(desk, "a").read_bytes().splitlines()
    assert own[:count] == second.splitlines()[:count]
    names = [order["client_order_id"] for order in orders(journal_of(desk, "a"))]
    assert len(names) == len(set(names))
    desk.logos("a", "fleet", "kill", "--by", "ann", "--reason", "over", "--config", str(desk.file))


def has_order_of(desk: Desk, machine: str, claim: int) -> bool:
    return any(each["claim_epoch"] == claim for each in orders(journal_of(desk, machine)))
