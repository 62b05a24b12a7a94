"""Faults of every kind between three members of etcd and four engines, judged from outside.

Each run resets the fleet, lets four engines trade, plays one fault, engages the fleet's switch
(where the kind does), heals the network, waits, and asks the auditor: was there an order without a
permit, did an engine come back by itself, and how long after the engagement, or after it was cut
off, did the last order of each engine leave.

    python tests/helpers/fleet_campaign.py --runs 500 [--seed 0] [--ttl 2] [--minutes 60]
"""

from __future__ import annotations

import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_audit import Verdict, allowed_until, judge, renewals_of
from fleet_cluster import MEMBERS, Cluster
from fleet_faults import CONNECTED, ENGINES, FLEET, KINDS, NEITHER, SILENT, Machine, Stage, boot_ns
from fleet_network import network
from fleet_playing import counted, kinds_of, options_of, play_kinds, problems_of


@dataclass
class Outcome:
    """What came of one run."""

    kind: str
    verdicts: list[Verdict]
    blocks: list[tuple[str, float]]
    """Of each engine: what it was, and how long after the kill, or the cut, its last order left."""
    problems: list[str]


class Campaign:
    """A network, a cluster and the processes, for any number of runs."""

    def __init__(self, folder: Path, seed: int, ttl_s: float, resources: ExitStack) -> None:
        self._folder = folder
        self._ttl_ns = round(ttl_s * 1e9)
        self._seed = seed
        net = resources.enter_context(network([*MEMBERS, *ENGINES, "op"]))
        self.cluster = Cluster(net, folder)
        resources.callback(self.cluster.close)
        self.cluster.mend()
        settings = {
            "fleet": FLEET,
            "backend": "etcd",
            "endpoints": self.cluster.urls,
            "ttl_ns": self._ttl_ns,
            "poll_ns": self._ttl_ns // 5,
        }
        self._network = net
        self._engines: dict[str, Machine] = {}
        for node in (*ENGINES, "op"):
            self._engines[node] = Machine(net, node, settings)
            resources.callback(self._engines[node].close)
        self._operator = self._engines.pop("op")
        self._floor = 0

    def run(self, number: int, kind: str) -> Outcome:
        """One run of a kind; its chances are those of the seed and the number."""
        chance = random.Random(f"{self._seed}:{number}:{kind}")
        stage = Stage(
            self._network, self.cluster, self._engines, self._operator, chance, self._ttl_ns / 1e9
        )
        self._operator.tell(do="reset", floor=self._floor)
        base = self._operator.answer()
        self._floor = base["epoch"]
        folder = self._folder / f"run{number}"
        for node, engine in self._engines.items():
            (folder / node).mkdir(parents=True)
            engine.tell(do="begin", folder=str(folder / node), token=f"{number}-{node}")
        problems = [
            f"{node} got no permit"
            for node, engine in self._engines.items()
            if not engine.answer()["began"]
        ]
        time.sleep(chance.uniform(0.2, 0.6))
        kills = KINDS[kind](stage)
        killed = self._kill(stage) if kills else {}
        self._wait_for_silence(stage)
        for engine in self._engines.values():
            engine.process.send_signal(signal.SIGCONT)
        self._network.heal()
        # Long enough for whoever would come back by itself.
        time.sleep(self._ttl_ns / 1e9 * 0.6)
        self.cluster.mend()
        ends = {}
        for engine in self._engines.values():
            engine.tell(do="end")
        for node, engine in self._engines.items():
            ends[node] = engine.answer()
        return self._judge(kind, stage, folder, number, base, killed, ends, problems)

    def _kill(self, stage: Stage) -> dict[str, Any]:
        self._operator.tell(do="kill", timeout_s=10.0)
        return self._operator.answer()

    def _wait_for_silence(self, stage: Stage) -> None:
        """Until every permit that was cut off has run out."""
        now_ns = boot_ns()
        until_ns = (stage.cut_ns or now_ns) + self._ttl_ns + 400_000_000
        if set(stage.roles.values()) != {NEITHER} or stage.cut_ns:
            until_ns = max(until_ns, now_ns + 200_000_000)
        else:
            until_ns = now_ns + self._ttl_ns + 400_000_000
        if stage.cut_ns or NEITHER in stage.roles.values():
            time.sleep(max(0.0, (until_ns - now_ns) / 1e9))

    def _judge(
        self,
        kind: str,
        stage: Stage,
        folder: Path,
        number: int,
        base: dict[str, Any],
        killed: dict[str, Any],
        ends: dict[str, Any],
        problems: list[str],
    ) -> Outcome:
        history = [] if stage.horizon_ns else self.cluster.history(base["position"])
        verdicts, blocks = [], []
        if kind not in ("quorum_lost",) and killed and not killed["engaged"]:
            problems.append(f"not engaged: {killed['problem']}")
        for node in ENGINES:
            token = f"{number}-{node}"
            lines = (folder / node / "orders").read_text().splitlines()
            if stage.horizon_ns:
                spans = [(0, stage.horizon_ns + self._ttl_ns)]
            else:
                renewals = renewals_of(history, FLEET, token, "SAFE")
                spans = allowed_until(renewals, self._ttl_ns)
            verdict = judge(token, lines, spans)
            verdicts.append(verdict)
            role = stage.roles.get(node, CONNECTED if killed else NEITHER)
            if killed and role == CONNECTED:
                blocks.append((role, (verdict.last_ns - killed["after_ns"]) / 1e9))
            elif role == SILENT:
                blocks.append((role, (verdict.last_ns - stage.cut_ns) / 1e9))
            expects_stop = killed or role == SILENT or kind in ("key_deleted", "wiped", "put_back")
            if expects_stop and ends[node]["state"] != "ENGAGED":
                problems.append(f"{node} ended {ends[node]['state']}: {ends[node]['why']}")
            if verdict.unpermitted:
                problems.append(f"{node}: {len(verdict.unpermitted)} orders without a permit")
            if verdict.unkills:
                problems.append(f"{node}: {verdict.unkills} orders after it was stopped")
            if not verdict.orders:
                problems.append(f"{node}: no order at all, so nothing was shown")
        found = killed.get("found", {})
        for node in ENGINES:
            progress = found.get(f"{number}-{node}")
            if killed.get("engaged") and progress not in ("STOPPED", "EXPIRED"):
                problems.append(f"the operator left {node} at {progress}")
        return Outcome(kind, verdicts, blocks, problems)


def tell(outcomes: Sequence[Outcome], ttl_s: float) -> list[str]:
    """The figures, a line each; and what is wrong with them."""
    lines, wrong = [], []
    for role, limit_s in ((CONNECTED, 1.0), (SILENT, ttl_s)):
        took = sorted(s for each in outcomes for kind, s in each.blocks if kind == role)
        if not took:
            continue
        p99 = took[min(len(took) - 1, round(0.99 * (len(took) - 1)))]
        lines.append(
            f"last order of {len(took)} engines that were {role}, after the "
            f"{'kill' if role == CONNECTED else 'cut'}: p50 {statistics.median(took):.3f} s, "
            f"p99 {p99:.3f} s, maximum {took[-1]:.3f} s"
        )
        if p99 >= limit_s:
            wrong.append(f"p99 of {role} engines is {p99:.3f} s, and the limit is {limit_s:g} s")
    orders = sum(verdict.orders for each in outcomes for verdict in each.verdicts)
    held = [late for each in outcomes for verdict in each.verdicts for late in verdict.held]
    kinds = {each.kind for each in outcomes}
    lines.append(
        f"{len(outcomes)} runs of {len(kinds)} kinds, {orders:,} orders, "
        f"{len(held)} that left after the permit under which they had passed their gate (at most "
        f"{max(held, default=0) / 1e6:.1f} ms after it)"
    )
    wrong += problems_of(outcomes)
    lines.append(f"by kind: {counted(each.kind for each in outcomes)}")
    print("\n".join(lines))
    return wrong


def play(
    folder: Path, kinds: Sequence[str], seed: int, ttl_s: float, minutes: float = 1e9
) -> list[Outcome]:
    """Run one of each of `kinds`, in this order, and begin none after so many minutes."""
    with ExitStack() as resources:
        campaign = Campaign(folder, seed, ttl_s, resources)
        return play_kinds(campaign.run, kinds, minutes)


def main() -> int:
    """Read the command line and play."""
    parser = options_of(__doc__, 500)
    options = parser.parse_args()
    kinds = kinds_of(options, KINDS)
    with tempfile.TemporaryDirectory(prefix="logos-fleet-") as folder:
        outcomes = play(Path(folder), kinds, options.seed, options.ttl, options.minutes)
    wrong = tell(outcomes, options.ttl)
    print("\n".join(wrong) or "nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
