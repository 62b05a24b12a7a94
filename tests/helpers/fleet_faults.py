"""The faults of the fleet campaign, and the processes that they are played to."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fleet_cluster import MEMBERS, Cluster
from fleet_network import Network

ENGINES: Final = ("e0", "e1", "e2", "e3")
FLEET: Final = "camp"
PROGRAM: Final = Path(__file__).with_name("fleet_engine.py")
CONNECTED, SILENT, NEITHER = "connected", "silent", "neither"
"""What an engine is in a run: it hears of the kill; it hears nothing any more; or its fault may
stop it at any time between."""

ENDED: Final = "a process of the campaign ended"


def boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Machine:
    """A process of the campaign in its namespace."""

    def __init__(
        self, network: Network, node: str, settings: dict[str, Any], program: Path = PROGRAM
    ) -> None:
        command = [sys.executable, str(program), json.dumps(settings)]
        self.process = subprocess.Popen(
            network.inside(node, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.answer()

    def tell(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, ENDED
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.communicate()


@dataclass
class Stage:
    """What a fault may play with."""

    network: Network
    cluster: Cluster
    engines: dict[str, Machine]
    operator: Machine
    random: random.Random
    ttl_s: float
    roles: dict[str, str] = field(default_factory=dict)
    """What each engine is in this run; connected unless a fault says otherwise."""
    cut_ns: int = 0
    """When the silent ones had been cut off: a cut is many rules, and takes a moment."""
    horizon_ns: int = 0
    """Where the coordinator's history was lost: no permit can be from later than this."""

    def silence(self, *engines: str) -> None:
        self.roles |= dict.fromkeys(engines, SILENT)

    def others(self, member: str) -> list[str]:
        return [each for each in MEMBERS if each != member]


Fault = Callable[[Stage], bool]
"""Plays a fault; whether the fleet's switch is to be engaged after it."""


def nothing(stage: Stage) -> bool:
    return True


def engine_cut(stage: Stage) -> bool:
    """One engine reaches no member; it hears of no kill."""
    engine = stage.random.choice(ENGINES)
    stage.silence(engine)
    stage.network.cut([engine], MEMBERS)
    stage.cut_ns = boot_ns()
    return True


def engine_cut_alone(stage: Stage) -> bool:
    """The same, and nobody engages anything."""
    engine_cut(stage)
    stage.roles |= {each: NEITHER for each in ENGINES if each not in stage.roles}
    return False


def engine_deaf(stage: Stage) -> bool:
    """Its requests arrive, and no answer comes back."""
    engine = stage.random.choice(ENGINES)
    stage.silence(engine)
    stage.network.cut(MEMBERS, [engine], one_way=True)
    stage.cut_ns = boot_ns()
    return True


def engine_mute(stage: Stage) -> bool:
    """Its requests do not arrive."""
    engine = stage.random.choice(ENGINES)
    stage.silence(engine)
    stage.network.cut([engine], MEMBERS, one_way=True)
    stage.cut_ns = boot_ns()
    return True


def engine_cut_from_leader(stage: Stage) -> bool:
    """It reaches the others, and hears of the kill from them."""
    engine = stage.random.choice(ENGINES)
    stage.network.cut([engine], [stage.cluster.leader() or MEMBERS[0]])
    return True


def leader_isolated(stage: Stage) -> bool:
    """A leader that reaches no other member; the engines reach all three."""
    leader = stage.cluster.leader() or MEMBERS[0]
    stage.network.cut([leader], stage.others(leader))
    return True


def split(stage: Stage) -> bool:
    """Two engines are left with a member that has no majority, the operator with the others."""
    member = stage.random.choice(MEMBERS)
    left = stage.random.sample(ENGINES, 2)
    right = [each for each in ENGINES if each not in left]
    stage.silence(*left)
    others = stage.others(member)
    stage.network.cut([member, *left], [*others, *right, "op"])
    stage.cut_ns = boot_ns()
    return True


def quorum_lost(stage: Stage) -> bool:
    """Two members are killed: nobody can read, and nobody can engage."""
    stage.silence(*ENGINES)
    for member in stage.random.sample(MEMBERS, 2):
        stage.cluster.signal(member, signal.SIGKILL)
    stage.cut_ns = boot_ns()
    return False


def leader_killed(stage: Stage) -> bool:
    stage.cluster.signal(stage.cluster.leader() or MEMBERS[0], signal.SIGKILL)
    return True


def leader_stopped(stage: Stage) -> bool:
    """The leader stands still, with all its connections open."""
    stage.cluster.signal(stage.cluster.leader() or MEMBERS[0], signal.SIGSTOP)
    return True


def member_lost(stage: Stage) -> bool:
    leader = stage.cluster.leader()
    rest = [each for each in MEMBERS if each != leader]
    stage.cluster.signal(stage.random.choice(rest), signal.SIGKILL)
    return True


def key_deleted(stage: Stage) -> bool:
    stage.roles = dict.fromkeys(ENGINES, NEITHER)
    stage.cluster.put(f"logos/{FLEET}/switch", None)
    return False


def wiped(stage: Stage) -> bool:
    """All members lose their data; a switch that is SAFE is made again at once."""
    stage.roles = dict.fromkeys(ENGINES, NEITHER)
    stage.horizon_ns = boot_ns()
    stage.cluster.wipe()
    record = {"schema": "logos.fleet/1", "epoch": 1, "state": "SAFE"}
    safe = {**record, "who": "nobody", "why": "a fresh cluster", "time_ns": 1}
    stage.cluster.put(f"logos/{FLEET}/switch", json.dumps(safe))
    return False


def put_back(stage: Stage) -> bool:
    """Somebody writes an old record over the switch."""
    stage.roles = dict.fromkeys(ENGINES, NEITHER)
    record = {"schema": "logos.fleet/1", "epoch": 1, "state": "SAFE"}
    old = {**record, "who": "nobody", "why": "an old copy", "time_ns": 1}
    stage.cluster.put(f"logos/{FLEET}/switch", json.dumps(old))
    return False


def suspended(stage: Stage) -> bool:
    """An engine stands still for longer than its permit lasts; the fleet is engaged meanwhile."""
    engine = stage.random.choice(ENGINES)
    stage.silence(engine)
    stage.engines[engine].process.send_signal(signal.SIGSTOP)
    stage.cut_ns = boot_ns()
    return True


def suspended_briefly(stage: Stage) -> bool:
    """It stands still for a moment, goes on, and hears of the kill."""
    engine = stage.random.choice(ENGINES)
    stage.engines[engine].process.send_signal(signal.SIGSTOP)
    time.sleep(stage.random.uniform(0.05, 0.3) * stage.ttl_s)
    stage.engines[engine].process.send_signal(signal.SIGCONT)
    return True


def clock_forward(stage: Stage) -> bool:
    return _step(stage, 3_600.0)


def clock_back(stage: Stage) -> bool:
    return _step(stage, -3.0)


def _step(stage: Stage, seconds: float) -> bool:
    """The wall clock of an engine is set; its permit does not look at that one."""
    engine = stage.engines[stage.random.choice(ENGINES)]
    engine.tell(do="clock", seconds=seconds)
    engine.answer()
    return True


def flapping(stage: Stage) -> bool:
    """Cut and healed, several times, each time for less than a permit lasts; then engaged."""
    for _ in range(3):
        stage.network.cut([stage.random.choice(ENGINES)], MEMBERS)
        time.sleep(stage.random.uniform(0.05, 0.25) * stage.ttl_s)
        stage.network.heal()
    return True


KINDS: Final[dict[str, Fault]] = {
    each.__name__: each
    for each in (
        *(nothing, engine_cut, engine_cut_alone, engine_deaf, engine_mute),
        *(engine_cut_from_leader, leader_isolated, split, quorum_lost, leader_killed),
        *(leader_stopped, member_lost, key_deleted, wiped, put_back, suspended),
        *(suspended_briefly, clock_forward, clock_back, flapping),
    )
}
