"""What the kill switch costs: gate 1's byte, gate 2's look at the files, and an engagement.

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
from pathlib import Path

from logos.core.types import SwitchState
from logos.risk.circuit_breaker import CircuitBreaker
from logos.risk.switch_sensor import SETTLE_NS

ENGAGEMENTS = 50


def best_ns(act: Callable[[], object], count: int) -> float:
    """Nanoseconds a call, the best of seven rounds; the cost of an empty call is taken off."""
    rounds = timeit.repeat(act, number=count, repeat=7)
    empty = timeit.repeat(lambda: None, number=count, repeat=7)
    return (min(rounds) - min(empty)) / count * 1e9


def wait_until_settled(breaker: CircuitBreaker) -> None:
    """Until the arm record is old enough for the kept answer."""
    ready_ns = time.monotonic_ns() + 2 * SETTLE_NS
    while time.monotonic_ns() < ready_ns:
        breaker.authority()


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
    print(f"gate 2, authority() while SAFE         {best_ns(breaker.authority, 20_000):10,.0f} ns")
    print(f"a thorough look at every file          {best_ns(breaker.why, 1_000):10,.0f} ns")
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


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to put the switch (default: temporary)")
    given = parser.parse_args().folder
    with tempfile.TemporaryDirectory(dir=given) as folder:
        measure(Path(folder))


if __name__ == "__main__":
    main()
