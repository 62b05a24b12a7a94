"""`logos metrics` on the command line: a page once, a file for the node exporter, a server."""

from __future__ import annotations

import builtins
import http.client
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from metrics_helpers import Desk, parsed
from places import PROJECT

from logos.cli.main import main
from logos.cli.observing import metrics


@pytest.fixture(autouse=True)
def tests_keep_their_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "stand_back", lambda: None)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    home = tmp_path / "desk"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.delenv("LOGOS_HOME", raising=False)
    with Desk(home) as made:
        made.begin(market_age_ns=0)
        made.figures()
        yield made


def test_once_prints_one_page(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--once"]) == 0
    page = parsed(capsys.readouterr().out)
    assert desk.value("logos_up", page) == 1


def test_a_textfile_is_written_whole_and_its_group_may_read_it(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "logos.prom"
    assert main(["metrics", "--once", "--textfile", str(path)]) == 0
    assert desk.value("logos_up", parsed(path.read_text())) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert main(["metrics", "--once", "--textfile", str(path), "--textfile-mode", "600"]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["logos.prom"]


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [
        (["--once", "--textfile", "page.txt"], 2, "files named *.prom alone"),
        (["--once", "--listen", "127.0.0.1:0"], 2, "does not go with --listen"),
        (["--tls-cert", "c.pem"], 2, "belong together"),
        (["--listen", "0.0.0.0:0"], 2, "nobody is asked who they are"),
        (["--workspace", "nowhere"], 2, "nowhere: there is no such folder"),
        (["--once", "--textfile", "nowhere/x.prom"], 6, "nowhere/x.prom: No such file"),
        (["--tls-cert", "c.pem", "--tls-key", "k.pem"], 6, "No such file"),
    ],
)
def test_what_cannot_be_done_is_said(
    desk: Desk,
    options: list[str],
    code: int,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["metrics", *options]) == code
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--listen", "9464"], ["--listen", "a:70000"], ["--interval", "0"], ["--textfile-mode", "8"]],
)
def test_a_bad_option_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["metrics", *options])


def test_without_the_library_it_says_what_installs_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **words: Any) -> Any:
        if name.partition(".")[0] == "prometheus_client":
            raise ModuleNotFoundError("No module named 'prometheus_client'", name=name)
        return real(name, *rest, **words)

    monkeypatch.delitem(sys.modules, "logos.observe.metrics.exposition", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["metrics", "--once"]) == 2
    assert "prometheus-client is not installed: " in capsys.readouterr().err


@pytest.mark.long
def test_it_serves_until_it_is_told_to_end_and_writes_the_file_beside(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "logos.prom"
    command = [sys.executable, "-m", "logos.live", "metrics", "--listen", "127.0.0.1:0"]
    command += ["--textfile", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"workspace {desk.home}\n"
        said = process.stdout.readline()
        assert said.startswith("serving http://127.0.0.1:")
        port = int(said.rpartition(":")[2].partition("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        page = parsed(connection.getresponse().read().decode())
        connection.close()
        assert desk.value("logos_up", page) == 1
        for thread in map(int, os.listdir(f"/proc/{process.pid}/task")):
            assert os.getpriority(os.PRIO_PROCESS, thread) >= 10
            assert os.sched_getscheduler(thread) == os.SCHED_BATCH
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert desk.value("logos_up", parsed(path.read_text())) == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
