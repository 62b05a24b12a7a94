"""Evidence, settled switches and faulty disks for the tests of the switch's files."""

from __future__ import annotations

import errno
import os
import time
from typing import Any

import msgspec
from switch_helpers import Workspace, no_space

from logos.core.types import SwitchState
from logos.killswitch import sensor as switch_sensor
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.evidence import NO_KEY, Copy, Evidence
from logos.killswitch.history import Tail
from logos.killswitch.judge import Cause, Consequence, Pending
from logos.killswitch.records import (
    NO_PREVIOUS,
    SCHEMA,
    Transition,
    encode_line,
)

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED
SECOND = 10**9
NOW_NS = 1_700_000_000 * SECOND


def settled(workspace: Workspace, **how: Any) -> CircuitBreaker:
    """An armed breaker that keeps its answer."""
    breaker = workspace.armed(**how)
    found = os.stat(workspace.arm_file)
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    while time.time_ns() - newest <= switch_sensor.SETTLE_NS:
        pass
    breaker.authority()
    assert breaker._sensor.glance() is SAFE
    return breaker


def evidence(epoch: int, granted: int, **changes: Any) -> Evidence:
    """A disk whose copies all hold one record of this epoch."""
    held = Transition(
        schema=SCHEMA, epoch=epoch, state="SAFE", was="ENGAGED", who="ann", why="checked",
        time_ns=NOW_NS, mode="paper", build="1.0", host="here", granted_epoch=granted,
        engaged_epoch=0, markers="", previous=NO_PREVIOUS,
    )  # fmt: skip
    line = encode_line(held)
    same = Copy(line, held, "", True)
    tail = Tail(True, line, 0, "")
    plain = Evidence("", None, None, same, same, tail, held, True, True, NO_KEY, (-1, -1))
    return msgspec.structs.replace(plain, **changes)


FOUND = evidence(5, 5)
GONE = msgspec.structs.replace(FOUND, armed=Copy(b"", None, "is missing", False))
SEEN_HARD = Pending(Cause(ENGAGED, Consequence.RECORD, "before"), 4, own=False)


def descriptor_count() -> int:
    return len(os.listdir("/proc/self/fd"))


def in_full(number: int, call: str, name: str) -> None:
    """The disk is full; only what was reserved before can be written."""
    if call != "pwrite":
        no_space(number, call, name)


def stuck(number: int, call: str, name: str) -> None:
    """The arm record cannot be swapped; everything else works."""
    if (call, name) == ("replace", "armed.json"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


ZEROS = "0" * 64


def transition(epoch: int = 5, **changes: Any) -> Transition:
    plain = Transition(
        schema=SCHEMA, epoch=epoch, state="ENGAGED", was="SAFE", who="ann", why="why", time_ns=5,
        mode="paper", build="1", host="h", granted_epoch=0, engaged_epoch=0, markers="",
        previous=ZEROS,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)
