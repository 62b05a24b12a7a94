"""A process of the campaign: an engine with the real gate, switch, permit and reader, or the
operator. It takes commands as lines of JSON and answers each with one.

The engine orders as fast as its loop turns, every two milliseconds, and its venue is a file: a line
`O GATE SENT` for an order (CLOCK_BOOTTIME in nanoseconds, before gate 2 was asked and when the
order left), `R TIME` where an order was refused after one had been allowed.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any

from logos.core.gates import why_closed
from logos.core.types import SwitchState
from logos.killswitch.fleet.etcd import EtcdStore
from logos.killswitch.fleet.operating import DONE, Muster, release, tighten
from logos.killswitch.fleet.permit import Permit, boot_ns
from logos.killswitch.fleet.reader import PermitReader
from logos.killswitch.fleet.records import CoordinatorError, EngineEntry, decode_record
from logos.killswitch.fleet.store import Coordinator, Store
from logos.killswitch.fleet.switch import PermittedBreaker

LOOP_S = 0.002


def connect(terms: Coordinator) -> Store:
    if terms.backend == "etcd":
        return EtcdStore(terms)
    from logos.killswitch.fleet.redis import RedisStore

    return RedisStore(terms)


def entry_of(
    token: str, terms: Coordinator, renewals: int, epoch: int, *, is_blocked: bool
) -> EngineEntry:
    """What an engine of the campaigns says of itself."""
    return EngineEntry(
        token=token,
        host="campaign",
        workspace="",
        session=token,
        pid=os.getpid(),
        ttl_ns=terms.ttl_ns,
        renewed_ns=boot_ns(),
        renewals=renewals,
        epoch=epoch,
        blocked=is_blocked,
        drained=is_blocked,
    )


class SteppedClock:
    """The wall clock of a machine whose clock is set while it trades."""

    def __init__(self) -> None:
        self.offset_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.offset_ns


class Engine:
    """One life of an engine."""

    def __init__(self, terms: Coordinator, folder: Path, token: str) -> None:
        self._terms = terms
        self._token = token
        self._clock = SteppedClock()
        self._switch = PermittedBreaker(folder / "state" / "kill-switch", clock=self._clock)
        self._switch.permit = Permit(terms.fleet)
        self._switch.arm_if_new()
        self._blocked = False
        self._venue = os.open(folder / "orders", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self._reader = PermitReader(
            terms, connect(terms), self._switch.permit, self._switch, self._entry
        )

    def begin(self) -> bool:
        until_s = time.monotonic() + 10
        while not self._reader.round():
            if time.monotonic() > until_s:
                return False
        self._reader.start()
        return True

    def step_clock(self, seconds: float) -> None:
        self._clock.offset_ns += round(seconds * 1e9)

    def turn(self) -> None:
        """Try to order once."""
        gate_ns = boot_ns()
        if self._switch.flag[0] == 0 or not self._blocked:
            code = why_closed(self._switch.authority(), 1, 0, 0)
            if code is None:
                sent_ns = boot_ns()
                os.write(self._venue, f"O {gate_ns} {sent_ns}\n".encode())
                self._blocked = False
                return
        else:
            self._switch.authority()
        if not self._blocked:
            self._blocked = True
            os.write(self._venue, f"R {boot_ns()}\n".encode())

    def end(self) -> dict[str, Any]:
        self._reader.stop()
        os.close(self._venue)
        status = self._switch.status()
        self._switch.close()
        return {"state": status.state.name, "why": status.why, "who": status.who}

    def _entry(self, renewals: int, epoch: int) -> EngineEntry:
        return entry_of(self._token, self._terms, renewals, epoch, is_blocked=self._blocked)


class Operator:
    """Who engages and resets the fleet's switch."""

    def __init__(self, terms: Coordinator) -> None:
        self._terms = terms
        self._store = connect(terms)

    def reset(self, floor: int) -> dict[str, Any]:
        until_s = time.monotonic() + 20
        while True:
            try:
                reading = self._store.read()
                epoch = 0 if reading.value is None else decode_record(reading.value).epoch
                record = release(
                    self._store, "operator", "next run", epoch, is_forced=True, floor=floor
                )
                after = self._store.read()
            except CoordinatorError:
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.1)
            else:
                return {"epoch": record.epoch, "position": after.position}

    def kill(self, timeout_s: float) -> dict[str, Any]:
        """Engage, and wait for every engine as `logos kill --fleet` does."""
        before_ns = boot_ns()
        try:
            engaged = tighten(
                self._store, SwitchState.ENGAGED, "operator", "campaign", until_s=timeout_s
            )
        except CoordinatorError as error:
            return {"engaged": False, "before_ns": before_ns, "problem": str(error)}
        after_ns = boot_ns()
        muster = Muster(self._store, engaged)
        found: dict[str, str] = {}
        until_s = time.monotonic() + self._terms.ttl_ns / 1e9 + 3
        while time.monotonic() < until_s:
            try:
                seen = muster.look()
            except CoordinatorError:
                seen = muster.known()
            found = {entry.token: progress.name for entry, progress in seen}
            if seen and all(progress in DONE for _, progress in seen):
                break
            time.sleep(0.05)
        return {
            "engaged": True,
            "epoch": engaged.record.epoch,
            "before_ns": before_ns,
            "after_ns": after_ns,
            "found": found,
        }


def serve() -> None:
    """Obey the lines of standard input until it ends."""
    settings = json.loads(sys.argv[1])
    terms = Coordinator(
        settings["fleet"],
        settings["backend"],
        tuple(settings["endpoints"]),
        settings["ttl_ns"],
        settings["poll_ns"],
        service=settings.get("service", ""),
    )
    engine: Engine | None = None
    operator = Operator(terms)
    print("{}", flush=True)
    while True:
        if select.select([sys.stdin], [], [], LOOP_S if engine else None)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            command = json.loads(line)
            answer: dict[str, Any] = {}
            match command["do"]:
                case "begin":
                    engine = Engine(terms, Path(command["folder"]), command["token"])
                    answer = {"began": engine.begin()}
                case "end" if engine is not None:
                    answer, engine = engine.end(), None
                case "clock" if engine is not None:
                    engine.step_clock(command["seconds"])
                case "reset":
                    answer = operator.reset(command["floor"])
                case "kill":
                    answer = operator.kill(command["timeout_s"])
            print(json.dumps(answer), flush=True)
        if engine is not None:
            engine.turn()


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    serve()
