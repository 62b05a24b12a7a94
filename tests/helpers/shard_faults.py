"""The faults of the shard campaign: what happens to the owner of one shard, or around it."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fleet_cluster import MEMBERS, Cluster
from fleet_faults import ENGINES, Machine, boot_ns
from fleet_network import Network

STANDBYS: Final = ("b0", "b1")


@dataclass
class ShardStage:
    """What a fault may play with. `target` owns the shard that a standby wants."""

    network: Network
    cluster: Cluster
    machines: dict[str, Machine]
    random: random.Random
    ttl_s: float
    target: str
    killed: list[str] = field(default_factory=list)
    cut_ns: int = 0
    """When the fault was whole."""

    def kill(self, node: str) -> None:
        self.machines[node].process.send_signal(signal.SIGKILL)
        self.machines[node].process.wait()
        self.killed.append(node)

    def stop(self, node: str) -> None:
        self.machines[node].process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        for node, machine in self.machines.items():
            if node not in self.killed:
                machine.process.send_signal(signal.SIGCONT)

    def leader(self) -> str:
        return self.cluster.leader() or MEMBERS[0]


Fault = Callable[[ShardStage], bool]
"""Plays a fault; whether the standby is to have the shard after it."""


def nothing(stage: ShardStage) -> bool:
    return False


def killed(stage: ShardStage) -> bool:
    stage.kill(stage.target)
    return True


def stopped(stage: ShardStage) -> bool:
    """The owner stands still until another has had its shard for a while, and then goes on."""
    stage.stop(stage.target)
    return True


def stopped_briefly(stage: ShardStage) -> bool:
    """It stands still for less than its permit lasts, and stays the owner."""
    stage.stop(stage.target)
    time.sleep(stage.random.uniform(0.05, 0.4) * stage.ttl_s)
    stage.go_on()
    return False


def stopped_to_the_edge(stage: ShardStage) -> bool:
    """It goes on at about the moment at which its claim ends; whoever has the shard then has it."""
    stage.stop(stage.target)
    time.sleep(stage.random.uniform(0.9, 1.1) * stage.ttl_s + stage.random.choice((0.0, 1.0, 2.0)))
    stage.go_on()
    return False


def cut_off(stage: ShardStage) -> bool:
    """The machine of the owner reaches no member; it trades at its venue until its permit ends."""
    stage.network.cut([stage.target], MEMBERS)
    return True


def deaf(stage: ShardStage) -> bool:
    """Its renewals arrive, and no answer comes back: its lease goes on for a moment."""
    stage.network.cut(MEMBERS, [stage.target], one_way=True)
    return True


def mute(stage: ShardStage) -> bool:
    stage.network.cut([stage.target], MEMBERS, one_way=True)
    return True


def cut_from_leader(stage: ShardStage) -> bool:
    """It reaches the other members, and stays the owner."""
    stage.network.cut([stage.target], [stage.leader()])
    return False


def flapping(stage: ShardStage) -> bool:
    """Cut and healed, each time for less than a permit lasts."""
    for _ in range(3):
        stage.network.cut([stage.target], MEMBERS)
        time.sleep(stage.random.uniform(0.05, 0.3) * stage.ttl_s)
        stage.network.heal()
        time.sleep(0.05)
    return False


def cut_and_killed(stage: ShardStage) -> bool:
    cut_off(stage)
    time.sleep(stage.random.uniform(0.0, 1.0) * stage.ttl_s)
    return killed(stage)


def leader_killed(stage: ShardStage) -> bool:
    """The leader and the owner die together: the new leader begins every lease anew."""
    stage.cluster.signal(stage.leader(), signal.SIGKILL)
    return killed(stage)


def leader_stopped(stage: ShardStage) -> bool:
    stage.cluster.signal(stage.leader(), signal.SIGSTOP)
    return cut_off(stage)


def leader_with_owner(stage: ShardStage) -> bool:
    """Leader and owner are cut off together: the old leader goes on answering for a moment."""
    leader = stage.leader()
    others = [each for each in MEMBERS if each != leader]
    rest = [each for each in stage.machines if each != stage.target]
    stage.network.cut([leader, stage.target], [*others, *rest, "op"])
    return True


def two_owners_cut(stage: ShardStage) -> bool:
    """Two owners are left with a member that has no majority."""
    member = stage.random.choice(MEMBERS)
    others = [each for each in MEMBERS if each != member]
    also = stage.random.choice([each for each in ENGINES if each != stage.target])
    left = [stage.target, also]
    rest = [each for each in stage.machines if each not in left]
    stage.network.cut([member, *left], [*others, *rest, "op"])
    return True


def quorum_lost(stage: ShardStage) -> bool:
    """Two members die: every permit ends, nobody can claim, until they are back."""
    for member in stage.random.sample(MEMBERS, 2):
        stage.cluster.signal(member, signal.SIGKILL)
    time.sleep(1.5 * stage.ttl_s)
    stage.cluster.mend()
    return True


SHARD_KINDS: Final[dict[str, Fault]] = {
    each.__name__: each
    for each in (
        *(killed, stopped, cut_off, deaf, mute, stopped_to_the_edge, leader_with_owner),
        *(leader_killed, two_owners_cut, stopped_briefly, cut_and_killed, leader_stopped),
        *(quorum_lost, cut_from_leader, flapping, nothing),
    )
}


def mark(stage: ShardStage, fault: Fault) -> bool:
    """Play it, and note when it began to be felt."""
    stage.cut_ns = boot_ns()
    return fault(stage)
