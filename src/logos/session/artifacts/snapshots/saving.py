"""When and how a running session writes a snapshot to resume from.

Nothing of the session may depend on it: when a snapshot comes is a matter of the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from logos.core.engine import TradingCore
from logos.core.saved.state import is_savable, save_core
from logos.core.strategy import can_save
from logos.errors import error_words
from logos.interrupts import is_interrupt
from logos.journal.surveys import Mark
from logos.session.artifacts.folder import SessionFolder
from logos.session.artifacts.snapshots.snapshot import SnapshotDue, plain_copy
from logos.session.artifacts.summary import session_uuid
from logos.session.plan import Plan
from logos.session.supervisor import tell_operator

LIVE_INTERVAL_S: Final = 60.0
"""Between two snapshots of a live session, at most: its loop stands still while one is written."""
LIVE_EVENTS: Final = 20_000
"""Ticks after which one is due before that: what is behind it must be run again to resume."""
_LIVE_SHARE: Final = 100
"""So many times what one took pass before the next: a hundredth of the time at most."""
_LIVE_LEAST_S: Final = 1.0


class LiveDue:
    """When a live session's snapshot is due: by the clock, by how much there would be to run again,
    and never so often that its loop would feel it."""

    def __init__(self, ticks: Callable[[], int], now_s: Callable[[], float] = time.monotonic):
        """`ticks` says how many the session has had."""
        self._ticks, self._now_s = ticks, now_s
        self._last_s = now_s()
        self._last_ticks = 0
        self._rest_s = _LIVE_LEAST_S

    def __call__(self) -> bool:
        """Whether one is due; then the time and the ticks are counted from here."""
        now_s = self._now_s()
        since_s = now_s - self._last_s
        if since_s < self._rest_s:
            return False
        ticks = self._ticks()
        if since_s < LIVE_INTERVAL_S and ticks - self._last_ticks < LIVE_EVENTS:
            return False
        self._last_s, self._last_ticks = now_s, ticks
        return True

    def took(self, seconds: float) -> None:
        """The last one held the session up for so long."""
        self._rest_s = max(_LIVE_LEAST_S, seconds * _LIVE_SHARE)


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

    def save(self, consumed: int, first_ns: int, inputs: Mark | None) -> None:
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
        began_s = time.monotonic()
        session_id = core.order_manager.session_id
        uuid = session_uuid(session_id, plan.config_hash, plan.fingerprints)
        self._folder.save_snapshot(uuid, consumed, first_ns, save_core(core), strategy, inputs)
        if isinstance(self._due, LiveDue):
            self._due.took(time.monotonic() - began_s)
