"""Where a session is gone on with: at its snapshot, if everything about it fits, or its beginning.

A snapshot that is not whole, not of this session, newer than the journal, of another history, or
followed by tables that are not what they were, is left alone: the operator hears why in one line,
and the session is run again from its beginning. Only a strategy that fails to load what it saved
itself ends the attempt, as nobody knows what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from logos.core.engine import TradingCore
from logos.core.gates import Switch
from logos.core.saved.state import NotThisCore, load_strategy, restore_core
from logos.core.strategy import can_save
from logos.errors import LogosError
from logos.session.artifacts.snapshot import Snapshot, SnapshotError, check_files, read_snapshot
from logos.session.history import Journal
from logos.session.plan import Plan
from logos.session.recorded import RecordedSwitch

Tell = Callable[[str], object]


class CannotResumeError(LogosError):
    """There is nothing to go on with, or not under these circumstances; the message says why."""


def look_for_snapshot(folder: Path, tell: Tell) -> Snapshot | None:
    """The snapshot of a session, if it has one that is whole. Raises OSError."""
    try:
        return read_snapshot(folder)
    except SnapshotError as error:
        _tell_unused(tell, error)
        return None


def check_fits(
    snapshot: Snapshot, journal: Journal, plan: Plan, projections: Mapping[str, Path]
) -> None:
    """Whether a snapshot is of this session and lies on its history.

    Raises SnapshotError saying what does not fit.
    """
    if snapshot.uuid != journal.manifest["uuid"]:
        raise SnapshotError("it is of another session")
    if snapshot.sequence > journal.records or snapshot.offset > journal.whole_bytes:
        raise SnapshotError(
            f"it is of record {snapshot.sequence}, and the journal has only {journal.records}"
        )
    if snapshot.position != journal.middle:
        raise SnapshotError(f"the journal has another history up to record {snapshot.sequence}")
    if not can_save(plan.strategy):
        raise SnapshotError("the strategy cannot be loaded")
    check_files(snapshot, projections)


class Attempt:
    """The making of a core that is to go on with a session."""

    def __init__(self, plan: Plan, session_id: str, journal: Journal, after: Switch | None) -> None:
        """`after` is the switch that follows the journal's; None: nothing new is looked at."""
        self._plan = plan
        self._session_id = session_id
        self._journal = journal
        self._after = after

    def start(
        self, found: Snapshot | None, projections: Mapping[str, Path], tell: Tell
    ) -> tuple[TradingCore, RecordedSwitch, Snapshot | None]:
        """A core, its switch, and the snapshot it stands at (None: at its beginning).

        Raises CannotResumeError when the strategy cannot load what it saved.
        """
        if found is not None:
            try:
                check_fits(found, self._journal, self._plan, projections)
                core, recorded = self._make(self._journal.switches_before)
                restore_core(core, found.core)
                self._load_strategy(core, found)
                return core, recorded, found
            except (SnapshotError, NotThisCore) as error:
                _tell_unused(tell, error)
        core, recorded = self._make(0)
        return core, recorded, None

    def _make(self, switches_before: int) -> tuple[TradingCore, RecordedSwitch]:
        recorded = RecordedSwitch(self._journal.recording, self._after, switches_before)
        core = self._plan.make_core(self._session_id, recorded)
        recorded.attach(core.order_manager)
        return core, recorded

    def _load_strategy(self, core: TradingCore, snapshot: Snapshot) -> None:
        try:
            load_strategy(core, snapshot.strategy)
        except Exception as error:
            raise CannotResumeError(
                f"the strategy's load() failed: {type(error).__name__}: {error}; go on without "
                f"the snapshot: logos resume {self._session_id} --no-snapshot"
            ) from error


def _tell_unused(tell: Tell, error: Exception) -> None:
    tell(f"logos: the snapshot is not used: {error}; the session is run again from its beginning")
