"""One trial: a real process is killed, again and again, then the session is finished.

Half of the kills come at a file operation, chosen by its number, in the middle of writes; the
other half at any instant, by the clock. What is there in the end must be, byte for byte, what an
uninterrupted run leaves, and `replay` must agree.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from crash_helpers import operations_of, truth
from crash_process import FINISHED, NOT_NEEDED, epoch_of, start
from crash_sessions import STORIES, first_difference, replay

KILLS_MAX = 4
RUN_S_MAX = 0.25
"""Longer than a process takes, so that some kills come late and some too late."""
PATIENCE_S = 300
"""How long a process may take on a machine that has much else to do."""


@dataclass
class Trial:
    """What was done and what was wrong with it (nothing, one hopes)."""

    seed: int
    name: str
    kills: int = 0
    problems: list[str] = field(default_factory=list)


def run_trial(seed: int, *, with_replay: bool = True) -> Trial:
    """Kill one session up to KILLS_MAX times, and finish it."""
    chance = Random(seed)
    trial = Trial(seed, chance.choice(list(STORIES)))
    with TemporaryDirectory() as folder:
        home = Path(folder)
        for _ in range(chance.randint(1, KILLS_MAX)):
            if chance.random() < 0.5:
                number = chance.randint(1, operations_of(trial.name))
                process = start(trial.name, home, number, chance.choice((0.3, 0.7)))
            else:
                process = start(trial.name, home)
                # A clock is the point here: the kill comes wherever the process happens to be.
                time.sleep(chance.random() * RUN_S_MAX)
                process.kill()
            process.join(PATIENCE_S)
            if process.exitcode == -signal.SIGKILL:
                trial.kills += 1
            elif process.exitcode not in (FINISHED, NOT_NEEDED):
                trial.problems.append(f"the process ended with {process.exitcode}")
        last = start(trial.name, home)
        last.join(PATIENCE_S)
        if last.exitcode not in (FINISHED, NOT_NEEDED):
            trial.problems.append(f"the last process ended with {last.exitcode}")
        # Each engagement that the journal does not know was cleared: the next one's epoch is later.
        difference = first_difference(home, truth(trial.name, epoch_of(home)))
        if difference:
            trial.problems.append(difference)
        elif with_replay:
            replay(STORIES[trial.name], home)
    return trial
