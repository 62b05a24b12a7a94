"""The kill switch: one folder of files that every process of the machine believes.

Problem: when trading must stop, it must stop in every process, at once, across restarts, and only
a person may allow it again, knowingly. Any doubt about the files must count against trading.

Method. SAFE takes a valid arm record, a witness and a history that hold the same line, and no
marker. Everything else is REDUCE_ONLY or ENGAGED, by the rules in `judge`. `flag[0]` is for
gate 1: zero unless there is news (a few nanoseconds, a hint only; read the attribute each time and
ask `authority()` when it is not zero). `authority()` is for gate 2, and reads the files.

Whoever first sees a marker, damage or a rollback writes an ENGAGED record under the lock. From
then on taking the cause away changes nothing: only `reset`, naming the epoch it judged, gives a new
SAFE record. Every transition has an epoch of its own, so a reset that judged an older situation
is refused. What cannot be written (full disk) is held in memory and in the shared flag, and tried
again at every look.

The folder's permissions are the operator's choice: it is made 0700; `chmod g+wx` lets a group
`touch KILL`. The checks find accidents and old copies, not a forger with write permission; nor can
they find a whole workspace, witness included, put back from a snapshot while nothing was running.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from logos import __version__, paths
from logos.build import build_name
from logos.core.types import SwitchState
from logos.killswitch.evidence import Evidence
from logos.killswitch.files import OsLayer, describe
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.judge import (
    ENGAGED,
    REDUCE_ONLY,
    SAFE,
    Cause,
    Consequence,
    Pending,
    Terms,
    Verdict,
)
from logos.killswitch.ledger import KILL_FILE, LOCK_FILE, REDUCE_FILE, SwitchLedger
from logos.killswitch.mounts import MOUNT_TABLE
from logos.killswitch.records import (
    WHO_CHARACTERS_MAX,
    WHY_CHARACTERS_MAX,
    Mode,
    ResetRefusedError,
    SwitchBusyError,
    SwitchError,
    clean_text,
    encode_marker,
)
from logos.killswitch.sensor import Buffer, SwitchSensor
from logos.killswitch.status import EngageResult, SwitchStatus, build_status, sentence
from logos.killswitch.writer import NotRecordedError, SwitchWriter

ENGAGE_WAIT_S: Final = 2.0
"""How long an engagement waits for the writers' lock; it holds in memory meanwhile."""
RESET_WAIT_S: Final = 5.0
GLANCE_NS: Final = 50_000_000
"""How long `is_safe` believes a clear flag before it looks at the files again."""


_monotonic_ns = time.monotonic_ns


def user_name() -> str:
    """The user of this process, as the system knows them; "" when it does not."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


class CircuitBreaker:
    """The kill switch of one folder. Thread-safe; any number of objects and processes.

    `build` and the host are compared, and `mode` "live" demanded, only when this process trades
    live: a live session refuses a record that was armed for paper, by another build or on another
    host. Paper accepts any valid record. An empty `build` is this one: for live the version and a
    hash over the sources of logos (`build_name`), for paper the version. The
    constructor never raises for what is on the disk.

    Without a folder it is the switch of the workspace, which `logos kill` and every session there
    obey. Where nothing was ever armed it is ENGAGED: `arm_if_new` arms it for paper.
    """

    __slots__ = ("_ledger", "_looked_ns", "_repeat", "_sensor", "_writer", "flag")
    flag: Buffer
    """The hint for gate 1: `flag[0]` is 0 while there is no news. Read the attribute each time."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        build: str = "",
        mode: Mode = "paper",
        clock: Callable[[], int] = time.time_ns,
        witness: Path | None = None,
        host: str = "",
        layer: OsLayer | None = None,
        mount_table: Path = MOUNT_TABLE,
    ) -> None:
        if mode not in ("paper", "live"):
            raise ValueError(f"mode must be 'paper' or 'live', not {mode!r}")
        if folder is None:
            folder = paths.state_dir() / "kill-switch"
        self._ledger = SwitchLedger(folder, witness, layer)
        if not build:
            build = build_name() if mode == "live" else __version__
        terms = Terms(mode, build, host or os.uname().nodename)
        self._sensor = SwitchSensor(self._ledger, terms, clock, mount_table)
        self._writer = SwitchWriter(self._ledger, self._sensor, clock)
        self._repeat: tuple[Cause, int] | None = None
        self._looked_ns = 0
        self._writer.check_history()
        self._examine()

    @property
    def folder(self) -> Path:
        """Where the switch lives, absolute."""
        return self._ledger.folder_path

    @property
    def epoch(self) -> int:
        """The epoch of the arm record as this object last saw it; 0 before any."""
        return self._sensor.memory.epoch

    def close(self) -> None:
        """Let go of descriptors; the switch itself stays as it is."""
        self._sensor.close()

    def authority(self) -> SwitchState:
        """The state, from the files. Never raises, never blocks, never answers SAFE in doubt."""
        state = self._sensor.glance()
        if state is None or self.flag[0] > state:
            return self._examine()
        return state

    def is_safe(self) -> bool:
        """Whether trading may go on, for a check on every tick: under a microsecond while it may.

        An engagement by any `CircuitBreaker` of any process is seen at once, through the shared
        flag; a bare `touch KILL`, or damage, within 50 ms, when the files are looked at again.
        Before an order leaves, ask `authority()`.
        """
        now_ns = _monotonic_ns()
        if self.flag[0] == 0 and now_ns - self._looked_ns < GLANCE_NS:
            return True
        is_safe = self.authority() is SAFE
        self._looked_ns = now_ns if is_safe else 0
        return is_safe

    def engage(self, reason: str, by: str = "") -> EngageResult:
        """Stop all trading, everywhere. Always takes hold in this process, whatever the disk does.

        `by` is who does it; default: the user. In this order: memory, shared flag, marker, record:
        every process sees the flag within microseconds, and the call returns when the record is on
        the disk. The result says what reached it. The same reason from the same object is not
        recorded twice for one engagement.
        """
        return self._tighten(ENGAGED, reason, by)

    def set_reduce_only(self, reason: str, by: str = "") -> EngageResult:
        """Allow only orders that reduce a position. Leaves an engaged switch engaged."""
        return self._tighten(REDUCE_ONLY, reason, by)

    def reset(self, by: str, reason: str, epoch: int) -> SwitchStatus:
        """Turn the switch SAFE, for this object's mode and build, at `epoch` + 1.

        The judgment that it is safe is the caller's; `logos kill reset` has preconditions.
        Raises StaleEpochError when `epoch` is not the current one, also because of an
        engagement that nobody had recorded yet; ResetRefusedError when something else
        stands in the way; ValueError without a person or a reason. After an error the
        switch is as severe as before.
        """
        return self._grant(SAFE, by, reason, epoch)

    def step_down(self, by: str, reason: str, epoch: int) -> SwitchStatus:
        """Turn an engaged switch REDUCE_ONLY, at `epoch` + 1: the first step back. Raises as
        `reset`."""
        return self._grant(REDUCE_ONLY, by, reason, epoch)

    def _grant(self, state: SwitchState, by: str, reason: str, epoch: int) -> SwitchStatus:
        who, why = clean_text(by, WHO_CHARACTERS_MAX), clean_text(reason, WHY_CHARACTERS_MAX)
        if not who or not why:
            raise ValueError("a reset needs a person (by) and a reason")
        if self._sensor.terms.network_problem:
            raise ResetRefusedError(f"reset refused: {self._sensor.terms.network_problem}")
        try:
            with self._writer.mutex:
                self._ledger.make()
                with self._ledger.open() as folder, folder.locked(LOCK_FILE, RESET_WAIT_S):
                    self._writer.reset_locked(folder, state, who, why, epoch)
        except SwitchBusyError as error:
            raise ResetRefusedError(f"reset refused: {error}; try again") from error
        except OSError as error:
            words = describe(error, str(self.folder))
            self._withdraw_grant(words)
            raise ResetRefusedError(f"reset failed, the switch is not cleared: {words}") from error
        except NotRecordedError as error:
            raise ResetRefusedError(
                f"reset refused: an engagement cannot be written down ({error}); repair that first"
            ) from error
        return self.status()

    def arm_if_new(self) -> bool:
        """Arm for paper when nothing was ever armed here; True when that happened.

        A folder with any trace of a past, or a witness of one, is never new; nor is a workspace
        that has sessions, though folder and witness are gone. There, and for a live session, a
        person arms, with `reset` at epoch 0. Raises SwitchError when the disk refuses.
        """
        if self._sensor.terms.mode != "paper" or self._sensor.terms.network_problem:
            return False
        try:
            with self._writer.mutex:
                self._ledger.make()
                with self._ledger.open() as folder, folder.locked(LOCK_FILE, ENGAGE_WAIT_S):
                    armed = self._writer.arm_locked(folder)
        except OSError as error:
            words = describe(error, str(self.folder))
            self._withdraw_grant(words)
            raise SwitchError(f"the kill switch cannot be armed: {words}") from error
        self._examine()
        return armed

    def status(self) -> SwitchStatus:
        """State, reasons and the way out, after recording whatever was found unrecorded."""
        self._writer.check_history()
        self._examine()
        self._writer.record(ENGAGE_WAIT_S, strict_markers=True)
        evidence, verdict = self._sensor.look(strict_markers=True)
        if self._sensor.memory.pending is not None:
            self._writer.record(ENGAGE_WAIT_S)
            evidence, verdict = self._sensor.look()
        self.flag = self._sensor.current_flag()
        return self._in_words(evidence, verdict)

    def why(self) -> str:
        """The state and its reason in one sentence. Reads only, as cheap as a look."""
        evidence, verdict = self._sensor.look()
        self.flag = self._sensor.current_flag()
        return sentence(self._in_words(evidence, verdict))

    def monitor(self) -> CircuitBreakerMonitor:
        """The history of this switch."""
        return CircuitBreakerMonitor(self.folder, layer=self._ledger.layer)

    def _examine(self) -> SwitchState:
        evidence, verdict = self._sensor.look()
        if self._sensor.memory.pending is not None and self._writer.record(0.0):
            evidence, verdict = self._sensor.look()
        if self._ledger.is_behind(evidence):
            self._writer.repair()
        self.flag = self._sensor.current_flag()
        return verdict.state

    def _withdraw_grant(self, words: str) -> None:
        """A SAFE that shows but may not survive a power cut is taken back: not SAFE by halves."""
        if self._ledger.holds(self._writer.granting):
            self.engage(f"SAFE could not be made durable: {words}", "logos")

    def _in_words(self, evidence: Evidence, verdict: Verdict) -> SwitchStatus:
        epoch = max(evidence.epoch, self._sensor.memory.epoch)
        return build_status(evidence, verdict, self.folder, epoch, self._sensor.terms.mode)

    def _tighten(self, state: SwitchState, reason: str, by: str) -> EngageResult:
        why = clean_text(reason, WHY_CHARACTERS_MAX) or "no reason given"
        who = clean_text(by or user_name(), WHO_CHARACTERS_MAX) or "unknown"
        cause = Cause(state, Consequence.NOTHING, why, who)
        if self._is_repeat(cause):
            return self._result(())
        epoch = self._sensor.memory.epoch
        pending = Pending(cause, epoch, own=True)
        self._sensor.stop_at_once(pending)
        self.flag = self._sensor.current_flag()
        problems = self._mark(cause, epoch)
        self._writer.retry_now()
        if self._writer.record(ENGAGE_WAIT_S, own=pending):
            self._repeat = (cause, self._sensor.memory.epoch)
        else:
            # Somebody's reset may have cleared the flag between then and now.
            self._sensor.show_shared(state)
        self.flag = self._sensor.current_flag()
        return self._result((*problems, *self._writer.trouble))

    def _is_repeat(self, cause: Cause) -> bool:
        if self._repeat is None or self._repeat[0] != cause:
            return False
        state = self._examine()
        memory = self._sensor.memory
        return memory.epoch == self._repeat[1] and state >= cause.state and memory.pending is None

    def _mark(self, cause: Cause, epoch: int) -> list[str]:
        """Create the marker. It needs no lock, so it stops others even when the lock is stuck."""
        name = KILL_FILE if cause.state is ENGAGED else REDUCE_FILE
        try:
            self._ledger.make()
            with self._ledger.open() as folder:
                folder.create(name, encode_marker(cause.who, cause.why, epoch))
        except FileExistsError:
            return []
        except OSError as error:
            return [describe(error, str(self.folder / name))]
        return []

    def _result(self, problems: tuple[str, ...]) -> EngageResult:
        evidence, verdict = self._sensor.look()
        record = evidence.armed.transition
        return EngageResult(
            state=verdict.state,
            epoch=max(evidence.epoch, self._sensor.memory.epoch),
            granted_epoch=self._sensor.memory.granted_epoch,
            recorded=record is not None
            and record.severity >= verdict.state
            and self._sensor.memory.pending is None,
            marked=(evidence.kill if verdict.state is ENGAGED else evidence.reduce) is not None,
            problems=problems,
        )
