"""The permit: for how long an engine may go on without hearing from its fleet. Pure rules.

Problem: a message "stop" may not arrive, and whoever does not hear it trades on. Method: silence
stops. An engine may trade only while its last reading of the fleet's switch is younger than the
time to live. The age counts from the *start* of the request: whatever was engaged later than that
may have been missed. A permit that ran out once is gone, whatever is read afterwards, until a
person has reset the switch of this machine: nothing returns by itself.

`judge_reading` says what one reading means beside what was known. A `Permit` holds the deadline
that gate 2 compares with the clock: an attribute, one integer. Times are nanoseconds of a clock
that runs on while the machine sleeps and that nobody sets (CLOCK_BOOTTIME).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from logos.core.types import SwitchState
from logos.killswitch.fleet.records import (
    FleetRecord,
    Reading,
    ValueDamagedError,
    decode_record,
)

SAFE: Final = SwitchState.SAFE
REDUCE_ONLY: Final = SwitchState.REDUCE_ONLY
ENGAGED: Final = SwitchState.ENGAGED


def boot_ns() -> int:
    """Nanoseconds since the machine was started, time in suspend included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Known(msgspec.Struct, frozen=True):
    """What an engine has seen of its fleet's coordinator."""

    cluster: str = ""
    """Empty before the first reading."""
    position: int = 0
    epoch: int = 0
    value: bytes = b""
    """The record of that epoch, byte for byte; empty where that is not known."""


class Judgment(msgspec.Struct, frozen=True):
    """What a reading means."""

    state: SwitchState
    why: str
    who: str
    known: Known
    """What is known from now on."""
    record: FleetRecord | None = None
    is_doubt: bool = False
    """It is not the fleet's switch that says so, but a doubt about the coordinator."""


def judge_reading(fleet: str, known: Known, reading: Reading) -> Judgment:
    """Judge a reading that was begun after the one that `known` is of had ended.

    Any doubt is ENGAGED. After a doubt the reading is what is known: the doubt itself is kept by
    whoever latches it, and a person who clears that has decided that this is the fleet's switch.
    """
    value, record, problem = reading.value, None, ""
    if value is None:
        problem = "has no switch: the key is not there (never made, deleted, or wiped)"
    else:
        try:
            record = decode_record(value)
        except ValueDamagedError as error:
            problem = f"cannot be judged: its switch {error}"
    epoch = 0 if record is None else record.epoch
    after = Known(reading.cluster, reading.position, epoch, value or b"")
    problem = _contradiction(known, after, record) or problem
    if problem or record is None:
        why = f"fleet {fleet} {problem}"
        return Judgment(ENGAGED, why, "coordinator", after, record, is_doubt=True)
    why = (
        ""
        if record.severity is SAFE
        else (f"fleet {fleet} is {record.state} at epoch {record.epoch}: {record.why}")
    )
    return Judgment(record.severity, why, record.who, after, record)


def _contradiction(known: Known, after: Known, record: FleetRecord | None) -> str:
    """How a reading contradicts what was known; empty when it does not."""
    if not known.cluster:
        return ""
    if after.cluster != known.cluster:
        return f"is kept by another cluster ({after.cluster}) than before ({known.cluster})"
    if after.position < known.position:
        return (
            f"is kept by a cluster that is at revision {after.position}, and was at "
            f"{known.position}: an older copy was put back"
        )
    if record is None:
        return ""
    if record.epoch < known.epoch:
        return f"is at epoch {record.epoch}, and was at {known.epoch}: an older copy was put back"
    if record.epoch == known.epoch and known.value not in (b"", after.value):
        return f"has two different records of epoch {record.epoch}"
    return ""


class Permit:
    """One engine's permit. Thread-safe.

    `deadline_ns` is for gate 2: orders may leave before it, and it is 0 whenever the fleet's switch
    is not SAFE or the permit is gone. Read the attribute each time.
    """

    __slots__ = (
        "_clock",
        "_fresh_ns",
        "_is_gone",
        "_lock",
        "_lost_at",
        "_state",
        "_why",
        "claim",
        "deadline_ns",
        "epoch",
        "fleet",
    )

    def __init__(self, fleet: str, clock: Callable[[], int] = boot_ns) -> None:
        self.fleet = fleet
        self.deadline_ns = 0
        self.epoch = 0
        """Of the fleet's switch, as it was last read."""
        self.claim = 0
        """Of the claim to the shard that the permit is for; 0: it is for none."""
        self._clock = clock
        self._lock = threading.Lock()
        self._state = ENGAGED
        self._fresh_ns = 0
        self._is_gone = False
        self._lost_at: int | None = None
        self._why = f"fleet {fleet} has given no permit yet"

    def renew(self, state: SwitchState, epoch: int, until_ns: int, why: str = "") -> None:
        """The fleet's switch was read: it is in `state`, which counts until `until_ns`.

        A permit that ran out before is gone, and this does not bring it back.
        """
        with self._lock:
            now_ns = self._clock()
            self._lapse_if_due(now_ns)
            self.epoch = epoch
            self._state = state
            self._fresh_ns = until_ns if state is not ENGAGED else 0
            if state is ENGAGED:
                self._lose(why)
            elif not self._is_gone:
                self._why = why
                self.deadline_ns = until_ns if state is SAFE else 0

    def revoke(self, why: str) -> None:
        """There is a doubt about the fleet's switch: no permit."""
        with self._lock:
            self._state, self._fresh_ns = ENGAGED, 0
            self._lose(why)

    def standing(self, granted_epoch: int) -> tuple[SwitchState, str]:
        """What the permit allows now, and why not more; for whoever finds the deadline passed.

        `granted_epoch` is of the newest reset of this machine's switch. A permit that is gone comes
        back by a reset that is newer than the one at `lost`, and by a reading that still counts.
        """
        with self._lock:
            now_ns = self._clock()
            self._lapse_if_due(now_ns)
            if now_ns >= self._fresh_ns:
                self._lose(self._why or self._expired(now_ns))
            if self._is_gone and self._lost_at is None:
                self._lost_at = granted_epoch
            is_back = self._lost_at is not None and granted_epoch > self._lost_at
            if now_ns >= self._fresh_ns or (self._is_gone and not is_back):
                return ENGAGED, self._why
            self._is_gone = False
            self._why = ""
            if self._state is SAFE:
                self.deadline_ns = self._fresh_ns
            else:
                self._why = f"fleet {self.fleet} is REDUCE_ONLY at epoch {self.epoch}"
            return self._state, self._why

    def lost(self, granted_epoch: int) -> None:
        """This machine's switch is engaged over it, after the reset of `granted_epoch`: only a
        newer one can bring the permit back."""
        with self._lock:
            if self._is_gone:
                self._lost_at = max(self._lost_at or 0, granted_epoch)

    def left_ns(self) -> int:
        """How long it still counts, nanoseconds; 0 when it does not."""
        return max(0, self.deadline_ns - self._clock())

    def _lapse_if_due(self, now_ns: int) -> None:
        if self._fresh_ns and now_ns >= self._fresh_ns and not self._is_gone:
            self._lose(self._expired(now_ns))

    def _expired(self, now_ns: int) -> str:
        if not self._fresh_ns:
            return f"fleet {self.fleet} has given no permit yet"
        late_s = (now_ns - self._fresh_ns) / 1e9
        return (
            f"the permit of fleet {self.fleet} has expired: its coordinator could not be read in "
            f"time (expired {late_s:.1f} s ago)"
        )

    def _lose(self, why: str) -> None:
        if not self._is_gone:
            self._why, self._lost_at = why, None
        self._is_gone = True
        self.deadline_ns = 0
