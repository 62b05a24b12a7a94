"""The reading half of the switch: fast while nothing changes, thorough when something does.

Problem: an order wants an answer from the file system in a few microseconds, but a thorough look
reads five files. Method: a thorough look that ends in a plain answer is kept together with the
identity of the arm record it was based on, and with the record held open. As long as the same
identity stands under the name and no marker has appeared, the answer stands.

Why that is sound. All writers swap the arm record for a new file and never change it in place. The
old file is held open, so its inode number cannot be given to another one; hence an equal (inode,
mtime, ctime, size, device) means the same file. Somebody else's change in place moves ctime, except
within one tick of the file system's clock; so an answer is only kept once the file's times are
`SETTLE_NS` old. Markers are looked for by name every time. Witness and history need no look: every
change of the switch also swaps the arm record, and a folder put back from a copy brings a new one.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from logos.core.types import SwitchState
from logos.killswitch.evidence import Evidence, Key
from logos.killswitch.files import Folder, describe
from logos.killswitch.flag import SharedFlag
from logos.killswitch.judge import (
    CLOCK_TOLERANCE_NS,
    ENGAGED,
    SAFE,
    Consequence,
    Memory,
    Pending,
    Terms,
    Verdict,
    judge,
)
from logos.killswitch.ledger import ARM_FILE, FLAG_FILE, KILL_FILE, REDUCE_FILE, SwitchLedger
from logos.killswitch.mounts import network_problem

SETTLE_NS: Final = 100_000_000
"""A file's times must be this old before its identity is trusted; clocks of disks tick in ms."""

Buffer = mmap.mmap | bytes
Fast = tuple[SwitchState, int, Key]
"""State, descriptor of the folder, identity of the arm record."""

_stat = os.stat
_exists = os.access
_FOUND = os.F_OK


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())


class SwitchSensor:
    """Looks at one switch for one process; what it saw, it does not forget."""

    __slots__ = (
        "__weakref__",
        "_arm_path",
        "_clock",
        "_close",
        "_device",
        "_fast",
        "_flag",
        "_held",
        "_latest_ns",
        "_lock",
        "_mount_table",
        "_shared",
        "history_problem",
        "ledger",
        "memory",
        "terms",
    )

    def __init__(
        self, ledger: SwitchLedger, terms: Terms, clock: Callable[[], int], mount_table: Path
    ) -> None:
        self.ledger = ledger
        self.terms = terms
        self.memory = Memory()
        self.history_problem = ""
        self._flag: Buffer = bytes([ENGAGED])
        self._clock = clock
        self._mount_table = mount_table
        self._arm_path = os.fspath(ledger.folder_path / ARM_FILE)
        self._lock = threading.RLock()
        self._shared: SharedFlag | None = None
        self._fast: Fast | None = None
        self._latest_ns = 0
        self._device = 0
        self._held: list[int] = []
        self._close = weakref.finalize(self, _close_all, self._held)
        self._check_mount(-1)

    def close(self) -> None:
        """Let go of the descriptors. A closed sensor still answers, only slower."""
        self._fast = None
        with self._lock:
            _close_all(self._held)
            if self._shared is not None:
                self._shared.close()
                self._shared = None

    def glance(self) -> SwitchState | None:
        """The kept answer if it still stands, else None. Two or three system calls."""
        fast = self._fast
        if fast is None:
            return None
        state, folder, key = fast
        if state is not ENGAGED and (
            _exists(KILL_FILE, _FOUND, dir_fd=folder, follow_symlinks=False)
            or (
                state is SAFE and _exists(REDUCE_FILE, _FOUND, dir_fd=folder, follow_symlinks=False)
            )
        ):
            return None
        try:
            found = _stat(self._arm_path, follow_symlinks=False)
        except OSError:
            return None
        inode, mtime_ns, ctime_ns, size, device = key
        if (
            found.st_ino != inode
            or found.st_mtime_ns != mtime_ns
            or found.st_ctime_ns != ctime_ns
            or found.st_size != size
            or found.st_dev != device
        ):
            return None
        now_ns, latest_ns = self._clock(), self._latest_ns
        if now_ns > latest_ns:
            self._latest_ns = now_ns
        elif now_ns < latest_ns - CLOCK_TOLERANCE_NS:
            return None
        # Had another thread replaced the answer meanwhile, the descriptor used may be closed.
        return state if self._fast is fast else None

    def look(self, *, strict_markers: bool = False) -> tuple[Evidence, Verdict]:
        """Look at everything, remember it, and show it in the flag. Never raises, never blocks."""
        memory = msgspec.structs.replace(self.memory, latest_ns=self._latest_ns)
        evidence = self.ledger.look()
        kept = False
        try:
            self._check_mount(evidence.key[4])
            self._open_flag(evidence)
            verdict = judge(
                evidence,
                memory,
                self.terms,
                now_ns=(now_ns := self._clock()),
                flag=self.shared_hint(),
                history_problem=self.history_problem,
                strict_markers=strict_markers,
            )
            with self._lock:
                self._remember(evidence, verdict, now_ns)
                self._show(evidence, verdict)
                kept = self._keep(evidence, verdict)
        finally:
            if not kept:
                self.ledger.release(evidence)
        return evidence, verdict

    def stop_at_once(self, pending: Pending) -> None:
        """Engage in memory and in the flag, before anything touches the disk."""
        with self._lock:
            before = self.memory.pending
            keep = before is not None and before.own and before.cause.state > pending.cause.state
            self._fast = None
            self.memory = msgspec.structs.replace(
                self.memory,
                pending=before if keep else pending,
                latched=max(self.memory.latched, pending.cause.state),
                latched_epoch=max(self.memory.latched_epoch, self.memory.epoch),
            )
            self.show_shared(pending.cause.state)

    def drop_pending(self, pending: Pending) -> None:
        """What was pending is on the disk now, or turned out to be nothing."""
        with self._lock:
            if self.memory.pending is pending:
                self.memory = msgspec.structs.replace(self.memory, pending=None)

    def show_shared(self, state: SwitchState) -> None:
        """Hint to everybody; when that fails, at least to whoever reads this object's flag."""
        with self._lock:
            try:
                if self._shared is None:
                    raise FileNotFoundError
                self._shared.hint(state, self.memory.epoch)
                self._flag = self._shared.view
            except OSError:
                self._flag = bytes([state])

    def current_flag(self) -> Buffer:
        """The buffer that gate 1 should read from now on."""
        with self._lock:
            return self._flag

    def shared_hint(self) -> tuple[int, int]:
        """State and epoch in the shared flag; nothing when there is no flag."""
        shared = self._shared
        return shared.read() if shared is not None else (0, 0)

    def clear_shared(self, epoch: int) -> None:
        """After a grant, under the writers' lock. Raises OSError."""
        with self._lock:
            if self._shared is not None:
                self._shared.clear(epoch)

    def _check_mount(self, device: int) -> None:
        if device != self._device:
            self._device = device
            problem = network_problem(self.ledger.folder_path, self._mount_table)
            self.terms = msgspec.structs.replace(self.terms, network_problem=problem)

    def _open_flag(self, evidence: Evidence) -> None:
        """See to it that the flag file on the disk is the one mapped here."""
        descriptor = evidence.descriptors[0]
        if descriptor < 0 or evidence.is_unarmed:
            return
        problem = ""
        with self._lock:
            try:
                folder = Folder.borrowed(self.ledger.layer, self.ledger.folder_path, descriptor)
                found = folder.status(FLAG_FILE)
                if self._shared is None or found is None or found.st_ino != self._shared.inode:
                    fresh = SharedFlag(folder, FLAG_FILE)
                    if self._shared is not None:
                        self._shared.close()
                    self._shared = fresh
            except OSError as error:
                problem = describe(error, str(self.ledger.folder_path / FLAG_FILE))
            except ValueError:  # what mmap says to a file that somebody cuts short meanwhile
                problem = f"{self.ledger.folder_path / FLAG_FILE} does not keep its size"
            if problem != self.terms.flag_problem:
                self.terms = msgspec.structs.replace(self.terms, flag_problem=problem)

    def _remember(self, evidence: Evidence, verdict: Verdict, now_ns: int) -> None:
        memory = self.memory
        record = evidence.armed.transition
        # Only the arm record commits: a line that is merely in the history may never count.
        epoch, line = memory.epoch, memory.line
        if record is not None and record.epoch > epoch:
            epoch, line = record.epoch, evidence.armed.line
        demands = verdict.first(Consequence.RECORD, Consequence.CONFIRM)
        pending = memory.pending
        if demands is not None and (
            pending is None or (not pending.own and demands.state > pending.cause.state)
        ):
            pending = Pending(demands, max(epoch, evidence.epoch), own=False)
        latched, latched_epoch = memory.latched, memory.latched_epoch
        granted = record.granted_epoch if record is not None else 0
        if granted > latched_epoch and demands is None:
            latched = SAFE
        for cause in verdict.causes:
            if cause.follow in (Consequence.NOTHING, Consequence.LOCAL):
                latched = max(latched, cause.state)
                latched_epoch = max(latched_epoch, record.epoch if record is not None else 0)
            elif cause.follow is Consequence.RECORD:
                latched = max(latched, cause.state)
                latched_epoch = max(latched_epoch, epoch)
        newer_grant = granted > memory.granted_epoch
        self._latest_ns = now_ns if newer_grant else max(self._latest_ns, now_ns)
        self.memory = Memory(
            epoch=epoch,
            line=line,
            latched=latched,
            latched_epoch=latched_epoch,
            granted_epoch=max(granted, memory.granted_epoch),
            pending=pending,
        )

    def _show(self, evidence: Evidence, verdict: Verdict) -> None:
        shared = self._shared
        if verdict.state is SAFE and shared is not None:
            record = evidence.armed.transition
            shown, shown_epoch = shared.read()
            if shown != SAFE and record is not None and shown_epoch < record.epoch:
                # A hint from before the last reset, whose clearing was cut short. Should it
                # stay, gate 1 keeps asking the authority: slow, and right.
                with contextlib.suppress(OSError):
                    shared.clear(record.epoch)
            self._flag = shared.view
            return
        # Others hear only of what concerns them: not that this session may not trade live.
        common = verdict.first(Consequence.NOTHING, Consequence.RECORD)
        if common is not None:
            self.show_shared(common.state)
        if common is None or common.state is not verdict.state:
            self._flag = bytes([verdict.state])

    def _keep(self, evidence: Evidence, verdict: Verdict) -> bool:
        """Keep the answer and the open record, when it is plain and the file has settled."""
        record = evidence.armed.transition
        if record is None or self.memory.pending is not None:
            self._fast = None
            return False
        plain = verdict.state is record.severity and all(
            cause.follow is Consequence.NOTHING for cause in verdict.causes
        )
        age_ns = time.time_ns() - max(evidence.key[1], evidence.key[2])
        if not plain or age_ns < SETTLE_NS:
            self._fast = None
            return False
        fast = self._fast
        if fast is not None and fast[2] == evidence.key and fast[0] is verdict.state:
            return False
        stale = self._held.copy()
        self._held[:] = evidence.descriptors
        self._fast = (verdict.state, evidence.descriptors[0], evidence.key)
        # A glance under way may still use what is closed here; it then finds another record
        # under the name, and looks again.
        _close_all(stale)
        return True
