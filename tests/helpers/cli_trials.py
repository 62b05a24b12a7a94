"""One trial through the real command: `logos trade` is killed or stopped, `logos resume` goes on.

Kills (SIGKILL) and stops (SIGTERM) come at any instant of the whole process, half of them once it
has begun to write. What is there in the end must be what an uninterrupted command leaves.

With kept rows (`kept`): a market that is long enough to be kept once it was checked. Half of the
workspaces have it from before, and every command takes it up; in the others the command that is
killed may be making it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from kill_trials import Trial
from places import PROJECT
from same_bytes import write_market

from logos.report import REPORT
from logos.session.artifacts.recoveries import RECOVERIES

INTERRUPTIONS_MAX = 3
TRADE = ("trade", "--config", "examples/session.toml", "--session-id", "cli", "--quiet")
RESUME = ("resume", "cli", "--quiet")
PATIENCE_S = 300
"""How long a command may take on a machine that has much else to do."""


@cache
def straight() -> tuple[dict[str, bytes], float]:
    """The files of an uninterrupted command, and the seconds it took."""
    with TemporaryDirectory() as folder:
        return _straight(Path(folder), TRADE)


def _straight(home: Path, trade: tuple[str, ...]) -> tuple[dict[str, bytes], float]:
    began_s = time.monotonic()
    assert command(home, *trade).wait(PATIENCE_S) == 0
    return files_of(home), time.monotonic() - began_s


class Kept:
    """A market whose rows are kept, and a workspace that has them. Use it in a `with`."""

    def __enter__(self) -> Kept:
        self._folder = TemporaryDirectory()
        place = Path(self._folder.name)
        write_market(place / "market")
        strategy = f"{PROJECT / 'examples' / 'breakout.py'}:Breakout"
        self.trade = (
            *("trade", "--strategy", strategy, "--param", "lookback=30", "--session-id", "cli"),
            *("--data", str(place / "market"), "--symbols", "MADE", "--quiet"),
        )
        self.straight = _straight(place / "home", self.trade)
        self.rows = place / "home" / "state" / "checked"
        assert any(self.rows.rglob("*")), "nothing was kept"
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def command(
    home: Path, *arguments: str, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start `logos` with these arguments in the workspace `home`."""
    return subprocess.Popen(
        [sys.executable, "-m", "logos.live", *arguments],
        cwd=PROJECT,
        env={**os.environ, "LOGOS_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    )


def session_folder(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "cli"


def files_of(home: Path) -> dict[str, bytes]:
    """Every file of the session but those that tell when and where it ran."""
    folder = session_folder(home)
    found = {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name not in ("host.json", RECOVERIES)
    }
    return {**found, "log": (home / "logos" / "logs" / "cli.jsonl").read_bytes()}


def next_command(home: Path, trade: tuple[str, ...] = TRADE) -> tuple[str, ...]:
    """What an operator does now: go on, or begin what has no folder yet."""
    return RESUME if session_folder(home).is_dir() else trade


def has_ended(home: Path) -> bool:
    """Whether nothing is left to go on with: the session is finished, and was not stopped."""
    folder = session_folder(home)
    is_finished = (folder / "host.json").is_file()
    return is_finished and b'"STOPPED"' not in (folder / "state.json").read_bytes()


def run_cli_trial(seed: int, kept: Kept | None = None) -> Trial:
    """Interrupt one session up to INTERRUPTIONS_MAX times, and finish it."""
    chance = Random(seed)
    trial = Trial(seed, "cli")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        files, took_s = straight() if kept is None else kept.straight
        trade: tuple[str, ...] = TRADE if kept is None else kept.trade
        if kept is not None:
            trial.name = chance.choice(("cli, rows kept from before", "cli, rows kept on the way"))
            if trial.name.endswith("before"):
                shutil.copytree(kept.rows, home / "state" / "checked")
        for _ in range(chance.randint(1, INTERRUPTIONS_MAX)):
            if has_ended(home):
                break  # killed in the very end
            number = chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
            process = command(home, *next_command(home, trade))
            interrupt(process, home, number, chance, took_s)
            if process.returncode == -signal.SIGKILL:
                trial.kills += 1
            elif process.returncode not in (0, -signal.SIGTERM):
                trial.problems.append(f"the command ended with {process.returncode}")
        _finish(home, trade, trial)
        if not session_folder(home).is_dir():
            return trial  # `_finish` says why
        left = files_of(home)
        different = sorted(name for name in {*left, *files} if left.get(name) != files.get(name))
        trial.problems += [f"{name} is different" for name in different]
        for check in ("verify", "replay"):
            if command(home, check, "cli").wait(PATIENCE_S):
                trial.problems.append(f"logos {check} does not agree")
        if kept is not None and not any((home / "state" / "checked").rglob("*")):
            trial.problems.append("no rows are kept")
    return trial


def _finish(home: Path, trade: tuple[str, ...], trial: Trial) -> None:
    if not has_ended(home):
        last = command(home, *next_command(home, trade), stderr=subprocess.PIPE)
        _, said = last.communicate(timeout=PATIENCE_S)
        if last.returncode:
            words = said.decode(errors="replace").strip()
            trial.problems.append(f"the last command ended with {last.returncode}: {words}")
    elif not (session_folder(home) / REPORT).is_file():
        # Killed after the session's end, while its page was made: a command makes it again.
        made = command(home, "report", "cli").wait(PATIENCE_S)
        if made:
            trial.problems.append(f"logos report ended with {made}")


def interrupt(
    process: subprocess.Popen[bytes],
    home: Path,
    number: signal.Signals,
    chance: Random,
    took_s: float,
) -> None:
    """Send the signal at some instant, and wait for the end."""
    # A clock is the point here: the signal comes wherever the process happens to be.
    if chance.random() < 0.5:
        journal = session_folder(home) / "state.jsonl"
        while process.poll() is None and not journal.is_file():
            time.sleep(0.001)
        time.sleep(chance.random() * took_s / 4)
    else:
        time.sleep(chance.random() * took_s)
    process.send_signal(number)
    process.wait(PATIENCE_S)
