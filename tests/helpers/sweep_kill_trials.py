"""A sweep that is killed as a whole: `logos sweep --resume` goes on to the same tables.

One trial: `logos sweep` with two workers; SIGKILL at random instants, to the command alone or to it
and its workers at once; `--resume` after each, until it is done. The tables must be the bytes of a
sweep that nobody killed, the record must have each row once, and no worker may outlive its command.

    python tests/helpers/sweep_kill_trials.py [KILLS] [SEED]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

from registry_box import use_registry
from sweep_helpers import make_market
from waiting import wait_until
from which_core import core_words

TABLES = ("results.csv", "results.json")
ROWS = 24
KILLS_MAX = 4
"""In one trial."""
PATIENCE_S = 300
LOOK_S = 0.002
"""Between two looks at how many rows are done."""
_SWEEP = (
    *("mine.py:Above", "--data", "WAVE_6h_bars.csv", "--by", "net", "--workers", "2", "--quiet"),
    *("--param", "length=2..9", "--param", "quantity=1..3"),
)


class SweepKills:
    """A market, and what a sweep on it leaves that nobody killed."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._market = place / "market"
        make_market(self._market)
        folder = place / "straight" / "sweep"
        assert self._start(folder, is_new=True).wait(PATIENCE_S) == 0
        self._tables = _tables(folder)

    def trial(self, seed: int) -> tuple[Counter[str], list[str]]:
        """How often it was killed, and in which way; what was wrong."""
        chance = Random(seed)
        folder = self._place / f"trial-{seed}" / "sweep"
        kills: Counter[str] = Counter()
        problems: list[str] = []
        for _ in range(chance.randint(1, KILLS_MAX)):
            process = self._start(folder, is_new=not (folder / "sweep.json").is_file())
            whole = chance.random() < 0.5
            if _lives_until_then(process, folder, chance):
                (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
                process.wait(PATIENCE_S)
                kills["with its workers" if whole else "the command alone"] += 1
            elif process.returncode:
                problems.append(f"the command ended with {process.returncode}")
            wait_until(partial(_group_is_gone, process.pid), "the workers' end")
        if self._start(folder, is_new=not (folder / "sweep.json").is_file()).wait(PATIENCE_S):
            problems.append("the last command did not end well")
        tables = _tables(folder)
        problems += [f"{name} differs" for name in TABLES if tables[name] != self._tables[name]]
        lines = (folder / "results.jsonl").read_bytes().splitlines()
        if len(set(lines)) != ROWS or len(lines) != ROWS:
            problems.append(f"{len(lines)} outcomes were written")
        if (folder / "work").exists():
            problems.append("the attempts are left")
        return kills, problems

    def _start(self, folder: Path, *, is_new: bool) -> subprocess.Popen[bytes]:
        words = (*_SWEEP, "--out", str(folder)) if is_new else ("--resume", str(folder), "--quiet")
        return subprocess.Popen(
            [sys.executable, "-m", "logos.live", "sweep", *words],
            cwd=self._market,
            env={**os.environ, "LOGOS_HOME": str(self._place / "home")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _rows(folder: Path) -> int:
    path = folder / "results.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def _lives_until_then(process: subprocess.Popen[bytes], folder: Path, chance: Random) -> bool:
    """Wait for an instant, drawn by the clock while it begins, else by the rows that are done;
    whether the command lives then."""
    begins = chance.random() < 0.3
    until_s = time.monotonic() + (chance.uniform(0.05, 0.6) if begins else PATIENCE_S)
    left = ROWS - _rows(folder)
    rows = ROWS if begins or not left else ROWS - chance.randint(1, left)
    while _rows(folder) <= rows and time.monotonic() < until_s:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
            break
    return process.poll() is None


def _tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TABLES}


def _group_is_gone(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    return False


def main(kills: int = 60, seed: int = 0) -> int:
    """Run trials until so many were killed; 1 when one came out differently."""
    total: Counter[str] = Counter()
    failed, trials = 0, 0
    with tempfile.TemporaryDirectory(prefix="logos-sweep-") as place:
        world = SweepKills(Path(place))
        while total.total() < kills:
            more, problems = world.trial(seed + trials)
            trials += 1
            total += more
            if problems:
                failed += 1
                print(f"FAILED seed {seed + trials - 1}: {'; '.join(problems)}")
    print(f"{total.total()} kills of {trials} sweeps: {dict(total)}; {failed} came out differently")
    print(core_words())
    return int(failed > 0)


if __name__ == "__main__":
    with use_registry():
        sys.exit(main(*(int(each) for each in sys.argv[1:])))
