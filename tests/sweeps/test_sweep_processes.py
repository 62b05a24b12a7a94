"""Real worker processes, killed at random; a real Dask cluster; a real interrupt."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from sweep_helpers import InlineLanes, go, make_market, make_sweep
from waiting import wait_until

from logos.errors import ConfigError, LogosError
from logos.killswitch.breaker import CircuitBreaker
from logos.sweeps import run as run_module
from logos.sweeps.cluster import DaskLanes
from logos.sweeps.finish import write_all
from logos.sweeps.lanes import ProcessLanes
from logos.sweeps.outcome import Outcome
from logos.sweeps.prepare import Wish
from logos.sweeps.run import Watch, run_sweep

pytestmark = pytest.mark.long

WISH = Wish(params={"length": "2..12", "margin": "0,0.01"}, by="net")


@pytest.fixture
def market(tmp_path: Path) -> Path:
    make_market(tmp_path / "market")
    return tmp_path / "market"


@pytest.fixture
def reference(market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """The rows as one process after the other gives them."""
    with monkeypatch.context() as patched:
        patched.setattr(run_module, "ProcessLanes", lambda _count: InlineLanes())
        return list(go(make_sweep(market, tmp_path / "reference", WISH)).outcomes)


def children() -> list[int]:
    """The worker processes of this one."""
    me = os.getpid()
    there = Path(f"/proc/{me}/task/{me}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in there if b"spawn_main" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


class Killer:
    """Kills a worker, chosen at random, whenever so many rows are done."""

    def __init__(self, at: set[int], seed: int) -> None:
        self.at = at
        self.killed = 0
        self._random = random.Random(seed)

    def __call__(self, done: int, _of: int) -> None:
        if done in self.at:
            self.at.discard(done)
            os.kill(self._random.choice(children()), signal.SIGKILL)
            self.killed += 1


def test_killed_workers_are_replaced_and_nothing_is_lost_or_doubled(
    market: Path, tmp_path: Path, reference: list[Outcome]
) -> None:
    home = tmp_path / "home"
    folder = make_sweep(market, home, WISH)
    killer = Killer({3, 9, 10}, seed=1)
    switch = CircuitBreaker(home / "state" / "kill-switch")

    def watch(done: int, of: int) -> None:
        killer(done, of)
        if done == 14:
            switch.engage("in the middle of it", "me")

    stopped = run_sweep(folder, ProcessLanes(2), Watch(watch))
    assert killer.killed == 3
    assert stopped.by_switch
    assert "in the middle of it" in stopped.stopped
    assert 14 <= len(stopped.outcomes) <= 15  # a session that had ended just then counts
    assert children() == []
    switch.reset("over", "me", switch.epoch)
    switch.close()
    finished = run_sweep(folder, ProcessLanes(2), Watch(Killer({17, 20}, seed=2)))
    assert list(finished.outcomes) == reference
    assert finished.same is True
    record = (folder / "results.jsonl").read_bytes().splitlines()
    assert len(record) == len(reference) == 22
    assert not (folder / "work").exists()


def test_dask_gives_the_table_that_processes_give(
    market: Path, tmp_path: Path, reference: list[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed: Any = import_module("distributed")

    monkeypatch.setattr(run_module, "ProcessLanes", lambda _count: InlineLanes())
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        folder = make_sweep(market, tmp_path / "home", WISH)

        def kill_one(done: int, _of: int) -> None:
            if done == 5:
                workers = [each.pid for each in cluster.workers.values()]
                os.kill(workers[0], signal.SIGKILL)

        lanes = DaskLanes(cluster.scheduler_address)
        finished = run_sweep(folder, lanes, Watch(kill_one))
    assert list(finished.outcomes) == reference
    write_all(finished)
    assert len((folder / "results.jsonl").read_bytes().splitlines()) == len(reference)


def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logos.sweeps.cluster._CONNECT_S", 0.5)
    with pytest.raises(ConfigError, match="no scheduler answers there") as refused:
        DaskLanes("tcp://127.0.0.1:9")
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError, match="write the scheduler's address as"):
        DaskLanes("somewhere")


def test_a_row_that_kills_its_workers_is_given_up(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logos.sweeps.lanes.ATTEMPTS_MAX", 2)
    (market / "mine.py").write_text(
        "import os\n\nfrom logos import Strategy, param\n\n\n"
        "class Above(Strategy):\n    length: int = param(2, 2, 9)\n\n"
        "    def on_bar(self, context, bar):\n"
        "        os.kill(os.getpid(), 9) if self.length == 4 else None\n",
        encoding="utf-8",
    )
    folder = make_sweep(market, tmp_path / "home", Wish(params={"length": "3..5"}, by="net"))
    with pytest.raises(LogosError, match=r"row 2 was given up: .* died 2 times"):
        run_sweep(folder, ProcessLanes(1))


def logos(*words: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "logos.live", "sweep", *words],
        cwd=cwd,
        env={**os.environ, "LOGOS_HOME": str(cwd), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_an_interrupt_of_the_terminal_ends_it_in_order(market: Path, tmp_path: Path) -> None:
    """SIGINT reaches the whole group, as from a terminal: workers leave it to their parent."""
    wish = ("--param", "length=2..12", "--param", "quantity=1..20", "--by", "net")
    words = ("mine.py:Above", "--data", "WAVE_6h_bars.csv", *wish, "--workers", "1")
    process = logos(*words, cwd=market)
    record = market / "runs" / "sweeps" / "Above-0001" / "results.jsonl"
    wait_until(lambda: record.is_file() and record.stat().st_size > 0, "a first row")
    os.killpg(process.pid, signal.SIGINT)
    said, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "stopped: interrupted by the operator" in error
    assert error.strip().endswith(f"logos sweep --resume {record.parent}")
    assert "of 220 sessions" in said
    assert "Traceback" not in error


def test_the_script_of_the_document_runs(tmp_path: Path) -> None:
    """The Python of docs/SWEEPS.md, in a process of its own."""
    text = (PROJECT / "docs" / "SWEEPS.md").read_text(encoding="utf-8")
    script = text.partition("```python\n")[2].partition("```")[0]
    for name in ("examples", "data"):
        (tmp_path / name).symlink_to(PROJECT / name)
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "LOGOS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20 ")
    kept = tmp_path / "runs" / "sweeps" / "Breakout-0001" / "kept" / "runs" / "live" / "sessions"
    assert (kept / "trial-0002" / "state.jsonl").is_file()


SCRIPT = """
import logos

sweep = logos.sweep("mine.py:Above", {"length": [3, 4]}, data="WAVE_6h_bars.csv", by="net")
"""


def test_a_script_without_a_guard_is_told_what_to_do(market: Path) -> None:
    (market / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=market,
        env={**os.environ, "LOGOS_HOME": str(market)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("logos.errors.LogosError: a worker process could not start")
    assert '`if __name__ == "__main__":`' in last
