"""The three acceptance scenarios of the kill switch (A6), as whole sessions, judged from the disk.

    10 ticks, no kill           10 orders, 0 blocked
    15 ticks, kill at tick 5    4 orders, 11 blocked, tick 5 itself blocked
    5 ticks, kill at tick 1     0 orders, 5 blocked

Every session runs in a workspace of its own with the file-backed switch that real sessions obey:
the same files, the same shared flag, the same thread that watches them. A kill comes from outside
the session, before the tick is handed over, in each of two ways: as `logos kill` engages, and as a
bare `touch` of the marker by another process. Afterwards the switch must be latched: a second
session of that workspace is refused. What is counted is what lies on the disk: the journal, its
chain verified, and orders.csv.

The real switch of a workspace is not engaged for this: a self-test must not stop what trades, and
an engagement that a test clears by itself would be a reset without a person.
"""

from __future__ import annotations

import csv
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from logos import paths
from logos.config import Config, make_config
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote
from logos.core.records import BlockedRecord, OrderRecord
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import NS_PER_SECOND, Side, SwitchState
from logos.errors import LogosError
from logos.files import make_folder
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.ledger import KILL_FILE
from logos.rehearsal.evidence import JournalView
from logos.session.entry import drive
from logos.session.open import open_session
from logos.session.opening.machine_switch import SwitchEngagedError, open_switch
from logos.session.opening.spec import SessionSpec

Way = Literal["none", "kill", "marker"]
"""How the switch is engaged: not at all, as `logos kill` does it, or by `touch KILL`."""

_SEEN_WITHIN_S: Final = 5.0
"""How long the watching thread may take to see a bare marker; it looks twenty times a second."""
_SESSION: Final = "a6"
_ACME: Final = instrument("ACME", tick="0.01", lot="1", quote="USD")


class AcceptanceScenario(msgspec.Struct, frozen=True):
    """One scenario: how many ticks, before which of them the kill comes, and what must be."""

    name: str
    ticks: int
    kill_at: int
    """0: never."""
    orders: int
    blocked: int
    way: Way


SCENARIOS: Final = (
    AcceptanceScenario("10-ticks", 10, 0, 10, 0, "none"),
    AcceptanceScenario("15-ticks-kill-at-5", 15, 5, 4, 11, "kill"),
    AcceptanceScenario("15-ticks-touch-at-5", 15, 5, 4, 11, "marker"),
    AcceptanceScenario("5-ticks-kill-at-1", 5, 1, 0, 5, "kill"),
    AcceptanceScenario("5-ticks-touch-at-1", 5, 1, 0, 5, "marker"),
)


class AcceptanceResult(msgspec.Struct, frozen=True):
    """What a scenario left on the disk. `problems` says what is not as it must be."""

    scenario: AcceptanceScenario
    orders: int
    blocked: int
    first_blocked: int
    """The number of the first tick that was blocked; 0: none was."""
    problems: tuple[str, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether all is as it must be."""
        return not self.problems

    def words(self) -> str:
        """What was seen, in words."""
        at = f", the first at tick {self.first_blocked}" if self.first_blocked else ""
        return f"{self.orders} orders, {self.blocked} blocked{at}"


def run_acceptance(folder: Path) -> Iterator[AcceptanceResult]:
    """Run every scenario in a workspace of its own below `folder`, and judge each.

    A session that cannot run is a result with a problem. Raises OSError when `folder` cannot be
    written, and ConfigError or LogosError never.
    """
    for scenario in SCENARIOS:
        home = folder / scenario.name
        make_folder(home, is_new=True)
        began_s = time.monotonic()
        problems = _run(scenario, home)
        yield _judge(scenario, home, problems, time.monotonic() - began_s)


def _run(scenario: AcceptanceScenario, home: Path) -> list[str]:
    """Play it; what went wrong before anything could be judged."""
    problems: list[str] = []
    switch = open_switch(bool, home)
    feed = _Feed(scenario, switch)
    spec = SessionSpec(
        config=_config(_SESSION),
        strategy=_OrdersAlways(),
        feed=feed,
        switch=switch,
        tell=bool,
        home=home,
        takes_signals=False,
    )
    try:
        with open_session(spec) as session:
            drive(session)
    except LogosError as error:
        problems.append(f"{type(error).__name__}: {error}")
    finally:
        switch.close()
    problems += feed.problems
    return problems if scenario.way == "none" else [*problems, *_latch_problems(home)]


def _latch_problems(home: Path) -> list[str]:
    """What is wrong with the latch: after an engagement no session of the workspace may start."""
    try:
        open_switch(bool, home).close()
    except SwitchEngagedError:
        return []
    return ["the switch is not latched: another session could start"]


def _judge(
    scenario: AcceptanceScenario, home: Path, problems: list[str], seconds: float
) -> AcceptanceResult:
    folder = paths.within(home, paths.session_dir(_SESSION))
    journal = JournalView(folder / "state.jsonl")
    if journal.problem or journal.is_torn or journal.seal is None:
        problems.append(f"journal: {journal.problem or 'not whole'}")
    ordered = [record.tick_id for record in journal.of(OrderRecord)]
    blocked = [record.tick_id for record in journal.of(BlockedRecord)]
    rows = _rows(folder / "orders.csv")
    if len(ordered) != scenario.orders or rows != scenario.orders:
        problems.append(
            f"{len(ordered)} orders in the journal and {rows} in orders.csv, not {scenario.orders}"
        )
    wanted = list(range(scenario.kill_at, scenario.ticks + 1)) if scenario.kill_at else []
    if blocked != wanted or len(wanted) != scenario.blocked:
        problems.append(f"blocked ticks {blocked}, not {wanted}")
    if scenario.kill_at and any(tick_id >= scenario.kill_at for tick_id in ordered):
        problems.append(f"an order at tick {max(ordered)}, after the kill at {scenario.kill_at}")
    return AcceptanceResult(
        scenario, len(ordered), len(blocked), min(blocked, default=0), tuple(problems), seconds
    )


def _rows(path: Path) -> int:
    """How many orders a table has; -1 when it cannot be read."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.DictReader(file))
    except OSError:
        return -1


def _config(session_id: str) -> Config:
    return make_config(
        {
            "session": {"id": session_id, "seed": 1},
            "account": {"balances": {"USD": "100000"}},
            "instruments": {"ACME": {"tick": "0.01", "lot": "1", "quote": "USD"}},
            "switch": {"on_engaged": "block"},
        }
    )


class _OrdersAlways(Strategy):
    """Buys one at every tick."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:  # noqa: ARG002
        return market(Side.BUY, 1)


class _Feed:
    """Quotes a second apart; before the tick of the kill it engages and waits until it is seen."""

    def __init__(self, scenario: AcceptanceScenario, switch: CircuitBreaker) -> None:
        self.problems: list[str] = []
        self._scenario = scenario
        self._switch = switch

    def chunks(self) -> Iterator[Sequence[Event]]:
        for number in range(1, self._scenario.ticks + 1):
            if number == self._scenario.kill_at:
                self._engage()
            yield [Quote(number * NS_PER_SECOND, "ACME", 1000, 1002, 100, 100, _ACME)]

    def _engage(self) -> None:
        folder = self._switch.folder
        if self._scenario.way == "kill":
            other = CircuitBreaker(folder)
            try:
                if other.engage("self-test", "logos").state is not SwitchState.ENGAGED:
                    self.problems.append("the switch could not be engaged")
            finally:
                other.close()
            return
        subprocess.run(["touch", str(folder / KILL_FILE)], check=True)  # noqa: S603, S607
        until_s = time.monotonic() + _SEEN_WITHIN_S
        while not self._switch.flag[0]:  # the session's own thread has to find it
            if time.monotonic() > until_s:
                self.problems.append(f"a bare marker was not seen within {_SEEN_WITHIN_S:g} s")
                return
            time.sleep(0.001)
