"""`logos dashboard` on the command line: where it listens, what it refuses, how it ends."""

from __future__ import annotations

import builtins
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dashboard_helpers import MadeSession
from places import PROJECT

from logos.cli.main import main
from logos.observe.dashboard.access import TOKEN

SECRET = "a-token-that-is-long-enough"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "desk"
    home.mkdir()
    MadeSession(home)
    monkeypatch.chdir(home)
    for name in ("LOGOS_HOME", TOKEN):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [
        (["--workspace", "nowhere"], 2, "--workspace nowhere: there is no such folder"),
        (["--listen", "0.0.0.0:0"], 2, f"nobody is asked who they are: set {TOKEN}"),
        (["--tls-key", "k.pem"], 2, "belong together"),
        (["--tls-cert", "c.pem", "--tls-key", "k.pem"], 6, "No such file"),
    ],
)
def test_what_cannot_be_done_is_said(
    home: Path, options: list[str], code: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "--listen", "127.0.0.1:0", *options]) == code
    assert problem in capsys.readouterr().err


def test_outside_of_a_workspace_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOGOS_HOME", raising=False)
    assert main(["dashboard"]) == 2
    assert "is not in a workspace; go to one" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_with_what_helps(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["dashboard", "--listen", address]) == 6
    said = capsys.readouterr().err
    assert f"logos dashboard: {address}: Address already in use; choose another port" in said


def test_a_short_token_is_refused_and_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "swordfish")
    assert main(["dashboard", "--listen", "127.0.0.1:0"]) == 2
    said = capsys.readouterr().err
    assert "has 9 characters" in said
    assert "swordfish" not in said


def test_without_the_libraries_it_says_what_installs_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **words: Any) -> Any:
        if name.partition(".")[0] == "starlette":
            raise ModuleNotFoundError("No module named 'starlette'", name=name)
        return real(name, *rest, **words)

    monkeypatch.delitem(sys.modules, "logos.observe.dashboard.app", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["dashboard"]) == 2
    assert "starlette is not installed: " in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_at_once(home: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "logos.live", "dashboard", "--listen", "127.0.0.1:0"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), TOKEN: SECRET}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=home,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"workspace {home}\n"
        said = process.stdout.readline()
        assert said.startswith("open http://127.0.0.1:")
        assert said.endswith("/#token=THE_TOKEN (Ctrl-C ends it)\n")
        port = int(said.split(":")[2].partition("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {"Authorization": f"Bearer {SECRET}"}
        connection.request("GET", "/api/sessions/made", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        place = answer.read().decode().partition('"place":"')[2].partition('"')[0]
        connection.request("GET", f"/api/sessions/made/stream?at={place}", headers=headers)
        assert connection.getresponse().readline() == b"retry: 1000\n"
        began = time.monotonic()
        process.send_signal(number)
        out, problems = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert (process.returncode, out, problems) == (0, "", "")
        connection.close()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
