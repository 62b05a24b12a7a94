"""A service manager is told that the session starts, is ready, turns and stops; by its own work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from session_helpers import ListFeed, session_config
from waiting import wait_until

from logos import session
from logos.cli.main import main
from logos.core.instrument import instrument
from logos.core.strategy import market
from logos.core.types import Side
from logos.session.presence.service import ServiceNotifier
from logos.testing.builders import Always, quote

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
EXTEND = "EXTEND_TIMEOUT_USEC=60000000"


class Manager:
    """The manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.heard: list[list[str]] = []

    def messages(self) -> list[list[str]]:
        """All messages so far, the lines of each."""
        while True:
            try:
                self.heard.append(self.socket.recv(4096).decode().splitlines())
            except BlockingIOError:
                return self.heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.socket.close()


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_sign_is_sent_at_half_of_the_watchdogs_time_and_only_by_a_turn(
    manager: Manager, tmp_path: Path
) -> None:
    clock, told = Clock(), list[str]()
    notifier = ServiceNotifier(str(tmp_path / "notify"), 10.0, tell=told.append, clock=clock)
    notifier.starting("reading its data")
    notifier.turn()
    notifier.turn()
    clock.now_s += 5
    notifier.turn()
    notifier.ready("desk")
    notifier.turn()
    clock.now_s += 4.9
    notifier.turn()
    clock.now_s += 0.2
    notifier.turn()
    notifier.turn()
    clock.now_s += 1_000
    notifier.close()
    notifier.close()
    assert manager.messages() == [
        ["STATUS=starting: reading its data", EXTEND],
        [EXTEND],
        [EXTEND],
        ["READY=1", "STATUS=session desk", f"MAINPID={os.getpid()}"],
        ["WATCHDOG=1"],
        ["STOPPING=1"],
    ]
    assert told == []


def test_a_manager_that_does_not_read_holds_nothing_up(manager: Manager, tmp_path: Path) -> None:
    clock, told = Clock(), list[str]()
    notifier = ServiceNotifier(str(tmp_path / "notify"), 1.0, tell=told.append, clock=clock)
    notifier.ready("desk")
    for _ in range(5_000):
        clock.now_s += 1
        notifier.turn()
    heard = len(manager.messages())
    assert heard < 5_000, "the queue was full, and the turns went on"
    notifier.turn()
    assert manager.messages()[heard:] == [["WATCHDOG=1"]], "said again at the very next turn"
    manager.socket.close()
    for _ in range(3):
        clock.now_s += 1
        notifier.turn()
    assert [words.partition(":")[0] for words in told] == [
        "the service manager at NOTIFY_SOCKET cannot be told"
    ]
    notifier.close()


@pytest.mark.parametrize("watchdog_s", [0.0, 10.0])
def test_that_it_is_ready_is_said_again_when_the_queue_was_full(
    manager: Manager, tmp_path: Path, watchdog_s: float
) -> None:
    clock, told = Clock(), list[str]()
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                other.sendto(b"X=1", address)
    notifier = ServiceNotifier(address, watchdog_s, tell=told.append, clock=clock)
    notifier.ready("desk")
    notifier.turn()
    manager.messages()
    manager.heard.clear()
    notifier.turn()
    clock.now_s += 5
    notifier.turn()
    ready = ["READY=1", "STATUS=session desk", f"MAINPID={os.getpid()}"]
    assert manager.messages() == [ready, *([["WATCHDOG=1"]] if watchdog_s else [])]
    notifier.close()
    assert told == []


@pytest.mark.parametrize(
    ("variables", "watchdog_s"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_the_watchdogs_time_is_taken_where_it_is_this_process_that_is_watched(
    variables: dict[str, str], watchdog_s: float
) -> None:
    made = ServiceNotifier.of({"NOTIFY_SOCKET": "/x", **variables}, print, 77)
    assert made is not None
    assert made._watchdog_s == watchdog_s
    made._socket.close()


def test_without_a_socket_that_can_be_written_to_there_is_no_notifier() -> None:
    told: list[str] = []
    assert ServiceNotifier.of({}, told.append, 1) is None
    assert ServiceNotifier.of({"NOTIFY_SOCKET": ""}, told.append, 1) is None
    assert told == []
    assert ServiceNotifier.of({"NOTIFY_SOCKET": "vsock:2:1"}, told.append, 1) is None
    assert told == ["NOTIFY_SOCKET is 'vsock:2:1', which is no socket that can be written to"]


def test_an_abstract_socket_is_told_as_well() -> None:
    manager = Manager(f"\0logos-test-{os.getpid()}")
    made = ServiceNotifier.of({"NOTIFY_SOCKET": f"@logos-test-{os.getpid()}"}, print, 1)
    assert made is not None
    made.close()
    assert manager.messages() == [["STOPPING=1"]]
    manager.socket.close()


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_whole_session_says_that_it_starts_is_ready_and_stops(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    events = [quote(ACME, number * 1_000_000_000, "10.00", "10.02") for number in range(1, 9)]
    result = session.run(
        session_config(session={"id": "told"}),
        strategy=Always(market(Side.BUY, 1)),
        feed=ListFeed(events),
    )
    assert result.exit_code == session.ExitCode.FINISHED
    heard = manager.messages()
    assert heard[0] == ["STATUS=starting: reading its data", EXTEND]
    assert heard[-2:] == [
        ["READY=1", "STATUS=session told", f"MAINPID={os.getpid()}"],
        ["STOPPING=1"],
    ]


def test_a_session_that_has_ended_before_is_ready_at_once_and_stops(
    manager: Manager, tmp_path: Path, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run(
        session_config(session={"id": "done"}),
        strategy=Always(market(Side.BUY, 1)),
        feed=ListFeed([quote(ACME, 1_000_000_000, "10.00", "10.02")]),
    )
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    assert main(["run", "done", "--quiet"]) == 0
    assert [lines[0] for lines in manager.messages()] == ["READY=1", "STOPPING=1"]


_LIVE = """
import sys
from logos.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.long
def test_a_live_session_that_hangs_in_its_strategy_gives_no_sign(
    manager: Manager, tmp_path: Path
) -> None:
    (tmp_path / "hangs.py").write_text(
        "import os, time\n"
        "from logos import Strategy\n"
        "class Hangs(Strategy):\n"
        "    def on_bar(self, context, bar):\n"
        "        while os.path.exists('HANG'):\n"
        "            time.sleep(0.01)\n",
        encoding="utf-8",
    )
    cache = Path(__file__).parents[3] / "data" / "cache"
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _LIVE, "trade", "--feed", "replay", "--session-id", "hung"),
            *("--strategy", "hangs.py:Hangs", "--data", str(cache / "BTCUSDT_1m_bars.csv")),
            *("--speed", "300", "--quiet"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "LOGOS_HOME": str(tmp_path),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "20000",
            "LOGOS_CFG__LIVE__HEARTBEAT_MS": "10",
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: manager.messages().count(["WATCHDOG=1"]) > 5, "signs of the loop")
        assert [line for line in manager.heard if line[0] == "READY=1"] != []
        (tmp_path / "HANG").touch()
        quiet = 0

        def is_silent() -> bool:
            nonlocal quiet
            before = len(manager.heard)
            quiet = quiet + 1 if len(manager.messages()) == before else 0
            return quiet > 100  # looks 2 ms apart: ten times the watchdog's time

        wait_until(is_silent, "silence of a loop that hangs")
        (tmp_path / "HANG").unlink()
        before = len(manager.heard)
        wait_until(lambda: len(manager.messages()) > before, "a sign after it")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert manager.messages()[-1] == ["STOPPING=1"]
    finally:
        process.kill()
        process.wait()
