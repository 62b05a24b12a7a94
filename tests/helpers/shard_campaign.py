"""Faults of every kind to the owners of four shards, judged from outside.

Each run begins four owners with three members of etcd, in network namespaces; two standbys, of
which one wants the shard that the fault hits from the first moment on and the other a shard that is
well; and an operator who moves budgets between the shards without pause. After the fault and the
takeover everything is healed and goes on, the former owner too, and the auditor is asked: was there
an order of a claim after a newer one, did the shards together hold more than the total, when did
the new owner's first order leave.

A run mostly waits, for permits and leases to end. So many worlds are played side by side, each with
namespaces, members, machines and addresses of its own. A run that showed nothing (no order before
the fault, a permit that ended before the next owner's first order, a cluster without a leader)
is void, counted, and told with its reason.

    python tests/helpers/shard_campaign.py --runs 2000 [--seed 0] [--ttl 2] [--minutes 60]
        [--worlds 8]
"""

from __future__ import annotations

import random
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fleet_cluster import MEMBERS, Cluster
from fleet_faults import ENDED, ENGINES, FLEET, Machine
from fleet_network import network
from fleet_playing import counted, kinds_of, options_of, play_worlds, problems_of
from shard_audit import Book, Verdict, judge_run, read_book
from shard_faults import SHARD_KINDS, STANDBYS, ShardStage, mark
from waiting import wait_until

TOTAL: Final = 1000
PROGRAM: Final = Path(__file__).with_name("shard_engine.py")
PACE_S: Final = 0.02
"""Between two orders of an owner: what comes after its permit is seen by so much. Far below the
time that a fault lasts, and slow enough for many worlds on one machine."""
VOID_MAX: Final = 0.1
"""The part of the runs that may be void: above it a campaign has shown too little."""


@dataclass
class Outcome:
    """What came of one run."""

    kind: str
    verdict: Verdict
    took_s: float
    """From a fault that takes the shard from its owner to the first order of the next one; below 0:
    there was none, or the fault is of another kind."""
    problems: list[str]
    """What may not be."""
    void: list[str] = field(default_factory=list)
    """Why the run did not show what it was to show."""


@dataclass(frozen=True)
class Terms:
    """Of a whole campaign. Seconds."""

    folder: Path
    seed: int
    ttl_s: float
    stop_s: float = 0.0


class ShardWorld:
    """A network, a cluster and the processes, for any number of runs."""

    def __init__(self, terms: Terms, name: str, resources: ExitStack) -> None:
        self._folder = terms.folder / name
        self._folder.mkdir()
        self._ttl_ns = round(terms.ttl_s * 1e9)
        self._stop_s = terms.stop_s
        self._seed = terms.seed
        nodes = [*MEMBERS, *ENGINES, *STANDBYS, "op"]
        self._net = resources.enter_context(network(nodes, name))
        self.cluster = Cluster(self._net, self._folder)
        resources.callback(self.cluster.close)
        self.cluster.mend()
        self._settings = {
            "fleet": FLEET,
            "backend": "etcd",
            "endpoints": self.cluster.urls,
            "ttl_ns": self._ttl_ns,
            "poll_ns": self._ttl_ns // 5,
            "pace_s": PACE_S,
        }
        self._machines: dict[str, Machine] = {}
        resources.callback(self._close)
        for node in (*ENGINES, *STANDBYS):
            self._machines[node] = self._machine(node)
        self._operator = self._machine("op")
        resources.callback(self._operator.close)
        self._floor = 0

    def _machine(self, node: str) -> Machine:
        return Machine(self._net, node, self._settings, PROGRAM)

    def _close(self) -> None:
        for machine in self._machines.values():
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
        outcome = Outcome(kind, Verdict(), -1.0, [])
        for node in ENGINES:
            self._begin(node, shards[node], number, wait_s)
        for node in ENGINES:
            answer = self._machines[node].answer()
            assert answer["began"], f"{node} did not begin: {answer['why']}"
        self._begin("b0", shards[target], number, wait_s)
        self._begin("b1", shards[well], number, 1.5)
        ordering = {
            node: self._folder / f"run{number}" / shard / "000001.book"
            for node, shard in shards.items()
        }
        self._await_orders(ordering)
        time.sleep(chance.uniform(0.1, 0.7))
        expects = mark(stage, SHARD_KINDS[kind])
        taken = self._await_takeover(stage, expects, wait_s)
        time.sleep(chance.uniform(0.2, 0.5))
        stage.go_on()
        self._net.heal()
        self.cluster.mend()
        # Long enough for whoever would come back by itself.
        time.sleep(0.4)
        return self._end(stage, number, shards, base, expects, taken, outcome)

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
        answer = self._machines["b0"].answer()
        assert answer["began"], f"the next owner did not begin: {answer['why']}"
        return True

    def _await_orders(self, books: dict[str, Path]) -> None:
        """Until every owner has ordered; raises AssertionError with why one does not."""
        for node, book in books.items():
            try:
                wait_until(
                    lambda book=book: "\nO " in book.read_text(),  # type: ignore[misc]
                    f"an order of {node}",
                    3 * self._ttl_ns / 1e9,
                )
            except AssertionError as error:
                self._machines[node].tell(do="end")
                raise AssertionError(f"{error}: {said(self._machines[node].answer())}") from None

    def _end(
        self,
        stage: ShardStage,
        number: int,
        shards: dict[str, str],
        base: dict[str, Any],
        expects: bool,
        taken: bool,
        outcome: Outcome,
    ) -> Outcome:
        """End everybody, and judge."""
        self._operator.tell(do="still")
        moves = self._operator.answer()["moves"]
        if outcome.kind == "nothing" and not moves:
            outcome.void.append("no budget was moved")
        ends = self._end_machines(stage, has_answered=expects and taken)
        books = self._books(number)
        history = self.cluster.history(base["position"])
        outcome.verdict = judge_run(books, history, FLEET, TOTAL, self._ttl_ns)
        outcome.problems += outcome.verdict.problems
        wanted = shards[stage.target]
        first = [
            order.sent_ns
            for book in books
            if book.shard == wanted and book.begun_ns > stage.cut_ns
            for order in book.orders[:1]
        ]
        if expects and first:  # elsewhere an owner may have given its shard back
            outcome.took_s = (min(first) - stage.cut_ns) / 1e9
        if expects and not first:
            what = "ordered nothing" if taken else "did not get the shard in time"
            outcome.void.append(f"the next owner {what}: {said(ends['b0'])}")
        return outcome

    def _end_machines(self, stage: ShardStage, has_answered: bool) -> dict[str, dict[str, Any]]:
        """Tell every machine to end; what each says. One that was killed is made again."""
        alive = [node for node in self._machines if node not in stage.killed]
        for node in alive:
            self._machines[node].tell(do="end")
        ends = {}
        for node in alive:
            began = None
            if node in STANDBYS and not (node == "b0" and has_answered):
                began = self._machines[node].answer()
            ends[node] = self._machines[node].answer()
            if began is not None and not began["began"]:
                ends[node] = began
        for node in stage.killed:
            self._machines[node].close()
            self._machines[node] = self._machine(node)
        return ends

    def _books(self, number: int) -> list[Book]:
        found = []
        for path in sorted((self._folder / f"run{number}").glob("*/*.book")):
            book = read_book(path.parent.name, path.read_text())
            if book is not None:
                found.append(book)
        return found


def said(answer: dict[str, Any]) -> str:
    """What a machine says at its end, in words: of its switch, and of its renewals."""
    words = f"{answer.get('state', 'waiting')}, {answer['why']}"
    if "failed" in answer:
        words += (
            f"; {answer['failed']} renewals failed ({answer['trouble'] or 'none'}), "
            f"the slowest took {answer['slowest_s']:.2f} s"
        )
    return words


@dataclass(frozen=True)
class ShardWorlds:
    """Worlds for one campaign."""

    terms: Terms

    def build(
        self, world: int, attempt: int, resources: ExitStack
    ) -> Callable[[int, str], Outcome]:
        return ShardWorld(self.terms, f"w{world}x{attempt}", resources).run

    def spoilt(self, kind: str, why: str) -> Outcome:
        if why == ENDED:
            return Outcome(kind, Verdict(), -1.0, [why])
        return Outcome(kind, Verdict(), -1.0, [], [why])


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
    empty = [f"{each.kind}: {why}" for each in outcomes for why in each.void]
    print(f"{sum(bool(each.void) for each in outcomes)} runs were void" + ":" * bool(empty))
    print("\n".join(empty), end="\n" * bool(empty))
    wrong = problems_of(outcomes)
    if sum(bool(each.void) for each in outcomes) > VOID_MAX * len(outcomes):
        wrong.append(f"more than {VOID_MAX:.0%} of the runs were void")
    return wrong


def play(
    terms: Terms, kinds: Sequence[str], worlds: int = 1, minutes: float = 1e9
) -> list[Outcome]:
    """Run one of each of `kinds`, in this order, and begin none after so many minutes."""
    return play_worlds(ShardWorlds(terms), worlds, kinds, minutes)


def main() -> int:
    """Read the command line and play."""
    parser = options_of(__doc__, 2000)
    parser.add_argument("--stop", type=float, default=0.0, help="faults last so long, seconds")
    parser.add_argument("--worlds", type=int, default=8, help="played side by side")
    options = parser.parse_args()
    kinds = kinds_of(options, SHARD_KINDS)
    with tempfile.TemporaryDirectory(prefix="logos-shards-") as folder:
        terms = Terms(Path(folder), options.seed, options.ttl, options.stop)
        outcomes = play(terms, kinds, options.worlds, options.minutes)
    wrong = tell(outcomes, options.ttl)
    print("\n".join(wrong) or "nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
