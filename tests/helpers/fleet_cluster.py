"""Three etcd members in namespaces, and the history of their keys."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

from fleet_audit import Change
from fleet_network import Network
from servers import program
from waiting import wait_until

MEMBERS: Final = ("m0", "m1", "m2")
_ELECTION: Final = ("--heartbeat-interval", "100", "--election-timeout", "500")


class Cluster:
    """The members; each may be stopped, killed and started again."""

    def __init__(self, network: Network, folder: Path) -> None:
        self._network = network
        self._folder = folder
        self._etcd = program("etcd", "etcd-server")
        self._control = program("etcdctl", "etcd-client")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.urls = [f"http://{network.address(each)}:2379" for each in MEMBERS]
        for each in MEMBERS:
            self.start(each)

    def start(self, member: str) -> None:
        """Start a member with the data that it has."""
        network, address = self._network, self._network.address(member)
        peers = ",".join(f"{each}=http://{network.address(each)}:2380" for each in MEMBERS)
        command = [
            *(self._etcd, "--name", member, "--data-dir", str(self._folder / member), *_ELECTION),
            *("--listen-client-urls", f"http://{address}:2379,http://127.0.0.1:2379"),
            *("--advertise-client-urls", f"http://{address}:2379"),
            *("--listen-peer-urls", f"http://{address}:2380"),
            *("--initial-advertise-peer-urls", f"http://{address}:2380"),
            *("--initial-cluster", peers, "--initial-cluster-token", "campaign"),
            *("--logger", "zap", "--log-level", "fatal"),
        ]
        self._processes[member] = subprocess.Popen(
            network.inside(member, command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Members beside each other on few cores: threads that seek work cost more than it.
            env={**os.environ, "GOMAXPROCS": "1", "GOGC": "400"},
        )

    def signal(self, member: str, number: signal.Signals) -> None:
        self._processes[member].send_signal(number)
        if number is signal.SIGKILL:
            self._processes[member].wait()

    def mend(self) -> None:
        """Every member runs, and they have a leader."""
        for member, process in self._processes.items():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
            else:
                self.start(member)
        wait_until(lambda: bool(self.leader()), "the members to have a leader")

    def leader(self) -> str:
        """The member that leads, as a majority of the members say; "" when none does."""
        found = []
        for member in MEMBERS:
            answer = self._ask(member, "endpoint", "status", "-w", "json")
            if answer is None:
                continue
            status = json.loads(answer)[0]["Status"]
            if status.get("leader") == status["header"]["member_id"]:
                found.append((status["raftTerm"], member))
        return max(found)[1] if found else ""

    def wipe(self) -> None:
        """All members lose all of their data, and begin anew."""
        for member in MEMBERS:
            self.signal(member, signal.SIGKILL)
            shutil.rmtree(self._folder / member)
        for member in MEMBERS:
            self.start(member)

    def put(self, key: str, value: str | None) -> None:
        """Write a key as a stranger would; None deletes it."""
        words = ("del", key) if value is None else ("put", key, value)
        wait_until(lambda: self._somebody(*words) is not None, f"{words[0]} {key}")

    def history(self, since: int) -> list[Change]:
        """Every change of every key after the revision `since`."""
        answer = None

        def ask() -> bool:
            nonlocal answer
            answer = self._somebody("get", "logos/none", "-w", "json")
            return answer is not None

        wait_until(ask, "the cluster to answer")
        end = int(json.loads(answer or "{}")["header"]["revision"])
        changes: list[Change] = []
        last = since

        def follow() -> bool:
            nonlocal last
            last = self._watch(last, end, changes)
            return last >= end

        # A member that has not found its leader again ends a watch: another is begun behind it.
        wait_until(follow, "the whole history")
        return changes

    def _watch(self, since: int, end: int, changes: list[Change]) -> int:
        """Add what changed after the revision `since`; the last one heard of, at most `end`."""
        command = [
            *(self._control, "--endpoints", ",".join(self.urls), "watch", "--prefix", "logos/"),
            *("--rev", str(since + 1), "-w", "json"),
        ]
        last = since
        with subprocess.Popen(
            self._network.inside("op", command),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as watch:
            assert watch.stdout is not None
            while last < end:
                line = watch.stdout.readline()
                if not line:
                    break
                for event in json.loads(line).get("Events") or ():
                    kv = event["kv"]
                    last = int(kv["mod_revision"])
                    changes.append(Change(last, _text(kv["key"]), _value(event)))
            watch.kill()
        return last

    def close(self) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def _somebody(self, *words: str) -> str | None:
        """What the first member that does it answers."""
        for member in MEMBERS:
            if self._processes[member].poll() is None:
                answer = self._ask(member, *words)
                if answer is not None:
                    return answer
        return None

    def _ask(self, member: str, *words: str) -> str | None:
        """etcdctl from within a member, of that member alone; None when it fails."""
        if self._processes[member].poll() is not None:
            return None
        command = [
            *(self._control, "--endpoints", "http://127.0.0.1:2379"),
            *("--command-timeout", "1s", "--dial-timeout", "1s", *words),
        ]
        done = subprocess.run(
            self._network.inside(member, command),
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
        )
        return done.stdout if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    return {**os.environ, "ETCDCTL_API": "3"}


def _text(value: str) -> str:
    return base64.b64decode(value).decode()


def _value(event: dict[str, Any]) -> Any:
    """What a key was set to; None when it was deleted."""
    if event.get("type", 0) in (1, "DELETE"):
        return None
    return json.loads(_text(event["kv"].get("value", "")))
