"""Random signals at random moments of a session's life, from exec to exit.

After SIGUSR1: the strategy is not asked again, no order is made, every start is refused until a
person resets the switch, and the journal is intact. After the others: the session is taken up again
until it has ended, and its files are those of the straight run, to the byte.
The moment is drawn from the seed; what the process is doing at that moment depends on the machine.
"""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from attack_box import SESSION, Box, Done, ended
from attack_damage import DESK, made
from attack_judge import Judge, bodies, order_ids

PACE_S = 0.015
SIGNALS = ("USR1", "TERM", "INT", "STOP", "KILL", "HUP")
LATEST_NS = 1_000_000_000  # after SIGUSR1 the strategy is asked no more; a busy machine is late
STARTS = 6  # as often is a session taken up again at most


@dataclass
class Life:
    """What became of one process: which signals reached it, and when the kill did."""

    sent: list[str] = field(default_factory=list)
    killed_ns: int = 0
    done: Done = field(default_factory=lambda: Done(0, ""))


def signal_trial(place: Path, seed: int, straight: dict[str, bytes]) -> list[str]:
    """One life with signals; `straight` is filled by the first trial, and used by the others."""
    rolled = random.Random(f"signals {seed}")
    if not straight:
        box = made(place / "straight")
        straight.update(box.files())
        shutil.rmtree(box.home)
    box = Box(place / f"signals-{seed}")
    shutil.copy(DESK, box.home / "desk.py")
    life = live(box, rolled)
    wrong = [f"{life.sent}: {each}" for each in judged(box, life, straight)]
    shutil.rmtree(box.home)
    return wrong


def live(box: Box, rolled: random.Random) -> Life:
    """Start the session and send it one to three signals."""
    life = Life()
    began = time.monotonic()
    # Half of the moments lie in the start: a process of Python needs a second for its imports.
    reach_s = rolled.choice((1.5, 5.0))
    moments = sorted(rolled.uniform(0, reach_s) for _ in range(rolled.choice((1, 1, 2, 3))))
    process = box.start(*box.trade(), pace_s=PACE_S)
    for moment in moments:
        name = rolled.choice(SIGNALS)
        pause_s = rolled.uniform(0.01, 0.6)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.001, moment - (time.monotonic() - began)))
        if process.poll() is not None:
            break
        process.send_signal(getattr(signal, f"SIG{name}"))
        if name == "STOP":
            time.sleep(pause_s)
            process.send_signal(signal.SIGCONT)
        if name == "USR1" and not life.killed_ns:
            life.killed_ns = time.monotonic_ns()
        life.sent.append(f"{name} at {time.monotonic() - began:.2f} s")
    life.done = ended(process)
    return life


def judged(box: Box, life: Life, straight: dict[str, bytes]) -> list[str]:
    """What is wrong after that life, in words."""
    done = life.done
    if done.hung:
        return ["the session did not end"]
    wrong = []
    if "Traceback" in done.said or "internal error" in done.said:
        wrong.append(f"it ended with {done.code}: {done.said[-400:]}")
    if life.killed_ns:
        return [*wrong, *after_the_kill(box, life)]
    return [*wrong, *taken_up(box, straight, life)]


def taken_up(box: Box, straight: dict[str, bytes], life: Life) -> list[str]:
    """Start it again until it has ended: the same bytes as without signals."""
    done = life.done
    for _ in range(STARTS):
        if (box.folder / "host.json").exists() and "ENDED" in last_status(box):
            break
        # Before the session has a folder there is nothing to resume, and it says so.
        words = ("resume", SESSION, "--quiet") if box.folder.exists() else box.trade()
        done = box.run(*words)
        if done.code != 0:
            return [f"`{words[0]}` ended with {done.code}: {done.said[-400:]}"]
    else:
        return [f"it has not ended after {STARTS} starts: {done}"]
    after = box.files()
    names = sorted(set(after) | set(straight))
    other = [each for each in names if after.get(each) != straight.get(each)]
    return [f"other bytes in {other}"] if other else []


def last_status(box: Box) -> str:
    """The status of the seal, "" where there is none."""
    records, _ = bodies(box.journal)
    return str(records[-1].get("status", "")) if records else ""


def after_the_kill(box: Box, life: Life) -> list[str]:
    """Nothing is asked, made or started after SIGUSR1; a person's reset opens it again."""
    wrong = []
    late = [each for each in asked(box) if each > life.killed_ns + LATEST_NS]
    if late:
        wrong.append(
            f"asked {len(late)} times, up to {(late[-1] - life.killed_ns) / 1e9:.1f} s after"
        )
    status = box.run("kill", "status")
    has_begun = box.folder.exists()
    if status.code == 0:
        # Python itself dies of the signal before the first line of logos runs; so does a process
        # that another signal has ended. Nothing of the session may be there then.
        if has_begun and not is_over(box, life):
            wrong.append(f"the switch is SAFE after SIGUSR1: {life.done}")
        return wrong
    if not has_begun:
        return wrong
    before = made_orders(box)
    again = box.run("resume", SESSION, "--quiet")
    if made_orders(box) != before:
        wrong.append(f"resume made orders while the switch was not SAFE: {again}")
    if again.code == 0 and "ENDED" not in last_status(box):
        wrong.append(f"resume ended with 0 while the switch was not SAFE: {again}")
    epoch = re.search(r"--epoch (\d+)", status.said)
    if epoch is None:
        return [*wrong, f"kill status names no way out: {status.said[-300:]}"]
    words = ("--by", "attack", "--reason", "over", "--epoch", epoch[1])
    reset = box.run("kill", "reset", *words)
    if reset.code != 0:
        return [*wrong, f"reset ended with {reset.code}: {reset.said[-300:]}"]
    return [*wrong, *afterwards(box)]


def is_over(box: Box, life: Life) -> bool:
    """Whether it had ended in order, or died of SIGKILL or SIGHUP, before it could hear."""
    return "ENDED" in last_status(box) or life.done.code in (-signal.SIGKILL, -signal.SIGHUP)


def afterwards(box: Box) -> list[str]:
    """After the reset the session goes on to its end, and is intact."""
    wrong = []
    if last_status(box) in ("", "STOPPED"):
        done = box.run("resume", SESSION, "--quiet")
        if done.code not in (0, 4):
            wrong.append(f"resume after the reset ended with {done.code}: {done.said[-400:]}")
    records, damage = bodies(box.journal)
    breaches = Judge(box.bars).judge(records)
    verdict = box.run("verify", SESSION)
    if breaches or damage or verdict.code != 0:
        wrong.append(f"verify ended with {verdict.code}: {verdict.said[-400:]} {damage} {breaches}")
    return wrong


def asked(box: Box) -> list[int]:
    """When the strategy was asked, by the machine's monotonic clock, ns."""
    calls = box.home / "calls"
    return [int(each) for each in calls.read_text().split()] if calls.exists() else []


def made_orders(box: Box) -> list[int]:
    """The numbers of the orders in the journal."""
    return order_ids(bodies(box.journal)[0]) if box.journal.exists() else []
