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


LOG: Final = LogSettings()
"""What holds where the settings have no `[log]`."""
