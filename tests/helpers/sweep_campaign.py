"""200 sessions on two workers, five workers killed at random, a kill switch thrown: nothing is lost
or doubled, every row has the bytes of the same session alone; and how long it takes against a loop.

    python tests/helpers/sweep_campaign.py [SESSIONS] [SEED]
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from sweep_helpers import make_market, make_sweep, settings

from logos.config import make_config
from logos.files import disposable
from logos.killswitch.breaker import CircuitBreaker
from logos.session import run as run_session
from logos.sweeps.finish import write_all
from logos.sweeps.lanes import ProcessLanes
from logos.sweeps.outcome import artifact_hash
from logos.sweeps.prepare import Wish
from logos.sweeps.run import Watch, run_sweep

KILLS = 5


def workers() -> list[int]:
    """The worker processes of this one, whichever thread started them."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text(encoding="ascii").split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            if b"spawn_main" in command:
                found.append(int(pid))
    return found


def spent() -> float:
    """Seconds of processor time, this process and its ended children."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def main(sessions: int = 200, seed: int = 1) -> int:
    """Run it; returns the exit code."""
    place = Path(tempfile.mkdtemp(prefix="logos-sweep-"))
    os.environ["LOGOS_REGISTRY"] = str(place / "registry")
    market, home = place / "market", place / "home"
    make_market(market)
    parts = -(-sessions // 10)
    wish = Wish(params={"length": "2..11", "quantity": f"1..{parts}"}, by="net")
    folder = make_sweep(market, home, wish)
    generator = random.Random(seed)
    total = parts * 10
    kill_at = set(generator.sample(range(2, total - 2), KILLS))
    throw_at = generator.randrange(total // 3, 2 * total // 3)
    print(f"{total} sessions, kills after {sorted(kill_at)}, the switch after {throw_at}")
    switch = CircuitBreaker(home / "state" / "kill-switch")
    killed = 0
    thrown = False

    def watch(done: int, _of: int) -> None:
        nonlocal killed, thrown
        if done in kill_at:
            kill_at.discard(done)
            os.kill(generator.choice(workers()), signal.SIGKILL)
            killed += 1
        if done >= throw_at and not thrown:
            thrown = True
            switch.engage("thrown by the campaign", "campaign")

    began_s, began_cpu = time.monotonic(), spent()
    stopped = run_sweep(folder, ProcessLanes(2), Watch(watch))
    print(f"stopped at {len(stopped.outcomes)}: {stopped.stopped}")
    assert stopped.by_switch
    assert len(stopped.outcomes) - throw_at <= 2
    switch.reset("it goes on", "campaign", switch.epoch)
    finished = run_sweep(folder, ProcessLanes(2), Watch(watch))
    swept_s, swept_cpu = time.monotonic() - began_s, spent() - began_cpu
    write_all(finished)
    lines = (folder / "results.jsonl").read_bytes().splitlines()
    rows = [each.row for each in finished.outcomes]
    assert rows == list(range(1, total + 1)), "a row is lost or doubled"
    assert len(lines) == total, "an outcome was written twice"
    assert killed == KILLS
    assert finished.same is True
    began_s, began_cpu = time.monotonic(), spent()
    differ = 0
    with disposable():
        for each in finished.outcomes:
            tables = settings(market)
            tables["strategy"]["params"] = each.trial.params
            tables["session"] = {"id": each.trial.session_id}
            alone = run_session(make_config(tables), home=place / "loop", tell=lambda _text: None)
            differ += artifact_hash(alone.folder) != each.artifact_hash
    loop_s, loop_cpu = time.monotonic() - began_s, spent() - began_cpu
    print(f"rows whose bytes differ from the same session alone: {differ}")
    print(f"{killed} workers killed; wall: sweep {swept_s:.1f} s, plain loop {loop_s:.1f} s, ratio "
          f"{swept_s / loop_s:.2f}; processor: {swept_cpu:.1f} s and {loop_cpu:.1f} s, ratio "
          f"{swept_cpu / loop_cpu:.2f}")  # fmt: skip
    shutil.rmtree(place)
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main(*(int(each) for each in sys.argv[1:])))
