"""`[log]`: what a session's log of decisions has in it.

Nothing here says what is traded. A settings file without the table has the defaults below, and its
session's config.json has no such table either.
"""

from __future__ import annotations

import enum
from typing import Final

from logos.config.tables.base import Settings


class LogLevel(enum.Enum):
    """Which ticks the log of decisions has."""

    DECISIONS = "decisions"
    ALL = "all"


class LogSettings(Settings, frozen=True, kw_only=True):
    """`[log]`: the log of decisions. What is not set has the default shown."""

    level: LogLevel = LogLevel.DECISIONS
    """decisions: what was decided; all: a line for each tick, also where nothing was."""
    risk_interval_s: int = 0
    """Event time between two records of how the session stands against its limits, in seconds; 0:
    none."""


LOG: Final = LogSettings()
"""What holds where the settings have no `[log]`."""


def log_problems(log: LogSettings) -> list[str]:
    """What makes no sense in the table, a text each."""
    if log.risk_interval_s < 0:
        return [f"log.risk_interval_s must be 0 (none) or more, not {log.risk_interval_s}"]
    return []
