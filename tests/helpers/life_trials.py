"""One trial of a whole life: a signal to `logos trade` at a random moment from exec to exit.

SIGUSR1 engages the kill switch whatever the command does at that moment: while it imports, reads
its data, trades, writes its last files or prints. What may come of it otherwise is that the
process had not begun (it dies of the signal and has left nothing), or that its session was over.
SIGTERM and SIGINT end the session in order, or leave what the next command finishes to the same
bytes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from cli_trials import TRADE, command, files_of, has_ended, next_command, session_folder, straight
from kill_helpers import read_journal

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker

SIGNALS = (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)
END_S = 60.0
"""How long a command may take to its end, on a busy machine."""


@dataclass
class Life:
    """What was sent, when, what came of it, and what was wrong with that (nothing, one hopes)."""

    name: str
    sent_s: float = 0.0
    came: str = ""
    """What the signal met: "not begun", "refused to start", "halted", "stopped" or "over"."""
    end_s: float = 0.0
    """From the signal to the end of the process."""
    orders_after: int = 0
    problems: list[str] = field(default_factory=list)


def run_life(seed: int) -> Life:
    """Run the command, send it one signal, and judge what is there then."""
    chance = Random(seed)
    number = SIGNALS[seed % len(SIGNALS)]
    _, took_s = straight()
    life = Life(f"{number.name}, seed {seed}")
    # The first third of a life is its start: half of the signals come there.
    life.sent_s = chance.random() * took_s * chance.choice((0.35, 1.1))
    with TemporaryDirectory() as folder:
        home = Path(folder)
        process = command(home, *TRADE, stderr=subprocess.PIPE)
        # A clock is the point here: the signal comes wherever the process happens to be.
        time.sleep(life.sent_s)
        process.send_signal(number)
        sent = time.monotonic()
        _, said = process.communicate(timeout=END_S)
        life.end_s = time.monotonic() - sent
        _judge(life, home, number, process.returncode, said.decode())
    return life


def _judge(life: Life, home: Path, number: signal.Signals, code: int, said: str) -> None:
    has_begun = (home / "state").exists() or session_folder(home).exists()
    is_over = has_ended(home) and code in (0, -number)
    if not has_begun and code in (-number, 1):
        life.came = "not begun"  # the interpreter itself had not come to our first line
        return
    if "Traceback" in said:
        life.problems.append(f"it said {said}")
    if number is signal.SIGUSR1:
        _judge_engagement(life, home, code, is_over)
        return
    if code != 0 and not is_over:
        life.problems.append(f"it ended with {code}: {said}")
    life.came = "over" if is_over else "stopped"
    if not is_over:
        _finish(life, home)


def _judge_engagement(life: Life, home: Path, code: int, is_over: bool) -> None:
    breaker = CircuitBreaker(home / "state" / "kill-switch")
    is_engaged = breaker.authority() is SwitchState.ENGAGED
    breaker.close()
    journal = session_folder(home) / "state.jsonl"
    if journal.is_file():
        life.orders_after = read_journal(session_folder(home)).orders_after_engagement
    if life.orders_after:
        life.problems.append(f"{life.orders_after} orders after the switch was seen")
    if is_over:
        life.came = "over"
    elif code == 4 and is_engaged:
        life.came = "halted" if journal.is_file() else "refused to start"
    else:
        life.problems.append(f"exit code {code}, {'engaged' if is_engaged else 'NOT ENGAGED'}")
    if is_engaged and command(home, *TRADE[:-2], "after", "--quiet").wait(END_S) != 4:
        life.problems.append("a session started after the engagement")


def _finish(life: Life, home: Path) -> None:
    """The next command finishes what was stopped, to the bytes of an uninterrupted one."""
    code = command(home, *next_command(home)).wait(END_S)
    if code:
        life.problems.append(f"the next command ended with {code}")
    elif files_of(home) != straight()[0]:
        life.problems.append("it came out differently")


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        print(run_life(number), flush=True)
