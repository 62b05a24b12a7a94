"""Run a stress plan: the simulator and the engine as processes of their own, and what befalls them.

Both are started by their ordinary commands in a workspace of the run's own, so that nothing of it
touches this machine's sessions or kill switch. What happened stands in their logs and artifacts;
this module only starts, waits, kills and stops. `judge` says what it was worth.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.execution.metrics import MetricsSnapshot
from logos.files import make_folder, open_new, replace_file
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence import registry
from logos.session.presence.page import metrics_path
from logos.stress.evidence import AUDIT, HOME, PLAN
from logos.stress.files import write_list
from logos.stress.plan import (
    SESSION_ID,
    StressError,
    StressPlan,
    settings_text,
    simulator_arguments,
)

_START_S: Final = 60.0
_END_S: Final = 180.0
_LOOK_S: Final = 0.05
_QUIET_S: Final = 1.5
_LEAVE: Final = ("--live", "--i-acknowledge-risk")


class StressRun:
    """One run in one folder, which must not hold another."""

    def __init__(self, plan: StressPlan, folder: Path, tell: Callable[[str], object]) -> None:
        """Raises StressError when the folder holds a run already, OSError when it is not to be."""
        self._plan = plan
        self._folder = folder
        self._tell = tell
        self._home = folder / HOME
        if (folder / PLAN).exists():
            raise StressError(f"{folder} holds a run already: name another folder with --out")
        make_folder(self._home)
        replace_file(folder / PLAN, msgspec.json.encode(plan), durable=False)
        self._ports: list[int] = [0, 0, 0, 0]
        self._simulator: subprocess.Popen[bytes] | None = None
        self._engine: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Run it to its end. Raises StressError when a part does not do as it must."""
        try:
            self._start_simulator()
            self._arm()
            config = self._folder / "stress.toml"
            text = settings_text(self._plan, self._ports)
            replace_file(config, text.encode(), durable=False)
            self._start_engine("trade", "--config", str(config.resolve()), "--feed", "mt5")
            self._wait(lambda: self._orders() > 0, _START_S, "the first order")
            began_s = time.monotonic()
            if self._plan.kill:
                self._wait_until(began_s + self._plan.kill_after_s)
                getattr(self, f"_kill_{self._plan.kill}")()
            self._wait_for_signals(began_s)
            self._stop_engine()
        finally:
            self._end()
            write_list(self._folder)

    # ---- the two processes ----

    def _start_simulator(self, *more: str) -> None:
        audit = str(self._folder / AUDIT)
        arguments = simulator_arguments(self._plan, self._ports, audit)
        errors = open_new(self._folder / "simulator.err", "ab")
        with errors:
            self._simulator = subprocess.Popen(  # noqa: S603 - our own command
                [*_logos("mt5-sim"), *arguments, *more],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment(),
            )
        assert self._simulator.stdout is not None
        line = self._simulator.stdout.readline()
        if not line:
            raise StressError(f"the simulator did not start: see {self._folder / 'simulator.err'}")
        ports = msgspec.json.decode(line)["ports"]
        self._ports = [ports[name] for name in ("system", "data", "live", "streaming")]

    def _start_engine(self, command: str, *arguments: str) -> None:
        with open_new(self._folder / "engine.err", "ab") as errors:
            self._engine = subprocess.Popen(  # noqa: S603 - our own command
                [*_logos(command), *arguments, *_LEAVE, "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=self._environment(),
            )

    def _stop_engine(self) -> None:
        """Ask the engine to end in order; what it has open is cancelled and settled first."""
        engine = self._engine
        assert engine is not None
        if engine.poll() is None:
            engine.send_signal(signal.SIGTERM)
        self._wait_for_exit(engine, "the engine to end")

    def _end(self) -> None:
        """Leave no process behind; the simulator writes its books when it is asked to end."""
        if self._engine is not None and self._engine.poll() is None:
            self._engine.kill()
            self._engine.wait()
        if self._simulator is not None:
            if self._simulator.poll() is None:
                self._simulator.send_signal(signal.SIGTERM)
                try:
                    self._simulator.wait(_START_S)
                except subprocess.TimeoutExpired:
                    self._simulator.kill()
                    self._simulator.wait()
            if self._simulator.stdout is not None:
                self._simulator.stdout.close()

    # ---- what befalls them ----

    def _kill_switch(self) -> None:
        """From another process, as an operator would; the engine halts by itself."""
        self._tell("throwing the kill switch")
        done = subprocess.run(  # noqa: S603 - our own command
            [*_logos("kill"), "--here", "--by", "stress", "--reason", "drill", "--timeout", "60"],
            env=self._environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise StressError(f"`logos kill` ended with {done.returncode}: {done.stderr.decode()}")
        assert self._engine is not None
        self._wait_for_exit(self._engine, "the engine to halt")

    def _kill_engine(self) -> None:
        """SIGKILL, then resume the session."""
        self._tell("killing the engine")
        assert self._engine is not None
        self._engine.kill()
        self._engine.wait()
        before = self._orders()
        self._start_engine("resume", SESSION_ID)
        self._wait(lambda: self._orders() > before, _START_S, "an order after the resume")

    def _kill_simulator(self) -> None:
        """SIGKILL; it comes back with the books that its audit holds."""
        self._tell("killing the simulator")
        assert self._simulator is not None
        assert self._simulator.stdout is not None
        self._simulator.kill()
        self._simulator.wait()
        self._simulator.stdout.close()
        time.sleep(self._plan.away_s)
        self._start_simulator("--resume")
        self._wait(self._is_answered, _END_S, "every order to be known again")

    # ---- waiting ----

    def _wait_for_signals(self, began_s: float) -> None:
        """Until the time is up, or all signals were given and nothing new has come for a while."""
        if self._plan.kill == "switch":
            return
        if self._plan.seconds:
            self._wait_until(began_s + self._plan.seconds)
            return
        if self._plan.kill == "simulator":
            return  # the engine orders nothing any more
        slowest_ms = max(each.interval_ms for each in self._plan.symbols)
        least_s = self._plan.signals * self._plan.every * slowest_ms / 1000
        self._wait_until(began_s + least_s)
        last, since_s = -1, time.monotonic()
        while time.monotonic() - since_s < _QUIET_S:
            self._check_alive()
            orders = self._orders()
            if orders != last or not self._is_answered():
                last, since_s = orders, time.monotonic()
            if time.monotonic() - began_s > least_s + _END_S:
                raise StressError("the signals did not come to an end")
            time.sleep(_LOOK_S)

    def _wait_until(self, moment_s: float) -> None:
        while time.monotonic() < moment_s:
            self._check_alive()
            time.sleep(min(_LOOK_S, max(0.0, moment_s - time.monotonic())))

    def _wait(self, is_so: Callable[[], bool], most_s: float, what: str) -> None:
        end_s = time.monotonic() + most_s
        while not is_so():
            self._check_alive()
            if time.monotonic() > end_s:
                raise StressError(f"waited {most_s:g} s for {what}")
            time.sleep(_LOOK_S)

    def _wait_for_exit(self, process: subprocess.Popen[bytes], what: str) -> None:
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            raise StressError(f"waited {_END_S:g} s for {what}") from None

    def _check_alive(self) -> None:
        for name, process in (("engine", self._engine), ("simulator", self._simulator)):
            if process is not None and process.poll() is not None:
                raise StressError(
                    f"the {name} ended by itself ({process.returncode}): see "
                    f"{self._folder / f'{name}.err'}"
                )

    def _figures(self) -> MetricsSnapshot | None:
        try:
            text = metrics_path(SESSION_ID, self._home).read_bytes()
            return msgspec.json.decode(text, type=MetricsSnapshot)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _orders(self) -> int:
        figures = self._figures()
        return 0 if figures is None else sum(each.orders for each in figures.currencies)

    def _is_answered(self) -> bool:
        figures = self._figures()
        return figures is not None and all(e.orders == e.answered for e in figures.currencies)

    # ---- the workspace ----

    def _arm(self) -> None:
        """The run's own kill switch, armed for orders that leave the process: to a simulator."""
        folder = paths.within(self._home, paths.state_dir()) / "kill-switch"
        breaker = CircuitBreaker(folder, mode="live")
        try:
            breaker.arm_if_new()
            breaker.reset("logos stress", "orders to a simulated terminal", breaker.epoch)
        finally:
            breaker.close()

    def _environment(self) -> dict[str, str]:
        kept = {
            name: text
            for name, text in os.environ.items()
            if name == registry.VARIABLE or not name.startswith("LOGOS_")
        }
        return {**kept, "LOGOS_HOME": str(self._home.resolve())}


def _logos(command: str) -> Sequence[str]:
    return (sys.executable, "-m", "logos.live", command)
