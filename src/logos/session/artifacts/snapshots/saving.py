"""When and how a running session writes a snapshot to resume from.

Nothing of the session may depend on it: when a snapshot comes is a matter of the clock.
"""

from __future__ import annotations

from collections.abc import Callable

from logos.core.engine import TradingCore
from logos.core.saved.state import is_savable, save_core
from logos.core.strategy import can_save
from logos.errors import error_words
from logos.interrupts import is_interrupt
from logos.journal.writer import Position
from logos.session.artifacts.folder import SessionFolder
from logos.session.artifacts.snapshots.snapshot import SnapshotDue, plain_copy
from logos.session.artifacts.summary import session_uuid
from logos.session.plan import Plan
from logos.session.supervisor import tell_operator


class Snapshots:
    """The snapshots of one session; a strategy that fails to save itself is not asked again."""

    def __init__(
        self, plan: Plan, core: TradingCore, folder: SessionFolder, due: SnapshotDue
    ) -> None:
        self._plan = plan
        self._core = core
        self._folder = folder
        self._due = due
        self._is_possible = can_save(plan.strategy)
        self.has_room: Callable[[], bool] = lambda: True
        """Whether the disk has room for one."""

    def is_due(self) -> bool:
        """Whether it is time for one."""
        return self._is_possible and self._due()

    def save(self, consumed: int, first_ns: int, inputs: Position | None) -> None:
        """Write one, if the core is at rest. `consumed` events have been run, the first of them at
        `first_ns`; `inputs` is the place in the recorded inputs of a live session. Raises OSError.
        """
        core, plan = self._core, self._plan
        if not (self._is_possible and is_savable(core) and self.has_room()):
            return
        try:
            strategy = plain_copy(core.strategy.save())
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._is_possible = False
            tell_operator(
                f"logos: no snapshots: the strategy's save() failed: {error_words(error)}; the "
                "session continues, and would be resumed from its beginning"
            )
            return
        session_id = core.order_manager.session_id
        uuid = session_uuid(session_id, plan.config_hash, plan.fingerprints)
        self._folder.save_snapshot(uuid, consumed, first_ns, save_core(core), strategy, inputs)
