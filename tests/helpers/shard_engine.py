"""A process of the shard campaign: an owner of a shard with the real claim, permit, gate and
switch, or the operator. It takes commands as lines of JSON and answers each with one.

An owner pushes its exposure to its limit and back, an order each `pace_s` of the settings. Its
venue and its journal are one file in the folder that all owners share, one for each claim, lines in
order:

    C BEGUN EPOCH CARRIED     the claim: when it was not made yet; what the books came to
    L LIMIT                   a limit of exposure came into force
    I EXPOSURE                an order is about to leave, which would come to this
    O GATE SENT EPOCH EXPOSURE  it left: before gate 2 was asked, and when
    R TIME                    it was refused, after one had been allowed

Times are CLOCK_BOOTTIME in nanoseconds; a crash of a process loses no line.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from fleet_engine import Operator, entry_of

from logos.core.gates import why_closed
from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.operating import change_budgets, settle_budgets
from logos.killswitch.fleet.ownership import Goal, Ownership
from logos.killswitch.fleet.permit import Permit, boot_ns
from logos.killswitch.fleet.reader import PermitReader
from logos.killswitch.fleet.records import ClaimLostError, CoordinatorError, EngineEntry
from logos.killswitch.fleet.shards import (
    BudgetRefusedError,
    Budgets,
    Claim,
    ShardTakenError,
    ask_back,
    begin_budgets,
    give,
)
from logos.killswitch.fleet.store import Coordinator
from logos.killswitch.fleet.switch import PermittedBreaker

STEP_MAX = 40


def is_told() -> bool:
    """Whether a command has come."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


class WatchedReader(PermitReader):
    """The reader of a permit, which remembers how well its renewals went."""

    failed = 0
    slowest_s = 0.0
    last_trouble = ""

    def round(self) -> bool:
        began_s = time.monotonic()
        is_answered = super().round()
        self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)
        if not is_answered:
            self.failed += 1
            self.last_trouble = self.trouble
        return is_answered


def books_of(folder: Path, before: int) -> tuple[int, int]:
    """What the owners before claim `before` may hold, and the limit that was in force last.

    Of an order that was about to leave nobody knows whether it did: the worse counts.
    """
    files = sorted(folder.glob("*.book"))
    exposure, limit = 0, 0
    for path in files:
        if int(path.stem) >= before:
            continue
        for line in path.read_text().splitlines():
            kind, *rest = line.split()
            if kind == "C":
                exposure = int(rest[2])
            elif kind == "L":
                limit = int(rest[0])
            elif kind == "I":
                exposure = max(exposure, int(rest[0]))
            elif kind == "O":
                exposure = int(rest[3])
    return exposure, limit


class Owner:
    """One life of an owner of a shard."""

    def __init__(self, terms: Coordinator, folder: Path, token: str, seed: str) -> None:
        self._terms = terms
        self._folder = folder
        self._token = token
        self._chance = random.Random(seed)
        self._blocked = False
        self._switch = PermittedBreaker(folder / token / "kill-switch")
        self._switch.permit = Permit(terms.fleet)
        self._switch.arm_if_new()
        self._own = Ownership(terms, token, folder)
        self._begun_ns = 0
        look = self._own.store._look

        def looked() -> tuple[Claim | None, tuple[Claim | None, str]]:
            """Before the last look that found no owner: the claim was made later than that."""
            begun_ns = boot_ns()
            found = look()
            self._begun_ns = begun_ns if found[0] is None else self._begun_ns
            return found

        self._own.store._look = looked  # type: ignore[method-assign]
        self._reader: WatchedReader | None = None
        self._book = -1
        self._exposure = 0
        self._in_force: Goal | None = None

    def begin(self, wait_s: float) -> dict[str, Any]:
        """Claim, resume the books, get a permit; what came of it."""
        try:
            # Whoever still waits when the run is over is told to end, and gives up.
            claim = self._own.take(wait_s, is_to_stop=is_told)
        except (ShardTakenError, CoordinatorError) as error:
            self._own.close()
            self._switch.close()
            return {"began": False, "why": str(error)}
        self._exposure, limit = books_of(self._folder, claim.epoch)
        path = self._folder / f"{claim.epoch:06d}.book"
        self._book = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND)
        self._write(f"C {self._begun_ns} {claim.epoch} {self._exposure}")
        if limit:
            self._write(f"L {limit}")
        store = self._own.hand_over()
        self._reader = WatchedReader(
            self._terms, store, self._switch.permit, self._switch, self._entry
        )
        self._reader.heed = self._own.heed
        until_ns = boot_ns() + 10 * self._terms.ttl_ns
        while not self._reader.round():
            if boot_ns() > until_ns:
                return {"began": False, "why": self._reader.trouble}
        self._reader.start()
        return {"began": True, "epoch": claim.epoch}

    def turn(self) -> None:
        """Try to order once."""
        if self._reader is None:
            return
        goal = self._own.goal
        if goal is not None and goal != self._in_force:
            self._in_force = goal
            self._write(f"L {goal.limit}")
        if self._in_force is None:
            return
        self._own.report(self._in_force, Decimal(self._exposure))
        limit = int(self._in_force.limit)
        after = min(limit, self._exposure + self._chance.randint(1, STEP_MAX))
        if self._exposure >= limit or self._chance.random() < 0.3:
            after = max(0, min(self._exposure, limit) - self._chance.randint(0, STEP_MAX))
        gate_ns = boot_ns()
        if self._switch.flag[0] and self._blocked:
            self._switch.authority()
            return
        self._write(f"I {max(self._exposure, after)}")
        if why_closed(self._switch.authority(), 1, 0, 0) is None:
            self._write(f"O {gate_ns} {boot_ns()} {self._own.epoch} {after}")
            self._exposure = after
            self._blocked = False
        elif not self._blocked:
            self._blocked = True
            self._write(f"R {boot_ns()}")

    def end(self) -> dict[str, Any]:
        """End in order; the claim is given up."""
        if self._reader is None:
            return {"state": "NONE", "why": "never began"}
        self._reader.stop()
        os.close(self._book)
        status = self._switch.status()
        self._switch.close()
        return {
            "state": status.state.name,
            "why": status.why,
            "failed": self._reader.failed,
            "slowest_s": self._reader.slowest_s,
            "trouble": self._reader.last_trouble,
        }

    def _write(self, line: str) -> None:
        os.write(self._book, f"{line}\n".encode())

    def _entry(self, renewals: int, epoch: int) -> EngineEntry:
        said = self._own.said
        return msgspec.structs.replace(
            entry_of(self._token, self._terms, renewals, epoch, is_blocked=self._blocked),
            shard=self._terms.shard,
            claim=self._own.epoch,
            budget=None if said is None else said.limit,
            ledger=0 if said is None else said.version,
            exposure=Decimal(0) if said is None else said.exposure,
        )


class Mover:
    """The operator's hand on the budgets: it takes from one shard and gives to another."""

    def __init__(self, terms: Coordinator, seed: str) -> None:
        self._store = ShardStore(terms)
        self._chance = random.Random(seed)
        self._turns = 0
        self.moves = 0

    def make(self, total: int, shards: list[str]) -> dict[str, Any]:
        """A new ledger in place of the last run's."""
        grants = dict.fromkeys(shards, Decimal(total // len(shards)))
        while True:
            try:
                before, revision = self._store.budgets()
                fresh = begin_budgets(Decimal(total), grants)
                # The same key for all runs: versions go on, as they do for one fleet.
                version = 1 if before is None else before.version + 1
                made = Budgets(fresh.schema, fresh.total, fresh.granted, {}, version)
                if self._store.swap_budgets(made, revision):
                    return {}
            except CoordinatorError:
                continue

    def turn(self) -> None:
        """Settle, and move something now and then."""
        self._turns += 1
        if self._turns % 5:
            return
        try:
            budgets = settle_budgets(self._store)
            if budgets.free:
                to = self._chance.choice(sorted(budgets.granted))
                change_budgets(self._store, lambda each: give(each, to, each.free))
                self.moves += 1
            elif len(budgets.wanted) < 2:
                giver = self._chance.choice(sorted(budgets.granted))
                part = budgets.granted[giver] // 2
                if part:
                    change_budgets(self._store, lambda each: ask_back(each, giver, part))
        except (CoordinatorError, BudgetRefusedError):
            return  # the next turn tries again


def serve() -> None:
    """Obey the lines of standard input until it ends."""
    settings = json.loads(sys.argv[1])
    base = (
        settings["fleet"],
        settings["backend"],
        tuple(settings["endpoints"]),
        settings["ttl_ns"],
        settings["poll_ns"],
    )
    owner: Owner | None = None
    mover: Mover | None = None
    operator = Operator(Coordinator(*base))
    print("{}", flush=True)
    while True:
        busy = owner is not None or mover is not None
        if select.select([sys.stdin], [], [], settings["pace_s"] if busy else None)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            command = json.loads(line)
            answer: dict[str, Any] = {}
            match command["do"]:
                case "begin":
                    terms = Coordinator(*base, shard=command["shard"])
                    token = command["token"]
                    owner = Owner(terms, Path(command["folder"]), token, token)
                    answer = owner.begin(command["wait_s"])
                    if not answer["began"]:
                        owner = None
                case "end":
                    answer = {"state": "NONE", "why": ""} if owner is None else owner.end()
                    owner = None
                case "reset":
                    answer = operator.reset(command["floor"])
                case "move":
                    mover = Mover(Coordinator(*base), command["seed"])
                    answer = mover.make(command["total"], command["shards"])
                case "still":
                    answer = {"moves": 0 if mover is None else mover.moves}
                    mover = None
            print(json.dumps(answer), flush=True)
        if owner is not None:
            owner.turn()
        if mover is not None:
            mover.turn()


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    try:
        serve()
    except ClaimLostError as error:
        print(json.dumps({"began": False, "why": str(error)}), flush=True)
