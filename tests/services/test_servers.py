"""The helper that starts real servers says why one did not start, and leaves none behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from servers import accepts, free_ports, program, running

LISTEN = """
import socket, sys
print("hello", flush=True)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""


def test_a_server_is_ready_when_it_is_handed_over_and_gone_afterwards(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with running([sys.executable, "-c", LISTEN, str(port)], tmp_path / "new", port) as server:
        assert accepts(port)
        server.freeze()
    assert server.process.returncode is not None
    assert not accepts(port)
    assert server.end_of_log() == "hello\n"


def test_one_that_ends_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    [port] = free_ports(1)
    command = [sys.executable, "-c", "raise SystemExit('no such disk')"]
    with (
        pytest.raises(AssertionError, match="no such disk"),
        running(command, tmp_path, port),
    ):
        pass


def test_one_that_is_not_installed_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGOS_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install no-package"):
        program("no-such-server", "no-package")
