"""A fleet for tests: records, and a coordinator in memory that can be cut off."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from traceback import extract_stack
from typing import Any

import msgspec
from waiting import wait_until

from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import (
    SCHEMA,
    CoordinatorError,
    EngineEntry,
    FleetRecord,
    Reading,
)
from logos.killswitch.fleet.store import Coordinator, Polled, Store

SECOND = 1_000_000_000
WAIT_S = 10.0


def record(epoch: int, state: str = "SAFE", who: str = "ann", **other: Any) -> FleetRecord:
    """A record, which may be one that no coordinator should hold."""
    fields: dict[str, Any] = {"schema": SCHEMA, "why": "tests", "time_ns": 1, **other}
    return FleetRecord(epoch=epoch, state=state, who=who, **fields)  # type: ignore[arg-type]


def value_of(of: FleetRecord) -> bytes:
    return msgspec.json.encode(of)


def terms(*endpoints: str, ttl_s: float = 5, poll_s: float = 1, **other: Any) -> Coordinator:
    fields: dict[str, Any] = {"fleet": "desk", "backend": "etcd", **other}
    return Coordinator(
        endpoints=endpoints, ttl_ns=round(ttl_s * SECOND), poll_ns=round(poll_s * SECOND), **fields
    )


def closed_while_it_waits(store: Store) -> bool:
    """Close a store while another thread waits for news; what that thread is told, at once."""
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(store.wait, WAIT_S)
        wait_until(_something_reads, "the thread to wait")
        began_s = time.monotonic()
        store.close()
        answer = told.result()
        assert time.monotonic() - began_s < WAIT_S / 2
    return answer


def _something_reads() -> bool:
    """Whether a thread is where the clients of etcd and Redis read from a socket."""
    stacks = [extract_stack(frame) for frame in sys._current_frames().values()]
    return any(stack[-1].name in ("readinto", "_read_from_socket") for stack in stacks)


class MemoryStore:
    """A coordinator in this process. `cut` it off and it does not answer."""

    def __init__(self, clock: Callable[[], int] = boot_ns) -> None:
        self.limits = ""
        self.cluster = "c1"
        self.position = 1
        self.value: bytes | None = None
        self.revision = 0
        self.entries: dict[str, EngineEntry] = {}
        self.is_cut = False
        self.is_closed = False
        self.lease_ns = 15 * SECOND
        self._clock = clock

    def put(self, of: FleetRecord | None) -> None:
        self.position += 1
        self.value = None if of is None else value_of(of)
        self.revision = 0 if of is None else self.position

    def poll(self, entry: EngineEntry) -> Polled:
        self._check()
        self.position += 1
        self.entries[entry.token] = entry
        return Polled(self.read(), self._clock() + self.lease_ns)

    def read(self) -> Reading:
        self._check()
        return Reading(self.cluster, self.position, self.value, self.revision)

    def swap(self, of: FleetRecord, revision: int) -> int:
        self._check()
        if revision != self.revision:
            return 0
        self.put(of)
        return self.revision

    def engines(self) -> Sequence[EngineEntry]:
        self._check()
        return list(self.entries.values())

    def wait(self, timeout_s: float) -> bool:
        return threading.Event().wait(min(timeout_s, 0.02))

    def close(self) -> None:
        self.is_closed = True

    def _check(self) -> None:
        if self.is_cut:
            raise CoordinatorError("cut off")
