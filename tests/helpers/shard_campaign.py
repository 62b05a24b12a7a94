"""Faults of every kind to the owners of four shards, judged from outside.

Each run begins four owners with three members of etcd, in network namespaces; two standbys, of
which one wants the shard that the fault hits from the first moment on and the other a shard that is
well; and an operator who moves budgets between the shards without pause. After the fault and the
takeover everything is healed and goes on, the former owner too, and the auditor is asked: was there
an order of a claim after a newer one, did the shards together hold more than the total, when did
the new owner's first order leave.

    python tests/helpers/shard_campaign.py --runs 2000 [--seed 0] [--ttl 2] [--minutes 60]
"""

from __future__ import annotations

import random
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fleet_cluster import MEMBERS, Cluster
from fleet_faults import ENGINES, FLEET, Machine
from fleet_network import network
from fleet_playing import counted, kinds_of, options_of, play_kinds, problems_of
from shard_audit import Book, Verdict, judge_run, read_book
from shard_faults import SHARD_KINDS, STANDBYS, ShardStage, mark
from waiting import wait_until

TOTAL: Final = 1000
PROGRAM: Final = Path(__file__).with_name("shard_engine.py")


@dataclass
class Outcome:
    """What came of one run."""

    kind: str
    verdict: Verdict
    took_s: float
    """From the fault to the first order of the next owner; below 0: there was none."""
    problems: list[str]


class ShardCampaign:
    """A network, a cluster and the processes, for any number of runs."""

    def __init__(
        self, folder: Path, seed: int, ttl_s: float, stop_s: float, resources: ExitStack
    ) -> None:
        self._folder = folder
        self._ttl_ns = round(ttl_s * 1e9)
        self._stop_s = stop_s
        self._seed = seed
        self._net = resources.enter_context(network([*MEMBERS, *ENGINES, *STANDBYS, "op"]))
        self.cluster = Cluster(self._net, folder)
        resources.callback(self.cluster.close)
        self.cluster.mend()
        self._settings = {
            "fleet": FLEET,
            "backend": "etcd",
            "endpoints": self.cluster.urls,
            "ttl_ns": self._ttl_ns,
            "poll_ns": self._ttl_ns // 5,
        }
        self._machines = {node: self._machine(node) for node in (*ENGINES, *STANDBYS)}
        self._operator = self._machine("op")
        resources.callback(self._close)
        self._floor = 0

    def _machine(self, node: str) -> Machine:
        return Machine(self._net, node, self._settings, PROGRAM)

    def _close(self) -> None:
        for machine in (*self._machines.values(), self._operator):
            machine.close()

    def run(self, number: int, kind: str) -> Outcome:
        """One run of a kind; its chances are those of the seed and the number."""
        chance = random.Random(f"{self._seed}:{number}:{kind}")
        target, well = chance.sample(ENGINES, 2)
        shards = {node: f"{number}-s{place}" for place, node in enumerate(ENGINES)}
        stage = ShardStage(
            self._net, self.cluster, self._machines, chance, self._ttl_ns / 1e9, target
        )
        self._operator.tell(do="reset", floor=self._floor)
        base = self._operator.answer()
        self._floor = base["epoch"]
        moving = {"total": TOTAL, "shards": sorted(shards.values()), "seed": f"{number}"}
        self._operator.tell(do="move", **moving)
        self._operator.answer()
        lease_s = -(-(self._ttl_ns + 2_000_000_000) // 1_000_000_000)
        wait_s = 2 * lease_s + 6 + self._stop_s
        problems = []
        for node in ENGINES:
            self._begin(node, shards[node], number, wait_s)
        for node in ENGINES:
            if not (answer := self._machines[node].answer())["began"]:
                problems.append(f"{node} did not begin: {answer['why']}")
        self._begin("b0", shards[target], number, wait_s)
        self._begin("b1", shards[well], number, 1.5)
        ordering = [
            self._folder / f"run{number}" / shard / "000001.book" for shard in shards.values()
        ]
        try:
            wait_until(
                lambda: all("\nO " in book.read_text() for book in ordering), "every owner's order"
            )
        except AssertionError:
            return Outcome(kind, Verdict(), -1.0, problems + self._why_silent(ordering))
        time.sleep(chance.uniform(0.1, 0.7))
        expects = mark(stage, SHARD_KINDS[kind])
        taken = self._await_takeover(stage, expects, wait_s)
        if expects and not taken:
            problems.append("nobody took the shard over")
        time.sleep(chance.uniform(0.2, 0.5))
        stage.go_on()
        self._net.heal()
        self.cluster.mend()
        # Long enough for whoever would come back by itself.
        time.sleep(0.4)
        return self._end(stage, number, kind, shards, base, expects, problems)

    def _why_silent(self, books: Sequence[Path]) -> list[str]:
        """What each owner without an order says, before the fault; all processes begin anew."""
        found = []
        for node, book in zip(ENGINES, books, strict=True):
            if not book.exists() or "\nO " not in book.read_text():
                self._machines[node].tell(do="end")
                answer = self._machines[node].answer()
                found.append(f"not played, {node} had no order: {answer['state']} {answer['why']}")
        self._close()
        self._machines = {node: self._machine(node) for node in (*ENGINES, *STANDBYS)}
        self._operator = self._machine("op")
        return found

    def _begin(self, node: str, shard: str, number: int, wait_s: float) -> None:
        folder = self._folder / f"run{number}" / shard
        folder.mkdir(parents=True, exist_ok=True)
        self._machines[node].tell(
            do="begin", folder=str(folder), token=f"{number}-{node}", shard=shard, wait_s=wait_s
        )

    def _await_takeover(self, stage: ShardStage, expects: bool, wait_s: float) -> bool:
        """Wait for the standby where it is to have the shard; and as long as stops last."""
        if stage.target not in stage.killed:
            time.sleep(self._stop_s)
        if not expects:
            time.sleep(0.3)
            return False
        output = self._machines["b0"].process.stdout
        assert output is not None
        if not select.select([output], [], [], wait_s)[0]:
            return False
        return bool(self._machines["b0"].answer()["began"])

    def _end(
        self,
        stage: ShardStage,
        number: int,
        kind: str,
        shards: dict[str, str],
        base: dict[str, Any],
        expects: bool,
        problems: list[str],
    ) -> Outcome:
        self._operator.tell(do="still")
        moves = self._operator.answer()["moves"]
        if kind == "nothing" and not moves:
            problems.append("no budget was moved")
        # A standby that still waits is not waited for; its process is replaced.
        for node in STANDBYS:
            if self._is_waiting(node, expects):
                stage.kill(node)
        alive = [node for node in self._machines if node not in stage.killed]
        for node in alive:
            self._machines[node].tell(do="end")
        for node in alive:
            self._machines[node].answer()
        for node in stage.killed:
            self._machines[node].close()
            self._machines[node] = self._machine(node)
        books = self._books(number)
        history = self.cluster.history(base["position"])
        verdict = judge_run(books, history, FLEET, TOTAL, self._ttl_ns)
        wanted = shards[stage.target]
        first = [
            order.sent_ns
            for book in books
            if book.shard == wanted and book.begun_ns > stage.cut_ns
            for order in book.orders[:1]
        ]
        took_s = (min(first) - stage.cut_ns) / 1e9 if first else -1.0
        if expects and took_s < 0:
            problems.append("the next owner sent no order")
        return Outcome(kind, verdict, took_s, problems + verdict.problems)

    def _is_waiting(self, node: str, expects: bool) -> bool:
        """Whether a standby has not answered yet; of one that has, the answer is taken."""
        if node == "b0" and expects:
            return False  # it was waited for
        machine = self._machines[node]
        assert machine.process.stdout is not None
        if not select.select([machine.process.stdout], [], [], 0)[0]:
            return True
        machine.answer()
        return False

    def _books(self, number: int) -> list[Book]:
        found = []
        for path in sorted((self._folder / f"run{number}").glob("*/*.book")):
            book = read_book(path.parent.name, path.read_text())
            if book is not None:
                found.append(book)
        return found


def tell(outcomes: Sequence[Outcome], ttl_s: float) -> list[str]:
    """Print the figures, a line each; what is wrong with them."""
    took = sorted(each.took_s for each in outcomes if each.took_s >= 0)
    verdicts = [each.verdict for each in outcomes]
    kinds = {each.kind for each in outcomes}
    orders = sum(each.orders for each in verdicts)
    held = [late for each in verdicts for late in each.held]
    late = [each for verdict in verdicts for each in verdict.late]
    print(
        f"{len(outcomes)} runs of {len(kinds)} kinds, {orders:,} orders of "
        f"{sum(each.claims for each in verdicts)} claims; the shards held at most "
        f"{max((each.peak for each in verdicts), default=0)} together, the limit is {TOTAL}; "
        f"{sum(each.ledger_changes for each in verdicts):,} changes of the ledger, which granted "
        f"at most {max((each.ledger_peak for each in verdicts), default=0)}"
    )
    print(
        f"{len(held)} orders left after the permit under which they had passed their gate (at most "
        f"{max(held, default=0) / 1e6:.1f} ms after it), {len(late)} of them after a newer claim"
    )
    print(f"by kind: {counted(each.kind for each in outcomes)}")
    if took:
        p99 = took[min(len(took) - 1, round(0.99 * (len(took) - 1)))]
        print(
            f"from the fault to the first order of the next owner, {len(took)} takeovers with "
            f"permits of {ttl_s:g} s: p50 {statistics.median(took):.2f} s, p99 {p99:.2f} s, "
            f"maximum {took[-1]:.2f} s"
        )
    return problems_of(outcomes)


def play(
    folder: Path,
    kinds: Sequence[str],
    seed: int,
    ttl_s: float,
    stop_s: float = 0.0,
    minutes: float = 1e9,
) -> list[Outcome]:
    """Run one of each of `kinds`, in this order, and begin none after so many minutes."""
    with ExitStack() as resources:
        campaign = ShardCampaign(folder, seed, ttl_s, stop_s, resources)
        return play_kinds(campaign.run, kinds, minutes)


def main() -> int:
    """Read the command line and play."""
    parser = options_of(__doc__, 2000)
    parser.add_argument("--stop", type=float, default=0.0, help="faults last so long, seconds")
    options = parser.parse_args()
    kinds = kinds_of(options, SHARD_KINDS)
    with tempfile.TemporaryDirectory(prefix="logos-shards-") as folder:
        outcomes = play(
            Path(folder), kinds, options.seed, options.ttl, options.stop, options.minutes
        )
    wrong = tell(outcomes, options.ttl)
    print("\n".join(wrong) or "nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
