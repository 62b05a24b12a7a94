"""`logos watch` in a real terminal of 80x24 (tmux), beside a session that trades."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from places import PROJECT
from registry_box import keeps
from servers import program
from waiting import wait_until

SETTINGS = """
[strategy]
name = "sma_cross"
params = { fast = 5, slow = 15, quantity = 0.1 }
[data]
paths = ["data/cache"]
symbols = ["ETHUSDT"]
[account]
balances = { USDT = "100000" }
[risk]
unlimited = true
max_position = "1"
[live]
feed = "replay"
heartbeat_ms = 100
"""
pytestmark = [pytest.mark.campaign, pytest.mark.timeout(240)]


class Terminal:
    """A tmux server of its own with one window of 80x24."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._tmux = (program("tmux", "tmux"), "-f", os.devnull, "-S", str(folder / "tmux"))
        self._run("new-session", "-d", "-s", "w", "-x", "80", "-y", "24", "-c", str(folder),
                  "bash --norc --noprofile", environment=environment)  # fmt: skip

    def _run(self, *words: str, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [*self._tmux, *words], capture_output=True, text=True, check=True, env=environment
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        self._run("send-keys", "-t", "w", *keys)

    def shown(self, *, colours: bool = False) -> str:
        return self._run("capture-pane", "-p", "-t", "w", *(["-e"] if colours else []))

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-t", "w", "-x", str(columns), "-y", str(rows))

    def wait_for(self, *words: str) -> str:
        """Wait until all of the words are on the screen; what it shows then."""
        screen = ""

        def is_there() -> bool:
            nonlocal screen
            screen = self.shown()
            return all(word in screen for word in words)

        try:
            wait_until(is_there, f"{words} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{screen}") from None
        return screen

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self._run("kill-server")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cache").symlink_to(PROJECT / "data" / "cache")
    (tmp_path / "desk.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if keeps(name)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    size = {"COLUMNS": "80", "LINES": "24"}  # as a shell may export them; the window changes later
    return {**kept, **size, "PATH": path, "LANG": "C.UTF-8"}


@contextmanager
def session(desk: Path, environment: dict[str, str], *words: str) -> Iterator[Callable[[], None]]:
    """A session that trades; what it gives stops it in order."""
    with subprocess.Popen(
        [sys.executable, "-m", "logos.live", *words],
        cwd=desk, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip

        def stop() -> None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

        try:
            yield stop
        finally:
            process.kill()


@pytest.fixture
def terminal(desk: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    made = Terminal(desk, environment)
    yield made
    made.close()


def test_a_session_is_watched_paused_killed_and_ends_on_a_terminal_of_80x24(
    desk: Path, environment: dict[str, str], terminal: Terminal
) -> None:
    begin = ("trade", "--config", "desk.toml", "--speed", "1", "--session-id", "desk-1")
    with session(desk, environment, *begin):
        terminal.press("logos watch", "Enter")
        screen = terminal.wait_for("desk-1", "running", "ETHUSDT", "fills", "replay  LIVE")
        lines = screen.split("\n")
        assert len(lines) == 25
        assert not lines[24]
        assert all(len(line) <= 80 for line in lines)
        assert "q quit" in lines[23]
        assert "\x1b[" in terminal.shown(colours=True)
        terminal.press("p")
        terminal.wait_for("Pause desk-1?")
        terminal.press("y")
        terminal.wait_for("$ logos pause desk-1", "desk-1: the session is paused", "exit code 0")
        terminal.press("Escape")
        terminal.wait_for("PAUSED by an operator")
        for columns, rows in ((120, 40), (60, 16), (30, 8), (80, 24)):
            terminal.resize(columns, rows)
            terminal.wait_for("30x8 is too small" if columns == 30 else "q quit")
        terminal.press("k")
        terminal.wait_for("Kill: stop trading?")
        terminal.press("y")
        terminal.wait_for("$ logos kill", "session desk-1", "BLOCKED, DRAINED", "exit code 0")
        terminal.press("Escape")
        terminal.wait_for("HALTED", "switch ENGAGED", "next")
        terminal.press("q")
        terminal.wait_for("$ logos kill", "# exit code 0")
        terminal.press("echo left with $?", "Enter")
        left = terminal.wait_for("left with 0")
        assert "logos watch   " not in left, "the terminal has what it had before"


def test_the_screen_ends_with_its_terminal(terminal: Terminal) -> None:
    terminal.press("echo $$ > pid; exec logos watch", "Enter")
    terminal.wait_for("no session is running")
    process = Path("/proc", (terminal.folder / "pid").read_text().strip())
    assert process.exists()
    terminal.close()
    wait_until(lambda: not process.exists(), "the end of the screen")


def test_a_session_that_is_stopped_and_resumed_goes_on_in_its_row_without_colours(
    desk: Path, environment: dict[str, str], terminal: Terminal
) -> None:
    begin = ("trade", "--config", "desk.toml", "--speed", "1", "--session-id", "desk-1")
    terminal.press("NO_COLOR=1 logos watch", "Enter")
    terminal.wait_for("no session is running")
    with session(desk, environment, *begin) as stop:
        terminal.wait_for("1 running", "desk-1", "fills")
        stop()
        terminal.wait_for("STOPPED", "logos resume desk-1")
    with session(desk, environment, "resume", "desk-1"):
        terminal.wait_for("1 running", "desk-1", "replay  LIVE")
    terminal.wait_for("dead", "logos resume desk-1")
    coloured = terminal.shown(colours=True)
    assert not any(f"\x1b[3{colour}" in coloured for colour in range(1, 8))
    terminal.press("C-c")
    wait_until(lambda: "dead" not in terminal.shown(), "the end of the screen")
    terminal.press("echo left with $?", "Enter")
    terminal.wait_for("left with 0")
