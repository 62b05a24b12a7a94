"""`logos ship` against a real broker: all arrives, whatever the broker does meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_sessions import STORIES, begin, log_file, session_folder
from kafka_broker import broker, make_topics, read_topic, wire
from servers import free_ports
from shipping_helpers import kept, shipped_journal
from waiting import wait_until

from logos.core.gates import InProcessSwitch
from logos.observe.shipping.progress import ShipStatus, read_status

TOPICS = ("logos.journal", "logos.decisions")


def ship_command(*options: str) -> list[str]:
    return [sys.executable, "-m", "logos.cli.main", "ship", *options]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "LOGOS_HOME": str(home)}


def ship(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ship_command(*options), env=environment(home), capture_output=True, text=True, timeout=50
    )


@contextmanager
def shipping(home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        ship_command(*options), env=environment(home), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def status_of(home: Path) -> ShipStatus | None:
    try:
        return read_status(home / "state" / "ship" / "kafka" / "status.json")
    except FileNotFoundError:
        return None


def journal(home: Path) -> bytes:
    return (session_folder(home) / "state.jsonl").read_bytes()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    begin(STORIES["trading"], tmp_path, InProcessSwitch())
    return tmp_path


def arrived(address: str, home: Path) -> bytes:
    """The journal as it stands in the topic."""
    count = journal(home).count(b"\n")
    pairs = read_topic(address, "logos.journal", lambda found: len(dict(found)) >= count)
    return shipped_journal(kept(pairs))


@pytest.mark.long
def test_once_ships_everything_to_the_byte_and_then_nothing(home: Path, tmp_path: Path) -> None:
    with broker(tmp_path / "broker") as server:
        done = ship(home, "--kafka", server.address, "--once", "--create-partitions", "3")
        assert done.returncode == 0, done.stderr
        assert arrived(server.address, home) == journal(home)
        lines = log_file(home).read_bytes().splitlines()
        pairs = read_topic(
            server.address, "logos.decisions", lambda found: len(found) >= len(lines)
        )
        assert [json.loads(value)["decision"] for _, value in pairs] == [*map(json.loads, lines)]
        again = ship(home, "--kafka", server.address, "--once")
        assert again.returncode == 0
        assert "0 messages acknowledged" in again.stdout


@pytest.mark.long
def test_a_topic_that_is_missing_is_told_with_what_to_do(home: Path, tmp_path: Path) -> None:
    with broker(tmp_path / "broker") as server:
        done = ship(home, "--kafka", server.address, "--once", "--wait", "0.5")
    assert done.returncode == 1
    assert "do not have logos.journal, logos.decisions: make these topics, or" in done.stderr


@pytest.mark.long
def test_a_broker_that_is_absent_leaves_all_where_it_is(home: Path) -> None:
    [port] = free_ports(1)
    done = ship(home, "--kafka", f"127.0.0.1:{port}", "--once", "--wait", "0.5")
    assert done.returncode == 1
    assert "nothing is lost by waiting" in done.stderr
    status = status_of(home)
    assert status is not None
    assert not status.is_connected
    assert status.waiting_bytes == len(journal(home))


@pytest.mark.campaign
def test_a_broker_that_stands_still_and_one_whose_wire_is_cut_lose_nothing(
    home: Path, tmp_path: Path
) -> None:
    with wire() as cable, broker(tmp_path / "broker", advertised=cable.port) as server:
        cable.target = server.port
        make_topics(server.address, *TOPICS)
        server.freeze()
        address = f"127.0.0.1:{cable.port}"
        with shipping(home, "--kafka", address) as process:
            wait_until(lambda: bool(status_of(home)), "the shipper to begin")
            server.thaw()
            cable.cut()
            cable.mend()

            def is_done() -> bool:
                assert process.poll() is None
                status = status_of(home)
                return status is not None and status.sessions["crashed"].is_complete

            wait_until(is_done, "everything to be acknowledged")
            process.terminate()
            assert process.wait(20) == 0
        assert arrived(server.address, home) == journal(home)


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "no brokers are named"),
        (("--kafka", "broker.example:9092"), "is not this machine; say how"),
        (("--kafka", "nowhere"), "is HOST:PORT"),
        (("--kafka", "127.0.0.1:1", "--name", "../x"), "not a shipper's name"),
        (("--kafka", "127.0.0.1:1", "--once", "--sessions", "none"), "no such session"),
        (("--kafka", "127.0.0.1:1", "--prefix", "a b"), "prefix is of letters"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    home: Path, options: tuple[str, ...], words: str
) -> None:
    done = ship(home, *options)
    assert done.returncode == 2
    assert words in done.stderr
