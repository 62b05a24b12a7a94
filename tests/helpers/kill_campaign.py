"""The long rehearsal of the kill switch: engagements at random moments, and restarts after them.

Problem: whether an order can slip out is a question of microseconds between processes; it takes
many trials at many moments, and a clock that all of them share.

Engagements. A session in a process of its own orders on every tick as fast as it can. At a random
tick the switch is thrown from another process: by `logos kill`, by a bare touch of the marker, by
SIGUSR1, or by a guard that trips in another session. Every answer of gate 2 is timed. A gate that
was asked after the engagement held (the command's engage() or the touch had returned; for SIGUSR1,
engage() in the session) and said SAFE is a failure, and so is any order in the journal after the
first sign of the switch, an order that never ended, or a session that ended in another way than
HALTED (`halt`) or blocked to the end of its data (`block`).

From the signal. An order that gate 2 let pass later than `SIGNAL_BOUND_S` after SIGUSR1 was sent is
a failure too, whenever the session's own engage() returned; the table below counts every way from
its beginning, so SIGUSR1 from the signal.

Lives. `logos trade` gets a signal at a random moment from exec to exit; see life_trials.py.

Restarts. After an engagement the session ends by itself or by SIGKILL; then files are lost, or
come back from an older copy; then a session and `logos trade` start. Nothing may be ordered, and
the start is refused with exit code 4 and the command that would clear the switch.

Run: make kill-campaign   (python tests/helpers/kill_campaign.py [--engagements N] [--restarts N]
                           [--lives N])
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from kill_helpers import Engager, Session, kill_marker, logos, read_journal
from life_trials import Life, run_life
from places import PROJECT
from registry_box import use_registry
from tqdm import tqdm
from which_core import core_words

Result = TypeVar("Result")

WAYS = ("command", "touch", "signal", "guard")
ANNOUNCE_MAX = 5_000
SIGNAL_BOUND_S = 1.0
BUNDLED = ("--strategy", "sma_cross", "--symbols", "ACME", "--accept", "gap", "--quiet")


@dataclass
class Trial:
    """One trial: what was done, what was seen, and what was wrong with it (nothing, one hopes)."""

    name: str
    orders: int = 0
    late_orders: int = 0
    """Orders whose gate was asked after the engagement held."""
    last_order_ns: int = 0
    """From the beginning of the engagement to the last order that passed; 0: none passed."""
    problems: list[str] = field(default_factory=list)


def run_engagement(seed: int) -> Trial:
    """One session, stopped at one random moment in one random way."""
    generator = random.Random(seed)
    way = WAYS[seed % len(WAYS)]
    on_engaged = generator.choice(("halt", "block"))
    announce_at = generator.randint(1, ANNOUNCE_MAX)
    trial = Trial(f"{way}, {on_engaged}, seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Session(home, on_engaged=on_engaged, announce_at=announce_at) as session:
            session.wait_for_go()
            engager = Engager(home, way)
            engager.engage(session)
            ended = session.end()
            engagement = engager.finish(session)
            trial.problems += engagement.problems
            expected = ("HALTED", 4) if on_engaged == "halt" else ("ENDED", 0)
            if (ended.result.get("status"), ended.exit_code) != expected:
                trial.problems.append(f"it ended with {ended}")
            elif ended.result["switch"] != "ENGAGED" or not ended.result["blocked"]:
                trial.problems.append(f"it was not blocked: {ended.result}")
            gates = session.gates
            trial.late_orders = sum(asked > engagement.holds_ns for asked in gates.asked_ns)
            if gates.answered_ns:
                trial.last_order_ns = max(0, gates.answered_ns[-1] - engagement.began_ns)
            if way == "signal" and trial.last_order_ns > SIGNAL_BOUND_S * 1e9:
                seconds = trial.last_order_ns / 1e9
                trial.problems.append(f"an order {seconds:.3f} s after the signal was sent")
            _check_journal(session, trial, len(gates.asked_ns), announce_at)
    if trial.late_orders:
        trial.problems.append(f"{trial.late_orders} orders after the engagement held")
    return trial


def _check_journal(session: Session, trial: Trial, gates: int, announce_at: int) -> None:
    journal = read_journal(session.folder)
    trial.orders = len(journal.of("order"))
    if trial.orders != gates:
        trial.problems.append(f"{gates} gates passed, {trial.orders} orders in the journal")
    if trial.orders < announce_at - 1:
        trial.problems.append(f"only {trial.orders} orders before tick {announce_at}")
    if journal.orders_after_engagement:
        trial.problems.append(f"{journal.orders_after_engagement} orders after the switch was seen")
    if journal.open_orders:
        trial.problems.append(f"{journal.open_orders} orders never ended")
    if journal.torn or journal.bodies[-1]["kind"] != "sealed":
        trial.problems.append("the journal has no seal")


# ---- restarts ----


def _nothing(session: Session, copy: Path) -> None:
    """A plain restart."""


def _marker_removed(session: Session, copy: Path) -> None:
    kill_marker(session.home).unlink()


def _snapshot_deleted(session: Session, copy: Path) -> None:
    (session.folder / "state.json").unlink(missing_ok=True)


def _session_deleted(session: Session, copy: Path) -> None:
    shutil.rmtree(session.folder)


def _state_restored(session: Session, copy: Path) -> None:
    shutil.rmtree(session.home / "state")
    shutil.copytree(copy, session.home / "state")


LOSSES: dict[str, Callable[[Session, Path], None]] = {
    "nothing lost": _nothing,
    "marker removed": _marker_removed,
    "snapshot deleted": _snapshot_deleted,
    "session deleted": _session_deleted,
    "state folder restored from an older copy": _state_restored,
}
ENDS = ("clean", "SIGKILL")


def run_restart(seed: int) -> Trial:
    """One session, stopped for good, and the attempts to start again after it."""
    generator = random.Random(seed)
    names = list(LOSSES)
    loss = names[seed % len(names)]
    end = ENDS[seed // len(names) % len(ENDS)]
    way = WAYS[seed // (len(names) * len(ENDS)) % len(WAYS)]
    trial = Trial(f"{loss}, {end}, {way}, seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        copy = Path(folder) / "copy"
        on_engaged = "halt" if end == "clean" else "block"
        announce_at = generator.randint(1, ANNOUNCE_MAX)
        with Session(home, on_engaged=on_engaged, announce_at=announce_at) as session:
            session.wait_for_go()
            shutil.copytree(home / "state", copy)
            engager = Engager(home, way, timeout_s=1)
            engager.engage(session)
            # A touch that nobody has written down yet is gone with its marker: not what is tried.
            is_seen_first = end == "clean" or way != "touch" or loss != "nothing lost"
            if is_seen_first:
                session.wait_until_blocked()
                session.wait_until_recorded()
            session.kill() if end == "SIGKILL" else session.end()
            engager.finish(session) if is_seen_first and end == "clean" else engager.stop()
            LOSSES[loss](session, copy)
            _try_to_start(home, trial)
    return trial


def _try_to_start(home: Path, trial: Trial) -> None:
    """A session and the command: refused both, with the way out, and nothing is ordered."""
    with Session(home, "again", restart=True) as again:
        ended = again.end()
        passed = len(again.gates.asked_ns)
    said = logos(home, "trade", *BUNDLED, "--data", str(PROJECT / "data" / "cache"))
    clear = rf"LOGOS_HOME={re.escape(str(home))} logos kill reset .*--epoch \d+"
    for code, words in ((ended.exit_code, ended.err), (said.returncode, said.stderr)):
        if code != 4:
            trial.problems.append(f"the start was not refused: exit code {code}: {words}")
        elif not re.search(clear, words):
            trial.problems.append(f"no command that clears it: {words}")
    trial.late_orders = passed
    if passed:
        trial.problems.append(f"{passed} orders after the restart")
    if (home / "runs" / "live" / "sessions" / "again").exists():
        trial.problems.append("the refused session left a folder")


# ---- the campaign ----


def _report(title: str, trials: list[Trial]) -> list[str]:
    lines = [
        f"{title}: {len(trials)} trials, {sum(trial.orders for trial in trials):,} orders before, "
        f"{sum(trial.late_orders for trial in trials)} after, "
        f"{sum(bool(trial.problems) for trial in trials)} trials with problems"
    ]
    lines += [f"  {trial.name}: {problem}" for trial in trials for problem in trial.problems]
    return lines


def _latencies(trials: Iterable[Trial]) -> list[str]:
    """From the beginning of the engagement to the last order that passed, by way."""
    by_way: dict[str, list[int]] = {}
    for trial in trials:
        by_way.setdefault(trial.name.split(",")[0], []).append(trial.last_order_ns)
        by_way.setdefault("all", []).append(trial.last_order_ns)
    lines = ["engagement to the last possible order, microseconds:"]
    for way, values in sorted(by_way.items()):
        ordered = sorted(values)
        p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        lines.append(
            f"  {way:<8} {len(values):>5} trials   p50 {statistics.median(ordered) / 1e3:>8,.0f}"
            f"   p99 {p99 / 1e3:>8,.0f}   max {ordered[-1] / 1e3:>8,.0f}"
        )
    return lines


def _report_lives(lives: list[Life]) -> list[str]:
    """What the signals met, by signal, and how long the process took to end after them."""
    lines = [
        f"lives: {len(lives)} signals from exec to exit, "
        f"{sum(life.orders_after for life in lives)} orders after, "
        f"{sum(bool(life.problems) for life in lives)} lives with problems"
    ]
    met = Counter((life.name.split(",")[0], life.came or "a problem") for life in lives)
    for (number, came), count in sorted(met.items()):
        lines.append(f"  {number:<8} {came:<17} {count:>5}")
    if lives:
        lines.append(f"  the longest end took {max(life.end_s for life in lives):.1f} s")
    lines += [f"  {life.name}: {problem}" for life in lives for problem in life.problems]
    return lines


def _run(trial: Callable[[int], Result], seeds: range) -> Iterator[Result]:
    for seed in tqdm(seeds, unit=" trials", disable=None, leave=False):
        yield trial(seed)


def main() -> int:
    """Run the campaign and print its report; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engagements", type=int, default=1_000)
    parser.add_argument("--restarts", type=int, default=200)
    parser.add_argument("--lives", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first trial")
    parser.add_argument("--report", type=Path, help="also write the report here")
    options = parser.parse_args()
    most = max(options.engagements, options.restarts, options.lives)
    seeds = range(options.seed, options.seed + most)
    began = time.monotonic()
    engagements = list(_run(run_engagement, seeds[: options.engagements]))
    restarts = list(_run(run_restart, seeds[: options.restarts]))
    lives = list(_run(run_life, seeds[: options.lives]))
    lines = _report("engagements", engagements)
    lines += _latencies(engagements) if engagements else []
    lines += _report("restarts", restarts)
    kinds = Counter(trial.name.split(",")[0] for trial in restarts)
    lines += [f"  {kind}: {count}" for kind, count in kinds.items()]
    lines += _report_lives(lives)
    lines.append(core_words())
    lines.append(f"took {time.monotonic() - began:,.0f} s, seeds from {options.seed}")
    report = "\n".join(lines)
    print(report)
    if options.report:
        options.report.write_text(report + "\n", encoding="utf-8")
    problems = [each.problems for each in (*engagements, *restarts)]
    problems += [life.problems for life in lives]
    return 1 if any(problems) else 0


if __name__ == "__main__":
    with use_registry():
        sys.exit(main())
