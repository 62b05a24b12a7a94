"""The writing half of the switch: brings what a process knows onto the disk, under the lock.

Problem: engagements are seen by many processes at once, each transition must appear once, and a
reset must clear exactly what its person judged. Method: everything that changes the files happens
under one lock, after a fresh look. *Settling* comes first, always: whatever is known or evident
and not yet on record becomes a transition with an epoch of its own. Only then is a reset's epoch
compared, so an engagement nobody had written down yet makes that reset stale.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from logos.core.types import SwitchState
from logos.errors import LogosError
from logos.killswitch.evidence import ARMED_BY, Evidence
from logos.killswitch.files import Folder, describe
from logos.killswitch.history import CircuitBreakerMonitor, cut_torn, rotate_damaged
from logos.killswitch.judge import ENGAGED, SAFE, Cause, Consequence, Memory, Pending, judge
from logos.killswitch.ledger import LOCK_FILE, SwitchLedger
from logos.killswitch.records import (
    SCHEMA,
    StaleEpochError,
    SwitchBusyError,
    Transition,
    encode_line,
    state_name,
)
from logos.killswitch.sensor import SwitchSensor

SETTLES_MAX: Final = 4
DONE_MAX: Final = 64
"""How many written engagements are remembered, for threads that come to write them as well."""
RETRY_NS: Final = 200_000_000
"""How often a record that could not be written is tried again while looking."""


class NotRecordedError(LogosError):
    """The arm record does not hold what it should; the message says what failed."""


class SwitchWriter:
    """Writes transitions for one `CircuitBreaker`. One thread at a time holds `mutex`."""

    __slots__ = (
        "_clock",
        "_done",
        "_ledger",
        "_refusal_ns",
        "_sensor",
        "granting",
        "mutex",
        "trouble",
    )

    def __init__(
        self, ledger: SwitchLedger, sensor: SwitchSensor, clock: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._sensor = sensor
        self._clock = clock
        self._refusal_ns = -RETRY_NS
        self.mutex = threading.RLock()
        self.trouble: tuple[str, ...] = ()
        """What the last attempt to write could not write, in words."""
        self._done: deque[Pending] = deque(maxlen=DONE_MAX)
        self.granting = b""
        """The line of the last grant that was begun."""

    def retry_now(self) -> None:
        """Let the next `record` try at once, however recently one failed."""
        self._refusal_ns = time.monotonic_ns() - RETRY_NS

    def check_history(self) -> None:
        """Verify the whole history, which a look does not."""
        self._sensor.history_problem = self._monitor().problem()

    def record(
        self, wait_s: float, *, own: Pending | None = None, strict_markers: bool = False
    ) -> bool:
        """Bring what this process knows onto the disk; True when that is done.

        `own` is the engagement the caller answers for; otherwise whatever is pending. Does not
        raise for the disk: what failed is in `trouble`, and stays pending.
        """
        pending = own or self._sensor.memory.pending
        if self._sensor.terms.network_problem and not (pending is not None and pending.own):
            return False
        if pending is None and not strict_markers:
            return True
        recently = time.monotonic_ns() - self._refusal_ns < RETRY_NS
        if wait_s == 0.0 and recently:
            return False
        if not self.mutex.acquire(timeout=wait_s):
            return False
        self.trouble = ()
        try:
            if pending is not None:
                self._ledger.make()
            with self._ledger.open() as folder, folder.locked(LOCK_FILE, wait_s):
                self.settle(folder, own=own, strict_markers=strict_markers)
            return self._sensor.memory.pending is None or own is not None
        except SwitchBusyError as error:
            self.trouble = (str(error),)
        except NotRecordedError as error:
            self.trouble = (str(error),)
            self._refusal_ns = time.monotonic_ns()
        except OSError as error:
            self.trouble = (describe(error, str(self._ledger.folder_path)),)
            self._refusal_ns = time.monotonic_ns()
        finally:
            self.mutex.release()
        return False

    def repair(self) -> None:
        """Make good what a crash left unwritten of an ENGAGED record. Tries, does not wait."""
        if time.monotonic_ns() - self._refusal_ns < RETRY_NS or not self.mutex.acquire(timeout=0):
            return
        try:
            with self._ledger.open() as folder, folder.locked(LOCK_FILE, 0.0):
                evidence = self._ledger.look()
                self._ledger.release(evidence)
                if self._ledger.is_behind(evidence):
                    self._ledger.repair(folder, evidence)
        except (OSError, SwitchBusyError):
            self._refusal_ns = time.monotonic_ns()
        finally:
            self.mutex.release()

    def settle(
        self, folder: Folder, *, own: Pending | None = None, strict_markers: bool = False
    ) -> None:
        """Under the lock: write what is pending or evident, or find that it is moot.

        `own` is written even when another thread's engagement has taken its place in memory, so
        that each has its line in the history. Raises NotRecordedError, OSError.
        """
        if self._sensor.history_problem:
            self.check_history()
        evidence, verdict = self._sensor.look(strict_markers=strict_markers)
        pending = own or self._sensor.memory.pending
        if pending is None or any(done is pending for done in self._done):
            return
        if not pending.own and self._is_moot(pending, evidence, strict_markers):
            self._sensor.drop_pending(pending)
            return
        record = evidence.armed.transition
        if record is not None and record.severity > pending.cause.state:
            self._sensor.drop_pending(pending)
            return
        found = verdict.first(Consequence.RECORD, Consequence.CONFIRM)
        worse = found is not None and found.state > pending.cause.state
        self._write(folder, found if found is not None and worse else pending.cause, evidence)
        self._done.append(pending)
        self._sensor.drop_pending(pending)
        self._sensor.look()

    def _is_moot(self, pending: Pending, evidence: Evidence, strict_markers: bool) -> bool:
        """Whether what was seen is on record since, or was a writer at work."""
        record = evidence.armed.transition
        if record is None:
            return False
        if record.engaged_epoch > pending.seen_epoch:
            return True
        if record.epoch > pending.seen_epoch and record.severity >= pending.cause.state:
            return True
        if pending.cause.follow is not Consequence.CONFIRM:
            return False
        sensor = self._sensor
        memory = Memory(epoch=sensor.memory.epoch, line=sensor.memory.line)
        flag = sensor.shared_hint()
        again = judge(
            evidence,
            memory,
            sensor.terms,
            now_ns=self._clock(),
            flag=flag,
            history_problem=sensor.history_problem,
            strict_markers=strict_markers,
        )
        return again.first(Consequence.RECORD, Consequence.CONFIRM) is None

    def _write(self, folder: Folder, cause: Cause, evidence: Evidence) -> None:
        """Record a cause. Raises NotRecordedError when the arm record could not be written."""
        transition = self._transition(cause.state, cause.who, cause.why, evidence)
        problems = self._ledger.write_raise(folder, transition, evidence)
        if problems and not self._ledger.holds(encode_line(transition)):
            raise NotRecordedError("; ".join(problems))
        self.trouble = tuple(problems)

    def _transition(
        self,
        state: SwitchState,
        who: str,
        why: str,
        evidence: Evidence,
        *,
        is_grant: bool = False,
    ) -> Transition:
        record = evidence.armed.transition
        epoch = max(evidence.epoch, self._sensor.memory.epoch) + 1
        terms = self._sensor.terms
        # Only a grant says what is permitted; tightening leaves that as it was.
        permits = record if record is not None and not is_grant else terms
        return Transition(
            schema=SCHEMA,
            epoch=epoch,
            state=state_name(state),
            was=record.state if record is not None else ("NEW" if evidence.is_new else "ENGAGED"),
            who=who,
            why=why,
            time_ns=self._clock(),
            mode=permits.mode,
            build=permits.build,
            host=permits.host,
            granted_epoch=epoch if is_grant else (record.granted_epoch if record else 0),
            engaged_epoch=epoch if state is ENGAGED else (record.engaged_epoch if record else 0),
            markers=evidence.markers,
            previous=self._ledger.previous_for(evidence),
        )

    def arm_locked(self, folder: Folder) -> bool:
        """Under the lock: arm for paper if this is new, or finish what was cut short of that.

        Raises OSError.
        """
        self.granting = b""
        evidence, _ = self._sensor.look()
        memory = self._sensor.memory
        is_new = evidence.is_new and not memory.epoch and memory.pending is None
        if is_new:
            self._arm(folder, evidence)
        self._ledger.drop_arming(folder)
        return is_new

    def _arm(self, folder: Folder, evidence: Evidence) -> None:
        if evidence.tail.line:
            self.granting = evidence.tail.line
            self._ledger.finish_grant(folder, evidence.tail.line)
            return
        self._ledger.mark_arming(folder)
        why = "first session on this machine: armed for paper"
        transition = self._transition(SAFE, ARMED_BY, why, evidence, is_grant=True)
        self.granting = encode_line(transition)
        self._ledger.write_grant(folder, transition, evidence)

    def reset_locked(
        self, folder: Folder, state: SwitchState, who: str, why: str, epoch: int
    ) -> None:
        """Under the lock: settle, compare the epoch, turn `state`: SAFE or REDUCE_ONLY.

        Raises StaleEpochError, ResetRefusedError, NotRecordedError, OSError.
        """
        self.granting = b""
        self.check_history()
        evidence = self._settled(folder)
        current = max(evidence.epoch, self._sensor.memory.epoch)
        if epoch != current:
            record = evidence.armed.transition
            raise StaleEpochError(epoch, current, record.why if record else "no arm record")
        if not self._ledger.take_markers(folder, evidence):
            current = self._settled(folder).epoch
            raise StaleEpochError(epoch, current, "a marker was touched during the reset")
        cut_torn(folder)
        if self._monitor().problem():
            rotate_damaged(folder)
            self._sensor.history_problem = ""
            evidence, _ = self._sensor.look()
        transition = self._transition(state, who, why, evidence, is_grant=True)
        self.granting = encode_line(transition)
        self._ledger.write_grant(folder, transition, evidence)
        with contextlib.suppress(OSError):  # What is left over is healed at the next look.
            self._sensor.clear_shared(transition.epoch)
            self._ledger.drop_taken(folder)

    def _settled(self, folder: Folder) -> Evidence:
        """The evidence, once all of it is on record. Raises NotRecordedError, OSError."""
        for _ in range(SETTLES_MAX):
            self.settle(folder, strict_markers=True)
            evidence, _ = self._sensor.look(strict_markers=True)
            if self._sensor.memory.pending is None:
                return evidence
        raise NotRecordedError("the switch keeps being engaged")

    def _monitor(self) -> CircuitBreakerMonitor:
        return CircuitBreakerMonitor(self._ledger.folder_path, layer=self._ledger.layer)
