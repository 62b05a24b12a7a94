"""Guards: limits that no order passes, a user's own ones, and what follows when one trips.

`limits` has the limits, the session's guards and their actions; `table` lists every guard; `own` is
for guards that users write.
"""

from __future__ import annotations

from logos.core.guards.limits import (
    DEFAULT_ACTIONS,
    Action,
    LedgerLimits,
    Limits,
    OwnGuard,
    SessionGuards,
)

__all__ = ["DEFAULT_ACTIONS", "Action", "LedgerLimits", "Limits", "OwnGuard", "SessionGuards"]
