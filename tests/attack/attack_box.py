"""A workspace of an attack's own, and the public command line in it.

Nothing here imports logos or the other helpers of the tests: what they get wrong, this may get
right. A command runs in a process group of its own, and the group is gone when it has ended.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

PATIENCE_S = 100.0  # a command that has not ended by then hangs, also on a busy machine
SESSION = "attacked"
BARS = 120
START = datetime(2026, 1, 5, 14, 0, tzinfo=UTC)
EXIT_CODES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130})
VOLATILE = frozenset({"host.json", "recoveries.jsonl", "snapshot.json"})  # docs/ARTIFACTS.md

# Whole numbers: the judge computes with the same text.
LIMITS = {
    "max_order_quantity": 50,
    "max_order_notional": 4000,
    "max_position": 100,
    "max_open_orders": 4,
}
MAX_ORDERS, WINDOW_S = 6, 600
SLIPPAGE = "0.01"

SETTINGS = """\
[session]
seed = {seed}
sample_interval_s = 600

[strategy]
name = "desk.py:Desk"

[data]
paths = ["bars/ACME_1m_bars.csv"]

[instruments.ACME]
base = "ACME"
quote = "USD"
tick = "0.01"
lot = "1"

[account]
balances = {{ USD = "50000" }}

[paper]
fill = "next_open"
slippage_ticks = 1

[risk]
{limits}

[risk.total]
max_orders = {orders}
max_orders_window_s = "{window}"
"""


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code (negative: the signal), and what it printed."""

    code: int
    said: str
    hung: bool = False


class Box:
    """A workspace in `home`, which must not exist yet, for a session with this seed."""

    def __init__(self, home: Path, seed: int = 1) -> None:
        (home / "bars").mkdir(parents=True)
        self.bars = write_bars(home / "bars" / "ACME_1m_bars.csv")
        self._stand_at(home)
        limits = "\n".join(f'{key} = "{value}"' for key, value in LIMITS.items())
        limits = limits.replace('open_orders = "4"', "open_orders = 4")
        text = SETTINGS.format(seed=seed, limits=limits, orders=MAX_ORDERS, window=WINDOW_S)
        (home / "session.toml").write_text(text, encoding="utf-8")

    @classmethod
    def at(cls, home: Path) -> Box:
        """The workspace that is in `home` already."""
        box = cls.__new__(cls)
        box.bars = made_bars()
        box._stand_at(home)
        return box

    def _stand_at(self, home: Path) -> None:
        self.home = home
        self.folder = home / "runs" / "live" / "sessions" / SESSION
        self.journal = self.folder / "state.jsonl"
        self.log = home / "logos" / "logs" / f"{SESSION}.jsonl"

    def environment(self) -> dict[str, str]:
        """What a command sees of the surroundings: nothing of whoever runs the attack."""
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "PYTHONPATH") if key in os.environ}
        places = {"HOME": str(self.home), "LOGOS_HOME": str(self.home)}
        return {**kept, **places, "LOGOS_REGISTRY": str(self.home / "registry")}

    def start(self, *words: str, pace_s: float = 0) -> subprocess.Popen[str]:
        """A command that runs beside us, in a process group of its own.

        With a pace, `attack_desk.py` takes that many seconds a bar and writes down its calls.
        """
        pace = {"ATTACK_PACE_S": str(pace_s), "ATTACK_CALLS": str(self.home / "calls")}
        return subprocess.Popen(
            [sys.executable, "-m", "logos.live", *words],
            cwd=self.home,
            env={**self.environment(), **(pace if pace_s else {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def run(self, *words: str) -> Done:
        """A command, to its end."""
        return ended(self.start(*words))

    def trade(self) -> tuple[str, ...]:
        """The words that begin the session."""
        return ("trade", "--config", "session.toml", "--session-id", SESSION, "--quiet")

    def files(self) -> dict[str, bytes]:
        """Every file of the session that two runs of it must have in common."""
        found = {
            path.name: path.read_bytes()
            for path in self.folder.iterdir()
            if path.is_file() and path.name not in VOLATILE
        }
        return {**found, "log": self.log.read_bytes()}


def ended(process: subprocess.Popen[str], patience_s: float = PATIENCE_S) -> Done:
    """Wait for a command, take what it printed, and leave nothing of its group behind."""
    hung = False
    try:
        said, _ = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        hung = True
        end_group(process)
        said, _ = process.communicate()
    end_group(process)
    return Done(process.returncode, said, hung)


def seen(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Wait until the condition holds; False where the process ends first, or the patience does."""
    late = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > late or process.poll() is not None:
            return False
        time.sleep(0.02)
    return True


def end_group(process: subprocess.Popen[str]) -> None:
    """End whatever the command has left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def made_bars() -> list[tuple[int, int, int, int]]:
    """One-minute bars of a seeded walk, in cents: open, high, low, close. The same every time."""
    rolled = random.Random("bars of the attack")
    price, rows = 5000, []
    for _ in range(BARS):
        opened = price + rolled.randint(-10, 10)
        price = opened + rolled.randint(-40, 40)
        high = max(opened, price) + rolled.randint(0, 15)
        low = min(opened, price) - rolled.randint(0, 15)
        rows.append((opened, high, low, price))
    return rows


def write_bars(path: Path) -> list[tuple[int, int, int, int]]:
    """Write those bars as a file of market data."""
    rows, lines = made_bars(), ["timestamp,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        stamp = (START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        figures = ",".join(f"{each // 100}.{each % 100:02d}" for each in row)
        lines.append(f"{stamp},{figures},{500 + number * 37}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows
