"""What safety costs: gate 1's byte, gate 2's look at the files, an engagement, and the guards.

Targets: gate 1 under 100 ns, `is_safe` under 1,000 ns, gate 2 under 5,000 ns, and under 300 ns more
for an engine of a fleet; every process can see an engagement 100,000 ns after the call.

Run: python bench/switch.py [--folder DIR]
DIR should be on the disk that will hold the state; the default is a temporary folder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path

from logos.core.engine import TradingCore
from logos.core.guards import LedgerLimits, Limits, SessionGuards
from logos.core.instrument import instrument
from logos.core.intents import from_request
from logos.core.orders import OrderIntent
from logos.core.risk import Approved, check_intent
from logos.core.strategy import market
from logos.core.types import FillRule, Side, SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.files import OsLayer
from logos.killswitch.fleet.permit import Permit, boot_ns
from logos.killswitch.fleet.switch import PermittedBreaker
from logos.killswitch.sensor import SETTLE_NS
from logos.testing.builders import Scripted, paper_rules, quote, trading_core

ENGAGEMENTS = 50
SECOND_NS = 1_000_000_000


def best_ns(act: Callable[[], object], count: int) -> float:
    """Nanoseconds a call, the best of seven rounds; the cost of an empty call is taken off."""
    rounds = timeit.repeat(act, number=count, repeat=7)
    empty = timeit.repeat(lambda: None, number=count, repeat=7)
    return (min(rounds) - min(empty)) / count * 1e9


def more_ns(one: Callable[[], object], other: Callable[[], object]) -> float:
    """How much more a call of `other` takes, nanoseconds: the best of many short turns of each, by
    turns, as a difference of two figures of a busy machine is mostly noise."""
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(300):
        for act, cost in zip((one, other), costs, strict=True):
            cost.append(timeit.timeit(act, number=500))
    return (min(costs[1]) - min(costs[0])) / 500 * 1e9


def wait_until_settled(breaker: CircuitBreaker) -> None:
    """Until the arm record is old enough for the kept answer."""
    ready_ns = time.monotonic_ns() + 2 * SETTLE_NS
    while time.monotonic_ns() < ready_ns:
        breaker.authority()


class StampingLayer(OsLayer):
    """Notes when the shared flag was written: from then on every process sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.flagged_ns = 0

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        written = super().pwrite(fd, data, offset)
        self.flagged_ns = self.flagged_ns or time.perf_counter_ns()
        return written


def response_times_ns(folder: Path) -> list[int]:
    """From the call of engage() until every process can see it in the shared flag."""
    layer = StampingLayer()
    breaker = CircuitBreaker(folder, layer=layer)
    times_ns = []
    for number in range(ENGAGEMENTS):
        layer.flagged_ns = 0
        started_ns = time.perf_counter_ns()
        result = breaker.engage(f"response {number}")
        times_ns.append(layer.flagged_ns - started_ns)
        breaker.reset("bench", "next round", result.epoch)
    return times_ns


def measure(folder: Path) -> None:
    """Print one line for each figure."""
    breaker = CircuitBreaker(folder / "state" / "kill-switch", build="bench", mode="paper")
    other = CircuitBreaker(folder / "state" / "kill-switch", build="bench", mode="paper")
    breaker.arm_if_new()
    wait_until_settled(breaker)
    assert breaker.authority() is SwitchState.SAFE
    flag = breaker.flag
    print(f"gate 1, flag[0] of a local name        {best_ns(lambda: flag[0], 500_000):10,.0f} ns")
    print(
        f"gate 1, breaker.flag[0] != 0           "
        f"{best_ns(lambda: breaker.flag[0] != 0, 500_000):10,.0f} ns"
    )
    print(f"is_safe() while SAFE                   {best_ns(breaker.is_safe, 200_000):10,.0f} ns")
    print(f"gate 2, authority() while SAFE         {best_ns(breaker.authority, 20_000):10,.0f} ns")
    member = PermittedBreaker(folder / "state" / "kill-switch", build="bench", mode="paper")
    member.permit = Permit("bench")
    member.permit.renew(SwitchState.SAFE, 1, boot_ns() + 3_600 * SECOND_NS)
    wait_until_settled(member)
    more = more_ns(breaker.authority, member.authority)
    print(f"gate 2 of a fleet's engine, more       {more:10,.0f} ns")
    print(f"a thorough look at every file          {best_ns(breaker.why, 1_000):10,.0f} ns")
    response_ns = response_times_ns(breaker.folder)
    print(f"engage() until all see it: median      {statistics.median(response_ns):10,.0f} ns")
    print(f"engage() until all see it: max         {max(response_ns):10,.0f} ns")
    wait_until_settled(breaker)
    took_ns = []
    seen_ns = []
    for number in range(ENGAGEMENTS):
        start_ns = time.perf_counter_ns()
        result = breaker.engage(f"bench {number}", "bench")
        took_ns.append(time.perf_counter_ns() - start_ns)
        start_ns = time.perf_counter_ns()
        assert other.authority() is SwitchState.ENGAGED
        seen_ns.append(time.perf_counter_ns() - start_ns)
        breaker.reset("bench", "next round", result.epoch)
        assert other.authority() is SwitchState.SAFE
    print(f"engage(), durable on return: median    {statistics.median(took_ns):10,.0f} ns")
    print(f"engage(), durable on return: max       {max(took_ns):10,.0f} ns")
    print(f"the other object's next authority()    {statistics.median(seen_ns):10,.0f} ns")
    breaker.engage("done", "bench")
    wait_until_settled(breaker)
    print(f"authority() while ENGAGED              {best_ns(breaker.authority, 20_000):10,.0f} ns")


FAR = 10**15


def measure_guards() -> None:
    """The guards of one order, and what a tick costs with and without those that watch ticks."""
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD")

    def started(limits: LedgerLimits) -> tuple[OrderIntent, Callable[[], object], TradingCore]:
        script = {1: market(Side.BUY, 1)}
        core = trading_core(Scripted(script), acme, rules=paper_rules(FillRule.BID_ASK))
        book = core.order_manager.states["ACME"]
        book.ledger.limits = limits
        book.ledger.raise_floor()
        core.start(1)
        core.step(quote(acme, SECOND_NS, "10.00", "10.02"))
        intent = from_request(book, market(Side.BUY, 1, symbol="ACME"))
        assert intent is not None
        prices = ("10.00", "10.01")
        ticks = [quote(acme, SECOND_NS, prices[n % 2], "10.02") for n in range(1_000)]
        return intent, lambda: core.run(ticks), core

    none, bare_ticks, core = started(LedgerLimits())
    every = LedgerLimits(FAR, FAR, FAR, 999_999_999, FAR)
    intent, watched_ticks, guarded = started(every)
    for name, judged, owner, guards, limits in (
        ("no limits", none, core, SessionGuards(), Limits()),
        (
            "every guard",
            intent,
            guarded,
            SessionGuards(FAR, 1_000, 1, 1_000),
            Limits(FAR, FAR, FAR, FAR, 1_000, FAR, 1),
        ),
    ):
        book = owner.order_manager.states["ACME"]
        book.limits = limits
        judge = partial(check_intent, judged, book, guards, SECOND_NS)
        assert isinstance(judge(), Approved)
        print(f"all guards of one order, {name:<14}{best_ns(judge, 20_000):10,.0f} ns")
    for name, run in (("no limits", bare_ticks), ("loss guards", watched_ticks)):
        cost_ns = best_ns(run, 100) / 1_000
        print(f"a tick with a position, {name:<15}{cost_ns:10,.0f} ns")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to put the switch (default: temporary)")
    given = parser.parse_args().folder
    with tempfile.TemporaryDirectory(dir=given) as folder:
        measure(Path(folder))
    measure_guards()


if __name__ == "__main__":
    main()
