"""Real servers for tests: found or the test is skipped, on loopback, ended with the test.

A server is a process of its own in a folder of its own. It is started on ports that were free a
moment ago, and waited for by asking it; what it printed is in its log, which an error quotes.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from places import absent
from waiting import wait_until

HOST: Final = "127.0.0.1"
_LOG_END: Final = 2_000
"""Characters of a server's log that an error quotes."""


class Server:
    """A running server process; `port` is the first of those that it listens on."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def freeze(self) -> None:
        """Stop the process where it is: it keeps its connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")

        def stand_still() -> bool:
            states = [(each / "stat").read_text().rpartition(")")[2] for each in tasks.iterdir()]
            return all(state.split()[0] == "T" for state in states)

        wait_until(stand_still, "every thread of the server to stand still")

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def end_of_log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-_LOG_END:]


def program(name: str, package: str) -> str:
    """The path of a server's program; without it skips the test, or fails it where all is needed.

    `package` is the system package that has it.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        absent(f"{name} is not installed (apt-get install {package})")
    return found


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now, each another."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    port: int,
    *,
    is_ready: Callable[[], bool] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start `command` in `folder`, wait until it is ready, and kill it in the end.

    Without `is_ready` it is ready once `port` accepts. Raises AssertionError with the end of its
    log if it ends before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    server = Server(process, port, log)
    ready = is_ready if is_ready is not None else lambda: accepts(port)

    def answers() -> bool:
        assert process.poll() is None, f"{command[0]} ended:\n{server.end_of_log()}"
        return ready()

    try:
        wait_until(answers, f"{command[0]} to be ready")
        yield server
    finally:
        if process.poll() is None:
            server.thaw()
            server.kill()
