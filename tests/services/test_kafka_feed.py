"""A live session on topics of a real broker: resumed behind its last message, replayed the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka_broker import broker, make_topics, send
from waiting import wait_until

from logos.config import ConfigError, make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import FeedOffset, Quote, ReceivedSignal
from logos.core.records import OrderRecord
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import SessionStatus, Side
from logos.data.readers.numbers import format_timestamp
from logos.journal.entries import read_journal
from logos.journal.inputs import RecordedInputs
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.entry import replay, resume, run_live

ACME = {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}


def tables(address: str, **kafka: Any) -> dict[str, Any]:
    return {
        "session": {"id": "fed"},
        "instruments": {"ACME": ACME},
        "paper": {"fill": "bid_ask"},
        "risk": {"unlimited": True},
        "live": {
            "feed": "kafka",
            "kafka": {"brokers": address, "topics": ["quotes"], "start": "beginning", **kafka},
        },
    }


def quote(number: int) -> bytes:
    """A quote whose bid tells its number."""
    fields = {"bid": f"{100 + number}", "ask": f"{101 + number}", "bid_size": 5, "ask_size": 5}
    words = {"kind": "quote", "symbol": "ACME", "timestamp": format_timestamp(time.time_ns())}
    return json.dumps({**words, **fields}).encode()


BAD = (b"{", b'{"kind":"quote","symbol":"OTHER","timestamp":"2026-01-05","bid":"1","ask":"2"}')


class Until(Strategy):
    """Buys and sells at every quote, and stops the session after the quote `last`."""

    def __init__(self, last: int) -> None:
        self.last = last

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        number = round(quote.bid) - 100
        if number == self.last:
            os.kill(os.getpid(), signal.SIGTERM)
        return Side.BUY if number % 2 else Side.SELL


def folder(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "fed"


def inputs(home: Path) -> list[Any]:
    """Every recorded input."""
    recorded = RecordedInputs(folder(home) / "inputs.jsonl")
    recorded.know(make_instruments(make_config({"instruments": {"ACME": ACME}}).instruments))
    return [event for batch in recorded.batches() for event in batch]


def numbers(home: Path) -> list[int]:
    """Which quotes the session has had."""
    return [round(event.bid) - 100 for event in inputs(home) if isinstance(event, Quote)]


def offsets(home: Path) -> dict[str, int]:
    return {each.source: each.offset for each in inputs(home) if isinstance(each, FeedOffset)}


@pytest.mark.long
def test_a_resumed_session_reads_on_behind_its_last_message(tmp_path: Path) -> None:
    def go(last: int, again: bool) -> SessionResult:
        words: dict[str, Any] = {
            "strategy": Until(last),
            "switch": InProcessSwitch(),
            "home": tmp_path,
            "tell": lambda _: None,
        }
        if again:
            return resume("fed", **words)
        return run_live(make_config(tables(server.address)), **words)

    with broker(tmp_path / "broker") as server:
        make_topics(server.address, "quotes", partitions=1)
        send(server.address, "quotes", [quote(1), *BAD, quote(2)])
        assert go(2, again=False).status is SessionStatus.STOPPED
        assert offsets(tmp_path) == {"quotes/0": 3}
        send(server.address, "quotes", [quote(3), quote(4)])
        assert go(4, again=True).status is SessionStatus.STOPPED
        assert numbers(tmp_path) == [1, 2, 3, 4]
        assert offsets(tmp_path) == {"quotes/0": 5}
    replay("fed", strategy=Until(0), home=tmp_path)


# ---- a process that is killed, with signals from a topic ----


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "LOGOS_HOME": str(home), "LOGOS_REGISTRY": str(home / "registry")}


def logos(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "logos.cli.main", *words]
    return subprocess.run(
        command, env=environment(home), cwd=home, capture_output=True, text=True, timeout=50
    )


@contextmanager
def running(home: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "logos.cli.main", *words]
    with (home / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            command, env=environment(home), cwd=home, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def signal_message(**wish: Any) -> bytes:
    words = {"timestamp": format_timestamp(time.time_ns()), "symbol": "ACME", **wish}
    return json.dumps(words).encode()


def orders(home: Path) -> list[tuple[Side, int]]:
    found = read_journal(folder(home) / "state.jsonl")
    records = [each.record for each in found if isinstance(each.record, OrderRecord)]
    return [(each.side, each.quantity_units) for each in records]


SETTINGS = """
[session]
id = "fed"
[instruments.ACME]
quote = "USD"
tick = "0.01"
lot = "1"
settlement = "margin"
[paper]
fill = "bid_ask"
[risk]
unlimited = true
[live]
feed = "kafka"
[live.kafka]
topics = ["quotes"]
signals = "wishes"
start = "beginning"
"""


@pytest.mark.campaign
def test_signals_of_a_topic_are_acted_out_once_over_a_kill_and_replayed_the_same(
    tmp_path: Path,
) -> None:
    (tmp_path / "s.toml").write_text(SETTINGS, encoding="utf-8")
    with broker(tmp_path / "broker") as server:
        make_topics(server.address, "quotes", "wishes", partitions=1)
        old = {"timestamp": "2026-01-05T12:00:00Z", "symbol": "ACME", "target": 50}
        send(server.address, "wishes", [json.dumps(old).encode()])

        def read(source: str, offset: int) -> None:
            def has_read() -> bool:
                assert process.poll() is None, (tmp_path / "output.txt").read_text()
                try:
                    return offsets(tmp_path).get(source) == offset
                except FileNotFoundError:
                    return False

            wait_until(has_read, f"{source} to be read up to {offset}")

        brokers = f"LOGOS_CFG__LIVE__KAFKA__BROKERS={server.address}"
        os_environment = dict([brokers.split("=", 1)])
        with pytest.MonkeyPatch.context() as patch:
            for name, value in os_environment.items():
                patch.setenv(name, value)
            with running(tmp_path, "trade", "--config", "s.toml") as process:
                send(server.address, "quotes", [quote(1)])
                read("quotes/0", 0)
                send(server.address, "wishes", [signal_message(side="BUY", quantity=7)])
                read("wishes/0", 1)
                send(server.address, "quotes", [quote(2)])
                wait_until(lambda: len(orders(tmp_path)) == 1, "the order of the signal")
                process.kill()
                process.wait()
            send(server.address, "quotes", [quote(3), quote(4)])
            send(server.address, "wishes", [signal_message(target=-3)])
            with running(tmp_path, "resume", "fed") as process:
                read("wishes/0", 2)
                send(server.address, "quotes", [quote(5)])
                wait_until(lambda: len(orders(tmp_path)) == 2, "the order of the second signal")
                process.terminate()
                assert process.wait(30) == 0
    assert numbers(tmp_path) == [1, 2, 3, 4, 5]
    wishes = [each for each in inputs(tmp_path) if isinstance(each, ReceivedSignal)]
    assert [(each.wish, each.value, each.quantity) for each in wishes] == [
        ("side", "BUY", "7"),
        ("target", "-3", ""),
    ]
    assert orders(tmp_path) == [(Side.BUY, 7), (Side.SELL, 10)]
    for command in ("replay", "verify"):
        done = logos(tmp_path, command, "fed")
        assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize(
    ("live", "words"),
    [
        ({"feed": "kafka"}, r'live.feed is "kafka": name brokers and topics in \[live.kafka\]'),
        ({"feed": "kafka", "kafka": {"brokers": "h.example:1"}}, "is not this machine"),
    ],
)
def test_settings_without_what_is_needed_are_refused(live: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_config({"live": live})


def test_a_topic_of_signals_and_a_strategy_are_one_too_many(tmp_path: Path) -> None:
    config = make_config(tables("127.0.0.1:1", signals="wishes"))
    with pytest.raises(ConfigError, match=r"live\.kafka\.signals is set: name no strategy\.name"):
        run_live(
            msgspec.structs.replace(config, strategy=make_config(NAMED).strategy), home=tmp_path
        )


NAMED = {"strategy": {"name": "sma_cross"}}
