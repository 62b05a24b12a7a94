"""Machines of a fleet on one machine: network namespaces that can be cut off from each other.

Each node has a namespace and an address of its own, and a hub that forwards between them. To cut
two nodes is a rule in the hub that drops what one sends to the other: connections stay open and
hang, as they do when a cable is pulled. Needs root, `ip` and `iptables`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from places import absent
from servers import program


class Network:
    """Namespaces by the name of their node."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._hub = f"{prefix}hub"
        self._nodes: dict[str, int] = {}
        _ip("netns", "add", self._hub)
        _ip("-n", self._hub, "link", "set", "lo", "up")
        self._in_hub("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def add(self, node: str) -> str:
        """Add a node; its address."""
        number = len(self._nodes) + 1
        self._nodes[node] = number
        space = self._prefix + node
        _ip("netns", "add", space)
        ends = (f"{node}0", f"h{number}")
        _ip("link", "add", ends[0], "netns", space, "type", "veth", "peer", "name", ends[1],
            "netns", self._hub)  # fmt: skip
        for where, end, last in ((space, ends[0], 2), (self._hub, ends[1], 1)):
            _ip("-n", where, "addr", "add", f"10.87.{number}.{last}/24", "dev", end)
            _ip("-n", where, "link", "set", end, "up")
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", space, "route", "add", "default", "via", f"10.87.{number}.1")
        return self.address(node)

    def address(self, node: str) -> str:
        return f"10.87.{self._nodes[node]}.2"

    def inside(self, node: str, command: Sequence[str]) -> list[str]:
        """The command, to be run within a node."""
        return ["ip", "netns", "exec", self._prefix + node, *command]

    def cut(self, one: Iterable[str], other: Iterable[str], *, one_way: bool = False) -> None:
        """Nothing that `one` sends reaches `other`; nor the other way, unless it is `one_way`."""
        others = list(other)
        for a in one:
            for b in others:
                self._drop(a, b)
                if not one_way:
                    self._drop(b, a)

    def heal(self) -> None:
        """Everybody reaches everybody."""
        self._in_hub("iptables", "-F", "FORWARD")

    def close(self) -> None:
        for name in (*(self._prefix + node for node in self._nodes), self._hub):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def _drop(self, source: str, target: str) -> None:
        addresses = ("-s", self.address(source), "-d", self.address(target))
        self._in_hub("iptables", "-A", "FORWARD", *addresses, "-j", "DROP")

    def _in_hub(self, *command: str) -> None:
        subprocess.run(
            ["ip", "netns", "exec", self._hub, *command], check=True, capture_output=True
        )


@contextmanager
def network(nodes: Sequence[str], world: str = "") -> Iterator[Network]:
    """A network of these nodes; skips the test where there can be none.

    Networks of one process have a `world` each; their addresses are the same, and never meet.
    """
    program("ip", "iproute2")
    program("iptables", "iptables")
    prefix = f"lf{os.getpid() % 100_000}{world}"
    try:
        made = Network(prefix)
    except subprocess.CalledProcessError as error:
        absent(f"no network namespaces here ({error.stderr.decode(errors='replace').strip()})")
    try:
        for node in nodes:
            made.add(node)
        yield made
    finally:
        made.close()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
