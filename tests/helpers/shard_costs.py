"""What a shard costs its coordinator: times, bytes and fsyncs of a renewal, the size of the ledger.

Three members of etcd and one owner, all on this machine: the times are of this machine, bytes and
fsyncs are not. Fsyncs and the bytes between members are what the members count themselves
(`etcd_disk_wal_fsync_duration_seconds_count`, `etcd_network_peer_sent_bytes_total`), with what they
count while nothing happens taken off.

    python tests/helpers/shard_costs.py --rounds 500 --shards 100
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

from etcd_servers import Cluster, etcd
from fleet_helpers import record

from logos.killswitch.fleet.ownership import Ownership
from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import EngineEntry
from logos.killswitch.fleet.shards import begin_budgets, encode_budgets
from logos.killswitch.fleet.store import Coordinator

FSYNCS = "etcd_disk_wal_fsync_duration_seconds_count"
PEER_BYTES = "etcd_network_peer_sent_bytes_total"


class Wire:
    """Counts what goes over HTTP connections, heads included."""

    sent = received = 0

    @classmethod
    def listen(cls) -> None:
        """Count from here on, for every connection of this process."""
        send, begin = http.client.HTTPConnection.send, http.client.HTTPResponse.begin
        read = http.client.HTTPResponse.read

        def counted_send(connection: http.client.HTTPConnection, data: Any) -> None:
            cls.sent += len(data)
            send(connection, data)

        def counted_begin(response: http.client.HTTPResponse) -> None:
            begin(response)
            heads = sum(len(name) + len(value) + 4 for name, value in response.getheaders())
            cls.received += heads

        def counted_read(response: http.client.HTTPResponse, amount: int | None = None) -> bytes:
            content = read(response, amount)
            cls.received += len(content)
            return content

        http.client.HTTPConnection.send = counted_send  # type: ignore[assignment]
        http.client.HTTPResponse.begin = counted_begin  # type: ignore[assignment]
        http.client.HTTPResponse.read = counted_read  # type: ignore[assignment]


def counted(cluster: Cluster, name: str) -> float:
    """A counter of all members together."""
    total = 0.0
    for url in cluster.urls:
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name):
                    total += float(line.rpartition(" ")[2])
    return total


def entry(own: Ownership, number: int) -> EngineEntry:
    said = own.said
    return EngineEntry(
        token=own.token, host="machine-042.example", workspace="/srv/logos/shards/s042",
        session="desk-s042", pid=12345, ttl_ns=own.terms.ttl_ns, renewed_ns=time.time_ns(),
        renewals=number, epoch=1, state="SAFE", shard="s0", claim=own.epoch,
        budget=None if said is None else said.limit, ledger=0 if said is None else said.version,
        exposure=Decimal("98765.43"),
    )  # fmt: skip


def measure(cluster: Cluster, rounds: int, shards: int) -> dict[str, Any]:
    """Renew so often, and take the figures."""
    terms = Coordinator("desk", "etcd", tuple(cluster.urls), 5 * 10**9, 10**9, shard="s0")
    own = Ownership(terms, "f" * 32, Path("/srv/logos/shards/s042"))
    grants = {f"s{number}": Decimal(100_000) for number in range(shards)}
    ledger = begin_budgets(Decimal(100_000 * shards), grants)
    own.store.swap(record(1), 0)
    own.store.swap_budgets(ledger, "0")
    began_ns = boot_ns()
    own.take(5.0)
    claim_ms = (boot_ns() - began_ns) / 1e6
    store = own.hand_over()
    idle = {name: counted(cluster, name) for name in (FSYNCS, PEER_BYTES)}
    began_s = time.monotonic()
    while time.monotonic() - began_s < 2.0:
        time.sleep(0.1)
    rate = {name: (counted(cluster, name) - idle[name]) / 2.0 for name in idle}
    Wire.sent = Wire.received = 0
    before = {name: counted(cluster, name) for name in idle}
    Wire.sent = Wire.received = 0
    began_s, took_ms, cpu_s = time.monotonic(), [], time.process_time()
    for number in range(rounds):
        round_ns = boot_ns()
        polled = store.poll(entry(own, number))
        own.heed(polled.budgets)
        took_ms.append((boot_ns() - round_ns) / 1e6)
        if own.goal is not None:
            own.report(own.goal, Decimal(5))
    spent_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    sent, received = Wire.sent, Wire.received
    after = {name: counted(cluster, name) for name in idle}
    own.close()
    took_ms.sort()
    per = {name: (after[name] - before[name] - rate[name] * spent_s) / rounds for name in idle}
    return {
        "rounds": rounds,
        "shards in the ledger": shards,
        "claim, ms": round(claim_ms, 2),
        "renewal p50, ms": round(statistics.median(took_ms), 2),
        "renewal p99, ms": round(took_ms[int(0.99 * (rounds - 1))], 2),
        "renewal, CPU of the owner, ms": round(1000 * cpu_s / rounds, 2),
        "renewal, bytes sent": sent // rounds,
        "renewal, bytes received": received // rounds,
        "renewal, bytes between 3 members": round(per[PEER_BYTES]),
        "renewal, fsyncs of 3 members": round(per[FSYNCS], 2),
        "ledger, bytes": len(encode_budgets(ledger)),
        "ledger, bytes a shard": round(len(encode_budgets(ledger)) / shards, 1),
    }


def main() -> int:
    """Read the command line, measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--shards", type=int, default=100)
    options = parser.parse_args()
    Wire.listen()
    with (
        tempfile.TemporaryDirectory(prefix="logos-shards-") as folder,
        etcd(Path(folder), 3) as cluster,
    ):
        print(json.dumps(measure(cluster, options.rounds, options.shards), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
