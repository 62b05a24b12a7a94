"""What an order at an MT5 terminal costs the engine, by the clocks of its threads.

A session with the settings of a stress run trades at the simulated terminal, which is in this
process: in the place of the gateway's ZeroMQ sockets stands one that hands each request to the
simulator and its frames back at once. Everything else is what a live session does: the kill switch
and its files, both gates, guards, journal and inputs synced before an order leaves, the gateway's
thread, lock and log, deals told by themselves, books, tables, the log. The simulator's own time is
taken off. So what is left is the engine's work, without the network, and whatever else the machine
does: what `logos stress` shows beside it, is with both.

Two prices come for each order, and three more whenever the engine has waited 5 ms for one.

Run: make bench ONLY=mt5   (python bench/mt5.py [orders] [in flight])
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import statistics
import sys
import tempfile
import threading
import time
import tomllib
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from logos import paths
from logos.adapters.mt5.gateway import gateway as gateway_module
from logos.adapters.mt5.gateway.sockets import DATA, LIVE, STREAMING, SYSTEM
from logos.config import make_config
from logos.core.instrument import instrument
from logos.killswitch.breaker import CircuitBreaker
from logos.session.entry import run_live
from logos.simulators.mt5.faults import Fate
from logos.simulators.mt5.market import synthetic_prices
from logos.simulators.mt5.simulator import SimOptions, SimSymbol, Simulator
from logos.stress.plan import BALANCE, StressPlan, make_symbols, settings_text

_WINDOW: Final = 50
"""Orders between two looks at the clocks; the first two windows, in which things are learned that
cost once, are left out."""
_PATIENCE_S: Final = 0.005
_FATE: Final = Fate("", 0, False)


def _cpu_ns(thread: threading.Thread) -> int:
    assert thread.ident is not None
    return time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))


class Moment:
    """The threads' clocks at one order."""

    def __init__(self, gateway: threading.Thread, simulator_ns: int, prices: int) -> None:
        self.main_ns = _cpu_ns(threading.main_thread())
        self.gateway_ns = _cpu_ns(gateway) - simulator_ns
        self.process_ns = time.process_time_ns() - simulator_ns
        self.wall_ns = time.perf_counter_ns()
        self.prices = prices


class Terminal:
    """The simulated terminal in the place of the gateway's sockets."""

    def __init__(self, plan: StressPlan, orders: int) -> None:
        self._orders_max = orders
        self.orders = 0
        self.prices = 0
        self.moments: list[Moment] = []
        self._simulator_ns = 0
        symbols = {}
        for number, each in enumerate(plan.symbols):
            made = instrument(
                each.name, tick=each.tick, lot=each.lot, multiplier=each.contract,
                min_quantity=each.lot, settlement="margin", quote="USD",
            )  # fmt: skip
            prices = synthetic_prices(made, number, 10_000)
            symbols[each.name] = SimSymbol(
                instrument=made, prices=prices, interval_s=0, commission_per_lot="0.07"
            )
        options = SimOptions(balance=BALANCE, has_ids=True)
        self._simulator = Simulator(symbols, options, lambda _: None)
        self._simulator._push = self._take  # type: ignore[method-assign]
        self._names = list(symbols)
        self._frames: dict[str, deque[bytes]] = {
            name: deque() for name in (SYSTEM, DATA, LIVE, STREAMING)
        }
        for name in self._names:
            self._simulator._next_price(name)

    def connect(self, *parts: Any) -> Terminal:
        """What the gateway calls in its thread."""
        self._takes, self._waker = parts[3], parts[4]
        return self

    def _take(self, name: str, frame: bytes) -> None:
        self._frames[name].append(frame)

    def _do(self, work: Callable[[], object]) -> None:
        """Have the simulator do something, on its own account."""
        began_ns = time.thread_time_ns()
        work()
        self._simulator_ns += time.thread_time_ns() - began_ns

    def _price(self, count: int) -> None:
        for _ in range(count):
            self._simulator._next_price(self._names[self.prices % len(self._names)])
            self.prices += 1

    # ---- what the gateway asks of its sockets ----

    def send(self, frame: bytes) -> None:
        """One request: carried out at once."""

        def work() -> None:
            self._take(DATA, self._simulator._carry_out(frame, _FATE)[0])
            if b'"ORDER_TYPE' in frame:
                self.orders += 1
                self._price(2)

        self._do(work)
        self._frames[SYSTEM].append(b"OK")
        if b'"ORDER_TYPE' in frame and self.orders % _WINDOW == 0:
            gateway = threading.current_thread()
            self.moments.append(Moment(gateway, self._simulator_ns, self.prices))
            if self.orders == self._orders_max:
                os.kill(os.getpid(), signal.SIGTERM)  # as an operator stops a session

    def can_send(self, _deadline_ns: int, _is_over: Callable[[], bool]) -> bool:
        """Always."""
        return True

    def receive(self, name: str, _deadline_ns: int, _is_over: Callable[[], bool]) -> bytes | None:
        """The next frame, which is there."""
        self.hand_over(0, name)
        return self._frames[name].popleft()

    def hand_over(self, wait_ms: int, wanted: str = "", _flag: int = 0) -> bool:
        """Hand over what there is; where there is nothing, wait as asked."""
        is_any = False
        for name in (STREAMING, DATA, LIVE):
            frames = self._frames[name]
            while name != wanted and frames and self._takes.wants(name):
                self._takes.take(name, frames.popleft())
                is_any = True
        if wait_ms and not is_any:
            ready = select.select([self._waker.descriptor], [], [], _PATIENCE_S)[0]
            if ready:
                self._waker.clear()
            elif self.orders < self._orders_max:
                self._do(lambda: self._price(3))
        return True

    def hand_over_now(self) -> None:
        """What there is."""
        self.hand_over(0)

    def drain(self) -> int:
        """Nothing is ever left over."""
        return 0

    def renew(self, _name: str) -> None:
        """Nothing to open anew."""

    def close(self) -> None:
        """Nothing to close."""

    distrust = close


def main() -> None:
    """One session; prints its row."""
    numbers = [int(each) for each in sys.argv[1:]]
    orders = numbers[0] if numbers else 5_000
    plan = StressPlan(
        symbols=make_symbols("3", "1"), signals=0, seconds=0, seed=0,
        in_flight=numbers[1] if len(numbers) > 1 else 32,
    )  # fmt: skip
    tables = tomllib.loads(settings_text(plan, [15555, 15556, 15557, 15558]))
    tables["venue"]["live"] = True
    # Wide enough to refuse nothing: a refusal is no order.
    tables["risk"] |= {"max_order_notional": "1000000", "symbols": {}, "max_position": "100000"}
    tables["risk"]["total"]["max_gross_exposure"] = BALANCE
    terminal = Terminal(plan, orders)
    vars(gateway_module)["Sockets"] = terminal.connect
    with tempfile.TemporaryDirectory(dir=".") as folder:
        home = Path(folder).resolve()
        os.environ["LOGOS_HOME"] = folder
        os.environ["LOGOS_REGISTRY"] = str(home / "registry")
        breaker = CircuitBreaker(paths.within(home, paths.state_dir()) / "kill-switch", mode="live")
        breaker.arm_if_new()
        breaker.reset("bench", "orders to a simulated terminal", breaker.epoch)
        breaker.close()
        result = run_live(make_config(tables), home=home, tell=lambda _: None)
    windows = list(itertools.pairwise(terminal.moments[9:]))
    for name in ("process", "main", "gateway"):
        key = f"{name}_ns"
        taken_us = [(getattr(b, key) - getattr(a, key)) / _WINDOW / 1e3 for a, b in windows]
        least, median = statistics.quantiles(taken_us, n=10)[0], statistics.median(taken_us)
        print(f"{name:<8} {least:8.1f} us an order at least, {median:8.1f} in the median window")
    first, last = windows[0][0], windows[-1][1]
    count = len(windows) * _WINDOW
    rate = count / ((last.wall_ns - first.wall_ns) / 1e9)
    prices = (last.prices - first.prices) / count
    print(f"{count:,} orders, {prices:.2f} prices each, {rate:,.0f} a second; ", end="")
    print(f"{result.status.value}, refused: {result.summary['refusals'] or 'none'}")


if __name__ == "__main__":
    main()
