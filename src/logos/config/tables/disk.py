"""`[disk]`: how much of the disk a session may fill, and how its recorded inputs are kept.

Nothing here says what is traded, so a session that is resumed may be given other values than it
began with, by variables. A settings file without the table has the defaults below, and its
session's config.json has no such table either.
"""

from __future__ import annotations

from typing import Final

from logos.config.tables.base import Settings

SEGMENT_BYTES_MIN: Final = 65_536


class DiskSettings(Settings, frozen=True, kw_only=True):
    """`[disk]`: how much of the disk a session may fill. What is not set has the default shown."""

    min_free_bytes: int = 268_435_456
    """The session stops in order when the disk has less room than this; 0: it does not look."""
    max_session_bytes: int = 0
    """The session stops in order when its files hold more than this; 0: no limit."""
    segment_bytes: int = 67_108_864
    """The recorded inputs of a live session go on in a new file after so many bytes; 0: never."""
    segment_hours: int = 0
    """And when so many hours are over, by the time of events: on whole multiples of them since 1970
    UTC; 0: never."""


DISK: Final = DiskSettings()
"""What holds where the settings have no `[disk]`."""


def disk_problems(disk: DiskSettings) -> list[str]:
    """What makes no sense in the table, a text each."""
    problems = [
        f"disk.{key} must be 0 (none) or more, not {getattr(disk, key)}"
        for key in ("min_free_bytes", "max_session_bytes", "segment_bytes", "segment_hours")
        if getattr(disk, key) < 0
    ]
    if 0 < disk.segment_bytes < SEGMENT_BYTES_MIN:
        problems.append(
            f"disk.segment_bytes must be 0 (never) or at least {SEGMENT_BYTES_MIN:,}, not "
            f"{disk.segment_bytes}"
        )
    return problems
